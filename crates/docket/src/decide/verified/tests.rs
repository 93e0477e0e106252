use model::check::{Attestation, Finding};
use model::id::PersonId;
use model::person::Role;
use model::seizure::ServiceMode;

use super::*;
use crate::command::Command;
use crate::decide::book::{Book, as_person, case, import, now, person, someone, text};
use crate::verify::Memory;
use crate::verify::report::lines;

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

/// A real order in force, its names served.
fn in_force() -> Book {
    let mut book = Book::default();
    for (id, role) in [("ines", Role::Investigator), ("lars", Role::Legal)] {
        book.execute(&Command::EnrolPerson { person: person(id, &[role], false) }, &someone()).unwrap();
    }
    book.execute(&import(&text("harbour", "civil-tro")), &someone()).unwrap();
    let asked = book.execute(&Command::RequestApproval { case: case("harbour") }, &as_person("ines")).unwrap();
    let Done::ApprovalAsked { requests } = asked else { panic!("{asked:?}") };
    for request in requests {
        for (id, role) in [("ines", Role::Investigator), ("lars", Role::Legal)] {
            let shown = book.shown(request);
            book.execute(&Command::GiveApproval { request, role, shown }, &as_person(id)).unwrap();
        }
    }
    book
}

/// A report in which every check comes to the same.
fn report(of: &str, outcome: NameOutcome, verdict: Verdict, undelegated: bool) -> NameReport {
    let findings: Vec<Finding> =
        Check::of(outcome).iter().map(|check| Finding::new(*check, verdict, "as the test says", now())).collect();
    NameReport {
        name: name(of),
        order: OrderId::parse("o-harbour").unwrap(),
        outcome,
        at: now(),
        standing: Standing::of(outcome, &findings),
        findings,
        undelegated,
        ours_otherwise: false,
        returned: false,
        memory: Memory::default(),
    }
}

fn recorded(book: &mut Book, reports: Vec<NameReport>) -> Result<Done, Refusal> {
    book.execute(&recording(reports), &someone())
}

fn recording(reports: Vec<NameReport>) -> Command {
    let looked = reports.iter().map(|report| report.name.clone()).collect();
    let (octets, order) = (lines(&reports), OrderId::parse("o-harbour").unwrap());
    Command::RecordVerification { case: case("harbour"), order, reports, looked, attested: None, octets }
}

fn aged(report: NameReport, mins: i64) -> NameReport {
    NameReport { at: now() - jiff::SignedDuration::from_mins(mins), ..report }
}

fn seizure(book: &Book, of: &str) -> Seizure {
    book.view.cases[&case("harbour")].names.get(&name(of)).unwrap().seizure
}

fn off(book: &mut Book, of: &str) -> Result<Done, Refusal> {
    let (names, reason) = (vec![name(of)], "the registry has undone it".to_owned());
    let command =
        Command::NarrowService { case: case("harbour"), names, mode: ServiceMode::Off, reason, disarm: false };
    book.execute(&command, &as_person("ines"))
}

#[test]
fn names_move_as_far_as_was_seen_and_a_pass_says_how_many() {
    let mut book = in_force();
    let mut partial = report("login-harbour.example", NameOutcome::Redirect, Verdict::Fails, false);
    partial.findings[0].in_part = true;
    let reports = vec![
        report("held-harbour.example", NameOutcome::Hold, Verdict::Holds, false),
        partial,
        report("mail-harbour.example", NameOutcome::Redirect, Verdict::Fails, false),
    ];
    recorded(&mut book, reports).unwrap();
    assert_eq!(seizure(&book, "held-harbour.example"), Seizure::Verified);
    assert_eq!(seizure(&book, "login-harbour.example"), Seizure::Partial);
    assert_eq!(seizure(&book, "mail-harbour.example"), Seizure::Ordered, "nothing of it was seen");
    let view = &book.view.cases[&case("harbour")].verification;
    let made = &view.passes.values().next().unwrap().made;
    assert_eq!((made.holds, made.fails, made.undecided), (1, 2, 0));
    recorded(&mut book, vec![report("login-harbour.example", NameOutcome::Redirect, Verdict::Holds, false)]).unwrap();
    assert_eq!(seizure(&book, "login-harbour.example"), Seizure::Verified);
    recorded(&mut book, vec![report("login-harbour.example", NameOutcome::Redirect, Verdict::Fails, false)]).unwrap();
    assert_eq!(seizure(&book, "login-harbour.example"), Seizure::Verified, "what drifts is told by an alarm");
}

#[test]
fn an_order_that_is_a_draft_has_no_seizure_to_verify() {
    let mut book = Book::default();
    book.execute(&import(&text("harbour", "civil-tro")), &someone()).unwrap();
    let refusal =
        recorded(&mut book, vec![report("mail-harbour.example", NameOutcome::Redirect, Verdict::Holds, false)]);
    assert!(refusal.unwrap_err().what.contains("not in force"));
}

