use model::case::CaseState;
use model::fact::Body;
use model::id::RequestId;
use model::name::DomainName;
use model::paper::PaperKind;
use model::person::Role;
use model::seizure::{Seizure, ServiceMode};

use super::book::*;
use super::*;
use crate::shown::Shown;

mod people;

fn yes(book: &Book, request: RequestId, role: Role) -> Command {
    Command::GiveApproval { request, role, shown: book.shown(request) }
}

/// A case with its two requests filed; alice investigates, bob is counsel, carol investigates too.
fn asked(instrument: &str) -> (Book, RequestId, RequestId) {
    asked_by(&text("c-1", instrument))
}

fn asked_by(file: &str) -> (Book, RequestId, RequestId) {
    asked_in(Book::default(), file)
}

fn asked_in(mut book: Book, file: &str) -> (Book, RequestId, RequestId) {
    for (id, roles) in [("alice", &[Role::Investigator][..]), ("bob", &[Role::Legal]), ("carol", &[Role::Investigator])]
    {
        book.execute(&Command::EnrolPerson { person: person(id, roles, false) }, &someone()).unwrap();
    }
    book.execute(&import(file), &someone()).unwrap();
    for who in ["alice", "bob"].map(|who| PersonId::parse(who).unwrap()) {
        book.execute(&Command::AddMember { case: case("c-1"), person: who }, &someone()).unwrap();
    }
    let done = book.execute(&Command::RequestApproval { case: case("c-1") }, &someone()).unwrap();
    let Done::ApprovalAsked { requests } = done else { panic!("{done:?}") };
    (book, requests[0], requests[1])
}

fn served(instrument: &str) -> Book {
    served_by(&text("c-1", instrument))
}

fn served_by(file: &str) -> Book {
    let (mut book, in_force, serve) = asked_by(file);
    for request in [in_force, serve] {
        for (who, role) in [("alice", Role::Investigator), ("bob", Role::Legal)] {
            let command = yes(&book, request, role);
            book.execute(&command, &as_person(who)).unwrap();
        }
    }
    book
}

fn refused(book: &mut Book, command: &Command, actor: &Actor) -> Refusal {
    book.execute(command, actor).expect_err("the law says no")
}

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

#[test]
fn two_people_in_two_roles_put_the_order_in_force_and_then_serve_its_redirected_names() {
    let (mut book, in_force, serve) = asked("civil-tro");
    let order = |book: &Book| book.view.cases[&case("c-1")].orders.values().next().unwrap().status();
    for (request, who, role, done) in [
        (in_force, "alice", Role::Investigator, "HalfApproved"),
        (in_force, "bob", Role::Legal, "OrderInForce"),
        (serve, "carol", Role::Investigator, "HalfApproved"),
        (serve, "bob", Role::Legal, "NamesServed"),
    ] {
        let command = yes(&book, request, role);
        let said = book.execute(&command, &as_person(who)).unwrap();
        assert!(format!("{said:?}").starts_with(done), "{said:?}");
    }
    assert_eq!(order(&book), model::order::OrderStatus::InForce);
    let names = &book.view.cases[&case("c-1")].names;
    assert_eq!(names.get(&name("login-harbour.example")).unwrap().mode, Some(ServiceMode::Collect));
    assert_eq!(names.get(&name("login-harbour.example")).unwrap().seizure, Seizure::Ordered);
    assert_eq!(
        names.get(&name("held-harbour.example")).unwrap().mode,
        None,
        "a name to hold is not ours to answer for"
    );
    assert_eq!(book.view.zones(now()).zones.len(), 2);
}

