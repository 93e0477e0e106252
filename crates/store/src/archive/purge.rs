//! Purging: rows of a day go, or their addresses are cut, and files without them take the place of those with them.
//!
//! ```text
//! what is due ──► the oldest day that holds some of it ──► its files, one by one, without ──► commit: as a compaction's
//! ```
//!
//! A day is purged when it is settled: its files are sorted and long then, and its roll-ups were counted while the addresses
//! were whole. Contacts come first, because the other tables know a row by its contact's id alone; which ids went is held in
//! [`ids`], two octets each. `daily_names` keeps its counts, but for a name that is purged itself; `daily_sources` is counted
//! again from the contacts that are left, and so has cut addresses where they have.
//!
//! The commit is one transaction: manifest rows, the marks that say what was done, and one fact for each case, with the
//! digests of the files before and after. Old files are removed when nobody reads them; a crash in between leaves them
//! among the replaced ones, which the next opening removes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use model::Timestamp;
use model::fact::{Actor, Body, Draft, FileSet, PurgedPart, RecordPart};
use model::id::CaseId;
use model::time::Date;
use model::{Digest, DomainName};
use tokio::sync::OwnedMutexGuard;

use super::compact::SETTLED;
use super::file::{self, Written};
use super::tables::{ContactRow, DailyNameRow, DailySourceRow, OutcomeRow, ROLL_UPS, RawRow, Row as _, VerdictRow};
use super::{Archive, blocking, manifest};
use crate::Error;
use crate::ledger::Appending;

mod day;
mod ids;
mod rewrite;
mod segments;
#[cfg(test)]
mod tests;
mod traces;

use day::Day;
pub use rewrite::cut;
pub use traces::{Trace, Traces};

/// Under which name files are written, and facts say who did it.
const PURGE: &str = "retention";

//----------- Due --------------------------------------------------------------------------------------------------

/// What is to go: a part of the records of a case.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Due {
    /// `None`: contacts that concern no case.
    pub case: Option<CaseId>,
    pub part: RecordPart,
    /// Of this seized name alone; then its roll-ups go as well.
    pub apex: Option<DomainName>,
    /// Received on this UTC day or later.
    pub from: Option<Date>,
    /// Received before this UTC day.
    pub before: Date,
}

impl Due {
    fn concerns(&self, day: Date) -> bool {
        day < self.before && self.from.is_none_or(|from| from <= day)
    }

    fn is_of(&self, case: Option<&str>, apex: Option<&str>) -> bool {
        let is_case = self.case.as_ref().map(CaseId::as_str) == case;
        is_case && self.apex.as_ref().is_none_or(|name| Some(name.as_str()) == apex)
    }

    /// How the mark says that it was done.
    fn what(&self) -> String {
        let case = self.case.as_ref().map_or("", CaseId::as_str);
        let apex = self.apex.as_ref().map_or("", DomainName::as_str);
        format!("{} {case} {apex}", self.part.as_str())
    }
}

/// A day that waits to be purged, and why it cannot be yet, if so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Waiting {
    pub day: Date,
    pub due: Vec<Due>,
    /// Files of it are not compacted for good yet.
    pub is_unsettled: bool,
}

/// What one piece of work did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Purged {
    pub day: Date,
    pub rows: u64,
    pub files_before: u64,
    pub files_after: u64,
}

//----------- Purging ----------------------------------------------------------------------------------------------

