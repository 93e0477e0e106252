use std::collections::{BTreeMap, BTreeSet};

use domain::base::iana::Rcode;
use model::check::{Check, Standing, Verdict};
use model::order::{NameOutcome, Registration as Ordered};
use model::{DomainName, Timestamp};

use super::*;
use crate::verify::rdap::{Registrar, Registration};
use crate::verify::seen::*;

fn at() -> Timestamp {
    "2019-04-01T12:00:00Z".parse().unwrap()
}

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn target(outcome: NameOutcome) -> Target {
    Target {
        name: name("seized.alfa"),
        outcome,
        name_servers: vec![name("ns1.sink.alfa"), name("ns2.sink.alfa")],
        registration: Ordered::default(),
        issued: "2019-03-15".parse().ok(),
        returned: false,
        also_ours: [name("ns3.sink.alfa")].into(),
        answers: Some(["127.0.0.9".parse().unwrap()].into()),
    }
}

fn place(address: &str, transport: Transport) -> Place {
    Place { server: "a.nic.alfa".into(), address: address.parse().unwrap(), transport }
}

fn ours() -> Delegation {
    let servers: BTreeSet<_> = target(NameOutcome::Redirect).ordered();
    let glue = [("ns1.sink.alfa", "127.0.0.1"), ("ns2.sink.alfa", "127.0.0.2")];
    let glue = glue.map(|(server, address)| (host(&name(server)), [address.parse().unwrap()].into()));
    Delegation { servers, ttl_secs: 3_600, glue: glue.into(), ..Delegation::default() }
}

fn theirs() -> Delegation {
    Delegation { servers: ["ns1.evil.bravo".parse().unwrap()].into(), ttl_secs: 7_200, ..Delegation::default() }
}

/// All is well.
fn seen() -> Seen {
    let parent = |address, transport| ParentSeen { place: place(address, transport), said: Ok(ours()) };
    let our =
        |transport| OursSeen { place: place("127.0.0.1", transport), said: Ok(vec!["127.0.0.9".parse().unwrap()]) };
    let resolved = || Resolved { rcode: Rcode::NOERROR, addresses: vec!["127.0.0.9".parse().unwrap()], reason: None };
    let addresses = [("ns1.sink.alfa", "127.0.0.1"), ("ns2.sink.alfa", "127.0.0.2")];
    let addresses = addresses.map(|(server, address)| (name(server), Ok([address.parse().unwrap()].into())));
    let locks = ["server transfer prohibited", "server update prohibited", "server delete prohibited"];
    let found = Registration {
        statuses: locks.map(str::to_owned).into(),
        registrar: Some(Registrar { name: Some("Keeper".into()), number: Some("9999".into()) }),
        registered: "2018-01-01T00:00:00Z".parse().ok(),
        expires: "2020-01-01T00:00:00Z".parse().ok(),
        ..Registration::default()
    };
    let trap = WebAnswer { status: 200, is_ours: true, server: None };
    let web = || Some(WebSeen { address: "127.0.0.9:80".into(), said: Ok(trap.clone()) });
    Seen {
        at: at(),
        zone: Ok("alfa".parse().unwrap()),
        parents: vec![
            parent("127.0.1.1", Transport::Udp),
            parent("127.0.1.1", Transport::Tcp),
            parent("127.0.1.2", Transport::Udp),
            parent("127.0.1.2", Transport::Tcp),
        ],
        child: None,
        addresses: addresses.into(),
        ours: vec![our(Transport::Udp), our(Transport::Tcp)],
        resolvers: ["r1", "r2"].map(|resolver| ResolverSeen { resolver: resolver.into(), said: Ok(resolved()) }).into(),
        rdap: RdapSeen::Known { server: "rdap".into(), found: Box::new(found) },
        http: web(),
        https: web(),
    }
}

fn long_ago() -> Memory {
    Memory { changed: "2019-03-01T00:00:00Z".parse().ok(), ..Memory::default() }
}

/// The findings of one spoiled look, by check.
fn after(outcome: NameOutcome, spoil: impl FnOnce(&mut Seen)) -> BTreeMap<Check, model::check::Finding> {
    let mut seen = seen();
    spoil(&mut seen);
    let target = target(outcome);
    let memory = long_ago().with(&target, &seen);
    judge(&target, &seen, memory).into_iter().map(|finding| (finding.check, finding)).collect()
}

fn spoiled(spoil: impl FnOnce(&mut Seen)) -> BTreeMap<Check, model::check::Finding> {
    after(NameOutcome::Redirect, spoil)
}

