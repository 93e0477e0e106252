//! A core that takes segments from a real journal of a sensor, and hands them to an archive.

use std::path::Path;

use model::contact::{Contact, Limits, Query, Transport, Via, What};
use model::fact::{Actor, Body};
use model::id::{ContactId, Position, SensorName};
use tempfile::TempDir;

use super::reception::SEGMENT_OCTETS_MAX;
use super::*;
use crate::archive::{Archive, ArchiveBatch, ContactRow, SightingFilter};
use crate::journal::{ClosedSegment, Frame, Journal, JournalLimits};
use crate::view::FIRST_SENSOR;
use crate::{DataFolder, Ledger};
use model::digest::Digest;
use model::fact::Draft;
use model::segment::SegmentKey;
use model::time::Timestamp;

fn noon() -> Timestamp {
    "2019-03-27T12:00:00Z".parse().unwrap()
}

fn contact(id: ContactId, received: Timestamp) -> Contact<'static> {
    let query = Query { id: 7, name: b"\x06seized\x04test\x00"[..].into(), qtype: 1, qclass: 1, ..Query::default() };
    Contact {
        id,
        received,
        source: "203.0.113.7:4711".parse().unwrap(),
        local: "192.0.2.53:53".parse().unwrap(),
        transport: Transport::Udp,
        via: Via::Direct,
        over: None,
        subject: None,
        oddities: Vec::new(),
        limits: Limits::default(),
        what: What::Query(query),
    }
}

struct Core {
    _home: TempDir,
    folder: DataFolder,
    ledger: Ledger,
    archive: Archive,
}

impl Core {
    async fn open() -> Self {
        let home = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(home.path(), "test", noon()).unwrap();
        let ledger = Ledger::open(&folder).await.unwrap();
        let name = SensorName::parse("fra-1").unwrap();
        let bodies = [
            Body::EnrolmentOffered { name: name.clone(), token: Digest([1; 32]), expires: later(60) },
            Body::SensorEnrolled { sensor: 2, name, token: Digest([1; 32]), certificate: Digest([2; 32]) },
        ];
        let drafts = bodies.map(|body| Draft::new(Actor::LocalUser { uid: 0 }, body));
        ledger.append(None, drafts.into(), Vec::new(), noon()).await.unwrap();
        let archive = Archive::open(&folder, &ledger).await.unwrap();
        Self { _home: home, folder, ledger, archive }
    }

    fn received(&self) -> &Received {
        self.archive.received()
    }

    async fn put(&self, offer: Offer, octets: &[u8]) -> Answer {
        let mut taking = match self.received().begin(offer, noon()).await {
            Ok(taking) => taking,
            Err(answer) => return answer,
        };
        for chunk in octets.chunks(1_000) {
            if let Err(answer) = taking.write(chunk).await {
                return answer;
            }
        }
        taking.finish(noon()).await
    }

