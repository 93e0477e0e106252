//! Which segments may go: the oldest of each lane, of days long over, all of whose frames a follower has archived.
//!
//! A lane loses its beginning and nothing from its middle, so a gap stays provable: the first segment that is left says with
//! which number it begins. The last segment of a lane of this boot stays in any case: it may be
//! open.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use model::Timestamp;
use model::id::{Boot, Lane, SensorId};
use model::time::{Date, from_nanos, utc_day};

use super::cursor::Cursor;
use super::reader::lanes_of;
use super::segment::{SEGMENT_HEADER_LEN, SegmentHeader};
use crate::Error;

/// A segment that may go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ripe {
    pub path: PathBuf,
    /// Its name in the journal's folder.
    pub name: String,
    pub octets: u64,
    /// The UTC day of all that it holds.
    pub day: Date,
}

/// The sensor's segments of days before this one of which the cursor has passed every frame. `live` is the boot that may
/// write.
pub fn ripe(
    journal: &Path,
    (sensor, live): (SensorId, Boot),
    cursor: &Cursor,
    before: Date,
) -> Result<Vec<Ripe>, Error> {
    let mut all = Vec::new();
    for ((of, boot, lane), segments) in lanes_of(journal)? {
        if of != sensor {
            continue;
        }
        let place = cursor.places.get(&(boot, lane)).copied().unwrap_or_default();
        let closed = segments.len() - usize::from(boot == live);
        for listed in &segments[..closed] {
            let is_archived = (place.segment, place.offset) >= (listed.name.number, listed.len);
            let Some(day) = day_of(&listed.path)?.filter(|day| is_archived && *day < before) else { break };
            let name = listed.name.file_name();
            all.push(Ripe { path: listed.path.clone(), name, octets: listed.len, day });
        }
    }
    Ok(all)
}

/// The same of what sensors sent, which lies in a folder for each. `read` says which segment of a lane is read next. The day
/// is the one on which it came, by our clock: a sensor's may be wrong.
pub fn ripe_received(
    received: &Path,
    read: &BTreeMap<(SensorId, Boot, Lane), u32>,
    before: Date,
) -> Result<Vec<Ripe>, Error> {
    let mut all = Vec::new();
    for folder in folders(received)? {
        for (key, segments) in lanes_of(&folder)? {
            let next = read.get(&key).copied().unwrap_or_default();
            for listed in segments.iter().take_while(|listed| listed.name.number < next) {
                let came = std::fs::metadata(&listed.path).and_then(|file| file.modified());
                let came = came.map_err(Error::io("looking at", &listed.path))?;
                let Some(day) = day_of_time(came).filter(|day| *day < before) else { break };
                let (of, name) = (folder.file_name().unwrap_or_default(), listed.name.file_name());
                let name = format!("received/{}/{name}", of.to_string_lossy());
                all.push(Ripe { path: listed.path.clone(), name, octets: listed.len, day });
            }
        }
    }
    Ok(all)
}

fn day_of_time(time: SystemTime) -> Option<Date> {
    Timestamp::try_from(time).ok().map(utc_day)
}

fn folders(received: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = std::fs::read_dir(received).map_err(Error::io("listing", received))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()).map_err(Error::io("listing", received)));
    paths.filter(|path| path.as_ref().map_or(true, |path| path.is_dir())).collect()
}

/// How many segments there are of each UTC day, and how long they are together.
pub fn days(journal: &Path) -> Result<BTreeMap<Date, (u64, u64)>, Error> {
    let mut days = BTreeMap::<Date, (u64, u64)>::new();
    for listed in lanes_of(journal)?.values().flatten() {
        if let Some(day) = day_of(&listed.path)? {
            let (segments, octets) = days.entry(day).or_default();
            (*segments, *octets) = (*segments + 1, *octets + listed.len);
        }
    }
    Ok(days)
}

/// A segment without a whole header was torn at birth and holds nothing; its lane is left as it is.
fn day_of(path: &Path) -> Result<Option<Date>, Error> {
    let mut bytes = [0; SEGMENT_HEADER_LEN];
    let file = File::open(path).map_err(Error::io("opening", path))?;
    if file.read_exact_at(&mut bytes, 0).is_err() {
        return Ok(None);
    }
    Ok(SegmentHeader::decode(&bytes).map(|header| utc_day(from_nanos(header.opened_nanos))))
}

#[cfg(test)]
mod tests {
    use super::super::{Clock, ClockKind, Frame, Journal, JournalLimits};
    use super::*;
    use crate::folder::DataFolder;

    /// Three days of one lane, as they lie at a core.
    #[test]
    fn what_a_sensor_sent_goes_when_it_is_read_and_its_day_is_over() {
        let home = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(&home.path().join("data"), "test", Timestamp::UNIX_EPOCH).unwrap();
        let journal = Journal::open(&folder, JournalLimits::default()).unwrap();
        let at = |day: &str| format!("{day}T12:00:00Z").parse::<Timestamp>().unwrap();
        let mut lane = journal.lane(at("2019-03-27")).unwrap();
        for day in ["2019-03-27", "2019-03-28", "2019-03-29"] {
            lane.stage(&Frame::Clock(Clock { at: at(day), kind: ClockKind::Step { nanos: 1 } }));
            lane.commit(at(day)).unwrap();
        }
        let received = home.path().join("received");
        std::fs::create_dir(&received).unwrap();
        std::fs::rename(home.path().join("data/journal"), received.join("00000001")).unwrap();
        let lanes = lanes_of(&received.join("00000001")).unwrap();
        let (key, segments) = lanes.first_key_value().unwrap();
        let numbers: Vec<u32> = segments.iter().map(|listed| listed.name.number).collect();
        assert_eq!(numbers.len(), 3, "a segment never crosses a day");
        for (listed, day) in segments.iter().zip(["2019-03-27", "2019-03-28", "2019-03-29"]) {
            let came = SystemTime::from(at(day));
            File::options().write(true).open(&listed.path).unwrap().set_modified(came).unwrap();
        }
        let ripe = |next: u32, before: &str| {
            let read = BTreeMap::from([(*key, next)]);
            let ripe = ripe_received(&received, &read, before.parse().unwrap()).unwrap();
            ripe.iter()
                .for_each(|one| assert!(one.path.ends_with(one.name.trim_start_matches("received/")), "{one:?}"));
            ripe.len()
        };
        let last = numbers[2];
        assert_eq!(ripe(last + 1, "2019-03-29"), 2, "the third day is not over");
        assert_eq!(ripe(numbers[1], "2019-12-31"), 1, "the second is not read");
        assert_eq!(ripe(0, "2019-12-31"), 0, "nothing is read");
        assert_eq!(ripe(last + 1, "2019-12-31"), 3);
    }
}
