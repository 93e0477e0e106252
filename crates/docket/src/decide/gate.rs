//! The harm gate in the law: a run is recorded, counsel decides its warnings, and until then nothing is filed.
//!
//! A rehearsal need not run it. Once it has, its warnings are decided there as anywhere.

use std::collections::BTreeSet;

use model::case::CaseState;
use model::fact::{Actor, Body};
use model::gate::{GateDecided, GateRun, Severity, Vanished, Warned, WarningChoice, WarningKind};
use model::id::{CaseId, Position};
use model::name::DomainName;
use model::person::Role;
use model::{Digest, Refusal};
use serde::Deserialize;
use store::view::{CaseView, View};

use super::{Decision, Done, check_text, known_case, may_prepare, working_on};
use crate::command::Command;
use crate::gate::{Coverage, TableKind};
use crate::shown::counted;

/// Records a run over the orders as they stand.
pub(super) fn record(view: &View, run: &GateRun, report: &[u8], actor: &Actor) -> Result<Decision, Refusal> {
    may_prepare(view, actor)?;
    let case = known_case(view, &run.case)?;
    if run.orders != case.proposed_digests() {
        return Err(
            Refusal::new(format!("the orders of case {} changed while the gate ran", run.case)).hint("run it again")
        );
    }
    if Digest::of_bytes(report) != run.report {
        return Err(Refusal::new("the run names another report than the one that came with it"));
    }
    no_stop_vanishes(case, run, report)?;
    nothing_vanishes(case, run)?;
    let body = Body::GateRun { run: Box::new(run.clone()) };
    Ok(Decision::of(actor, body, Done::GateRecorded { run: view.next }))
}

/// What the report says of the files that were looked into.
#[derive(Deserialize)]
struct LookedInto {
    tables: Vec<Coverage>,
}

/// A name that a table stopped is not let through because nobody gave that table again. A table that was corrected counts:
/// the same orders, the same kind of table, and it does not stop the name any more.
fn no_stop_vanishes(case: &CaseView, run: &GateRun, report: &[u8]) -> Result<(), Refusal> {
    let Some(gate) = case.gate.as_ref().filter(|gate| gate.run.orders == run.orders) else { return Ok(()) };
    let still = |stop: &Warned| run.stops.iter().find(|one| one.kind == stop.kind).map_or(0, |one| one.count);
    let fewer: Vec<&Warned> = gate.run.stops.iter().filter(|stop| still(stop) < stop.count).collect();
    let files: BTreeSet<&str> = run.tables.iter().map(|table| table.file.as_str()).collect();
    let before = gate.run.tables.iter().map(|table| table.file.as_str());
    let missing: Vec<&str> = before.filter(|file| !files.contains(file)).collect();
    if fewer.is_empty() || missing.is_empty() {
        return Ok(());
    }
    let looked: Option<LookedInto> = serde_json::from_slice(report).ok();
    let tables = looked.map(|looked| looked.tables).unwrap_or_default();
    let has = |kind: TableKind| tables.iter().any(|table| table.is == kind && table.rows > table.passed_over);
    match fewer.into_iter().find(|stop| table_of(stop.kind).is_some_and(|kind| !has(kind))) {
        Some(stop) => Err(Refusal::new(format!(
            "the run before stopped {} names as {}, and looked into {}, which this one did not",
            stop.count,
            stop.kind,
            missing.join(", ")
        ))
        .hint("run it with that table, too; a table that is wrong is corrected, and not left out")),
        None => Ok(()),
    }
}

/// The same for whatever was raised, warnings as well, by any run over the case: the orders may have been others meanwhile,
/// by an amendment that was taken back.
fn nothing_vanishes(case: &CaseView, run: &GateRun) -> Result<(), Refusal> {
    let Some(gate) = &case.gate else { return Ok(()) };
    let orders = case.proposed_orders();
    let is_listed = |name: &DomainName| orders.iter().any(|order| order.names().contains_key(name));
    let Some(Vanished { kind, severity, count, name, tables }) = gate.raised().vanished(run, is_listed) else {
        return Ok(());
    };
    let tables: Vec<&str> = tables.into_iter().map(TableKind::as_str).collect();
    let which = name.map(|name| format!(", {} among them", name.defanged())).unwrap_or_default();
    let what = format!(
        "a run before raised {kind} ({}) of {}{which}, by tables of {}, which this one did not look into",
        severity.as_str(),
        counted(count as usize),
        tables.join(" and ")
    );
    let hint = "run it with those tables, too; a table that is wrong is corrected, and not left out";
    Err(Refusal::new(what).hint(match severity {
        Severity::Stop => hint.to_owned(),
        Severity::Warning => {
            format!("{hint}; or counsel accepts the warning in the run that raised it: `bailiwick case decide`")
        }
    }))
}

