use model::fact::{Actor, Body};
use model::id::Position;
use model::person::Role;
use serde_json::{Value, json};

use super::*;
use crate::command::Command;
use crate::custody::certificates::read as read_certificates;
use crate::decide::book::{Book, as_person, case, import, now, person, someone, text};
use crate::decide::{Done, decide};

const NAME: &str = "login-harbour.example";

/// A real case that is served, and what custody keeps of it.
struct Watched {
    book: Book,
    shelf: Shelf,
}

impl Watched {
    fn new() -> Self {
        Self { book: served(), shelf: Shelf::new() }
    }

    /// Takes an observation; what was raised and cleared.
    fn take(&mut self, seen: &Value) -> (usize, usize) {
        let seen: Vec<Observation> = vec![serde_json::from_value(seen.clone()).unwrap()];
        let sinkholes = Sinkholes::parse("sinkhole.neighbour.example, Example CERT\n203.0.113.0/24, Net CERT").unwrap();
        let known = &self.book.view.cases[&case("c-1")];
        let before = known.watch.observed.map(|observed| observed.file);
        let passed = pass(known, &self.shelf, &seen, &sinkholes, now());
        let octets = written(&passed.shelf);
        assert_eq!(read(&octets).unwrap(), passed.shelf);
        let shelf = std::mem::replace(&mut self.shelf, passed.shelf);
        let taking = Box::new(Taking { case: case("c-1"), before, shelf, seen, sinkholes });
        let done = self.book.execute(&Command::TakeObservations { taking, octets }, &someone()).unwrap();
        let Done::Watched { raised, cleared, left: 0 } = done else { panic!("{done:?}") };
        (raised, cleared)
    }

    /// The open alarms: `kind mark state`.
    fn open(&self) -> Vec<String> {
        let alarms = self.book.view.cases[&case("c-1")].watch.open_alarms();
        alarms.map(|one| format!("{} {} {}", one.alarm.key.kind, one.alarm.key.mark, one.state.as_str())).collect()
    }

    fn reason(&self, mark: &str) -> String {
        let alarms = &self.book.view.cases[&case("c-1")].watch.alarms;
        alarms.values().find(|one| one.alarm.key.mark == mark).unwrap().alarm.reason.clone()
    }

    fn acknowledge(&mut self, mark: &str) {
        let alarms = &self.book.view.cases[&case("c-1")].watch.alarms;
        let alarm = alarms.values().find(|one| one.alarm.key.mark == mark).unwrap().number;
        let note = "the registrar is called".to_owned();
        self.book.execute(&Command::AcknowledgeAlarm { alarm, note }, &as_person("ada")).unwrap();
    }
}

/// A real case with two people, which is served.
pub(crate) fn served() -> Book {
    let mut book = Book::default();
    book.execute(&import(&text("c-1", "civil-tro")), &someone()).unwrap();
    for (id, role) in [("ada", Role::Investigator), ("bea", Role::Legal)] {
        book.execute(&Command::EnrolPerson { person: person(id, &[role], false) }, &someone()).unwrap();
    }
    let asked = book.execute(&Command::RequestApproval { case: case("c-1") }, &someone()).unwrap();
    let Done::ApprovalAsked { requests } = asked else { panic!("asked") };
    for request in requests {
        for (who, role) in [("ada", Role::Investigator), ("bea", Role::Legal)] {
            let shown = book.shown(request);
            book.execute(&Command::GiveApproval { request, role, shown }, &as_person(who)).unwrap();
        }
    }
    book
}

/// As it should be.
fn well() -> Value {
    let parent = |server: &str| {
        json!({ "server": server, "heard": "delegated", "ns": ["ns1.harbour.example"],
            "glue": { "ns1.harbour.example": ["192.0.2.53"] } })
    };
    json!({
        "name": NAME, "at": "2026-03-20T12:00:00Z",
        "parents": [parent("a.nic.example"), parent("b.nic.example")],
        "child": { "heard": "delegated", "ns": ["ns1.harbour.example"] },
        "registration": { "registered": true, "registrar": "292", "statuses": ["client transfer prohibited"],
            "created": "2025-01-01T00:00:00Z", "expires": "2027-01-01T00:00:00Z" },
    })
}

