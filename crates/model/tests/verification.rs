//! The shapes of verification on disk, for ever: the facts of a pass and of an attestation, and a finding of a report.

use std::path::Path;

use bailiwick_model as model;
use model::check::{Attestation, Check, CheckAttested, Finding, NameSet, Verdict, Verification};
use model::fact::{Actor, Body as FactBody, Draft, Fact};
use model::id::{CaseId, OrderId, PersonId, Position};
use model::{Digest, DomainName};

#[test]
fn what_was_verified_and_attested_is_written_and_read_as_ever() {
    let (case, name) = (CaseId::parse("phosphorus-2019").unwrap(), DomainName::parse("verify-linkedin.net").unwrap());
    let undelegated = Some(NameSet { names: Digest([5; 32]), count: 1 });
    let made = Verification {
        case: case.clone(),
        order: OrderId::parse("dcd-1-19-cv-00716").unwrap(),
        report: Digest([4; 32]),
        holds: 90,
        fails: 7,
        undecided: 2,
        undelegated,
        undelegated_at: None,
    };
    let seen = Finding::new(Check::NoDs, Verdict::Fails, "DS 12345", "2019-03-27T12:34:56Z".parse().unwrap());
    let person = PersonId::parse("lars").unwrap();
    let attested = Attestation { person: person.clone(), document: Digest([6; 32]), at: seen.at };
    let finding = Finding { attested: Some(attested), ..seen.at_server("a.nic.example at 192.0.2.1").in_part(true) };
    let check = CheckAttested { case, name, check: Check::RdapRegistrar, document: Digest([6; 32]) };
    let at = |position, body| {
        Draft::new(Actor::Person { id: person.clone() }, body)
            .at(Position(position), "2019-03-27T12:34:56Z".parse().unwrap())
    };
    let facts = [at(30, FactBody::VerificationMade(made)), at(31, FactBody::CheckAttested(check))];
    let mut lines: Vec<String> =
        facts.iter().map(|fact| String::from_utf8(model::digest::canonical_json(fact)).unwrap()).collect();
    lines.push(String::from_utf8(model::digest::canonical_json(&finding)).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fact-verification.v1.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(text.trim_end(), lines.join("\n"), "the golden file has changed");
    let read: Vec<Fact> = text.lines().take(2).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, facts);
    assert_eq!(serde_json::from_str::<Finding>(text.lines().nth(2).unwrap()).unwrap(), finding);
}
