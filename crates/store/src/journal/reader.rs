//! Reading a journal folder: which segments there are, lane by lane, and how far each may be read.
//!
//! A lane that is being written is read up to what its writer has acknowledged; the lanes of earlier boots up to
//! their last whole frame. How one segment is walked stands in [`walk`](super::walk).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::id::{Boot, Lane, SensorId};

use super::cursor::{Cursor, Damage, Place, ReadReport};
use super::frame::Frame;
use super::segment::{SEGMENT_HEADER_LEN, Segment, SegmentHeader, SegmentName};
use super::walk::{Sink, Walk};
use crate::Error;

/// The most of a damaged stretch that is copied to quarantine.
const DAMAGE_COPY_MAX: u64 = 16 << 20;

/// How many segments behind one are looked at for what they have of it again. A tail that is written again is short and
/// comes soon; beyond this it is passed over where it comes, as read already.
const LOOK_AHEAD: usize = 16;

/// The segments that are being written, as they were before the folder was listed.
pub(super) struct Live {
    pub(super) boot: Boot,
    pub(super) lanes: BTreeMap<Lane, Option<Arc<Segment>>>,
}

//----------- All lanes --------------------------------------------------------------------------------------------

/// Reads a whole journal folder, in order of boot, lane and sequence. It takes no lock and changes nothing: for
/// exports, scans and tests. Of a journal that is being written it sees what is there.
pub fn read_all(journal: &Path, each: &mut dyn FnMut(Frame<'_>)) -> Result<ReadReport, Error> {
    let mut report = ReadReport::default();
    let mut sink = Sink { each, report: &mut report, left: u64::MAX };
    for segments in lanes_of(journal)?.values() {
        read_lane(segments, None, &mut Place::default(), &mut sink)?;
    }
    Ok(report)
}

pub(super) fn read(
    journal: &Path,
    sensor: SensorId,
    live: &Live,
    cursor: &mut Cursor,
    max_bytes: usize,
    each: &mut dyn FnMut(Frame<'_>),
) -> Result<ReadReport, Error> {
    let lanes = readable(journal, sensor, live)?;
    let unread = |(key, segments): &&(_, Vec<Listed>)| {
        let place = cursor.places.get(key).copied().unwrap_or_default();
        segments.last().is_some_and(|last| last.name.number > place.segment || last.len > place.offset)
    };
    let unread: Vec<_> = lanes.iter().filter(unread).collect();
    let share = (max_bytes / unread.len().max(1)).max(1) as u64;
    let mut report = ReadReport::default();
    for (key, segments) in unread {
        let live = if key.0 == live.boot { live.lanes.get(&key.1).and_then(Option::as_deref) } else { None };
        let place = cursor.places.entry(*key).or_default();
        read_lane(segments, live, place, &mut Sink { each, report: &mut report, left: share })?;
    }
    Ok(report)
}

/// A segment in the folder, with the bytes of it that may be read.
pub(super) struct Listed {
    pub(super) name: SegmentName,
    pub(super) path: PathBuf,
    pub(super) len: u64,
}

/// Segments by lane, in the order in which they were written.
pub(super) type Lanes = BTreeMap<(SensorId, Boot, Lane), Vec<Listed>>;
type OwnLanes = Vec<((Boot, Lane), Vec<Listed>)>;

/// The lanes of one sensor, without what is not acknowledged yet.
fn readable(journal: &Path, sensor: SensorId, live: &Live) -> Result<OwnLanes, Error> {
    let lanes = lanes_of(journal)?.into_iter().filter(|((of, ..), _)| *of == sensor);
    let cut = |((_, boot, lane), mut segments): ((SensorId, Boot, Lane), Vec<Listed>)| {
        if boot == live.boot {
            let current = live.lanes.get(&lane).and_then(Option::as_ref);
            segments.retain(|listed| current.is_some_and(|current| listed.name.number <= current.name.number));
            if let (Some(current), Some(last)) = (current, segments.last_mut()) {
                last.len = if last.name == current.name { current.written() } else { last.len };
            }
        }
        ((boot, lane), segments)
    };
    Ok(lanes.map(cut).collect())
}

pub(super) fn lanes_of(journal: &Path) -> Result<Lanes, Error> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(journal).map_err(Error::io("listing", journal))? {
        let entry = entry.map_err(Error::io("listing", journal))?;
        if let Some(name) = entry.file_name().to_str().and_then(SegmentName::parse) {
            let len = match entry.metadata() {
                // It was purged a moment ago.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                found => found.map_err(Error::io("measuring", &entry.path()))?.len(),
            };
            segments.push(Listed { name, path: entry.path(), len });
        }
    }
    segments.sort_by_key(|listed| listed.name);
    let mut lanes = BTreeMap::<_, Vec<_>>::new();
    for listed in segments {
        let SegmentName { sensor, boot, lane, .. } = listed.name;
        lanes.entry((sensor, boot, lane)).or_default().push(listed);
    }
    Ok(lanes)
}

/// The bytes of a damage, as they are.
pub(super) fn damaged_bytes(journal: &Path, damage: &Damage) -> Result<Vec<u8>, Error> {
    let path = journal.join(&damage.segment);
    let mut bytes = vec![0; damage.len.min(DAMAGE_COPY_MAX) as usize];
    let file = File::open(&path).map_err(Error::io("opening", &path))?;
    file.read_exact_at(&mut bytes, damage.offset).map_err(Error::io("reading", &path))?;
    Ok(bytes)
}

//----------- One lane ---------------------------------------------------------------------------------------------

fn read_lane(segments: &[Listed], live: Option<&Segment>, place: &mut Place, sink: &mut Sink<'_>) -> Result<(), Error> {
    begin_late(segments, place, sink)?;
    for (at, listed) in segments.iter().enumerate() {
        if listed.name.number < place.segment {
            continue;
        }
        if listed.name.number > place.segment {
            (place.segment, place.offset) = (listed.name.number, 0);
        }
        let is_live = live.is_some_and(|live| live.name == listed.name);
        Walk::open(listed, is_live, end_seq(&segments[at + 1..])?)?.go(place, sink)?;
        if sink.left == 0 {
            break;
        }
    }
    Ok(())
}

/// A lane whose oldest segments were purged begins where the first one that is left says.
fn begin_late(segments: &[Listed], place: &mut Place, sink: &mut Sink<'_>) -> Result<(), Error> {
    let Some(first) = segments.first().filter(|first| *place == Place::default() && first.name.number > 0) else {
        return Ok(());
    };
    let Some(seq) = first_seq(&first.path)? else { return Ok(()) };
    sink.report.purged += seq;
    *place = Place { segment: first.name.number, offset: 0, seq };
    Ok(())
}

/// Where a segment ends for those behind it: frames that one of them counts again do not count here.
pub(super) fn end_seq(behind: &[Listed]) -> Result<u64, Error> {
    let mut end = u64::MAX;
    for listed in behind.iter().take(LOOK_AHEAD) {
        end = end.min(first_seq(&listed.path)?.unwrap_or(u64::MAX));
    }
    Ok(end)
}

/// The first sequence number of a segment, if its header can be read.
fn first_seq(path: &Path) -> Result<Option<u64>, Error> {
    let mut bytes = [0; SEGMENT_HEADER_LEN];
    let file = File::open(path).map_err(Error::io("opening", path))?;
    match file.read_exact_at(&mut bytes, 0) {
        Ok(()) => Ok(SegmentHeader::decode(&bytes).map(|header| header.first.seq())),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(Error::io("reading", path)(error)),
    }
}
