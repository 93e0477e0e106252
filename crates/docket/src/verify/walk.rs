//! Finding who serves a zone, from the root down: what one reply means on the way.
//!
//! Each referral that is believed leads strictly further down towards the name, so that a walk has at most as many steps
//! as the name has labels: servers that refer upward, sideways or in circles are lame, and the walk asks another one.

use std::net::IpAddr;

use domain::base::iana::Rcode;
use domain::base::name::ToName;

use super::message::{Content, Host, Record, Reply};

/// The most servers of one zone that are asked. The root has 13, and no registry more.
pub const SERVERS_PER_ZONE_MAX: usize = 32;
/// The most addresses of one server that are asked.
pub const ADDRESSES_PER_SERVER_MAX: usize = 8;
/// How deep the search for a server's own address may lead to servers without addresses.
pub const DEPTH_MAX: usize = 6;

/// Who serves a zone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ZoneServers {
    pub apex: Host,
    pub servers: Vec<Server>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Server {
    pub name: Host,
    /// None: they are to be found.
    pub addresses: Vec<IpAddr>,
}

/// What a server of `zone` said about a name in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Heard {
    /// Others know more.
    Referral(ZoneServers),
    /// With authority: there is such a record.
    Answer,
    /// With authority: there is the name, or something below it, and no such record.
    Nothing,
    /// With authority: there is no such name.
    Absent,
    /// It is no server of that zone, whatever was said of it.
    Lame(String),
}

/// Reads a reply of a server of `zone` to a question about `name`.
pub fn hear(reply: &Reply, zone: &Host, name: &Host) -> Heard {
    // RFC 6604 section 3: behind an alias the response code speaks of where the alias leads, and not of the name.
    if reply.authoritative && reply.answers.iter().any(|record| record.owner == *name) {
        return Heard::Answer;
    }
    match reply.rcode {
        Rcode::NXDOMAIN if reply.authoritative => return Heard::Absent,
        Rcode::NOERROR => {}
        other => return Heard::Lame(format!("{other}{}", if reply.authoritative { "" } else { " without authority" })),
    }
    if reply.authoritative && !reply.answers.is_empty() {
        return Heard::Answer;
    }
    match cut(reply, zone, name) {
        Some(apex) => Heard::Referral(ZoneServers { servers: servers(reply, &apex), apex }),
        None if reply.authoritative => Heard::Nothing,
        None => Heard::Lame("an answer without authority, and no referral further down".into()),
    }
}

/// The zone cut that a referral speaks of, if it leads from `zone` towards `name`.
fn cut(reply: &Reply, zone: &Host, name: &Host) -> Option<Host> {
    let owners = reply.authority.iter().filter(|record| matches!(record.content, Content::NameServer(_)));
    let leads_down = |owner: &&Host| *owner != zone && owner.ends_with(zone) && name.ends_with(*owner);
    owners.map(|record| &record.owner).find(leads_down).cloned()
}

fn servers(reply: &Reply, apex: &Host) -> Vec<Server> {
    let named = reply.authority.iter().filter(|record| record.owner == *apex);
    let mut servers: Vec<Server> = Vec::new();
    for name in named.filter_map(name_server) {
        if servers.len() < SERVERS_PER_ZONE_MAX && !servers.iter().any(|server| server.name == *name) {
            servers.push(Server { name: name.clone(), addresses: glue(reply, name) });
        }
    }
    servers
}

/// The server that an NS record names.
pub fn name_server(record: &Record) -> Option<&Host> {
    match &record.content {
        Content::NameServer(name) => Some(name),
        _ => None,
    }
}

/// The addresses that a referral brings along.
pub fn glue(reply: &Reply, server: &Host) -> Vec<IpAddr> {
    let address = |record: &Record| match record.content {
        Content::Address(address) if record.owner == *server => Some(address),
        _ => None,
    };
    reply.additional.iter().filter_map(address).take(ADDRESSES_PER_SERVER_MAX).collect()
}

/// The name above; `None` above the root.
pub fn above(name: &Host) -> Option<Host> {
    name.parent().map(|parent| parent.to_vec())
}

//----------- Root hints -------------------------------------------------------------------------------------------

/// The most octets of a file of root hints; IANA's has 3 kB.
pub const HINTS_OCTETS_MAX: usize = 64 << 10;