/// The right to destroy: nobody else does, and nobody copies.
pub struct Still(#[expect(dead_code, reason = "held for its lock")] OwnedMutexGuard<()>);

/// A day that is being purged; there is one at a time, and no compaction or backup beside it. Dropped before its commit it
/// changes nothing, and [`Purging::abandon`] leaves no file behind either.
pub struct Purging {
    archive: Archive,
    _turn: OwnedMutexGuard<()>,
    _still: Still,
    date: Date,
    due: Vec<Due>,
    files: Vec<Written>,
    queue: VecDeque<Written>,
    day: Box<Day>,
}

impl Archive {
    /// When everything that was due then had been purged.
    pub async fn last_retention_pass(&self) -> Result<Option<Timestamp>, Error> {
        manifest::last_pass(&self.inner.ledger).await
    }

    pub async fn set_retention_pass(&self, ended: Timestamp) -> Result<(), Error> {
        manifest::set_last_pass(&self.inner.ledger, ended).await
    }

    /// The days that hold something that is due and was not purged yet, the oldest first.
    pub async fn waiting(&self, due: &[Due]) -> Result<Vec<Waiting>, Error> {
        let files = manifest::listed(&self.inner.ledger).await?;
        let done = manifest::purged(&self.inner.ledger).await?;
        let mut days = BTreeMap::<Date, Vec<&Written>>::new();
        for file in &files {
            file.day.parse().into_iter().for_each(|day| days.entry(day).or_default().push(file));
        }
        let waiting = |(day, files): (Date, Vec<&Written>)| {
            let is_done = |one: &Due| done.contains(&(day.to_string(), one.what()));
            let due: BTreeSet<Due> = due.iter().filter(|one| one.concerns(day) && !is_done(one)).cloned().collect();
            let is_unsettled = files.iter().any(|file| file.level < SETTLED);
            (!due.is_empty()).then(|| Waiting { day, due: due.into_iter().collect(), is_unsettled })
        };
        Ok(days.into_iter().filter_map(waiting).collect())
    }

    /// Waits for a backup or another purge that is under way, and holds off others. What is due is to be asked after this:
    /// a hold may have been placed meanwhile.
    pub async fn still(&self) -> Still {
        Still(self.hold_still().lock_owned().await)
    }

    /// Begins the oldest day that holds something due and is settled. Waits for a compaction that is under way.
    pub async fn next_purge(&self, still: Still, due: &[Due]) -> Result<Option<Purging>, Error> {
        // In this order: a backup that copies for long must not hold up compaction.
        let turn = self.inner.compacting.clone().lock_owned().await;
        let waiting = self.waiting(due).await?;
        let Some(Waiting { day: date, due, .. }) = waiting.into_iter().find(|one| !one.is_unsettled) else {
            return Ok(None);
        };
        let next = date.tomorrow().map(|next| next.to_string()).unwrap_or_default();
        let of = |file: &Written| file.day == date.to_string() || (file.table == OutcomeRow::TABLE && file.day == next);
        let mut files = manifest::listed(&self.inner.ledger).await?;
        files.retain(of);
        let mut queue: Vec<Written> = files.clone();
        queue.retain(|file| file.table != DailySourceRow::TABLE);
        queue.sort_by_key(|file| order(&file.table));
        let name = self.name_of_file(PURGE);
        let name = name.trim_end_matches(".parquet").to_owned();
        let day = Day::new(self.inner.root.clone(), date, name, due.clone(), self.inner.limits.sources_held_max);
        let (archive, queue, day) = (self.clone(), queue.into(), Box::new(day));
        Ok(Some(Purging { archive, _turn: turn, _still: still, date, due, files, queue, day }))
    }
}

/// Contacts first: they say which ids go.
fn order(table: &str) -> usize {
    let tables = [ContactRow::TABLE, RawRow::TABLE, VerdictRow::TABLE, OutcomeRow::TABLE, DailyNameRow::TABLE];
    tables.iter().position(|known| *known == table).unwrap_or(tables.len())
}

impl Purging {
    pub fn day(&self) -> Date {
        self.date
    }

    /// What of it is purged.
    pub fn due(&self) -> &[Due] {
        &self.due
    }

    /// Does one file; `false` when everything is written and may be committed.
    pub async fn step(&mut self) -> Result<bool, Error> {
        let Some(file) = self.queue.pop_front() else {
            let sources: Vec<Written> =
                self.files.iter().filter(|file| file.table == DailySourceRow::TABLE).cloned().collect();
            return self.work(move |day| day.count_again(&sources)).await.map(|()| false);
        };
        self.work(move |day| day.take(&file)).await.map(|()| true)
    }

    async fn work(&mut self, work: impl FnOnce(&mut Day) -> Result<(), Error> + Send + 'static) -> Result<(), Error> {
        let nothing = Day::new(Default::default(), self.date, String::new(), Vec::new(), 0);
        let mut day = std::mem::replace(&mut self.day, Box::new(nothing));
        let (day, done) = blocking(move || {
            let done = work(&mut day);
            Ok((day, done))
        })
        .await?;
        self.day = day;
        done
    }

    /// Makes it count, in one transaction, when nobody reads.
    pub async fn commit(self, now: Timestamp) -> Result<Purged, Error> {
        let Self { archive, date, due, files, day, .. } = self;
        let Day { replaced, written, rows, .. } = *day;
        let (before, after) = sets(&archive, &replaced, &written).await?;
        let _alone = archive.inner.reading.write().await;
        let (root, shown) = (archive.inner.root.clone(), written.clone());
        blocking(move || file::show(&root, &shown)).await?;
        let mut transaction = archive.inner.ledger.begin().await?;
        let mut are_counts_stale = false;
        for file in &replaced {
            let counted = manifest::replace(&mut transaction, &file.path, now).await?;
            are_counts_stale |= !counted && ROLL_UPS.contains(&file.table.as_str());
        }
        for file in &written {
            // Something came for the day meanwhile, and its counts were dropped: these are as old.
            if are_counts_stale && ROLL_UPS.contains(&file.table.as_str()) {
                manifest::set_replaced(&mut transaction, &file.path, now).await?;
            } else {
                manifest::insert(&mut transaction, PURGE, file, now).await?;
            }
        }
        let known: Vec<Written> = files.iter().filter(|file| file.day == date.to_string()).cloned().collect();
        let gone = replaced.iter().filter(|file| file.day == date.to_string()).count();
        let here = known.len() - gone + written.iter().filter(|file| file.day == date.to_string()).count();
        // What came meanwhile was not looked at.
        if manifest::count_of_day(&mut transaction, &date.to_string()).await? == here {
            for one in &due {
                manifest::mark_purged(&mut transaction, &date.to_string(), &one.what()).await?;
            }
        }
        let mut appending = Appending::begin(&mut transaction).await?;
        appending.add(facts(date, &due, &rows, &before, &after), now)?;
        let next = appending.finish(&mut transaction, &archive.inner.ledger).await?;
        archive.inner.ledger.commit(transaction, next).await?;
        archive.sweep().await?;
        let (files_before, files_after) = (before.files, after.files);
        Ok(Purged { day: date, rows: rows.iter().sum(), files_before, files_after })
    }

    /// Removes what it has written so far.
    pub async fn abandon(self) -> Result<(), Error> {
        let (root, written) = (self.archive.inner.root.clone(), self.day.written);
        let written: Vec<_> = written.iter().map(|file| file::beside(&file.path)).collect();
        blocking(move || file::remove(&root, &written)).await
    }
}

/// A fact for each case of which something went.
fn facts(day: Date, due: &[Due], rows: &[u64], before: &FileSet, after: &FileSet) -> Vec<Draft> {
    let mut parts = BTreeMap::<Option<&CaseId>, Vec<PurgedPart>>::new();
    for (one, rows) in due.iter().zip(rows).filter(|(_, rows)| **rows > 0) {
        let part = PurgedPart { part: one.part, apex: one.apex.clone(), rows: *rows };
        parts.entry(one.case.as_ref()).or_default().push(part);
    }
    let draft = |(case, parts): (Option<&CaseId>, Vec<PurgedPart>)| {
        let (before, after) = (before.clone(), after.clone());
        let body = Body::Purged { case: case.cloned(), day, parts, before, after };
        Draft::new(Actor::Room { name: PURGE.into() }, body)
    };
    parts.into_iter().map(draft).collect()
}

/// What the files were, and what they are.
pub(super) async fn sets(
    archive: &Archive,
    replaced: &[Written],
    written: &[Written],
) -> Result<(FileSet, FileSet), Error> {
    let (root, replaced, written) = (archive.inner.root.clone(), replaced.to_vec(), written.to_vec());
    blocking(move || {
        let set = |files: &[Written], is_shown: bool| {
            let digest = |file: &Written| -> Result<(String, u64, Digest), Error> {
                let path = if is_shown { file.path.clone() } else { file::beside(&file.path) };
                Ok((file.path.to_string_lossy().into_owned(), file.bytes, crate::journal::digest_of(&root.join(path))?))
            };
            let all = files.iter().map(digest).collect::<Result<Vec<_>, Error>>()?;
            Ok(FileSet::of(all.iter().map(|(name, octets, digest)| (name.as_str(), *octets, *digest))))
        };
        Ok((set(&replaced, true)?, set(&written, false)?))
    })
    .await
}
