use model::Digest;
use model::gate::{GateRun, NAMED_MAX, Warned};
use model::id::Position;
use model::seizure::ServiceMode;

use crate::command::Command;
use crate::custody::tests::served;
use crate::decide::book::{Book, as_person, case, now, someone};
use crate::watch::tests::turn;

use super::*;

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn run(book: &mut Book, warnings: Vec<Warned>) {
    let known = &book.view.cases[&case("c-1")];
    let (orders, report) = (known.proposed_digests(), b"the report".to_vec());
    let (case, digest) = (known.terms.id.clone(), Digest::of_bytes(&report));
    let run = GateRun {
        case,
        orders,
        names: 3,
        tables: Vec::new(),
        looked: BTreeSet::new(),
        report: digest,
        warnings,
        stops: Vec::new(),
    };
    book.execute(&Command::RecordGate { run: Box::new(run), report }, &someone()).unwrap();
}

fn warned(kind: WarningKind, names: &[&str]) -> Warned {
    let names: BTreeSet<DomainName> = names.iter().map(|text| name(text)).collect();
    Warned { kind, count: names.len() as u64, names }
}

#[test]
fn what_the_gate_found_out_of_reach_gives_alarm_once_and_ends_when_it_is_not_found_again() {
    let mut book = served();
    let (far, shared) = (WarningKind::RegistryOutOfReach, WarningKind::SharedSuffix);
    run(&mut book, vec![warned(far, &["login-harbour.example"]), warned(shared, &["mail-harbour.example"])]);
    assert_eq!(turn(&mut book, now()), ["raised out-of-jurisdiction ", "raised unseizable "]);
    assert_eq!(turn(&mut book, now()), [""; 0], "quiet while nothing changes");
    let open: Vec<Position> = book.view.cases[&case("c-1")].watch.open_alarms().map(|alarm| alarm.number).collect();
    let ack = Command::AcknowledgeAlarm { alarm: open[0], note: "the ccTLD's registry was written to".into() };
    book.execute(&ack, &as_person("ada")).unwrap();
    assert_eq!(turn(&mut book, now()), [""; 0], "known is known");
    run(&mut book, vec![warned(far, &["login-harbour.example"])]);
    assert_eq!(turn(&mut book, now()), ["cleared unseizable "], "the other was acknowledged, and stays so");
    run(&mut book, Vec::new());
    assert_eq!(turn(&mut book, now()), ["cleared out-of-jurisdiction "]);
}

#[test]
fn a_name_that_went_back_gives_no_alarm_and_more_than_a_fact_lists_give_one() {
    let mut book = served();
    run(&mut book, vec![warned(WarningKind::RegistryOutOfReach, &["login-harbour.example"])]);
    assert_eq!(turn(&mut book, now()).len(), 1);
    let narrowed = Command::NarrowService {
        case: case("c-1"),
        names: vec![name("login-harbour.example")],
        mode: ServiceMode::Handback,
        reason: "its owner called".into(),
        disarm: false,
    };
    book.execute(&narrowed, &as_person("ada")).unwrap();
    assert_eq!(turn(&mut book, now()), ["cleared out-of-jurisdiction "]);
    let count = NAMED_MAX as u64 + 1;
    let many = |count| vec![Warned { kind: WarningKind::SharedSuffix, count, names: BTreeSet::new() }];
    run(&mut book, many(count));
    assert_eq!(turn(&mut book, now()), ["raised unseizable many"]);
    run(&mut book, many(count));
    assert_eq!(turn(&mut book, now()), [""; 0]);
}