#[test]
fn an_order_is_put_in_force_by_its_signed_paper_and_the_step_names_it() {
    for (instrument, kind) in [
        ("civil-tro", Some(PaperKind::Order)),
        ("injunction", Some(PaperKind::Order)),
        ("prosecutor-order", Some(PaperKind::Order)),
        ("registrar-action", Some(PaperKind::Answer)),
        ("police-request", Some(PaperKind::Answer)),
        ("cctld-policy", Some(PaperKind::Answer)),
        ("voluntary-transfer", Some(PaperKind::Consent)),
        ("own-registration", None),
        ("exercise", None),
    ] {
        let (mut book, in_force, _) = asked_in(Book::unfiled(), &text("c-1", instrument));
        let (alice, bob) = (as_person("alice"), as_person("bob"));
        let first = yes(&book, in_force, Role::Investigator);
        book.execute(&first, &alice).unwrap();
        let second = yes(&book, in_force, Role::Legal);
        let mut named = Vec::new();
        if let Some(kind) = kind {
            let proposed =
                Command::FilePaper { case: case("c-1"), kind: PaperKind::ProposedOrder, octets: b"draft".into() };
            book.execute(&proposed, &alice).unwrap();
            let refusal = refused(&mut book, &second, &bob);
            let missing = format!("order o-c-1 is not put in force: missing papers of a {instrument}: {kind}");
            assert_eq!(refusal.what, missing);
            assert!(refusal.hint.unwrap().ends_with(&format!("`bailiwick case file c-1 --document {kind}=FILE`")));
            assert_eq!(book.view.cases[&case("c-1")].state, CaseState::Draft);
            let paper = Command::FilePaper { case: case("c-1"), kind, octets: b"signed".into() };
            let Done::PaperFiled { paper } = book.execute(&paper, &alice).unwrap() else { panic!() };
            named.push(paper);
        }
        book.execute(&second, &bob).unwrap();
        let step = book.facts.iter().rev().find_map(|fact| match &fact.body {
            Body::CaseAdvanced { to: CaseState::Granted, documents, .. } => Some(documents.clone()),
            _ => None,
        });
        assert_eq!(step, Some(named), "{instrument}");
    }
}

#[test]
fn the_order_comes_first() {
    let (mut book, _, serve) = asked("civil-tro");
    let first = yes(&book, serve, Role::Investigator);
    book.execute(&first, &as_person("alice")).unwrap();
    let second = yes(&book, serve, Role::Legal);
    assert_eq!(refused(&mut book, &second, &as_person("bob")).what, "order o-c-1 is not in force");
}

#[test]
fn a_yes_takes_the_persons_own_token_and_what_was_shown() {
    let (mut book, in_force, _) = asked("civil-tro");
    let command = yes(&book, in_force, Role::Legal);
    for actor in [someone(), Actor::Room { name: "desk".into() }] {
        assert_eq!(refused(&mut book, &command, &actor).what, "this takes a person, and no person's token was shown");
    }
    assert_eq!(refused(&mut book, &command, &as_person("mallory")).what, "mallory is not enrolled");
    let other = Command::GiveApproval { request: in_force, role: Role::Legal, shown: model::Digest::of_bytes(b"x") };
    assert!(refused(&mut book, &other, &as_person("bob")).what.starts_with("what was shown is not what"));
}

#[test]
fn a_lapsed_authority_is_neither_asked_for_nor_approved() {
    let (book, in_force, _) = asked("civil-tro");
    let late = "2026-03-29T21:00:00Z".parse().unwrap();
    let command = yes(&book, in_force, Role::Legal);
    let refusal = decide(&book.view, &command, &as_person("bob"), late).unwrap_err();
    assert_eq!(refusal.what, "the authority of order o-c-1 lapsed at 2026-03-29T17:00:00-04:00");
    let ask = Command::RequestApproval { case: case("c-1") };
    assert!(decide(&book.view, &ask, &someone(), late).is_err());
}

#[test]
fn a_demos_people_approve_exercises_only() {
    for (instrument, allowed) in [("exercise", true), ("civil-tro", false)] {
        let (mut book, in_force, _) = asked(instrument);
        book.execute(&Command::EnrolPerson { person: person("ada", &[Role::Operator], true) }, &someone()).unwrap();
        let command = yes(&book, in_force, Role::Operator);
        assert_eq!(book.execute(&command, &as_person("ada")).is_ok(), allowed, "{instrument}");
    }
}

