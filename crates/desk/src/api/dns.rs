//! The DNS plane as the API tells it: listeners with their rates, zones by mode, limits.

use model::DomainName;
use model::tally::Tally;
use serde::{Deserialize, Serialize};

/// `GET /dns`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DnsStatus {
    pub zones: ZoneCounts,
    /// What only the running process knows; `None` where none runs.
    pub live: Option<DnsLive>,
}

/// Names to serve, by the mode in which they are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct ZoneCounts {
    pub collect: u64,
    pub hold: u64,
    pub handback: u64,
}

/// The DNS plane of the running process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DnsLive {
    /// Zones that are answered at this moment.
    pub zones: u64,
    pub limits: DnsLimits,
    pub listeners: Vec<DnsListener>,
    pub sensors: Vec<DnstapSensor>,
    pub transfers: Transfers,
}

/// One thread's socket, one TCP listener, or one sensor's dnstap listener.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DnsListener {
    pub listener: String,
    /// Since the start.
    pub offered: u64,
    pub tally: Tally,
    /// Lately; `None` in the first seconds.
    pub rates: Option<Rates>,
}

/// What happened each second, on average over the last while.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// How long the while was: a minute, once the process has run for one.
    pub over_secs: f64,
    pub offered: f64,
    pub recorded: f64,
    pub collapsed: f64,
    pub shed: f64,
    pub lost_in_kernel: f64,
    pub answered: f64,
    pub rate_slipped: f64,
    pub rate_dropped: f64,
}

/// Where DNS stops, for each thread or listener. Of rates, 0 is no limit.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct DnsLimits {
    /// UDP threads of each address: each allows its part of the rates, which stand here undivided.
    pub threads: u32,
    pub answers_per_sec: u32,
    pub slip: u32,
    pub prefix_v4: u8,
    pub prefix_v6: u8,
    pub source_records_per_sec: u32,
    pub name_records_per_sec: u32,
    pub listener_records_per_sec: u32,
    pub tcp_connections: u64,
    pub tcp_connections_per_prefix: u64,
    pub tcp_idle_secs: u64,
    pub tcp_lifetime_secs: u64,
}

/// `POST /dns/challenges`: what `_acme-challenge` says below a seized name from now on (RFC 8555, 8.4).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChallengeRequest {
    /// The apex, or the name at which an authority looks.
    pub name: String,
    /// SHA-256 digests in base64url; none: nothing any more.
    pub tokens: Vec<String>,
}

/// What is told of a challenge.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ChallengeTold {
    pub name: DomainName,
    pub tokens: u64,
    pub said: String,
}

/// What peers took from the primary, and what they were told, since the start.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Transfers {
    /// Whole zones, sent to their end.
    pub axfr: u64,
    /// Steps, or the word that there are none.
    pub ixfr: u64,
    /// Questions for the SOA.
    pub looks: u64,
    pub refused: u64,
    pub badly_signed: u64,
    pub malformed: u64,
    /// Ended in the middle: the peer left, or read too slowly.
    pub broken: u64,
    /// Connections over a limit.
    pub shed: u64,
    pub notifies_sent: u64,
    pub notifies_answered: u64,
    pub notifies_given_up: u64,
}

/// What could be seen of a sensor's losses: dnstap has no sequence number.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct DnstapSensor {
    pub sensor: String,
    /// A sender that came back, or a second one.
    pub reconnects: u64,
    /// Connections that ended within a frame.
    pub cut: u64,
    /// Connections that ended without a STOP, or were silent for too long.
    pub without_stop: u64,
    /// Connections that we ended.
    pub faults: u64,
    /// Frames that told no query.
    pub unreadable: u64,
}
