use model::Digest;
use model::execution::{Acknowledgement, Compilation, Dispatch};
use model::fact::Body;
use model::id::OrderId;
use model::name::DomainName;

use super::*;
use crate::command::Command;
use crate::custody::tests::served;
use crate::decide::book::{Book, as_person, case, now, someone};
use crate::watch::tests::turn;

const NAME: &str = "login-harbour.example";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn order() -> OrderId {
    OrderId::parse("o-c-1").unwrap()
}

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

/// The registrar was sent one name, and has two days.
fn sent() -> Book {
    let mut book = served();
    let (manifest, actors) = (Digest([1; 32]), Digest([2; 32]));
    let appendix = Compilation { manifest, actors, names: 3, files: 5, octets: 9, open: 0 };
    book.execute(&Command::RecordAppendix { case: case("c-1"), appendix }, &someone()).unwrap();
    let due = Some(at("2026-03-22T12:00:00Z"));
    let dispatch = Dispatch { order: order(), actor: "registrar".into(), sent: now(), due, manifest, names: 1 };
    let names = vec![name(NAME)];
    book.execute(&Command::Dispatch { case: case("c-1"), dispatch, names }, &as_person("ada")).unwrap();
    book
}

fn answered(book: &mut Book, refused: bool) {
    let said = if refused { "we do not obey this court" } else { "ticket 7" }.to_owned();
    let answer = Acknowledgement { order: order(), actor: "registrar".into(), answered: now(), said, refused };
    book.execute(&Command::Acknowledge { case: case("c-1"), answer, names: vec![name(NAME)] }, &as_person("ada"))
        .unwrap();
}

#[test]
fn an_actor_who_does_not_answer_in_time_gives_alarm_once_and_until_it_does() {
    let mut book = sent();
    let quiet = [""; 0];
    assert_eq!(turn(&mut book, at("2026-03-22T12:00:00Z")), quiet, "the due itself is in time");
    let late = at("2026-03-22T12:00:01Z");
    assert_eq!(turn(&mut book, late), ["raised overdue o-c-1", "raised overdue execution"]);
    assert_eq!(turn(&mut book, late), quiet);
    assert_eq!(turn(&mut book, at("2026-03-23T12:00:00Z")), quiet, "a day later nothing is new");
    answered(&mut book, false);
    assert_eq!(turn(&mut book, late), ["cleared overdue o-c-1"], "it answered, and did nothing yet");
    let seized = Body::SeizureMoved { case: case("c-1"), names: vec![name(NAME)], to: Seizure::Verified };
    book.append(seized, &someone()).unwrap();
    assert_eq!(turn(&mut book, late), ["cleared overdue execution"]);
}

#[test]
fn an_actor_who_says_no_gives_alarm_at_once_and_what_it_said_is_the_reason() {
    let mut book = sent();
    answered(&mut book, true);
    assert_eq!(turn(&mut book, now()), ["raised refused o-c-1"]);
    assert_eq!(turn(&mut book, now()), [""; 0]);
    let known = &book.view.cases[&case("c-1")];
    let alarm = known.watch.open_alarms().find(|one| one.alarm.key.kind == AlarmKind::Refused).unwrap();
    assert_eq!(alarm.alarm.reason, "registrar will not act on order o-c-1: we do not obey this court");
    let (number, note) = (alarm.number, "counsel writes to them".to_owned());
    book.execute(&Command::AcknowledgeAlarm { alarm: number, note }, &as_person("bea")).unwrap();
    assert_eq!(turn(&mut book, now()), [""; 0], "known is known");
}
