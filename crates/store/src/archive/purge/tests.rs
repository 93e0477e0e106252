//! Purging's promises: what is due goes from every table and nothing else does; a crash before the commit changes nothing;
//! a scan finds what is left.

use std::fs;
use std::time::Duration;

use model::Timestamp;
use model::contact::Kind;
use model::id::Position;
use model::verdict::Label;

use super::super::tests::{House, at, contact, house, outcome, query, request, verdict};
use super::super::{ArchiveBatch, CompactLimits, ContactRow, SightingFilter};
use super::*;

const DAY: &str = "2019-03-27";

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn due(case: Option<&str>, part: RecordPart, before: &str) -> Due {
    let case = case.map(|case| CaseId::parse(case).unwrap());
    Due { case, part, apex: None, from: None, before: date(before) }
}

/// A contact of a case and a name, with bytes, an outcome and a verdict.
fn put(batch: &mut ArchiveBatch, seq: u64, case: Option<&str>, apex: &str, received: &str) {
    let what = if seq.is_multiple_of(2) { request() } else { query() };
    let mut one = contact(seq, received, what);
    one.source = format!("203.0.113.{}:4711", 1 + seq % 200).parse().unwrap();
    one.subject = one.subject.take().filter(|_| case.is_some()).map(|mut subject| {
        (subject.case, subject.apex) = (case.unwrap().to_owned().into(), apex.to_owned().into());
        subject
    });
    let mut row = ContactRow::from(&one);
    row.forwarded = Some("198.51.100.9".into());
    row.client_subnet = Some(vec![0, 1, 32, 0, 198, 51, 100, 9]);
    batch.contacts.push(row);
    batch.outcomes.push(outcome(seq + 1_000, seq, received, 200));
    batch.verdicts.push(verdict(seq, received, Label::Victim, "g1"));
}

/// Two cases and nobody's, on two days; the second case has two names.
async fn furnished() -> House {
    let house = house().await;
    let mut batch = ArchiveBatch::default();
    for seq in 1..=60 {
        let day = if seq <= 40 { DAY } else { "2019-03-28" };
        let (case, apex) = match seq % 4 {
            0 => (None, ""),
            1 => (Some("c-2"), "taken.test"),
            2 => (Some("c-2"), "back.test"),
            _ => (Some("c-1"), "seized.test"),
        };
        put(&mut batch, seq, case, apex, &format!("{day}T10:00:{:02}Z", seq % 60));
    }
    house.archive.commit("insight", batch, at("2019-03-29T00:00:00Z")).await.unwrap();
    house
}

async fn settle(house: &House) {
    while let Some(mut work) = house.archive.next_compaction(now(), Duration::ZERO).await.unwrap() {
        while work.step().await.unwrap() {}
        work.commit(now()).await.unwrap();
    }
}

fn now() -> Timestamp {
    at("2019-07-01T08:00:00Z")
}

async fn purge(house: &House, due: &[Due]) -> Vec<Purged> {
    let mut all = Vec::new();
    while let Some(mut purging) = house.archive.next_purge(house.archive.still().await, due).await.unwrap() {
        while purging.step().await.unwrap() {}
        all.push(purging.commit(now()).await.unwrap());
    }
    all
}

/// Rows by table that belong to contacts of that case.
async fn count(house: &House, case: Option<&str>) -> [u64; 5] {
    let (root, files) = (house.archive.inner.root.clone(), house.archive.files().await.unwrap());
    let (mut ids, mut counts) = (std::collections::HashSet::new(), [0; 5]);
    let is_of = |row: &ContactRow| row.case_id.as_deref() == case;
    for file in files.iter().filter(|file| file.table == "contacts") {
        file::read(&root, file, &mut |row: ContactRow| ids.extend(is_of(&row).then_some(row.id))).unwrap();
    }
    counts[0] = ids.len() as u64;
    for file in files.iter() {
        match file.table.as_str() {
            "raw" => file::read(&root, file, &mut |row: RawRow| counts[1] += u64::from(ids.contains(&row.id))),
            "outcomes" => {
                file::read(&root, file, &mut |row: OutcomeRow| counts[2] += u64::from(ids.contains(&row.contact_id)))
            }
            "verdicts" => {
                file::read(&root, file, &mut |row: VerdictRow| counts[3] += u64::from(ids.contains(&row.contact_id)))
            }
            "daily_sources" => file::read(&root, file, &mut |row: DailySourceRow| {
                counts[4] += u64::from(row.case_id.as_deref() == case);
            }),
            _ => Ok(()),
        }
        .unwrap();
    }
    counts
}

