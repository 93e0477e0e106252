//! HTTP and HTTPS: whatever calls in is recorded whole and answered harmlessly.
//!
//! ```text
//! run ── bytes ──► conversation ── plain ──────────────► wire::http ── head, end ──► answer
//!  ▲               │ first byte      ┌─ rustls ◄─ bytes ─┘                            │
//!  │               └─ hello ─► wire::tls ─ Knock::Hello                               │
//!  └─ Send, Close ◄─ queue ◄──────── Knock::Answered, then its bytes ◄────────────────┘
//!        └─ before each Send: book ─► witness ─► journal
//! ```
//!
//! [`run`] owns sockets, tasks and time. A [`conversation`] is one connection as a pure machine: it decides by the first
//! byte whether TLS or HTTP is spoken, on either port, and queues what is to be recorded before what is to be sent. A
//! [`book`] writes: the connection with the first thing that came over it, each request with its outcome in one commit.
//!
//! A connection is written with the first thing that comes over it, not at accept: only then is it known whether it
//! concerns a name on hold, of which nothing may be kept. One that says nothing is written when it ends.
//!
//! What is deliberately absent: any connection of ours to anywhere, any look-up, and any answer outside a closed set
//! ([`answer`]).

mod answer;
mod book;
mod conversation;
mod limits;
mod run;
mod tls;

#[cfg(test)]
mod tests;

pub use limits::Limits;
pub use run::{TrapRunning, start};
