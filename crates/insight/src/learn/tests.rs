use model::contact::Kind;
use model::id::{Boot, ContactId, Lane, SensorId};
use model::time::from_nanos;

use super::*;

const PROGRAM: &str = "Mozilla/4.0 (compatible; MSIE 7.0)";
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

fn seen(last_octet: u8, kind: Kind) -> Seen {
    let id = ContactId::new(SensorId(1), Boot(1), Lane(0), u64::from(last_octet));
    let mut seen = Seen::bare(id, from_nanos(i64::from(last_octet)), [127, 10, 0, last_octet].into(), kind);
    seen.case = Some("phosphorus-2019".into());
    seen.apex = Some("outlook-verify.net".into());
    seen
}

fn request(last_octet: u8, host: &str, target: &str, user_agent: &str) -> Seen {
    let mut seen = seen(last_octet, Kind::Request);
    (seen.host, seen.target, seen.user_agent) = (host.into(), target.into(), user_agent.into());
    seen
}

fn verdict(seen: &Seen, label: Label) -> Verdict {
    let (reasons, score) = (vec![], 90);
    Verdict { of: seen.id, label, score, reasons, asn: None, as_name: None, country: None, withheld: false }
}

/// A case that withholds nobody.
fn nobody(_: &CaseId, _: IpAddr) -> bool {
    false
}

fn learned(contacts: &[Seen], label: Label) -> Vec<(IndicatorKind, String)> {
    let mut learning = Learning::new(Thresholds::default());
    contacts.iter().for_each(|seen| learning.take(seen, &verdict(seen, label)));
    learning.found(nobody).into_iter().map(|(_, found)| (found.kind, found.value)).collect()
}

#[test]
fn three_victims_teach_host_path_and_program() {
    let calls: Vec<Seen> =
        (1..=3).map(|n| request(n, "Mail.outlook-verify.net:8080", &format!("/gate.php?id={n}"), PROGRAM)).collect();
    let expected = [
        (IndicatorKind::HostName, "mail.outlook-verify.net".to_owned()),
        (IndicatorKind::UrlPath, "/gate.php".to_owned()),
        (IndicatorKind::UserAgent, PROGRAM.to_owned()),
    ];
    assert_eq!(learned(&calls, Label::Victim), expected);
    assert_eq!(learned(&calls[..2], Label::Victim), [], "two are not enough");
    assert_eq!(learned(&calls, Label::Scanner), [], "and a scanner teaches nothing");
    assert_eq!(learned(&vec![calls[0].clone(); 9], Label::Victim), [], "nor does one address, however often");
}

#[test]
fn what_is_a_callers_own_or_everybodys_is_never_learned() {
    for (host, target, user_agent) in [
        ("outlook-verify.net", "/", BROWSER),
        ("www.example.org", "/favicon.ico", BROWSER),
        ("outlook-verify.net", "/u/alice@example.org", BROWSER),
        ("outlook-verify.net", "/u/alice%40example.org", BROWSER),
        ("outlook-verify.net", "/login/{redacted:query-value}", ""),
        ("outlook-verify.net", "/a\u{1b}[2J", "evil\u{7}"),
    ] {
        let calls: Vec<Seen> = (1..=5).map(|n| request(n, host, target, user_agent)).collect();
        assert_eq!(learned(&calls, Label::Victim), [], "{host} {target}");
    }
    let long = format!("/{}", "x".repeat(VALUE_LEN_MAX));
    let calls: Vec<Seen> = (1..=5).map(|n| request(n, "outlook-verify.net", &long, BROWSER)).collect();
    assert_eq!(learned(&calls, Label::Victim), []);
}

#[test]
fn a_fingerprint_is_learned_from_programs_only() {
    for (user_agent, expected) in [(PROGRAM, 1), (BROWSER, 0), ("", 0)] {
        let hello = |n| {
            let mut seen = seen(n, Kind::Hello);
            (seen.ja4, seen.user_agent) = ("t12d190800_d83cc789557e_16bbda4055b2".into(), user_agent.into());
            seen
        };
        let calls: Vec<Seen> = (1..=3).map(hello).collect();
        assert_eq!(learned(&calls, Label::Victim).len(), expected, "{user_agent}");
    }
}

#[test]
fn nothing_is_learned_twice() {
    let calls: Vec<Seen> = (1..=4).map(|n| request(n, "outlook-verify.net", "/gate.php", BROWSER)).collect();
    let mut learning = Learning::new(Thresholds::default());
    calls.iter().for_each(|seen| learning.take(seen, &verdict(seen, Label::Victim)));
    let found = learning.found(nobody);
    assert_eq!(found.len(), 1);
    let indicator = &found[0].1;
    assert_eq!((indicator.contacts, indicator.addresses), (4, 4));
    assert_eq!((indicator.first_seen, indicator.last_seen), (from_nanos(1), from_nanos(4)));
    calls.iter().for_each(|seen| learning.take(seen, &verdict(seen, Label::Victim)));
    assert_eq!(learning.found(nobody), []);

    let mut restarted = Learning::new(Thresholds::default());
    restarted.know(&found[0].0, indicator);
    calls.iter().for_each(|seen| restarted.take(seen, &verdict(seen, Label::Victim)));
    assert_eq!(restarted.found(nobody), [], "nor after a restart");
}

#[test]
fn what_is_watched_is_bounded() {
    let mut learning = Learning::new(Thresholds { watched_max: 2, ..Thresholds::default() });
    for path in ["/a", "/b", "/c", "/a"] {
        for n in 1..=3 {
            let call = request(n, "outlook-verify.net", path, BROWSER);
            learning.take(&call, &verdict(&call, Label::Victim));
        }
    }
    let values: Vec<_> = learning.found(nobody).into_iter().map(|(_, found)| found.value).collect();
    assert_eq!(values, ["/a", "/b"]);
}

#[test]
fn what_spells_an_address_of_somebody_withheld_or_of_a_caller_is_never_learned() {
    let withheld: IpAddr = "198.51.100.23".parse().unwrap();
    for (host, target, learns) in [
        ("198-51-100-23.outlook-verify.net", "/198.51.100.23/gate.php", 0),
        ("outlook-verify.net", "/c6336417/gate.php", 0),
        ("outlook-verify.net", "/for/127.10.0.2", 0),
        ("outlook-verify.net", "/for/198.51.100.24", 1),
    ] {
        let mut learning = Learning::new(Thresholds::default());
        let calls: Vec<Seen> = (1..=3).map(|n| request(n, host, target, BROWSER)).collect();
        calls.iter().for_each(|seen| learning.take(seen, &verdict(seen, Label::Victim)));
        let found = learning.found(|case, address| case.as_str() == "phosphorus-2019" && address == withheld);
        assert_eq!(found.len(), learns, "{host} {target}: {found:?}");
    }
}
