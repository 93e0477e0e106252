//! `[web.limits]`: how many may come at once, how long each may stay, how much is read of what it says.
//!
//! Every key has a default that suits a machine with 20,000 files for a process. Reaching a limit ends one connection,
//! and is counted or recorded; none of them can be switched off, because a trap without an end is a weapon against us.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sinkhole::trap;

use crate::failure::Failure;

/// The table as it is written and as it is used.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    connections_max: usize,
    connections_per_prefix_max: usize,
    evict_idle_secs: u64,
    buffered_octets_max: u64,
    handshakes_per_sec: u32,
    requests_max: u32,
    head_octets_max: usize,
    body_octets_max: u64,
    idle_secs: u64,
    handshake_secs: u64,
    lifetime_secs: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let limits = trap::Limits::default();
        Self {
            connections_max: limits.connections_max,
            connections_per_prefix_max: limits.connections_per_prefix_max,
            evict_idle_secs: limits.evict_idle.as_secs(),
            buffered_octets_max: limits.buffered_octets_max,
            handshakes_per_sec: limits.handshakes_per_sec,
            requests_max: limits.requests_max,
            head_octets_max: limits.head_octets_max,
            body_octets_max: limits.body_octets_max,
            idle_secs: limits.idle.as_secs(),
            handshake_secs: limits.handshake.as_secs(),
            lifetime_secs: limits.lifetime.as_secs(),
        }
    }
}

impl Limits {
    pub(crate) fn of_trap(&self) -> trap::Limits {
        trap::Limits {
            connections_max: self.connections_max,
            connections_per_prefix_max: self.connections_per_prefix_max,
            evict_idle: Duration::from_secs(self.evict_idle_secs),
            buffered_octets_max: self.buffered_octets_max,
            handshakes_per_sec: self.handshakes_per_sec,
            requests_max: self.requests_max,
            head_octets_max: self.head_octets_max,
            body_octets_max: self.body_octets_max,
            idle: Duration::from_secs(self.idle_secs),
            handshake: Duration::from_secs(self.handshake_secs),
            lifetime: Duration::from_secs(self.lifetime_secs),
        }
    }

    /// A head is held in memory until it is whole, so a thousand who are slow on purpose take 64 MiB at the default:
    /// `buffered_octets_max` is what all of them together may take.
    pub(super) fn check(&self) -> Result<(), Failure> {
        for (key, given, least, most) in [
            ("connections_max", self.connections_max as u64, 1, 1_000_000),
            ("connections_per_prefix_max", self.connections_per_prefix_max as u64, 1, 1_000_000),
            ("evict_idle_secs", self.evict_idle_secs, 1, 600),
            ("buffered_octets_max", self.buffered_octets_max, 1 << 20, 1 << 40),
            ("handshakes_per_sec", self.handshakes_per_sec.into(), 1, 1_000_000),
            ("requests_max", u64::from(self.requests_max), 1, 1_000_000),
            ("head_octets_max", self.head_octets_max as u64, 1_024, 64 * 1024),
            ("body_octets_max", self.body_octets_max, 0, 1 << 30),
            ("idle_secs", self.idle_secs, 1, 600),
            ("handshake_secs", self.handshake_secs, 1, 600),
            ("lifetime_secs", self.lifetime_secs, 1, 3_600),
        ] {
            if !(least..=most).contains(&given) {
                return Err(Failure::new(format!("`web.limits.{key}` is {given}"))
                    .hint(format!("give {least} to {most}; `bailiwick config example` shows the defaults")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_as_usual_and_nothing_is_without_end() {
        let limits: Limits = toml::from_str("connections_max = 50000\nidle_secs = 10").unwrap();
        assert!(limits.check().is_ok());
        let usual = trap::Limits::default();
        let wanted = trap::Limits { connections_max: 50_000, idle: Duration::from_secs(10), ..usual };
        assert_eq!(limits.of_trap(), wanted);
        for bad in [
            "connections_max = 0",
            "idle_secs = 601",
            "head_octets_max = 1000000",
            "lifetime_secs = 0",
            "evict_idle_secs = 0",
            "buffered_octets_max = 65536",
            "handshakes_per_sec = 0",
        ] {
            assert!(toml::from_str::<Limits>(bad).unwrap().check().is_err(), "{bad}");
        }
        assert!(toml::from_str::<Limits>("idle = 3").is_err(), "an unknown key");
    }
}
