use model::order::Acts;
use wire::dns::ask::name_to_wire;

use super::*;
use crate::rehearsal::{collected, settings, zone};

fn table(zones: Vec<Zone>) -> ZoneTable {
    let table = ZoneTable::default();
    table.replace(&ZoneSet { serial: 7, zones }, &settings());
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
    table.replace(&ZoneSet::default(), &settings());
    assert!(before.find(b"\x01a\x04test\x00").is_some());
    assert!(table.is_empty());
    assert!(table.read().find(b"\x01a\x04test\x00").is_none());
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
