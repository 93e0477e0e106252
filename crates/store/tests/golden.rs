//! The shapes on disk, one file of each version, for ever.
//!
//! A test writes each shape anew and compares the bytes, so that a change is seen; and it opens the file of every
//! version, so that old data stays readable. A new version adds a file; none is ever replaced.

use std::path::Path;

use bailiwick_store::audit::Audit;
use bailiwick_store::journal::{Clock, ClockKind, FRAME_VERSION, SEGMENT_VERSION, read_all};
use bailiwick_store::log::SigningKey;
use bailiwick_store::{DataFolder, Frame, Journal, JournalLimits, Ledger};
use model::contact::{Contact, Limits, NamedBy, Query, Request, Subject, Transport, Via, What};
use model::fact::{Actor, Body, Draft, Fact};
use model::id::{ContactId, OrderId, PersonId, Position};
use model::outcome::{End, Outcome};
use model::tally::{Counts, Tally};
use model::{Digest, Timestamp};

/// A segment as version 1 writes it: header, boot, query, request with its outcome, counts, a step of the clock.
const SEGMENT_V1: &[u8] = include_bytes!("golden/segment-v1.seg");

/// The same as version 2 writes it: its header can say what is written again.
const SEGMENT_V2: &[u8] = include_bytes!("golden/segment-v2.seg");

/// The same as version 3 writes it: its header says which start of the program wrote it.
const SEGMENT_V3: &[u8] = include_bytes!("golden/segment-v3.seg");

/// Where a header says that, and its checksum: random for each start.
const START: std::ops::Range<usize> = 52..64;

/// A fact as version 1 writes it, with its salt and commitment.
const FACT_V1: &str = include_str!("golden/fact-v1.json");

fn at() -> Timestamp {
    "2019-03-27T12:00:00.123456789Z".parse().unwrap()
}

fn contact(id: ContactId, what: What<'static>) -> Contact<'static> {
    let transport = if matches!(what, What::Query(_)) { Transport::Udp } else { Transport::Tcp };
    Contact {
        id,
        received: at(),
        source: "203.0.113.7:4711".parse().unwrap(),
        local: "[2001:db8::53]:53".parse().unwrap(),
        transport,
        via: Via::Direct,
        over: None,
        subject: Some(Subject { case: "c-1".into(), apex: "seized.test".into(), named_by: NamedBy::Question }),
        oddities: vec!["dns.qdcount".into()],
        limits: Limits::CUT,
        what,
    }
}

/// The frames of the golden segment behind its first one, which the lane itself writes.
fn frames(first: ContactId) -> [Frame<'static>; 5] {
    let id = |n| ContactId::new(first.sensor, first.boot, first.lane, first.seq() + n);
    let query = Query { id: 7, name: b"\x06seized\x04test\x00"[..].into(), qtype: 1, qclass: 1, ..Query::default() };
    let request = Request { method: b"GET"[..].into(), target: b"/"[..].into(), ..Request::default() };
    let outcome = Outcome {
        id: id(2),
        of: id(1),
        at: at(),
        octets_in: 40,
        octets_out: 2048,
        duration_nanos: 1_000_000,
        end: End::Answered,
        status: Some(200),
        tls: None,
        body: None,
        accounts: Vec::new(),
    };
    let tally = Tally { recorded: 2, ..Tally::default() };
    [
        Frame::Contact(contact(id(0), What::Query(query))),
        Frame::Contact(contact(id(1), What::Request(request))),
        Frame::Outcome(outcome),
        Frame::Counts(Counts { at: at(), listener: "dns-udp 192.0.2.53:53".into(), tally }),
        Frame::Clock(Clock { at: at(), kind: ClockKind::Step { nanos: 150_000_000 } }),
    ]
}

fn write_segment(home: &Path) -> Vec<u8> {
    let folder = DataFolder::open(home, "test", at()).unwrap();
    let mut lane = Journal::open(&folder, JournalLimits::default()).unwrap().lane(at()).unwrap();
    let frames = frames(lane.next_id());
    frames.iter().for_each(|frame| lane.stage(frame));
    lane.commit(at()).unwrap();
    std::fs::read(home.join("journal/00000001-00000001-0000-00000000.seg")).unwrap()
}

#[test]
fn a_segment_is_written_as_version_3_has_it() {
    let home = tempfile::tempdir().unwrap();
    let mut written = write_segment(home.path());
    assert_eq!((SEGMENT_VERSION, FRAME_VERSION), (3, 1), "a new version has a golden file of its own");
    assert_ne!(written[START], SEGMENT_V3[START]);
    written[START].copy_from_slice(&SEGMENT_V3[START]);
    assert_eq!(written, SEGMENT_V3);
}

#[test]
fn a_segment_of_each_version_opens() {
    opens(SEGMENT_V1);
    opens(SEGMENT_V2);
    opens(SEGMENT_V3);
}

fn opens(segment: &[u8]) {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("00000001-00000001-0000-00000000.seg"), segment).unwrap();
    let mut read = Vec::new();
    let report = read_all(home.path(), &mut |frame| read.push(format!("{frame:?}"))).unwrap();
    assert_eq!((report.frames, report.torn, report.missing, report.damaged), (6, 0, 0, vec![]));
    let first = "00000001-00000001-0000-000000000001".parse().unwrap();
    assert_eq!(read[1..], frames(first).map(|frame| format!("{frame:?}")));
}

