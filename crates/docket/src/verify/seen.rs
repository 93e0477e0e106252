//! What the world said about one name, as it was said: observations, before anybody judges them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use domain::base::iana::Rcode;
use model::observation::ChildAnswer;
use model::{DomainName, Timestamp};

use super::message::{Content, Host, Record, Reply};
use super::rdap::Registration;
use super::walk::{Heard, glue, hear, name_server};

/// All of one look at one name.
#[derive(Clone, Debug)]
pub struct Seen {
    pub at: Timestamp,
    /// The zone above, and why it was not found.
    pub zone: Result<Host, String>,
    pub parents: Vec<ParentSeen>,
    /// What the servers say that it is delegated to; `None`: they were not asked, or not heard.
    pub child: Option<ChildAnswer>,
    /// The addresses of our name servers, as the operator says or the world does.
    pub addresses: BTreeMap<DomainName, Result<BTreeSet<IpAddr>, String>>,
    pub ours: Vec<OursSeen>,
    pub resolvers: Vec<ResolverSeen>,
    pub rdap: RdapSeen,
    pub http: Option<WebSeen>,
    pub https: Option<WebSeen>,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Transport {
    Udp,
    Tcp,
}

/// A server, and the way to it: `a.nic.example at 192.0.2.1 over TCP`.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Place {
    pub server: String,
    pub address: IpAddr,
    pub transport: Transport,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match self.transport {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
        };
        write!(f, "{} at {} over {way}", self.server, self.address)
    }
}

/// Why somebody was not heard.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Unheard {
    /// Nothing came, or nothing that counts.
    Theirs(String),
    /// A limit of ours ended it: that says nothing about them.
    Ours(String),
}

impl Unheard {
    pub fn why(&self) -> &str {
        match self {
            Self::Theirs(why) | Self::Ours(why) => why,
        }
    }

    /// The same with what was tried before.
    pub fn after(self, before: &str) -> Self {
        match self {
            Self::Theirs(why) => Self::Theirs(format!("{before}{why}")),
            Self::Ours(why) => Self::Ours(format!("{before}{why}")),
        }
    }
}

impl From<Unheard> for String {
    fn from(unheard: Unheard) -> Self {
        match unheard {
            Unheard::Theirs(why) | Unheard::Ours(why) => why,
        }
    }
}

/// What a server said wrong is its own doing.
impl From<String> for Unheard {
    fn from(why: String) -> Self {
        Self::Theirs(why)
    }
}

impl From<&str> for Unheard {
    fn from(why: &str) -> Self {
        Self::Theirs(why.to_owned())
    }
}

/// What one server of the zone above said.
#[derive(Clone, Debug)]
pub struct ParentSeen {
    pub place: Place,
    pub said: Result<Delegation, String>,
}

/// A delegation, or that there is none.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Delegation {
    /// Where there is none: whether the name is unknown altogether.
    pub absent: bool,
    pub servers: BTreeSet<Host>,
    pub ttl_secs: u32,
    pub glue: BTreeMap<Host, BTreeSet<IpAddr>>,
    /// Key tag, algorithm, digest type.
    pub signed: Vec<(u16, u8, u8)>,
    pub signed_ttl_secs: u32,
    /// The same in presentation form, with the digest.
    pub ds: BTreeSet<String>,
}

fn in_hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}

impl Delegation {
    /// Out of what a server of `zone` answered to NS and DS.
    pub fn read(zone: &Host, name: &Host, ns: &Reply, ds: &Reply) -> Result<Self, String> {
        let mut delegation = match hear(ns, zone, name) {
            Heard::Referral(found) if found.apex == *name => Self::of(&ns.authority, name, ns),
            Heard::Referral(found) => return Err(format!("it delegates {} as a whole", found.apex)),
            // A server of both zones answers for the lower one.
            Heard::Answer => Self::of(&ns.answers, name, ns),
            Heard::Nothing => Self::default(),
            Heard::Absent => Self { absent: true, ..Self::default() },
            Heard::Lame(why) => return Err(format!("to NS: {why}")),
        };
        match ds.rcode {
            Rcode::NOERROR if ds.authoritative => delegation.take_signatures(ds, name),
            Rcode::NXDOMAIN if ds.authoritative && delegation.servers.is_empty() => {}
            other => return Err(format!("to DS: {other}{}", if ds.authoritative { "" } else { " without authority" })),
        }
        Ok(delegation)
    }

    fn of(records: &[Record], name: &Host, reply: &Reply) -> Self {
        let own = records.iter().filter(|record| record.owner == *name && name_server(record).is_some());
        let ttl_secs = own.clone().map(|record| record.ttl_secs).max().unwrap_or_default();
        let servers: BTreeSet<Host> = own.filter_map(name_server).cloned().collect();
        let glue = servers.iter().map(|server| (server.clone(), glue(reply, server).into_iter().collect()));
        Self { glue: glue.collect(), servers, ttl_secs, ..Self::default() }
    }

    fn take_signatures(&mut self, ds: &Reply, name: &Host) {
        for record in ds.answers.iter().filter(|record| record.owner == *name) {
            if let Content::Signed(tag, algorithm, digest_type, digest) = &record.content {
                self.signed.push((*tag, *algorithm, *digest_type));
                self.ds.insert(format!("{tag} {algorithm} {digest_type} {}", in_hex(digest)));
                self.signed_ttl_secs = record.ttl_secs;
            }
        }
    }
}

/// What one of our servers said.
#[derive(Clone, Debug)]
pub struct OursSeen {
    pub place: Place,
    /// The addresses that it answers with.
    pub said: Result<Vec<IpAddr>, Unheard>,
}

/// Out of what a server of ours answered to SOA, A and AAAA.
pub fn answered(name: &Host, soa: &Reply, a: &Reply, aaaa: &Reply) -> Result<Vec<IpAddr>, String> {
    for (what, reply) in [("SOA", soa), ("A", a), ("AAAA", aaaa)] {
        if reply.rcode != Rcode::NOERROR {
            return Err(format!("{} to {what}", reply.rcode));
        }
        if !reply.authoritative {
            return Err(format!("no authority in its answer to {what}"));
        }
    }
    let is_apex = |record: &Record| record.owner == *name && record.content == Content::Start;
    if !soa.answers.iter().any(is_apex) {
        return Err("no SOA of the name: it serves no such zone".into());
    }
    let mut all = a.addresses(name);
    all.extend(aaaa.addresses(name));
    Ok(all)
}

/// What one resolver said.
#[derive(Clone, Debug)]
pub struct ResolverSeen {
    pub resolver: String,
    pub said: Result<Resolved, String>,
}

/// To A and AAAA together; the first of them that was no success counts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resolved {
    pub rcode: Rcode,
    pub addresses: Vec<IpAddr>,
    pub reason: Option<u16>,
}

/// What RDAP said.
#[derive(Clone, Debug)]
pub enum RdapSeen {
    Known {
        server: String,
        found: Box<Registration>,
    },
    /// 404: the server knows no such name.
    Unknown {
        server: String,
    },
    /// Nobody could be asked, or nobody answered.
    Trouble(String),
}

/// What the trap said.
#[derive(Clone, Debug)]
pub struct WebSeen {
    pub address: String,
    /// What was answered, or why nothing was.
    pub said: Result<WebAnswer, Unheard>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WebAnswer {
    pub status: u16,
    /// It holds the key of our traps.
    pub is_ours: bool,
    /// What it calls itself, if it does.
    pub server: Option<String>,
}
