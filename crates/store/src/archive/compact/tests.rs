//! Compaction's promises: the same rows before, during and after; a crash anywhere loses and doubles nothing; a day that
//! is rolled up is counted exactly.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::contact::{Contact, Kind};
use model::verdict::Label;

use super::super::file;
use super::super::tests::{House, at, contact, house, id, outcome, query, request, verdict};
use super::super::{ArchiveBatch, DailyNameRow, OutcomeRow, RawRow, VerdictRow};
use super::*;

/// Small enough that every limit is reached.
fn narrow() -> CompactLimits {
    CompactLimits { files_at_once: 3, file_bytes_max: 20_000, sources_held_max: 4, settle: Duration::from_secs(3600) }
}

/// The same numbers for a seed (Knuth's constants).
struct Dice(u64);

impl Dice {
    fn up_to(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn source(number: u64) -> IpAddr {
    let number = u16::try_from(number).unwrap();
    if number.is_multiple_of(5) {
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number))
    } else {
        IpAddr::V4(Ipv4Addr::new(203, 0, 113, number as u8))
    }
}

/// A batch of contacts over two days and the midnight between, with what belongs to them.
fn batch(dice: &mut Dice, seq: &mut u64) -> ArchiveBatch {
    let mut batch = ArchiveBatch::default();
    for _ in 0..6 + dice.up_to(8) {
        *seq += 1;
        let second = 86_400 - 50 + dice.up_to(100);
        let received = (at("2019-03-27T00:00:00Z") + Duration::from_secs(second)).to_string();
        let what = if dice.up_to(3) == 0 { request() } else { query() };
        let mut row = contact(*seq, &received, what);
        row.source = (source(dice.up_to(30)), 4711).into();
        row.subject = row.subject.filter(|_| dice.up_to(6) > 0).map(|mut subject| {
            subject.apex = ["seized.test", "taken.test", "held.test"][dice.up_to(3) as usize].into();
            subject
        });
        batch.contacts.push(repeated(&row, dice.up_to(4)));
        if dice.up_to(2) == 0 {
            batch.outcomes.push(outcome(*seq + 1_000_000, *seq, &received, 200));
        }
        batch.verdicts.push(verdict(*seq, &received, Label::Victim, "g1"));
    }
    batch
}

fn repeated(contact: &Contact<'_>, repeats: u64) -> ContactRow {
    let mut row = ContactRow::from(contact);
    row.repeats = Some(repeats as u32).filter(|repeats| *repeats > 0);
    row
}

/// Everything that counts, in an order of its own.
#[derive(Debug, Default, PartialEq)]
struct Held {
    contacts: Vec<ContactRow>,
    raw: Vec<RawRow>,
    outcomes: Vec<OutcomeRow>,
    verdicts: Vec<VerdictRow>,
}

async fn held(archive: &Archive) -> Held {
    let (mut all, root) = (Held::default(), archive.inner.root.clone());
    for file in archive.files().await.unwrap().iter() {
        let sorted = |ok: bool| assert!(ok, "{} is not sorted", file.path.display());
        match file.table.as_str() {
            "contacts" => {
                let from = all.contacts.len();
                file::read(&root, file, &mut |row| all.contacts.push(row)).unwrap();
                sorted(all.contacts[from..].is_sorted_by(|one, two| one.in_order(two).is_le()));
            }
            "raw" => file::read(&root, file, &mut |row| all.raw.push(row)).unwrap(),
            "outcomes" => file::read(&root, file, &mut |row| all.outcomes.push(row)).unwrap(),
            "verdicts" => file::read(&root, file, &mut |row| all.verdicts.push(row)).unwrap(),
            _ => {}
        }
    }
    all.contacts.sort_by_key(|row| row.id);
    all.raw.sort_by(|one, two| (one.id, &one.part).cmp(&(two.id, &two.part)));
    all.outcomes.sort_by_key(|row| row.id);
    all.verdicts.sort_by_key(|row| (row.contact_id, row.judged));
    all
}

