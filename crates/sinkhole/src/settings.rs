//! How the sinkhole answers and where it stops: addresses, times to live, and every limit by its name.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;

use model::DomainName;
use model::address::Prefix;
use wire::dns::SECRET_OCTETS;

use crate::Error;

/// The most answer addresses of each family: sixteen AAAA are 448 octets, which fit every EDNS answer.
pub const ANSWER_ADDRESSES_MAX: usize = 16;

/// Open files that are not for callers: segments of the journal, the archive, the ledger, the API. Whoever holds all
/// connections that there are must not keep the journal from opening its next segment.
pub const FILES_KEPT: u64 = 512;

//----------- Settings ---------------------------------------------------------------------------------------------

/// What the operator decides; everything else follows from the orders.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What every name at or below a seized apex resolves to: our traps.
    pub answer_v4: Vec<Ipv4Addr>,
    pub answer_v6: Vec<Ipv6Addr>,
    /// The SOA's RNAME, a mail address with a dot for its `@`. Without one, `hostmaster` at the first name server.
    pub hostmaster: Option<DomainName>,
    /// How long an answer is believed. Short: a name that is handed back must be free soon.
    pub ttl_secs: u32,
    /// How long "there is nothing" is believed (the SOA's MINIMUM).
    pub negative_ttl_secs: u32,
    pub dns_tcp: DnsTcpLimits,
    pub dnstap: DnstapLimits,
    pub rates: RateLimits,
    /// The server's identifier for whoever asks (RFC 5001); empty: none. A sealed zone never says it.
    pub nsid: String,
    /// The certification authorities that may certify a name where its order permits that (RFC 8659).
    pub certifiers: Vec<DomainName>,
    /// Secrets of DNS cookies: one to make them with, then one that is believed too; none: made anew every day.
    pub cookie_secrets: Vec<CookieSecret>,
    pub trap: crate::trap::Limits,
    pub mail: MailSettings,
    /// Balancers of the operator's, whose PROXY header says who called.
    pub balancers: Vec<Prefix>,
    /// To which account names are sealed, where an order covers what callers send; none: they are not even held.
    pub account_key: Option<crate::sealed::SealingKey>,
    /// By which our own verifier is known, and knows us; none: every sign is a header like any.
    pub visit_key: Option<model::visit::VisitKey>,
    /// Seized names that have an address of ours to themselves.
    pub names_by_address: crate::NamesByAddress,
}

/// How we speak to mail clients.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// The name in the greeting. Neutral: it tells of no case and no operator.
    pub host: String,
    /// Whether a password is asked for without TLS. None is ever accepted or kept.
    pub login_in_clear: bool,
}

impl Default for MailSettings {
    fn default() -> Self {
        Self { host: "mx.localdomain".to_owned(), login_in_clear: false }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            answer_v4: Vec::new(),
            answer_v6: Vec::new(),
            hostmaster: None,
            ttl_secs: 300,
            negative_ttl_secs: 300,
            dns_tcp: DnsTcpLimits::default(),
            dnstap: DnstapLimits::default(),
            rates: RateLimits::default(),
            nsid: String::new(),
            certifiers: Vec::new(),
            cookie_secrets: Vec::new(),
            trap: crate::trap::Limits::default(),
            mail: MailSettings::default(),
            balancers: Vec::new(),
            account_key: None,
            visit_key: None,
            names_by_address: crate::NamesByAddress::default(),
        }
    }
}

impl Settings {
    pub(crate) fn check(&self) -> Result<(), Error> {
        let count = self.answer_v4.len().max(self.answer_v6.len());
        if count > ANSWER_ADDRESSES_MAX {
            return Err(Error::Addresses { count, max: ANSWER_ADDRESSES_MAX });
        }
        Ok(())
    }

    /// With no more connections than the process may have files for, the share of one prefix as it was. A quarter of
    /// them is for DNS over TCP.
    pub(crate) fn within_files(mut self, files_max: u64, dns_tcp_listeners: usize) -> Self {
        let for_callers = files_max - FILES_KEPT.min(files_max / 2);
        let for_callers = usize::try_from(for_callers).unwrap_or(usize::MAX);
        let for_dns = for_callers / 4;
        let (dns, trap) = (&mut self.dns_tcp, &mut self.trap);
        let each = (for_dns / dns_tcp_listeners.max(1)).max(1);
        shrink(&mut dns.connections_max, &mut dns.connections_per_prefix_max, each);
        shrink(&mut trap.connections_max, &mut trap.connections_per_prefix_max, for_callers - for_dns);
        self
    }
}

fn shrink(total_max: &mut usize, per_prefix_max: &mut usize, to: usize) {
    if to < *total_max {
        *per_prefix_max = per_prefix_max.saturating_mul(to).div_ceil(*total_max).max(1);
        *total_max = to;
    }
}

/// Where DNS over TCP stops (RFC 7766, 6.2 and 10).
#[derive(Clone, Copy, Debug)]
pub struct DnsTcpLimits {
    /// Open connections per listener; one more is closed at once and counted as shed.
    pub connections_max: usize,
    /// Open connections of one /24 or /56: nobody alone can take all places.
    pub connections_per_prefix_max: usize,
    /// How long a connection may go without a whole message.
    pub idle: Duration,
    /// How long a connection may last, whatever it does.
    pub lifetime: Duration,
    /// The largest query that is read. Real ones have less than 600 octets.
    pub query_octets_max: usize,
}

