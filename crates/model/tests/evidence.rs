//! The facts of evidence and reports on disk, for ever. Never change the file; add one.

use std::path::Path;

use bailiwick_model as model;
use model::digest::{Digest, canonical_json};
use model::evidence::{Exhibit, ExhibitKind, Stamp, Tool};
use model::fact::{Actor, Body, Draft, Fact};
use model::id::{CaseId, PersonId, Position};
use model::name::DomainName;
use model::notification::{Recipient, ReportState, ReportTerms, Sending};

fn bodies() -> Vec<Body> {
    let case = CaseId::parse("phosphorus-2019").unwrap();
    let name = DomainName::parse("outlook-verify.net").unwrap();
    let at = "2019-03-27T12:34:56Z".parse().unwrap();
    let exhibit = Exhibit {
        number: 1,
        kind: ExhibitKind::Screenshot,
        name: Some(name.clone()),
        file: Digest([1; 32]),
        octets: 20_000,
        file_name: "screenshot.png".into(),
        media_type: "image/png".into(),
        captured: at,
        mark: Some("Outlook".into()),
        note: Some("a login page".into()),
        source: Some("https://outlook-verify.net/".into()),
        tool: Some(Tool { name: "chromium".into(), version: "130".into() }),
        failed: false,
    };
    let plain = Exhibit {
        number: 2,
        name: None,
        mark: None,
        note: None,
        source: None,
        tool: None,
        failed: true,
        ..exhibit.clone()
    };
    let report = ReportTerms {
        number: 2,
        reference: "BW-0123456789ab".into(),
        name,
        to: Recipient::Registry,
        address: "abuse@registry.example".into(),
        address_source: "rdap, exhibit 3".into(),
        urls: vec!["https://outlook-verify.net/".into()],
        mark: Some("Outlook".into()),
        exhibits: vec![1, 2],
        letter: Digest([2; 32]),
        xarf: Digest([3; 32]),
        due: at,
        escalates: Some(1),
    };
    let sending = Sending { at, channel: "mail".into(), proof: "250 queued".into(), message: Some(Digest([4; 32])) };
    let to = ReportState::Acknowledged;
    vec![
        Body::EvidenceKept { case: case.clone(), exhibit: Box::new(exhibit) },
        Body::EvidenceKept { case: case.clone(), exhibit: Box::new(plain) },
        Body::EvidenceStamped {
            case: case.clone(),
            exhibit: 1,
            stamp: Stamp { token: Digest([5; 32]), authority: "http://tsa.example/".into(), at },
        },
        Body::ReportMade { case: case.clone(), report: Box::new(report) },
        Body::ReportSent { case: case.clone(), report: 1, sending },
        Body::ReportAcknowledged { case: case.clone(), report: 1, to, note: "ticket 7".into(), exhibit: None },
        Body::ReportEscalated { case, report: 1, by: 2 },
    ]
}

#[test]
fn evidence_and_reports_of_version_1_are_written_committed_to_and_read_as_ever() {
    let actor = Actor::Person { id: PersonId::parse("alice").unwrap() };
    let at = "2019-03-27T12:34:57Z".parse().unwrap();
    let facts: Vec<Fact> =
        (30..).zip(bodies()).map(|(n, body)| Draft::new(actor.clone(), body).at(Position(n), at)).collect();
    let lines: Vec<String> = facts.iter().map(|fact| String::from_utf8(canonical_json(fact)).unwrap()).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fact-evidence.v1.jsonl");
    if !path.exists() {
        std::fs::write(&path, lines.join("\n")).unwrap();
        panic!("{} is new: read it, and commit it", path.display());
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert_eq!(golden, lines.join("\n"));
    let read: Vec<Fact> = golden.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, facts);
    assert!(read.iter().all(|fact| fact.body.case().is_some()), "a seal covers each of them");
}
