//! The archive: what was understood, in Parquet files by day, which any tool can read.
//!
//! ```text
//! DATA/archive/contacts/day=2019-03-27/<follower>-<boot>-<n>.parquet     as received, cell by cell
//!             /raw/…  /outcomes/…  /verdicts/…                           bytes · what followed · who it was
//! ```
//!
//! A batch is committed in this order: files synced, renamed, folders synced; then **one** SQLite transaction with
//! their manifest rows, the follower's cursor and the facts that were learned. A crash before it leaves files without
//! a row: the next opening moves those to quarantine and names them, and the follower reads the same stretch of the
//! journal again. A crash after it leaves nothing to do. So nothing is lost and nothing is there twice.
//!
//! A sighting is contact ⟕ outcome ⟕ the last verdict. Feeds read sightings by the Parquet reader; people ask in SQL
//! (feature `query`). What is deliberately absent: compaction, retention and other generations' bookkeeping.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::Timestamp;
use model::fact::{Draft, Fact};
use model::id::Boot;
use model::time::to_nanos;
use serde::{Deserialize, Serialize};
use sqlx::{Row as _, SqliteConnection};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::Error;
use crate::folder::{DataFolder, make_folder};
use crate::journal::Cursor;
use crate::ledger::{self, Ledger};
use crate::report::{Dialect, Report, ReportAnswer};

mod cell;
mod file;
mod query;
mod rows;
mod sighting;
mod tables;
#[cfg(test)]
mod tests;

pub use file::each_cell;
pub use query::{QUERIES_MAX, QUERY_MEMORY_MAX, QUERY_OCTETS_MAX, QUERY_ROWS_MAX, QUERY_TIME_MAX, QueryAnswer, Sight};
pub use rows::name_text;
pub use sighting::{Sighting, SightingFilter};
pub use tables::{ContactRow, OutcomeRow, RawRow, VerdictRow};

use file::Written;
use query::QueryLimits;
use tables::TABLES;

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
}

/// What the archive holds of a table.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct TableTally {
    pub files: u64,
    pub rows: u64,
    pub bytes: u64,
}

/// The archive of a data folder; clones are the same archive.
#[derive(Clone)]
pub struct Archive {
    inner: Arc<Inner>,
}

struct Inner {
    root: PathBuf,
    boot: Boot,
    ledger: Ledger,
    next_file: AtomicU64,
    orphans: Vec<PathBuf>,
    queries: Arc<Semaphore>,
}

impl Archive {
    /// Opens the archive, and puts files without a manifest row into quarantine.
    pub async fn open(folder: &DataFolder, ledger: &Ledger) -> Result<Self, Error> {
        let root = folder.path().join("archive");
        for table in TABLES {
            make_folder(&root.join(table))?;
        }
        let known = listed(ledger).await?;
        let orphans = file::set_orphans_aside(&root, &folder.quarantine(), &known)?;
        for orphan in &orphans {
            tracing::warn!(target: "bailiwick_store", file = %orphan.display(), "an archive file without a manifest row is in quarantine now");
        }
        let (boot, ledger) = (folder.boot(), ledger.clone());
        let (next_file, queries) = (AtomicU64::new(0), Arc::new(Semaphore::new(QUERIES_MAX)));
        Ok(Self { inner: Arc::new(Inner { root, boot, ledger, next_file, orphans, queries }) })
    }

    /// What the opening put into quarantine, where it lies now.
    pub fn orphans(&self) -> &[PathBuf] {
        &self.inner.orphans
    }

    /// Commits a batch: rows, cursor and facts, all or none. `follower` is a short word of the caller's own.
    pub async fn commit(&self, follower: &str, batch: ArchiveBatch, now: Timestamp) -> Result<Vec<Fact>, Error> {
        let ArchiveBatch { contacts, outcomes, verdicts, cursor, facts } = batch;
        let written = self.write(follower, contacts, outcomes, verdicts, now).await?;
        let mut transaction = self.inner.ledger.begin().await?;
        for file in &written {
            insert_file(&mut transaction, follower, file, now).await?;
        }
        save_cursor(&mut transaction, follower, &cursor).await?;
        let facts = ledger::insert_facts(&mut transaction, facts, now).await?;
        self.inner.ledger.commit(transaction, &facts).await?;
        Ok(facts)
    }

