//! The primary: other people's name servers and resolvers take our zones over, whole (AXFR, RFC 5936) or step by step
//! (IXFR, RFC 1995), and are told when there is something new (NOTIFY, RFC 1996).
//!
//! It listens on addresses of its own, apart from where the world asks. Who may take which zone says [`Access`]: by the
//! address, and by a key where one is given (TSIG, RFC 8945); everybody else is refused and counted. A *seized* zone is
//! taken as the sinkhole answers for it at this moment; *named* zones (policies, the catalog) come with their history
//! from `store::zones`.
//!
//! ```text
//! request ─► question ─► access ─► zone ─► stream of records ─► messages, signed one by one
//! a new serial ─► tell ─► NOTIFY, again and again, until the peer answers or has had its tries
//! ```
//!
//! A peer that reads slowly costs one message of memory and is cut off; nothing here is sized by what a peer says.
//! Peers are ours, so nothing is recorded as a contact: what was taken and refused is counted and logged.

mod access;
mod answer;
mod counts;
mod messages;
mod notify;
mod question;
mod run;
mod stream;
mod tell;
#[cfg(test)]
mod tests;
mod zone;

use std::net::{TcpListener, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use store::zones::Published;
use tokio::sync::watch;

pub use access::{Access, Allowed, BadKey, Peer, TransferKey};
pub use counts::Counts;
pub use run::Transfer;

/// The most octets of one message: as many as TCP's length can say.
pub const MESSAGE_OCTETS_MAX: usize = 65_535;
/// The largest request that is read: a question, an IXFR's SOA, EDNS and TSIG need less.
pub const REQUEST_OCTETS_MAX: usize = 4_096;
/// How long a connection may be silent, and how long a peer may take to read one message.
pub const IDLE: Duration = Duration::from_secs(30);
/// How long a connection may last: a zone of millions of records takes a while on a slow line.
pub const LIFETIME: Duration = Duration::from_secs(3_600);
/// Open connections of a listener, and of one /24 or /56.
pub const CONNECTIONS_MAX: usize = 256;
pub const CONNECTIONS_PER_PREFIX_MAX: usize = 64;

/// What the primary works with.
pub struct Primary {
    pub access: Access,
    pub published: watch::Receiver<Arc<Published>>,
    /// Rises whenever the seized zones may have changed.
    pub seized: watch::Receiver<u64>,
}

/// The sockets of one address, opened by the roof.
#[derive(Debug)]
pub struct Sockets {
    pub udp: UdpSocket,
    pub tcp: TcpListener,
}
