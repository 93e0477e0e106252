//! What a ledger promises, whatever database is beneath it: one set of stories for SQLite and PostgreSQL.
//!
//! `cargo test` tells them to SQLite; the suite `postgres` has the example `conformance` tell them to a real server, each
//! story on a database of its own. They use nothing but what every room uses.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_store::archive::ContactRow;
use bailiwick_store::audit::Audit;
use bailiwick_store::ledger::NamedSet;
use bailiwick_store::log::{Checkpoint, SigningKey};
use bailiwick_store::zones::{NamedZone, Record};
use bailiwick_store::{AppendError, Archive, ArchiveBatch, Cursor, DataFolder, Database, Error, Ledger};
use model::contact::{Contact, Limits, NamedBy, Query, Subject, Transport, Via, What};
use model::fact::{Actor, Body, Draft};
use model::id::Position;
use model::order::{Listed, Names, names_digest};
use model::{DomainName, Timestamp};
use tempfile::TempDir;
use tokio::time::timeout;

/// For what another process does within moments.
const SOON: Duration = Duration::from_secs(60);
const ORIGIN: &[u8] = b"\x03rpz\x07example\x00";

//----------- Ground -----------------------------------------------------------------------------------------------

/// Where a story plays: data folders, and the database that their ledgers lie in.
pub(crate) struct Ground {
    pub(crate) database: Database,
    /// Names of the set that is written and read in one go.
    pub(crate) names: usize,
    home: TempDir,
}

impl Ground {
    pub(crate) fn new(database: Database, names: usize) -> Self {
        Self { database, names, home: tempfile::tempdir().unwrap() }
    }