async fn compact_all(archive: &Archive, now: Timestamp, settle: Duration) -> Vec<Compacted> {
    let mut all = Vec::new();
    while let Some(mut work) = archive.next_compaction(now, settle).await.unwrap() {
        while work.step().await.unwrap() {}
        all.push(work.commit(now).await.unwrap());
    }
    all
}

/// Counted by hand: kind, contacts, repeats and distinct addresses by case and name.
type Counted = BTreeMap<(Option<String>, Option<String>, Option<Kind>), (u64, u64, BTreeSet<IpAddr>)>;

fn counted(contacts: &[ContactRow], day: &str) -> Counted {
    let mut all = Counted::new();
    for row in contacts.iter().filter(|row| row.received.to_string().starts_with(day)) {
        for kind in [None, Some(row.kind)] {
            let (contacts, repeats, sources) = all.entry((row.case_id.clone(), row.apex.clone(), kind)).or_default();
            *contacts += 1;
            *repeats += u64::from(row.repeats.unwrap_or_default());
            sources.insert(row.source);
        }
    }
    all
}

async fn assert_counted(archive: &Archive, contacts: &[ContactRow], day: &str) {
    let expected = counted(contacts, day);
    let rows = archive.daily_names(day.parse().unwrap()).await.unwrap();
    let key = |row: &DailyNameRow| (row.case_id.clone(), row.apex.clone(), row.kind);
    let found: BTreeMap<_, _> = rows.iter().map(|row| (key(row), (row.contacts, row.repeats, row.sources))).collect();
    assert_eq!(rows.len(), found.len());
    let expected_names: BTreeMap<_, _> = expected
        .iter()
        .map(|(key, (n, repeats, sources))| (key.clone(), (*n, *repeats, sources.len() as u64)))
        .collect();
    assert_eq!(found, expected_names);
    let sources = archive.daily_sources(day.parse().unwrap()).await.unwrap();
    for ((case, apex, _), (contacts, _, addresses)) in expected.iter().filter(|((_, _, kind), _)| kind.is_none()) {
        let own: Vec<_> = sources.iter().filter(|row| (&row.case_id, &row.apex) == (case, apex)).collect();
        assert_eq!(own.iter().map(|row| row.source).collect::<BTreeSet<_>>(), *addresses);
        assert_eq!((own.len(), own.iter().map(|row| row.contacts).sum()), (addresses.len(), *contacts));
        assert!(own.iter().all(|row| row.first_received <= row.last_received));
    }
}

#[tokio::test]
async fn days_that_are_over_become_one_file_of_each_table_and_are_counted() {
    let house = house().await;
    let (mut dice, mut seq) = (Dice(7), 0);
    for minute in 0..9 {
        let now = at("2019-03-28T00:01:00Z") + Duration::from_secs(60 * minute);
        house.archive.commit("insight", batch(&mut dice, &mut seq), now).await.unwrap();
    }
    let before = held(&house.archive).await;
    let sightings = house.archive.sightings(&Default::default()).await.unwrap();
    let settle = house.archive.compact_limits().settle;
    assert_eq!(compact_all(&house.archive, at("2019-03-28T00:59:00Z"), settle).await, [], "it came too lately");
    let done = compact_all(&house.archive, at("2019-03-29T02:00:00Z"), settle).await;
    assert_eq!(done.len(), 8, "four tables of two days: {done:?}");
    assert_eq!(held(&house.archive).await, before);
    assert_eq!(house.archive.sightings(&Default::default()).await.unwrap(), sightings);
    let tallies = house.archive.tallies().await.unwrap();
    assert!(tallies.values().all(|tally| (tally.files, tally.waiting) == (2, 0)), "{tallies:?}");
    for day in ["2019-03-27", "2019-03-28"] {
        assert_counted(&house.archive, &before.contacts, day).await;
    }
    assert_eq!(compact_all(&house.archive, at("2019-03-30T00:00:00Z"), settle).await, [], "nothing is due");
}

