//! Which files of the archive count, which are replaced, and how far followers have come: rows in the ledger's database,
//! so that they change in the transactions of facts.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use model::Timestamp;
use model::time::to_nanos;

use super::file::Written;
use super::tables::ROLL_UPS;
use crate::Error;
use crate::db::{Row, Transaction, query};
use crate::journal::Cursor;
use crate::ledger::Ledger;

//----------- Files that count -------------------------------------------------------------------------------------

/// Every file that counts, in order of commit.
pub(super) async fn listed(ledger: &Ledger) -> Result<Vec<Written>, Error> {
    Ok(written(&ledger.db().all(query(LISTED), LISTING).await?))
}

/// The same within a transaction.
pub(super) async fn listed_in(transaction: &mut Transaction) -> Result<Vec<Written>, Error> {
    Ok(written(&transaction.all(query(LISTED), LISTING).await?))
}

const LISTED: &str = "SELECT path, tab, day, row_count, bytes, level, committed FROM archive_files ORDER BY rowid";
const LISTING: &str = "reading the archive's manifest";

fn written(rows: &[Row]) -> Vec<Written> {
    let written = |row: &Row| Written {
        path: Path::new(row.text("path")).to_owned(),
        table: row.text("tab").to_owned(),
        day: row.text("day").to_owned(),
        rows: row.number("row_count").cast_unsigned(),
        bytes: row.number("bytes").cast_unsigned(),
        level: u8::try_from(row.number("level")).unwrap_or_default(),
        committed: row.number("committed"),
    };
    rows.iter().map(written).collect()
}

pub(super) async fn insert(
    transaction: &mut Transaction,
    follower: &str,
    file: &Written,
    now: Timestamp,
) -> Result<(), Error> {
    let insert = "INSERT INTO archive_files (path, tab, day, row_count, bytes, follower, committed, level)
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let insert = query(insert)
        .bind(text(&file.path))
        .bind(&file.table[..])
        .bind(&file.day[..])
        .bind(file.rows.cast_signed())
        .bind(file.bytes.cast_signed())
        .bind(follower)
        .bind(to_nanos(now))
        .bind(i64::from(file.level));
    transaction.execute(insert, "adding to the archive's manifest").await.map(|_| ())
}

