//! The journal: what was received, written before the answer leaves.
//!
//! ```text
//! lane 0 ─ stage ─ commit ──► 00000001-00000003-0000-00000000.seg …-00000001.seg      one write(2) per commit
//! lane 1 ─ stage ─ commit ──► 00000001-00000003-0001-00000000.seg                      followers read by cursor
//!                                     ▲ fdatasync of all, ≤ 50 ms or 256 KiB, in its own thread
//! ```
//!
//! **Durability.** After a commit the frames lie in the kernel's page cache, which belongs to no process: `kill -9`
//! loses nothing that was answered. Only the machine can lose them, by a loss of power or a crash of the kernel, and
//! then at most what the last group sync, 50 ms ago, had not reached.
//!
//! **Dense.** A frame's id is (sensor, boot, lane, seq); seq counts frames of a lane over all its segments of one
//! boot. A gap or a double is therefore provable, and every reading counts them.
//!
//! **Never stops.** A torn tail is what nobody was answered for: skipped and counted. A damaged frame is copied to
//! quarantine and named, and the reader goes on behind it. A segment whose sync failed is left and a new one begun.
//!
//! What is deliberately absent: meaning. The journal does not know what a case is; and nothing here deletes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::Duration;

use model::Timestamp;
use model::id::{Boot, Lane, SensorId};
use tokio::sync::watch;

use crate::Error;
use crate::folder::{DataFolder, sync_folder};

mod cursor;
mod frame;
mod lane;
mod reader;
mod segment;
mod syncing;
#[cfg(test)]
mod tests;
mod walk;

pub use cursor::{Cursor, Damage, ReadReport};
pub use frame::{Clock, ClockKind, FRAME_VERSION, Frame, PAYLOAD_LEN_MAX};
pub use lane::{LaneWriter, STAGED_LEN_MAX};
pub use reader::read_all;
pub use segment::SEGMENT_VERSION;
pub use syncing::SyncThread;

use segment::Segment;

//----------- Journal ----------------------------------------------------------------------------------------------

/// When a segment is closed and the next begun. The UTC day always closes one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct JournalLimits {
    pub segment_bytes: u64,
    pub segment_age: Duration,
}

impl Default for JournalLimits {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, segment_age: Duration::from_secs(3600) }
    }
}

/// The journal of a data folder, in this boot.
pub struct Journal {
    shared: Arc<Shared>,
    quarantine: PathBuf,
}

impl Journal {
    pub fn open(folder: &DataFolder, limits: JournalLimits) -> Result<Arc<Self>, Error> {
        let shared = Shared {
            folder: folder.path().join("journal"),
            sensor: folder.sensor(),
            boot: folder.boot(),
            limits,
            next_lane: AtomicU32::new(0),
            lanes: Mutex::default(),
            retired: Mutex::default(),
            folder_changed: AtomicBool::new(false),
            suspects: AtomicU64::new(0),
            syncer: Mutex::default(),
            appended: watch::Sender::new(0),
        };
        Ok(Arc::new(Self { shared: Arc::new(shared), quarantine: folder.quarantine() }))
    }

    /// A new writer. Its first frame, committed here, is a [`Clock`] that says when the lane began.
    pub fn lane(&self, now: Timestamp) -> Result<LaneWriter, Error> {
        let number = self.shared.next_lane.fetch_add(1, Ordering::Relaxed);
        let lane = Lane(u16::try_from(number).map_err(|_| Error::Lanes)?);
        let state = Arc::new(LaneState::new(lane));
        held(&self.shared.lanes).push(Arc::clone(&state));
        let mut writer = LaneWriter::new(Arc::clone(&self.shared), state);
        writer.stage(&Frame::Clock(Clock { at: now, kind: ClockKind::Boot }));
        writer.commit(now)?;
        Ok(writer)
    }

    /// Starts the thread that keeps the promise of 50 ms, and that wakes followers.
    pub fn start_syncing(self: &Arc<Self>) -> SyncThread {
        let thread = SyncThread::start(Arc::clone(&self.shared));
        *held(&self.shared.syncer) = Some(thread.thread().clone());
        thread
    }

    /// The number of frames committed in this boot, told with each group sync: it wakes followers, some tens of
    /// times a second at most. The cursor is the truth; poll it now and then whatever this says.
    pub fn appended(&self) -> watch::Receiver<u64> {
        self.shared.appended.subscribe()
    }

    /// How many segments of this boot were given up because a sync or taking back a write failed.
    pub fn suspects(&self) -> u64 {
        self.shared.suspects.load(Ordering::Relaxed)
    }

