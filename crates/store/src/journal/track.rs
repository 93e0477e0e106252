//! A lane as the writer, the syncing thread and readers share it: its open segments, and what of them is not synced.
//!
//! ```text
//!           sync fails
//! segment n ──────────► suspect: never synced, never written again
//!      tail ──────────► segment n+1, whose header says which numbers are written again; the writer goes on there
//! ```
//!
//! A tail that is written again appears under its name in one step, by a rename: a process that is killed meanwhile
//! leaves the old segments, in which all of it still stands. While the disk goes on failing, the lane is tried again
//! more and more seldom: each try writes the whole tail.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use model::Timestamp;
use model::id::Lane;
use model::time::utc_day;

use super::segment::{SEGMENT_HEADER_LEN, Segment, SegmentName};
use super::tail::Tail;
use super::{JournalLimits, Shared, held, syncing};
use crate::Error;

/// The most passes of the syncing thread between two tries of a lane whose disk fails: about 40 seconds.
const PAUSE_MAX: u32 = 1 << 10;

//----------- LaneState --------------------------------------------------------------------------------------------

/// A lane as others see it. Its counters are its own: with one for all, every commit of every lane would fight for the
/// same cache line.
#[repr(align(128))]
pub(super) struct LaneState {
    pub(super) lane: Lane,
    pub(super) track: Mutex<Track>,
    pub(super) frames: AtomicU64,
    pub(super) octets: AtomicU64,
    unsynced: AtomicU64,
}

impl LaneState {
    pub(super) fn new(lane: Lane, limits: &JournalLimits) -> Self {
        let track = Mutex::new(Track::new(limits.unsynced_octets));
        let [frames, octets, unsynced] = [0; 3].map(AtomicU64::new);
        Self { lane, track, frames, octets, unsynced }
    }

    /// Counts a commit; whether enough has come together to be synced at once.
    pub(super) fn account(&self, frames: u64, bytes: u64) -> bool {
        self.frames.fetch_add(frames, Ordering::Relaxed);
        self.octets.fetch_add(bytes, Ordering::Relaxed);
        let before = self.unsynced.fetch_add(bytes, Ordering::Relaxed);
        before < syncing::GROUP_BYTES && before + bytes >= syncing::GROUP_BYTES
    }

    /// The segment that is written.
    pub(super) fn current(&self) -> Option<Arc<Segment>> {
        held(&self.track).open.last().cloned()
    }

    /// The number of the first segment that is not closed and synced.
    pub(super) fn first_open(&self) -> Option<u32> {
        held(&self.track).open.first().map(|segment| segment.name.number)
    }

    pub(super) fn close_old(&self, shared: &Shared, now: Timestamp) -> Result<(), Error> {
        held(&self.track).close_old(self.lane, shared, now)
    }

    /// Syncs what is not synced; where that fails, writes the tail again. The writer is kept waiting for neither a
    /// sync nor anything else but a tail that is written again.
    pub(super) fn sync(&self, shared: &Shared) {
        self.unsynced.store(0, Ordering::Relaxed);
        let Some(segments) = held(&self.track).begin_sync() else { return };
        let failed = segments.iter().find_map(|segment| segment.sync().err());
        let is_suspect = segments.iter().any(|segment| segment.is_suspect());
        let mut track = held(&self.track);
        if !is_suspect {
            return track.end_sync(&segments);
        }
        if let Some(error) = &failed {
            shared.count_suspect(error, track.tail.let_go());
        }
        if let Err(error) = track.write_again(self.lane, shared) {
            shared.complain("what was not synced could not be written again; it is tried again", &error);
        }
    }
}

//----------- Track ------------------------------------------------------------------------------------------------

/// What lies on the disk of a lane and is not wholly synced.
#[derive(Debug)]
pub(super) struct Track {
    /// The oldest first; the last is written to.
    open: Vec<Arc<Segment>>,
    next_number: u32,
    /// The number of the frame that comes next.
    next_seq: u64,
    tail: Tail,
    /// Passes until the lane is synced again, and how many those were last.
    wait: u32,
    pause: u32,
}

/// What one commit writes.
#[derive(Clone, Copy)]
pub(super) struct Batch<'a> {
    pub(super) seq: u64,
    pub(super) frames: u64,
    pub(super) octets: &'a [u8],
}

