//! The quiet task that compacts the archive: a slice of work, then a rest in proportion, until nothing is due.
//!
//! It takes a share of one core and no more, whatever waits: answering and learning come first, and an archive of small
//! files answers too, only later. What it had not committed when it is told to stop it leaves as it was.

use std::time::Duration;

use store::{Archive, Error};
use tokio::sync::watch;
use tokio::time::{Instant, interval, sleep};

use super::now;

/// How often it looks whether something is due.
const LOOK_EVERY: Duration = Duration::from_secs(60);

pub(super) async fn follow(archive: Archive, core_percent: u32, mut stopped: watch::Receiver<bool>) {
    let mut looks = interval(LOOK_EVERY);
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            _ = looks.tick() => {}
        }
        if let Err(error) = work(&archive, core_percent, &mut stopped).await {
            tracing::error!(%error, "the archive could not be compacted; what it holds is as it was; hint: {}", error.hint().unwrap_or("see `bailiwick doctor`"));
        }
    }
}

/// Does what is due, until nothing is or it is to stop.
async fn work(archive: &Archive, core_percent: u32, stopped: &mut watch::Receiver<bool>) -> Result<(), Error> {
    let settle = archive.compact_limits().settle;
    while let Some(mut compaction) = archive.next_compaction(now(), settle).await? {
        loop {
            let began = Instant::now();
            match compaction.step().await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    compaction.abandon().await?;
                    return Err(error);
                }
            }
            let rest = began.elapsed() * (100 - core_percent) / core_percent;
            let is_over = tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => true,
                () = sleep(rest) => false,
            };
            if is_over {
                return compaction.abandon().await;
            }
        }
        let done = compaction.commit(now()).await?;
        let (table, day) = (done.table, done.day);
        tracing::debug!(%table, %day, files = done.files_before, rows = done.rows, "files of the archive were merged");
        if *stopped.borrow() {
            return Ok(());
        }
    }
    Ok(())
}
