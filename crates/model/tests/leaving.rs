//! The facts of folders that left the house, on disk, for ever. Never change the file; add one.

use std::path::Path;

use bailiwick_model as model;
use model::digest::{Digest, canonical_json};
use model::fact::{Actor, Body, Draft, Fact};
use model::id::{CaseId, PersonId, Position};
use model::leaving::{Leaving, LeavingKind};

fn facts() -> Vec<Fact> {
    let actor = Actor::Person { id: PersonId::parse("alice").unwrap() };
    let at = "2019-03-27T12:34:57Z".parse().unwrap();
    let folder = |what, facts| Leaving { what, manifest: Digest([8; 32]), files: 40, octets: 90_000, facts };
    let case = CaseId::parse("phosphorus-2019").unwrap();
    let folders =
        [folder(LeavingKind::Case, Some(61)), folder(LeavingKind::Evidence, None), folder(LeavingKind::Exhibits, None)];
    let body = |folder| Body::FolderLeft { case: case.clone(), folder };
    (61..).zip(folders).map(|(n, folder)| Draft::new(actor.clone(), body(folder)).at(Position(n), at)).collect()
}

#[test]
fn folders_that_left_are_written_and_read_as_ever_and_move_no_feed() {
    let facts = facts();
    let lines: Vec<String> = facts.iter().map(|fact| String::from_utf8(canonical_json(fact)).unwrap()).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fact-leaving.v1.jsonl");
    if !path.exists() {
        std::fs::write(&path, lines.join("\n")).unwrap();
        panic!("{} is new: read it, and commit it", path.display());
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert_eq!(golden, lines.join("\n"));
    let read: Vec<Fact> = golden.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, facts);
    assert!(read.iter().all(|fact| fact.body.case().is_some() && fact.body.is_watch()));
}
