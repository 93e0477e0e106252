//! The archive: what was understood, in Parquet files by day, which any tool can read.
//!
//! ```text
//! DATA/archive/contacts/day=2019-03-27/<follower>-<boot>-<n>.parquet     as received, cell by cell
//!             /raw/…  /outcomes/…  /verdicts/…                           bytes · what followed · who it was
//!             /daily_names/…  /daily_sources/…                           whole days, counted
//! ```
//!
//! A batch is committed in this order: files synced, renamed, folders synced; then **one** transaction with
//! their manifest rows, the follower's cursor and the facts that were learned. A crash before it leaves files without
//! a row: the next opening moves those to quarantine and names them, and the follower reads the same stretch of the
//! journal again. A crash after it leaves nothing to do. So nothing is lost and nothing is there twice.
//!
//! A sighting is contact ⟕ outcome ⟕ the last verdict. Feeds read sightings by the Parquet reader; people ask in SQL
//! (feature `query`). Small files become long ones in [`compact`]; what is not kept any longer goes in [`purge`], verdicts that do not
//! count any more in [`retire`]. What is deliberately absent: for how long what is kept (room `docket`).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::Timestamp;
use model::fact::{Draft, Fact};
use model::id::{Boot, SensorId};
use model::time::Date;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, OwnedRwLockReadGuard, RwLock, Semaphore};
use tokio::task::spawn_blocking;

use crate::Error;
use crate::db::Transaction;
use crate::folder::{DataFolder, make_folder};
use crate::journal::Cursor;
use crate::ledger::{Appending, Ledger};
use crate::report::{Dialect, Report, ReportAnswer};
use crate::sensors::{LanePlace, Received, save_place};

mod cell;
mod compact;
mod encoding;
mod file;
mod manifest;
mod merge;
mod outbox;
mod purge;
mod query;
mod retire;
mod rollup;
mod rows;
mod sighting;
pub(crate) mod tables;
#[cfg(test)]
pub(crate) mod tests;

pub use compact::{CompactLimits, Compacted, Compaction};
pub use file::each_cell;
pub use outbox::Outbox;
pub(crate) use outbox::Segment;
pub use purge::{Due, Purged, Purging, Still, Trace, Traces, Waiting, cut};
pub use query::{QUERIES_MAX, QUERY_MEMORY_MAX, QUERY_OCTETS_MAX, QUERY_ROWS_MAX, QUERY_TIME_MAX, QueryAnswer, Sight};
pub use retire::Retired;
pub use rows::name_text;
pub use sighting::{Sighting, SightingFilter};
pub use tables::{ContactRow, DailyNameRow, DailySourceRow, OutcomeRow, RawRow, VerdictRow};

use file::Written;
use query::QueryLimits;
use tables::{Row as _, TABLES};

//----------- Archive ----------------------------------------------------------------------------------------------

/// What a follower made of a stretch of the journal.
#[derive(Clone, Debug, Default)]
pub struct ArchiveBatch {
    pub contacts: Vec<ContactRow>,
    pub outcomes: Vec<OutcomeRow>,
    pub verdicts: Vec<VerdictRow>,
    /// How far the follower has read with this batch.
    pub cursor: Cursor,
    pub facts: Vec<Draft>,
    /// How far it has read what sensors sent.
    pub received: Vec<LanePlace>,
}

/// Files that do not count yet.
#[derive(Debug)]
pub struct Staged {
    follower: &'static str,
    files: Vec<Written>,
}

impl Staged {
    /// `follower` is a short word of the caller's own.
    pub fn new(follower: &'static str) -> Self {
        Self { follower, files: Vec::new() }
    }
}

/// What the archive holds of a table.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct TableTally {
    pub files: u64,
    pub rows: u64,
    pub bytes: u64,
    /// Files that wait for compaction.
    #[serde(default)]
    pub waiting: u64,
}

/// The files that count, held in their places.
struct Listed {
    files: Vec<Written>,
    _reading: OwnedRwLockReadGuard<()>,
}

impl Deref for Listed {
    type Target = [Written];

    fn deref(&self) -> &[Written] {
        &self.files
    }
}

/// The archive of a data folder; clones are the same archive.
#[derive(Clone)]
pub struct Archive {
    inner: Arc<Inner>,
}