    /// How far a follower has come; the beginning for one that is new.
    pub async fn cursor(&self, follower: &str) -> Result<Cursor, Error> {
        let place = sqlx::query_scalar::<_, String>("SELECT place FROM cursors WHERE follower = $1")
            .bind(follower)
            .fetch_optional(self.inner.ledger.pool())
            .await
            .map_err(Error::database("reading a cursor"))?;
        let parse = |place: String| serde_json::from_str(&place).map_err(Error::archive("reading a cursor"));
        place.map(parse).transpose().map(Option::unwrap_or_default)
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
        let mut files = self.files().await?;
        let tables: &[&str] = if report.needs_verdicts() { &["contacts", "verdicts"] } else { &["contacts"] };
        let may_have = |file: &Written| file.day.parse().map_or(true, |day| report.may_have(day));
        files.retain(|file| tables.contains(&file.table.as_str()) && may_have(file));
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

    /// By table: `contacts`, `raw`, `outcomes`, `verdicts`.
    pub async fn tallies(&self) -> Result<BTreeMap<String, TableTally>, Error> {
        let mut tallies: BTreeMap<String, TableTally> =
            TABLES.into_iter().map(|table| (table.to_owned(), TableTally::default())).collect();
        for file in self.files().await? {
            let tally = tallies.entry(file.table).or_default();
            tally.files += 1;
            tally.rows += file.rows;
            tally.bytes += file.bytes;
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
        let number = self.inner.next_file.fetch_add(1, Ordering::Relaxed);
        let name = format!("{follower}-{:08x}-{number:08x}.parquet", self.inner.boot.0);
        let root = self.inner.root.clone();
        verdicts.iter_mut().for_each(|verdict| verdict.judged = now);
        let write = move || {
            let raw = contacts.iter_mut().flat_map(|contact| std::mem::take(&mut contact.raw)).collect::<Vec<_>>();
            let mut written = file::write_by_day(&root, &name, contacts)?;
            written.extend(file::write_by_day(&root, &name, raw)?);
            written.extend(file::write_by_day(&root, &name, outcomes)?);
            written.extend(file::write_by_day(&root, &name, verdicts)?);
            Ok(written)
        };
        spawn_blocking(write).await.map_err(Error::archive("writing a batch"))?
    }

    async fn files(&self) -> Result<Vec<Written>, Error> {
        listed(&self.inner.ledger).await
    }
}

//----------- The manifest -----------------------------------------------------------------------------------------

/// Every file that counts, in order of commit.
async fn listed(ledger: &Ledger) -> Result<Vec<Written>, Error> {
    let rows = sqlx::query("SELECT path, tab, day, row_count, bytes FROM archive_files ORDER BY rowid")
        .fetch_all(ledger.pool())
        .await
        .map_err(Error::database("reading the archive's manifest"))?;
    let written = |row: &sqlx::sqlite::SqliteRow| Written {
        path: Path::new(row.get::<&str, _>("path")).to_owned(),
        table: row.get("tab"),
        day: row.get("day"),
        rows: row.get::<i64, _>("row_count").cast_unsigned(),
        bytes: row.get::<i64, _>("bytes").cast_unsigned(),
    };
    Ok(rows.iter().map(written).collect())
}

async fn insert_file(
    connection: &mut SqliteConnection,
    follower: &str,
    file: &Written,
    now: Timestamp,
) -> Result<(), Error> {
    let insert = "INSERT INTO archive_files (path, tab, day, row_count, bytes, follower, committed)
                  VALUES ($1, $2, $3, $4, $5, $6, $7)";
    sqlx::query(insert)
        .bind(file.path.to_string_lossy().into_owned())
        .bind(&file.table)
        .bind(&file.day)
        .bind(file.rows.cast_signed())
        .bind(file.bytes.cast_signed())
        .bind(follower)
        .bind(to_nanos(now))
        .execute(connection)
        .await
        .map_err(Error::database("adding to the archive's manifest"))?;
    Ok(())
}

async fn save_cursor(connection: &mut SqliteConnection, follower: &str, cursor: &Cursor) -> Result<(), Error> {
    let place = serde_json::to_string(cursor).map_err(Error::archive("writing a cursor"))?;
    let upsert = "INSERT INTO cursors (follower, place) VALUES ($1, $2)
                  ON CONFLICT (follower) DO UPDATE SET place = excluded.place";
    let saved = sqlx::query(upsert).bind(follower).bind(place).execute(connection).await;
    saved.map_err(Error::database("moving a cursor")).map(|_| ())
}