fn known(seen: &mut Seen) -> &mut Registration {
    let RdapSeen::Known { found, .. } = &mut seen.rdap else { unreachable!("as made above") };
    found
}

#[test]
fn a_complete_seizure_is_verified() {
    let findings: Vec<_> = spoiled(|_| ()).into_values().collect();
    assert_eq!(Standing::of(NameOutcome::Redirect, &findings), Standing::Verified, "{findings:#?}");
}

/// Each fault of the world, the check that has to fail, and what its evidence has to name.
#[test]
fn every_fault_fails_its_check_and_is_named() {
    type Spoil = fn(&mut Seen);
    let table: [(Spoil, Check, &str); 21] = [
        (
            |seen| seen.parents[3].said = Ok(theirs()),
            Check::ParentDelegation,
            "ns1.evil.bravo: a.nic.alfa at 127.0.1.2 over TCP",
        ),
        (
            |seen| seen.parents[0].said = Ok(Delegation { absent: true, ..Delegation::default() }),
            Check::ParentDelegation,
            "NXDOMAIN",
        ),
        (
            |seen| drop(seen.parents[0].said.as_mut().unwrap().servers.pop_first()),
            Check::ParentDelegation,
            "delegated to our ns2.sink.alfa, but the order says ns1.sink.alfa ns2.sink.alfa",
        ),
        (
            |seen| {
                let right = host(&name("ns1.sink.alfa"));
                seen.parents[1].said.as_mut().unwrap().glue.insert(right, ["127.0.0.66".parse().unwrap()].into());
            },
            Check::Glue,
            "glue of ns1.sink.alfa is 127.0.0.66, not 127.0.0.1",
        ),
        (
            |seen| seen.parents[2].said.as_mut().unwrap().signed = vec![(12_345, 13, 2)],
            Check::NoDs,
            "DS 12345 13 2 left",
        ),
        (|seen| seen.ours[1].said = Err("REFUSED to SOA".into()), Check::OurAnswer, "REFUSED to SOA"),
        (
            |seen| seen.ours[1].said = Ok(vec!["127.0.0.8".parse().unwrap()]),
            Check::OurAnswer,
            "answers 127.0.0.8, not 127.0.0.9: a.nic.alfa at 127.0.0.1 over TCP",
        ),
        (
            |seen| seen.ours[0].said = Ok(["127.0.0.9", "::1"].map(|address| address.parse().unwrap()).into()),
            Check::OurAnswer,
            "answers 127.0.0.9 ::1, not 127.0.0.9: a.nic.alfa at 127.0.0.1 over UDP",
        ),
        (
            |seen| seen.ours.iter_mut().for_each(|ours| ours.said = Ok(Vec::new())),
            Check::OurAnswer,
            "answers no address, not 127.0.0.9",
        ),
        (
            |seen| seen.resolvers[1].said.as_mut().unwrap().addresses = vec!["127.0.0.8".parse().unwrap()],
            Check::Resolvers,
            "answers 127.0.0.8, not 127.0.0.9: r2",
        ),
        (
            |seen| seen.parents[3].said.as_mut().unwrap().servers = ["ns3.sink.alfa".parse().unwrap()].into(),
            Check::ParentDelegation,
            "delegated to our ns3.sink.alfa, but the order says ns1.sink.alfa ns2.sink.alfa: a.nic.alfa at 127.0.1.2",
        ),
        (
            |seen| seen.addresses.values_mut().for_each(|found| *found = Ok(BTreeSet::new())),
            Check::OurAnswer,
            "has no address",
        ),
        (
            |seen| {
                let servfail = Resolved { rcode: Rcode::SERVFAIL, addresses: Vec::new(), reason: Some(9) };
                seen.resolvers[0].said = Ok(servfail);
            },
            Check::Resolvers,
            "SERVFAIL (EDE 9): r1",
        ),
        (
            |seen| seen.resolvers[1].said.as_mut().unwrap().addresses.clear(),
            Check::Resolvers,
            "answers no address, not 127.0.0.9: r2",
        ),
        (
            |seen| known(seen).registered = "2019-03-20T00:00:00Z".parse().ok(),
            Check::RdapRegistrar,
            "registered anew on 2019-03-20",
        ),
        (|seen| known(seen).statuses.extend(["client hold".into()]), Check::RdapStatus, "it is in client hold"),
        (|seen| known(seen).statuses.extend(["redemption period".into()]), Check::RdapStatus, "redemption period"),
        (|seen| known(seen).expires = "2019-04-06T00:00:00Z".parse().ok(), Check::RdapStatus, "lapsing"),
        (|seen| seen.rdap = RdapSeen::Unknown { server: "rdap".into() }, Check::RdapStatus, "404"),
        (
            |seen| seen.http.as_mut().unwrap().said = Err("connection refused".into()),
            Check::Http,
            "connection refused: 127.0.0.9:80",
        ),
        (|seen| seen.https.as_mut().unwrap().said = Err("timed out".into()), Check::Https, "timed out"),
    ];
    for (spoil, check, evidence) in table {
        let findings = spoiled(spoil);
        let finding = &findings[&check];
        assert_eq!(finding.verdict, Verdict::Fails, "{check}: {finding:?}");
        assert!(finding.evidence.contains(evidence), "{check}: {}", finding.evidence);
        let all: Vec<_> = findings.into_values().collect();
        assert_eq!(Standing::of(NameOutcome::Redirect, &all), Standing::Fails);
    }
}

