//! Closed segments: whole, synced, never written again; what a sensor sends on.
//!
//! One is named by sensor, boot, lane and number, and proven by its SHA-256. The digest is computed by whoever sends it,
//! by reading the file: the path of a packet pays nothing for it. A segment whose sync failed is among them, and the one
//! that has its tail again: whoever reads both, in order, has each frame once.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use model::Digest;
use model::id::{Boot, Lane, SensorId};
use model::segment::SegmentKey;

use super::reader::{Listed, lanes_of};
use super::{Journal, foreign, held};
use crate::Error;

/// What is read of a segment at once.
const CHUNK_LEN: usize = 256 << 10;

/// A segment that nobody writes any more.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClosedSegment {
    pub sensor: SensorId,
    pub boot: Boot,
    pub lane: Lane,
    pub number: u32,
    pub path: PathBuf,
    /// Octets of the file.
    pub len: u64,
}

impl Journal {
    /// All closed segments, in the order of boot, lane and number: those of earlier boots, and of this one those before
    /// the segment that is written or waits for its sync.
    pub fn closed_segments(&self) -> Result<Vec<ClosedSegment>, Error> {
        let open = self.shared.open_segments();
        let is_open = |listed: &Listed| {
            let name = listed.name;
            name.boot == self.shared.boot && open.get(&name.lane).is_none_or(|first| name.number >= *first)
        };
        let lanes = lanes_of(&self.shared.folder)?.into_values().flatten();
        let ours = lanes.filter(|listed| listed.name.sensor == self.shared.sensor && !is_open(listed));
        Ok(ours.map(ClosedSegment::from).collect())
    }
}

impl Journal {
    /// From which number on the frames of a closed segment do not count, because a later one has others under them.
    pub fn end_of(&self, segment: &ClosedSegment) -> Result<Option<u64>, Error> {
        let lanes = lanes_of(&self.shared.folder)?;
        let lane = lanes.get(&(segment.sensor, segment.boot, segment.lane));
        lane.map_or(Ok(None), |segments| foreign::end_behind(segments, segment.number))
    }

    /// Lets a closed segment go. Only for one that somebody else holds, synced: nothing of it is here any more.
    pub fn release(&self, segment: &ClosedSegment) -> Result<(), Error> {
        foreign::release(&segment.path)
    }
}

impl From<Listed> for ClosedSegment {
    fn from(Listed { name, path, len }: Listed) -> Self {
        Self { sensor: name.sensor, boot: name.boot, lane: name.lane, number: name.number, path, len }
    }
}

impl super::Shared {
    /// By lane, the number of the first segment that is not closed.
    fn open_segments(&self) -> std::collections::BTreeMap<Lane, u32> {
        let lanes = held(&self.lanes);
        lanes.iter().filter_map(|lane| Some((lane.lane, lane.first_open()?))).collect()
    }
}

impl ClosedSegment {
    pub fn key(&self) -> SegmentKey {
        SegmentKey { sensor: self.sensor, boot: self.boot, lane: self.lane, number: self.number }
    }

    /// The digest of the file, as it is sent.
    pub fn digest(&self) -> Result<Digest, Error> {
        digest_of(&self.path)
    }
}

pub(crate) fn digest_of(path: &Path) -> Result<Digest, Error> {
    let mut file = File::open(path).map_err(Error::io("opening", path))?;
    let mut failed = None;
    let chunks = std::iter::from_fn(|| {
        let mut chunk = Vec::with_capacity(CHUNK_LEN);
        let read = (&mut file).take(CHUNK_LEN as u64).read_to_end(&mut chunk);
        failed = read.err();
        (failed.is_none() && !chunk.is_empty()).then_some(chunk)
    });
    let digest = Digest::of_parts(chunks);
    failed.map_or(Ok(digest), |cause| Err(Error::io("reading", path)(cause)))
}