fn with(at: &str, value: Value) -> Value {
    let mut seen = well();
    *seen.pointer_mut(at).unwrap_or_else(|| panic!("{at}")) = value;
    seen
}

/// One server drifts; then it is silent; then it is as it should be again.
#[test]
fn a_server_that_falls_silent_neither_raises_an_alarm_nor_ends_one() {
    let mut watched = Watched::new();
    let parents = |second: Value| {
        json!({ "name": NAME, "at": "2026-03-20T09:00:00Z", "parents": [
            { "server": "a.nic.example", "heard": "delegated", "ns": ["ns1.harbour.example"] }, second ] })
    };
    let second = |heard: &str, ns: &[&str]| json!({ "server": "b.nic.example", "heard": heard, "ns": ns });
    let (good, silent) = (second("delegated", &["ns1.harbour.example"]), second("silent", &[]));
    assert_eq!(watched.take(&parents(good.clone())), (0, 0));
    assert_eq!(watched.take(&parents(silent.clone())), (0, 0));
    assert_eq!(watched.take(&parents(second("delegated", &["ns1.other.example"]))), (1, 0));
    assert_eq!(watched.take(&parents(silent)), (0, 0), "nobody has seen that it ended");
    assert_eq!(watched.open(), ["drifted ns raised"]);
    assert_eq!(watched.take(&parents(good)), (0, 1));
}

#[test]
fn a_server_whose_address_is_not_found_any_more_is_one_that_is_silent() {
    let mut watched = Watched::new();
    let parents = |second: Value| {
        let first = json!({ "server": "a.nic.example", "address": "192.0.2.1", "heard": "delegated",
            "ns": ["ns1.harbour.example"] });
        json!({ "name": NAME, "at": "2026-03-20T09:00:00Z", "parents": [first, second] })
    };
    let second = |address: &str, ns: &str| json!({ "server": "b.nic.example", "address": address, "heard": "delegated", "ns": [ns] });
    let lost = json!({ "server": "b.nic.example", "heard": "broken" });
    assert_eq!(watched.take(&parents(second("192.0.2.2", "ns1.harbour.example"))), (0, 0));
    assert_eq!(watched.take(&parents(second("192.0.2.2", "ns1.other.example"))), (1, 0));
    assert_eq!(watched.take(&parents(lost.clone())), (0, 0), "nobody has seen that it ended");
    assert_eq!(watched.take(&parents(lost)), (0, 0));
    assert_eq!(watched.take(&parents(second("2001:db8::2", "ns1.harbour.example"))), (0, 0), "half of it");
    assert_eq!(watched.open(), ["drifted ns raised"]);
    assert_eq!(watched.take(&parents(second("192.0.2.3", "ns1.harbour.example"))), (0, 1), "it has moved");
}

#[test]
fn a_collision_ends_only_where_a_list_was_given_and_resolvers_have_answered() {
    let mut watched = Watched::new();
    let at = |address: &str| {
        let mut seen = well();
        seen["addresses"] = json!([address]);
        seen
    };
    assert_eq!(watched.take(&at("203.0.113.7")), (1, 0));
    assert_eq!(watched.take(&well()), (0, 0), "no resolver has answered");
    assert_eq!(watched.open(), ["collision  raised"]);
    let mut in_part = at("192.0.2.80");
    in_part["addresses_in_part"] = json!(true);
    assert_eq!(watched.take(&in_part), (0, 0), "the resolver that was led there has not answered");
    assert_eq!(watched.take(&well()), (0, 0), "and is not forgotten");
    let reason = watched.book.view.cases[&case("c-1")].watch.open_alarms().next().unwrap().alarm.reason.clone();
    assert!(reason.starts_with("a resolver answers 203.0.113.7, which is in the sinkhole of"), "{reason}");
    assert_eq!(watched.take(&at("192.0.2.80")), (0, 1));
    let known = &watched.book.view.cases[&case("c-1")];
    let seen: Observation = serde_json::from_value(at("203.0.113.7")).unwrap();
    let expected = expected(known, &seen.name).unwrap();
    assert_eq!(checks::collision(&expected, &seen, &Sinkholes::default()), None, "nobody gave a list");
}

