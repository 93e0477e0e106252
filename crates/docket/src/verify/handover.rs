//! From a look to custody: what was seen of a name, as the watch compares it with what stood before.
//!
//! Only what was heard counts. A server that said nothing is told as silent where others spoke, and where nobody spoke the
//! whole part is left out: silence is no change.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use domain::base::iana::Rcode;
use model::DomainName;
use model::observation::{Heard, Observation, ParentAnswer, Registration};

use super::message::Host;
use super::rdap::{self, Registrar};
use super::seen::{Delegation, ParentSeen, RdapSeen, Resolved, Seen};

/// How the reason of a server that sent nothing begins.
pub const SILENT: &str = "no answer";
/// How the reason of one begins that was not asked, because it had sent nothing so often.
pub const SILENT_BEFORE: &str = "silent to the last";

pub fn observation(name: &DomainName, seen: &Seen) -> Observation {
    let is_answer = |said: &&Resolved| matches!(said.rcode, Rcode::NOERROR | Rcode::NXDOMAIN);
    let resolved = || seen.resolvers.iter().filter_map(|one| one.said.as_ref().ok()).filter(is_answer);
    Observation {
        name: name.clone(),
        at: seen.at,
        parents: parents(&seen.parents),
        child: seen.child.clone(),
        registration: registration(&seen.rdap),
        addresses: resolved().flat_map(|said| said.addresses.iter().copied()).collect(),
        addresses_in_part: resolved().count() < seen.resolvers.len(),
    }
}

//----------- Parents ----------------------------------------------------------------------------------------------

/// One entry for each server and address; UDP and TCP share it unless they say different things.
fn parents(seen: &[ParentSeen]) -> Vec<ParentAnswer> {
    let mut places: BTreeMap<(&str, IpAddr), Vec<&ParentSeen>> = BTreeMap::new();
    for parent in seen {
        places.entry((&parent.place.server, parent.place.address)).or_default().push(parent);
    }
    let mut answers = Vec::new();
    for ((server, address), said) in places {
        let Ok(server) = DomainName::parse(server) else { continue };
        let bare = |heard| ParentAnswer {
            server: server.clone(),
            address: Some(address).filter(|address| !address.is_unspecified()),
            heard,
            ns: BTreeSet::new(),
            glue: BTreeMap::new(),
            ds: BTreeSet::new(),
        };
        let mut heard: Vec<ParentAnswer> = Vec::new();
        for found in said.iter().filter_map(|parent| parent.said.as_ref().ok()) {
            let answer = with(bare(Heard::Absent), found);
            if !heard.contains(&answer) {
                heard.push(answer);
            }
        }
        if heard.is_empty() {
            let is_silence = |why: &String| why.starts_with(SILENT) || why.starts_with(SILENT_BEFORE);
            let is_silent = said.iter().all(|parent| parent.said.as_ref().is_err_and(is_silence));
            heard.push(bare(if is_silent { Heard::Silent } else { Heard::Broken }));
        }
        answers.extend(heard);
    }
    let is_any_heard = answers.iter().any(|answer| matches!(answer.heard, Heard::Delegated | Heard::Absent));
    if is_any_heard { answers } else { Vec::new() }
}

fn with(mut answer: ParentAnswer, found: &Delegation) -> ParentAnswer {
    if !found.servers.is_empty() {
        answer.heard = Heard::Delegated;
        answer.ns = found.servers.iter().filter_map(named).collect();
        let glue = found.glue.iter().filter(|(_, addresses)| !addresses.is_empty());
        answer.glue = glue.filter_map(|(server, addresses)| Some((named(server)?, addresses.clone()))).collect();
    }
    answer.ds.clone_from(&found.ds);
    answer
}

/// A server's name; `None` where no name of ours is written like that.
pub fn named(host: &Host) -> Option<DomainName> {
    DomainName::parse(&host.to_string()).ok()
}

//----------- Registry ---------------------------------------------------------------------------------------------

fn registration(seen: &RdapSeen) -> Option<Registration> {
    match seen {
        RdapSeen::Known { found, .. } => Some(registered(found)),
        RdapSeen::Unknown { .. } => Some(Registration {
            registered: false,
            registrar: None,
            statuses: BTreeSet::new(),
            created: None,
            expires: None,
        }),
        RdapSeen::Trouble(_) => None,
    }
}