    fn is_shared(&self) -> bool {
        matches!(self.database, Database::Postgres(_))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn folder(&self, name: &str) -> DataFolder {
        DataFolder::open(&self.path(name), "conformance", now()).unwrap()
    }

    async fn open(&self, folder: &DataFolder) -> Ledger {
        Ledger::open_in(folder, &self.database).await.unwrap()
    }

    async fn audit(&self, name: &str) -> Audit {
        Audit::open_in(&self.path(name), &self.database).await.unwrap()
    }
}

fn now() -> Timestamp {
    "2019-03-27T12:00:00.123456789Z".parse().unwrap()
}

fn key() -> SigningKey {
    SigningKey::from_seed(Some("log.example.org/b"), [7; 32]).unwrap()
}

fn refused(what: &str) -> Draft {
    let body = Body::Refused { tried: what.into(), why: "no order covers it".into() };
    Draft::new(Actor::LocalUser { uid: 1000 }, body)
}

fn drafts(count: usize) -> Vec<Draft> {
    (0..count).map(|n| refused(&n.to_string())).collect()
}

async fn positions(ledger: &Ledger) -> Vec<u64> {
    ledger.facts(Position(0)).await.unwrap().iter().map(|fact| fact.position.0).collect()
}

fn dense(count: u64) -> Vec<u64> {
    (0..count).collect()
}

//----------- Facts ------------------------------------------------------------------------------------------------

pub(crate) async fn facts_have_dense_positions_and_stay(ground: &Ground) {
    let folder = ground.folder("a");
    let ledger = ground.open(&folder).await;
    let first = ledger.append(Some(Position(0)), drafts(2), vec![], now()).await.unwrap();
    // More than one statement takes, and an odd count.
    let more = ledger.append(None, drafts(2_345), vec![], now()).await.unwrap();
    assert_eq!(more[0].position, Position(2));
    ledger.close().await;
    let ledger = ground.open(&folder).await;
    assert_eq!(ledger.facts(Position(0)).await.unwrap(), [first, more].concat());
    assert_eq!(positions(&ledger).await, dense(2_347));
    assert_eq!(ledger.facts(Position(2_340)).await.unwrap().len(), 7);
    assert_eq!(ledger.view().await.unwrap().refusals, 2_347);
    assert_eq!(*ledger.changed().borrow(), Position(2_347));
    ledger.close().await;
}

pub(crate) async fn of_two_who_decided_at_once_one_decides_again(ground: &Ground) {
    let folder = ground.folder("a");
    let ledger = ground.open(&folder).await;
    let one = ledger.append(Some(Position(0)), vec![refused("one")], vec![], now());
    let two = ledger.append(Some(Position(0)), vec![refused("two")], vec![], now());
    let ((Ok(_), Err(lost)) | (Err(lost), Ok(_))) = tokio::join!(one, two) else { panic!("one wins and one loses") };
    let AppendError::Conflict { expected, found } = lost else { panic!("{lost}") };
    assert_eq!((expected, found), (Position(0), Position(1)));
    assert_eq!(positions(&ledger).await, [0]);
    ledger.close().await;
}

pub(crate) async fn many_who_come_at_once_all_get_a_place(ground: &Ground) {
    let folder = ground.folder("a");
    let ledger = ground.open(&folder).await;
    let append = |n: usize| {
        let ledger = ledger.clone();
        tokio::spawn(async move { ledger.append(None, drafts(n % 3), vec![], now()).await.unwrap().len() })
    };
    let mut appended = 0;
    for task in (0..300).map(append).collect::<Vec<_>>() {
        appended += task.await.unwrap() as u64;
    }
    assert_eq!((appended, positions(&ledger).await), (300, dense(300)));
    ledger.close().await;
}

pub(crate) async fn a_set_of_names_is_one_row_and_one_load(ground: &Ground) {
    let folder = ground.folder("a");
    let ledger = ground.open(&folder).await;
    let name = |n: usize| (DomainName::parse(&format!("n{n}.test")).unwrap(), Listed::default());
    let names: Names = (0..ground.names).map(name).collect();
    let digest = names_digest(&names);
    assert!(matches!(ledger.names(&digest).await, Err(Error::NoSuchNames(_))));
    let set = NamedSet::of(names.clone());
    ledger.append(None, vec![refused("a")], vec![set.clone(), set.clone()], now()).await.unwrap();
    ledger.append(None, vec![refused("b")], vec![set], now()).await.unwrap();
    assert!(ledger.names(&digest).await.unwrap() == names, "they come back");
    ledger.close().await;
}

//----------- The log ----------------------------------------------------------------------------------------------

pub(crate) async fn every_append_is_signed_and_an_audit_sees_one_moment(ground: &Ground) {
    let folder = ground.folder("a");
    let ledger = ground.open(&folder).await;
    ledger.sign_with(key(), true).await.unwrap();
    ledger.append(None, drafts(5), vec![], now()).await.unwrap();
    let mut audit = ground.audit("a").await;
    assert_eq!(audit.commitments().await.unwrap().len(), 5);
    ledger.append(None, drafts(4), vec![], now()).await.unwrap();
    let report = audit.verify(key().verifying(), &[]).await.unwrap();
    assert!(report.is_whole() && report.size == 5, "{report:?}");
    let report = ground.audit("a").await.verify(key().verifying(), &[]).await.unwrap();
    assert!(report.is_whole() && (report.size, report.with_body) == (9, 9), "{report:?}");
    ledger.close().await;
    let ledger = ground.open(&folder).await;
    let other = SigningKey::from_seed(Some("log.example.org/b"), [8; 32]).unwrap();
    assert!(matches!(ledger.sign_with(other, true).await, Err(Error::Damaged { .. })), "another key signs nothing");
    ledger.sign_with(key(), false).await.unwrap();
    ledger.close().await;
}

//----------- Named zones ------------------------------------------------------------------------------------------

fn records(labels: impl IntoIterator<Item = usize>) -> Vec<Record> {
    let record = |n: usize| {
        let label = format!("n{n}");
        let owner = [&[label.len() as u8], label.as_bytes(), b"\x04test"].concat();
        Record { owner: owner.into(), kind: 5, data: Box::new([0]), ttl_secs: 300 }
    };
    labels.into_iter().map(record).collect()
}

fn steps(zone: &NamedZone) -> Vec<(u32, u32)> {
    zone.differences.iter().map(|step| (step.from, step.to)).collect()
}

pub(crate) async fn a_named_zone_keeps_its_steps(ground: &Ground) {
    let folder = ground.folder("a");
    let ledger = ground.open(&folder).await;
    assert!(ledger.named_zone(ORIGIN).await.unwrap().is_none());
    let first = ledger.publish_zone(ORIGIN, records(0..3_000), now()).await.unwrap();
    let again = ledger.publish_zone(ORIGIN, records((0..3_000).rev()), now()).await.unwrap();
    assert!(first.serial == 1 && Arc::ptr_eq(&first, &again), "nothing new is no new serial");
    ledger.publish_zone(ORIGIN, records(1_500..3_001), now()).await.unwrap();
    let third = ledger.publish_zone(ORIGIN, records(1_501..3_001), now()).await.unwrap();
    ledger.close().await;
    let ledger = ground.open(&folder).await;
    let loaded = ledger.named_zone(ORIGIN).await.unwrap().unwrap();
    assert_eq!((loaded.serial, steps(&loaded)), (3, vec![(1, 2), (2, 3)]));
    assert!(loaded.records == third.records && loaded.differences == third.differences);
    assert!(ledger.named_zone(b"\x05other\x00").await.unwrap().is_none());
    ledger.close().await;
}

//----------- The manifest -----------------------------------------------------------------------------------------

fn contact(seq: u32) -> ContactRow {
    let id = format!("00000001-00000001-0000-{seq:012x}").parse().unwrap();
    let query = Query { id: 7, name: b"\x06seized\x04test\x00"[..].into(), qtype: 1, qclass: 1, ..Query::default() };
    ContactRow::from(&Contact {
        id,
        received: now(),
        source: "203.0.113.7:4711".parse().unwrap(),
        local: "[2001:db8::53]:53".parse().unwrap(),
        transport: Transport::Udp,
        via: Via::Direct,
        over: None,
        subject: Some(Subject { case: "c-1".into(), apex: "seized.test".into(), named_by: NamedBy::Question }),
        oddities: vec![],
        limits: Limits::CUT,
        what: What::Query(query),
    })
}

fn batch(seq: u32) -> ArchiveBatch {
    ArchiveBatch { contacts: vec![contact(seq)], facts: vec![refused("learned")], ..ArchiveBatch::default() }
}

pub(crate) async fn files_facts_and_cursor_are_one_transaction(ground: &Ground) {
    let folder = ground.folder("a");
    let ledger = ground.open(&folder).await;
    let archive = Archive::open(&folder, &ledger).await.unwrap();
    assert_eq!(archive.cursor("f").await.unwrap(), Cursor::default());
    let mut changed = ledger.changed();
    assert_eq!(archive.commit("f", batch(1), now()).await.unwrap()[0].position, Position(0));
    assert_eq!(*changed.borrow_and_update(), Position(1));
    archive.commit("f", batch(2), now()).await.unwrap();
    archive.commit("g", ArchiveBatch { facts: vec![], ..batch(3) }, now()).await.unwrap();
    assert_eq!((archive.tallies().await.unwrap()["contacts"].rows, positions(&ledger).await), (3, vec![0, 1]));
    // Compaction replaces rows of the manifest.
    let later = "2019-04-27T12:00:00Z".parse().unwrap();
    let mut work = archive.next_compaction(later, Duration::ZERO).await.unwrap().expect("three files of a day");
    while work.step().await.unwrap() {}
    work.commit(later).await.unwrap();
    let tally = archive.tallies().await.unwrap()["contacts"].clone();
    assert_eq!((tally.files, tally.rows, tally.waiting), (1, 3, 0));
    drop(archive);
    ledger.close().await;
    let ledger = ground.open(&folder).await;
    let archive = Archive::open(&folder, &ledger).await.unwrap();
    assert!(archive.orphans().is_empty(), "{:?}", archive.orphans());
    assert_eq!(archive.tallies().await.unwrap()["contacts"], tally);
    drop(archive);
    ledger.close().await;
}

/// A follower whose commit went through, and who was not told, has an old place in its mind.
pub(crate) async fn what_was_committed_unheard_is_not_committed_again(ground: &Ground) {
    let folder = ground.folder("a");
    let ledger = ground.open(&folder).await;
    let first = Archive::open(&folder, &ledger).await.unwrap();
    first.commit("f", batch(1), now()).await.unwrap();
    let second = Archive::open(&folder, &ledger).await.unwrap();
    second.cursor("f").await.unwrap();
    // Two archives in one process count their files alike: others' files in between keep the names apart.
    for seq in 10..20 {
        second.commit("g", batch(seq), now()).await.unwrap();
    }
    let facts = positions(&ledger).await.len();
    let place = DataFolder::open(&ground.path("journal"), "conformance", now()).unwrap();
    let journal = bailiwick_store::Journal::open(&place, bailiwick_store::JournalLimits::default()).unwrap();
    let mut lane = journal.lane(now()).unwrap();
    lane.commit(now()).unwrap();
    let mut cursor = Cursor::default();
    journal.read(&mut cursor, 1 << 20, &mut |_| {}).unwrap();
    assert_ne!(cursor, Cursor::default(), "it has read something");
    second.commit("f", ArchiveBatch { cursor, ..batch(2) }, now()).await.unwrap();
    let late = first.commit("f", batch(3), now()).await.unwrap_err();
    assert!(matches!(late, Error::Moved { .. }) && late.is_passing(), "{late}");
    assert_eq!(positions(&ledger).await.len(), facts + 1, "nothing of it was kept");
    first.cursor("f").await.unwrap();
    first.commit("f", batch(3), now()).await.expect("it goes on from where the cursor stands");
    ledger.close().await;
}

//----------- Leases -----------------------------------------------------------------------------------------------

pub(crate) async fn a_lease_has_one_holder_until_it_ends(ground: &Ground) {
    let folder = ground.folder("a");
    let ledger = ground.open(&folder).await;
    let hour = Duration::from_secs(3_600);
    let held = ledger.take_lease("work", "one", hour).await.unwrap().expect("nobody has it");
    assert_eq!(ledger.take_lease("work", "two", hour).await.unwrap(), None);
    assert_eq!(ledger.take_lease("work", "one", hour).await.unwrap().as_ref(), Some(&held), "taken again in time");
    assert!(ledger.take_lease("other work", "two", hour).await.unwrap().is_some());
    ledger.give_back(held).await.unwrap();
    let moment = ledger.take_lease("work", "two", Duration::from_millis(20)).await.unwrap().expect("it was given back");
    let taken = async {
        while ledger.take_lease("work", "three", hour).await.unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, taken).await.expect("a lease ends by itself");
    ledger.give_back(moment).await.unwrap();
    assert_eq!(ledger.take_lease("work", "two", hour).await.unwrap(), None, "what has ended cannot be given back");
    let takers = (0..8).map(|n| {
        let ledger = ledger.clone();
        tokio::spawn(async move { ledger.take_lease("rush", &format!("taker {n}"), hour).await.unwrap().is_some() })
    });
    let mut winners = 0;
    for taker in takers.collect::<Vec<_>>() {
        winners += usize::from(taker.await.unwrap());
    }
    assert_eq!(winners, 1);
    ledger.close().await;
}

//----------- Several cores ----------------------------------------------------------------------------------------

/// Two data folders, one ledger. A folder with a file of its own has it for itself.
pub(crate) async fn what_one_core_appends_another_hears(ground: &Ground) {
    let (a, b) = (ground.folder("a"), ground.folder("b"));
    let (one, two) = (ground.open(&a).await, ground.open(&b).await);
    let mut changed = two.changed();
    one.append(None, drafts(3), vec![], now()).await.unwrap();
    if ground.is_shared() {
        let heard = timeout(SOON, changed.wait_for(|next| *next == Position(3))).await;
        heard.expect("it hears of it").unwrap();
        assert_eq!(two.view().await.unwrap().refusals, 3);
        let late = two.append(Some(Position(0)), vec![refused("late")], vec![], now()).await.unwrap_err();
        assert!(matches!(late, AppendError::Conflict { found: Position(3), .. }), "{late}");
        two.append(Some(Position(3)), vec![refused("in time")], vec![], now()).await.unwrap();
        assert_eq!(positions(&one).await, dense(4));
        let race = (0..40).map(|n| {
            let ledger = if n % 2 == 0 { one.clone() } else { two.clone() };
            tokio::spawn(async move { ledger.append(None, drafts(5), vec![], now()).await.unwrap() })
        });
        for task in race.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert_eq!(positions(&two).await, dense(204));
    } else {
        assert_eq!(positions(&two).await, [] as [u64; 0]);
    }
    one.close().await;
    two.close().await;
}

/// Files lie on one machine: each folder has a manifest and cursors of its own.
pub(crate) async fn each_folder_has_its_own_manifest(ground: &Ground) {
    let (a, b) = (ground.folder("a"), ground.folder("b"));
    let (one, two) = (ground.open(&a).await, ground.open(&b).await);
    let archives = (Archive::open(&a, &one).await.unwrap(), Archive::open(&b, &two).await.unwrap());
    archives.0.cursor("f").await.unwrap();
    archives.0.commit("f", batch(1), now()).await.unwrap();
    archives.1.cursor("f").await.unwrap();
    archives.1.commit("f", batch(1), now()).await.unwrap();
    archives.1.commit("f", batch(2), now()).await.unwrap();
    let rows = async |archive: &Archive| archive.tallies().await.unwrap()["contacts"].rows;
    assert_eq!((rows(&archives.0).await, rows(&archives.1).await), (1, 2));
    let facts = if ground.is_shared() { (3, 3) } else { (1, 2) };
    assert_eq!((positions(&one).await.len(), positions(&two).await.len()), facts);
    one.close().await;
    two.close().await;
}

/// Both tell the same changes, each from what it knew before.
pub(crate) async fn two_cores_publish_one_zone(ground: &Ground) {
    let (a, b) = (ground.folder("a"), ground.folder("b"));
    let (one, two) = (ground.open(&a).await, ground.open(&b).await);
    for n in 1..20 {
        let publish = |ledger: &Ledger| {
            let ledger = ledger.clone();
            tokio::spawn(async move { ledger.publish_zone(ORIGIN, records(0..n), now()).await.unwrap() })
        };
        let (left, right) = (publish(&one), publish(&two));
        let (left, right) = (left.await.unwrap(), right.await.unwrap());
        assert_eq!((left.serial, right.serial), (n as u32, n as u32));
        assert!(left.records == right.records);
    }
    let told = one.named_zone(ORIGIN).await.unwrap().unwrap();
    assert_eq!(steps(&told), (1..19).map(|n| (n, n + 1)).collect::<Vec<_>>());
    one.close().await;
    two.close().await;
}

/// A core without the key appends; one that has it signs.
pub(crate) async fn what_a_core_without_the_key_appends_is_signed_by_one_that_has_it(ground: &Ground) {
    if !ground.is_shared() {
        return;
    }
    let (a, b) = (ground.folder("a"), ground.folder("b"));
    let (signer, other) = (ground.open(&a).await, ground.open(&b).await);
    signer.sign_with(key(), true).await.unwrap();
    signer.append(None, drafts(2), vec![], now()).await.unwrap();
    other.append(None, drafts(3), vec![], now()).await.unwrap();
    let signed = async {
        loop {
            let note = ground.audit("b").await.checkpoint().await.unwrap().expect("it was signed once");
            if Checkpoint::open(&note, key().verifying()).unwrap().size == 5 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(SOON, signed).await.expect("it is signed soon");
    let report = ground.audit("a").await.verify(key().verifying(), &[]).await.unwrap();
    assert!(report.is_whole() && report.size == 5, "{report:?}");
    // What nobody has signed yet when the signer comes back goes on from what it signed.
    signer.close().await;
    other.append(None, drafts(4), vec![], now()).await.unwrap();
    let signer = ground.open(&a).await;
    signer.sign_with(key(), false).await.unwrap();
    let report = ground.audit("a").await.verify(key().verifying(), &[]).await.unwrap();
    assert!(report.is_whole() && report.size == 9, "{report:?}");
    signer.close().await;
    other.close().await;
}

/// A copy of a data folder would write the same manifest.
pub(crate) async fn a_copy_of_a_folder_is_refused_while_the_first_is_at_work(ground: &Ground) {
    let folder = ground.folder("a");
    let ledger = ground.open(&folder).await;
    let copy = ground.folder("copy");
    if ground.is_shared() {
        std::fs::copy(ground.path("a").join("name"), ground.path("copy").join("name")).unwrap();
        let refused = Ledger::open_in(&copy, &ground.database).await.err().expect("it is refused");
        assert!(matches!(refused, Error::FolderTwice { .. }) && refused.hint().is_some(), "{refused}");
        ledger.close().await;
        ground.open(&copy).await.close().await;
    } else {
        ledger.close().await;
    }
    let moved = match ground.database {
        Database::Postgres(_) => Ledger::open_in(&folder, &Database::Folder).await,
        Database::Folder => {
            let url = "postgres:///nowhere?host=/nonexistent";
            let server = bailiwick_store::Postgres::parse(url).unwrap();
            Ledger::open_in(&folder, &Database::Postgres(Box::new(server))).await
        }
    };
    let refused = moved.err().expect("a ledger is not left behind");
    assert!(matches!(refused, Error::LedgerElsewhere { .. }) && refused.hint().is_some(), "{refused}");
}

//----------- All of them ------------------------------------------------------------------------------------------

/// Hands each story, with its name, to a macro of the caller's.
macro_rules! each_story {
    ($tell:ident) => {
        $tell! {
            facts_have_dense_positions_and_stay
            of_two_who_decided_at_once_one_decides_again
            many_who_come_at_once_all_get_a_place
            a_set_of_names_is_one_row_and_one_load
            every_append_is_signed_and_an_audit_sees_one_moment
            a_named_zone_keeps_its_steps
            files_facts_and_cursor_are_one_transaction
            what_was_committed_unheard_is_not_committed_again
            a_lease_has_one_holder_until_it_ends
            what_one_core_appends_another_hears
            each_folder_has_its_own_manifest
            two_cores_publish_one_zone
            what_a_core_without_the_key_appends_is_signed_by_one_that_has_it
            a_copy_of_a_folder_is_refused_while_the_first_is_at_work
        }
    };
}
pub(crate) use each_story;