    async fn archive_all(&self) -> u64 {
        let mut untimely = 0;
        loop {
            let plan = self.received().plan().await.unwrap();
            if plan.is_empty() {
                return untimely;
            }
            let mut batch = ArchiveBatch { cursor: self.archive.cursor("t").await.unwrap(), ..Default::default() };
            let mut each = |frame: Frame<'_>| {
                if let Frame::Contact(contact) = frame {
                    batch.contacts.push(ContactRow::from(&contact));
                }
            };
            // Little at a time, so that segments are read in several goes.
            let stretch = plan.read(300, &mut each).unwrap();
            untimely += stretch.untimely;
            batch.received = stretch.places;
            self.archive.commit("t", batch, noon()).await.unwrap();
        }
    }

    async fn archived(&self) -> Vec<ContactId> {
        let sightings = self.archive.sightings(&SightingFilter::default()).await.unwrap();
        sightings.iter().map(|sighting| sighting.id).collect()
    }

    fn files(&self) -> Vec<String> {
        let folder = self.folder.path().join("received/00000002");
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn later(secs: i64) -> Timestamp {
    Timestamp::from_second(noon().as_second() + secs).unwrap()
}

/// A sensor that has recorded so many contacts, each in a segment of its own, and stopped.
fn sensor(home: &Path, contacts: u64) -> (std::sync::Arc<Journal>, Vec<ClosedSegment>) {
    let folder = DataFolder::open(home, "test", noon()).unwrap();
    folder.become_sensor(FIRST_SENSOR).unwrap();
    drop(folder);
    let folder = DataFolder::open(home, "test", noon()).unwrap();
    let limits = JournalLimits { segment_bytes: 100, ..Default::default() };
    let journal = Journal::open(&folder, limits).unwrap();
    let mut lane = journal.lane(noon()).unwrap();
    for _ in 0..contacts {
        lane.stage(&Frame::Contact(contact(lane.next_id(), noon())));
        lane.commit(noon()).unwrap();
    }
    drop(lane);
    drop(folder);
    let folder = DataFolder::open(home, "test", noon()).unwrap();
    let journal = Journal::open(&folder, JournalLimits::default()).unwrap();
    let segments = journal.closed_segments().unwrap();
    (journal, segments)
}

fn offer(segment: &ClosedSegment, octets: &[u8]) -> Offer {
    let (digest, len) = (Digest::of_bytes(octets), octets.len() as u64);
    Offer { key: segment.key(), digest, octets: len, end: None, lost_before: false, clock: Some(later(3)) }
}

fn read(segment: &ClosedSegment) -> Vec<u8> {
    std::fs::read(&segment.path).unwrap()
}

#[tokio::test]
async fn what_a_sensor_recorded_is_in_the_archive_once_however_often_it_is_sent() {
    let (core, home) = (Core::open().await, tempfile::tempdir().unwrap());
    let (journal, segments) = sensor(home.path(), 5);
    assert!(segments.len() >= 3, "{segments:?}");
    for segment in &segments {
        let octets = read(segment);
        assert_eq!(core.put(offer(segment, &octets), &octets).await, Answer::Stored);
        assert_eq!(core.put(offer(segment, &octets), &octets).await, Answer::Had);
        let receipt = core.received().receipt(segment.key()).await.unwrap().unwrap();
        assert_eq!((receipt.digest, receipt.octets), (segment.digest().unwrap(), segment.len));
        journal.release(segment).unwrap();
    }
    assert_eq!(core.archive_all().await, 0);
    let id = |seq| ContactId::new(FIRST_SENSOR, segments[0].boot, segments[0].lane, seq);
    assert_eq!(core.archived().await, (1..=5).map(id).collect::<Vec<_>>());
    assert!(journal.closed_segments().unwrap().is_empty());
    let status = core.received().status(FIRST_SENSOR).await.unwrap();
    assert_eq!((status.segments, status.unread_lanes), (segments.len() as u64, 0));
    assert_eq!(status.clock_ahead_nanos, Some(3_000_000_000));
}

#[tokio::test]
async fn the_first_stays_and_the_other_is_a_fact_once() {
    let (core, home) = (Core::open().await, tempfile::tempdir().unwrap());
    let (_, segments) = sensor(home.path(), 1);
    let octets = read(&segments[0]);
    assert_eq!(core.put(offer(&segments[0], &octets), &octets).await, Answer::Stored);
    let other = [&octets[..], b"x"].concat();
    for _ in 0..3 {
        assert_eq!(core.put(offer(&segments[0], &other), &other).await, Answer::Contradicted);
    }
    assert_eq!(core.put(offer(&segments[0], &octets), &octets).await, Answer::Had);
    let facts = core.ledger.facts(Position(2)).await.unwrap();
    let [fact] = &facts[..] else { panic!("{facts:?}") };
    let kept = Some(Digest::of_bytes(&octets));
    let (segment, sent) = (segments[0].key().to_string(), Digest::of_bytes(&other));
    assert_eq!(fact.body, Body::SensorContradicted { sensor: 2, segment, kept, sent });
    assert_eq!(core.ledger.view().await.unwrap().sensors.known[&FIRST_SENSOR].contradictions, 1);
    assert_eq!(core.received().status(FIRST_SENSOR).await.unwrap().contradictions, 3);
}

#[tokio::test]
async fn a_copy_of_a_folder_is_told_from_its_original() {
    let (core, home) = (Core::open().await, tempfile::tempdir().unwrap());
    let (_, segments) = sensor(home.path(), 2);
    let octets = read(&segments[0]);
    assert_eq!(core.put(offer(&segments[0], &octets), &octets).await, Answer::Stored);
    // The same boot, written by another start of the program.
    let mut other = read(&segments[1]);
    other[52] ^= 1;
    let crc = crc32c::crc32c(&other[..60]).to_be_bytes();
    other[60..64].copy_from_slice(&crc);
    assert_eq!(core.put(offer(&segments[1], &other), &other).await, Answer::OtherStart);
    assert_eq!(core.files().len(), 1);
    let octets = read(&segments[1]);
    assert_eq!(core.put(offer(&segments[1], &octets), &octets).await, Answer::Stored);
    let facts = core.ledger.facts(Position(2)).await.unwrap();
    assert!(matches!(&facts[0].body, Body::SensorContradicted { kept: None, .. }), "{facts:?}");
}

#[tokio::test]
async fn what_is_half_written_or_not_what_was_announced_leaves_nothing() {
    let (core, home) = (Core::open().await, tempfile::tempdir().unwrap());
    let (_, segments) = sensor(home.path(), 1);
    let octets = read(&segments[0]);
    let wanted = offer(&segments[0], &octets);
    let mut taking = core.received().begin(wanted.clone(), noon()).await.ok().unwrap();
    taking.write(&octets[..20]).await.unwrap();
    assert_eq!(core.received().begin(wanted.clone(), noon()).await.err(), Some(Answer::Busy));
    drop(taking);
    assert_eq!(core.put(wanted.clone(), &octets[..20]).await, Answer::Broken);
    assert_eq!(core.put(wanted.clone(), &[&octets[..], b"x"].concat()).await, Answer::Broken);
    let mut bent = octets.clone();
    bent[70] ^= 1;
    assert_eq!(core.put(wanted.clone(), &bent).await, Answer::Broken);
    let large = Offer { octets: SEGMENT_OCTETS_MAX + 1, ..wanted.clone() };
    assert_eq!(core.put(large, &octets).await, Answer::TooLarge);
    let endless = Offer { octets: u64::MAX / 2, ..wanted.clone() };
    assert_eq!(core.put(endless, &octets).await, Answer::TooLarge);
    assert!(core.files().is_empty() && core.received().receipt(segments[0].key()).await.unwrap().is_none());
    let draft = core.folder.path().join("received/00000002/x.0.new");
    std::fs::write(&draft, "half").unwrap();
    Received::open(&core.folder, &core.ledger).unwrap();
    assert!(!draft.exists());
    assert_eq!(core.put(wanted, &octets).await, Answer::Stored);
}

#[tokio::test]
async fn a_lane_comes_in_order_and_a_gap_is_said_aloud_and_recorded() {
    let (core, home) = (Core::open().await, tempfile::tempdir().unwrap());
    let (_, segments) = sensor(home.path(), 6);
    let (first, third) = (&segments[0], &segments[2]);
    let octets = read(third);
    assert_eq!(core.put(offer(third, &octets), &octets).await, Answer::Expected { number: 0 });
    let of_first = read(first);
    assert_eq!(core.put(offer(first, &of_first), &of_first).await, Answer::Stored);
    assert_eq!(core.put(offer(third, &octets), &octets).await, Answer::Expected { number: 1 });
    let lost = Offer { lost_before: true, ..offer(third, &octets) };
    assert_eq!(core.put(lost, &octets).await, Answer::Stored);
    let facts = core.ledger.facts(Position(2)).await.unwrap();
    let gap = Body::SegmentsLost { sensor: 2, boot: first.boot.0, lane: 0, from: 1, until: 2 };
    assert_eq!(facts[0].body, gap);
    let second = read(&segments[1]);
    assert_eq!(core.put(offer(&segments[1], &second), &second).await, Answer::Expected { number: 3 });
    core.archive_all().await;
    assert!(!core.archived().await.is_empty());
}

#[tokio::test]
async fn a_hostile_segment_harms_nobody() {
    let core = Core::open().await;
    let key = |number| format!("00000002/00000001/0000/{number:08x}").parse::<SegmentKey>().unwrap();
    let home = tempfile::tempdir().unwrap();
    let (_, segments) = sensor(home.path(), 1);
    // Room for a header, which is none.
    let mut untimely = vec![0; 64];
    Frame::Contact(contact(ContactId::new(FIRST_SENSOR, model::id::Boot(1), model::id::Lane(0), 3), later(90_000)))
        .encode(ContactId::new(FIRST_SENSOR, model::id::Boot(1), model::id::Lane(0), 3), &mut untimely);
    let sound = read(&segments[0]);
    let contents: [Vec<u8>; 5] = [Vec::new(), vec![0xb5; 5_000], vec![0; 100], sound, untimely];
    for (number, octets) in (0..).zip(&contents) {
        let digest = Digest::of_bytes(octets);
        let len = octets.len() as u64;
        let offer = Offer { key: key(number), digest, octets: len, end: None, lost_before: false, clock: None };
        assert_eq!(core.put(offer, octets).await, Answer::Stored, "{number}");
    }
    assert_eq!(core.archive_all().await, 1, "what says that it was received tomorrow is left out");
    assert!(core.archived().await.is_empty(), "frames of another boot are no frames of this lane");
    std::fs::remove_file(core.folder.path().join("received/00000002").join(&core.files()[0])).unwrap();
    let gone = core.received().plan().await.unwrap();
    assert!(gone.is_empty());
}
