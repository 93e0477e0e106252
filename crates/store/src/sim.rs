//! Sensors and their core in a made-up world that breaks: one seed, one thread, a clock of its own.
//!
//! The machines are the real ones ([`Uplink`](crate::sensors::Uplink), [`Reception`](crate::sensors::Reception)); disk, database and network are
//! models. Between any two writes either side may be killed or lose its power; messages are lost, doubled, late, out of
//! order or cut in the middle; a step may fail, also after it was done. After so much of it the world heals, everything
//! comes to rest, and then:
//!
//! - each contact of each segment is in the archive exactly once, but for segments that a sensor's disk lost before the
//!   core had them, and those are recorded as lost;
//! - nothing was let go that was not at the core, durable, under its digest;
//! - nothing that the core has acknowledged is gone.
//!
//! [`Breakage`] names machines that are wrong on purpose: the world has to find each of them. What is deliberately absent:
//! the real disk and the real wire, which the tests of [`sensors`](crate::sensors) and the suite with processes have.

mod core;
mod dice;
mod sensor;
#[cfg(test)]
mod tests;
mod world;

pub use world::{Breakage, Tale, Violation, run};
