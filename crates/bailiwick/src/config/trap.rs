//! `[trap]`: any other port, TCP and UDP: ranges on our own addresses, or what the kernel leads to us.
//!
//! A range is opened port by port, so its size has a limit. Whoever wants all 65,535 ports leads them to one by rules
//! of nftables and says `transparent = true` (docs/guide/any-port.md). What comes to such ports is recorded by the order
//! of the name that it concerns; an address may be given to one seized name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use model::DomainName;
use model::address::Prefix;
use serde::{Deserialize, Serialize, Serializer};

use crate::failure::Failure;

/// The most sockets of one transport, over all ranges: each costs a file, and a process may have 1,024 by default,
/// 20,000 where we advise it. More ports than this need a rule of the kernel's, not more sockets.
pub(super) const SOCKETS_MAX: usize = 1_024;
/// The most ranges of one transport, and the most addresses with a name of their own.
const RANGES_MAX: usize = 64;
const NAMES_MAX: usize = 4_096;
/// The most prefixes of balancers: each connection is compared with all of them.
const BALANCERS_MAX: usize = 64;

//----------- Trap -------------------------------------------------------------------------------------------------

/// The table as it is written.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Draft {
    any_tcp: Vec<String>,
    any_udp: Vec<String>,
    transparent: bool,
    names: BTreeMap<IpAddr, DomainName>,
    balancers: Vec<Prefix>,
    account_key: Option<PathBuf>,
}

/// Which ports are opened beside those that speak.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Trap {
    pub(crate) any_tcp: Vec<Ports>,
    pub(crate) any_udp: Vec<Ports>,
    /// Whether the sockets take what was sent to addresses and ports that are not theirs (TPROXY).
    pub(crate) transparent: bool,
    /// Seized names that have an address of ours to themselves.
    pub(crate) names: BTreeMap<IpAddr, DomainName>,
    /// Whose PROXY header says who called.
    pub(crate) balancers: Vec<Prefix>,
    /// The public half of the key that account names are sealed to; without it none is held.
    pub(crate) account_key: Option<PathBuf>,
}

pub(super) fn resolve(draft: Draft, base: &Path) -> Result<Trap, Failure> {
    let Draft { any_tcp, any_udp, transparent, names, balancers, account_key } = draft;
    if balancers.len() > BALANCERS_MAX {
        let given = format!("`trap.balancers` has {} prefixes; at most {BALANCERS_MAX} are believed", balancers.len());
        return Err(Failure::new(given));
    }
    if names.len() > NAMES_MAX {
        let given = format!("`trap.names` gives {} addresses to names; at most {NAMES_MAX} are known", names.len());
        return Err(Failure::new(given));
    }
    let (any_tcp, any_udp) = (ranges("trap.any_tcp", &any_tcp)?, ranges("trap.any_udp", &any_udp)?);
    if transparent && any_tcp.is_empty() && any_udp.is_empty() {
        return Err(Failure::new("`trap.transparent` is true, and there is no port to lead anything to")
            .hint("name one, such as any_udp = [\"0.0.0.0:50000\"], and a rule of nftables that leads there"));
    }
    let account_key = account_key.map(|file| base.join(file));
    Ok(Trap { any_tcp, any_udp, transparent, names, balancers, account_key })
}

impl Trap {
    /// Every address that a caller can reach, with a port of its range.
    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.any_tcp.iter().chain(&self.any_udp).map(Ports::first)
    }
}

/// The ranges of one transport: none twice, and no more sockets than may be.
fn ranges(key: &str, texts: &[String]) -> Result<Vec<Ports>, Failure> {
    if texts.len() > RANGES_MAX {
        return Err(Failure::new(format!("`{key}` names {} ranges; at most {RANGES_MAX} are opened", texts.len())));
    }
    let read = |text: &String| text.parse::<Ports>().map_err(|why| refused(key, text, &why));
    let ranges = texts.iter().map(read).collect::<Result<Vec<Ports>, _>>()?;
    let sockets: usize = ranges.iter().map(|range| range.ports.len()).sum();
    if sockets > SOCKETS_MAX {
        return Err(Failure::new(format!("`{key}` has {sockets} ports; at most {SOCKETS_MAX} sockets are opened"))
            .hint("lead more ports to one by a rule of nftables, with transparent = true: docs/guide/any-port.md"));
    }
    let mut seen = BTreeSet::new();
    let twice = ranges.iter().flat_map(Ports::each).find(|address| !seen.insert(*address));
    match twice {
        Some(twice) => Err(Failure::new(format!("`{key}` has {twice} in two ranges"))
            .hint("every listener needs an address and port of its own")),
        None => Ok(ranges),
    }
}

fn refused(key: &str, text: &str, why: &str) -> Failure {
    Failure::new(format!("`{key}` has \"{}\", which {why}", text.escape_default()))
        .hint("an address, and a port or a range: \"192.0.2.80:10000-10100\" or \"[2001:db8::80]:2323\"")
}

