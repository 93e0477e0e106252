//! What becomes of names after an amendment: they are looked at, leased to sensors, and served by nobody who was not asked.

use model::check::{Check, Finding, Standing, Verdict};
use store::lease::{Lapse, ZoneBody};

use super::*;
use crate::verify::report::lines;
use crate::verify::{Memory, NameReport};

/// A look at a name in which no parent led to us any more.
fn gone(of: &str) -> NameReport {
    let outcome = NameOutcome::Redirect;
    let finding = |check: &Check| Finding::new(*check, Verdict::Fails, "as the test says", now());
    let findings: Vec<Finding> = Check::of(outcome).iter().map(finding).collect();
    NameReport {
        name: name(of),
        order: order(),
        outcome,
        at: now(),
        standing: Standing::of(outcome, &findings),
        findings,
        undelegated: true,
        ours_otherwise: false,
        returned: false,
        memory: Memory::default(),
    }
}

#[test]
fn a_name_that_left_is_looked_at_with_the_others_until_nobody_leads_here() {
    let mut book = served();
    book.execute(&removing(&[LOGIN]), &as_person("ada")).unwrap();
    let reports = vec![gone(LOGIN), gone(MAIL)];
    let looked = reports.iter().map(|report| report.name.clone()).collect();
    let octets = lines(&reports);
    let pass =
        Command::RecordVerification { case: case("c-1"), order: order(), reports, looked, attested: None, octets };
    book.execute(&pass, &someone()).unwrap();
    let seen = |of| known(&book).verification.undelegated_at(&order(), &name(of));
    assert_eq!((seen(LOGIN), seen(MAIL)), (Some(now()), Some(now())));
    assert!(book.view.without_effect.is_empty());
}

/// A name of whose owner nothing is kept has left its order all the same: its way is told, and its records end.
#[test]
fn a_name_that_left_and_is_held_has_its_way_told_and_its_records_end() {
    use crate::returning::progress;
    let stages = |book: &Book, of: &str| {
        let told = progress(&book.view, known(book), &name(of), Some(30));
        let done = told.stages.iter().map(|stage| (stage.stage.clone(), stage.done)).collect::<BTreeMap<_, _>>();
        (told, done)
    };
    let mut book = served();
    book.execute(&removing(&[LOGIN]), &as_person("ada")).unwrap();
    let (told, done) = stages(&book, LOGIN);
    assert_eq!(
        (told.returned, told.by, told.reason.as_deref()),
        (Some(now()), PersonId::parse("ada").ok(), Some("the paper"))
    );
    assert_eq!((done["handback"], done["confirmed"], done["purged"]), (false, false, false));
    assert!(told.stages.iter().any(|stage| stage.what.contains("is purged on 2026-04-20")), "{:?}", told.stages);
    let confirm = Command::ConfirmNarrowing { case: case("c-1"), narrowing: None, note: None };
    book.execute(&confirm, &as_person("bea")).unwrap();
    assert!(stages(&book, LOGIN).1["confirmed"]);

    let mut book = served();
    let both = format!(
        "{}[[add]]\nsource = \"x\"\nnames = [\"{NEW}\"]\n[[remove]]\nsource = \"x\"\nnames = [\"{LOGIN}\"]\n",
        head("amended")
    );
    let request = proposed(book.execute(&file(&both), &as_person("ada")).unwrap());
    pass_the_gate(&mut book);
    yes(&mut book, request, "ada").unwrap();
    yes(&mut book, request, "bea").unwrap();
    assert!(stages(&book, LOGIN).1["confirmed"], "two people had said yes");
}

#[test]
fn a_sensor_holds_the_name_that_left_and_goes_on_with_the_others_of_its_order() {
    let mut book = served();
    book.execute(&removing(&[LOGIN]), &as_person("ada")).unwrap();
    let body = ZoneBody::of(&book.view.zones(now()), Lapse::Refuse, now());
    let lapsed = |of: &str| {
        let group = body.groups.iter().find(|group| group.names.iter().any(|leased| leased.name == name(of)));
        group.map(|group| group.lapsed)
    };
    assert_eq!((lapsed(LOGIN), lapsed(MAIL)), (Some(true), Some(false)));
}

#[test]
fn nothing_is_led_here_that_nobody_would_answer_for() {
    let mut book = served();
    let acts = format!("[[change]]\nsource = \"the paper\"\nacts = [\"delegate\"]\nnames = [\"{LOGIN}\"]\n");
    let refusal = book.execute(&file(&(head("amended") + &acts)), &as_person("ada")).unwrap_err();
    assert!(refusal.what.contains("nobody would answer for it"), "{refusal}");
    assert_eq!(zones(&book)[LOGIN], ServiceMode::Collect);
}

#[test]
fn a_name_that_went_back_before_it_was_served_is_not_served_with_the_others() {
    let mut book = served();
    let request = proposed(book.execute(&adding("amended", &[NEW]), &as_person("ada")).unwrap());
    pass_the_gate(&mut book);
    yes(&mut book, request, "ada").unwrap();
    yes(&mut book, request, "bea").unwrap();
    let ask = Command::RequestApproval { case: case("c-1") };
    let Done::ApprovalAsked { requests } = book.execute(&ask, &as_person("ada")).unwrap() else { panic!() };
    yes(&mut book, requests[0], "ada").unwrap();
    let back = Body::SeizureMoved { case: case("c-1"), names: vec![name(NEW)], to: Seizure::Returned };
    book.append(back, &someone()).unwrap();
    assert!(yes(&mut book, requests[0], "bea").is_err(), "what was shown is not what would be served");
    assert_eq!(zones(&book).get(NEW), None);
}