struct Inner {
    root: PathBuf,
    outbox: PathBuf,
    sensor: SensorId,
    boot: Boot,
    ledger: Ledger,
    next_file: AtomicU64,
    orphans: Vec<PathBuf>,
    queries: Arc<Semaphore>,
    /// Held by whoever reads files, and alone by a compaction while it puts others in their place.
    reading: Arc<RwLock<()>>,
    /// Held by the compaction that is under way.
    compacting: Arc<Mutex<()>>,
    /// Held by whoever copies the memory or destroys some of it: not both at once.
    still: Arc<Mutex<()>>,
    limits: CompactLimits,
    /// Where each follower stood when it was last asked or moved, as it is stored.
    places: std::sync::Mutex<BTreeMap<String, Option<String>>>,
    received: Received,
}

impl Archive {
    /// Opens the archive, and puts files without a manifest row into quarantine.
    pub async fn open(folder: &DataFolder, ledger: &Ledger) -> Result<Self, Error> {
        Self::open_with(folder, ledger, CompactLimits::default()).await
    }

    /// The same, with other limits of compaction than the usual ones.
    pub async fn open_with(folder: &DataFolder, ledger: &Ledger, limits: CompactLimits) -> Result<Self, Error> {
        let root = folder.path().join("archive");
        for table in TABLES {
            make_folder(&root.join(table))?;
        }
        let outbox = folder.path().join(outbox::FOLDER);
        make_folder(&outbox)?;
        outbox::tidy(&root, &outbox, ledger).await?;
        // Replaced files that a crash left are no orphans: other files stand for them.
        let replaced = manifest::replaced(ledger).await?;
        file::remove(&root, &replaced)?;
        manifest::forget_replaced(ledger, &replaced).await?;
        let known = manifest::listed(ledger).await?;
        let orphans = file::set_orphans_aside(&root, &folder.quarantine(), &known)?;
        for orphan in &orphans {
            tracing::warn!(target: "bailiwick_store", file = %orphan.display(), "an archive file without a manifest row is in quarantine now");
        }
        let received = Received::open(folder, ledger)?;
        let (sensor, boot, ledger) = (folder.sensor(), folder.boot(), ledger.clone());
        let (next_file, queries) = (AtomicU64::new(0), Arc::new(Semaphore::new(QUERIES_MAX)));
        let (reading, compacting, still, places) = Default::default();
        let inner = Inner {
            root,
            outbox,
            sensor,
            boot,
            ledger,
            next_file,
            orphans,
            queries,
            reading,
            compacting,
            still,
            limits,
            places,
            received,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What sensors have sent.
    pub fn received(&self) -> &Received {
        &self.inner.received
    }

    /// What the opening put into quarantine, where it lies now.
    pub fn orphans(&self) -> &[PathBuf] {
        &self.inner.orphans
    }

    /// Commits a batch: rows, cursor and facts, all or none. `follower` is a short word of the caller's own.
    pub async fn commit(&self, follower: &str, batch: ArchiveBatch, now: Timestamp) -> Result<Vec<Fact>, Error> {
        let ArchiveBatch { contacts, outcomes, verdicts, cursor, facts, received } = batch;
        let written = self.write(follower, contacts, outcomes, verdicts, now).await?;
        let mut transaction = self.inner.ledger.begin().await?;
        for file in &written {
            manifest::insert(&mut transaction, follower, file, now).await?;
            manifest::forget_purged(&mut transaction, &file.day).await?;
            if file.table == ContactRow::TABLE {
                manifest::drop_roll_ups(&mut transaction, &file.day, now).await?;
            }
        }
        self.enter(&mut transaction, &written, now).await?;
        let (known, place) = (self.known_place(follower), manifest::write_place(&cursor)?);
        manifest::move_cursor(&mut transaction, follower, known.as_ref(), &place).await?;
        for place in &received {
            save_place(&mut transaction, place).await?;
        }
        let facts = self.commit_with(transaction, facts, now).await?;
        self.know_place(follower, Some(place));
        Ok(facts)
    }

    async fn commit_with(
        &self,
        mut transaction: Transaction,
        facts: Vec<Draft>,
        now: Timestamp,
    ) -> Result<Vec<Fact>, Error> {
        let mut appending = Appending::begin(&mut transaction).await?;
        let facts = appending.add(facts, now)?;
        let next = appending.finish(&mut transaction, &self.inner.ledger).await?;
        self.inner.ledger.commit(transaction, next).await?;
        Ok(facts)
    }

    /// Writes verdicts that nobody sees before the [`switch`](Self::switch).
    pub async fn stage(&self, staged: &mut Staged, verdicts: Vec<VerdictRow>, now: Timestamp) -> Result<(), Error> {
        staged.files.extend(self.write(staged.follower, vec![], vec![], verdicts, now).await?);
        Ok(())
    }

    /// Lets go of what was staged for days of which this does not hold; the number of its rows.
    pub async fn unstage(&self, staged: &mut Staged, is_kept: impl Fn(Date) -> bool) -> Result<u64, Error> {
        let is_kept = |file: &Written| file.day.parse().is_ok_and(&is_kept);
        let (kept, gone): (Vec<_>, Vec<_>) = std::mem::take(&mut staged.files).into_iter().partition(is_kept);
        staged.files = kept;
        let (root, paths) = (self.inner.root.clone(), gone.iter().map(|file| file.path.clone()).collect::<Vec<_>>());
        blocking(move || file::remove(&root, &paths)).await?;
        Ok(gone.iter().map(|file| file.rows).sum())
    }

    /// From here on what was staged counts, all of it, and the fact says so.
    pub async fn switch(&self, staged: Staged, fact: Draft, now: Timestamp) -> Result<(), Error> {
        let mut transaction = self.inner.ledger.begin().await?;
        for file in &staged.files {
            manifest::insert(&mut transaction, staged.follower, file, now).await?;
            manifest::forget_purged(&mut transaction, &file.day).await?;
        }
        self.enter(&mut transaction, &staged.files, now).await?;
        self.commit_with(transaction, vec![fact], now).await.map(|_| ())
    }

    /// How far a follower has come; the beginning for one that is new.
    pub async fn cursor(&self, follower: &str) -> Result<Cursor, Error> {
        let place = manifest::place(&self.inner.ledger, follower).await?;
        let cursor = manifest::read_place(place.as_deref())?;
        self.know_place(follower, place);
        Ok(cursor)
    }

    fn known_place(&self, follower: &str) -> Option<Option<String>> {
        self.inner.places.lock().expect("nothing panics while it holds the places").get(follower).cloned()
    }

    fn know_place(&self, follower: &str, place: Option<String>) {
        self.inner.places.lock().expect("nothing panics while it holds the places").insert(follower.to_owned(), place);
    }

    /// Contacts with what followed and the last verdict, in order of (received, id).
    pub async fn sightings(&self, filter: &SightingFilter) -> Result<Vec<Sighting>, Error> {
        let files = self.files().await?;
        let (root, filter) = (self.inner.root.clone(), filter.clone());
        let join = move || sighting::join(&root, &files, &filter);
        spawn_blocking(join).await.map_err(Error::archive("joining sightings"))?
    }

    /// One SELECT over the views `contacts`, `raw`, `outcomes`, `verdicts`, `sightings`, by somebody who may see all
    /// of them. Without the feature `query` every question is refused.
    pub async fn query(&self, sql: &str) -> Result<QueryAnswer, Error> {
        self.query_within(sql, &Sight::default()).await
    }

    /// The same for somebody who may not see every case.
    pub async fn query_within(&self, sql: &str, sight: &Sight) -> Result<QueryAnswer, Error> {
        self.ask(&self.files().await?, sql, sight, QueryLimits::default()).await
    }

    /// The rows of a report. Only the days of its window are opened, and only the tables that it takes.
    pub async fn report(&self, report: &Report, sight: &Sight) -> Result<ReportAnswer, Error> {
        let listed = self.files().await?;
        let tables: &[&str] = if report.needs_verdicts() { &["contacts", "verdicts"] } else { &["contacts"] };
        let may_have = |file: &Written| file.day.parse().map_or(true, |day| report.may_have(day));
        let is_wanted = |file: &&Written| tables.contains(&file.table.as_str()) && may_have(file);
        let files: Vec<Written> = listed.iter().filter(is_wanted).cloned().collect();
        let (sql, limits) = (report.with_one_more().to_sql(Dialect::DataFusion), QueryLimits::for_reports());
        let answer = self.ask(&files, &sql, sight, limits).await?;
        report.read(&answer)
    }

    async fn ask(
        &self,
        files: &[Written],
        sql: &str,
        sight: &Sight,
        limits: QueryLimits,
    ) -> Result<QueryAnswer, Error> {
        let busy = |_| Error::Query(format!("{QUERIES_MAX} others are being answered; ask again in a minute"));
        let turn = Arc::clone(&self.inner.queries).try_acquire_owned().map_err(busy)?;
        query::answer(&self.inner.root, files, query::Question { sql, sight, limits }, turn).await
    }

    /// The days of which `daily_names` and `daily_sources` hold everything.
    pub async fn days_rolled_up(&self) -> Result<BTreeSet<Date>, Error> {
        let files = self.files().await?;
        let rolled_up = files.iter().filter(|file| file.table == DailyNameRow::TABLE);
        Ok(rolled_up.filter_map(|file| file.day.parse().ok()).collect())
    }

    /// The rows of `daily_names` of a day; none for a day that is not rolled up.
    pub async fn daily_names(&self, day: Date) -> Result<Vec<DailyNameRow>, Error> {
        self.rows_of(day).await
    }

    /// The rows of `daily_sources` of a day; none for a day that is not rolled up.
    pub async fn daily_sources(&self, day: Date) -> Result<Vec<DailySourceRow>, Error> {
        self.rows_of(day).await
    }

    async fn rows_of<R: tables::Row + Send + 'static>(&self, day: Date) -> Result<Vec<R>, Error> {
        let (root, files) = (self.inner.root.clone(), self.files().await?);
        blocking(move || {
            let mut rows = Vec::new();
            let of_day = files.iter().filter(|file| file.table == R::TABLE && file.day == day.to_string());
            of_day.into_iter().try_for_each(|file| file::read(&root, file, &mut |row| rows.push(row)))?;
            Ok(rows)
        })
        .await
    }

    /// By table, roll-ups among them.
    pub async fn tallies(&self) -> Result<BTreeMap<String, TableTally>, Error> {
        let mut tallies: BTreeMap<String, TableTally> =
            TABLES.into_iter().map(|table| (table.to_owned(), TableTally::default())).collect();
        for file in manifest::listed(&self.inner.ledger).await? {
            let tally = tallies.entry(file.table).or_default();
            tally.files += 1;
            tally.rows += file.rows;
            tally.bytes += file.bytes;
            tally.waiting += u64::from(file.level < compact::SETTLED);
        }
        Ok(tallies)
    }

    async fn write(
        &self,
        follower: &str,
        mut contacts: Vec<ContactRow>,
        outcomes: Vec<OutcomeRow>,
        mut verdicts: Vec<VerdictRow>,
        now: Timestamp,
    ) -> Result<Vec<Written>, Error> {
        let name = self.name_of_file(follower);
        let root = self.inner.root.clone();
        verdicts.iter_mut().for_each(|verdict| verdict.judged = now);
        let write = move || {
            let raw = contacts.iter_mut().flat_map(|contact| std::mem::take(&mut contact.raw)).collect::<Vec<_>>();
            let mut written = file::write_by_day(&root, &name, &contacts)?;
            written.extend(file::write_by_day(&root, &name, &raw)?);
            written.extend(file::write_by_day(&root, &name, &outcomes)?);
            written.extend(file::write_by_day(&root, &name, &verdicts)?);
            Ok(written)
        };
        blocking(write).await
    }

    fn name_of_file(&self, follower: &str) -> String {
        let number = self.inner.next_file.fetch_add(1, Ordering::Relaxed);
        format!("{follower}-{:08x}-{number:08x}.parquet", self.inner.boot.0)
    }

    /// Whoever holds it alone knows that nothing is purged, and no other backup taken, meanwhile.
    pub(crate) fn hold_still(&self) -> Arc<Mutex<()>> {
        Arc::clone(&self.inner.still)
    }

    /// No file is removed as long as this is held.
    pub(crate) async fn hold_files(&self) -> OwnedRwLockReadGuard<()> {
        Arc::clone(&self.inner.reading).read_owned().await
    }

    /// The files that count. They stay where they are as long as the list is held.
    async fn files(&self) -> Result<Listed, Error> {
        let reading = self.hold_files().await;
        Ok(Listed { files: manifest::listed(&self.inner.ledger).await?, _reading: reading })
    }
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    spawn_blocking(work).await.map_err(Error::archive("working on files"))?
}