#[test]
fn a_demos_people_touch_nothing_that_is_real() {
    for (instrument, allowed) in [("exercise", true), ("civil-tro", false)] {
        let mut book = served(instrument);
        book.execute(&Command::EnrolPerson { person: person("ada", &[Role::Operator], true) }, &someone()).unwrap();
        let (id, names) = (case("c-1"), Vec::new());
        let hold = Command::NarrowService {
            case: id.clone(),
            names,
            mode: ServiceMode::Hold,
            reason: "x".into(),
            disarm: false,
        };
        let advance = Command::AdvanceCase { case: id, to: model::case::CaseState::Executed, documents: Vec::new() };
        for command in [hold, advance] {
            let outcome = book.execute(&command, &as_person("ada"));
            assert_eq!(outcome.is_ok(), allowed, "{instrument}: {outcome:?}");
        }
    }
}

#[test]
fn a_demos_admin_enrols_no_real_people_and_stands_in_nobodys_way() {
    let mut book = Book::default();
    let enrol = |id, roles: &[Role], fixture| Command::EnrolPerson { person: person(id, roles, fixture) };
    book.execute(&enrol("ada", &[Role::Admin], true), &someone()).unwrap();
    let real = enrol("mallory", &[Role::Legal], false);
    assert_eq!(refused(&mut book, &real, &as_person("ada")).what, "people are enrolled by an admin");
    book.execute(&enrol("eve", &[Role::Legal], true), &as_person("ada")).unwrap();
    book.execute(&enrol("root", &[Role::Admin], false), &someone()).unwrap();
    assert!(book.execute(&real, &someone()).is_err(), "now there is an admin who counts");
}

#[test]
fn an_order_that_has_lapsed_holds_up_no_other_of_its_case() {
    let mut book = Book::default();
    let first = text("c-1", "prosecutor-order");
    let at = first.find("[[order]]").unwrap();
    let second = first[at..].replace("o-c-1", "o-c-2").replace("-harbour.example", "-quay.example");
    let second: String = second.lines().filter(|line| !line.starts_with("expires")).map(|l| format!("{l}\n")).collect();
    book.execute(&import(&format!("{first}\n{second}")), &someone()).unwrap();
    let late = "2026-03-30T00:00:00Z".parse().unwrap();
    let ask = Command::RequestApproval { case: case("c-1") };
    let Done::ApprovalAsked { requests } = decide(&book.view, &ask, &someone(), late).unwrap().done else { panic!() };
    assert_eq!(requests.len(), 2, "both of the order that has not lapsed");
}

