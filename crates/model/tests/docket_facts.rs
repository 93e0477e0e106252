//! The facts of the docket on disk, for ever: the gate, execution day, people, papers, the watch, tokens.

use std::collections::BTreeSet;
use std::path::Path;

use bailiwick_model as model;
use model::alarm::{Alarm, AlarmKey, AlarmKind};
use model::amendment::{AddedList, AmendmentKind, AmendmentTerms};
use model::check::NameSet;
use model::due::{DateConfirmation, DateProposal, Rule};
use model::execution::{Acknowledgement, Compilation, Dispatch};
use model::fact::{Actor, Body as FactBody, Draft, Fact};
use model::gate::{GateDecided, GateRun, TableKind, TableSeen, Warned, WarningChoice, WarningKind};
use model::id::{CaseId, OrderId, PersonId, Position, RequestId};
use model::order::{Source, Sourced};
use model::{Digest, DomainName};

#[test]
fn a_run_of_the_gate_and_a_decision_of_version_1_are_written_committed_to_and_read_as_ever() {
    let name = DomainName::parse("login-verify.info").unwrap();
    let table = TableSeen { file: "sinkholes.csv".into(), digest: Digest([3; 32]), date: "2026-11-22".parse().ok() };
    let warned = |kind, names: &[DomainName]| Warned { kind, count: 1, names: names.iter().cloned().collect() };
    let case = CaseId::parse("phosphorus-2019").unwrap();
    let run = GateRun {
        case: case.clone(),
        orders: [(OrderId::parse("o-1").unwrap(), Digest([1; 32]))].into(),
        names: 2,
        tables: vec![table],
        looked: BTreeSet::new(),
        report: Digest([2; 32]),
        warnings: vec![warned(WarningKind::Popular, std::slice::from_ref(&name)), warned(WarningKind::NotLooked, &[])],
        stops: vec![warned(WarningKind::BrandOwned, std::slice::from_ref(&name))],
    };
    let decided = GateDecided {
        case,
        run: Position(7),
        kind: WarningKind::Popular,
        names: [name].into(),
        choice: WarningChoice::Accept,
        reason: "seen by eye".into(),
    };
    let bodies = [FactBody::GateRun { run: Box::new(run) }, FactBody::GateDecided { decided: Box::new(decided) }];
    let facts = bodies.into_iter().enumerate().map(|(at, body)| {
        Draft::new(Actor::LocalUser { uid: 1000 }, body)
            .at(Position(40 + at as u64), "2026-11-28T12:00:00Z".parse().unwrap())
    });
    let facts: Vec<Fact> = facts.collect();
    let lines: Vec<String> =
        facts.iter().map(|fact| String::from_utf8(model::digest::canonical_json(fact)).unwrap()).collect();
    compare("fact-gate.v1.jsonl", &lines.join("\n"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fact-gate.v1.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let read: Vec<Fact> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, facts);
}

#[test]
fn a_run_of_the_gate_says_into_which_kinds_of_tables_it_looked() {
    let run = GateRun {
        case: CaseId::parse("phosphorus-2019").unwrap(),
        orders: [(OrderId::parse("o-1").unwrap(), Digest([1; 32]))].into(),
        names: 2,
        tables: Vec::new(),
        looked: TableKind::ALL.into(),
        report: Digest([2; 32]),
        warnings: vec![Warned { kind: WarningKind::CoveredByParent, count: 1, names: BTreeSet::new() }],
        stops: Vec::new(),
    };
    compare_facts(
        "fact-gate-looked.v1.jsonl",
        &Actor::LocalUser { uid: 1000 },
        [FactBody::GateRun { run: Box::new(run) }],
    );
}

#[test]
fn facts_about_execution_day_of_version_1_are_written_and_read_as_ever() {
    let case = || CaseId::parse("phosphorus-2019").unwrap();
    let (order, actor) = (OrderId::parse("dcd-1").unwrap(), "example-registrar".to_owned());
    let (manifest, sent) = (Digest([1; 32]), "2019-03-27T12:00:00Z".parse().unwrap());
    let appendix = Compilation { manifest, actors: Digest([2; 32]), names: 98, files: 30, octets: 90_000, open: 2 };
    let dispatch = |due| Dispatch { order: order.clone(), actor: actor.clone(), sent, due, manifest, names: 12 };
    let answered = "2019-03-27T15:30:00Z".parse().unwrap();
    let answer = Acknowledgement {
        order: order.clone(),
        actor: actor.clone(),
        answered,
        said: "ticket 7".into(),
        refused: false,
    };
    let bodies = [
        FactBody::AppendixCompiled { case: case(), appendix },
        FactBody::Dispatched { case: case(), dispatch: dispatch("2019-03-29T17:00:00-04:00".parse().ok()) },
        FactBody::Dispatched { case: case(), dispatch: dispatch(None) },
        FactBody::Acknowledged { case: case(), answer },
    ];
    let at = "2019-03-27T16:00:00Z".parse().unwrap();
    let person = || Actor::Person { id: PersonId::parse("alice").unwrap() };
    let facts: Vec<Fact> =
        (9..).zip(bodies).map(|(place, body)| Draft::new(person(), body).at(Position(place), at)).collect();
    compare("fact-execution.v1.json", &String::from_utf8(model::digest::canonical_json(&facts)).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fact-execution.v1.json");
    assert_eq!(serde_json::from_str::<Vec<Fact>>(&std::fs::read_to_string(path).unwrap()).unwrap(), facts);
}

/// Who is on a case decides for whom it is there while it is sealed.
#[test]
fn who_is_on_a_case_is_written_and_read_as_ever() {
    let (case, person) = (CaseId::parse("phosphorus-2019").unwrap(), PersonId::parse("bea").unwrap());
    let bodies = [
        FactBody::MemberAdded { case: case.clone(), person: person.clone() },
        FactBody::MemberRemoved { case, person },
    ];
    let actor = Actor::Person { id: PersonId::parse("alice").unwrap() };
    compare_facts("fact-members.v1.jsonl", &actor, bodies);
}

/// A step names the papers that came with it; a step of before has none, and the bytes that it had.
#[test]
fn papers_and_steps_are_written_and_read_as_ever() {
    use model::case::CaseState;
    use model::paper::{Paper, PaperKind};
    let case = CaseId::parse("phosphorus-2019").unwrap();
    let paper = Paper { kind: PaperKind::Order, file: Digest([7; 32]), octets: 81_234 };
    let step = |documents| FactBody::CaseAdvanced { case: case.clone(), to: CaseState::Granted, documents };
    let bodies =
        [FactBody::PaperFiled { case: case.clone(), paper: paper.clone() }, step(vec![paper]), step(Vec::new())];
    let actor = Actor::Person { id: PersonId::parse("alice").unwrap() };
    compare_facts("fact-papers.v1.jsonl", &actor, bodies);
}

#[test]
fn facts_of_the_watch_of_version_1_are_written_and_read_as_ever() {
    let case = || CaseId::parse("phosphorus-2019").unwrap();
    let order = || OrderId::parse("dcd-1-19-cv-00716").unwrap();
    let day = "2019-03-29".parse().unwrap();
    let proposal = DateProposal { order: order(), what: "frcp-65b2".into(), by: Rule::Frcp65b2, date: day };
    let by = Rule::BusinessDays { from: day, days: 5 };
    let confirmation = DateConfirmation {
        order: order(),
        what: "objection-window".into(),
        by,
        proposed: day,
        date: "2019-03-29T17:00:00-04:00".parse().unwrap(),
        note: Some("by the paper's own hour".into()),
    };
    let key = AlarmKey { kind: AlarmKind::Drifted, subject: "outlook-verify.net".into(), mark: "ns".into() };
    let alarm =
        Alarm { key, reason: "1 server of the parent delegates elsewhere".into(), evidence: Some(Digest([6; 32])) };
    let bodies = [
        FactBody::NarrowingConfirmed { case: case(), narrowing: Position(7), note: None },
        FactBody::DateProposed { case: case(), proposal },
        FactBody::DateConfirmed { case: case(), confirmation },
        FactBody::AlarmRaised { case: case(), alarm: Box::new(alarm) },
        FactBody::AlarmAcknowledged { case: case(), alarm: Position(12), note: "the registrar is called".into() },
        FactBody::AlarmCleared { case: case(), alarm: Position(12), reason: "as it should be again".into() },
        FactBody::ObservationsTaken { case: case(), file: Digest([6; 32]), names: 98 },
        FactBody::CertificatesTaken { case: case(), file: Digest([7; 32]), certificates: 3 },
        FactBody::PostMortemHeld { case: case(), days: 30, file: Digest([8; 32]) },
    ];
    let at = "2019-03-28T12:34:56Z".parse().unwrap();
    let room = || Actor::Room { name: "watch".into() };
    let facts: Vec<Fact> =
        (9..).zip(bodies).map(|(place, body)| Draft::new(room(), body).at(Position(place), at)).collect();
    compare("fact-watch.v1.json", &String::from_utf8(model::digest::canonical_json(&facts)).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fact-watch.v1.json");
    assert_eq!(serde_json::from_str::<Vec<Fact>>(&std::fs::read_to_string(path).unwrap()).unwrap(), facts);
}

/// Names that went back, with the digests of what was written about it; and names that were ours.
#[test]
fn facts_about_returns_and_custody_of_version_1_are_written_and_read_as_ever() {
    use model::returning::{PlanStep, Return, ReturnedName, ReversePlan};
    let case = || CaseId::parse("phosphorus-2019").unwrap();
    let name = |text: &str| DomainName::parse(text).unwrap();
    let order = || OrderId::parse("dcd-1-19-cv-00716").unwrap();
    let one = |text: &str, actor: Option<&str>| ReturnedName {
        name: name(text),
        order: order(),
        actor: actor.map(str::to_owned),
        letter: Digest([1; 32]),
    };
    let plan = ReversePlan { actor: "example-registrar".into(), plan: Digest([2; 32]), names: 1 };
    let returned = Return {
        reason: "its owner called".into(),
        names: vec![one("outlook-verify.net", Some("example-registrar")), one("login-verify.info", None)],
        plans: vec![plan],
        feeds: vec!["stix for partners".into()],
        unserved: 1,
    };
    let bare = Return { feeds: Vec::new(), unserved: 0, ..returned.clone() };
    let step = |said: Option<&str>| PlanStep {
        returned: Position(9),
        actor: "example-registrar".into(),
        at: "2019-03-28T13:00:00Z".parse().unwrap(),
        said: said.map(str::to_owned),
    };
    let bodies = [
        FactBody::NamesReturned { case: case(), returned: Box::new(returned) },
        FactBody::NamesReturned { case: case(), returned: Box::new(bare) },
        FactBody::ReversePlanSent { case: case(), step: step(None) },
        FactBody::ReversePlanAnswered { case: case(), step: step(Some("ticket 7")) },
        FactBody::CustodySeen { case: case(), names: vec![name("outlook-verify.net")], lost: true },
    ];
    let actor = Actor::Person { id: PersonId::parse("alice").unwrap() };
    compare_facts("fact-returning.v1.jsonl", &actor, bodies);
}

#[test]
fn tokens_are_written_and_read_as_ever() {
    use model::id::TokenName;
    use model::person::Role;
    use model::token::ApiToken;
    let (person, name) = (PersonId::parse("alice").unwrap(), TokenName::parse("ci").unwrap());
    let expires = "2027-01-01T00:00:00Z".parse().unwrap();
    let token = ApiToken {
        person: person.clone(),
        name: name.clone(),
        roles: [Role::Analyst].into(),
        expires,
        token: Digest([9; 32]),
    };
    let bodies = [
        FactBody::TokenIssued { token: Box::new(token) },
        FactBody::TokenRevoked { person: person.clone(), token: name },
        FactBody::FirstTokenMade { token: Digest([8; 32]) },
        FactBody::FirstTokenSpent { person: person.clone() },
    ];
    compare_facts("fact-tokens.v1.jsonl", &Actor::Person { id: person }, bodies);
}

#[test]
fn facts_about_amended_orders_of_version_1_are_written_and_read_as_ever() {
    let (case, order) = (|| CaseId::parse("phosphorus-2019").unwrap(), || OrderId::parse("dcd-1").unwrap());
    let set = |octet, count| NameSet { names: Digest([octet; 32]), count };
    let source = |text: &str| Source::From(text.into());
    let list = AddedList { source: source("Appendix A"), criteria: vec!["imitates a mark".into()], names: set(3, 2) };
    let full = AmendmentTerms {
        order: order(),
        version: 2,
        base: Digest([1; 32]),
        kind: AmendmentKind::Supplemental,
        file: Digest([2; 32]),
        source: source("docket entry 31"),
        docket_number: Some(Sourced { value: "1:19-cv-00716".into(), source: source("the paper") }),
        issued: Some(Sourced { value: "2026-11-28".parse().unwrap(), source: source("the paper") }),
        added: vec![list],
        changed: Some(set(4, 1)),
        removed: Some(set(5, 1)),
        expires: Some(Sourced { value: "2026-12-25T17:00:00-05:00".parse().unwrap(), source: source("the paper") }),
        hearing: Some(Sourced { value: "2026-12-20".parse().unwrap(), source: source("the paper") }),
        objection: Some(Rule::Days { from: "2026-11-28".parse().unwrap(), days: 14 }),
    };
    let least = AmendmentTerms {
        kind: AmendmentKind::Amended,
        docket_number: None,
        issued: None,
        added: Vec::new(),
        changed: None,
        expires: None,
        hearing: None,
        objection: None,
        ..full.clone()
    };
    let amended = |request| FactBody::OrderAmended { case: case(), order: order(), version: 2, request };
    let (reason, note) = ("the wrong file".to_owned(), "by letter".to_owned());
    let answered = "2026-11-28T12:00:00Z".parse().unwrap();
    let answer = Acknowledgement { order: order(), actor: "r".into(), answered, said: "no".into(), refused: true };
    let bodies = [
        FactBody::AmendmentProposed { case: case(), amendment: Box::new(full) },
        FactBody::AmendmentProposed { case: case(), amendment: Box::new(least) },
        amended(Some(RequestId(7))),
        amended(None),
        FactBody::AmendmentWithdrawn { case: case(), order: order(), version: 2, reason },
        FactBody::ObjectionNoted { case: case(), order: order(), version: 2, objected: false, note },
        FactBody::Acknowledged { case: case(), answer },
    ];
    compare_facts("fact-amended.v1.jsonl", &Actor::Person { id: PersonId::parse("bea").unwrap() }, bodies);
}

fn compare_facts<const N: usize>(name: &str, actor: &Actor, bodies: [FactBody; N]) {
    let at = "2026-11-28T00:00:00Z".parse().unwrap();
    let fact = |(position, body): (u64, FactBody)| Draft::new(actor.clone(), body).at(Position(position), at);
    let facts: Vec<Fact> = (0..).zip(bodies).map(fact).collect();
    let lines = facts.iter().map(|fact| String::from_utf8(model::digest::canonical_json(fact)).unwrap() + "\n");
    compare(name, &lines.collect::<String>());
    let golden = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name));
    for (line, fact) in golden.unwrap().lines().zip(facts) {
        assert_eq!(serde_json::from_str::<Fact>(line).unwrap(), fact);
    }
}

fn compare(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if !path.exists() {
        std::fs::write(&path, found).unwrap();
        panic!("{name} was not there; it is now: read it, then commit it");
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert_eq!(golden.trim_end(), found.trim_end(), "{name} has changed");
}