#[test]
fn only_looks_of_the_last_hour_that_are_not_older_than_what_is_kept_count() {
    let seen = |at: &str| serde_json::from_value::<Observation>(with("/at", json!(at))).unwrap();
    let now: Timestamp = "2026-03-20T12:00:00Z".parse().unwrap();
    let count = |at: &str, shelf: &Shelf| fresh(&[seen(at)], shelf, now).len();
    let shelf = |at: &str| {
        let kept = Kept { standing: seen(at), seen: seen(at) };
        Shelf::from([(kept.seen.name.clone(), kept)])
    };
    assert_eq!(count("2026-03-20T11:00:00Z", &Shelf::new()), 1);
    assert_eq!(count("2026-03-20T10:59:59Z", &Shelf::new()), 0);
    assert_eq!(count("2026-03-20T11:30:00Z", &shelf("2026-03-20T11:30:00Z")), 1);
    assert_eq!(count("2026-03-20T11:30:00Z", &shelf("2026-03-20T11:30:01Z")), 0);
    assert_eq!(count("2026-03-20T11:30:00Z", &shelf("2027-03-20T12:00:00Z")), 1, "somebody's file was wrong");
}

#[test]
fn nothing_new_is_quiet_and_writes_nothing() {
    let mut watched = Watched::new();
    assert_eq!(watched.take(&well()), (0, 0));
    let facts = watched.book.facts.len();
    let later = with("/at", json!("2026-03-20T13:00:00Z"));
    assert_eq!(watched.take(&later), (0, 0));
    assert_eq!(watched.book.facts.len(), facts, "another hour is no news");
}

#[test]
fn each_thing_that_may_happen_to_a_name_gives_its_alarm_once_and_clears_itself() {
    let elsewhere = json!({ "server": "b.nic.example", "heard": "delegated", "ns": ["ns1.evil.example"] });
    let unsaid = json!({ "server": "b.nic.example", "heard": "silent" });
    let other_glue = json!({ "ns1.harbour.example": ["198.51.100.66"] });
    let neighbour =
        json!({ "server": "b.nic.example", "heard": "delegated", "ns": ["ns1.sinkhole.neighbour.example"] });
    for (seen, open) in [
        (with("/parents/1", elsewhere), vec!["drifted child raised", "drifted ns raised"]),
        (with("/parents/1", unsaid), vec![]),
        (with("/parents/0/glue", other_glue), vec!["drifted glue raised"]),
        (with("/parents/1", neighbour), vec!["collision  raised", "drifted child raised", "drifted ns raised"]),
        (with("/child/heard", json!("silent")), vec!["drifted child raised"]),
        (with("/child/ns", json!(["ns9.harbour.example"])), vec!["drifted child raised"]),
        (with("/registration/statuses", json!([])), vec!["drifted status raised"]),
        (with("/registration/statuses", json!(["client transfer prohibited", "auto renew period"])), vec![]),
        (with("/registration/registrar", json!("1234")), vec!["drifted registrar raised"]),
        (with("/registration/created", json!("2026-03-19T00:00:00Z")), vec!["reregistered  raised"]),
        (with("/registration/expires", json!("2026-05-01T00:00:00Z")), vec!["lapsing 60-days raised"]),
        (with("/registration/expires", json!("2026-04-01T00:00:00Z")), vec!["lapsing 30-days raised"]),
        (with("/registration/expires", json!("2026-03-21T00:00:00Z")), vec!["lapsing 7-days raised"]),
        (with("/registration/expires", json!("2026-03-20T12:00:00Z")), vec!["lapsed ended raised"]),
        (with("/registration/registered", json!(false)), vec!["lapsed ended raised"]),
        (with("/registration", json!(null)), vec![]),
    ] {
        let mut watched = Watched::new();
        watched.take(&well());
        let raised = watched.take(&seen).0;
        let mut found = watched.open();
        found.sort();
        assert_eq!((found, raised), (open.iter().map(|one| (*one).to_owned()).collect(), open.len()), "{seen:#}");
        assert_eq!(watched.take(&seen), (0, 0), "the same again is quiet");
        assert_eq!(watched.take(&well()), (0, open.len()), "and it ends by itself");
        assert_eq!(watched.open(), Vec::<String>::new());
    }
}

