//! The journal.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use model::id::ContactId;
use tokio::sync::watch;

use crate::Error;
use crate::folder::DataFolder;

mod cursor;
mod frame;

pub use cursor::{Cursor, Damage, ReadReport};
pub use frame::{Clock, ClockKind, FRAME_VERSION, Frame, PAYLOAD_LEN_MAX};

/// When a segment is closed and the next begun.
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

pub struct Journal;

impl Journal {
    pub fn open(_folder: &DataFolder, _limits: JournalLimits) -> Result<Arc<Self>, Error> {
        unimplemented!()
    }
    /// A new writer. Its first frame is a [`Clock`] that says when it began.
    pub fn lane(&self, _now: Timestamp) -> Result<LaneWriter, Error> {
        unimplemented!()
    }
    pub fn start_syncing(self: &Arc<Self>) -> SyncThread {
        unimplemented!()
    }
    pub fn appended(&self) -> watch::Receiver<u64> {
        unimplemented!()
    }
    pub fn read(
        &self,
        _cursor: &mut Cursor,
        _max_bytes: usize,
        _each: &mut dyn FnMut(Frame<'_>),
    ) -> Result<ReadReport, Error> {
        unimplemented!()
    }
}

/// Reads a whole journal folder, without the lock.
pub fn read_all(_journal: &Path, _each: &mut dyn FnMut(Frame<'_>)) -> Result<ReadReport, Error> {
    unimplemented!()
}

/// The syncing thread; `stop` makes a last sync.
pub struct SyncThread;

impl SyncThread {
    pub fn stop(self) {}
}

pub struct LaneWriter;

impl LaneWriter {
    pub fn next_id(&self) -> ContactId {
        unimplemented!()
    }
    pub fn stage(&mut self, _frame: &Frame<'_>) {}
    pub fn commit(&mut self, _now: Timestamp) -> Result<(), Error> {
        unimplemented!()
    }
    pub fn abandon(&mut self) {}
}
