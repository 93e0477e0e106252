//! Compaction: many small files become few long ones, without a question ever seeing a row twice or not at all.
//!
//! ```text
//! a day goes on    32 files of one level ──gather──► one file of the next level
//! a day is over    all files of a table ──settle──► files of one length, sorted through; of contacts also roll-ups
//! ```
//!
//! Work is done in slices, so that whoever drives it can rest between them and stop: nothing counts, and no folder shows
//! it, before [`Compaction::commit`]. That waits until nobody reads, renames the new files, puts their rows into the
//! manifest and takes the replaced ones out in one transaction, and removes the replaced files. So a question sees the
//! old files or the new ones; another program that reads the folders sees both for the blink between two renames.
//!
//! A crash leaves either files without a row, which go to quarantine as every orphan does, or replaced files whose paths
//! the transaction has kept, which the next opening removes.
//!
//! A batch that comes after its day was settled (a sensor that was cut off) takes the day's roll-ups out of the manifest
//! in its own transaction; the next compaction of the day makes them anew.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use model::Timestamp;
use model::fact::Draft;
use model::time::{Date, from_nanos};
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;

use super::file::{self, Written};
use super::merge::{Lasts, Merge, Output};
use super::rollup::RollUp;
use super::tables::{ContactRow, ROLL_UPS, Row as _, Shape, VerdictRow};
use super::{Archive, blocking, manifest};
use crate::Error;

/// The level of files that are compacted for good.
pub(super) const SETTLED: u8 = 100;

/// What compaction keeps to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CompactLimits {
    /// How many files are merged at once, and how many of a level wait until they are. Each takes a few megabytes of
    /// memory while it is read.
    pub files_at_once: usize,
    /// Octets of a settled file: the next one is begun then.
    pub file_bytes_max: u64,
    /// Addresses of one name that are counted in memory at once, about 120 octets each. Where there are more, the day is
    /// read as many times as it takes.
    pub sources_held_max: usize,
    /// A day is settled when it has been over for so long, and nothing has come for it for so long.
    pub settle: Duration,
}

impl Default for CompactLimits {
    fn default() -> Self {
        Self {
            files_at_once: 32,
            file_bytes_max: 256 << 20,
            sources_held_max: 2_000_000,
            settle: Duration::from_secs(60 * 60),
        }
    }
}

/// What one piece of work did.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Compacted {
    pub table: String,
    pub day: String,
    pub files_before: u64,
    pub files_after: u64,
    pub bytes_before: u64,
    pub bytes_after: u64,
    pub rows: u64,
    /// Whether the day's roll-ups were made with it.
    pub is_rolled_up: bool,
}

//----------- What is due ------------------------------------------------------------------------------------------

/// A piece of work: these files of a table and a day become others.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Work {
    table: String,
    day: String,
    inputs: Vec<Written>,
    level: u8,
    /// Whether only the last row on each contact stays.
    lasts_only: bool,
}

impl Work {
    fn is_settling(&self) -> bool {
        self.level == SETTLED
    }

    /// Files that were settled together follow each other; every other one stands for itself.
    fn runs(&self) -> Vec<Vec<PathBuf>> {
        let (settled, others): (Vec<_>, Vec<_>) = self.inputs.iter().partition(|file| file.level == SETTLED);
        let settled: Vec<PathBuf> = settled.iter().map(|file| file.path.clone()).collect();
        let others = others.iter().map(|file| vec![file.path.clone()]);
        std::iter::once(settled).filter(|run| !run.is_empty()).chain(others).collect()
    }
}

/// What is done next, if anything is due: days that go on first, so that they stay readable, then the oldest day.
pub(super) fn next_work(files: &[Written], now: Timestamp, limits: &CompactLimits) -> Option<Work> {
    let mut days = BTreeMap::<(&str, &str), Vec<&Written>>::new();
    for file in files.iter().filter(|file| !ROLL_UPS.contains(&file.table.as_str())) {
        days.entry((&file.day, &file.table)).or_default().push(file);
    }
    let days: Vec<Vec<&Written>> = days.into_values().collect();
    let gathering = || days.iter().filter(|day| !is_over(day, now, limits)).find_map(|day| gather(day, limits));
    let settling = || days.iter().filter(|day| is_over(day, now, limits)).find_map(|day| settle(day, limits));
    gathering().or_else(settling)
}

fn is_over(day: &[&Written], now: Timestamp, limits: &CompactLimits) -> bool {
    let Some(ends) = day.first().and_then(|file| day_ends(&file.day)) else { return false };
    let last = day.iter().map(|file| from_nanos(file.committed)).max().unwrap_or(ends);
    let quiet = |since: Timestamp| now.duration_since(since) >= limits.settle.try_into().unwrap_or_default();
    quiet(ends) && quiet(last)
}

fn day_ends(day: &str) -> Option<Timestamp> {
    let next = day.parse::<Date>().ok()?.tomorrow().ok()?;
    format!("{next}T00:00:00Z").parse().ok()
}

