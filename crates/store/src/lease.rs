//! What a core lets a sensor serve, until when, and what becomes of it then.
//!
//! ```text
//! core: zones at a version ─ Bulletin ─ sha256 ─┐
//!       sensor, version, digest, until ─ Grant ─┴─ signed by the ledger's key ──► sensor: Keeper ─ zones now
//! ```
//!
//! A sensor has no orders. It serves what its core has proven and signed, and by its own clock it stops: each name has the
//! day on which its authority ends, and the whole has a lease, which each answer of the core makes longer. A sensor that is
//! cut off serves on until the lease ends; then each name does what the set says: it is refused, so that resolvers go to a
//! server that still knows, it is held, or it goes on until its authority ends.
//!
//! Versions are positions of the ledger and never go back, so that nobody who has an older signed set can make a sensor
//! serve it again. Time is [`AuthorityClock`]'s, which no step of the wall clock sets back. What is deliberately absent:
//! how the set travels (the roof), and what a name is answered with (room `sinkhole`).

mod body;
mod clock;
mod grant;
mod keeper;
#[cfg(test)]
mod tests;

pub use body::{Bulletin, Lapse, LeasedName, ZONES_OCTETS_MAX, ZoneBody, ZoneGroup, captured_in};
pub use clock::{AuthorityClock, Instants, SavedClock};
pub use grant::{Grant, GrantError, LEASE_MAX};
pub use keeper::{Judge, Keeper, Standing};
