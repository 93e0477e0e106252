//! The outbox: what the archive has committed and ClickHouse has not acknowledged.
//!
//! A file of the archive enters it in the transaction in which it begins to count, under a second name in `DATA/outbox`
//! (a hard link: no octet is copied), so that compaction may replace the file and nobody waits for anybody. It leaves
//! when it was acknowledged, and only then. Roll-ups never enter: they are counted anew there.
//!
//! Whoever begins ([`Archive::begin_shipping`]) has everything enter that counts at that moment, and everything that
//! comes later enters by itself, in whatever process, until the end of the folder: turning ClickHouse off for a week
//! leaves no gap, only a longer outbox.

use std::fs;
use std::path::{Path, PathBuf};

use model::Timestamp;
use model::time::{from_nanos, to_nanos};
use serde::{Deserialize, Serialize};

use super::file::Written;
use super::tables::ROLL_UPS;
use super::{Archive, blocking, manifest};
use crate::Error;
use crate::db::{Row, Transaction, query};
use crate::folder::sync_folder;
use crate::ledger::Ledger;

/// The folder within the data folder.
pub(super) const FOLDER: &str = "outbox";

/// A file that waits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Segment {
    id: i64,
    pub(crate) path: PathBuf,
    pub(crate) table: String,
    pub(crate) rows: u64,
    pub(crate) blocks_done: u64,
}

/// What came in, what went out, what waits, since shipping began.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Outbox {
    pub since: Option<Timestamp>,
    pub segments_in: u64,
    pub rows_in: u64,
    pub segments_out: u64,
    pub rows_out: u64,
    pub segments_waiting: u64,
    pub rows_waiting: u64,
    pub bytes_waiting: u64,
    /// When the segment that waits longest was committed.
    pub oldest: Option<Timestamp>,
}

impl Archive {
    /// From now on everything that counts goes to ClickHouse, too, what is here already first. Once is enough; again it
    /// changes nothing.
    pub async fn begin_shipping(&self, now: Timestamp) -> Result<(), Error> {
        // Held, so that no compaction takes away what is being linked.
        let _held = self.files().await?;
        let mut transaction = self.inner.ledger.begin().await?;
        if is_begun(&mut transaction).await? {
            return Ok(());
        }
        let insert = "INSERT INTO outbox_head (id, since, segments_in, rows_in, segments_out, rows_out)
                      VALUES (0, $1, 0, 0, 0, 0)";
        transaction.execute(query(insert).bind(to_nanos(now)), "beginning to ship").await?;
        // Within the transaction: nothing is committed between this list and the row above.
        let listed = manifest::listed_in(&mut transaction).await?;
        self.enter_all(&mut transaction, &listed, now).await?;
        transaction.commit().await
    }

    /// Enters files that are about to count, if anybody ships.
    pub(super) async fn enter(
        &self,
        transaction: &mut Transaction,
        files: &[Written],
        now: Timestamp,
    ) -> Result<(), Error> {
        if !files.is_empty() && is_begun(transaction).await? {
            self.enter_all(transaction, files, now).await
        } else {
            Ok(())
        }
    }

    async fn enter_all(&self, transaction: &mut Transaction, files: &[Written], now: Timestamp) -> Result<(), Error> {
        let wanted = |file: &&Written| !ROLL_UPS.contains(&file.table.as_str()) && file.rows > 0;
        let files: Vec<&Written> = files.iter().filter(wanted).collect();
        let names: Vec<(PathBuf, PathBuf)> = files
            .iter()
            .map(|file| (self.inner.root.join(&file.path), self.inner.outbox.join(flat(&file.path))))
            .collect();
        let outbox = self.inner.outbox.clone();
        blocking(move || link(&names, &outbox)).await?;
        for file in &files {
            insert(transaction, file, now).await?;
        }
        let rows: u64 = files.iter().map(|file| file.rows).sum();
        let add = "UPDATE outbox_head SET segments_in = segments_in + $1, rows_in = rows_in + $2 WHERE id = 0";
        let add = query(add).bind(signed(files.len() as u64)).bind(signed(rows));
        transaction.execute(add, "counting what enters the outbox").await.map(|_| ())
    }

    /// The segment that waits longest.
    pub(crate) async fn next_segment(&self) -> Result<Option<Segment>, Error> {
        let select = "SELECT id, path, tab, row_count, blocks_done FROM outbox_segments ORDER BY id LIMIT 1";
        let row = self.inner.ledger.db().first(query(select), LOOKING).await?;
        Ok(row.map(|row| Segment {
            id: row.number("id"),
            path: self.inner.outbox.join(row.text("path")),
            table: row.text("tab").to_owned(),
            rows: count(&row, "row_count"),
            blocks_done: count(&row, "blocks_done"),
        }))
    }

    /// So many blocks of it are acknowledged.
    pub(crate) async fn block_shipped(&self, segment: &Segment, blocks: u64) -> Result<(), Error> {
        let mut transaction = self.inner.ledger.begin().await?;
        let update = query("UPDATE outbox_segments SET blocks_done = $1 WHERE id = $2");
        transaction.execute(update.bind(signed(blocks)).bind(segment.id), "noting a block that was shipped").await?;
        transaction.commit().await
    }

    /// All of it is acknowledged: its row goes, then its second name.
    pub(crate) async fn segment_shipped(&self, segment: &Segment) -> Result<(), Error> {
        let mut transaction = self.inner.ledger.begin().await?;
        let delete = query("DELETE FROM outbox_segments WHERE id = $1").bind(segment.id);
        if transaction.execute(delete, "emptying the outbox").await? == 1 {
            let add = "UPDATE outbox_head SET segments_out = segments_out + 1, rows_out = rows_out + $1 WHERE id = 0";
            transaction.execute(query(add).bind(signed(segment.rows)), "counting what leaves the outbox").await?;
        }
        transaction.commit().await?;
        let path = segment.path.clone();
        blocking(move || fs::remove_file(&path).map_err(Error::io("removing", &path))).await
    }

