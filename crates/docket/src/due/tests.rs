use model::fact::Actor;
use model::id::{PersonId, Position};
use model::person::Role;
use model::seizure::ServiceMode;

use super::*;
use crate::command::Command;
use crate::decide::book::{Book, as_person, case, import, now, person, someone, text};
use crate::decide::{Done, decide};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Two people of a real case, which is served.
fn served() -> Book {
    let mut book = Book::default();
    let sealed = "sealed_until = { value = 2026-04-10, source = \"the paper\" }\nhearing = { value = 2026-03-27T09:30:00-04:00, source = \"the paper\" }\nexpires";
    let file = text("c-1", "civil-tro").replacen("expires", sealed, 1);
    book.execute(&import(&file), &someone()).unwrap();
    for (id, role) in [("ada", Role::Investigator), ("bea", Role::Legal)] {
        book.execute(&Command::EnrolPerson { person: person(id, &[role], false) }, &someone()).unwrap();
        let person = PersonId::parse(id).unwrap();
        book.execute(&Command::AddMember { case: case("c-1"), person }, &someone()).unwrap();
    }
    let Done::ApprovalAsked { requests } =
        book.execute(&Command::RequestApproval { case: case("c-1") }, &someone()).unwrap()
    else {
        panic!("asked")
    };
    for request in requests {
        for (who, role) in [("ada", Role::Investigator), ("bea", Role::Legal)] {
            let shown = book.shown(request);
            book.execute(&Command::GiveApproval { request, role, shown }, &as_person(who)).unwrap();
        }
    }
    book
}

/// `kind subject when standing` of each.
fn told(book: &Book, now: Timestamp) -> Vec<String> {
    let line = |due: Due| {
        let when = due.when.map_or("-".to_owned(), |when| when.to_string());
        format!(
            "{} {} {when} {}",
            serde_json::to_value(due.kind).unwrap().as_str().unwrap(),
            due.subject,
            due.standing.as_str()
        )
    };
    dues(&book.view, book.view.cases.values(), now).into_iter().map(line).collect()
}

#[test]
fn what_is_due_comes_from_papers_rules_and_the_house() {
    let book = served();
    let all = [
        "hearing o-c-1 2026-03-27T09:30:00-04:00 ahead",
        "post-mortem 7 2026-03-27 ahead",
        "reckoned o-c-1 2026-03-30 ahead",
        "authority-expiry o-c-1 2026-03-29T17:00:00-04:00 ahead",
        "seal-end o-c-1 2026-04-10 ahead",
        "reckoned o-c-1 2026-04-13 ahead",
        "post-mortem 30 2026-04-19 ahead",
        "post-mortem 90 2026-06-18 ahead",
    ];
    let mut found = told(&book, now());
    found.sort();
    let mut wanted = all.map(str::to_owned).to_vec();
    wanted.sort();
    assert_eq!(found, wanted);
    let later = told(&book, at("2026-03-29T22:00:00Z"));
    assert!(later.contains(&"authority-expiry o-c-1 2026-03-29T17:00:00-04:00 OVERDUE".to_owned()), "{later:#?}");
    assert!(later.contains(&"post-mortem 7 2026-03-27 OVERDUE".to_owned()));
    assert!(!later.iter().any(|line| line.starts_with("hearing")), "a hearing that is past is history");
    let first = told(&book, now());
    assert!(first[0].starts_with("post-mortem 7") && first[1].starts_with("hearing"), "{first:#?}");
}

