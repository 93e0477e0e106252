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
//! quarantine and named, and the reader goes on behind it. A segment whose sync failed is never synced again: what it held
//! since the last good sync is kept in memory and begins a new one, under the same ids.
//!
//! What is deliberately absent: meaning. The journal does not know what a case is. Only two things remove a segment:
//! [`purge`], the oldest of a lane, and none that is not archived; and [`Journal::release`], for a sensor whose core has
//! said that it holds it.

use std::fs;
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

mod closed;
mod cursor;
pub(crate) mod foreign;
mod frame;
mod lane;
mod purge;
mod reader;
mod room;
mod segment;
mod syncing;
mod tail;
#[cfg(test)]
mod tests;
mod track;
mod walk;

pub use closed::ClosedSegment;
pub(crate) use closed::digest_of;
pub use cursor::{Cursor, Damage, ReadReport};
pub use frame::{Clock, ClockKind, FRAME_VERSION, Frame, PAYLOAD_LEN_MAX};
pub use lane::{LaneWriter, STAGED_LEN_MAX};
pub use purge::{Ripe, days as days_of, ripe, ripe_received};
pub use reader::read_all;
pub use room::{Room, RoomReport, report as room_of};
pub use segment::SEGMENT_VERSION;
pub use syncing::SyncThread;

use track::LaneState;

//----------- Journal ----------------------------------------------------------------------------------------------

/// When a segment is closed and the next begun. The UTC day always closes one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct JournalLimits {
    pub segment_bytes: u64,
    pub segment_age: Duration,
    /// Octets of each lane that are kept in memory until they are synced, to be written again should the sync fail.
    pub unsynced_octets: usize,
    /// What the segments may take of the disk; `None` is four fifths of it.
    pub disk_budget: Option<u64>,
    /// Octets set aside for what must be written when the disk is full; at most a sixteenth of the budget.
    pub reserve_octets: u64,
}

impl Default for JournalLimits {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            segment_age: Duration::from_secs(3600),
            unsynced_octets: 8 << 20,
            disk_budget: None,
            reserve_octets: 16 << 20,
        }
    }
}

/// The journal of a data folder, in this boot.
pub struct Journal {
    shared: Arc<Shared>,
    quarantine: PathBuf,
}

impl Journal {
    pub fn open(folder: &DataFolder, limits: JournalLimits) -> Result<Arc<Self>, Error> {
        set_unnamed_aside(&folder.path().join("journal"), &folder.quarantine())?;
        let shared = Shared {
            folder: folder.path().join("journal"),
            sensor: folder.sensor(),
            boot: folder.boot(),
            start: folder.start(),
            limits,
            next_lane: AtomicU32::new(0),
            lanes: Mutex::default(),
            folder_changed: AtomicBool::new(false),
            suspects: AtomicU64::new(0),
            let_go: AtomicU64::new(0),
            room: room::Watch::default(),
            syncer: Mutex::default(),
            appended: watch::Sender::new(0),
        };
        Ok(Arc::new(Self { shared: Arc::new(shared), quarantine: folder.quarantine() }))
    }

    /// A new writer. Its first frame, committed here, is a [`Clock`] that says when the lane began.
    pub fn lane(&self, now: Timestamp) -> Result<LaneWriter, Error> {
        let number = self.shared.next_lane.fetch_add(1, Ordering::Relaxed);
        let lane = Lane(u16::try_from(number).map_err(|_| Error::Lanes)?);
        let state = Arc::new(LaneState::new(lane, &self.shared.limits));
        held(&self.shared.lanes).push(Arc::clone(&state));
        let mut writer = LaneWriter::new(Arc::clone(&self.shared), state);
        writer.stage(&Frame::Clock(Clock { at: now, kind: ClockKind::Boot }));
        writer.commit(now)?;
        Ok(writer)
    }

