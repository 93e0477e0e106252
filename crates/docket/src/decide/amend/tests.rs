use std::collections::{BTreeMap, BTreeSet};

use model::fact::Body;
use model::id::PersonId;
use model::seizure::Seizure;

use super::*;
use crate::casefile::amend;
use crate::command::Command;
use crate::custody::tests::served;
use crate::decide::book::*;

mod afterwards;
mod sets;

const LOGIN: &str = "login-harbour.example";
const MAIL: &str = "mail-harbour.example";
const NEW: &str = "new-harbour.example";

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn order() -> OrderId {
    OrderId::parse("o-c-1").unwrap()
}

fn file(text: &str) -> Command {
    let text = format!("[amendment]\norder = \"o-c-1\"\n{text}");
    let file = Box::new(amend::parse(&text).unwrap_or_else(|faults| panic!("{faults:?}")));
    Command::AmendOrder { case: case("c-1"), file, text }
}

fn head(kind: &str) -> String {
    format!("kind = \"{kind}\"\nsource = \"the paper\"\nissued = {{ value = 2026-03-18, source = \"the paper\" }}\n")
}

fn adding(kind: &str, names: &[&str]) -> Command {
    let list = format!("[[add]]\nsource = \"its Appendix A\"\ncriteria = [\"imitates HARBOUR\"]\nnames = {names:?}\n");
    file(&(head(kind) + &list))
}

fn removing(names: &[&str]) -> Command {
    file(&format!("{}[[remove]]\nsource = \"the paper\"\nnames = {names:?}\n", head("amended")))
}

fn pass_the_gate(book: &mut Book) {
    let known = &book.view.cases[&case("c-1")];
    let (orders, report) = (known.proposed_digests(), b"nothing".to_vec());
    let (case, digest) = (known.terms.id.clone(), model::Digest::of_bytes(&report));
    let run = model::gate::GateRun {
        case,
        orders,
        names: 4,
        tables: Vec::new(),
        looked: BTreeSet::new(),
        report: digest,
        warnings: Vec::new(),
        stops: Vec::new(),
    };
    book.execute(&Command::RecordGate { run: Box::new(run), report }, &someone()).unwrap();
}

fn yes(book: &mut Book, request: RequestId, who: &str) -> Result<Done, Refusal> {
    let role = if who == "ada" { Role::Investigator } else { Role::Legal };
    let shown = book.shown(request);
    book.execute(&Command::GiveApproval { request, role, shown }, &as_person(who))
}

fn proposed(done: Done) -> RequestId {
    let Done::AmendmentProposed { request, .. } = done else { panic!("{done:?}") };
    request
}

fn known(book: &Book) -> &CaseView {
    &book.view.cases[&case("c-1")]
}

fn zones(book: &Book) -> BTreeMap<String, ServiceMode> {
    book.view.zones(now()).zones.iter().map(|zone| (zone.apex().as_str().to_owned(), zone.mode())).collect()
}

/// The story: two people let names come in, and until both have said yes nothing is other than before.
#[test]
fn names_come_in_by_two_people_and_begin_at_ordered_while_the_others_stay_where_they_are() {
    let mut book = served();
    let steady = Body::SeizureMoved { case: case("c-1"), names: vec![name(LOGIN)], to: Seizure::Verified };
    book.append(steady, &someone()).unwrap();
    let before = zones(&book);
    let request = proposed(book.execute(&adding("amended", &[NEW]), &as_person("ada")).unwrap());
    let shown = Shown::of(
        known(&book),
        &known(&book).orders[&order()],
        book.view.approvals.get(request).unwrap().request.what.clone(),
    );
    let text = shown.to_text();
    for says in [
        "version       1 → 2, amended",
        "+ come in, 1 name: redirect",
        "new-harbour[.]example",
        "meets: imitates HARBOUR",
    ] {
        assert!(text.contains(says), "{says}\n{text}");
    }
    assert!(!text.contains("login-harbour"), "what stays is not said again:\n{text}");
    yes(&mut book, request, "ada").unwrap();
    assert_eq!(zones(&book), before);
    let refusal = yes(&mut book, request, "bea").unwrap_err();
    assert!(refusal.what.contains("the harm gate holds case c-1"), "{refusal}");
    assert_eq!((known(&book).orders[&order()].version(), zones(&book)), (1, before.clone()));
    pass_the_gate(&mut book);
    let done = yes(&mut book, request, "bea").unwrap();
    assert!(matches!(done, Done::OrderAmended { version: 2, added: 1, removed: 0, .. }), "{done:?}");
    assert_eq!(zones(&book), before, "in the order, and not served");
    let at = |book: &Book, text: &str| known(book).names.get(&name(text)).unwrap();
    assert_eq!((at(&book, NEW).seizure, at(&book, NEW).mode), (Seizure::Ordered, None));
    assert_eq!(at(&book, LOGIN).seizure, Seizure::Verified);
    assert_eq!(known(&book).names.len(), 4);
    let Done::ApprovalAsked { requests } =
        book.execute(&Command::RequestApproval { case: case("c-1") }, &as_person("ada")).unwrap()
    else {
        panic!()
    };
    assert_eq!(requests.len(), 1, "serving the names that came in, and nothing else");
    yes(&mut book, requests[0], "ada").unwrap();
    let done = yes(&mut book, requests[0], "bea").unwrap();
    assert!(matches!(done, Done::NamesServed { names: 1, .. }), "{done:?}");
    assert_eq!(zones(&book).get(NEW), Some(&ServiceMode::Collect));
    assert_eq!(zones(&book).len(), 3);
    assert!(book.execute(&Command::RequestApproval { case: case("c-1") }, &as_person("ada")).is_err());
    assert!(book.view.without_effect.is_empty());
}