//----------- Ports ------------------------------------------------------------------------------------------------

/// Ports of one address: `192.0.2.80:10000-10100`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Ports {
    address: IpAddr,
    ports: RangeInclusive<u16>,
}

impl Ports {
    /// Each port with the address.
    pub(crate) fn each(&self) -> impl Iterator<Item = SocketAddr> {
        self.ports.clone().map(|port| SocketAddr::new(self.address, port))
    }

    /// Whether a socket of that address would stand in the way. An IPv4 address written as IPv6 is the same address.
    pub(super) fn contain(&self, address: SocketAddr) -> bool {
        self.address == address.ip().to_canonical() && self.ports.contains(&address.port())
    }

    fn first(&self) -> SocketAddr {
        SocketAddr::new(self.address, *self.ports.start())
    }
}

impl FromStr for Ports {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, ports) = text.rsplit_once(':').ok_or("has no port")?;
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let address: IpAddr = bare.unwrap_or(address).parse().map_err(|_| "has no address in front of its port")?;
        if address.is_ipv6() != bare.is_some() {
            return Err("has no address in front of its port".to_owned());
        }
        let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port != 0).ok_or("has a port that is none");
        let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
        let (first, last) = (port(first)?, port(last)?);
        if first > last {
            return Err("has a range that ends before it begins".to_owned());
        }
        Ok(Self { address: address.to_canonical(), ports: first..=last })
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first())?;
        if self.ports.start() == self.ports.end() { Ok(()) } else { write!(f, "-{}", self.ports.end()) }
    }
}

impl Serialize for Ports {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Trap, String> {
        let draft: Draft = toml::from_str(text).map_err(|error| error.to_string())?;
        resolve(draft, Path::new("/etc")).map_err(|failure| format!("{failure:?}"))
    }

    #[test]
    fn a_range_is_an_address_and_its_ports() {
        let trap = read(
            "any_tcp = [\"192.0.2.80:10000-10002\", \"[2001:db8::80]:2323\"]\nany_udp = [\"0.0.0.0:50000\"]\ntransparent = true\naccount_key = \"accounts.pub\"\n[names]\n\"192.0.2.81\" = \"evil.test\"",
        )
        .unwrap();
        let each: Vec<String> = trap.any_tcp.iter().flat_map(Ports::each).map(|address| address.to_string()).collect();
        assert_eq!(each, ["192.0.2.80:10000", "192.0.2.80:10001", "192.0.2.80:10002", "[2001:db8::80]:2323"]);
        assert_eq!(trap.any_tcp[0].to_string(), "192.0.2.80:10000-10002");
        assert!(trap.any_tcp[0].contain("[::ffff:192.0.2.80]:10001".parse().unwrap()));
        assert!(!trap.any_tcp[0].contain("192.0.2.80:10003".parse().unwrap()));
        assert_eq!(trap.addresses().count(), 3);
        assert_eq!(trap.account_key.as_deref(), Some(Path::new("/etc/accounts.pub")));
        assert_eq!(trap.names[&IpAddr::from([192, 0, 2, 81])].as_str(), "evil.test");
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        for (text, why) in [
            ("any_tcp = [\"192.0.2.80\"]", "has no port"),
            ("any_tcp = [\"10000-10100\"]", "has no port"),
            ("any_tcp = [\"a.test:80\"]", "has no address"),
            ("any_tcp = [\"2001:db8::80:80\"]", "has no address"),
            ("any_tcp = [\"[192.0.2.80]:80\"]", "has no address"),
            ("any_tcp = [\"192.0.2.80:0\"]", "a port that is none"),
            ("any_tcp = [\"192.0.2.80:1-65536\"]", "a port that is none"),
            ("any_tcp = [\"192.0.2.80:20-10\"]", "ends before it begins"),
            ("any_udp = [\"192.0.2.80:1-1025\"]", "at most 1024 sockets"),
            ("any_udp = [\"192.0.2.80:1-600\", \"192.0.2.81:1-600\"]", "has 1200 ports"),
            ("any_udp = [\"192.0.2.80:1-6\", \"[::ffff:192.0.2.80]:6\"]", "192.0.2.80:6 in two ranges"),
            ("transparent = true", "no port to lead anything to"),
            ("[names]\n\"192.0.2.300\" = \"evil.test\"", "192.0.2.300"),
            ("port = 1", "unknown field"),
        ] {
            let failure = read(text).unwrap_err();
            assert!(failure.contains(why), "{text}: {failure}");
        }
        let many: Vec<String> = (0..=RANGES_MAX).map(|n| format!("\"192.0.2.80:{}\"", n + 1)).collect();
        assert!(read(&format!("any_udp = [{}]", many.join(","))).unwrap_err().contains("at most 64"));
        assert!(read("any_tcp = [\"192.0.2.80:1-1024\"]\nany_udp = [\"192.0.2.80:1-1024\"]").is_ok());
    }
}