/// Whoever is not heard agrees to nothing.
#[test]
fn silence_leaves_a_check_undecided() {
    type Spoil = fn(&mut Seen);
    let table: [(Spoil, &[Check]); 10] = [
        (|seen| seen.parents[3].said = Err("timed out".into()), &[Check::ParentDelegation, Check::Glue, Check::NoDs]),
        (|seen| seen.parents.clear(), &[Check::ParentDelegation, Check::Glue, Check::NoDs, Check::OldTtl]),
        (|seen| seen.zone = Err("no root answered".into()), &[Check::ParentDelegation, Check::OldTtl]),
        (|seen| drop(seen.resolvers.pop()), &[Check::Resolvers]),
        (|seen| seen.resolvers[0].said = Err("timed out".into()), &[Check::Resolvers]),
        // Limits of ours say nothing about others.
        (|seen| seen.ours[1].said = Err(Unheard::Ours("left alone for a while".into())), &[Check::OurAnswer]),
        (
            |seen| {
                let limit = || Err(Unheard::Ours("Too many open files".into()));
                seen.http.iter_mut().chain(&mut seen.https).for_each(|web| web.said = limit());
            },
            &[Check::Http, Check::Https],
        ),
        (|seen| seen.resolvers[1].said = Err(Unheard::Ours("more than 512".into()).into()), &[Check::Resolvers]),
        (
            |seen| seen.rdap = RdapSeen::Trouble("no server for .alfa".into()),
            &[Check::RdapRegistrar, Check::RdapStatus],
        ),
        (|seen| (seen.http, seen.https) = (None, None), &[Check::Http, Check::Https]),
    ];
    for (spoil, checks) in table {
        let findings = spoiled(spoil);
        for check in checks {
            assert_eq!(findings[check].verdict, Verdict::NotObservable, "{check}: {:?}", findings[check]);
        }
    }
}

/// Where nobody has said what to answer, agreement alone is no proof, and disagreement is one.
#[test]
fn what_nobody_has_said_is_not_taken_from_the_answer_itself() {
    let unsaid = Target { answers: None, ..target(NameOutcome::Redirect) };
    let mut seen = seen();
    let finding = |seen: &Seen, check: Check| {
        judge(&unsaid, seen, Memory::default()).into_iter().find(|finding| finding.check == check).unwrap()
    };
    let alone = finding(&seen, Check::OurAnswer);
    assert!(alone.verdict == Verdict::NotObservable && alone.evidence.contains("nobody has said"), "{alone:?}");
    assert_eq!(finding(&seen, Check::Resolvers).verdict, Verdict::Holds, "they agree with our servers");
    seen.ours[1].said = Ok(vec!["127.0.0.8".parse().unwrap()]);
    let apart = finding(&seen, Check::OurAnswer);
    assert!(apart.verdict == Verdict::Fails && apart.evidence.contains("do not agree"), "{apart:?}");
    assert_eq!(finding(&seen, Check::Resolvers).verdict, Verdict::NotObservable);
}

