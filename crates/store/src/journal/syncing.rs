//! Group syncing: one thread syncs what all lanes have written, at least every 50 ms while something is written, at
//! once when 256 KiB have come together. Nobody waits for it: what a loss of power may take is the last 50 ms.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Shared;

/// How long the thread rests: 40 ms leave 10 ms of the promised 50 for the sync itself.
const REST: Duration = Duration::from_millis(40);

/// So many bytes that are not synced wake the thread at once.
pub(super) const GROUP_BYTES: u64 = 256 << 10;

/// The syncing thread. Dropping it stops it too.
pub struct SyncThread {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl SyncThread {
    pub(super) fn start(shared: Arc<Shared>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Acquire) {
                shared.sync();
                thread::park_timeout(REST);
            }
            shared.sync();
        });
        Self { stop, thread: Some(thread) }
    }

    pub(super) fn thread(&self) -> &thread::Thread {
        self.thread.as_ref().expect("the thread runs until it is stopped").thread()
    }

    /// Stops the thread after a last sync. Writers should have stopped before.
    pub fn stop(mut self) {
        self.join();
    }

    fn join(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            thread.join().expect("syncing does not panic");
        }
    }
}

impl Drop for SyncThread {
    fn drop(&mut self) {
        self.join();
    }
}
