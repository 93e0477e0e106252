//! Where the trap stops.

use std::time::Duration;

/// Every limit of the trap. Reaching one sheds or ends one connection, and is counted or recorded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Open connections over all listeners; one more is closed at once and counted as shed.
    pub connections_max: usize,
    /// Open connections of one /24 or /56.
    pub connections_per_prefix_max: usize,
    /// Requests on one connection; the last is answered with `Connection: close`.
    pub requests_max: u32,
    /// Octets of one request's head.
    pub head_octets_max: usize,
    /// Octets of one request's body that are read and dropped.
    pub body_octets_max: u64,
    /// How long a connection may say nothing, or take nothing of an answer.
    pub idle: Duration,
    /// How long after accept TLS may take to be established.
    pub handshake: Duration,
    /// How long a connection may last, whatever it does.
    pub lifetime: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 16_384,
            connections_per_prefix_max: 4_096,
            requests_max: 1_000,
            head_octets_max: 64 * 1024,
            body_octets_max: 1024 * 1024,
            idle: Duration::from_secs(30),
            handshake: Duration::from_secs(15),
            lifetime: Duration::from_secs(300),
        }
    }
}

impl Limits {
    pub(super) fn of_http(&self) -> wire::http::Limits {
        wire::http::Limits { head_octets_max: self.head_octets_max, body_octets_max: self.body_octets_max }
    }
}