#[test]
fn a_ds_at_the_parent_gives_alarm_at_once() {
    let mut watched = Watched::new();
    let mut seen = well();
    seen["parents"][1]["ds"] = json!(["12345 13 2 AABB"]);
    assert_eq!(watched.take(&seen), (1, 0));
    assert!(watched.reason("ds").contains("SERVFAIL"), "{}", watched.reason("ds"));
}

#[test]
fn before_a_name_was_as_ordered_once_there_is_nothing_to_drift_from() {
    let mut watched = Watched::new();
    let old = with("/parents", json!([{ "server": "a.nic.example", "heard": "delegated", "ns": ["ns1.old.example"] }]));
    watched.take(&old);
    assert!(!watched.open().iter().any(|one| one.starts_with("drifted ns")), "{:?}", watched.open());
}

#[test]
fn what_lasts_stays_an_alarm_and_what_a_person_has_taken_as_known_is_the_new_state() {
    let mut watched = Watched::new();
    watched.take(&well());
    let moved = with("/registration/statuses", json!(["client hold"]));
    assert_eq!((watched.take(&moved), watched.take(&moved)), ((1, 0), (0, 0)));
    watched.acknowledge("status");
    assert_eq!(watched.open(), ["drifted status acknowledged"]);
    assert_eq!(watched.take(&moved), (0, 0), "taken as what stands from now on");
    assert_eq!(watched.take(&moved), (0, 1));
    let back = watched.take(&well());
    assert_eq!(back, (1, 0), "going back is a change again");

    let mut watched = Watched::new();
    watched.take(&well());
    let elsewhere = with("/parents/1/ns", json!(["ns1.evil.example"]));
    watched.take(&elsewhere);
    watched.acknowledge("ns");
    assert_eq!((watched.take(&elsewhere), watched.take(&elsewhere)), ((0, 0), (0, 0)), "no word makes that right");
    let further = with("/parents/1/ns", json!(["ns2.evil.example"]));
    assert!(watched.take(&further).0 >= 1, "elsewhere again is another alarm");
    assert!(watched.open().contains(&"drifted ns raised".to_owned()), "{:?}", watched.open());
}

#[test]
fn the_names_of_our_own_name_servers_are_watched_as_well() {
    let mut watched = Watched::new();
    let seen = |expires: &str, registrar: &str| {
        let mut seen = with("/name", json!("harbour.example"));
        seen["registration"]["expires"] = json!(expires);
        seen["registration"]["registrar"] = json!(registrar);
        seen
    };
    assert_eq!(watched.take(&seen("2027-01-01T00:00:00Z", "292")), (0, 0));
    assert_eq!(watched.take(&seen("2026-04-01T00:00:00Z", "666")), (2, 0));
    let mut open = watched.open();
    open.sort();
    assert_eq!(open, ["drifted registrar raised", "own-name-lapsing 30-days raised"]);
}