#[test]
fn one_person_narrows_at_once_and_nobody_widens_by_narrowing() {
    let mut book = served("civil-tro");
    let narrow = |names: &[&str], mode, reason: &str| Command::NarrowService {
        case: case("c-1"),
        names: names.iter().map(|text| name(text)).collect(),
        mode,
        reason: reason.into(),
        disarm: false,
    };
    for (command, why) in [
        (
            narrow(&["login-harbour.example"], ServiceMode::Collect, "x"),
            "login-harbour[.]example is in collect: going to collect does not narrow",
        ),
        (narrow(&["login-harbour.example"], ServiceMode::Hold, " "), "no reason was given"),
        (
            narrow(&["held-harbour.example"], ServiceMode::Hold, "x"),
            "held-harbour[.]example is not served, so there is nothing to narrow",
        ),
        (narrow(&["quay.example"], ServiceMode::Hold, "x"), "case c-1 does not list quay[.]example"),
        (
            narrow(&["login-harbour.example"], ServiceMode::Off, "x"),
            "login-harbour[.]example may be dark to its owner: nobody has seen that no parent delegates it",
        ),
    ] {
        assert_eq!(refused(&mut book, &command, &as_person("carol")).what, why);
    }
    let hold = narrow(&["login-harbour.example"], ServiceMode::Hold, "its owner called");
    assert!(refused(&mut book, &hold, &someone()).what.contains("no person's token"));
    book.execute(&hold, &as_person("carol")).unwrap();
    let back = narrow(&[], ServiceMode::Handback, "all go back");
    let done = book.execute(&back, &as_person("carol")).unwrap();
    assert_eq!(
        done,
        Done::ServiceNarrowed {
            case: case("c-1"),
            names: 2,
            mode: ServiceMode::Handback,
            without_records: 2,
            left_armed: 0
        }
    );
    let known = book.view.cases[&case("c-1")].names.get(&name("login-harbour.example")).unwrap();
    assert_eq!((known.mode, known.seizure), (Some(ServiceMode::Handback), Seizure::Returned));
    let again = narrow(&[], ServiceMode::Hold, "x");
    assert_eq!(refused(&mut book, &again, &as_person("carol")).what, "no name of case c-1 does more than hold");
}

#[test]
fn off_is_for_exercises_that_no_parent_delegates() {
    let mut book = served("exercise");
    let command = Command::NarrowService {
        case: case("c-1"),
        names: Vec::new(),
        mode: ServiceMode::Off,
        reason: "done".into(),
        disarm: false,
    };
    book.execute(&command, &as_person("alice")).unwrap();
    assert!(book.view.zones(now()).zones.is_empty());
}

#[test]
fn the_same_file_twice_changes_nothing_and_another_content_is_refused() {
    let (mut book, ..) = asked("civil-tro");
    let facts = book.facts.len();
    let done = book.execute(&import(&text("c-1", "civil-tro")), &someone()).unwrap();
    assert_eq!((done, book.facts.len()), (Done::CaseKnown { case: case("c-1") }, facts));
    let other = import(&text("c-1", "civil-tro").replace("\"Harbour\"", "\"Port\""));
    assert!(refused(&mut book, &other, &someone()).what.starts_with("case c-1 is here with other content"));
    let clash = import(&text("c-2", "civil-tro").replace("o-c-2", "o-c-1"));
    assert_eq!(refused(&mut book, &clash, &someone()).what, "order o-c-1 belongs to case c-1 already");
}

#[test]
fn a_name_is_served_for_one_case_at_a_time() {
    let mut book = served("civil-tro");
    book.execute(&import(&text("c-2", "injunction")), &someone()).unwrap();
    let done = book.execute(&Command::RequestApproval { case: case("c-2") }, &someone()).unwrap();
    let Done::ApprovalAsked { requests } = done else { panic!("{done:?}") };
    for (request, who, role) in
        [(0, "alice", Role::Investigator), (0, "bob", Role::Legal), (1, "alice", Role::Investigator)]
    {
        let command = yes(&book, requests[request], role);
        book.execute(&command, &as_person(who)).unwrap();
    }
    let last = yes(&book, requests[1], Role::Legal);
    let refusal = refused(&mut book, &last, &as_person("bob"));
    assert_eq!(refusal.what, "login-harbour[.]example cannot be served here");
}

#[test]
fn what_is_asked_for_already_is_not_asked_for_twice() {
    let (mut book, first, second) = asked("civil-tro");
    let refusal = refused(&mut book, &Command::RequestApproval { case: case("c-1") }, &someone());
    assert_eq!(refusal.hint.unwrap(), format!("waiting for approval: request {first}, {second}"));
    let mut book = served("civil-tro");
    let refusal = refused(&mut book, &Command::RequestApproval { case: case("c-1") }, &someone());
    assert_eq!((refusal.what.as_str(), refusal.hint), ("case c-1 has nothing left to ask for", None));
}