/// Parents that lead to ours, to others of ours, to strangers as well: what the delegation is then, and whose.
#[test]
fn another_host_of_ours_than_ordered_is_ours_and_not_as_ordered() {
    let table: [(&[&str], Verdict, bool, bool, &str); 5] = [
        (&["ns1.sink.alfa", "ns2.sink.alfa"], Verdict::Holds, false, false, "delegated to"),
        (&["ns3.sink.alfa"], Verdict::Fails, true, true, "delegated to our ns3.sink.alfa, but the order says ns1."),
        (
            &["ns1.sink.alfa", "ns3.sink.alfa"],
            Verdict::Fails,
            true,
            true,
            "delegated to our ns1.sink.alfa ns3.sink.alfa,",
        ),
        (&["ns1.evil.bravo", "ns3.sink.alfa"], Verdict::Fails, false, false, "of which ns1.evil.bravo is not ours"),
        (&["ns1.evil.bravo"], Verdict::Fails, false, false, "delegated to ns1.evil.bravo: "),
    ];
    let target = target(NameOutcome::Redirect);
    for (servers, verdict, in_part, is_ours, evidence) in table {
        let servers: BTreeSet<_> = servers.iter().map(|server| server.parse().unwrap()).collect();
        let seen = parents_say(0, &Delegation { servers: servers.clone(), ttl_secs: 3_600, ..Delegation::default() });
        let found = parents::delegation(&target, &seen);
        assert_eq!((found.verdict, found.in_part), (verdict, in_part), "{found:?}");
        assert!(found.evidence.contains(evidence), "{found:?}");
        assert_eq!(is_ours_otherwise(&target, &seen), is_ours, "{servers:?}");
        let long_apart = Memory { ours_until: Some(at()), ..Memory::default() };
        let is_stranger = servers.len() == 1 && !is_ours;
        assert_eq!(is_undelegated(&target, &seen, long_apart.with(&target, &seen)), is_stranger, "{servers:?}");
    }
}

#[test]
fn why_nobody_visited_the_trap_is_told() {
    type Spoil = fn(&mut Seen);
    let table: [(Spoil, &str); 3] = [
        (|seen| seen.http = None, "ran out"),
        (|seen| seen.ours.clear(), "no server of ours was heard"),
        (|seen| seen.ours.iter_mut().for_each(|ours| ours.said = Ok(Vec::new())), "give no address"),
    ];
    for (spoil, evidence) in table {
        let findings = spoiled(|seen| {
            seen.http = None;
            spoil(seen);
        });
        let finding = &findings[&Check::Http];
        assert!(finding.evidence.contains(evidence), "{finding:?}");
    }
}

#[test]
fn one_lagging_server_is_a_seizure_in_part() {
    let findings = spoiled(|seen| seen.parents[3].said = Ok(theirs()));
    assert!(findings[&Check::ParentDelegation].in_part);
    let none = spoiled(|seen| seen.parents.iter_mut().for_each(|parent| parent.said = Ok(theirs())));
    assert!(!none[&Check::ParentDelegation].in_part);
}

#[test]
fn the_old_delegation_is_remembered_until_it_has_run_out() {
    let target = target(NameOutcome::Redirect);
    let mut before = seen();
    before.parents.iter_mut().for_each(|parent| parent.said = Ok(theirs()));
    let memory = Memory::default().with(&target, &before);
    assert_eq!(memory.old_until, "2019-04-01T14:00:00Z".parse().ok(), "two hours from when it was seen");
    let verdict = |memory, minutes: i64| {
        let mut seen = seen();
        seen.at += jiff::SignedDuration::from_mins(minutes);
        parents::old_ttl(&target, &seen, Memory::with(memory, &target, &seen)).verdict
    };
    assert_eq!(parents::old_ttl(&target, &before, memory).verdict, Verdict::Fails);
    assert_eq!(verdict(memory, 30), Verdict::Fails);
    assert_eq!(verdict(memory, 120), Verdict::Holds);
    // Never seen before: the TTL of ours, an hour, stands for it.
    let memory = Memory::default().with(&target, &seen());
    assert_eq!(verdict(memory, 59), Verdict::Fails);
    assert_eq!(verdict(memory, 60), Verdict::Holds);
}

#[test]
fn ordered_statuses_and_registrar_are_compared_and_redaction_is_told_apart() {
    let mut target = target(NameOutcome::Redirect);
    target.registration.statuses = vec!["serverHold".into(), "server transfer prohibited".into()];
    target.registration.registrar = Some("1234".into());
    let mut seen = seen();
    let status = registry::status(&target, &seen);
    assert!(status.verdict == Verdict::Fails && status.evidence.contains("missing: server hold"), "{status:?}");
    let registrar = registry::registrar(&target, &seen);
    assert!(registrar.verdict == Verdict::Fails && registrar.evidence.contains("not 1234"), "{registrar:?}");
    let found = known(&mut seen);
    (found.registrar, found.redacted) = (None, ["Registrar Name".to_owned()].into());
    let registrar = registry::registrar(&target, &seen);
    assert!(registrar.verdict == Verdict::NotObservable && registrar.evidence.contains("redacted"), "{registrar:?}");
    target.registration.registrar = Some("9999".into());
    known(&mut seen).registrar = Some(Registrar { name: None, number: Some("9999".into()) });
    assert_eq!(registry::registrar(&target, &seen).verdict, Verdict::Holds);
}

