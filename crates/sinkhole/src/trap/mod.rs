//! HTTP, TLS, mail and any other TCP port: whatever calls in is recorded whole and answered harmlessly.
//!
//! ```text
//! run ── bytes ──► conversation ── plain ──► speech: wire::http, http2, smtp ── head, end, letter ──► answer
//!  ▲               │ first octets   ┌─ rustls ◄─ bytes ─┘                                               │
//!  │               └─ hello ─► wire::tls ─ Knock::Hello                                                  │
//!  └─ Send, Close ◄─ queue ◄──────── Knock::Answered or Mail, then its bytes ◄──────────────────────────┘
//!        └─ before each Send: book ─► witness ─► journal
//! ```
//!
//! [`run`] owns listeners and tasks, a [`visit`] one connection's socket and time. A [`conversation`] is one connection as a pure machine: it decides by the first
//! octets what is spoken, whatever the port, and queues what is to be recorded before what is to be sent; [`front`] is
//! what may stand before that, [`requests`] and [`mail`] what becomes of what was said. A [`book`] writes: the connection with the first thing that came over it, each request with its outcome in one commit.
//!
//! A connection is written with the first thing that comes over it, not at accept: only then is it known whether it
//! concerns a name on hold, of which nothing may be kept. One that says nothing is written when it ends.
//!
//! What is deliberately absent: any connection of ours to anywhere, any look-up, and any answer outside a closed set
//! ([`answer`]).

mod answer;
mod book;
mod conversation;
mod front;
mod ground;
mod knock;
mod limits;
mod line;
mod mail;
mod own;
mod requests;
mod run;
mod speech;
mod tls;
mod visit;

#[cfg(test)]
mod tests;

pub(crate) use knock::{First, Mailed};
pub use limits::Limits;
pub(crate) use run::start;
pub use run::{Doors, TrapRunning};
