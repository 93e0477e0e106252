use model::answers::AnswerSet;
use model::order::Acts;
use wire::dns::ask::name_to_wire;

use super::*;
use crate::rehearsal::{answered_with, collected, kill_switch, name, settings, zone};

fn table(zones: Vec<Zone>) -> ZoneTable {
    let table = ZoneTable::default();
    table.replace(ZoneSet { serial: 7, zones }, &settings());
    table
}

fn apex_of(table: &ZoneTable, name: &str) -> Option<(String, usize)> {
    let zones = table.read();
    let found = zones.find(&name_to_wire(name).unwrap())?;
    Some((found.served.zone.apex().as_str().to_owned(), found.depth))
}

#[test]
fn a_name_lies_in_the_longest_apex_that_it_ends_with() {
    let table = table(vec![collected("evil.test"), collected("mail.evil.test")]);
    for (name, expected) in [
        ("evil.test", Some(("evil.test", 0))),
        ("EVIL.Test", Some(("evil.test", 0))),
        ("www.evil.test", Some(("evil.test", 4))),
        ("mail.evil.test", Some(("mail.evil.test", 0))),
        ("a.b.mail.evil.test", Some(("mail.evil.test", 4))),
        ("notevil.test", None),
        ("test", None),
        (".", None),
    ] {
        assert_eq!(apex_of(&table, name), expected.map(|(apex, depth)| (apex.to_owned(), depth)), "{name}");
    }
}

#[test]
fn octets_that_are_no_name_are_in_no_zone() {
    let table = table(vec![collected("evil.test")]);
    for wire in [&[][..], &[63], &[1, b'a'], &[0xc0, 12], &[200; 300]] {
        assert!(table.find(wire).is_none(), "{wire:?}");
    }
}

#[test]
fn zones_with_equal_content_share_one_set_of_answers() {
    let zones =
        vec![collected("a.test"), collected("b.test"), zone("c.test", ServiceMode::Handback, Acts::default(), None)];
    let table = table(zones);
    let answers = |name: &str| Arc::clone(&table.find(&name_to_wire(name).unwrap()).unwrap().answers);
    assert!(Arc::ptr_eq(&answers("a.test"), &answers("b.test")));
    assert!(!Arc::ptr_eq(&answers("a.test"), &answers("c.test")));
}

#[test]
fn a_reader_keeps_the_set_that_it_has() {
    let table = table(vec![collected("a.test")]);
    let before = table.read();
    table.replace(ZoneSet::default(), &settings());
    assert!(before.find(b"\x01a\x04test\x00").is_some());
    assert!(table.is_empty());
    assert!(table.read().find(b"\x01a\x04test\x00").is_none());
}

#[test]
fn one_name_changes_and_the_others_keep_their_answers_and_their_serials() {
    let names: Vec<String> = (0..2000).map(|n| format!("n{n}.test")).collect();
    let table = table(names.iter().map(|name| collected(name)).collect());
    let before = table.read();
    let change = |text: &str, mode| {
        let zone = Some(zone(text, mode, Acts::default(), None));
        table.update(9, vec![Change { apex: name(text), zone }], &settings(), &CapturedFiles::default());
    };
    change("n7.test", ServiceMode::Hold);
    change("n8.test", ServiceMode::Handback);
    change("n9.test", ServiceMode::Off);
    change("new.test", ServiceMode::Collect);
    let after = |text: &str| table.find(&name_to_wire(text).unwrap());
    let was = |text: &str| before.find(&name_to_wire(text).unwrap()).map(|found| Arc::clone(&found.served.answers));
    let held = after("www.n7.test").unwrap();
    assert_eq!(held.zone.mode(), ServiceMode::Hold);
    assert!(Arc::ptr_eq(&held.answers, &was("n7.test").unwrap()), "the records are the same, and so is the serial");
    assert!(!Arc::ptr_eq(&after("n8.test").unwrap().answers, &was("n8.test").unwrap()));
    assert!(after("n9.test").is_none() && was("n9.test").is_some());
    assert!(after("new.test").is_some() && was("new.test").is_none());
    assert_eq!((table.len(), table.read().iter().count()), (2000, 2000));
    assert!(names.iter().filter(|text| *text != "n9.test").all(|text| after(text).is_some()));
}

#[test]
fn a_dot_within_a_label_is_no_border_between_labels() {
    let table = table(vec![collected("evil.test")]);
    assert!(table.find(b"\x09evil.test\x00").is_none());
    assert!(table.find(b"\x05www.x\x04evil\x04test\x00").is_some());
    let long = [&[46][..], &[b'a'; 46], b"\x04evil\x04test\x00"].concat();
    assert!(table.find(&long).is_some(), "a length of 46 is a dot in ASCII");
}

