//! The DNS door: UDP on threads of its own, TCP on the runtime, one record of what was asked.
//!
//! Both read a batch, stage its contacts, commit them with one write, and only then send. What a packet is and what it
//! deserves is decided by [`wire::dns`]; whether its contact may be kept is decided by the zone that it asks about.

mod challenges;
mod connection;
mod deed;
pub(crate) mod evidence;
mod socket;
mod tcp;
mod udp;
mod voice;

pub use challenges::{CHALLENGES_MAX, Challenges, LIFE as CHALLENGE_LIFE};
pub(crate) use tcp::DnsTcp;
pub(crate) use udp::DnsUdp;
pub(crate) use voice::Voice;

/// The packet's octets that are kept where a packet could not be read.
const RAW_OCTETS_MAX: usize = 512;

#[cfg(test)]
mod tests;
