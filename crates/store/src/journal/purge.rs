//! Which segments may go: the oldest of each lane, of days long over, all of whose frames a follower has archived.
//!
//! A lane loses its beginning and nothing from its middle, so a gap stays provable: the first segment that is left says with
//! which number it begins. The last segment of a lane of this boot stays in any case: it may be
//! open.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use model::id::{Boot, SensorId};
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

/// One segment that is archived: may it go?
pub fn ripe_alone(path: PathBuf, name: String, before: Date) -> Result<Option<Ripe>, Error> {
    let octets = match std::fs::metadata(&path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("looking at", &path)(error)),
    };
    let day = day_of(&path)?.filter(|day| *day < before);
    Ok(day.map(|day| Ripe { path, name, octets, day }))
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