    /// How the outbox stands; `None` where nobody ever shipped.
    pub async fn outbox(&self) -> Result<Option<Outbox>, Error> {
        let (db, counting) = (self.inner.ledger.db(), "counting the outbox");
        let head = query("SELECT since, segments_in, rows_in, segments_out, rows_out FROM outbox_head");
        let Some(head) = db.first(head, counting).await? else { return Ok(None) };
        let waits = "SELECT count(*) AS n, CAST(coalesce(sum(row_count), 0) AS bigint) AS row_sum,
                     CAST(coalesce(sum(bytes), 0) AS bigint) AS byte_sum, coalesce(min(queued), -1) AS oldest
                     FROM outbox_segments";
        let Some(waits) = db.first(query(waits), counting).await? else { return Ok(None) };
        Ok(Some(Outbox {
            since: Some(from_nanos(head.number("since"))),
            segments_in: count(&head, "segments_in"),
            rows_in: count(&head, "rows_in"),
            segments_out: count(&head, "segments_out"),
            rows_out: count(&head, "rows_out"),
            segments_waiting: count(&waits, "n"),
            rows_waiting: count(&waits, "row_sum"),
            bytes_waiting: count(&waits, "byte_sum"),
            oldest: Some(waits.number("oldest")).filter(|nanos| *nanos >= 0).map(from_nanos),
        }))
    }
}

/// Files without a row go: what they hold is shipped already, or lies in the archive or its quarantine under the other
/// name. A row without a file (a copy of the data folder without its outbox) gets it back from the archive, if it is there.
pub(super) async fn tidy(root: &Path, folder: &Path, ledger: &Ledger) -> Result<(), Error> {
    let rows = ledger.db().all(query("SELECT path FROM outbox_segments"), LOOKING).await?;
    let known: std::collections::HashSet<&str> = rows.iter().map(|row| row.text("path")).collect();
    for entry in fs::read_dir(folder).map_err(Error::io("listing", folder))? {
        let path = entry.map_err(Error::io("listing", folder))?.path();
        let is_known = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| known.contains(name));
        if !is_known {
            fs::remove_file(&path).map_err(Error::io("removing", &path))?;
        }
    }
    for file in manifest::listed(ledger).await? {
        let (name, second) = (flat(&file.path), folder.join(flat(&file.path)));
        if known.contains(name.as_str()) && !second.exists() {
            second_name(&root.join(&file.path), &second)?;
        }
    }
    for name in known.iter().filter(|name| !folder.join(name).exists()) {
        give_up(ledger, name).await?;
    }
    sync_folder(folder)
}

/// A segment whose file is nowhere, as in a folder that was restored from a backup: what was acknowledged while that was
/// taken. It must not hold up all that waits behind it.
async fn give_up(ledger: &Ledger, name: &str) -> Result<(), Error> {
    tracing::warn!(
        segment = name,
        "a segment for ClickHouse is lost; if ClickHouse has not got it, make its tables anew from the archive"
    );
    let mut transaction = ledger.begin().await?;
    let add = "UPDATE outbox_head SET segments_out = segments_out + 1,
               rows_out = rows_out + (SELECT row_count FROM outbox_segments WHERE path = $1) WHERE id = 0";
    transaction.execute(query(add).bind(name), "giving up a segment").await?;
    let delete = query("DELETE FROM outbox_segments WHERE path = $1").bind(name);
    transaction.execute(delete, "giving up a segment").await?;
    transaction.commit().await
}

const LOOKING: &str = "looking into the outbox";

fn count(row: &Row, column: &str) -> u64 {
    row.number(column).cast_unsigned()
}

async fn is_begun(transaction: &mut Transaction) -> Result<bool, Error> {
    let head = transaction.first(query("SELECT id FROM outbox_head"), "looking whether anybody ships").await?;
    Ok(head.is_some())
}

async fn insert(transaction: &mut Transaction, file: &Written, now: Timestamp) -> Result<(), Error> {
    let insert = "INSERT INTO outbox_segments (path, tab, day, row_count, bytes, blocks_done, queued)
                  VALUES ($1, $2, $3, $4, $5, 0, $6)";
    let insert = query(insert)
        .bind(flat(&file.path))
        .bind(&file.table[..])
        .bind(&file.day[..])
        .bind(signed(file.rows))
        .bind(signed(file.bytes))
        .bind(to_nanos(now));
    transaction.execute(insert, "entering a segment into the outbox").await.map(|_| ())
}

/// A crash may have left the second name of a file whose transaction never came; then the file is another one by now.
fn link(names: &[(PathBuf, PathBuf)], outbox: &Path) -> Result<(), Error> {
    for (file, second) in names {
        match fs::remove_file(second) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("removing", second)(error));
            }
            _ => {}
        }
        second_name(file, second)?;
    }
    if names.is_empty() { Ok(()) } else { sync_folder(outbox) }
}

/// A link, or a copy where the file system has no links.
fn second_name(file: &Path, second: &Path) -> Result<(), Error> {
    if fs::hard_link(file, second).is_ok() {
        return Ok(());
    }
    let copied = fs::copy(file, second).and_then(|_| fs::File::open(second)?.sync_all());
    copied.map_err(Error::io("copying to", second))
}

/// `contacts-day=2019-03-27-insight-….parquet`
fn flat(path: &Path) -> String {
    path.to_string_lossy().replace('/', "-")
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
