//! What the operator says about asking the world: where to begin, whom to ask, how fast, from where.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use model::DomainName;
use model::visit::VisitKey;

use super::rdap::Bootstrap;
use super::reach::is_global;
use super::walk::ZoneServers;

/// The fastest that one server is asked, in questions a second.
pub const RATE_MAX: u32 = 1_000;
/// The most resolvers that are asked.
pub const RESOLVERS_MAX: usize = 32;

#[derive(Clone, Debug)]
pub struct Settings {
    /// The root, or the root of a world of one's own.
    pub hints: ZoneServers,
    /// Where authoritative servers listen: 53, but in a laboratory.
    pub port: u16,
    pub resolvers: Vec<SocketAddr>,
    pub bootstrap: Option<Bootstrap>,
    /// How RDAP servers prove who they are; `None`: only those without HTTPS can be asked.
    pub rdap_tls: Option<Arc<rustls::ClientConfig>>,
    /// Questions a second to one server.
    pub rate_per_sec: u32,
    /// For how long one question waits.
    pub patience: Duration,
    /// Where questions and visits come from.
    pub source_v4: Option<Ipv4Addr>,
    pub source_v6: Option<Ipv6Addr>,
    pub ours: OurSide,
    pub http_port: u16,
    pub https_port: u16,
    /// Signs what a visit says of itself, so that the trap knows it for ours.
    pub key: VisitKey,
}

/// What the operator says of our own side.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct OurSide {
    /// Our name servers, and where they are: glue is compared with these.
    pub name_servers: BTreeMap<DomainName, BTreeSet<IpAddr>>,
    /// What they answer with where neither an order nor its case says so; nothing: nobody has said.
    pub answers: BTreeSet<IpAddr>,
}

impl Settings {
    /// Whether that address may be asked. What a stranger's zone names is believed only as far as the world reaches: no
    /// referral makes us ask our own network. An exercise asks nobody but this machine.
    pub fn may_ask(&self, address: IpAddr, exercise: bool) -> bool {
        let address = address.to_canonical();
        if exercise {
            return address.is_loopback();
        }
        is_global(address) || self.is_laboratory()
    }

    /// The root itself is on a network of one's own.
    fn is_laboratory(&self) -> bool {
        let mut addresses = self.hints.servers.iter().flat_map(|server| &server.addresses);
        addresses.all(|address| !is_global(address.to_canonical()))
    }

    pub fn source(&self, towards: IpAddr) -> IpAddr {
        match towards {
            IpAddr::V4(_) => self.source_v4.unwrap_or(Ipv4Addr::UNSPECIFIED).into(),
            IpAddr::V6(_) => self.source_v6.unwrap_or(Ipv6Addr::UNSPECIFIED).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::walk::hints;

    fn settings(hint: &str) -> Settings {
        Settings {
            hints: hints(hint).unwrap(),
            port: 53,
            resolvers: Vec::new(),
            bootstrap: None,
            rdap_tls: None,
            rate_per_sec: 10,
            patience: Duration::from_secs(1),
            source_v4: None,
            source_v6: None,
            ours: OurSide::default(),
            http_port: 80,
            https_port: 443,
            key: VisitKey::new([0; 32]),
        }
    }

    #[test]
    fn no_referral_leads_into_our_own_network_and_no_exercise_out_of_this_machine() {
        let (world, laboratory) = (settings("a A 198.41.0.4"), settings("a A 127.17.0.10"));
        let may = |settings: &Settings, address: &str, exercise| settings.may_ask(address.parse().unwrap(), exercise);
        for own in [
            "127.0.0.1",
            "10.0.0.1",
            "169.254.169.254",
            "192.168.1.1",
            "100.64.0.1",
            "::1",
            "fd00::1",
            "64:ff9b::a00:1",
        ] {
            assert!(!may(&world, own, false), "{own}");
        }
        assert!(may(&world, "199.9.14.201", false) && may(&world, "2001:500:200::b", false));
        assert!(!may(&world, "::ffff:127.0.0.1", false), "the same address, written otherwise");
        assert!(may(&laboratory, "127.17.0.20", false) && may(&laboratory, "127.17.0.20", true));
        for (settings, address) in [(&world, "192.0.2.1"), (&laboratory, "192.0.2.1"), (&laboratory, "10.0.0.1")] {
            assert!(!may(settings, address, true), "{address}");
        }
    }
}