#[test]
fn a_computed_date_is_a_proposal_until_counsel_confirms_it() {
    let mut book = served();
    let order = || OrderId::parse("o-c-1").unwrap();
    let basis = |book: &Book, name: &str| {
        let all = dues(&book.view, book.view.cases.values(), now());
        let is_it = |due: &Due| matches!(&due.basis, Basis::Rule { name: known, .. } if known == name);
        all.into_iter().find(is_it).unwrap()
    };
    assert!(basis(&book, "frcp-65b2").what.contains("NOT CONFIRMED"), "{:?}", basis(&book, "frcp-65b2"));
    let confirm = |date: Option<&str>, note: Option<&str>| Command::ConfirmDate {
        case: case("c-1"),
        order: order(),
        what: "frcp-65b2".into(),
        date: date.map(|date| date.parse().unwrap()),
        note: note.map(str::to_owned),
    };
    let no = book.execute(&confirm(None, None), &as_person("ada")).unwrap_err();
    assert_eq!(no.what, "a computed date is confirmed by counsel");
    let no = book.execute(&confirm(Some("2026-03-29T17:00:00-04:00"), None), &as_person("bea")).unwrap_err();
    assert_eq!(no.what, "2026-03-29T17:00:00-04:00 is not what the rule comes to, 2026-03-30");
    let yes = confirm(Some("2026-03-29T17:00:00-04:00"), Some("the order names the hour"));
    book.execute(&yes, &as_person("bea")).unwrap();
    let due = basis(&book, "frcp-65b2");
    assert_eq!(due.when.unwrap().to_string(), "2026-03-29T17:00:00-04:00");
    assert!(due.what.contains("confirmed by bea"), "{due:?}");
}

#[test]
fn anybody_at_work_counts_a_date_and_nobody_confirms_it_by_counting_again() {
    let mut book = served();
    let from = "2026-03-20".parse().unwrap();
    let propose = |what: &str, days| Command::ProposeDate {
        case: case("c-1"),
        order: OrderId::parse("o-c-1").unwrap(),
        what: what.into(),
        by: Rule::BusinessDays { from, days },
    };
    let done = book.execute(&propose("objection-window", 3), &as_person("ada")).unwrap();
    assert!(matches!(done, Done::DateProposed { date, .. } if date.to_string() == "2026-03-25"), "{done:?}");
    book.execute(&propose("objection-window", 4), &as_person("ada")).unwrap();
    let confirm = Command::ConfirmDate {
        case: case("c-1"),
        order: OrderId::parse("o-c-1").unwrap(),
        what: "objection-window".into(),
        date: None,
        note: None,
    };
    book.execute(&confirm, &as_person("bea")).unwrap();
    for (what, days) in [("objection-window", 5), ("frcp-65b2", 5), ("Objection", 1), ("x", 9_999)] {
        assert!(book.execute(&propose(what, days), &as_person("ada")).is_err(), "{what} {days}");
    }
}

#[test]
fn a_narrowing_waits_for_another_person_and_gives_alarm_after_a_day() {
    let mut book = served();
    let narrow = Command::NarrowService {
        case: case("c-1"),
        names: Vec::new(),
        mode: ServiceMode::Hold,
        reason: "its owner called".into(),
        disarm: false,
    };
    book.execute(&narrow, &as_person("ada")).unwrap();
    let place = Position(book.view.next.0 - 1);
    assert!(told(&book, now()).contains(&format!("narrowing-confirmation {place} 2026-03-21T12:00:00Z soon")));
    let watch = |book: &Book, now| {
        let actor = Actor::Room { name: "watch".into() };
        let drafts = decide(&book.view, &Command::KeepWatch, &actor, now).unwrap().drafts;
        drafts.into_iter().filter(|draft| format!("{:?}", draft.body).contains("NarrowingUnconfirmed")).count()
    };
    assert_eq!((watch(&book, now()), watch(&book, at("2026-03-21T12:00:00Z"))), (0, 1));
    let confirm = Command::ConfirmNarrowing { case: case("c-1"), narrowing: None, note: None };
    let no = book.execute(&confirm, &as_person("ada")).unwrap_err();
    assert!(no.what.ends_with("is your own: somebody else confirms it"), "{no}");
    assert!(book.execute(&confirm, &someone()).is_err(), "the machine's user is no second person");
    assert_eq!(book.execute(&confirm, &as_person("bea")), Ok(Done::NarrowingsConfirmed { narrowings: vec![place] }));
    assert_eq!(watch(&book, at("2026-03-22T12:00:00Z")), 0);
    assert!(book.execute(&confirm, &as_person("bea")).is_err(), "once");
}