/// As many files of one level as are merged at once, unless they are long already.
fn gather(day: &[&Written], limits: &CompactLimits) -> Option<Work> {
    let mut levels = BTreeMap::<u8, Vec<&Written>>::new();
    for file in day.iter().filter(|file| file.level < SETTLED - 1 && file.bytes < limits.file_bytes_max / 2) {
        levels.entry(file.level).or_default().push(file);
    }
    let (level, mut inputs) = levels.into_iter().find(|(_, files)| files.len() >= limits.files_at_once)?;
    inputs.truncate(limits.files_at_once);
    Some(work(&inputs, level + 1))
}

/// All files of a day that is over, or first its shortest ones, where there are more than are merged at once.
fn settle(day: &[&Written], limits: &CompactLimits) -> Option<Work> {
    let mut waiting: Vec<&Written> = day.iter().copied().filter(|file| file.level < SETTLED).collect();
    if waiting.is_empty() {
        return None;
    }
    if waiting.len() < limits.files_at_once {
        return Some(work(day, SETTLED));
    }
    waiting.sort_by_key(|file| file.bytes);
    waiting.truncate(limits.files_at_once);
    let level = waiting.iter().map(|file| file.level).max().unwrap_or_default();
    Some(work(&waiting, (level + 1).min(SETTLED - 1)))
}

fn work(inputs: &[&Written], level: u8) -> Work {
    let first = inputs.first().expect("work is made of files");
    let (table, day) = (first.table.clone(), first.day.clone());
    Work { table, day, inputs: inputs.iter().copied().cloned().collect(), level, lasts_only: false }
}

/// The first day after that one of which verdicts that do not count any more may go: its files are compacted for good.
pub(super) fn next_retirement(files: &[Written], after: Option<Date>) -> Option<Work> {
    let mut days = BTreeMap::<Date, Vec<&Written>>::new();
    for file in files.iter().filter(|file| file.table == VerdictRow::TABLE) {
        file.day.parse().into_iter().for_each(|day| days.entry(day).or_default().push(file));
    }
    let is_next = |day: &Date| after.is_none_or(|after| after < *day);
    let is_settled = |files: &[&Written]| files.iter().all(|file| file.level == SETTLED);
    let (_, files) = days.into_iter().find(|(day, files)| is_next(day) && is_settled(files))?;
    Some(Work { lasts_only: true, ..work(&files, SETTLED) })
}

//----------- Compaction -------------------------------------------------------------------------------------------

/// A piece of work that is under way; there is one at a time. Dropped before its commit it changes nothing, and
/// [`Compaction::abandon`] leaves no file behind either.
pub struct Compaction {
    archive: Archive,
    _turn: OwnedMutexGuard<()>,
    work: Work,
    limits: CompactLimits,
    name: String,
    stage: Stage,
}

enum Stage {
    Merging(Box<Merge>),
    RollingUp(Vec<Written>, Box<RollUp>),
    Done { merged: Vec<Written>, rolled_up: Vec<Written> },
}

impl Archive {
    /// Begins what is due next, if anything is; a day is over when nothing has come for it for `settle`. Waits for a
    /// compaction that is under way.
    pub async fn next_compaction(&self, now: Timestamp, settle: Duration) -> Result<Option<Compaction>, Error> {
        let turn = self.inner.compacting.clone().lock_owned().await;
        let limits = CompactLimits { settle, ..self.inner.limits };
        let Some(work) = next_work(&manifest::listed(&self.inner.ledger).await?, now, &limits) else { return Ok(None) };
        self.begin(turn, work, limits).await.map(Some)
    }

    pub(super) async fn begin(
        &self,
        turn: OwnedMutexGuard<()>,
        work: Work,
        limits: CompactLimits,
    ) -> Result<Compaction, Error> {
        let shape = Shape::named(&work.table).ok_or_else(|| unknown(&work.table))?;
        let name = self.name_of_file("compact");
        let name = name.trim_end_matches(".parquet").to_owned();
        let (root, runs) = (self.inner.root.clone(), work.runs());
        let output = Output {
            root: root.clone(),
            day: work.day.clone(),
            name: name.clone(),
            level: work.level,
            file_bytes_max: work.is_settling().then_some(limits.file_bytes_max),
            growing: None,
            written: Vec::new(),
            lasts: work.lasts_only.then(Lasts::default),
        };
        let merge = blocking(move || Merge::start(shape, &root, runs, output)).await?;
        let stage = Stage::Merging(Box::new(merge));
        Ok(Compaction { archive: self.clone(), _turn: turn, work, limits, name, stage })
    }

    pub fn compact_limits(&self) -> CompactLimits {
        self.inner.limits
    }

    /// Removes replaced files. Nobody may read.
    pub(super) async fn sweep(&self) -> Result<(), Error> {
        let paths = manifest::replaced(&self.inner.ledger).await?;
        let (root, removed) = (self.inner.root.clone(), paths.clone());
        blocking(move || file::remove(&root, &removed)).await?;
        manifest::forget_replaced(&self.inner.ledger, &paths).await
    }
}