#[test]
fn a_name_that_went_back_is_watched_no_longer() {
    let mut watched = Watched::new();
    watched.take(&well());
    watched.take(&with("/registration/registrar", json!("1234")));
    let narrow = Command::NarrowService {
        case: case("c-1"),
        names: vec![DomainName::parse(NAME).unwrap()],
        mode: ServiceMode::Handback,
        reason: "its owner called".into(),
        disarm: false,
    };
    watched.book.execute(&narrow, &as_person("ada")).unwrap();
    assert_eq!(watched.take(&with("/registration/registrar", json!("777"))), (0, 1));
    assert_eq!(watched.open(), Vec::<String>::new());
}

#[test]
fn only_who_works_on_the_case_acknowledges_and_only_what_stands() {
    let mut watched = Watched::new();
    watched.take(&well());
    watched.take(&with("/registration/registrar", json!("1234")));
    let number = watched.book.view.cases[&case("c-1")].watch.open_alarms().next().unwrap().number;
    let ack = |alarm, note: &str| Command::AcknowledgeAlarm { alarm, note: note.into() };
    for (command, actor) in [
        (ack(number, "seen"), someone()),
        (ack(number, " "), as_person("ada")),
        (ack(Position(1), "seen"), as_person("ada")),
    ] {
        assert!(decide(&watched.book.view, &command, &actor, now()).is_err(), "{command:?}");
    }
    watched.book.execute(&ack(number, "seen"), &as_person("ada")).unwrap();
    assert!(watched.book.execute(&ack(number, "seen"), &as_person("ada")).is_err(), "once");
}

#[test]
fn a_certificate_that_nobody_of_ours_asked_for_gives_alarm_once() {
    let mut watched = Watched::new();
    let entry = |serial: &str, not_before: &str, names: &str| {
        json!({ "issuer_name": "C=US, O=Example CA", "serial_number": serial, "not_before": not_before,
            "not_after": "2026-06-20T00:00:00", "name_value": names, "id": 7 })
    };
    let answer = json!([
        entry("0A", "2026-03-20T12:00:00", "*.login-harbour.example\nlogin-harbour.example"),
        entry("0A", "2026-03-20T12:00:00", "login-harbour.example"),
        entry("0B", "2025-12-01T00:00:00", "www.login-harbour.example"),
        entry("0C", "2026-03-20T13:00:00", "elsewhere.example"),
    ]);
    let octets = answer.to_string().into_bytes();
    let certificates = read_certificates(&octets).unwrap();
    let by_line: Vec<u8> = answer.as_array().unwrap().iter().flat_map(|one| format!("{one}\n").into_bytes()).collect();
    assert_eq!(read_certificates(&by_line).unwrap(), certificates);
    let take = Command::TakeCertificates { case: case("c-1"), certificates, octets };
    assert_eq!(watched.book.execute(&take, &someone()), Ok(Done::Watched { raised: 1, cleared: 0, left: 0 }));
    assert_eq!(watched.open(), ["new-certificate 0a raised"]);
    assert_eq!(watched.book.execute(&take, &someone()), Ok(Done::Watched { raised: 0, cleared: 0, left: 0 }));
    let ended = "2026-06-20T00:00:00Z".parse().unwrap();
    let decision = decide(&watched.book.view, &take, &someone(), ended).unwrap();
    assert!(matches!(decision.drafts[..], [ref one] if matches!(one.body, Body::AlarmCleared { .. })), "{decision:?}");
    for bad in ["{", "[{}]", r#"[{"issuer":"x","serial":"1","not_before":"soon"}]"#] {
        assert!(read_certificates(bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn the_watch_is_kept_by_the_program_alone() {
    let watched = Watched::new();
    for actor in [someone(), as_person("ada")] {
        assert!(decide(&watched.book.view, &Command::KeepWatch, &actor, now()).is_err());
    }
    let room = Actor::Room { name: "watch".into() };
    assert_eq!(decide(&watched.book.view, &Command::KeepWatch, &room, now()).unwrap().drafts, Vec::new());
}
