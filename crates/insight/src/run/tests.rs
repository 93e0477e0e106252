mod replay;

use std::path::Path;

use model::Digest;
use model::case::CaseTerms;
use model::contact::{Connection, Contact, What};
use model::fact::IndicatorKind;
use model::group::Group;
use model::order::{Source, Sourced};
use model::verdict::Label;
use store::archive::Sighting;
use store::folder::DataFolder;
use store::journal::{JournalLimits, LaneWriter};

use super::*;
use crate::fixtures::*;

//----------- A data folder of its own -----------------------------------------------------------------------------

struct House {
    journal: Arc<Journal>,
    ledger: Ledger,
    archive: Archive,
    lane: LaneWriter,
    _folder: DataFolder,
}

impl House {
    async fn open(path: &Path) -> Self {
        let folder = DataFolder::open(path, "test", at(0)).unwrap();
        let journal = Journal::open(&folder, JournalLimits::default()).unwrap();
        let ledger = Ledger::open(&folder).await.unwrap();
        let archive = Archive::open(&folder, &ledger).await.unwrap();
        let lane = journal.lane(at(0)).unwrap();
        Self { journal, ledger, archive, lane, _folder: folder }
    }

    /// A house that knows the case which every contact of the fixtures concerns.
    async fn with_case(path: &Path) -> Self {
        let house = Self::open(path).await;
        let body = Body::CaseOpened { case: Box::new(terms()), file: Digest::of_bytes(b"") };
        let draft = Draft::new(Actor::LocalUser { uid: 0 }, body);
        house.ledger.append(None, vec![draft], vec![], at(0)).await.unwrap();
        house
    }

    /// Writes contacts, each with its outcome if it has one, and gives them their ids.
    fn hear(&mut self, heard: Vec<(Contact<'static>, Option<&[&'static str]>)>) {
        for (mut contact, fields) in heard {
            contact.id = self.lane.next_id();
            let of = contact.id;
            self.lane.stage(&Frame::Contact(contact));
            if let Some(fields) = fields {
                let mut outcome = outcome(0, fields, None, 80);
                (outcome.id, outcome.of) = (self.lane.next_id(), of);
                self.lane.stage(&Frame::Outcome(outcome));
            }
        }
        self.lane.commit(at(0)).unwrap();
    }

    async fn follower(&self, settings: Settings) -> Follower {
        let (journal, ledger, archive) = (Arc::clone(&self.journal), self.ledger.clone(), self.archive.clone());
        Follower::start(journal, ledger, archive, Arc::new(Tables::demo()), settings).await.unwrap()
    }

    async fn catch_up(&self) -> Progress {
        self.follower(settings()).await.finish().await.unwrap()
    }

    async fn sightings(&self) -> Vec<Sighting> {
        self.archive.sightings(&SightingFilter::default()).await.unwrap()
    }

    async fn rows(&self) -> Vec<(String, u64)> {
        let tallies = self.archive.tallies().await.unwrap();
        let ours = ["contacts", "outcomes", "verdicts"].map(str::to_owned);
        ours.map(|table| (table.clone(), tallies[&table].rows)).to_vec()
    }
}

fn terms() -> CaseTerms {
    let id = "phosphorus-2019".parse().unwrap();
    let group = Group { id: "apt35".parse().unwrap(), name: "PHOSPHORUS".into(), aliases: vec![], attributed_to: None };
    CaseTerms {
        privacy: Default::default(),
        id,
        title: "An exercise".into(),
        group,
        contact: "desk@example.org".into(),
        purpose: Sourced { value: "exercise".into(), source: Source::Unverified },
        tlp: Default::default(),
        withheld: Withheld { countries: ["IR".parse().unwrap()].into(), ..Withheld::default() },
        retention: Default::default(),
        answer: Default::default(),
        notice: Default::default(),
        answers: None,
    }
}

/// The fixtures' contacts are of 2019: the memory is warmed from long ago.
fn settings() -> Settings {
    Settings { warm_secs: 100 * 365 * 24 * 60 * 60, poll: Duration::from_millis(20), ..Settings::default() }
}

fn table_rows(contacts: u64, outcomes: u64, verdicts: u64) -> Vec<(String, u64)> {
    vec![("contacts".into(), contacts), ("outcomes".into(), outcomes), ("verdicts".into(), verdicts)]
}

fn beacons() -> Vec<(Contact<'static>, Option<&'static [&'static str]>)> {
    let beacon = |n: u8| (request(0, 1, &format!("127.10.0.{n}"), "POST /gate.php", OLD_IE, ""), Some(&["id"][..]));
    (1..=3).map(beacon).collect()
}

//----------- Stories ----------------------------------------------------------------------------------------------

#[tokio::test]
async fn what_was_heard_is_judged_once_however_often_we_catch_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::with_case(folder.path()).await;
    house.hear(beacons());
    house.hear(vec![
        (request(0, 2, "127.66.0.9", "POST /owa/", EDGE, ""), Some(&["passwd"])),
        (query("127.53.0.1", 1, 1, &[]), None),
        (contact(0, 3, "127.80.0.1", None, What::Connection(Connection::default())), None),
    ]);
    let first = house.catch_up().await;
    assert_eq!((first.contacts, first.verdicts, first.learned), (6, 6, 2));
    assert_eq!(house.catch_up().await, Progress::default());
    assert_eq!(house.rows().await, table_rows(6, 4, 6));

    let mut told: Vec<_> =
        house.sightings().await.iter().map(|s| (s.source.to_string(), s.label, s.withheld)).collect();
    told.sort();
    let expected = [
        ("127.10.0.1", Label::Victim, false),
        ("127.10.0.2", Label::Victim, false),
        ("127.10.0.3", Label::Victim, false),
        ("127.53.0.1", Label::Resolver, false),
        ("127.66.0.9", Label::Victim, true),
        ("127.80.0.1", Label::Unknown, false),
    ];
    assert_eq!(told, expected.map(|(source, label, withheld)| (source.to_owned(), Some(label), withheld)));
}