#[test]
fn ordered_statuses_are_asked_for_beside_those_of_the_outcome() {
    let mut target = target(NameOutcome::Hold);
    target.registration.statuses = vec!["server transfer prohibited".into()];
    let mut seen = seen();
    let status = registry::status(&target, &seen);
    assert!(status.verdict == Verdict::Fails && status.evidence.contains("client hold or server hold"), "{status:?}");
    known(&mut seen).statuses.insert("server hold".into());
    assert_eq!(registry::status(&target, &seen).verdict, Verdict::Holds);
}

#[test]
fn a_registration_is_what_was_ordered_only_with_the_ordered_registrar() {
    use NameOutcome::{BlockRegistration, Redirect, Transfer};
    use Verdict::{Fails, Holds, NotObservable};
    let mut seen = seen();
    let judged = |seen: &Seen, outcome, ordered: Option<&str>| {
        let mut target = target(outcome);
        target.registration.registrar = ordered.map(str::to_owned);
        match outcome {
            NameOutcome::BlockRegistration => registry::not_registrable(&target, seen),
            _ => registry::registrar(&target, seen),
        }
    };
    for (outcome, ordered, verdict, evidence) in [
        (Transfer, Some("9999"), Holds, "Keeper (IANA 9999)"),
        (Transfer, Some("1234"), Fails, "not 1234"),
        (Transfer, None, NotObservable, "the order names no registrar"),
        (Redirect, None, Holds, "the order names none"),
        (BlockRegistration, Some("9999"), Holds, "registered with Keeper (IANA 9999)"),
        (BlockRegistration, Some("1234"), Fails, "registered with Keeper (IANA 9999) on 2018-01-01"),
        (BlockRegistration, None, Fails, "registered with Keeper (IANA 9999) on 2018-01-01"),
    ] {
        let finding = judged(&seen, outcome, ordered);
        assert_eq!(finding.verdict, verdict, "{finding:?}");
        assert!(finding.evidence.contains(evidence), "{finding:?}");
    }
    known(&mut seen).registrar = None;
    assert_eq!(judged(&seen, Redirect, None).verdict, NotObservable);
    assert_eq!(judged(&seen, BlockRegistration, Some("9999")).verdict, Fails);
    known(&mut seen).redacted = ["Registrar Name".to_owned()].into();
    assert_eq!(judged(&seen, BlockRegistration, Some("9999")).verdict, NotObservable);
}

#[test]
fn other_outcomes_are_judged_by_their_own_list() {
    let gone = |seen: &mut Seen| {
        let absent = Delegation { absent: true, ..Delegation::default() };
        seen.parents.iter_mut().for_each(|parent| parent.said = Ok(absent.clone()));
    };
    let standing = |outcome, spoil: &dyn Fn(&mut Seen)| {
        let findings: Vec<_> = after(outcome, |seen| spoil(seen)).into_values().collect();
        Standing::of(outcome, &findings)
    };
    let held = |seen: &mut Seen| {
        gone(seen);
        known(seen).statuses.insert("server hold".into());
    };
    let unknown = |seen: &mut Seen| {
        gone(seen);
        seen.rdap = RdapSeen::Unknown { server: "rdap".into() };
    };
    assert_eq!(standing(NameOutcome::Hold, &held), Standing::Verified);
    assert_eq!(standing(NameOutcome::Hold, &gone), Standing::Fails, "the status is missing");
    assert_eq!(standing(NameOutcome::Hold, &|_| ()), Standing::Fails, "it is delegated");
    assert_eq!(standing(NameOutcome::LockOnly, &|_| ()), Standing::Verified);
    assert_eq!(standing(NameOutcome::LockOnly, &|seen| known(seen).statuses.clear()), Standing::Fails);
    assert_eq!(standing(NameOutcome::Transfer, &|_| ()), Standing::Undecided, "the order names no registrar");
    assert_eq!(standing(NameOutcome::Delete, &unknown), Standing::Verified);
    assert_eq!(standing(NameOutcome::Delete, &gone), Standing::Fails, "it is registered still");
    assert_eq!(standing(NameOutcome::BlockRegistration, &unknown), Standing::Undecided, "a person has to attest");
    assert_eq!(standing(NameOutcome::BlockRegistration, &held), Standing::Fails, "somebody registered it");
    assert_eq!(standing(NameOutcome::ProviderRemoval, &gone), Standing::Verified);
    assert_eq!(standing(NameOutcome::ProviderRemoval, &|_| ()), Standing::Undecided);
}