impl Default for DnsTcpLimits {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            connections_per_prefix_max: 256,
            idle: Duration::from_secs(10),
            lifetime: Duration::from_secs(120),
            query_octets_max: 4_096,
        }
    }
}

/// Where a sensor's dnstap listener stops. How long a frame may be is `wire::dnstap::FRAME_OCTETS_MAX`.
#[derive(Clone, Copy, Debug)]
pub struct DnstapLimits {
    /// Open connections per sensor; one more is closed at once and counted as shed. NSD and BIND have one, Knot one a
    /// worker thread at most.
    pub connections_max: usize,
    /// How long a handshake, and the rest of a frame, may take to come.
    pub frame: Duration,
    /// How long a stream may be without a frame. Long: a server that is asked nothing says nothing, and a sender loses
    /// what it writes into a connection that we closed.
    pub idle: Duration,
}

impl Default for DnstapLimits {
    fn default() -> Self {
        Self { connections_max: 64, frame: Duration::from_secs(30), idle: Duration::from_secs(24 * 3_600) }
    }
}

//----------- CookieSecret -----------------------------------------------------------------------------------------

/// What DNS cookies are made with. No log shows it.
#[derive(Clone, Copy)]
pub struct CookieSecret(pub [u8; SECRET_OCTETS]);

impl fmt::Debug for CookieSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieSecret(…)")
    }
}

//----------- RateLimits -------------------------------------------------------------------------------------------

/// So many a second, and so many at once after a quiet time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    /// 0: no limit.
    pub per_sec: u32,
    pub burst: u32,
}

impl Rate {
    pub const UNLIMITED: Self = Self { per_sec: 0, burst: 0 };

    /// Another rate with a burst of as many seconds.
    #[must_use]
    pub fn scaled(self, per_sec: u32) -> Self {
        let burst = u64::from(self.burst) * u64::from(per_sec) / u64::from(self.per_sec.max(1));
        Self { per_sec, burst: u32::try_from(burst).unwrap_or(u32::MAX) }
    }

    fn divided(self, threads: u32) -> Self {
        Self { per_sec: self.per_sec.div_ceil(threads), burst: self.burst.div_ceil(threads) }
    }
}

/// How fast DNS answers and how fast it records, per listener.
#[derive(Clone, Copy, Debug)]
pub struct RateLimits {
    /// Answers of one kind about one apex to one prefix that has not proven itself. 200 is what NSD limits to, and far
    /// above what a resolver asks that keeps our answers for their TTL.
    pub answers: Rate,
    /// Every n-th answer over the rate goes out empty with TC; 0: none.
    pub slip: u32,
    pub prefix_v4: u8,
    pub prefix_v6: u8,
    /// Records of one kind about one apex from one prefix; above it one a second carries the count.
    pub source_records: Rate,
    /// Records about one apex.
    pub name_records: Rate,
    /// All records. 5,000 a second with 140 octets each are 60 GB a day at the worst, against 3 TB that 250,000 would
    /// be; the burst keeps the first 20 million (2.8 GB) of any peak whole.
    pub listener_records: Rate,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            answers: Rate { per_sec: 200, burst: 200 },
            slip: 2,
            prefix_v4: 24,
            prefix_v6: 56,
            source_records: Rate { per_sec: 50, burst: 10_000 },
            name_records: Rate { per_sec: 1_000, burst: 1_000_000 },
            listener_records: Rate { per_sec: 5_000, burst: 20_000_000 },
        }
    }
}

impl RateLimits {
    /// What one of several threads on one address allows: the kernel spreads sources over them, and each knows only
    /// its own.
    pub(crate) fn divided(self, threads: u32) -> Self {
        Self {
            answers: self.answers.divided(threads),
            source_records: self.source_records.divided(threads),
            name_records: self.name_records.divided(threads),
            listener_records: self.listener_records.divided(threads),
            ..self
        }
    }
}

//----------- Keys -------------------------------------------------------------------------------------------------

/// The folder of keys, outside the data folder: who copies the data does not copy the keys.
#[derive(Clone, Debug)]
pub struct Keys {
    pub dir: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_with_few_files_lets_few_callers_in() {
        for (files_max, listeners, dns, trap) in [
            (1_048_576, 2, (1_024, 256), (16_384, 4_096)),
            (20_000, 1, (1_024, 256), (14_616, 3_654)),
            (1_024, 1, (128, 32), (384, 96)),
            (1_024, 2, (64, 16), (384, 96)),
            (8, 9, (1, 1), (3, 1)),
            (u64::MAX, 0, (1_024, 256), (16_384, 4_096)),
        ] {
            let fitted = Settings::default().within_files(files_max, listeners);
            let (of_dns, of_trap) = (fitted.dns_tcp, fitted.trap);
            assert_eq!((of_dns.connections_max, of_dns.connections_per_prefix_max), dns, "{files_max}");
            assert_eq!((of_trap.connections_max, of_trap.connections_per_prefix_max), trap, "{files_max}");
        }
    }
}
