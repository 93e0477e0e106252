//! The quiet task that carries out retention: once a day, a slice of work, then a rest in proportion.
//!
//! It takes the same share of one core as compaction. What it had not committed when it is told to stop it leaves as it was, and
//! the next pass does it. When the last pass ended stands in the ledger's database, so that restarts neither repeat nor
//! put off a pass.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use desk::api::RetentionLive;
use desk::retention::{carry_out, standing};
use model::marking::Retention;
use store::{Archive, Error, Ledger};
use tokio::sync::watch;
use tokio::time::{Instant, interval, sleep};

use super::now;

/// How often it looks whether a pass is due.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// A pass is due so long after the last one.
const PASS_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// How it stands, for `status` and metrics.
pub(super) type Board = Arc<Mutex<RetentionLive>>;

pub(super) struct Retaining {
    pub(super) ledger: Ledger,
    pub(super) archive: Archive,
    pub(super) defaults: Retention,
    pub(super) first_after: Duration,
    pub(super) core_percent: u32,
    pub(super) board: Board,
}

impl Retaining {
    pub(super) async fn follow(self, mut stopped: watch::Receiver<bool>) {
        let is_over = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => true,
            () = sleep(self.first_after) => false,
        };
        if is_over {
            return;
        }
        let mut looks = interval(LOOK_EVERY);
        loop {
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                _ = looks.tick() => {}
            }
            let done = self.look(&stopped).await;
            if let Err(error) = &done {
                let hint = error.hint().unwrap_or("it is tried again; what was kept is as it was");
                tracing::error!(%error, "retention could not be carried out; hint: {hint}");
            }
            self.tell(done.err()).await;
        }
    }

    async fn look(&self, stopped: &watch::Receiver<bool>) -> Result<(), Error> {
        let last = self.archive.last_retention_pass().await?;
        let every = PASS_EVERY.try_into().unwrap_or_default();
        if last.is_some_and(|last| now().duration_since(last) < every) {
            return Ok(());
        }
        let (mut rested, percent, stopped) = (Instant::now(), self.core_percent, stopped.clone());
        let rest = move || {
            let rest = rested.elapsed() * (100 - percent) / percent;
            rested = Instant::now() + rest;
            let mut stopped = stopped.clone();
            async move {
                tokio::select! {
                    _ = stopped.wait_for(|stop| *stop) => false,
                    () = sleep(rest) => true,
                }
            }
        };
        let pass = carry_out(&self.ledger, &self.archive, &self.defaults, rest).await?;
        let rows: u64 = pass.days.iter().map(|day| day.rows).sum();
        let segments = pass.segments.map_or(0, |set| set.files);
        if rows + segments > 0 {
            tracing::info!(days = pass.days.len(), rows, segments, "what is not kept any longer was purged");
        }
        Ok(())
    }

    async fn tell(&self, failed: Option<Error>) {
        let standing = standing(&self.ledger, &self.archive, &self.defaults, now()).await;
        let (last_pass, days_waiting) = standing.unwrap_or_default();
        let last_error = failed.map(|error| error.to_string());
        let told = RetentionLive { last_pass, days_waiting, last_error };
        *self.board.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }
}