#[test]
fn a_table_that_grows_name_by_name_finds_them_all() {
    let table = ZoneTable::default();
    for n in 0..600 {
        let text = format!("n{n}.test");
        let change = Change { apex: name(&text), zone: Some(collected(&text)) };
        table.update(n, vec![change], &settings(), &CapturedFiles::default());
    }
    assert_eq!(table.len(), 600);
    assert!((0..600).all(|n| table.find(&name_to_wire(&format!("n{n}.test")).unwrap()).is_some()));
}

#[test]
fn what_may_be_recorded_follows_mode_act_and_our_own_clock() {
    let now: Timestamp = "2019-03-27T12:00:00Z".parse().unwrap();
    let (before, after) = ("2019-03-27T11:59:59Z".parse().unwrap(), "2019-03-27T12:00:01Z".parse().unwrap());
    let silent: Acts = [Act::Answer].into_iter().collect();
    for (mode, acts, expires, mode_now, may_record) in [
        (ServiceMode::Collect, Acts::default(), None, ServiceMode::Collect, true),
        (ServiceMode::Collect, Acts::default(), Some(after), ServiceMode::Collect, true),
        (ServiceMode::Collect, Acts::default(), Some(now), ServiceMode::Hold, false),
        (ServiceMode::Collect, Acts::default(), Some(before), ServiceMode::Hold, false),
        (ServiceMode::Collect, silent, None, ServiceMode::Collect, false),
        (ServiceMode::Hold, Acts::default(), None, ServiceMode::Hold, false),
        (ServiceMode::Handback, Acts::default(), Some(before), ServiceMode::Handback, false),
    ] {
        let table = table(vec![zone("a.test", mode, acts, expires)]);
        let served = table.find(b"\x01a\x04test\x00").unwrap();
        assert_eq!((served.mode_at(now), served.may_record(now)), (mode_now, may_record), "{mode:?} {expires:?}");
    }
    assert!(table(vec![zone("a.test", ServiceMode::Off, silent, None)]).is_empty());
}

#[test]
fn a_kill_switch_is_answered_as_before_when_its_authority_has_ended_and_is_not_recorded() {
    let (end, after) = ("2019-03-27T12:00:00Z".parse().unwrap(), "2019-03-27T12:00:01Z".parse().unwrap());
    let before: Timestamp = "2019-03-27T11:59:59Z".parse().unwrap();
    let table = table(vec![kill_switch("a.test", Some(end)), collected("b.test")]);
    let served = table.find(b"\x03www\x01a\x04test\x00").unwrap();
    assert!(served.is_kill_switch());
    assert_eq!((served.mode_at(before), served.may_record(before)), (ServiceMode::Collect, true));
    assert_eq!((served.mode_at(after), served.may_record(after)), (ServiceMode::Collect, false));
    assert!(!table.find(b"\x01b\x04test\x00").unwrap().is_kill_switch());
}

/// The reply to a question for an A record, over TCP.
fn reply(table: &ZoneTable, name: &str) -> Vec<u8> {
    let (name, mut packet, mut out) = (name_to_wire(name).unwrap(), Vec::new(), Vec::new());
    wire::dns::ask::Ask::new(7, &name, 1).encode(&mut packet);
    let zones = table.read();
    let found = zones.find(&name).unwrap();
    let zone = wire::dns::Zone::new(&found.served.answers, found.depth);
    let jar = wire::dns::CookieJar::new(&[0; 16], None);
    let manners = wire::dns::Manners::new(&jar, [127, 0, 0, 1].into(), 0);
    let query = wire::dns::Query::parse(&packet);
    wire::dns::answer(&query, Some(zone), wire::dns::Transport::Tcp, &manners, &mut out).unwrap();
    out
}

fn holds(reply: &[u8], address: [u8; 4]) -> bool {
    reply.windows(4).any(|octets| octets == address)
}

#[test]
fn a_case_answers_with_its_own_addresses_and_ttl_and_others_with_the_operators() {
    let set = AnswerSet { v4: vec![[127, 0, 0, 9].into()], v6: Vec::new(), ttl_secs: Some(7) };
    let table = table(vec![answered_with("a.test", set), collected("b.test")]);
    let (ours, others) = (reply(&table, "a.test"), reply(&table, "b.test"));
    assert!(holds(&ours, [127, 0, 0, 9]) && !holds(&ours, [127, 0, 0, 1]) && holds(&ours, [0, 0, 0, 7]));
    assert!(holds(&others, [127, 0, 0, 1]) && !holds(&others, [127, 0, 0, 9]));
}