/// The kind of table that stops names in that way, where it is an operator's.
fn table_of(kind: WarningKind) -> Option<TableKind> {
    match kind {
        WarningKind::AlreadySinkholed => Some(TableKind::Sinkholes),
        WarningKind::SharedSuffix => Some(TableKind::Shared),
        WarningKind::BrandOwned => Some(TableKind::BrandOwned),
        _ => None,
    }
}

/// Counsel's word on warnings of one kind, of the run that was read; no names means all that are not decided.
pub(super) fn warnings(
    view: &View,
    (id, run, kind): (&CaseId, Position, WarningKind),
    names: &BTreeSet<DomainName>,
    (choice, reason): (WarningChoice, &str),
    actor: &Actor,
) -> Result<Decision, Refusal> {
    let case = working_on(view, id, actor)?;
    let person = super::acting_person(view, actor)?;
    if !person.roles.contains(&Role::Legal) {
        return Err(Refusal::new(format!("{} does not have the role legal: counsel decides warnings", person.id)));
    }
    check_text("reason", reason)?;
    let gate = case.gate.as_ref().ok_or_else(|| not_run(id))?;
    let reason = reason.trim().to_owned();
    let decided = GateDecided { case: id.clone(), run, kind, names: names.clone(), choice, reason };
    gate.check(&decided)?;
    let done = Done::WarningsDecided { case: id.clone(), kind };
    Ok(Decision::of(actor, Body::GateDecided { decided: Box::new(decided) }, done))
}

/// Whether the gate lets the case become filed, or anything behind that.
pub(super) fn admits(case: &CaseView, to: CaseState) -> Result<(), Refusal> {
    if case.state >= CaseState::Filed || to < CaseState::Filed { Ok(()) } else { is_clean(case) }
}

/// Whether every warning about the orders as they stand is decided, and nothing is stopped.
pub(super) fn is_clean(case: &CaseView) -> Result<(), Refusal> {
    let id = &case.terms.id;
    let Some(gate) = &case.gate else {
        let is_exercise = case.orders.values().all(|order| order.terms().authority.is_exercise());
        return if is_exercise { Ok(()) } else { Err(not_run(id)) };
    };
    let in_the_way = gate.in_the_way(&case.order_digests());
    if in_the_way.is_empty() || gate.in_the_way(&case.proposed_digests()).is_empty() {
        return Ok(());
    }
    Err(held(id, &in_the_way))
}

/// The same about the orders as they will be once what is proposed has its effect.
pub(super) fn is_clean_as_proposed(case: &CaseView) -> Result<(), Refusal> {
    let Some(gate) = &case.gate else { return is_clean(case) };
    let in_the_way = gate.in_the_way(&case.proposed_digests());
    if in_the_way.is_empty() { Ok(()) } else { Err(held(&case.terms.id, &in_the_way)) }
}

fn held(id: &CaseId, in_the_way: &[String]) -> Refusal {
    Refusal::new(format!("the harm gate holds case {id}: {}", in_the_way.join("; "))).hint(format!(
        "`bailiwick case gate {id} --show` says why; counsel decides with `bailiwick case decide {id}`, names that have to go leave the \
         order (`bailiwick case amend {id} FILE`), and what changed is looked at again with `bailiwick case gate {id}`"
    ))
}

fn not_run(id: &CaseId) -> Refusal {
    Refusal::new(format!("the harm gate has not run over case {id}"))
        .hint(format!("`bailiwick case gate {id}` runs it"))
}