#[test]
fn serving_what_came_in_does_not_widen_what_one_person_held() {
    let mut book = served();
    let hold = Command::NarrowService {
        case: case("c-1"),
        names: vec![name(LOGIN)],
        mode: ServiceMode::Hold,
        reason: "its owner called".into(),
        disarm: false,
    };
    book.execute(&hold, &as_person("ada")).unwrap();
    let request = proposed(book.execute(&adding("amended", &[NEW]), &as_person("ada")).unwrap());
    pass_the_gate(&mut book);
    yes(&mut book, request, "ada").unwrap();
    yes(&mut book, request, "bea").unwrap();
    let asked = book.execute(&Command::RequestApproval { case: case("c-1") }, &as_person("ada")).unwrap();
    let Done::ApprovalAsked { requests } = asked else { panic!() };
    yes(&mut book, requests[0], "ada").unwrap();
    yes(&mut book, requests[0], "bea").unwrap();
    let zones = zones(&book);
    assert_eq!(
        (zones[LOGIN], zones[NEW], zones[MAIL]),
        (ServiceMode::Hold, ServiceMode::Collect, ServiceMode::Collect)
    );
}

#[test]
fn a_name_that_leaves_is_handed_back_or_held_by_one_person_at_once_and_does_not_go_dark() {
    let mut book = served();
    let records = Command::CaptureRecords {
        case: case("c-1"),
        name: name(LOGIN),
        source: "the zone file".into(),
        octets: b"$ORIGIN login-harbour.example.\n@ 300 IN A 192.0.2.7\n".to_vec(),
        count: 1,
    };
    book.execute(&records, &as_person("ada")).unwrap();
    let done = book.execute(&removing(&[LOGIN, "held-harbour.example"]), &as_person("ada")).unwrap();
    assert!(matches!(done, Done::OrderAmended { version: 2, removed: 2, handed_back: 1, held: 0, .. }), "{done:?}");
    assert_eq!(zones(&book)[LOGIN], ServiceMode::Handback);
    assert_eq!(known(&book).names.get(&name(LOGIN)).unwrap().seizure, Seizure::Returned);
    assert_eq!(known(&book).names.get(&name("held-harbour.example")).unwrap().seizure, Seizure::Released);
    let waits: Vec<_> = crate::due::unconfirmed(known(&book)).map(|(_, one)| one.told()).collect();
    assert_eq!(waits, ["order o-c-1 to version 2, which does less with 2 names"]);
    let confirm = Command::ConfirmNarrowing { case: case("c-1"), narrowing: None, note: None };
    assert!(book.execute(&confirm, &as_person("ada")).is_err(), "one's own is confirmed by somebody else");
    book.execute(&confirm, &as_person("bea")).unwrap();

    let mut book = served();
    let done = book.execute(&removing(&[LOGIN]), &as_person("ada")).unwrap();
    assert!(matches!(done, Done::OrderAmended { handed_back: 0, held: 1, .. }), "{done:?}");
    assert_eq!(zones(&book)[LOGIN], ServiceMode::Hold, "nobody kept the owner's records");
}

