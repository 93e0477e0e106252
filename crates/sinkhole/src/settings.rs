//! How the sinkhole answers and where it stops: addresses, times to live, and every limit by its name.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;

use model::DomainName;

use crate::Error;

/// The most answer addresses of each family: sixteen AAAA are 448 octets, which fit every EDNS answer.
pub const ANSWER_ADDRESSES_MAX: usize = 16;

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
    pub trap: crate::trap::Limits,
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
            trap: crate::trap::Limits::default(),
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
}

/// Where DNS over TCP stops (RFC 7766, 6.2 and 10).
#[derive(Clone, Copy, Debug)]
pub struct DnsTcpLimits {
    /// Open connections per listener; one more is closed at once and counted as shed.
    pub connections_max: usize,
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
            idle: Duration::from_secs(10),
            lifetime: Duration::from_secs(120),
            query_octets_max: 4_096,
        }
    }
}

//----------- Keys -------------------------------------------------------------------------------------------------

/// The folder of keys, outside the data folder: who copies the data does not copy the keys.
#[derive(Clone, Debug)]
pub struct Keys {
    pub dir: PathBuf,
}