#[test]
fn people_are_enrolled_by_the_machines_user_until_there_is_an_admin() {
    let mut book = Book::default();
    let enrol = |id, roles: &[Role]| Command::EnrolPerson { person: person(id, roles, false) };
    let mut twin = person("twin", &[Role::Legal], false);
    twin.token = model::Digest::of_bytes(b"alice");
    book.execute(&enrol("alice", &[Role::Legal]), &someone()).unwrap();
    for (command, why) in [
        (enrol("alice", &[Role::Legal]), "alice is enrolled already"),
        (enrol("nobody", &[]), "nobody has no role"),
        (Command::EnrolPerson { person: twin }, "this token is another person's"),
    ] {
        assert_eq!(refused(&mut book, &command, &someone()).what, why);
    }
    assert!(book.execute(&enrol("bob", &[Role::Legal]), &as_person("alice")).is_err(), "alice is no admin");
    book.execute(&enrol("root", &[Role::Admin]), &someone()).unwrap();
    assert!(book.execute(&enrol("bob", &[Role::Legal]), &someone()).is_err());
    book.execute(&enrol("bob", &[Role::Legal]), &as_person("root")).unwrap();
}

#[test]
fn partners_and_auditors_read_and_do_not_act() {
    let (mut book, ..) = asked("civil-tro");
    book.execute(&Command::EnrolPerson { person: person("pat", &[Role::Partner, Role::Auditor], false) }, &someone())
        .unwrap();
    let advance =
        Command::AdvanceCase { case: case("c-1"), to: model::case::CaseState::Evidence, documents: Vec::new() };
    assert_eq!(refused(&mut book, &advance, &as_person("pat")).what, "pat may read and not act");
    assert!(book.execute(&import(&text("c-9", "exercise")), &as_person("pat")).is_err());
    book.execute(&advance, &as_person("alice")).unwrap();
}

#[test]
fn texts_and_files_of_others_have_an_end() {
    let book = Book::default();
    let import = |source: &str, octets, objects| Command::ImportKnowledge {
        group: model::id::GroupId::parse("apt35").unwrap(),
        format: model::fact::KnowledgeFormat::Stix,
        source: source.into(),
        octets,
        objects,
    };
    let try_it = |command: Command| decide(&book.view, &command, &someone(), now());
    assert!(try_it(import("ATT&CK", vec![0; 10], 3)).is_ok());
    assert!(try_it(import("ATT&CK", vec![0; KNOWLEDGE_OCTETS_MAX + 1], 3)).is_err());
    assert!(try_it(import("ATT&CK", vec![0; 10], 0)).is_err());
    assert!(try_it(import(&"x".repeat(TEXT_OCTETS_MAX + 1), vec![0; 10], 3)).is_err());
    let long = Command::Refuse { tried: "ä".repeat(TEXT_OCTETS_MAX), why: "x".into() };
    let Body::Refused { tried, .. } = &try_it(long).unwrap().drafts[0].body else { panic!("a refusal is recorded") };
    assert_eq!(tried.len(), TEXT_OCTETS_MAX);
}

#[test]
fn what_is_shown_says_everything_that_is_approved() {
    let (book, in_force, _) = asked("exercise");
    let case = &book.view.cases[&case("c-1")];
    let request = &book.view.approvals.get(in_force).unwrap().request;
    let shown = Shown::of(case, case.orders.values().next().unwrap(), request.what.clone());
    assert_eq!(shown.digest(), request.shown);
    assert_eq!(model::Digest::of_bytes(&shown.canonical()), request.shown, "the digest is of the canonical JSON");
    insta::assert_snapshot!(shown.to_text());
}

//----------- Kill switches ----------------------------------------------------------------------------------------

/// The two redirected names are kill switches, and one more is not.
fn armed() -> Book {
    let lists = text("c-1", "civil-tro").replacen("[[list]]", "[[list]]\nanswer_effect = \"kill-switch\"", 1);
    let plain = "[[list]]\norder = \"o-c-1\"\nsource = \"the paper\"\nnames = [\"plain.example\"]\n";
    served_by(&(lists + plain))
}

