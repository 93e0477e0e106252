//! Retiring: of the verdicts on a contact only the last stays, the one that counts.
//!
//! A replay keeps the verdicts of before beside its own, so that whoever doubts can compare. When nobody wants to any more,
//! a settled day's files are merged once more, and rows that a later one follows are left out. It is a compaction in all
//! else; one fact for each day says how many rows went, with the digests of the files before and after. No question sees
//! another answer than before. What is deliberately absent: days that go on, and rows that were shipped to ClickHouse.

use model::Timestamp;
use model::fact::{Actor, Body, Draft};
use model::time::Date;

use super::compact::{Compaction, next_retirement};
use super::{Archive, manifest, purge};
use crate::Error;

/// What became of a day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retired {
    pub day: Date,
    /// Rows that went.
    pub verdicts: u64,
    /// Octets that the day's files are shorter.
    pub octets: u64,
}

impl Archive {
    /// Lets go of the verdicts that do not count any more of the next settled day after that one; `None` when there is no
    /// such day. Waits for a compaction, a backup and a purge that are under way.
    pub async fn retire(&self, after: Option<Date>, actor: &Actor, now: Timestamp) -> Result<Option<Retired>, Error> {
        let _still = self.still().await;
        let turn = self.inner.compacting.clone().lock_owned().await;
        let files = manifest::listed(&self.inner.ledger).await?;
        let Some(work) = next_retirement(&files, after) else { return Ok(None) };
        let mut merging = self.begin(turn, work, self.inner.limits).await?;
        loop {
            match merging.step().await {
                Ok(true) => {}
                Ok(false) => return self.let_go(merging, actor, now).await.map(Some),
                Err(error) => {
                    merging.abandon().await?;
                    return Err(error);
                }
            }
        }
    }

    async fn let_go(&self, merged: Compaction, actor: &Actor, now: Timestamp) -> Result<Retired, Error> {
        let (before, after) = merged.sets();
        let day = before.first().and_then(|file| file.day.parse().ok()).expect("the work is a day's");
        let sum = |files: &[super::Written]| files.iter().map(|file| file.rows).sum::<u64>();
        let verdicts = sum(before) - sum(after);
        if verdicts == 0 {
            merged.abandon().await?;
            return Ok(Retired { day, verdicts, octets: 0 });
        }
        let (before, after) = purge::sets(self, before, after).await?;
        let fact = Draft::new(actor.clone(), Body::VerdictsRetired { day, verdicts, before, after });
        let done = merged.commit_with(vec![fact], now).await?;
        Ok(Retired { day, verdicts, octets: done.bytes_before.saturating_sub(done.bytes_after) })
    }
}

#[cfg(test)]
mod tests;