async fn rows(house: &House, table: &str) -> u64 {
    house.archive.tallies().await.unwrap()[table].rows
}

#[tokio::test]
async fn bytes_of_one_case_and_day_go_and_all_else_stays() {
    let house = furnished().await;
    let due = [due(Some("c-2"), RecordPart::Raw, "2019-03-28")];
    assert!(
        house.archive.next_purge(house.archive.still().await, &due).await.unwrap().is_none(),
        "the day is not settled yet"
    );
    assert!(house.archive.waiting(&due).await.unwrap()[0].is_unsettled);
    settle(&house).await;
    let before = [count(&house, Some("c-1")).await, count(&house, None).await];
    let (bytes, facts) = (rows(&house, "raw").await, house.ledger.view().await.unwrap().next);
    let done = purge(&house, &due).await;
    assert_eq!(done.len(), 1);
    assert_eq!((done[0].day, done[0].files_before, done[0].files_after), (date(DAY), 1, 1));
    // Twenty contacts of the case on that day; only requests have bytes.
    assert_eq!((done[0].rows, rows(&house, "raw").await), (10, bytes - 10));
    assert_eq!([count(&house, Some("c-1")).await, count(&house, None).await], before);
    assert_eq!(count(&house, Some("c-2")).await[..4], [30, 5, 30, 30], "the second day has its bytes");
    let told = house.ledger.facts(facts).await.unwrap();
    let [fact] = &told[..] else { panic!("{told:?}") };
    let Body::Purged { case, day, parts, before, after } = &fact.body else { panic!("{fact:?}") };
    assert_eq!((case.as_ref().unwrap().as_str(), day.to_string().as_str(), parts[0].rows), ("c-2", DAY, 10));
    assert!(before.files == 1 && after.files == 1 && before.digest != after.digest);
    assert!(!format!("{fact:?}").contains("203.0.113"));
    assert!(purge(&house, &due).await.is_empty(), "it is done once");
    assert!(house.archive.traces(due.to_vec()).await.unwrap().found.is_empty());
}

#[tokio::test]
async fn contacts_go_with_all_that_belongs_to_them_and_counts_stay() {
    let house = furnished().await;
    settle(&house).await;
    let names = house.archive.daily_names(date(DAY)).await.unwrap();
    let due = [due(Some("c-2"), RecordPart::Contacts, "2019-03-29"), due(None, RecordPart::Contacts, "2019-03-28")];
    purge(&house, &due).await;
    assert_eq!(count(&house, Some("c-2")).await, [0; 5]);
    assert_eq!([count(&house, Some("c-1")).await[0], count(&house, None).await[0]], [15, 5]);
    let left = count(&house, Some("c-1")).await.into_iter().zip(count(&house, None).await).map(|(one, two)| one + two);
    let tables = ["contacts", "raw", "outcomes", "verdicts", "daily_sources"];
    for (table, left) in tables.into_iter().zip(left) {
        assert_eq!(rows(&house, table).await, left, "{table}: nothing is without its contact");
    }
    assert_eq!(house.archive.daily_names(date(DAY)).await.unwrap(), names);
    let sightings = house.archive.sightings(&SightingFilter::default()).await.unwrap();
    assert!(sightings.len() == 20 && sightings.iter().all(|one| one.label.is_some()));
    let on_disk = fs::read_dir(house.home.path().join("archive/contacts/day=2019-03-27")).unwrap().count();
    assert_eq!(on_disk, 1, "the old file is gone");
    assert!(house.archive.traces(due.to_vec()).await.unwrap().found.is_empty());
}