    /// Closes segments that have their age, also where nothing more comes: what is closed can be sent on.
    ///
    /// # Errors
    /// If a new segment cannot be made; the old one goes on then.
    pub fn close_old(&self, now: Timestamp) -> Result<(), Error> {
        let lanes = held(&self.shared.lanes).clone();
        lanes.iter().try_for_each(|lane| lane.close_old(&self.shared, now))
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

    /// Whose contacts these are.
    pub fn sensor(&self) -> SensorId {
        self.shared.sensor
    }

    /// How often a sync failed in this boot. What it was about was written again.
    pub fn suspects(&self) -> u64 {
        self.shared.suspects.load(Ordering::Relaxed)
    }

    /// Octets that a failed sync was about and that were not written again, because so much is not kept: a loss of
    /// power may take them, a crash of the process does not.
    pub fn let_go_octets(&self) -> u64 {
        self.shared.let_go.load(Ordering::Relaxed)
    }

    /// How the disk budget stands. Known while the syncing thread runs.
    pub fn room(&self) -> RoomReport {
        self.shared.room.report()
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

struct Shared {
    folder: PathBuf,
    sensor: SensorId,
    boot: Boot,
    /// Random: what our segments say of this start of the program.
    start: u64,
    limits: JournalLimits,
    next_lane: AtomicU32,
    lanes: Mutex<Vec<Arc<LaneState>>>,
    /// A segment was made since the folder was synced.
    folder_changed: AtomicBool,
    suspects: AtomicU64,
    /// Octets of suspect segments that could not be written again.
    let_go: AtomicU64,
    room: room::Watch,
    syncer: Mutex<Option<Thread>>,
    appended: watch::Sender<u64>,
}

impl Shared {
    fn wake_syncer(&self) {
        if let Some(thread) = held(&self.syncer).as_ref() {
            thread.unpark();
        }
    }

    fn begin(&self, seq: u64, now: Timestamp) -> segment::Begin {
        segment::Begin { seq, now, start: self.start }
    }

    fn folder_has_changed(&self) {
        self.folder_changed.store(true, Ordering::Release);
    }

    /// Tells followers, then syncs every segment that has something new.
    fn sync(&self) {
        let lanes = held(&self.lanes).clone();
        let frames = lanes.iter().map(|lane| lane.frames.load(Ordering::Relaxed)).sum();
        self.appended.send_if_modified(|told| std::mem::replace(told, frames) != frames);
        self.look_at_room(lanes.iter().map(|lane| lane.octets.load(Ordering::Relaxed)).sum());
        lanes.iter().for_each(|lane| lane.sync(self));
        if self.folder_changed.swap(false, Ordering::AcqRel)
            && let Err(error) = sync_folder(&self.folder)
        {
            self.count_suspect(&error, 0);
        }
    }

    fn look_at_room(&self, written: u64) {
        let allowed = room::Allowed { budget: self.limits.disk_budget, reserve: self.limits.reserve_octets };
        if let Err(error) = self.room.look(&self.folder, allowed, written) {
            self.complain("the journal's room is not known", &error);
        }
    }

    /// A sync failed: what it was about is in doubt for good. `let_go` octets of it cannot be written again.
    fn count_suspect(&self, error: &Error, let_go: u64) {
        self.suspects.fetch_add(1, Ordering::Relaxed);
        self.let_go.fetch_add(let_go, Ordering::Relaxed);
        let what = "a sync failed: what it was about is written again; hint: look at the disk";
        tracing::error!(target: "bailiwick_store", let_go, error = error as &dyn std::error::Error, "{what}");
    }

    fn complain(&self, what: &str, error: &Error) {
        tracing::error!(target: "bailiwick_store", error = error as &dyn std::error::Error, "{what}; hint: look at the disk");
    }

    fn live(&self) -> reader::Live {
        let lanes = held(&self.lanes);
        let current = lanes.iter().map(|lane| (lane.lane, lane.current()));
        reader::Live { boot: self.boot, lanes: current.collect() }
    }
}

/// A lock, also behind a thread that panicked: what it guards is replaced whole and is never half changed.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A tail that a process was killed over while it wrote it again has no name yet, and all of it still stands elsewhere.
fn set_unnamed_aside(journal: &Path, quarantine: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(journal).map_err(Error::io("listing", journal))? {
        let path = entry.map_err(Error::io("listing", journal))?.path();
        if path.extension().is_some_and(|extension| extension == segment::UNNAMED) {
            let aside = quarantine.join(path.file_name().expect("an entry of a folder has a name"));
            fs::rename(&path, &aside).map_err(Error::io("setting aside", &path))?;
        }
    }
    Ok(())
}