#[test]
fn a_kill_switch_goes_on_answering_when_its_authority_has_ended_and_is_not_recorded() {
    let mut book = armed();
    let after: Timestamp = "2026-04-01T00:00:00Z".parse().unwrap();
    let modes = |book: &Book| {
        let set = book.view.zones(after);
        set.zones.iter().map(|zone| (zone.apex().as_str().to_owned(), zone.mode())).collect::<Vec<_>>()
    };
    let [login, mail] =
        ["login-harbour.example", "mail-harbour.example"].map(|name| (name.to_owned(), ServiceMode::Collect));
    assert_eq!(modes(&book), [login.clone(), mail.clone(), ("plain.example".to_owned(), ServiceMode::Hold)]);
    for zone in &book.view.zones(after).zones {
        assert!(zone.coverage().has_lapsed(after), "nothing may be recorded under it");
    }
    let body = Body::OrderLapsed { case: case("c-1"), order: OrderId::parse("o-c-1").unwrap() };
    let fact = Draft::new(Actor::Room { name: "docket".into() }, body).at(book.view.next, after);
    book.view.apply(&fact, |_| None).unwrap();
    let held = ("plain.example".to_owned(), ServiceMode::Hold);
    assert_eq!(modes(&book), [login, mail, held], "a fact that says so changes nothing of it");
    let body =
        Body::OrderVacated { case: case("c-1"), order: OrderId::parse("o-c-1").unwrap(), reason: "appeal".into() };
    let fact = Draft::new(Actor::Room { name: "docket".into() }, body).at(book.view.next, after);
    book.view.apply(&fact, |_| None).unwrap();
    assert_eq!(modes(&book), [], "whoever issued the order may take it back");
}

#[test]
fn a_kill_switch_falls_silent_only_if_somebody_says_so() {
    let mut book = armed();
    let narrow = |names: &[&str], mode, disarm| Command::NarrowService {
        case: case("c-1"),
        names: names.iter().map(|text| name(text)).collect(),
        mode,
        reason: "its owner called".into(),
        disarm,
    };
    let back = narrow(&["login-harbour.example"], ServiceMode::Handback, false);
    let no = refused(&mut book, &back, &as_person("carol"));
    assert_eq!(no.what, "login-harbour[.]example is a kill switch: in handback it no longer answers as one");
    assert!(no.hint.unwrap().contains("--disarm-kill-switch"));
    book.execute(&narrow(&["login-harbour.example"], ServiceMode::Hold, false), &as_person("carol")).unwrap();
    let all = book.execute(&narrow(&[], ServiceMode::Handback, false), &as_person("carol")).unwrap();
    let Done::ServiceNarrowed { names, left_armed, .. } = all else { panic!("{all:?}") };
    assert_eq!((names, left_armed), (1, 2));
    let none_left = refused(&mut book, &narrow(&[], ServiceMode::Handback, false), &as_person("carol"));
    assert!(none_left.what.contains("is a kill switch"), "{none_left:?}");
    let said = book.execute(&narrow(&[], ServiceMode::Handback, true), &as_person("carol")).unwrap();
    let Done::ServiceNarrowed { names, left_armed, .. } = said else { panic!("{said:?}") };
    assert_eq!((names, left_armed), (2, 0));
}

//----------- Captured records -------------------------------------------------------------------------------------