/// Reads root hints: IANA's `named.root`, or lines of `NAME A|AAAA ADDRESS`, as its own lines end.
pub fn hints(text: &str) -> Result<ZoneServers, String> {
    if text.len() > HINTS_OCTETS_MAX {
        return Err(format!("the root hints have more than {HINTS_OCTETS_MAX} octets"));
    }
    let mut servers: Vec<Server> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split(';').next().unwrap_or_default().split_whitespace().collect();
        let [name, .., rtype, value] = words[..] else { continue };
        if !matches!(rtype.to_ascii_uppercase().as_str(), "A" | "AAAA") {
            continue;
        }
        let place = |what: &str| format!("line {}: `{line}`: {what}", number + 1);
        let name: Host = name.parse().map_err(|_| place("no name"))?;
        let address: IpAddr = value.parse().map_err(|_| place("no address"))?;
        match servers.iter_mut().find(|server| server.name == name) {
            Some(server) => server.addresses.push(address),
            None => servers.push(Server { name, addresses: vec![address] }),
        }
    }
    servers.truncate(SERVERS_PER_ZONE_MAX);
    if servers.is_empty() {
        return Err("the root hints name no server with an address".into());
    }
    Ok(ZoneServers { apex: Host::root_vec(), servers })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Host {
        text.parse().unwrap()
    }

    fn reply(rcode: Rcode, authoritative: bool, authority: &[(&str, &str)]) -> Reply {
        let record = |(owner, server): &(&str, &str)| Record {
            owner: name(owner),
            ttl_secs: 60,
            content: Content::NameServer(name(server)),
        };
        Reply {
            rcode,
            authoritative,
            truncated: false,
            answers: Vec::new(),
            authority: authority.iter().map(record).collect(),
            additional: Vec::new(),
            reason: None,
        }
    }

    #[test]
    fn only_a_referral_further_down_is_believed() {
        let (zone, asked) = (name("alfa"), name("www.seized.alfa"));
        let lame = |authority: &[(&str, &str)]| {
            matches!(hear(&reply(Rcode::NOERROR, false, authority), &zone, &asked), Heard::Lame(_))
        };
        assert!(lame(&[(".", "a.root")]), "upward");
        assert!(lame(&[("alfa", "a.nic.alfa")]), "to itself, for ever");
        assert!(lame(&[("bravo", "a.nic.bravo")]), "sideways");
        assert!(lame(&[("other.alfa", "ns.other.alfa")]), "to a cousin");
        assert!(lame(&[]));
        let down = hear(&reply(Rcode::NOERROR, false, &[("seized.alfa", "ns1.sink.alfa")]), &zone, &asked);
        let Heard::Referral(found) = down else { panic!("{down:?}") };
        assert_eq!((found.apex, found.servers[0].name.clone()), (name("seized.alfa"), name("ns1.sink.alfa")));
    }

    #[test]
    fn a_denial_counts_only_with_authority() {
        let (zone, asked) = (name("alfa"), name("seized.alfa"));
        assert_eq!(hear(&reply(Rcode::NXDOMAIN, true, &[]), &zone, &asked), Heard::Absent);
        assert_eq!(hear(&reply(Rcode::NOERROR, true, &[("alfa", "a.nic.alfa")]), &zone, &asked), Heard::Nothing);
        for rcode in [Rcode::NXDOMAIN, Rcode::REFUSED, Rcode::SERVFAIL] {
            assert!(matches!(hear(&reply(rcode, false, &[]), &zone, &asked), Heard::Lame(_)));
        }
    }

    #[test]
    fn an_alias_to_nowhere_is_no_absence() {
        let (zone, asked) = (name("alfa"), name("seized.alfa"));
        let owned = |owner: &str, authoritative| {
            let alias = Record { owner: name(owner), ttl_secs: 60, content: Content::Alias(name("gone.alfa")) };
            Reply { answers: vec![alias], ..reply(Rcode::NXDOMAIN, authoritative, &[]) }
        };
        assert_eq!(hear(&owned("seized.alfa", true), &zone, &asked), Heard::Answer);
        assert_eq!(hear(&owned("other.alfa", true), &zone, &asked), Heard::Absent);
        assert!(matches!(hear(&owned("seized.alfa", false), &zone, &asked), Heard::Lame(_)));
    }

    #[test]
    fn a_referral_to_more_servers_than_a_zone_has_is_cut() {
        let names: Vec<String> = (0..100).map(|at| format!("ns{at}.alfa")).collect();
        let authority: Vec<(&str, &str)> = names.iter().map(|name| ("seized.alfa", name.as_str())).collect();
        let heard = hear(&reply(Rcode::NOERROR, false, &authority), &name("alfa"), &name("seized.alfa"));
        assert!(matches!(heard, Heard::Referral(found) if found.servers.len() == SERVERS_PER_ZONE_MAX));
    }

    #[test]
    fn hints_are_read_as_iana_writes_them_and_as_a_list() {
        let text = "; comment\n.  3600000  NS  A.ROOT.TEST.\nA.ROOT.TEST. 3600000 A 192.0.2.1\n\
                    A.ROOT.TEST. 3600000 AAAA 2001:db8::1\n";
        let found = hints(text).unwrap();
        assert_eq!(found.servers.len(), 1);
        assert_eq!(found.servers[0].addresses.len(), 2);
        assert_eq!(hints("a.root A 127.0.0.1").unwrap().servers.len(), 1);
        assert!(hints("a.root A nonsense").unwrap_err().contains("line 1"));
        assert!(hints("").is_err());
    }
}