impl Track {
    fn new(unsynced_octets: usize) -> Self {
        Self { open: Vec::new(), next_number: 0, next_seq: 0, tail: Tail::new(unsynced_octets), wait: 0, pause: 0 }
    }

    /// Writes a batch by one write(2), into a new segment where the last one is at its end.
    pub(super) fn append(
        &mut self,
        batch: Batch<'_>,
        lane: Lane,
        shared: &Shared,
        now: Timestamp,
    ) -> Result<(), Error> {
        let goes_on = |segment: &&Arc<Segment>| goes_on(segment, batch.octets.len(), now, &shared.limits);
        let segment = match self.open.last().filter(goes_on) {
            Some(segment) => segment,
            None => {
                let segment = Segment::create(&shared.folder, self.name(lane, shared), shared.begin(batch.seq, now))?;
                self.push(segment, shared)
            }
        };
        segment.append(batch.octets)?;
        self.next_seq = batch.seq + batch.frames;
        self.tail.push(batch.seq, batch.frames, batch.octets);
        Ok(())
    }

    /// Goes on in a new segment where the last one is old and holds something, so that a lane to which nobody comes any
    /// more keeps nothing open.
    pub(super) fn close_old(&mut self, lane: Lane, shared: &Shared, now: Timestamp) -> Result<(), Error> {
        let Some(last) = self.open.last() else { return Ok(()) };
        if last.written() <= SEGMENT_HEADER_LEN as u64 || last.is_suspect() || goes_on(last, 0, now, &shared.limits) {
            return Ok(());
        }
        let begin = shared.begin(self.next_seq, now);
        let segment = Segment::create(&shared.folder, self.name(lane, shared), begin)?;
        self.push(segment, shared);
        Ok(())
    }

    fn name(&self, lane: Lane, shared: &Shared) -> SegmentName {
        SegmentName { sensor: shared.sensor, boot: shared.boot, lane, number: self.next_number }
    }

    fn push(&mut self, segment: Segment, shared: &Shared) -> &Arc<Segment> {
        self.next_number += 1;
        shared.folder_has_changed();
        self.open.push(Arc::new(segment));
        self.open.last().expect("one was pushed")
    }

    /// `None` if it is not its turn.
    fn begin_sync(&mut self) -> Option<Vec<Arc<Segment>>> {
        if self.wait > 0 {
            self.wait -= 1;
            return None;
        }
        self.tail.begin_sync();
        Some(self.open.clone())
    }

    /// All that was written to these before [`Self::begin_sync`] is synced.
    fn end_sync(&mut self, synced: &[Arc<Segment>]) {
        (self.wait, self.pause) = (0, 0);
        self.tail.is_synced();
        // The last of them may have grown after its sync.
        self.open.drain(..synced.len().saturating_sub(1));
    }

    /// Begins a new segment with everything that is not synced, and leaves the old ones.
    fn write_again(&mut self, lane: Lane, shared: &Shared) -> Result<(), Error> {
        self.pause = (self.pause * 2).clamp(1, PAUSE_MAX);
        self.wait = self.pause - 1;
        let Some(last) = self.open.last() else { return Ok(()) };
        let (suspect, opened, unsynced) = (last.name.number, last.opened, self.tail.unsynced());
        if unsynced.octets.is_empty() {
            return Ok(());
        }
        let begin = shared.begin(unsynced.first, opened);
        let name = self.name(lane, shared);
        let segment = Segment::write_again(&shared.folder, name, begin, suspect, &unsynced)?;
        self.open.clear();
        self.push(segment, shared);
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn replace_file(&mut self, segment: Segment) {
        self.open.pop();
        self.open.push(Arc::new(segment));
    }
}

fn goes_on(segment: &Segment, more: usize, now: Timestamp, limits: &JournalLimits) -> bool {
    let len = segment.written();
    let age = now.duration_since(segment.opened);
    let full = len > SEGMENT_HEADER_LEN as u64 && len + more as u64 > limits.segment_bytes;
    // One that holds nothing yet has all its time before it.
    let old = len > SEGMENT_HEADER_LEN as u64 && age.is_positive() && age.unsigned_abs() >= limits.segment_age;
    !segment.is_suspect() && !full && !old && utc_day(now) == utc_day(segment.opened)
}
