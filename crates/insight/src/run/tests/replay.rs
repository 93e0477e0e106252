//! History labelled anew.

use model::fact::Fact;
use model::id::Position;
use model::verdict::Verdict;
use store::archive::Staged;

use super::*;

fn labels(house: &House, tables: Tables) -> Labels {
    let (journal, tables) = (Arc::clone(&house.journal), Arc::new(tables));
    Labels { journal, tables, settings: settings(), alone: Default::default() }
}

async fn replay_since(house: &House, labels: &Labels, since: Timestamp) -> Replayed {
    let actor = Actor::LocalUser { uid: 1 };
    replay(labels, &house.ledger, &house.archive, since, actor).await.unwrap()
}

/// The follower has tables without networks; the replay knows them.
#[tokio::test]
async fn a_replay_puts_other_verdicts_in_force_and_keeps_those_of_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::with_case(folder.path()).await;
    house.hear(beacons());
    let (journal, ledger, archive) = (Arc::clone(&house.journal), house.ledger.clone(), house.archive.clone());
    let follower = Follower::start(journal, ledger, archive, Arc::new(Tables::default()), settings()).await.unwrap();
    follower.finish().await.unwrap();
    let before = house.sightings().await;
    assert!(before.iter().all(|sighting| sighting.asn.is_none() && sighting.label.is_some()));

    let labels = labels(&house, Tables::demo());
    let replayed = replay_since(&house, &labels, Timestamp::UNIX_EPOCH).await;
    assert_eq!((replayed.contacts, replayed.verdicts), (3, 3));
    assert_eq!(replayed.generation, generation(&Tables::demo()).to_string());
    let after = house.sightings().await;
    assert!(after.iter().all(|sighting| sighting.asn.is_some()));
    let who = |sightings: &[Sighting]| sightings.iter().map(|s| (s.id, s.label, s.withheld)).collect::<Vec<_>>();
    assert_eq!(who(&after), who(&before));
    assert_eq!(house.rows().await, table_rows(3, 3, 6), "no contact is there twice, and no verdict is gone");
    assert_eq!(house.catch_up().await, Progress::default(), "the follower has nothing to do with it");
    let facts = house.ledger.facts(Position(0)).await.unwrap();
    let is_told = |fact: &&Fact| matches!(fact.body, Body::HistoryReplayed { verdicts: 3, .. });
    assert_eq!(facts.iter().filter(is_told).count(), 1);
}

#[tokio::test]
async fn only_what_was_received_since_then_is_judged_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::with_case(folder.path()).await;
    house.hear(beacons());
    house.catch_up().await;
    let last = house.sightings().await.last().unwrap().received;
    let labels = labels(&house, Tables::demo());
    assert_eq!(replay_since(&house, &labels, last + Duration::from_secs(1)).await.verdicts, 0);
    assert_eq!(house.rows().await, table_rows(3, 3, 3));
}

#[tokio::test]
async fn what_was_staged_and_not_switched_counts_never() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::with_case(folder.path()).await;
    house.hear(beacons());
    house.catch_up().await;
    let before = house.sightings().await;
    let verdict = |of| Verdict {
        of,
        label: Label::Scanner,
        score: 99,
        reasons: vec![],
        asn: None,
        as_name: None,
        country: None,
        withheld: false,
    };
    let rows = before.iter().map(|sighting| VerdictRow::new(verdict(sighting.id), sighting.received, "of nobody"));
    let mut staged = Staged::new("replay");
    house.archive.stage(&mut staged, rows.collect(), now()).await.unwrap();
    assert_eq!(house.sightings().await, before);
    drop(house);
    let house = House::open(folder.path()).await;
    assert_eq!(house.archive.orphans().len(), 1, "it is set aside and named");
    assert_eq!(house.sightings().await, before);
}
