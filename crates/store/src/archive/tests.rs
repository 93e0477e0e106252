//! The archive's promises: rows come back as sightings, and a batch counts whole or not at all.

use std::net::SocketAddr;

use model::DomainName;
use model::address::Asn;
use model::contact::{Contact, Kind, Limits, NamedBy, Query, Request, Subject, Transport, Via, What};
use model::fact::{Actor, Body};
use model::id::{CaseId, ContactId, Lane, Position, SensorId};
use model::outcome::{Body as Sent, Outcome};
use model::verdict::{Label, Verdict};
use tempfile::TempDir;

use super::*;

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn id(seq: u64) -> ContactId {
    ContactId::new(SensorId(1), Boot(1), Lane(0), seq)
}

pub(super) fn contact(seq: u64, received: &str, what: What<'static>) -> Contact<'static> {
    let source: SocketAddr = "[::ffff:203.0.113.7]:4711".parse().unwrap();
    Contact {
        id: id(seq),
        received: at(received),
        source,
        local: "192.0.2.53:80".parse().unwrap(),
        transport: Transport::Tcp,
        via: Via::Direct,
        over: None,
        subject: Some(Subject { case: "c-1".into(), apex: "seized.test".into(), named_by: NamedBy::Host }),
        oddities: vec!["http.bare-lf".into()],
        limits: Limits::default(),
        what,
    }
}

pub(super) fn query() -> What<'static> {
    What::Query(Query {
        name: b"\x03Www\x06seized\x04test\x00"[..].into(),
        qtype: 1,
        rcode: Some(0),
        ..Query::default()
    })
}

pub(super) fn request() -> What<'static> {
    let head = b"POST /owa/ HTTP/1.1\r\nHost: www.seized.test\r\n\r\n";
    What::Request(Request {
        method: b"POST"[..].into(),
        target: b"/owa/"[..].into(),
        head: head[..].into(),
        ..Request::default()
    })
}

pub(super) fn outcome(seq: u64, of: u64, when: &str, status: u16) -> OutcomeRow {
    let body = Sent { len: 31, fields: vec!["username".into(), "password".into()], ..Sent::default() };
    let (octets_in, octets_out, duration_nanos, end) = (1, 2, 3, Default::default());
    let (of, at, status, body) = (id(of), at(when), Some(status), Some(body));
    OutcomeRow::from(&Outcome {
        id: id(seq),
        of,
        at,
        octets_in,
        octets_out,
        duration_nanos,
        end,
        status,
        tls: None,
        body,
        accounts: Vec::new(),
    })
}

pub(super) fn verdict(of: u64, received: &str, label: Label, generation: &str) -> VerdictRow {
    let verdict = Verdict {
        of: id(of),
        label,
        score: 90,
        reasons: vec!["typed into a password field".into()],
        asn: Some(Asn(64496)),
        as_name: Some("EXAMPLE".into()),
        country: "DE".parse().ok(),
        withheld: false,
    };
    VerdictRow::new(verdict, at(received), generation)
}

pub(super) struct House {
    pub(super) home: TempDir,
    folder: Option<DataFolder>,
    pub(super) ledger: Ledger,
    pub(super) archive: Archive,
}

pub(super) async fn house() -> House {
    let home = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(home.path(), "test", at("2019-03-27T00:00:00Z")).unwrap();
    let ledger = Ledger::open(&folder).await.unwrap();
    let archive = Archive::open(&folder, &ledger).await.unwrap();
    House { home, folder: Some(folder), ledger, archive }
}

impl House {
    pub(super) async fn reopen(self) -> Self {
        self.reopen_with(CompactLimits::default()).await
    }

    pub(super) async fn reopen_with(mut self, limits: CompactLimits) -> Self {
        self.ledger.close().await;
        self.folder = None;
        let folder = DataFolder::open(self.home.path(), "test", at("2019-03-28T00:00:00Z")).unwrap();
        let ledger = Ledger::open(&folder).await.unwrap();
        let archive = Archive::open_with(&folder, &ledger, limits).await.unwrap();
        Self { home: self.home, folder: Some(folder), ledger, archive }
    }
}

