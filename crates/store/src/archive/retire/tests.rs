//! Only verdicts that do not count go, and no question is answered otherwise.

use std::time::Duration;

use model::fact::{Actor, Body, Fact};
use model::id::Position;
use model::verdict::Label;

use super::super::tests::{House, at, contact, house, query, verdict};
use super::super::{ArchiveBatch, CompactLimits, ContactRow, VerdictRow};

const BEFORE: &str = "2019-03-27T23:59:59Z";
const AFTER: &str = "2019-03-28T00:00:01Z";
const CONTACTS: u64 = 40;

fn received(seq: u64) -> &'static str {
    if seq.is_multiple_of(2) { BEFORE } else { AFTER }
}

fn verdicts(label: Label, generation: &str, of: impl Iterator<Item = u64>) -> Vec<VerdictRow> {
    of.map(|seq| verdict(seq, received(seq), label, generation)).collect()
}

async fn commit(house: &House, batch: ArchiveBatch, minute: u64) {
    let now = at("2019-03-28T00:01:00Z") + Duration::from_secs(60 * minute);
    house.archive.commit("insight", batch, now).await.unwrap();
}

/// Forty contacts on two days: each judged, every second one again, and every fourth a third time.
async fn judged_again() -> House {
    let limits = CompactLimits { file_bytes_max: 1_000, ..CompactLimits::default() };
    let house = house().await.reopen_with(limits).await;
    let contacts = (0..CONTACTS).map(|seq| ContactRow::from(&contact(seq, received(seq), query()))).collect();
    let first = verdicts(Label::Victim, "g1", 0..CONTACTS);
    commit(&house, ArchiveBatch { contacts, verdicts: first, ..ArchiveBatch::default() }, 0).await;
    for (minute, label, step) in [(1, Label::Scanner, 2), (2, Label::Crawler, 4)] {
        let verdicts = verdicts(label, "g2", (0..CONTACTS).step_by(step));
        commit(&house, ArchiveBatch { verdicts, ..ArchiveBatch::default() }, minute).await;
    }
    house
}

async fn settle(house: &House) {
    let now = at("2019-04-03T00:00:00Z");
    while let Some(mut work) = house.archive.next_compaction(now, Duration::ZERO).await.unwrap() {
        while work.step().await.unwrap() {}
        work.commit(now).await.unwrap();
    }
}

async fn retire_all(house: &House) -> Vec<(String, u64)> {
    let (mut all, mut after) = (Vec::new(), None);
    let actor = Actor::LocalUser { uid: 1000 };
    while let Some(one) = house.archive.retire(after, &actor, at("2019-04-02T00:00:00Z")).await.unwrap() {
        after = Some(one.day);
        all.push((one.day.to_string(), one.verdicts));
    }
    all
}

async fn told(house: &House) -> Vec<u64> {
    let told = |fact: Fact| match fact.body {
        Body::VerdictsRetired { verdicts, before, after, .. } => {
            assert_ne!(before.digest, after.digest);
            Some(verdicts)
        }
        _ => None,
    };
    house.ledger.facts(Position(0)).await.unwrap().into_iter().filter_map(told).collect()
}

#[tokio::test]
async fn verdicts_that_a_later_one_replaced_go_and_every_sighting_stays_as_it_was() {
    let house = judged_again().await;
    assert_eq!(retire_all(&house).await, [], "a day that is not compacted for good stays whole");
    settle(&house).await;
    let sightings = house.archive.sightings(&Default::default()).await.unwrap();
    let twice = [("2019-03-27".to_owned(), 30), ("2019-03-28".to_owned(), 0)];
    assert_eq!(house.archive.tallies().await.unwrap()["verdicts"].rows, 70);
    assert_eq!(retire_all(&house).await, twice);
    assert_eq!(house.archive.tallies().await.unwrap()["verdicts"].rows, CONTACTS);
    assert_eq!(house.archive.sightings(&Default::default()).await.unwrap(), sightings);
    assert_eq!(told(&house).await, [30], "a day of which nothing went is in no fact");
    let again = retire_all(&house).await;
    assert!(again.iter().all(|(_, verdicts)| *verdicts == 0), "{again:?}");
    let house = house.reopen().await;
    assert_eq!(house.archive.orphans().len(), 0);
    assert_eq!(house.archive.sightings(&Default::default()).await.unwrap(), sightings);
}

#[tokio::test]
async fn a_verdict_that_comes_later_counts_and_its_day_is_retired_when_it_is_settled_again() {
    let house = judged_again().await;
    settle(&house).await;
    retire_all(&house).await;
    let late = ArchiveBatch { verdicts: verdicts(Label::Victim, "g3", 0..1), ..ArchiveBatch::default() };
    commit(&house, late, 3).await;
    let days: Vec<String> = retire_all(&house).await.into_iter().map(|(day, _)| day).collect();
    assert_eq!(days, ["2019-03-28"], "the other day goes on");
    settle(&house).await;
    assert_eq!(retire_all(&house).await[0], ("2019-03-27".to_owned(), 1));
    assert_eq!(house.archive.sightings(&Default::default()).await.unwrap()[0].label, Some(Label::Victim));
}