fn fact() -> Fact {
    let actor = Actor::Person { id: PersonId::parse("alice").unwrap() };
    let body = Body::Refused { tried: "serve elsewhere.test".into(), why: "no order covers it".into() };
    Draft::new(actor, body).under(&OrderId::parse("o-1").unwrap()).at(Position(41), at())
}

#[test]
fn a_fact_of_version_1_opens_and_has_its_commitment() {
    let golden: serde_json::Value = serde_json::from_str(FACT_V1).unwrap();
    let read: Fact = serde_json::from_value(golden["fact"].clone()).unwrap();
    assert_eq!(read, fact());
    let salt = golden["salt"].as_str().unwrap().parse::<Digest>().unwrap().0;
    assert_eq!(read.commitment(&salt).to_string(), golden["commitment"]);
    let canonical = model::digest::canonical_json(&golden["fact"]);
    assert_eq!(model::digest::canonical_json(&fact()), canonical, "as it is written today");
}

#[tokio::test]
async fn a_ledger_of_version_1_opens() {
    let home = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(home.path(), "test", at()).unwrap();
    std::fs::write(home.path().join("ledger.sqlite"), include_bytes!("golden/ledger-v1.sqlite")).unwrap();
    let ledger = Ledger::open(&folder).await.unwrap();
    let facts = ledger.facts(Position(0)).await.unwrap();
    assert_eq!(facts.iter().map(|fact| &fact.body).collect::<Vec<_>>(), [&fact().body]);
    assert_eq!(ledger.view().await.unwrap().refusals, 1);
}

/// Six facts, written by the release before there was a tree. Opening it computes the tree, and signs it.
#[tokio::test]
async fn a_ledger_of_version_2_gets_its_tree() {
    let home = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(home.path(), "test", at()).unwrap();
    std::fs::write(home.path().join("ledger.sqlite"), include_bytes!("golden/ledger-v2.sqlite")).unwrap();
    let ledger = Ledger::open(&folder).await.unwrap();
    assert_eq!(ledger.facts(Position(0)).await.unwrap().len(), 6);
    assert_eq!(ledger.view().await.unwrap().cases.len(), 3);
    let key = || SigningKey::from_seed(None, [7; 32]).unwrap();
    ledger.sign_with(key(), true).await.unwrap();
    ledger.append(None, vec![Draft::new(fact().actor, fact().body)], vec![], at()).await.unwrap();
    ledger.close().await;
    let report = Audit::open(home.path()).await.unwrap().verify(key().verifying(), &[]).await.unwrap();
    assert!(report.is_whole() && report.size == 7, "{report:?}");
}

#[test]
fn an_archive_file_of_version_1_opens() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/contacts-v1.parquet");
    let mut cells = Vec::new();
    bailiwick_store::archive::each_cell(&file, &mut |cell| cells.push(String::from_utf8_lossy(cell).into_owned()))
        .unwrap();
    for expected in ["00000001-00000001-0000-000000000001", "seized.test", "dns.qdcount", "2001:db8::53"] {
        assert!(cells.iter().any(|cell| cell == expected), "{expected}");
    }
}

/// Makes the golden files of a new version: `cargo test -p bailiwick-store --test golden -- --ignored`. It replaces
/// none that is there.
#[tokio::test]
#[ignore = "writes into the source tree"]
async fn write_golden_files() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let keep = |name: &str, bytes: &[u8]| {
        let path = golden.join(name);
        if std::fs::metadata(&path).map_or(0, |file| file.len()) == 0 {
            std::fs::write(path, bytes).unwrap();
        }
    };
    let home = tempfile::tempdir().unwrap();
    keep("segment-v3.seg", &write_segment(home.path()));
    let salt = Digest::of_bytes(b"a salt");
    let text = serde_json::json!({ "fact": fact(), "salt": salt, "commitment": fact().commitment(&salt.0) });
    keep("fact-v1.json", serde_json::to_string_pretty(&text).unwrap().as_bytes());
    let folder = DataFolder::open(home.path(), "test", at()).unwrap();
    let ledger = Ledger::open(&folder).await.unwrap();
    let archive = bailiwick_store::Archive::open(&folder, &ledger).await.unwrap();
    let Frame::Contact(contact) = &frames("00000001-00000001-0000-000000000001".parse().unwrap())[0] else { panic!() };
    let draft = Draft::new(fact().actor, fact().body);
    let batch =
        bailiwick_store::ArchiveBatch { contacts: vec![contact.into()], facts: vec![draft], ..Default::default() };
    archive.commit("golden", batch, at()).await.unwrap();
    ledger.close().await;
    keep("ledger-v1.sqlite", &std::fs::read(home.path().join("ledger.sqlite")).unwrap());
    let parquet = home.path().join("archive/contacts/day=2019-03-27/golden-00000002-00000000.parquet");
    keep("contacts-v1.parquet", &std::fs::read(parquet).unwrap());
}