/// A query before midnight, a request after it, each with what followed and what is made of it.
pub(crate) fn two_days() -> ArchiveBatch {
    let (before, after) = ("2019-03-27T23:59:59.5Z", "2019-03-28T00:00:00.123456789Z");
    let draft =
        Draft::new(Actor::Room { name: "insight".into() }, Body::Refused { tried: "a".into(), why: "b".into() });
    ArchiveBatch {
        contacts: vec![ContactRow::from(&contact(2, after, request())), ContactRow::from(&contact(1, before, query()))],
        outcomes: vec![outcome(3, 2, after, 200), outcome(4, 2, "2019-03-28T00:00:09Z", 404)],
        verdicts: vec![verdict(2, after, Label::Victim, "g1")],
        cursor: serde_json::from_str(r#"[{"boot":1,"lane":0,"segment":0,"offset":900,"seq":5}]"#).unwrap(),
        facts: vec![draft],
        received: Vec::new(),
    }
}

fn ids(sightings: &[Sighting]) -> Vec<u64> {
    sightings.iter().map(|sighting| sighting.id.seq()).collect()
}

#[tokio::test]
async fn what_is_archived_comes_back_as_sightings() {
    let house = house().await;
    assert_eq!(house.archive.cursor("insight").await.unwrap(), Cursor::default());
    let batch = two_days();
    let cursor = batch.cursor.clone();
    let facts = house.archive.commit("insight", batch, at("2019-03-28T00:01:00Z")).await.unwrap();
    assert_eq!((facts.len(), *house.ledger.changed().borrow()), (1, Position(1)));
    assert_eq!(house.archive.cursor("insight").await.unwrap(), cursor);
    let sightings = house.archive.sightings(&SightingFilter::default()).await.unwrap();
    assert_eq!(ids(&sightings), [1, 2]);
    let [query, request] = &sightings[..] else { panic!() };
    assert_eq!((query.qname.as_deref(), query.qtype, query.rcode), (Some("Www.seized.test"), Some(1), Some(0)));
    assert_eq!((query.label, query.withheld), (None, true), "what nobody has judged does not leave the house");
    assert_eq!(request.received, at("2019-03-28T00:00:00.123456789Z"), "to the nanosecond");
    assert_eq!((request.source.to_string().as_str(), request.target.as_deref()), ("203.0.113.7", Some("/owa/")));
    assert_eq!((request.status, request.body_fields.len()), (Some(404), 2), "the last outcome counts");
    assert_eq!((request.label, request.asn, request.withheld), (Some(Label::Victim), Some(Asn(64496)), false));
    assert_eq!(request.oddities, ["http.bare-lf"]);
    let tallies = house.archive.tallies().await.unwrap();
    let held = tallies.iter().filter(|(_, tally)| tally.files > 0);
    let rows: Vec<_> = held.map(|(table, tally)| (table.as_str(), tally.files, tally.rows)).collect();
    assert_eq!(rows, [("contacts", 2, 2), ("outcomes", 1, 2), ("raw", 1, 1), ("verdicts", 1, 1)]);
}

#[tokio::test]
async fn a_filter_asks_for_less() {
    let house = house().await;
    house.archive.commit("insight", two_days(), at("2019-03-28T00:01:00Z")).await.unwrap();
    let midnight = Some(at("2019-03-28T00:00:00Z"));
    let all = SightingFilter::default();
    for (filter, expected) in [
        (SightingFilter { until: midnight, ..all.clone() }, vec![1]),
        (SightingFilter { from: midnight, ..all.clone() }, vec![2]),
        (SightingFilter { kind: Some(Kind::Query), ..all.clone() }, vec![1]),
        (SightingFilter { label: Some(Label::Victim), ..all.clone() }, vec![2]),
        (SightingFilter { last: Some(1), ..all.clone() }, vec![2]),
        (SightingFilter { case: CaseId::parse("c-2").ok(), ..all.clone() }, vec![]),
        (SightingFilter { apex: DomainName::parse("seized.test").ok(), ..all.clone() }, vec![1, 2]),
    ] {
        assert_eq!(ids(&house.archive.sightings(&filter).await.unwrap()), expected, "{filter:?}");
    }
}

#[tokio::test]
async fn the_last_verdict_counts() {
    let house = house().await;
    house.archive.commit("insight", two_days(), at("2019-03-28T00:01:00Z")).await.unwrap();
    let again = verdict(2, "2019-03-28T00:00:00.123456789Z", Label::Scanner, "g2");
    let batch = ArchiveBatch { verdicts: vec![again], ..ArchiveBatch::default() };
    house.archive.commit("insight", batch, at("2019-03-28T00:01:00Z")).await.unwrap();
    let sightings = house.archive.sightings(&SightingFilter::default()).await.unwrap();
    assert_eq!(sightings[1].label, Some(Label::Scanner));
}

#[tokio::test]
async fn a_crash_before_the_transaction_leaves_orphans_that_are_named_and_nothing_else() {
    let house = house().await;
    house.archive.commit("insight", two_days(), at("2019-03-28T00:01:00Z")).await.unwrap();
    let before = house.archive.cursor("insight").await.unwrap();
    let batch = two_days();
    // As far as commit gets before its transaction.
    let written = house
        .archive
        .write("insight", batch.contacts, batch.outcomes, batch.verdicts, at("2019-03-28T00:02:00Z"))
        .await;
    assert_eq!(written.unwrap().len(), 5);
    std::fs::write(house.home.path().join("archive/raw/day=2019-03-28/half.new"), b"PAR1").unwrap();
    let house = house.reopen().await;
    let orphans = house.archive.orphans();
    assert_eq!(orphans.len(), 6);
    assert!(orphans.iter().all(|orphan| orphan.exists() && orphan.starts_with(house.home.path().join("quarantine"))));
    assert_eq!(house.archive.cursor("insight").await.unwrap(), before);
    assert_eq!(ids(&house.archive.sightings(&SightingFilter::default()).await.unwrap()), [1, 2]);
    assert_eq!(house.ledger.facts(Position(0)).await.unwrap().len(), 1);
    let house = house.reopen().await;
    assert_eq!(house.archive.orphans(), [] as [PathBuf; 0]);
}

#[tokio::test]
async fn every_cell_can_be_looked_through() {
    let house = house().await;
    house.archive.commit("insight", two_days(), at("2019-03-28T00:01:00Z")).await.unwrap();
    for (table, needle) in
        [("contacts", "http.bare-lf"), ("raw", "Host: www"), ("outcomes", "username"), ("verdicts", "DE")]
    {
        let files = house.archive.files().await.unwrap();
        let file = files.iter().rfind(|file| file.table == table).unwrap();
        let mut found = 0;
        let look = &mut |cell: &[u8]| found += usize::from(String::from_utf8_lossy(cell).contains(needle));
        each_cell(&house.home.path().join("archive").join(&file.path), look).unwrap();
        assert!(found > 0, "{table}");
    }
}

#[tokio::test]
async fn a_batch_whose_transaction_fails_moves_nothing() {
    let house = house().await;
    sqlx::query("DROP TABLE cursors").execute(house.ledger.pool()).await.unwrap();
    assert!(house.archive.commit("insight", two_days(), at("2019-03-28T00:01:00Z")).await.is_err());
    assert_eq!(house.archive.tallies().await.unwrap()["contacts"], TableTally::default());
    assert_eq!(house.ledger.facts(Position(0)).await.unwrap(), []);
}