fn unknown(table: &str) -> Error {
    Error::Archive { what: format!("compacting a table {table} that this program does not know"), cause: None }
}

impl Compaction {
    /// For whom it works: `contacts 2019-03-27`.
    pub fn what(&self) -> String {
        format!("{} {}", self.work.table, self.work.day)
    }

    /// Does a slice; `false` when everything is written and may be committed.
    pub async fn step(&mut self) -> Result<bool, Error> {
        let done = Stage::Done { merged: Vec::new(), rolled_up: Vec::new() };
        let stage = std::mem::replace(&mut self.stage, done);
        let rolls_up = self.work.is_settling() && self.work.table == ContactRow::TABLE;
        let (root, day, name) = (self.archive.inner.root.clone(), self.work.day.clone(), self.name.clone());
        let held_max = self.limits.sources_held_max;
        self.stage = blocking(move || {
            Ok(match stage {
                Stage::Merging(mut merge) => {
                    if merge.step()? {
                        return Ok(Stage::Merging(merge));
                    }
                    let merged = merge.finish()?;
                    if rolls_up {
                        let files = merged.iter().map(|file| file::beside(&file.path)).collect();
                        let roll_up = RollUp::start(&root, &day, &name, files, held_max)?;
                        return Ok(Stage::RollingUp(merged, Box::new(roll_up)));
                    }
                    Stage::Done { merged, rolled_up: Vec::new() }
                }
                Stage::RollingUp(merged, mut roll_up) => {
                    if roll_up.step()? {
                        return Ok(Stage::RollingUp(merged, roll_up));
                    }
                    Stage::Done { merged, rolled_up: roll_up.finish()? }
                }
                done @ Stage::Done { .. } => done,
            })
        })
        .await?;
        Ok(!matches!(self.stage, Stage::Done { .. }))
    }

    /// Makes it count, in one transaction, when nobody reads.
    ///
    /// # Panics
    /// If the last [`Compaction::step`] said that there was more to do.
    pub async fn commit(self, now: Timestamp) -> Result<Compacted, Error> {
        self.commit_with(Vec::new(), now).await
    }

    /// What takes part, and what takes its place.
    pub(super) fn sets(&self) -> (&[Written], &[Written]) {
        let after: &[Written] = if let Stage::Done { merged, .. } = &self.stage { merged } else { &[] };
        (&self.work.inputs, after)
    }

    /// The same, and facts say so in the same transaction.
    pub(super) async fn commit_with(self, facts: Vec<Draft>, now: Timestamp) -> Result<Compacted, Error> {
        let Stage::Done { merged, rolled_up } = self.stage else { panic!("a compaction is committed when it is done") };
        let _alone = self.archive.inner.reading.write().await;
        let (root, shown) = (self.archive.inner.root.clone(), [merged.clone(), rolled_up.clone()].concat());
        blocking(move || file::show(&root, &shown)).await?;
        let mut transaction = self.archive.inner.ledger.begin().await?;
        // What came meanwhile for the day is in none of these files.
        let come =
            manifest::count_beside(&mut transaction, &self.work.table, &self.work.day, &self.work.inputs).await?;
        let is_rolled_up = !rolled_up.is_empty() && come == 0;
        for file in &self.work.inputs {
            manifest::replace(&mut transaction, &file.path, now).await?;
        }
        if self.work.table == ContactRow::TABLE {
            manifest::drop_roll_ups(&mut transaction, &self.work.day, now).await?;
        }
        for file in &merged {
            manifest::insert(&mut transaction, "compact", file, now).await?;
        }
        for file in &rolled_up {
            if is_rolled_up {
                manifest::insert(&mut transaction, "compact", file, now).await?;
            } else {
                manifest::set_replaced(&mut transaction, &file.path, now).await?;
            }
        }
        if facts.is_empty() {
            transaction.commit().await?;
        } else {
            self.archive.commit_with(transaction, facts, now).await?;
        }
        self.archive.sweep().await?;
        let sum = |files: &[Written], of: fn(&Written) -> u64| files.iter().map(of).sum();
        Ok(Compacted {
            files_before: self.work.inputs.len() as u64,
            files_after: merged.len() as u64,
            bytes_before: sum(&self.work.inputs, |file| file.bytes),
            bytes_after: sum(&merged, |file| file.bytes),
            rows: sum(&merged, |file| file.rows),
            is_rolled_up,
            table: self.work.table,
            day: self.work.day,
        })
    }

    /// Removes what it has written so far.
    pub async fn abandon(self) -> Result<(), Error> {
        let root = self.archive.inner.root.clone();
        blocking(move || {
            let written = match self.stage {
                Stage::Merging(merge) => merge.abandon()?,
                Stage::RollingUp(merged, roll_up) => roll_up.abandon().map(|()| merged)?,
                Stage::Done { merged, rolled_up } => [merged, rolled_up].concat(),
            };
            let written: Vec<PathBuf> = written.iter().map(|file| file::beside(&file.path)).collect();
            file::remove(&root, &written)
        })
        .await
    }
}

#[cfg(test)]
mod tests;
