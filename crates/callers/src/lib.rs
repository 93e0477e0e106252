//! Everyone who calls us, as clients only: the population of the demo, of the stories and of the load benches.
//!
//! A sinkhole that is only tried by its own tests hears what its authors expect. This room is everybody else:
//! infected machines, people who follow a link and type a password, crawlers, link previews, scanners, resolvers and
//! senders of nonsense, each from an address of its own in 127.0.0.0/8, over real sockets. It keeps its own books, the
//! [`Tally`], in a file outside the data folder: what was sent is counted here, what was recorded is counted there,
//! and the two must agree.
//!
//! Start with [`cast`] (who exists), then [`script`] (what each does; both are pure functions of a seed), then
//! [`run()`], the one door. [`flood()`], [`load()`], [`handshakes()`] and [`knocks`] are the load generators of
//! the benches, and [`hold()`] keeps connections open beside them.
//!
//! What it deliberately does not do: call anything but loopback, validate certificates, or know anything of cases,
//! journals and labels. It is never imported by the rooms that it calls.

mod act;
mod answer;
pub mod cast;
mod dice;
pub mod flood;
pub mod handshakes;
mod hello;
pub mod hold;
pub mod knocks;
pub mod latency;
pub mod load;
pub mod plan;
mod question;
mod request;
mod run;
mod script;
mod secret;
pub mod tally;
pub mod tls;

pub use dice::Dice;
pub use flood::flood;
pub use handshakes::handshakes;
pub use hold::hold;
pub use load::load;
pub use plan::Plan;
pub use run::dangerous::AcceptAnything;
pub use run::{call, run};
pub use tally::{ByKind, Tally};

/// Our own trouble; what a server does wrong is counted, not an error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the plan is refused: {0}")]
    Plan(String),
    #[error("cannot draw random octets for passwords: {0}")]
    Entropy(getrandom::Error),
    #[error("cannot {what} {at}: {source}")]
    Io { what: &'static str, at: String, source: std::io::Error },
    #[error("cannot set up TLS for callers: {0}")]
    Tls(#[from] rustls::Error),
}

impl Error {
    fn io(what: &'static str, at: impl std::fmt::Display) -> impl FnOnce(std::io::Error) -> Self {
        let at = at.to_string();
        move |source| Self::Io { what, at, source }
    }
}