/// What was tried, in a few words.
pub(crate) fn tried(command: &Command) -> Option<String> {
    match command {
        Command::RecordGate { run, .. } => Some(format!("record a run of the gate over case {}", run.case)),
        Command::DecideWarnings { case, kind, .. } => Some(format!("decide warnings of {kind} of case {case}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::book::*;
    use model::case::CaseState;
    use model::gate::TableSeen;
    use model::paper::PaperKind;

    fn book(instrument: &str) -> Book {
        let mut book = Book::ungated();
        for (id, roles) in [("alice", &[Role::Investigator][..]), ("bob", &[Role::Legal])] {
            book.execute(&Command::EnrolPerson { person: person(id, roles, false) }, &someone()).unwrap();
        }
        book.execute(&import(&text("c-1", instrument)), &someone()).unwrap();
        book
    }

    fn advance(to: CaseState) -> Command {
        Command::AdvanceCase { case: case("c-1"), to, documents: Vec::new() }
    }

    fn ran(book: &Book, warnings: Vec<Warned>) -> Command {
        let case = &book.view.cases[&case("c-1")];
        let (orders, report) = (case.order_digests(), b"the report".to_vec());
        let digest = Digest::of_bytes(&report);
        let (case, tables) = (case.terms.id.clone(), Vec::new());
        let run = GateRun {
            case,
            orders,
            names: 3,
            tables,
            looked: BTreeSet::new(),
            report: digest,
            warnings,
            stops: Vec::new(),
        };
        Command::RecordGate { run: Box::new(run), report }
    }

    fn popular() -> Vec<Warned> {
        let names: BTreeSet<_> = [DomainName::parse("login-harbour.example").unwrap()].into();
        vec![Warned { kind: WarningKind::Popular, count: 1, names }]
    }

    fn decide_popular(book: &Book, choice: WarningChoice) -> Command {
        let (case, kind) = (case("c-1"), WarningKind::Popular);
        let run = book.view.cases[&case].gate.as_ref().expect("it has run").at;
        Command::DecideWarnings { case, run, kind, names: BTreeSet::new(), choice, reason: "seen by eye".into() }
    }

    #[test]
    fn a_case_is_not_filed_before_the_gate_ran_and_counsel_decided() {
        let mut book = book("civil-tro");
        let (alice, bob) = (as_person("alice"), as_person("bob"));
        for kind in [PaperKind::Complaint, PaperKind::Motion, PaperKind::Appendix, PaperKind::ProposedOrder] {
            let paper = Command::FilePaper { case: case("c-1"), kind, octets: kind.as_str().into() };
            book.execute(&paper, &alice).unwrap();
        }
        book.execute(&advance(CaseState::Review), &alice).unwrap();
        for to in [CaseState::Filed, CaseState::Granted, CaseState::Executing] {
            let refusal = book.execute(&advance(to), &alice).unwrap_err();
            assert_eq!(refusal.what, "the harm gate has not run over case c-1");
        }
        let run = ran(&book, popular());
        book.execute(&run, &someone()).unwrap();
        let refusal = book.execute(&advance(CaseState::Filed), &alice).unwrap_err();
        assert_eq!(refusal.what, "the harm gate holds case c-1: 1 undecided: popular");
        let (accept, drop) = (decide_popular(&book, WarningChoice::Accept), decide_popular(&book, WarningChoice::Drop));
        let not_counsel = book.execute(&accept, &alice).unwrap_err();
        assert_eq!(not_counsel.what, "alice does not have the role legal: counsel decides warnings");
        book.execute(&drop, &bob).unwrap();
        assert!(book.execute(&advance(CaseState::Filed), &alice).unwrap_err().what.contains("dropped by counsel"));
        book.execute(&accept, &bob).unwrap();
        book.execute(&advance(CaseState::Filed), &alice).unwrap();
    }

    #[test]
    fn a_new_run_asks_counsel_anew() {
        let mut book = book("civil-tro");
        let run = ran(&book, popular());
        book.execute(&run, &someone()).unwrap();
        let decision = decide_popular(&book, WarningChoice::Accept);
        book.execute(&decision, &as_person("bob")).unwrap();
        book.execute(&run, &someone()).unwrap();
        let refusal = book.execute(&decision, &as_person("bob")).unwrap_err();
        assert!(refusal.what.contains("has run over case c-1 again"), "{}", refusal.what);
        let refusal = book.execute(&advance(CaseState::Filed), &as_person("alice")).unwrap_err();
        assert!(refusal.what.ends_with("1 undecided: popular"), "{}", refusal.what);
    }

    #[test]
    fn a_stop_does_not_go_away_because_its_table_was_not_given_again() {
        let mut book = book("civil-tro");
        let Command::RecordGate { run: clean, report } = ran(&book, Vec::new()) else { unreachable!() };
        let table = |file: &str| TableSeen { file: file.into(), digest: Digest([5; 32]), date: None };
        let mut stopped = clean.clone();
        stopped.tables = vec![table("brands.txt")];
        stopped.stops = vec![Warned { kind: WarningKind::BrandOwned, ..popular().remove(0) }];
        let record = |run: &GateRun| Command::RecordGate { run: Box::new(run.clone()), report: report.clone() };
        book.execute(&record(&stopped), &someone()).unwrap();
        let refusal = book.execute(&record(&clean), &someone()).unwrap_err();
        assert!(refusal.what.contains("looked into brands.txt, which this one did not"), "{}", refusal.what);
        let mut corrected = clean.clone();
        corrected.tables = stopped.tables.clone();
        book.execute(&record(&corrected), &someone()).unwrap();
        book.execute(&record(&clean), &someone()).unwrap();
    }

    fn looked(run: &GateRun, tables: &[TableKind], warnings: Vec<Warned>, stops: Vec<Warned>) -> GateRun {
        GateRun { looked: tables.iter().copied().collect(), warnings, stops, ..run.clone() }
    }

    #[test]
    fn what_was_raised_stays_raised_through_an_amendment_that_is_taken_back() {
        let amend = "[amendment]\norder = \"o-c-1\"\nkind = \"amended\"\nsource = \"the paper\"\n[[add]]\nsource = \"x\"\n\
                     names = [\"new-harbour.example\"]\n";
        let popular_table = [TableKind::Popular];
        let owned = vec![Warned { kind: WarningKind::BrandOwned, ..popular().remove(0) }];
        for (tables, warnings, stops) in
            [(&popular_table[..], popular(), Vec::new()), (&[TableKind::BrandOwned], Vec::new(), owned)]
        {
            let mut book = book("civil-tro");
            let alice = as_person("alice");
            let record = |book: &mut Book, tables: &[TableKind], warnings: &[Warned], stops: &[Warned]| {
                let Command::RecordGate { mut run, report } = ran(book, Vec::new()) else { unreachable!() };
                run.orders = book.view.cases[&case("c-1")].proposed_digests();
                let run = looked(&run, tables, warnings.to_vec(), stops.to_vec());
                book.execute(&Command::RecordGate { run: Box::new(run), report }, &someone())
            };
            record(&mut book, tables, &warnings, &stops).unwrap();
            let file = Box::new(crate::casefile::amend::parse(amend).unwrap());
            let bring = Command::AmendOrder { case: case("c-1"), file, text: amend.to_owned() };
            book.execute(&bring, &alice).unwrap();
            let refusal = record(&mut book, &[], &[], &[]).unwrap_err();
            assert!(refusal.what.contains("login-harbour[.]example among them"), "{}", refusal.what);
            assert!(refusal.what.ends_with("which this one did not look into"), "{}", refusal.what);
            assert!(record(&mut book, &[TableKind::Rdap], &[], &[]).is_err(), "another table is not that table");
            record(&mut book, &[], &warnings, &stops).expect("what is said again may be said without a table");
            assert!(record(&mut book, &[], &[], &[]).is_err(), "and is remembered still");
            record(&mut book, tables, &[], &[]).expect("a table that was corrected counts");
            record(&mut book, &[], &[], &[]).expect("nothing is left to say");
        }
    }

    #[test]
    fn a_warning_that_counsel_accepted_may_be_missing_from_a_run_with_fewer_tables() {
        let mut book = book("civil-tro");
        let Command::RecordGate { run, report } = ran(&book, Vec::new()) else { unreachable!() };
        let record = |book: &mut Book, run: GateRun| {
            book.execute(&Command::RecordGate { run: Box::new(run), report: report.clone() }, &someone())
        };
        record(&mut book, looked(&run, &[TableKind::Popular], popular(), Vec::new())).unwrap();
        let dropped = decide_popular(&book, WarningChoice::Drop);
        book.execute(&dropped, &as_person("bob")).unwrap();
        let refusal = record(&mut book, looked(&run, &[], Vec::new(), Vec::new())).unwrap_err();
        assert!(refusal.hint.unwrap().contains("counsel accepts the warning"));
        let accepted = decide_popular(&book, WarningChoice::Accept);
        book.execute(&accepted, &as_person("bob")).unwrap();
        record(&mut book, looked(&run, &[], Vec::new(), Vec::new())).unwrap();
    }

    #[test]
    fn an_order_is_not_put_in_force_past_the_gate_unless_it_is_a_rehearsal() {
        for (instrument, allowed) in [("own-registration", false), ("registrar-action", false), ("exercise", true)] {
            let mut book = book(instrument);
            let done = book.execute(&Command::RequestApproval { case: case("c-1") }, &someone()).unwrap();
            let Done::ApprovalAsked { requests } = done else { panic!("{done:?}") };
            let yes = |book: &Book, role| Command::GiveApproval {
                request: requests[0],
                role,
                shown: book.shown(requests[0]),
            };
            let first = yes(&book, Role::Investigator);
            book.execute(&first, &as_person("alice")).unwrap();
            let second = yes(&book, Role::Legal);
            let done = book.execute(&second, &as_person("bob"));
            assert_eq!(done.is_ok(), allowed, "{instrument}: {done:?}");
            if !allowed {
                let run = ran(&book, Vec::new());
                book.execute(&run, &someone()).unwrap();
                book.execute(&second, &as_person("bob")).unwrap();
            }
        }
    }

    #[test]
    fn a_rehearsal_that_ran_the_gate_is_held_by_it() {
        let mut book = book("exercise");
        let run = ran(&book, popular());
        book.execute(&run, &someone()).unwrap();
        assert!(book.execute(&advance(CaseState::Filed), &as_person("alice")).is_err());
    }
}