#[test]
fn what_moved_since_a_version_is_told_as_it_stood_then_and_stands_now() {
    let mut book = served();
    let request = proposed(book.execute(&adding("amended", &[NEW]), &as_person("ada")).unwrap());
    pass_the_gate(&mut book);
    yes(&mut book, request, "ada").unwrap();
    yes(&mut book, request, "bea").unwrap();
    book.execute(&removing(&[MAIL]), &as_person("ada")).unwrap();
    let since = |book: &Book, version| -> Vec<(String, bool, bool)> {
        let moved = known(book).moved_since(&known(book).orders[&order()], version);
        moved.iter().map(|one| (one.name.as_str().to_owned(), one.before.is_some(), one.now.is_some())).collect()
    };
    let (left, came) = ((MAIL.to_owned(), true, false), (NEW.to_owned(), false, true));
    assert_eq!(since(&book, 1), [left.clone(), came]);
    assert_eq!(since(&book, 2), std::slice::from_ref(&left));
    assert!(since(&book, 3).is_empty());
    book.execute(&removing(&[NEW]), &as_person("ada")).unwrap();
    assert_eq!(since(&book, 1), [left], "what came in and left again is no news to who knows the first version");
    assert_eq!(since(&book, 3), [(NEW.to_owned(), true, false)]);
}

#[test]
fn what_widens_and_what_is_wrong_is_refused_with_what_to_do() {
    let mut book = served();
    let refused = |book: &mut Book, command: &Command, who: &Actor, why: &str| {
        let refusal = book.execute(command, who).unwrap_err();
        assert!(refusal.to_string().contains(why), "{refusal} is not: {why}");
    };
    let ada = as_person("ada");
    refused(&mut book, &adding("amended", &[NEW]), &someone(), "takes a person");
    refused(&mut book, &adding("amended", &[LOGIN]), &ada, "is in order o-c-1 already");
    refused(&mut book, &removing(&[NEW]), &ada, "is not in order o-c-1");
    let late = file(&(head("amended") + "expires = { value = 2026-03-19T17:00:00-04:00, source = \"the paper\" }\n"));
    refused(&mut book, &late, &ada, "lapsed at 2026-03-19T17:00:00-04:00");
    let undated =
        file("kind = \"amended\"\nsource = \"x\"\n[[remove]]\nsource = \"x\"\nnames = [\"login-harbour.example\"]\n");
    refused(&mut book, &undated, &ada, "does not say `issued`");
    let unmet = file(&(head("supplemental") + "[[add]]\nsource = \"x\"\nnames = [\"new-harbour.example\"]\n"));
    refused(&mut book, &unmet, &ada, "nothing says why they may");
    book.execute(&import(&text("c-2", "civil-tro").replace("-harbour.", "-haven.")), &someone()).unwrap();
    for taken in ["login-haven.example", "www.login-haven.example"] {
        refused(&mut book, &adding("amended", &[taken]), &ada, "cannot be ordered here");
    }
    proposed(book.execute(&adding("amended", &[NEW]), &ada).unwrap());
    refused(&mut book, &removing(&[LOGIN]), &ada, "version 2 of order o-c-1 is proposed and waits");
    let back = Command::WithdrawAmendment { case: case("c-1"), order: order(), reason: "the wrong file".into() };
    book.execute(&back, &ada).unwrap();
    refused(&mut book, &back, &ada, "no amendment of order o-c-1 is proposed");
    let done = book.execute(&removing(&[LOGIN]), &ada).unwrap();
    assert!(matches!(done, Done::OrderAmended { version: 3, .. }), "a number is used once: {done:?}");
    let skipped = Body::OrderAmended { case: case("c-1"), order: order(), version: 4, request: None };
    assert!(book.append(skipped, &ada).is_err(), "the fold asks the law again");
}