#[tokio::test]
async fn addresses_are_cut_everywhere_and_the_days_counts_are_those_of_before() {
    let house = furnished().await;
    settle(&house).await;
    let names = house.archive.daily_names(date(DAY)).await.unwrap();
    let due = [due(Some("c-2"), RecordPart::Addresses, "2019-03-28")];
    let scan = || house.archive.traces(due.to_vec());
    assert_eq!(
        scan().await.unwrap().found.values().sum::<u64>(),
        40,
        "twenty contacts and twenty addresses of the day"
    );
    assert_eq!(purge(&house, &due).await[0].rows, 20);
    let (root, files) = (house.archive.inner.root.clone(), house.archive.files().await.unwrap());
    let (mut whole, mut cut) = (0, 0);
    for file in files.iter().filter(|file| file.table == "contacts") {
        file::read(&root, file, &mut |row: ContactRow| {
            let is_due = row.case_id.as_deref() == Some("c-2") && file.day == DAY;
            let is_cut = row.source.to_string() == "203.0.113.0" && row.forwarded.is_none();
            let subnet = row.client_subnet.as_deref() == Some(&[0, 1, 24, 0, 198, 51, 100]);
            assert_eq!((is_cut, subnet), (is_due, is_due), "{row:?}");
            *(if is_due { &mut cut } else { &mut whole }) += 1;
        })
        .unwrap();
    }
    assert_eq!((cut, whole), (20, 40));
    drop(files);
    let sources = house.archive.daily_sources(date(DAY)).await.unwrap();
    let of_case: Vec<_> = sources.iter().filter(|row| row.case_id.as_deref() == Some("c-2")).collect();
    assert!(
        of_case.len() == 2 && of_case.iter().all(|row| row.source.to_string() == "203.0.113.0" && row.contacts == 10)
    );
    assert_eq!(sources.len(), 2 + 20);
    assert_eq!(house.archive.daily_names(date(DAY)).await.unwrap(), names, "how many there were stays known");
    assert!(names.iter().any(|row| row.kind == Some(Kind::Query)));
    assert!(scan().await.unwrap().found.is_empty());
}

#[tokio::test]
async fn a_name_that_was_given_back_goes_with_its_counts_and_its_neighbour_stays() {
    let house = furnished().await;
    settle(&house).await;
    let apex = Some(DomainName::parse("back.test").unwrap());
    let due = [Due { apex, ..due(Some("c-2"), RecordPart::Contacts, "2019-04-01") }];
    purge(&house, &due).await;
    assert_eq!(count(&house, Some("c-2")).await[..4], [15, 0, 15, 15]);
    for day in [DAY, "2019-03-28"] {
        let names = house.archive.daily_names(date(day)).await.unwrap();
        assert!(names.iter().all(|row| row.apex.as_deref() != Some("back.test")));
        assert!(names.iter().any(|row| row.apex.as_deref() == Some("taken.test")));
    }
    assert!(house.archive.traces(due.to_vec()).await.unwrap().found.is_empty());
}

#[tokio::test]
async fn what_comes_for_a_purged_day_is_purged_too() {
    let house = furnished().await;
    settle(&house).await;
    let due = [due(Some("c-2"), RecordPart::Contacts, "2019-03-28")];
    purge(&house, &due).await;
    let mut late = ArchiveBatch::default();
    put(&mut late, 99, Some("c-2"), "taken.test", "2019-03-27T11:00:00Z");
    house.archive.commit("insight", late, now()).await.unwrap();
    assert_eq!(house.archive.traces(due.to_vec()).await.unwrap().found.values().sum::<u64>(), 1);
    settle(&house).await;
    assert_eq!(purge(&house, &due).await[0].rows, 3, "contact, outcome, verdict; a query has no bytes");
    assert!(house.archive.traces(due.to_vec()).await.unwrap().found.is_empty());
}

#[tokio::test]
async fn a_purge_that_breaks_off_changes_nothing_and_one_that_is_abandoned_leaves_nothing() {
    let house = furnished().await;
    settle(&house).await;
    let before = house.archive.sightings(&SightingFilter::default()).await.unwrap();
    let due = [due(Some("c-2"), RecordPart::Contacts, "2019-04-01")];
    let files = |house: &House| {
        let folder = house.home.path().join("archive/contacts/day=2019-03-27");
        fs::read_dir(folder).unwrap().count()
    };
    let mut purging = house.archive.next_purge(house.archive.still().await, &due).await.unwrap().unwrap();
    while purging.step().await.unwrap() {}
    purging.abandon().await.unwrap();
    assert_eq!(files(&house), 1);
    let mut purging = house.archive.next_purge(house.archive.still().await, &due).await.unwrap().unwrap();
    while purging.step().await.unwrap() {}
    drop(purging);
    assert_eq!(files(&house), 2, "a crash leaves a file without a row");
    let house = house.reopen_with(CompactLimits::default()).await;
    assert_eq!(files(&house), 1);
    assert!(!house.archive.orphans().is_empty());
    assert_eq!(house.archive.sightings(&SightingFilter::default()).await.unwrap(), before);
    assert!(
        !house.ledger.facts(Position(0)).await.unwrap().iter().any(|fact| matches!(fact.body, Body::Purged { .. }))
    );
    purge(&house, &due).await;
    assert_eq!(count(&house, Some("c-2")).await[0], 0);
}