/// The parents at that minute, all with the same delegation.
fn parents_say(minutes: i64, said: &Delegation) -> Seen {
    let mut seen = seen();
    seen.at += jiff::SignedDuration::from_mins(minutes);
    seen.parents.iter_mut().for_each(|parent| parent.said = Ok(said.clone()));
    seen
}

#[test]
fn a_name_is_undelegated_only_if_every_parent_server_says_so() {
    let target = target(NameOutcome::Redirect);
    let long_apart = Memory { ours_until: Some(at()), ..Memory::default() };
    let is_gone = |seen: &Seen| is_undelegated(&target, seen, long_apart.with(&target, seen));
    assert!(!is_gone(&seen()));
    let mut seen = parents_say(0, &theirs());
    assert!(is_gone(&seen));
    seen.parents[1].said = Err("timed out".into());
    assert!(!is_gone(&seen), "one that is not heard may delegate");
    seen.parents.clear();
    assert!(!is_gone(&seen));
}

/// What looks at these minutes saw, and whether the last of them leaves nobody who follows a delegation to us.
#[test]
fn a_name_is_undelegated_only_once_caches_have_forgotten_that_it_was_ours() {
    const TWO_DAYS: i64 = 48 * 60;
    let target = target(NameOutcome::Redirect);
    let silent = Delegation::default();
    let (ours, theirs) = (ours(), theirs());
    let forever = Delegation { ttl_secs: u32::MAX >> 1, ..ours.clone() };
    let negative = Delegation { ttl_secs: 1 << 31, ..ours.clone() };
    let week: i64 = 7 * 24 * 60;
    type Looks<'a> = &'a [(i64, &'a Delegation)];
    let table: [(Looks<'_>, bool, &str); 11] = [
        (&[(0, &ours), (59, &theirs)], false, "an hour in caches"),
        (&[(0, &ours), (60, &theirs)], true, "it has run out"),
        (&[(0, &ours), (60, &silent)], true, "nobody else has it either"),
        (&[(0, &ours), (30, &ours), (60, &theirs)], false, "counted from when it was last seen"),
        (&[(0, &ours), (60, &theirs), (70, &ours), (129, &theirs)], false, "ours once more"),
        (&[(0, &forever), (week - 1, &theirs)], false, "a week at most"),
        (&[(0, &forever), (week, &theirs)], true, "a week at most"),
        (&[(0, &negative), (0, &theirs)], true, "RFC 2181 section 8"),
        (&[(0, &theirs)], false, "whether it was ours, nobody knows"),
        (&[(0, &theirs), (TWO_DAYS - 1, &theirs)], false, "not two days yet"),
        (&[(0, &theirs), (TWO_DAYS, &silent)], true, "never ours for two days"),
    ];
    for (looks, expected, why) in table {
        let mut memory = Memory::default();
        let mut gone = false;
        for (minutes, said) in looks {
            let seen = parents_say(*minutes, said);
            memory = memory.with(&target, &seen);
            gone = is_undelegated(&target, &seen, memory);
        }
        assert_eq!(gone, expected, "{why}");
    }
}

#[test]
fn a_parent_that_is_not_heard_breaks_off_the_two_days() {
    let target = target(NameOutcome::Redirect);
    let mut deaf = parents_say(60, &theirs());
    deaf.parents[0].said = Err("timed out".into());
    let memory = Memory::default().with(&target, &parents_say(0, &theirs())).with(&target, &deaf);
    assert_eq!(memory.apart_since, None);
}

#[test]
fn something_else_at_the_traps_address_fails_and_is_told() {
    let found = after(NameOutcome::Redirect, |seen| {
        let other = WebAnswer { status: 200, is_ours: false, server: Some("nginx".into()) };
        seen.http = Some(WebSeen { address: "127.0.0.9:80".into(), said: Ok(other) });
    });
    let http = &found[&Check::Http];
    assert_eq!(http.verdict, Verdict::Fails);
    assert_eq!(http.evidence, "something else than our trap answered 200 (it calls itself nginx): 127.0.0.9:80");
    assert_eq!(found[&Check::Https].verdict, Verdict::Holds);
}