#[test]
fn a_demos_person_verifies_no_real_case() {
    let mut book = in_force();
    book.execute(&Command::EnrolPerson { person: person("dora", &[Role::Investigator], true) }, &someone()).unwrap();
    let refusal = may_verify(&book.view, &case("harbour"), &as_person("dora")).err().unwrap();
    assert!(refusal.what.contains("no exercise"), "{refusal:?}");
    assert!(may_verify(&book.view, &case("harbour"), &as_person("ines")).is_ok());
    assert!(may_verify(&book.view, &case("harbour"), &someone()).is_ok());
}

#[test]
fn a_real_name_goes_off_only_once_no_parent_delegates_it() {
    let mut book = in_force();
    assert!(off(&mut book, "mail-harbour.example").unwrap_err().what.contains("nobody has seen"));
    recorded(&mut book, vec![report("mail-harbour.example", NameOutcome::Redirect, Verdict::Fails, true)]).unwrap();
    assert!(off(&mut book, "login-harbour.example").unwrap_err().what.contains("nobody has seen"), "another name");
    off(&mut book, "mail-harbour.example").unwrap();
    let known = book.view.cases[&case("harbour")].names.get(&name("mail-harbour.example")).unwrap();
    assert_eq!(known.mode, Some(ServiceMode::Off));
}

#[test]
fn a_later_pass_that_sees_a_delegation_takes_the_leave_back() {
    let mut book = in_force();
    recorded(&mut book, vec![report("mail-harbour.example", NameOutcome::Redirect, Verdict::Fails, true)]).unwrap();
    recorded(&mut book, vec![report("mail-harbour.example", NameOutcome::Redirect, Verdict::Fails, false)]).unwrap();
    assert!(off(&mut book, "mail-harbour.example").is_err());
}

#[test]
fn an_old_look_moves_no_name_and_gives_no_leave() {
    let mut book = in_force();
    let gone = || report("mail-harbour.example", NameOutcome::Redirect, Verdict::Fails, true);
    let held = || report("held-harbour.example", NameOutcome::Hold, Verdict::Holds, false);
    recorded(&mut book, vec![aged(gone(), 61), aged(held(), 61)]).unwrap();
    assert_eq!(seizure(&book, "held-harbour.example"), Seizure::Ordered);
    assert!(off(&mut book, "mail-harbour.example").unwrap_err().what.contains("nobody has seen"));
    recorded(&mut book, vec![aged(gone(), 60), aged(held(), 60)]).unwrap();
    assert_eq!(seizure(&book, "held-harbour.example"), Seizure::Verified);
    off(&mut book, "mail-harbour.example").unwrap();
}

#[test]
fn an_attestation_neither_renews_nor_forgets_that_nobody_delegates_a_name() {
    let gone = || report("mail-harbour.example", NameOutcome::Redirect, Verdict::Fails, true);
    let attesting = |reports| {
        let mut command = recording(reports);
        let Command::RecordVerification { looked, attested, .. } = &mut command else { unreachable!("as made above") };
        (*looked, *attested) = (BTreeSet::new(), Some(name("mail-harbour.example")));
        command
    };
    let leave = |book: &Book| {
        let order = OrderId::parse("o-harbour").unwrap();
        book.view.cases[&case("harbour")].verification.undelegated_at(&order, &name("mail-harbour.example"))
    };
    let mut book = in_force();
    book.execute(&attesting(vec![gone()]), &someone()).unwrap();
    assert_eq!(leave(&book), None, "nobody looked");
    recorded(&mut book, vec![gone()]).unwrap();
    book.execute(&attesting(vec![gone()]), &someone()).unwrap();
    assert_eq!(leave(&book), Some(now()));
    let later = now() + jiff::SignedDuration::from_hours(20);
    let decision = crate::decide::decide(&book.view, &attesting(vec![gone()]), &someone(), later).unwrap();
    let Body::VerificationMade(made) = &decision.drafts[0].body else { panic!("{:?}", decision.drafts) };
    assert_eq!((made.undelegated.is_some(), made.undelegated_at), (true, Some(now())));
}

#[test]
fn what_was_seen_yesterday_lets_nothing_fall_silent() {
    let mut book = in_force();
    recorded(&mut book, vec![report("mail-harbour.example", NameOutcome::Redirect, Verdict::Fails, true)]).unwrap();
    let (names, reason) = (vec![name("mail-harbour.example")], "x".to_owned());
    let command =
        Command::NarrowService { case: case("harbour"), names, mode: ServiceMode::Off, reason, disarm: false };
    let decide = |hours| {
        let later = now() + jiff::SignedDuration::from_hours(hours);
        crate::decide::decide(&book.view, &command, &as_person("ines"), later)
    };
    assert!(decide(24).is_ok());
    assert!(decide(25).unwrap_err().what.contains("last seen"));
}