    /// Hands over the frames behind the cursor, and moves it: up to about `max_bytes` of them, the lanes taking
    /// turns, and no further than the last frame that is acknowledged. Nothing read means nothing new.
    pub fn read(
        &self,
        cursor: &mut Cursor,
        max_bytes: usize,
        each: &mut dyn FnMut(Frame<'_>),
    ) -> Result<ReadReport, Error> {
        let live = self.shared.live();
        let report = reader::read(&self.shared.folder, self.shared.sensor, &live, cursor, max_bytes, each)?;
        for damage in &report.damaged {
            self.set_aside(damage)?;
        }
        Ok(report)
    }

    /// Copies damaged bytes to quarantine, once, and says so.
    fn set_aside(&self, damage: &Damage) -> Result<(), Error> {
        let copy = self.quarantine.join(format!("journal-{}-{}.bin", damage.segment, damage.offset));
        if !copy.exists() {
            let bytes = reader::damaged_bytes(&self.shared.folder, damage)?;
            crate::folder::write_synced(&copy, &bytes)?;
            tracing::error!(target: "bailiwick_store", copy = %copy.display(), "{damage} could not be read; go on behind it");
        }
        Ok(())
    }
}

//----------- What lanes, the syncing thread and readers share -----------------------------------------------------

/// A lane as others see it. Its counters are its own: with one for all, every commit of every lane would fight for the
/// same cache line.
#[repr(align(128))]
struct LaneState {
    lane: Lane,
    current: Mutex<Option<Arc<Segment>>>,
    frames: AtomicU64,
    unsynced: AtomicU64,
}

impl LaneState {
    fn new(lane: Lane) -> Self {
        Self { lane, current: Mutex::default(), frames: AtomicU64::new(0), unsynced: AtomicU64::new(0) }
    }

    /// Counts a commit; whether enough has come together to be synced at once.
    fn account(&self, frames: u64, bytes: u64) -> bool {
        self.frames.fetch_add(frames, Ordering::Relaxed);
        let before = self.unsynced.fetch_add(bytes, Ordering::Relaxed);
        before < syncing::GROUP_BYTES && before + bytes >= syncing::GROUP_BYTES
    }

    /// Makes this the lane's segment; returns the one before.
    fn open(&self, segment: Arc<Segment>) -> Option<Arc<Segment>> {
        held(&self.current).replace(segment)
    }
}

struct Shared {
    folder: PathBuf,
    sensor: SensorId,
    boot: Boot,
    limits: JournalLimits,
    next_lane: AtomicU32,
    lanes: Mutex<Vec<Arc<LaneState>>>,
    /// Closed segments whose last bytes are not synced yet.
    retired: Mutex<Vec<Arc<Segment>>>,
    /// A segment was made since the folder was synced.
    folder_changed: AtomicBool,
    suspects: AtomicU64,
    syncer: Mutex<Option<Thread>>,
    appended: watch::Sender<u64>,
}

impl Shared {
    fn wake_syncer(&self) {
        if let Some(thread) = held(&self.syncer).as_ref() {
            thread.unpark();
        }
    }

    fn retire(&self, segment: Option<Arc<Segment>>) {
        self.folder_changed.store(true, Ordering::Release);
        held(&self.retired).extend(segment);
    }

    /// Tells followers, then syncs every segment that has something new.
    fn sync(&self) {
        let lanes = held(&self.lanes).clone();
        lanes.iter().for_each(|lane| lane.unsynced.store(0, Ordering::Relaxed));
        let frames = lanes.iter().map(|lane| lane.frames.load(Ordering::Relaxed)).sum();
        self.appended.send_if_modified(|told| std::mem::replace(told, frames) != frames);
        let mut segments = std::mem::take(&mut *held(&self.retired));
        segments.extend(lanes.iter().filter_map(|lane| held(&lane.current).clone()));
        for segment in segments {
            self.count_failure(&segment.path, segment.sync());
        }
        if self.folder_changed.swap(false, Ordering::AcqRel) {
            self.count_failure(&self.folder, sync_folder(&self.folder));
        }
    }

    fn count_failure(&self, path: &Path, synced: Result<(), Error>) {
        if let Err(error) = synced {
            self.suspects.fetch_add(1, Ordering::Relaxed);
            tracing::error!(
                target: "bailiwick_store", path = %path.display(), error = &error as &dyn std::error::Error,
                "a sync failed: a loss of power may now take what was written there; hint: look at the disk"
            );
        }
    }

    fn live(&self) -> reader::Live {
        let lanes = held(&self.lanes);
        let current = lanes.iter().map(|lane| (lane.lane, held(&lane.current).clone()));
        reader::Live { boot: self.boot, lanes: current.collect() }
    }
}

/// A lock, also behind a thread that panicked: what it guards is replaced whole and is never half changed.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