#[tokio::test]
async fn who_comes_late_takes_the_day_out_of_the_roll_ups_until_it_is_counted_again() {
    let house = house().await;
    let (mut dice, mut seq, now) = (Dice(3), 0, at("2019-04-01T00:00:00Z"));
    house.archive.commit("insight", batch(&mut dice, &mut seq), now).await.unwrap();
    compact_all(&house.archive, now, Duration::ZERO).await;
    assert_eq!(house.archive.days_rolled_up().await.unwrap().len(), 2);
    let mut late = batch(&mut dice, &mut seq);
    late.contacts.retain(|row| row.received >= at("2019-03-28T00:00:00Z"));
    assert!(!late.contacts.is_empty());
    house.archive.commit("insight", late, now).await.unwrap();
    let days = house.archive.days_rolled_up().await.unwrap();
    assert_eq!(days, ["2019-03-27".parse().unwrap()].into());
    assert_eq!(house.archive.daily_sources("2019-03-28".parse().unwrap()).await.unwrap(), []);
    let done = compact_all(&house.archive, now, Duration::ZERO).await;
    assert_eq!(done.iter().filter(|done| done.is_rolled_up).count(), 1);
    let contacts = held(&house.archive).await.contacts;
    assert_counted(&house.archive, &contacts, "2019-03-28").await;
}

#[tokio::test]
async fn what_comes_while_a_day_is_compacted_is_neither_lost_nor_forgotten_in_the_count() {
    let house = house().await;
    let (mut dice, mut seq, now) = (Dice(5), 0, at("2019-04-01T00:00:00Z"));
    for _ in 0..3 {
        house.archive.commit("insight", batch(&mut dice, &mut seq), now).await.unwrap();
    }
    let mut work = house.archive.next_compaction(now, Duration::ZERO).await.unwrap().unwrap();
    assert_eq!(work.what(), "contacts 2019-03-27");
    while work.step().await.unwrap() {}
    for _ in 0..3 {
        house.archive.commit("insight", batch(&mut dice, &mut seq), now).await.unwrap();
    }
    let before = held(&house.archive).await;
    assert!(!work.commit(now).await.unwrap().is_rolled_up);
    assert_eq!(held(&house.archive).await, before);
    assert_eq!(house.archive.days_rolled_up().await.unwrap(), BTreeSet::new());
    compact_all(&house.archive, now, Duration::ZERO).await;
    assert_counted(&house.archive, &before.contacts, "2019-03-27").await;
}

#[tokio::test]
async fn every_limit_is_reached_and_changes_nothing_that_is_held() {
    let house = house().await.reopen_with(CompactLimits { file_bytes_max: 1, ..narrow() }).await;
    let (mut dice, mut seq, now) = (Dice(11), 0, at("2019-04-01T00:00:00Z"));
    for _ in 0..10 {
        house.archive.commit("insight", batch(&mut dice, &mut seq), now).await.unwrap();
    }
    let before = held(&house.archive).await;
    let done = compact_all(&house.archive, now, Duration::ZERO).await;
    assert!(done.iter().all(|done| done.files_before <= 4), "three at once, and those that are settled: {done:?}");
    assert!(done.iter().any(|done| done.files_after > 1), "a file was full: {done:?}");
    assert_eq!(held(&house.archive).await, before);
    let most = counted(&before.contacts, "2019-03-27").values().map(|(_, _, sources)| sources.len()).max();
    assert!(most > Some(2 * narrow().sources_held_max), "a name has more addresses than are held");
    assert_counted(&house.archive, &before.contacts, "2019-03-27").await;
}