/// Who tries names learns of no case by it: a draft and a sealed one, seen or not, give one text. The log alone says which.
#[test]
fn the_refusal_of_a_name_of_another_case_is_the_same_whatever_that_case_is() {
    let other = |seal: &str| {
        let text = text("c-2", "civil-tro").replace("-harbour.", "-haven.");
        text.replace("expires =", &format!("{seal}expires ="))
    };
    let sealed = "sealed_until = { value = 2099-01-01, source = \"the paper\" }\n";
    let mut said = BTreeSet::new();
    for (seal, by) in [("", "ada"), ("", "bea"), (sealed, "ada"), (sealed, "bea")] {
        let mut book = served();
        book.execute(&import(&other(seal)), &as_person(by)).unwrap();
        let refusal = book.execute(&adding("amended", &["login-haven.example"]), &as_person("ada")).unwrap_err();
        assert!(refusal.detail.as_ref().unwrap().ends_with("under order o-c-2 of case c-2"), "{refusal:?}");
        said.insert((refusal.what, refusal.hint));
    }
    assert_eq!(said.len(), 1, "{said:?}");
    let (what, hint) = said.pop_first().unwrap();
    assert_eq!(what, "login-haven[.]example cannot be ordered here");
    assert!(!hint.unwrap().contains("case"));
}

fn changing_effect(of: &str) -> String {
    format!("[[change]]\nsource = \"the paper\"\nanswer_effect = \"kill-switch\"\nnames = [\"{of}\"]\n")
}

#[test]
fn a_kill_switch_that_comes_back_as_something_else_is_shown_as_what_it_was() {
    let mut book = served();
    let request =
        proposed(book.execute(&file(&(head("amended") + &changing_effect(LOGIN))), &as_person("ada")).unwrap());
    yes(&mut book, request, "ada").unwrap();
    yes(&mut book, request, "bea").unwrap();
    book.execute(&removing(&[LOGIN]), &as_person("ada")).unwrap();
    let list = format!("[[add]]\nsource = \"its Appendix A\"\noutcome = \"hold\"\nnames = [\"{LOGIN}\", \"{NEW}\"]\n");
    let request = proposed(book.execute(&file(&(head("amended") + &list)), &as_person("ada")).unwrap());
    let what = book.view.approvals.get(request).unwrap().request.what.clone();
    let text = Shown::of(known(&book), &known(&book).orders[&order()], what).to_text();
    let back = text.split("! come back: an earlier version took them out, 1 name").nth(1).expect(&text);
    for says in ["outcome: redirect → hold", "WAS A KILL SWITCH", "login-harbour[.]example"] {
        assert!(back.contains(says), "{says}\n{text}");
    }
    assert!(!back.contains("new-harbour"), "what was never there does not come back:\n{text}");
    assert!(text.contains("something else is done to names; what an answer sets off is said anew"), "{text}");
}

#[test]
fn a_name_and_one_below_it_are_ordered_alike_or_not_at_all() {
    let child = "www.login-harbour.example";
    let with = |outcome: &str| {
        let list = format!("[[add]]\nsource = \"x\"\noutcome = \"{outcome}\"\nnames = [\"{child}\"]\n");
        file(&(head("amended") + &list))
    };
    let mut book = served();
    let refusal = book.execute(&with("hold"), &as_person("ada")).unwrap_err();
    assert_eq!(
        refusal.what,
        "order o-c-1 contradicts itself: www[.]login-harbour[.]example as hold, and login-harbour[.]example above it as redirect"
    );
    assert!(refusal.hint.unwrap().contains("leave www[.]login-harbour[.]example out"));
    proposed(book.execute(&with("redirect"), &as_person("ada")).unwrap());

    let text = |outcome: &str, below: &str| {
        let lists = format!(
            "outcome = \"{outcome}\"\nnames = [\"held-harbour.example\"]\n[[list]]\norder = \"o-c-9\"\nsource = \"x\"\noutcome = \"{below}\"\nnames = [\"a.held-harbour.example\"]\n"
        );
        crate::decide::book::text("c-9", "civil-tro")
            .replace("outcome = \"hold\"\nnames = [\"held-harbour.example\"]\n", &lists)
    };
    for (above, below, is_taken) in [
        ("hold", "hold", true),
        ("hold", "redirect", false),
        ("redirect", "provider-removal", false),
        ("delete", "hold", false),
        ("lock-only", "redirect", true),
        ("lock-only", "provider-removal", true),
        ("transfer", "hold", true),
    ] {
        let mut book = Book::default();
        let done = book.execute(&import(&text(above, below)), &someone());
        assert_eq!(done.is_ok(), is_taken, "{above} above {below}: {done:?}");
    }
}