fn registered(found: &rdap::Registration) -> Registration {
    let told = |Registrar { name, number }: &Registrar| number.clone().or_else(|| name.clone());
    Registration {
        registered: true,
        registrar: found.registrar.as_ref().and_then(told),
        statuses: found.statuses.clone(),
        created: found.registered,
        expires: found.expires,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::seen::{Place, Transport};
    use model::Timestamp;

    fn host(text: &str) -> Host {
        text.parse().unwrap()
    }

    fn parent(server: &str, transport: Transport, said: Result<&str, &str>) -> ParentSeen {
        let place = Place { server: server.to_owned(), address: [127, 0, 0, 1].into(), transport };
        let delegation = |to: &str| Delegation { servers: [host(to)].into(), ..Delegation::default() };
        ParentSeen { place, said: said.map(delegation).map_err(str::to_owned) }
    }

    fn seen(parents: Vec<ParentSeen>, rdap: RdapSeen) -> Seen {
        Seen {
            at: Timestamp::UNIX_EPOCH,
            zone: Ok(host("alfa")),
            parents,
            child: None,
            addresses: BTreeMap::new(),
            ours: Vec::new(),
            resolvers: Vec::new(),
            rdap,
            http: None,
            https: None,
        }
    }

    fn told(parents: Vec<ParentSeen>) -> Observation {
        observation(&DomainName::parse("seized.alfa").unwrap(), &seen(parents, RdapSeen::Trouble("away".into())))
    }

    #[test]
    fn silence_is_left_out_and_never_a_change() {
        let (udp, tcp) = (Transport::Udp, Transport::Tcp);
        let silent = Err("no answer in 2 tries of 2s");
        let nobody = told(vec![parent("a.nic.alfa", udp, silent), parent("b.nic.alfa", udp, Err("REFUSED to NS"))]);
        assert_eq!((nobody.parents.len(), nobody.registration), (0, None));
        let one = told(vec![
            parent("a.nic.alfa", udp, Ok("ns1.sink.alfa")),
            parent("a.nic.alfa", tcp, silent),
            parent("b.nic.alfa", udp, silent),
            parent("b.nic.alfa", tcp, Err("silent to the last 6 questions: left alone for a while")),
            parent("c.nic.alfa", udp, Err("REFUSED to NS")),
        ]);
        let heard: Vec<(&str, Heard)> = one.parents.iter().map(|one| (one.server.as_str(), one.heard)).collect();
        let wanted = [("a.nic.alfa", Heard::Delegated), ("b.nic.alfa", Heard::Silent), ("c.nic.alfa", Heard::Broken)];
        assert_eq!(heard, wanted);
    }

    #[test]
    fn a_server_that_says_two_things_says_both() {
        let two = told(vec![
            parent("a.nic.alfa", Transport::Udp, Ok("ns1.sink.alfa")),
            parent("a.nic.alfa", Transport::Tcp, Ok("ns1.other.alfa")),
        ]);
        assert_eq!(two.parents.len(), 2);
    }

    #[test]
    fn a_resolver_that_gave_no_answer_leaves_the_addresses_in_part() {
        use crate::verify::seen::ResolverSeen;
        let resolver = |said| ResolverSeen { resolver: "127.0.0.1:53".into(), said };
        let said = |rcode, addresses: &[&str]| {
            let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
            Ok(Resolved { rcode, addresses, reason: None })
        };
        let mut seen = seen(Vec::new(), RdapSeen::Trouble("away".into()));
        for (second, in_part) in [
            (said(Rcode::NOERROR, &["127.0.0.9"]), false),
            (said(Rcode::NXDOMAIN, &[]), false),
            (said(Rcode::SERVFAIL, &[]), true),
            (Err("no answer in 2 tries of 2s".to_owned()), true),
        ] {
            seen.resolvers = vec![resolver(said(Rcode::NOERROR, &["127.0.0.9"])), resolver(second)];
            let told = observation(&DomainName::parse("seized.alfa").unwrap(), &seen);
            assert_eq!((told.addresses.len(), told.addresses_in_part), (1, in_part));
        }
    }

    #[test]
    fn that_a_registry_knows_no_name_is_seen_and_that_it_did_not_answer_is_not() {
        let name = DomainName::parse("seized.alfa").unwrap();
        let unknown = RdapSeen::Unknown { server: "http://rdap.alfa".into() };
        let found = observation(&name, &seen(Vec::new(), unknown)).registration.unwrap();
        assert!(!found.registered);
    }
}