/// How many files a table and a day have beside these.
pub(super) async fn count_beside(
    transaction: &mut Transaction,
    table: &str,
    day: &str,
    known: &[Written],
) -> Result<usize, Error> {
    let select = query("SELECT count(*) AS count FROM archive_files WHERE tab = $1 AND day = $2").bind(table).bind(day);
    let row = transaction.first(select, "counting the files of a day").await?;
    let count = row.map_or(0, |row| row.number("count"));
    Ok(usize::try_from(count).unwrap_or_default().saturating_sub(known.len()))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

//----------- Replaced files ---------------------------------------------------------------------------------------

/// Takes a file out of those that count, and keeps its path until it is removed. Whether it counted still.
pub(super) async fn replace(transaction: &mut Transaction, path: &Path, now: Timestamp) -> Result<bool, Error> {
    set_replaced(transaction, path, now).await?;
    let delete = query("DELETE FROM archive_files WHERE path = $1").bind(text(path));
    transaction.execute(delete, "replacing a file of the archive").await.map(|gone| gone > 0)
}

pub(super) async fn set_replaced(transaction: &mut Transaction, path: &Path, now: Timestamp) -> Result<(), Error> {
    let insert = "INSERT INTO archive_replaced (path, replaced) VALUES ($1, $2) ON CONFLICT (path) DO NOTHING";
    let insert = query(insert).bind(text(path)).bind(to_nanos(now));
    transaction.execute(insert, "replacing a file of the archive").await.map(|_| ())
}

/// A day that something comes for, or whose files change, is not rolled up any more.
pub(super) async fn drop_roll_ups(transaction: &mut Transaction, day: &str, now: Timestamp) -> Result<(), Error> {
    let select = "SELECT path FROM archive_files WHERE day = $1 AND tab IN ($2, $3)";
    let select = query(select).bind(day).bind(ROLL_UPS[0]).bind(ROLL_UPS[1]);
    for row in transaction.all(select, "looking for roll-ups of a day").await? {
        replace(transaction, Path::new(row.text("path")), now).await?;
    }
    Ok(())
}

pub(super) async fn replaced(ledger: &Ledger) -> Result<Vec<PathBuf>, Error> {
    let rows = ledger.db().all(query("SELECT path FROM archive_replaced"), "looking for replaced files").await?;
    Ok(rows.iter().map(|row| PathBuf::from(row.text("path"))).collect())
}

/// Their files are gone.
pub(super) async fn forget_replaced(ledger: &Ledger, paths: &[PathBuf]) -> Result<(), Error> {
    if paths.is_empty() {
        return Ok(());
    }
    let mut transaction = ledger.begin().await?;
    for path in paths {
        let delete = query("DELETE FROM archive_replaced WHERE path = $1").bind(text(path));
        transaction.execute(delete, "forgetting a replaced file").await?;
    }
    transaction.commit().await
}

//----------- What was purged --------------------------------------------------------------------------------------

/// The days and parts of which everything due is gone.
pub(super) async fn purged(ledger: &Ledger) -> Result<HashSet<(String, String)>, Error> {
    let rows = ledger.db().all(query("SELECT day, what FROM purged_days"), "reading what was purged").await?;
    Ok(rows.iter().map(|row| (row.text("day").to_owned(), row.text("what").to_owned())).collect())
}

pub(super) async fn mark_purged(transaction: &mut Transaction, day: &str, what: &str) -> Result<(), Error> {
    let insert = query("INSERT INTO purged_days (day, what) VALUES ($1, $2) ON CONFLICT DO NOTHING");
    transaction.execute(insert.bind(day).bind(what), "marking what was purged").await.map(|_| ())
}

/// Something comes for a day: what is due there is looked for again.
pub(super) async fn forget_purged(transaction: &mut Transaction, day: &str) -> Result<(), Error> {
    let delete = query("DELETE FROM purged_days WHERE day = $1").bind(day);
    transaction.execute(delete, "forgetting what was purged").await.map(|_| ())
}

/// How many files a day has, over all tables.
pub(super) async fn count_of_day(transaction: &mut Transaction, day: &str) -> Result<usize, Error> {
    let select = query("SELECT count(*) AS count FROM archive_files WHERE day = $1").bind(day);
    let count = transaction.first(select, "counting the files of a day").await?.map_or(0, |row| row.number("count"));
    Ok(usize::try_from(count).unwrap_or_default())
}

/// A segment of the journal that is to be removed.
pub(super) async fn condemn(transaction: &mut Transaction, segment: &str) -> Result<(), Error> {
    let insert = query("INSERT INTO purged_segments (name) VALUES ($1) ON CONFLICT DO NOTHING").bind(segment);
    transaction.execute(insert, "noting a segment that is to go").await.map(|_| ())
}

pub(super) async fn condemned(ledger: &Ledger) -> Result<Vec<String>, Error> {
    let rows = ledger.db().all(query("SELECT name FROM purged_segments"), "reading which segments are to go").await?;
    Ok(rows.iter().map(|row| row.text("name").to_owned()).collect())
}

pub(super) async fn forget_condemned(ledger: &Ledger) -> Result<(), Error> {
    let delete = query("DELETE FROM purged_segments");
    ledger.db().execute(delete, "forgetting segments that are gone").await.map(|_| ())
}

/// When retention was carried out last, to its end.
pub(super) async fn last_pass(ledger: &Ledger) -> Result<Option<Timestamp>, Error> {
    let select = query("SELECT ended FROM retention_pass WHERE id = 0");
    let row = ledger.db().first(select, "reading when retention was carried out").await?;
    Ok(row.map(|row| model::time::from_nanos(row.number("ended"))))
}

pub(super) async fn set_last_pass(ledger: &Ledger, ended: Timestamp) -> Result<(), Error> {
    let upsert = "INSERT INTO retention_pass (id, ended) VALUES (0, $1)
                  ON CONFLICT (id) DO UPDATE SET ended = excluded.ended";
    let upsert = query(upsert).bind(to_nanos(ended));
    ledger.db().execute(upsert, "noting that retention was carried out").await.map(|_| ())
}

//----------- Cursors ----------------------------------------------------------------------------------------------

const PLACE: &str = "SELECT place FROM cursors WHERE follower = $1";

/// A follower's place as it is stored; `None` for one that is new.
pub(super) async fn place(ledger: &Ledger, follower: &str) -> Result<Option<String>, Error> {
    let row = ledger.db().first(query(PLACE).bind(follower), "reading a cursor").await?;
    Ok(row.map(|row| row.text("place").to_owned()))
}

pub(super) fn read_place(place: Option<&str>) -> Result<Cursor, Error> {
    let parse = |place| serde_json::from_str(place).map_err(Error::archive("reading a cursor"));
    place.map(parse).transpose().map(Option::unwrap_or_default)
}

pub(super) fn write_place(cursor: &Cursor) -> Result<String, Error> {
    serde_json::to_string(cursor).map_err(Error::archive("writing a cursor"))
}

/// Moves a cursor from where the follower knew it to be. A commit whose answer was lost may have moved it: what is
/// committed again then would be there twice.
pub(super) async fn move_cursor(
    transaction: &mut Transaction,
    follower: &str,
    known: Option<&Option<String>>,
    place: &str,
) -> Result<(), Error> {
    let found = transaction.first(query(PLACE).bind(follower), "reading a cursor").await?;
    let found = found.map(|row| row.text("place").to_owned());
    if known.is_some_and(|known| *known != found) {
        return Err(Error::Moved { what: "a follower's cursor" });
    }
    let upsert = "INSERT INTO cursors (follower, place) VALUES ($1, $2)
                  ON CONFLICT (follower) DO UPDATE SET place = excluded.place";
    transaction.execute(query(upsert).bind(follower).bind(place), "moving a cursor").await.map(|_| ())
}