#[test]
fn a_person_attests_only_what_nobody_can_see_and_only_with_a_document() {
    let mut book = in_force();
    let attest = |book: &mut Book, check, last, octets: &[u8], actor| {
        let (name, octets) = (name("mail-harbour.example"), octets.to_vec());
        book.execute(&Command::AttestCheck { case: case("harbour"), name, check, last, octets }, actor)
    };
    let (lars, nobody) = (as_person("lars"), someone());
    let open = Some(Verdict::NotObservable);
    for (check, last, document, actor, why) in [
        (Check::RdapStatus, open, &b""[..], &lars, "0 octets"),
        (Check::RdapStatus, Some(Verdict::Fails), b"letter", &lars, "was observed and fails"),
        (Check::RdapStatus, None, b"letter", &lars, "never looked at"),
        (Check::Removed, open, b"letter", &lars, "no check of a name whose outcome is redirect"),
        (Check::RdapStatus, open, b"letter", &nobody, "takes a person"),
    ] {
        let refusal = attest(&mut book, check, last, document, actor).unwrap_err();
        assert!(refusal.what.contains(why), "{refusal:?}");
    }
    attest(&mut book, Check::RdapStatus, open, b"letter", &lars).unwrap();
    let attested = &book.view.cases[&case("harbour")].verification.attested;
    let attested: &Attestation = &attested[&(name("mail-harbour.example"), Check::RdapStatus)];
    assert_eq!(attested.document, Digest::of_bytes(b"letter"));
    let open = report("mail-harbour.example", NameOutcome::Redirect, Verdict::NotObservable, false);
    let decided = open.attested(|finding| (finding.check == Check::RdapStatus).then(|| attested.clone()));
    assert_eq!(decided.standing, Standing::Undecided, "the others are open still");
}

#[test]
fn an_attestation_ends_with_the_first_look_that_saw_something() {
    let word = Attestation { person: PersonId::parse("lars").unwrap(), document: Digest([7; 32]), at: now() };
    let later = now() + jiff::SignedDuration::from_hours(1);
    for (since, expected) in [(now(), Standing::Verified), (later, Standing::Undecided)] {
        let mut open = report("mail-harbour.example", NameOutcome::LockOnly, Verdict::NotObservable, false);
        open.findings[0].since = since;
        assert_eq!(open.attested(|_| Some(word.clone())).standing, expected);
    }
}

/// Feeds say `detect` of what is ours: they must hear when it is not.
#[test]
fn a_verified_name_that_is_delegated_elsewhere_is_lost_until_it_is_verified_again() {
    let mut book = in_force();
    let id = name("login-harbour.example");
    let lost = |book: &Book| book.view.cases[&case("harbour")].returning.lost.contains(&id);
    let elsewhere = |verdict| {
        let mut report = report("login-harbour.example", NameOutcome::Redirect, Verdict::Holds, false);
        report.findings[0].verdict = verdict;
        report.standing = Standing::of(NameOutcome::Redirect, &report.findings);
        vec![report]
    };
    recorded(&mut book, elsewhere(Verdict::Fails)).unwrap();
    assert!(!lost(&book), "what was never ours is not lost");
    for (verdict, is_lost) in [
        (Verdict::Holds, false),
        (Verdict::NotObservable, false),
        (Verdict::Fails, true),
        (Verdict::NotObservable, true),
        (Verdict::Holds, false),
    ] {
        recorded(&mut book, elsewhere(verdict)).unwrap();
        assert_eq!(lost(&book), is_lost, "{verdict:?}");
    }
    let told = book.facts.iter().filter(|fact| matches!(fact.body, model::fact::Body::CustodySeen { .. })).count();
    assert_eq!(told, 2, "only what is different is told");
}

/// Whoever looked last is right: a look that verifies the name ends what an alarm of before said of it.
#[test]
fn an_alarm_that_a_later_look_contradicts_loses_nothing() {
    use model::alarm::{Alarm, AlarmKey, AlarmKind};
    let mut book = in_force();
    let well = || vec![report("login-harbour.example", NameOutcome::Redirect, Verdict::Holds, false)];
    recorded(&mut book, well()).unwrap();
    let lost = |book: &Book| !book.view.cases[&case("harbour")].lost_names().is_empty();
    let key = AlarmKey { kind: AlarmKind::Drifted, subject: "login-harbour.example".into(), mark: "ns".into() };
    let alarm = Box::new(Alarm { key, reason: "1 server delegates elsewhere".into(), evidence: None });
    let before = book.view.cases[&case("harbour")].changed;
    book.append(model::fact::Body::AlarmRaised { case: case("harbour"), alarm }, &someone()).unwrap();
    assert!(lost(&book));
    assert!(book.view.cases[&case("harbour")].changed > before, "feeds are made anew");
    recorded(&mut book, well()).unwrap();
    assert!(!lost(&book));
}