#[tokio::test]
async fn a_day_that_goes_on_is_gathered_and_not_counted() {
    let house = house().await.reopen_with(CompactLimits { file_bytes_max: 1 << 20, ..narrow() }).await;
    let (mut dice, mut seq, now) = (Dice(13), 0, at("2019-03-28T00:01:00Z"));
    for _ in 0..9 {
        let mut batch = batch(&mut dice, &mut seq);
        batch.contacts.iter_mut().for_each(|row| row.received = now);
        (batch.outcomes, batch.verdicts) = Default::default();
        house.archive.commit("insight", batch, now).await.unwrap();
    }
    let before = held(&house.archive).await;
    let done = compact_all(&house.archive, now, house.archive.compact_limits().settle).await;
    let of_contacts = |done: &&Compacted| done.table == "contacts";
    assert_eq!(done.iter().filter(of_contacts).count(), 4, "three times three, and those three: {done:?}");
    assert_eq!(house.archive.tallies().await.unwrap()["contacts"].files, 1);
    assert_eq!(house.archive.days_rolled_up().await.unwrap(), BTreeSet::new());
    assert_eq!(held(&house.archive).await, before);
}

#[tokio::test]
async fn files_stay_in_their_places_as_long_as_somebody_reads_them() {
    let house = house().await;
    let (mut dice, mut seq, now) = (Dice(17), 0, at("2019-04-01T00:00:00Z"));
    house.archive.commit("insight", batch(&mut dice, &mut seq), now).await.unwrap();
    let root = house.archive.inner.root.clone();
    let reading = house.archive.files().await.unwrap();
    let paths: Vec<PathBuf> = reading.iter().map(|file| root.join(&file.path)).collect();
    let archive = house.archive.clone();
    let mut compacting = tokio::spawn(async move { compact_all(&archive, now, Duration::ZERO).await });
    assert!(tokio::time::timeout(Duration::from_millis(200), &mut compacting).await.is_err(), "it waits for us");
    assert!(paths.iter().all(|path| path.exists()));
    drop(reading);
    assert!(!compacting.await.unwrap().is_empty());
    assert!(!paths.iter().any(|path| path.exists()));
}

#[tokio::test]
async fn a_crash_between_the_transaction_and_the_removal_leaves_files_that_the_next_opening_removes() {
    let house = house().await;
    let (mut dice, mut seq, now) = (Dice(17), 0, at("2019-04-01T00:00:00Z"));
    house.archive.commit("insight", batch(&mut dice, &mut seq), now).await.unwrap();
    let first = house.archive.files().await.unwrap()[0].path.clone();
    let (there, kept) = (house.archive.inner.root.join(&first), house.home.path().join("kept"));
    std::fs::copy(&there, &kept).unwrap();
    compact_all(&house.archive, now, Duration::ZERO).await;
    let before = held(&house.archive).await;
    std::fs::copy(&kept, &there).unwrap();
    let mut transaction = house.ledger.begin().await.unwrap();
    manifest::set_replaced(&mut transaction, &first, now).await.unwrap();
    manifest::set_replaced(&mut transaction, &first.with_file_name("gone.parquet"), now).await.unwrap();
    transaction.commit().await.unwrap();
    let house = house.reopen().await;
    assert_eq!((house.archive.orphans().len(), there.exists()), (0, false));
    assert_eq!(held(&house.archive).await, before);
    assert_eq!(manifest::replaced(&house.ledger).await.unwrap(), [] as [PathBuf; 0]);
}

#[tokio::test]
async fn what_is_abandoned_leaves_nothing_behind() {
    let house = house().await;
    let (mut dice, mut seq, now) = (Dice(19), 0, at("2019-04-01T00:00:00Z"));
    house.archive.commit("insight", batch(&mut dice, &mut seq), now).await.unwrap();
    let before = held(&house.archive).await;
    for steps in 0..4 {
        let mut work = house.archive.next_compaction(now, Duration::ZERO).await.unwrap().unwrap();
        for _ in 0..steps {
            work.step().await.unwrap();
        }
        work.abandon().await.unwrap();
    }
    let house = house.reopen().await;
    assert_eq!(house.archive.orphans(), [] as [PathBuf; 0]);
    assert_eq!(held(&house.archive).await, before);
}

