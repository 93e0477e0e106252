//! How far a follower has read: per boot and lane, a segment and an offset within it.
//!
//! A cursor is a value. Whoever follows keeps it with what it made of the frames, in one transaction, so that a frame
//! is neither lost nor counted twice, whatever stops in between.

use std::collections::BTreeMap;
use std::path::Path;

use model::id::{Boot, Lane};
use serde::{Deserialize, Serialize};

/// A place in every lane. The default stands before the first frame of all.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Entry>", into = "Vec<Entry>")]
pub struct Cursor {
    pub(super) places: BTreeMap<(Boot, Lane), Place>,
}

/// How far one lane is read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) segment: u32,
    /// Bytes of that segment that are done with; 0 is before its header.
    pub(super) offset: u64,
    /// The sequence number that must come next.
    pub(super) seq: u64,
}

/// A place with its lane, as it is written: JSON has no maps with pairs for keys.
#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    boot: Boot,
    lane: Lane,
    #[serde(flatten)]
    place: Place,
}

impl From<Vec<Entry>> for Cursor {
    fn from(entries: Vec<Entry>) -> Self {
        Self { places: entries.into_iter().map(|entry| ((entry.boot, entry.lane), entry.place)).collect() }
    }
}

impl From<Cursor> for Vec<Entry> {
    fn from(cursor: Cursor) -> Self {
        cursor.places.into_iter().map(|((boot, lane), place)| Entry { boot, lane, place }).collect()
    }
}

//----------- ReadReport -------------------------------------------------------------------------------------------

/// What a reading came across.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ReadReport {
    /// Frames handed over.
    pub frames: u64,
    /// Bytes of segments that were gone through.
    pub bytes: u64,
    /// Segments that end within a frame: what was being written when the process died, and never answered.
    pub torn: u64,
    /// Sequence numbers before the first segment that a lane still has: those were purged, as facts say.
    pub purged: u64,
    /// Sequence numbers that are missing.
    pub missing: u64,
    /// Sequence numbers that came again. They are not handed over.
    pub doubles: u64,
    /// Frames that were written again after a failed sync, and had been read before. They are not handed over.
    pub again: u64,
    /// Segments that begin with what another had before its sync failed.
    pub written_again: Vec<String>,
    /// What could not be read, and where. `Journal::read` has put a copy into quarantine.
    pub damaged: Vec<Damage>,
}

/// Bytes of a segment that are no frame.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Damage {
    pub segment: String,
    pub offset: u64,
    pub len: u64,
}

impl Damage {
    pub(super) fn new(segment: &Path, offset: u64, len: u64) -> Self {
        let name = segment.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { segment: name, offset, len }
    }
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes at {} of {}", self.len, self.offset, self.segment)
    }
}