#[test]
fn a_name_on_its_way_back_answers_with_its_owners_records_once_they_are_here() {
    let file = model::Digest::of_bytes(b"the owner's zone");
    let back = |name: &str| zone(name, ServiceMode::Handback, Acts::default(), None).with_captured(Some(file));
    let zones = vec![back("a.test"), back("b.test"), zone("c.test", ServiceMode::Handback, Acts::default(), None)];
    let record = |rtype, rdata: &[u8]| wire::dns::captured::Record {
        owner: Box::default(),
        rtype,
        ttl_secs: 60,
        rdata: rdata.into(),
    };
    let mut captured = CapturedFiles::default();
    captured.insert((name("a.test"), file), vec![record(1, &[192, 0, 2, 80])]);
    // An alias beside another record is no zone: it is refused at the door, and does no harm if it came in otherwise.
    captured.insert((name("b.test"), file), vec![record(5, b"\x01x\x00"), record(1, &[192, 0, 2, 80])]);
    let table = ZoneTable::default();
    table.replace_with(ZoneSet { serial: 7, zones }, &settings(), &captured);
    assert!(holds(&reply(&table, "a.test"), [192, 0, 2, 80]));
    for bare in ["b.test", "c.test"] {
        assert!(!holds(&reply(&table, bare), [192, 0, 2, 80]), "{bare}");
        assert_eq!(reply(&table, bare)[3] & 15, 0, "{bare} is NODATA");
    }
    assert_eq!(reply(&table, "no.a.test")[3] & 15, 3, "NXDOMAIN is right in the owner's own zone");
    captured.keep(|(name, _)| name.as_str() == "b.test");
    assert!(!captured.contains(&(name("a.test"), file)));
}

#[test]
fn a_batch_of_names_is_found_as_each_name_alone_is() {
    let apexes = (0..3_000).map(|n| if n % 3 == 0 { format!("deep.n{n}.test") } else { format!("n{n}.test") });
    let table = table(apexes.map(|apex| collected(&apex)).collect());
    let asked = |n: u32| match n % 7 {
        0 => format!("n{n}.test"),
        1 => format!("WWW.N{n}.Test"),
        2 => format!("a.b.deep.n{n}.test"),
        3 => format!("deep.n{n}.test"),
        4 => format!("n{n}.example"),
        5 => format!("{}.n{n}.test", "long.".repeat(40).trim_end_matches('.')),
        _ => "test".to_owned(),
    };
    let mut names: Vec<Option<Vec<u8>>> = (0..6_000).map(|n| name_to_wire(&asked(n))).collect();
    names.extend([None, Some(vec![0]), Some(Vec::new()), Some(b"\x07n1.test\x00".to_vec()), Some(b"\x09n1".to_vec())]);
    let zones = table.read();
    let all = zones.find_all(names.iter().map(|name| name.as_deref()));
    let shown = |found: Option<Found<'_>>| found.map(|found| (found.served.zone.apex().clone(), found.depth));
    let mut hits = 0;
    for (name, found) in names.iter().zip(all) {
        hits += usize::from(found.is_some());
        assert_eq!(shown(found), shown(name.as_deref().and_then(|name| zones.find(name))), "{name:?}");
    }
    assert!((1_000..5_000).contains(&hits), "{hits}");
}

fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Prints what a million zones take here; the zones themselves, as the ledger's view makes them, come on top.
#[test]
#[ignore = "a measurement: run it alone, in a release build, with --nocapture"]
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn a_million_zones_measured() {
    let names = (0..1_000_000).map(|n| name(&format!("n{n:07}.seized-names.test")));
    let (zones, table) = (crate::rehearsal::all_collected(names), ZoneTable::default());
    let (before, clock) = (resident_kib(), std::time::Instant::now());
    table.replace(ZoneSet { serial: 7, zones }, &settings());
    println!("table: {:?}, {} KiB more resident", clock.elapsed(), resident_kib().saturating_sub(before));
    let changed = "n0500000.seized-names.test";
    let change = Change { apex: name(changed), zone: Some(zone(changed, ServiceMode::Hold, Acts::default(), None)) };
    let clock = std::time::Instant::now();
    table.update(8, vec![change], &settings(), &CapturedFiles::default());
    println!("one name held: {:?}", clock.elapsed());
    assert_eq!(table.find(&name_to_wire(changed).unwrap()).unwrap().zone.mode(), ServiceMode::Hold);
}