#[tokio::test]
async fn what_was_learned_is_a_fact_and_stays_one_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::with_case(folder.path()).await;
    house.hear(beacons());
    house.catch_up().await;
    let learned = |view: Arc<View>| -> Vec<_> {
        let known = view.indicators.iter().map(|(_, group, indicator)| {
            (group.to_string(), indicator.kind, indicator.value.clone(), indicator.addresses)
        });
        known.collect()
    };
    let expected = [
        ("apt35".to_owned(), IndicatorKind::UrlPath, "/gate.php".to_owned(), 3),
        ("apt35".to_owned(), IndicatorKind::UserAgent, OLD_IE.to_owned(), 3),
    ];
    assert_eq!(learned(house.ledger.view().await.unwrap()), expected);
    drop(house);

    let mut house = House::open(folder.path()).await;
    house.hear(beacons());
    assert_eq!(house.catch_up().await.learned, 0);
    assert_eq!(learned(house.ledger.view().await.unwrap()), expected);
}

#[tokio::test]
async fn an_outcome_in_a_later_batch_makes_the_same_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::with_case(folder.path()).await;
    house.hear(vec![(request(0, 2, "127.10.0.9", "POST /owa/", EDGE, ""), None)]);
    let patient = Settings { patience: Patience { wait_secs: i64::from(u32::MAX), waiting_max: 10 }, ..settings() };
    let mut follower = house.follower(patient).await;
    while follower.step(Wait::ForOutcomes).await.unwrap() > 0 {}
    assert_eq!(house.rows().await, table_rows(1, 0, 0), "the contact is kept, the verdict waits");

    let mut posted = outcome(0, &["passwd"], None, 80);
    posted.id = house.lane.next_id();
    posted.of = house.sightings().await[0].id;
    house.lane.stage(&Frame::Outcome(posted));
    house.lane.commit(at(9)).unwrap();
    while follower.step(Wait::ForOutcomes).await.unwrap() > 0 {}
    assert_eq!(house.rows().await, table_rows(1, 1, 1));
    assert_eq!(house.sightings().await[0].label, Some(Label::Victim));
}

#[tokio::test]
async fn whoever_waited_when_we_died_is_judged_after_the_restart_and_withheld() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::with_case(folder.path()).await;
    house.hear(vec![(request(0, 2, "127.80.0.9", "GET /.env", EDGE, ""), None)]);
    let patient = Settings { patience: Patience { wait_secs: i64::from(u32::MAX), waiting_max: 10 }, ..settings() };
    let mut follower = house.follower(patient).await;
    while follower.step(Wait::ForOutcomes).await.unwrap() > 0 {}
    drop(follower);
    assert_eq!(house.sightings().await[0].label, None);

    assert_eq!(house.catch_up().await.verdicts, 1);
    let sighting = house.sightings().await.remove(0);
    assert_eq!((sighting.label, sighting.withheld), (Some(Label::Scanner), true));
    assert_eq!(house.catch_up().await.verdicts, 0);
}

#[tokio::test]
async fn a_batch_is_bounded_and_all_batches_together_are_everything() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::with_case(folder.path()).await;
    for _ in 0..50 {
        house.hear(beacons());
    }
    let small = Settings { batch_bytes_max: 2048, ..settings() };
    let mut follower = house.follower(small).await;
    let first = follower.step(Wait::ForOutcomes).await.unwrap();
    assert!((1..100).contains(&first), "{first} frames in 2 KiB");
    let progress = follower.finish().await.unwrap();
    assert_eq!((progress.contacts, progress.verdicts), (150, 150));
    assert_eq!(house.rows().await, table_rows(150, 150, 150));
}

#[tokio::test]
async fn the_follower_wakes_works_and_stops_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::with_case(folder.path()).await;
    let (stopper, stop) = watch::channel(false);
    let (journal, ledger, archive) = (Arc::clone(&house.journal), house.ledger.clone(), house.archive.clone());
    let following = tokio::spawn(follow(journal, ledger, archive, Arc::new(Tables::empty()), settings(), stop));
    house.hear(beacons());
    let mut changed = house.ledger.changed();
    while house.ledger.view().await.unwrap().indicators.is_empty() {
        changed.changed().await.unwrap();
    }
    house.hear(vec![(request(0, 2, "127.10.0.9", "GET /", EDGE, ""), None)]);
    stopper.send(true).unwrap();
    let progress = following.await.unwrap().unwrap();
    assert_eq!((progress.contacts, progress.verdicts), (4, 4), "what came before the stop is read after it");
}
