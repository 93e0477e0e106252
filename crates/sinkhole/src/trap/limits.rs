//! Where the trap stops.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::Timestamp;

use crate::gate::Turnover;

/// Every limit of the trap. Reaching one sheds or ends one connection, and is counted or recorded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Open connections over all listeners. One more takes the place of whoever was idle longest; where nobody was idle
    /// for `evict_idle`, it is closed at once and counted as shed.
    pub connections_max: usize,
    /// Open connections of one /24 or /56. One more takes the place of one of the same prefix, or of nobody.
    pub connections_per_prefix_max: usize,
    /// How long nothing was heard of whoever may have to go for others.
    pub evict_idle: Duration,
    /// Octets that all connections hold together: heads that are not whole, answers that are not taken, and what TLS
    /// costs. Whoever holds some and was idle longest goes first; else whoever needs more.
    pub buffered_octets_max: u64,
    /// TLS handshakes that begin in one second, over all listeners; after the hello beyond it the connection ends.
    pub handshakes_per_sec: u32,
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
            evict_idle: Duration::from_secs(1),
            buffered_octets_max: 256 * 1024 * 1024,
            handshakes_per_sec: 20_000,
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
    pub(super) fn turnover(&self) -> Turnover {
        Turnover { idle: self.evict_idle, octets_max: self.buffered_octets_max }
    }

    pub(super) fn of_http(&self) -> wire::http::Limits {
        wire::http::Limits { head_octets_max: self.head_octets_max, body_octets_max: self.body_octets_max }
    }
}

//----------- Handshakes -------------------------------------------------------------------------------------------

/// Counts the handshakes of this second: the second in the upper half, so many in the lower.
#[derive(Debug, Default)]
pub(super) struct Handshakes(AtomicU64);

impl Handshakes {
    /// Whether one more may begin. A clock that is set back begins another second, too.
    pub(super) fn admit(&self, now: Timestamp, per_sec: u32) -> bool {
        let second = now.as_second().cast_unsigned() << 32;
        let add = |counted: u64| {
            let count = if counted >> 32 == second >> 32 { counted & u64::from(u32::MAX) } else { 0 };
            (count < u64::from(per_sec)).then_some(second | (count + 1))
        };
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_has_its_handshakes() {
        let handshakes = Handshakes::default();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (first, next) = (at("2019-03-27T12:00:00Z"), at("2019-03-27T12:00:01Z"));
        let admitted = |now| (0..5).filter(|_| handshakes.admit(now, 3)).count();
        assert_eq!([admitted(first), admitted(first), admitted(next), admitted(first)], [3, 0, 3, 3]);
    }
}
