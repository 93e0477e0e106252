//! The journal's promises, each as a story.

use std::borrow::Cow;
use std::fs::{self, OpenOptions};
use std::net::SocketAddr;

use model::contact::{Contact, Limits, Query, Transport, Via, What};
use model::id::ContactId;
use model::tally::{Counts, Tally};
use tempfile::TempDir;

use super::segment::{Begin, SEGMENT_HEADER_LEN, Segment, SegmentName};
use super::*;

mod damage;
mod doubt;
mod figures;

fn noon() -> Timestamp {
    "2019-03-27T12:00:00Z".parse().unwrap()
}

fn after(secs: i64) -> Timestamp {
    Timestamp::from_second(noon().as_second() + secs).unwrap()
}

fn contact(id: ContactId, name: &[u8]) -> Contact<'_> {
    let source: SocketAddr = "203.0.113.7:4711".parse().unwrap();
    Contact {
        id,
        received: noon(),
        source,
        local: "192.0.2.53:53".parse().unwrap(),
        transport: Transport::Udp,
        via: Via::Direct,
        over: None,
        subject: None,
        oddities: Vec::new(),
        limits: Limits::default(),
        what: What::Query(Query { name: Cow::Borrowed(name), qtype: 1, qclass: 1, ..Query::default() }),
    }
}

/// A journal in a folder that goes away.
struct House {
    home: TempDir,
    folder: Option<DataFolder>,
    journal: Arc<Journal>,
}

fn house(limits: JournalLimits) -> House {
    let home = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(home.path(), "test", noon()).unwrap();
    let journal = Journal::open(&folder, limits).unwrap();
    House { home, folder: Some(folder), journal }
}

impl House {
    fn reboot(&mut self) {
        self.folder = None;
        let folder = DataFolder::open(self.home.path(), "test", noon()).unwrap();
        self.journal = Journal::open(&folder, JournalLimits::default()).unwrap();
        self.folder = Some(folder);
    }

    fn segments(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.home.path().join("journal")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|ending| ending == "seg")).collect();
        paths.sort();
        paths
    }

    fn read(&self, cursor: &mut Cursor) -> (Vec<ContactId>, ReadReport) {
        let mut ids = Vec::new();
        let report = self.journal.read(cursor, usize::MAX, &mut |frame| ids.extend(frame.own_id())).unwrap();
        (ids, report)
    }

    fn read_all(&self) -> (Vec<ContactId>, ReadReport) {
        let mut ids = Vec::new();
        let report = read_all(&self.home.path().join("journal"), &mut |frame| ids.extend(frame.own_id())).unwrap();
        (ids, report)
    }
}

fn append(lane: &mut LaneWriter, count: usize, now: Timestamp) -> Vec<ContactId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(lane.next_id());
        lane.stage(&Frame::Contact(contact(lane.next_id(), b"\x07example\x04test\x00")));
    }
    lane.commit(now).unwrap();
    ids
}

//----------- Writing and reading ----------------------------------------------------------------------------------

#[test]
fn what_is_committed_is_read_in_order_and_once() {
    let house = house(JournalLimits::default());
    let (mut one, mut two) = (house.journal.lane(noon()).unwrap(), house.journal.lane(noon()).unwrap());
    let mut ids = append(&mut one, 3, noon());
    ids.extend(append(&mut two, 2, noon()));
    one.stage(&Frame::Contact(contact(one.next_id(), b"")));
    let mut cursor = Cursor::default();
    let (read, report) = house.read(&mut cursor);
    assert_eq!(read, ids, "staged is not committed");
    assert_eq!((report.frames, report.missing, report.torn), (7, 0, 0), "five contacts, two boots of lanes");
    one.commit(noon()).unwrap();
    let cursor_kept = serde_json::to_string(&cursor).unwrap();
    cursor = serde_json::from_str(&cursor_kept).unwrap();
    assert_eq!(house.read(&mut cursor).0.len(), 1, "a cursor goes on where it was, also from paper");
    assert_eq!(house.read(&mut cursor).1, ReadReport::default(), "nothing new is nothing read");
    assert_eq!(house.read_all().1.frames, 8);
}

#[test]
fn counts_and_clock_take_their_turn_in_the_sequence() {
    let house = house(JournalLimits::default());
    let mut lane = house.journal.lane(noon()).unwrap();
    let counts = Counts { at: noon(), listener: "dns-udp 127.0.0.1:5353".into(), tally: Tally::default() };
    let step = Clock { at: noon(), kind: ClockKind::Step { nanos: -250_000_000 } };
    lane.stage(&Frame::Counts(counts.clone()));
    lane.stage(&Frame::Clock(step));
    assert_eq!(lane.next_id().seq(), 3);
    lane.commit(noon()).unwrap();
    let mut frames = Vec::new();
    let take = &mut |frame: Frame<'_>| frames.push(format!("{frame:?}"));
    house.journal.read(&mut Cursor::default(), usize::MAX, take).unwrap();
    let boot = Clock { at: noon(), kind: ClockKind::Boot };
    let expected = [Frame::Clock(boot), Frame::Counts(counts), Frame::Clock(step)];
    assert_eq!(frames, expected.map(|frame| format!("{frame:?}")));
}