#[test]
fn nothing_takes_effect_by_a_fact_alone_when_it_widens() {
    let mut book = served();
    let request = proposed(book.execute(&adding("amended", &[NEW]), &as_person("ada")).unwrap());
    yes(&mut book, request, "ada").unwrap();
    for request in [None, Some(request)] {
        let forged = Body::OrderAmended { case: case("c-1"), order: order(), version: 2, request };
        assert!(book.append(forged, &as_person("ada")).is_err());
    }
    assert_eq!(known(&book).orders[&order()].version(), 1);
}

#[test]
fn what_two_people_read_is_bound_to_the_base_and_to_the_difference() {
    let mut digests = BTreeSet::new();
    for names in [&[NEW][..], &[NEW, "next-harbour.example"]] {
        let mut book = served();
        let request = proposed(book.execute(&adding("amended", names), &as_person("ada")).unwrap());
        digests.insert(book.shown(request));
        let changed = Command::NarrowService {
            case: case("c-1"),
            names: vec![name(LOGIN)],
            mode: ServiceMode::Hold,
            reason: "its owner called".into(),
            disarm: false,
        };
        book.execute(&changed, &as_person("ada")).unwrap();
        yes(&mut book, request, "ada").unwrap();
    }
    let mut book = served();
    book.execute(&removing(&[MAIL]), &as_person("ada")).unwrap();
    let request = proposed(book.execute(&adding("amended", &[NEW]), &as_person("ada")).unwrap());
    digests.insert(book.shown(request));
    assert_eq!(digests.len(), 3, "another base, another difference: another digest");
}

/// The monitor's window: proposed by rule, confirmed by counsel, or the monitor's word on record.
#[test]
fn no_name_comes_in_before_the_window_is_past_or_the_monitor_has_said_that_it_does_not_object() {
    let begin = || {
        let mut book = Book::default();
        book.execute(&import(&text("c-1", "injunction")), &someone()).unwrap();
        for (id, role) in [("ada", Role::Investigator), ("bea", Role::Legal)] {
            book.execute(&Command::EnrolPerson { person: person(id, &[role], false) }, &someone()).unwrap();
        }
        let asked = book.execute(&Command::RequestApproval { case: case("c-1") }, &someone()).unwrap();
        let Done::ApprovalAsked { requests } = asked else { panic!() };
        for request in requests {
            for who in ["ada", "bea"] {
                yes(&mut book, request, who).unwrap();
            }
        }
        let silent = book.execute(&adding("supplemental", &[NEW]), &as_person("ada")).unwrap_err();
        assert!(silent.what.contains("no window is said"), "{silent}");
        let window = "objection = { from = 2026-03-18, days = 4 }\n";
        let list = "[[add]]\nsource = \"A\"\ncriteria = [\"imitates HARBOUR\"]\nnames = [\"new-harbour.example\"]\n";
        let command = file(&(head("supplemental") + window + list));
        let request = proposed(book.execute(&command, &as_person("ada")).unwrap());
        pass_the_gate(&mut book);
        yes(&mut book, request, "ada").unwrap();
        (book, request)
    };
    let dues = |book: &Book| {
        let all = crate::due::dues(&book.view, book.view.cases.values(), now());
        all.into_iter().filter(|due| due.what.contains("objection-window-2")).map(|due| due.what).collect::<Vec<_>>()
    };
    let say = |objected| Command::NoteObjection { case: case("c-1"), order: order(), objected, note: "by mail".into() };

    let (mut book, request) = begin();
    assert!(dues(&book)[0].contains("NOT CONFIRMED by counsel"), "{:?}", dues(&book));
    let refusal = yes(&mut book, request, "bea").unwrap_err();
    assert!(refusal.what.contains("has not confirmed the end of the window"), "{refusal}");
    let (what, date, note) = ("objection-window-2".to_owned(), None, None);
    book.execute(&Command::ConfirmDate { case: case("c-1"), order: order(), what, date, note }, &as_person("bea"))
        .unwrap();
    let refusal = yes(&mut book, request, "bea").unwrap_err();
    assert_eq!(refusal.what, "the monitor may object until 2026-03-22");
    let (role, shown) = (Role::Legal, book.shown(request));
    let give = Command::GiveApproval { request, role, shown };
    // The last instant of that day, anywhere on earth.
    let done = book.execute_at(&give, &as_person("bea"), "2026-03-23T12:00:00Z".parse().unwrap()).unwrap();
    assert!(matches!(done, Done::OrderAmended { version: 2, .. }), "{done:?}");
    assert!(dues(&book).is_empty(), "the window is history");

    let (mut book, request) = begin();
    assert!(book.execute(&say(false), &as_person("ada")).unwrap_err().what.contains("counsel's to record"));
    book.execute(&say(false), &as_person("bea")).unwrap();
    yes(&mut book, request, "bea").unwrap();

    let (mut book, request) = begin();
    book.execute(&say(true), &as_person("bea")).unwrap();
    assert!(yes(&mut book, request, "bea").is_err(), "an objection ends it");
    let versions = known(&book).amendments.of(&order()).unwrap();
    assert_eq!(versions.history[0].withdrawn.as_deref(), Some("the court's monitor objected"));
    assert!(versions.pending.is_none() && known(&book).orders[&order()].version() == 1);
}