#[test]
fn the_owners_records_are_kept_by_a_person_for_a_listed_name_and_served_when_it_goes_back() {
    let mut book = served("civil-tro");
    let capture = |text: &str, octets: &str, source: &str| Command::CaptureRecords {
        case: case("c-1"),
        name: name(text),
        source: source.into(),
        octets: octets.into(),
        count: 1,
    };
    let kept = capture("login-harbour.example", "www A 192.0.2.1", "the owner's export");
    assert!(refused(&mut book, &kept, &someone()).what.contains("no person's token"));
    for (command, why) in [
        (capture("quay.example", "www A 192.0.2.1", "x"), "case c-1 does not list quay[.]example"),
        (capture("login-harbour.example", "www A 192.0.2.1", " "), "no source was given"),
        (
            capture("login-harbour.example", &"x".repeat(crate::zonefile::ZONE_FILE_OCTETS_MAX + 1), "x"),
            "a file of 4194305 octets with 1 records is not kept",
        ),
    ] {
        assert_eq!(refused(&mut book, &command, &as_person("carol")).what, why);
    }
    assert_eq!(book.execute(&kept, &as_person("carol")).unwrap(), Done::RecordsCaptured { new: true });
    assert_eq!(book.execute(&kept, &as_person("carol")).unwrap(), Done::RecordsCaptured { new: false });
    let file = |book: &Book| book.view.zones(now()).zones[0].captured().copied();
    assert_eq!(file(&book), None, "while it is ours they are not served");
    let (names, reason) = (vec![name("login-harbour.example"), name("mail-harbour.example")], "all go back".into());
    let back = Command::NarrowService { case: case("c-1"), names, mode: ServiceMode::Handback, reason, disarm: false };
    let done = book.execute(&back, &as_person("carol")).unwrap();
    let Done::ServiceNarrowed { without_records, .. } = done else { panic!("{done:?}") };
    assert_eq!(without_records, 1);
    assert_eq!(file(&book), Some(model::Digest::of_bytes(b"www A 192.0.2.1")));
    book.execute(&capture("login-harbour.example", "www A 192.0.2.2", "a newer export"), &as_person("carol")).unwrap();
    assert_eq!(file(&book), Some(model::Digest::of_bytes(b"www A 192.0.2.2")), "the last one counts");
}

#[test]
fn two_people_lift_a_seal_for_good_and_one_does_not() {
    let sealed = text("c-1", "civil-tro")
        .replace("expires =", "sealed_until = { value = 2099-01-01, source = \"the paper\" }\nexpires =");
    let mut book = served_by(&sealed);
    let is_sealed = |book: &Book| book.view.zones(now()).zones[0].is_sealed("2026-03-20".parse().unwrap());
    let ask = Command::RequestUnsealing { case: case("c-1") };
    let Done::ApprovalAsked { requests } = book.execute(&ask, &someone()).unwrap() else { panic!() };
    assert!(refused(&mut book, &ask, &someone()).what.contains("nothing left to ask for"), "once");
    for (who, role, done) in [("alice", Role::Investigator, "HalfApproved"), ("bob", Role::Legal, "OrderUnsealed")] {
        assert!(is_sealed(&book));
        let command = yes(&book, requests[0], role);
        let said = book.execute(&command, &as_person(who)).unwrap();
        assert!(format!("{said:?}").starts_with(done), "{said:?}");
    }
    assert!(!is_sealed(&book));
    assert_eq!(book.view.cases[&case("c-1")].state, model::case::CaseState::Unsealed);
    assert_eq!(refused(&mut book, &ask, &someone()).what, "case c-1 is not sealed");
}

#[test]
fn a_seal_may_be_lifted_after_the_authority_has_ended_and_not_after_its_own_day() {
    let until = "sealed_until = { value = 2026-04-02, source = \"the paper\" }\nexpires =";
    let book = served_by(&text("c-1", "civil-tro").replace("expires =", until));
    let ask = Command::RequestUnsealing { case: case("c-1") };
    let at = |day: &str| decide(&book.view, &ask, &someone(), day.parse().unwrap());
    assert!(at("2026-04-01T23:59:59Z").is_ok(), "it ended on 29 March");
    assert_eq!(at("2026-04-02T00:00:00Z").unwrap_err().what, "case c-1 is not sealed");
}
