//! Answer for seized names, record every knock, harm nobody.
//!
//! The roof opens the sockets and passes them down; [`run::start`] serves them until it is told to stop. Every contact
//! is in the journal before the first byte of its answer leaves. What a name may be answered with, and whether a
//! contact may be kept at all, comes from the [`zones`] and from nowhere else: a name that no order covers is refused,
//! and a name on hold is answered and only counted.
//!
//! [`dns`] and [`trap`] are the two doors that callers knock on; behind a third, for any other datagram, nobody speaks. Protocols themselves are pure machines in room `wire`;
//! here they get sockets, time and memory.
//!
//! What is deliberately absent: judgement of who called (room `insight`), and any decision about a name (room `docket`).

pub mod certificates;
pub mod dns;
pub mod dnstap;
mod error;
mod gate;
mod inbox;
mod keyed;
pub mod notice;
mod rate;
mod recorder;
#[cfg(test)]
mod rehearsal;
pub mod run;
pub mod sealed;
pub mod settings;
mod silent;
mod thrift;
pub mod transfer;
pub mod trap;
pub mod witness;
pub mod zones;

pub use error::Error;
pub use run::{Listeners, Running, start};
pub use settings::{Keys, Settings};
pub use silent::NamesByAddress;
pub use zones::{CapturedFiles, Change, ServedZone, ZoneTable};