#[test]
fn a_reader_that_takes_little_at_a_time_takes_everything() {
    let house = house(JournalLimits { segment_bytes: 4096, ..JournalLimits::default() });
    let mut lanes: Vec<_> = (0..3).map(|_| house.journal.lane(noon()).unwrap()).collect();
    let mut ids: Vec<_> = lanes.iter_mut().flat_map(|lane| append(lane, 100, noon())).collect();
    let (mut cursor, mut read, mut rounds) = (Cursor::default(), Vec::new(), 0);
    loop {
        let report = house.journal.read(&mut cursor, 1000, &mut |frame| read.extend(frame.own_id())).unwrap();
        if report.frames == 0 {
            break;
        }
        rounds += 1;
        assert!(report.bytes < 3000, "{report:?}");
    }
    assert!(rounds > 10);
    ids.sort();
    read.sort();
    assert_eq!(read, ids);
}

#[test]
fn followers_are_woken_by_a_sync() {
    let house = house(JournalLimits::default());
    let mut appended = house.journal.appended();
    let syncing = house.journal.start_syncing();
    append(&mut house.journal.lane(noon()).unwrap(), 4, noon());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(*runtime.block_on(appended.wait_for(|frames| *frames == 5)).unwrap(), 5);
    syncing.stop();
    assert_eq!(house.journal.suspects(), 0);
}

//----------- Segments ---------------------------------------------------------------------------------------------

#[test]
fn segments_end_by_size_by_age_and_at_midnight_and_the_sequence_goes_on() {
    let limits =
        JournalLimits { segment_bytes: 2000, segment_age: Duration::from_secs(60), ..JournalLimits::default() };
    for (what, batches) in [
        ("size", vec![(15, noon()), (15, noon()), (15, noon())]),
        ("age", vec![(1, noon()), (1, after(59)), (1, after(60)), (1, after(120))]),
        ("day", vec![(1, noon()), (1, after(12 * 3600 - 1)), (1, after(12 * 3600))]),
        (
            "a clock that goes back ends none but at midnight",
            vec![(1, noon()), (1, after(-3600)), (1, after(-13 * 3600))],
        ),
    ] {
        let limits = if what == "day" || what.starts_with('a') && what != "age" {
            JournalLimits { segment_age: Duration::from_secs(1 << 30), ..limits }
        } else {
            limits
        };
        let house = house(limits);
        let mut lane = house.journal.lane(noon()).unwrap();
        let ids: Vec<_> = batches.into_iter().flat_map(|(count, at)| append(&mut lane, count, at)).collect();
        let expected = if what == "size" || what == "age" { 3 } else { 2 };
        assert_eq!(house.segments().len(), expected, "{what}");
        let (read, report) = house.read_all();
        assert_eq!((read, report.missing, report.doubles), (ids, 0, 0), "{what}");
    }
}

#[test]
fn a_frame_or_a_batch_beyond_its_limit_is_refused_and_leaves_nothing() {
    let house = house(JournalLimits::default());
    let mut lane = house.journal.lane(noon()).unwrap();
    let id = lane.next_id();
    lane.stage(&Frame::Contact(contact(id, &vec![0; PAYLOAD_LEN_MAX])));
    assert!(matches!(lane.commit(noon()), Err(Error::Limit { what: "a journal frame", .. })));
    for _ in 0..STAGED_LEN_MAX / 200_000 + 1 {
        lane.stage(&Frame::Contact(contact(lane.next_id(), &vec![0; 200_000])));
    }
    assert!(matches!(lane.commit(noon()), Err(Error::Limit { what: "a journal commit", .. })));
    assert_eq!(lane.next_id(), id, "ids are used again");
    assert_eq!(append(&mut lane, 1, noon()), [id]);
    assert_eq!(house.read_all().1.missing, 0);
}

#[test]
fn closed_segments_are_those_that_nobody_writes_and_have_the_digest_of_their_file() {
    let mut house = house(JournalLimits { segment_bytes: 300, ..JournalLimits::default() });
    let mut lane = house.journal.lane(noon()).unwrap();
    (0..3).for_each(|_| drop(append(&mut lane, 2, noon())));
    assert_eq!(house.journal.closed_segments().unwrap(), [], "nothing is synced yet");
    house.journal.shared.sync();
    let closed = house.journal.closed_segments().unwrap();
    let written = house.segments();
    let paths: Vec<_> = closed.iter().map(|segment| segment.path.clone()).collect();
    assert_eq!(paths, written[..written.len() - 1]);
    assert_eq!(closed[1].digest().unwrap(), model::Digest::of_bytes(&fs::read(&written[1]).unwrap()));
    assert_eq!(
        (closed[1].boot, closed[1].number, closed[1].len),
        (Boot(1), 1, fs::read(&written[1]).unwrap().len() as u64)
    );
    drop(lane);
    house.reboot();
    assert_eq!(house.journal.closed_segments().unwrap().len(), written.len(), "an earlier boot writes nothing more");
}

#[test]
fn a_disk_that_takes_nothing_leaves_nothing_half_visible() {
    let house = house(JournalLimits::default());
    let mut lane = house.journal.lane(noon()).unwrap();
    append(&mut lane, 2, noon());
    // /dev/full says ENOSPC to every write, and cannot be cut either: the segment becomes suspect.
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let name = SegmentName { sensor: SensorId(9), boot: Boot(9), lane: Lane(9), number: 0 };
    let mut segment =
        Segment::create(&house.home.path().join("quarantine"), name, Begin { seq: 0, now: noon(), start: 7 }).unwrap();
    segment.file = full;
    lane.replace_file(segment);
    let id = lane.next_id();
    lane.stage(&Frame::Contact(contact(id, b"")));
    assert!(matches!(lane.commit(noon()), Err(Error::Io { what: "appending to", .. })));
    assert_eq!(lane.next_id(), id);
    assert_eq!(append(&mut lane, 1, noon()), [id], "a new segment takes the same number");
    assert_eq!((house.segments().len(), house.read_all().1.missing), (2, 0));
}
