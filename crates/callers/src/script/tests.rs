use std::collections::HashSet;

use super::*;
use crate::cast::cast;

fn names() -> Vec<DomainName> {
    ["outlook-verify.net", "verify-user-session.info", "session-manager.info"]
        .map(|name| DomainName::parse(name).unwrap())
        .to_vec()
}

fn everyones_acts(seed: u64, scale: u32) -> Vec<(Caller, Vec<Act>)> {
    let (names, passwords) = (names(), Passwords::new([9; 32]));
    let stage = Stage { seed, names: &names, passwords: &passwords };
    cast(seed, scale).into_iter().map(|caller| (caller, script(&caller, &stage))).collect()
}

fn requests(acts: &[Act]) -> impl Iterator<Item = &Request> {
    acts.iter().flat_map(|act| match act {
        Act::Visit { requests, .. } => requests.as_slice(),
        _ => &[],
    })
}

#[test]
fn the_same_seed_gives_the_same_acts_and_another_seed_others() {
    assert_eq!(everyones_acts(7, 10), everyones_acts(7, 10));
    assert_ne!(everyones_acts(7, 10), everyones_acts(8, 10));
}

#[test]
fn passwords_are_typed_by_people_only_and_in_every_form() {
    let everyone = everyones_acts(7, 100);
    let typing: HashSet<Role> = everyone
        .iter()
        .filter(|(_, acts)| requests(acts).any(|request| !request.typed.is_empty()))
        .map(|(caller, _)| caller.role)
        .collect();
    assert_eq!(typing, HashSet::from([Role::Person]));

    let heads: HashSet<String> = everyone
        .iter()
        .flat_map(|(_, acts)| requests(acts))
        .filter(|request| !request.typed.is_empty())
        .map(|request| String::from_utf8_lossy(&request.octets).split(['?', ' ']).nth(1).unwrap().to_owned())
        .collect();
    for target in ["/owa/auth.owa", "/signin", "/common/login", "/mail/", "/login", "/inbox"] {
        assert!(heads.contains(target), "{target} of {heads:?}");
    }
}

#[test]
fn a_person_comes_by_a_link_and_a_machine_does_not() {
    for (caller, acts) in everyones_acts(7, 100) {
        let has_referer = requests(&acts).any(|request| find(&request.octets, b"\r\nReferer: "));
        match caller.role {
            Role::Person => assert!(has_referer, "{caller:?}"),
            _ => assert!(!has_referer, "{caller:?}"),
        }
    }
}

#[test]
fn a_machine_resolves_before_it_beacons() {
    for (caller, acts) in everyones_acts(7, 20) {
        if matches!(caller.role, Role::InfectedMachine | Role::Person) {
            let Some(Act::Ask { resolver, .. }) = acts.first() else { panic!("{caller:?} starts with {:?}", acts[0]) };
            assert_eq!(resolver.octets()[1], 53);
            assert!(requests(&acts).next().is_some());
        }
    }
}

#[test]
fn scanners_try_what_visitors_never_do() {
    let (_, acts) = everyones_acts(7, 1).into_iter().find(|(caller, _)| caller.role == Role::Scanner).unwrap();
    for start in
        ["GET /.env ", "GET /wp-login.php ", "CONNECT example.com:443 ", "OPTIONS * ", "GET / HTTP/1.0\r\n\r\n"]
    {
        assert!(requests(&acts).any(|request| request.octets.starts_with(start.as_bytes())), "{start}");
    }
    assert_eq!(acts.iter().filter(|act| matches!(act, Act::Greet { .. })).count(), 3);
    assert!(acts.contains(&Act::StaySilent(Door::Plain)));
    assert!(acts.contains(&Act::StaySilent(Door::Tls { sni: None, versions: TlsVersions::Both })));
}

#[test]
fn every_kind_of_nonsense_is_sent_alone() {
    for (caller, acts) in everyones_acts(7, 100) {
        for request in requests(&acts).filter(|request| request.hangs_up) {
            assert_eq!(caller.role, Role::Malformed);
            let ends = request.octets.windows(2).filter(|end| end == b"\n\n").count()
                + request.octets.windows(4).filter(|end| end == b"\r\n\r\n").count();
            assert_eq!(ends, 1, "one head: {:?}", String::from_utf8_lossy(&request.octets));
        }
    }
}

fn find(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}