/// Batches, compaction, sweeps and stops in a random order: a stop leaves everything as a killed process would.
#[tokio::test]
async fn a_stop_anywhere_loses_nothing_and_doubles_nothing() {
    let seeds = std::env::var("BAILIWICK_COMPACT_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(3);
    for seed in 0..seeds {
        stops(seed).await;
    }
}

async fn stops(seed: u64) {
    let (mut dice, mut seq, mut expected) = (Dice(seed), 0, 0);
    let mut house = house().await.reopen_with(narrow()).await;
    let mut now = at("2019-04-01T00:00:00Z");
    for _ in 0..40 {
        now += Duration::from_secs(300);
        match dice.up_to(5) {
            0..=2 => {
                let batch = batch(&mut dice, &mut seq);
                expected += batch.contacts.len();
                house.archive.commit("insight", batch, now).await.unwrap();
            }
            _ => house = work_and_stop(house, &mut dice, now).await,
        }
        let contacts = held(&house.archive).await.contacts;
        let ids: Vec<u64> = contacts.iter().map(|row| row.id.seq()).collect();
        assert_eq!(ids, (1..=expected as u64).collect::<Vec<_>>(), "seed {seed}");
        for day in house.archive.days_rolled_up().await.unwrap() {
            assert_counted(&house.archive, &contacts, &day.to_string()).await;
        }
    }
    compact_all(&house.archive, now, Duration::ZERO).await;
    let all = held(&house.archive).await;
    assert_eq!((all.contacts.len(), all.verdicts.len()), (expected, expected), "seed {seed}");
    assert!(all.contacts.iter().all(|row| row.id == id(row.id.seq())));
}

/// One piece of work, stopped after so many steps, before its commit or after it.
async fn work_and_stop(house: House, dice: &mut Dice, now: Timestamp) -> House {
    let Some(mut work) = house.archive.next_compaction(now, Duration::ZERO).await.unwrap() else { return house };
    let steps = dice.up_to(6);
    for _ in 0..steps {
        if !work.step().await.unwrap() {
            if dice.up_to(3) > 0 {
                work.commit(now).await.unwrap();
            } else {
                drop(work);
            }
            return if dice.up_to(2) == 0 { house.reopen_with(narrow()).await } else { house };
        }
    }
    drop(work);
    house.reopen_with(narrow()).await
}

#[tokio::test]
async fn files_of_a_release_that_did_not_sort_are_sorted_as_they_are_merged() {
    let house = house().await;
    let (mut dice, mut seq, now) = (Dice(23), 0, at("2019-04-01T00:00:00Z"));
    for _ in 0..2 {
        house.archive.commit("insight", batch(&mut dice, &mut seq), now).await.unwrap();
    }
    let before = held(&house.archive).await;
    let files = house.archive.files().await.unwrap();
    for written in files.iter().filter(|file| file.table == "contacts") {
        unsort(&house.archive.inner.root.join(&written.path));
    }
    // Whoever holds the list holds the files, and compaction would wait.
    drop(files);
    compact_all(&house.archive, now, Duration::ZERO).await;
    assert_eq!(held(&house.archive).await, before);
}

/// Writes a file as the first release did: its rows as they came, one column fewer, nothing said of an order.
fn unsort(path: &std::path::Path) {
    use arrow_array::RecordBatch;
    use parquet::arrow::ArrowWriter;
    let reader = super::super::merge::open(path).unwrap().build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    let columns = batches[0].num_columns() - 1;
    let fewer = batches[0].project(&(0..columns).collect::<Vec<_>>()).unwrap();
    let mut writer = ArrowWriter::try_new(std::fs::File::create(path).unwrap(), fewer.schema(), None).unwrap();
    for row in (0..fewer.num_rows()).rev() {
        writer.write(&fewer.slice(row, 1)).unwrap();
    }
    writer.close().unwrap();
}