#[test]
fn a_draft_is_amended_by_one_person_and_the_two_are_asked_about_what_it_says_then() {
    let mut book = Book::default();
    book.execute(&import(&text("c-1", "civil-tro")), &someone()).unwrap();
    book.execute(&Command::EnrolPerson { person: person("ada", &[Role::Investigator], false) }, &someone()).unwrap();
    book.execute(&Command::RequestApproval { case: case("c-1") }, &someone()).unwrap();
    let done = book.execute(&removing(&[MAIL]), &as_person("ada")).unwrap();
    assert!(matches!(done, Done::OrderAmended { binds: false, held: 0, .. }), "{done:?}");
    assert!(known(&book).names.get(&name(MAIL)).is_none() && known(&book).names.len() == 2);
    assert!(book.view.approvals.iter().all(|standing| standing.void), "what was asked is void");
    let asked = book.execute(&Command::RequestApproval { case: case("c-1") }, &someone()).unwrap();
    assert!(matches!(asked, Done::ApprovalAsked { requests } if requests.len() == 2));
    assert!(crate::due::unconfirmed(known(&book)).next().is_none());
}

/// The amendment that is shipped, from the file to names that are served and one that is back with its owner.
#[test]
fn the_shipped_amendment_fits_the_shipped_exercise() {
    let mut book = Book::default();
    for (id, role) in [("ada", Role::Investigator), ("bea", Role::Legal)] {
        book.execute(&Command::EnrolPerson { person: person(id, &[role], true) }, &someone()).unwrap();
    }
    let id = case("phosphorus-2019");
    book.execute(&import(include_str!("../../../../../cases/phosphorus-2019.toml")), &as_person("ada")).unwrap();
    let both = |book: &mut Book| {
        let asked = book.execute(&Command::RequestApproval { case: id.clone() }, &as_person("ada")).unwrap();
        let Done::ApprovalAsked { requests } = asked else { panic!() };
        for request in requests {
            yes(book, request, "ada").unwrap();
            yes(book, request, "bea").unwrap();
        }
    };
    both(&mut book);
    assert_eq!(zones(&book).len(), 98);
    let text = include_str!("../../../../../cases/phosphorus-2019-supplement.toml").to_owned();
    let file = Box::new(amend::parse(&text).unwrap());
    let order = file.order.clone();
    let command = Command::AmendOrder { case: id.clone(), file, text };
    let request = proposed(book.execute(&command, &as_person("ada")).unwrap());
    let heard = Command::NoteObjection { case: id.clone(), order, objected: false, note: "by telephone".into() };
    book.execute(&heard, &as_person("bea")).unwrap();
    let known = &book.view.cases[&id];
    let (orders, report) = (known.proposed_digests(), b"nothing".to_vec());
    let digest = model::Digest::of_bytes(&report);
    let (tables, warnings, stops) = (Vec::new(), Vec::new(), Vec::new());
    let run = model::gate::GateRun {
        case: id.clone(),
        orders,
        names: 99,
        tables,
        looked: BTreeSet::new(),
        report: digest,
        warnings,
        stops,
    };
    book.execute(&Command::RecordGate { run: Box::new(run), report }, &someone()).unwrap();
    yes(&mut book, request, "ada").unwrap();
    let done = yes(&mut book, request, "bea").unwrap();
    assert!(matches!(done, Done::OrderAmended { version: 2, added: 2, removed: 1, held: 1, .. }), "{done:?}");
    both(&mut book);
    let zones = zones(&book);
    assert_eq!((zones.len(), zones["outlook-verify.net"]), (100, ServiceMode::Hold));
    assert_eq!(zones["outlook-signin.example"], ServiceMode::Collect);
}
