//! Which files of the archive count, which are replaced, and how far followers have come: rows in the ledger's database,
//! so that they change in the transactions of facts.

use std::path::{Path, PathBuf};

use model::Timestamp;
use model::time::to_nanos;
use sqlx::{Row as _, SqliteConnection};

use super::file::Written;
use super::tables::ROLL_UPS;
use crate::Error;
use crate::journal::Cursor;
use crate::ledger::Ledger;

//----------- Files that count -------------------------------------------------------------------------------------

/// Every file that counts, in order of commit.
pub(super) async fn listed(ledger: &Ledger) -> Result<Vec<Written>, Error> {
    let select = "SELECT path, tab, day, row_count, bytes, level, committed FROM archive_files ORDER BY rowid";
    let rows = sqlx::query(select).fetch_all(ledger.pool()).await;
    let rows = rows.map_err(Error::database("reading the archive's manifest"))?;
    let written = |row: &sqlx::sqlite::SqliteRow| Written {
        path: Path::new(row.get::<&str, _>("path")).to_owned(),
        table: row.get("tab"),
        day: row.get("day"),
        rows: row.get::<i64, _>("row_count").cast_unsigned(),
        bytes: row.get::<i64, _>("bytes").cast_unsigned(),
        level: u8::try_from(row.get::<i64, _>("level")).unwrap_or_default(),
        committed: row.get("committed"),
    };
    Ok(rows.iter().map(written).collect())
}

pub(super) async fn insert(
    connection: &mut SqliteConnection,
    follower: &str,
    file: &Written,
    now: Timestamp,
) -> Result<(), Error> {
    let insert = "INSERT INTO archive_files (path, tab, day, row_count, bytes, follower, committed, level)
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    sqlx::query(insert)
        .bind(text(&file.path))
        .bind(&file.table)
        .bind(&file.day)
        .bind(file.rows.cast_signed())
        .bind(file.bytes.cast_signed())
        .bind(follower)
        .bind(to_nanos(now))
        .bind(i64::from(file.level))
        .execute(connection)
        .await
        .map_err(Error::database("adding to the archive's manifest"))?;
    Ok(())
}

/// How many files a table and a day have beside these.
pub(super) async fn count_beside(
    connection: &mut SqliteConnection,
    table: &str,
    day: &str,
    known: &[Written],
) -> Result<usize, Error> {
    let select = "SELECT count(*) FROM archive_files WHERE tab = $1 AND day = $2";
    let count = sqlx::query_scalar::<_, i64>(select).bind(table).bind(day).fetch_one(connection).await;
    let count = count.map_err(Error::database("counting the files of a day"))?;
    Ok(usize::try_from(count).unwrap_or_default().saturating_sub(known.len()))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

//----------- Replaced files ---------------------------------------------------------------------------------------

/// Takes a file out of those that count, and keeps its path until it is removed.
pub(super) async fn replace(connection: &mut SqliteConnection, path: &Path, now: Timestamp) -> Result<(), Error> {
    set_replaced(connection, path, now).await?;
    let delete = sqlx::query("DELETE FROM archive_files WHERE path = $1").bind(text(path)).execute(connection).await;
    delete.map_err(Error::database("replacing a file of the archive")).map(|_| ())
}

pub(super) async fn set_replaced(connection: &mut SqliteConnection, path: &Path, now: Timestamp) -> Result<(), Error> {
    let insert = "INSERT INTO archive_replaced (path, replaced) VALUES ($1, $2)";
    let kept = sqlx::query(insert).bind(text(path)).bind(to_nanos(now)).execute(connection).await;
    kept.map_err(Error::database("replacing a file of the archive")).map(|_| ())
}

/// A day that something comes for, or whose files change, is not rolled up any more.
pub(super) async fn drop_roll_ups(connection: &mut SqliteConnection, day: &str, now: Timestamp) -> Result<(), Error> {
    let select = "SELECT path FROM archive_files WHERE day = $1 AND tab IN ($2, $3)";
    let select = sqlx::query_scalar::<_, String>(select).bind(day).bind(ROLL_UPS[0]).bind(ROLL_UPS[1]);
    let paths = select.fetch_all(&mut *connection).await.map_err(Error::database("looking for roll-ups of a day"))?;
    for path in paths {
        replace(connection, Path::new(&path), now).await?;
    }
    Ok(())
}

pub(super) async fn replaced(ledger: &Ledger) -> Result<Vec<PathBuf>, Error> {
    let select = sqlx::query_scalar::<_, String>("SELECT path FROM archive_replaced");
    let paths = select.fetch_all(ledger.pool()).await;
    let paths = paths.map_err(Error::database("looking for replaced files"))?;
    Ok(paths.into_iter().map(PathBuf::from).collect())
}

/// Their files are gone.
pub(super) async fn forget_replaced(ledger: &Ledger, paths: &[PathBuf]) -> Result<(), Error> {
    if paths.is_empty() {
        return Ok(());
    }
    let mut transaction = ledger.begin().await?;
    for path in paths {
        let delete = sqlx::query("DELETE FROM archive_replaced WHERE path = $1").bind(text(path));
        delete.execute(&mut *transaction).await.map_err(Error::database("forgetting a replaced file"))?;
    }
    ledger.commit_without_facts(transaction).await
}

//----------- Cursors ----------------------------------------------------------------------------------------------

pub(super) async fn cursor(ledger: &Ledger, follower: &str) -> Result<Cursor, Error> {
    let place = sqlx::query_scalar::<_, String>("SELECT place FROM cursors WHERE follower = $1")
        .bind(follower)
        .fetch_optional(ledger.pool())
        .await
        .map_err(Error::database("reading a cursor"))?;
    let parse = |place: String| serde_json::from_str(&place).map_err(Error::archive("reading a cursor"));
    place.map(parse).transpose().map(Option::unwrap_or_default)
}

pub(super) async fn save_cursor(
    connection: &mut SqliteConnection,
    follower: &str,
    cursor: &Cursor,
) -> Result<(), Error> {
    let place = serde_json::to_string(cursor).map_err(Error::archive("writing a cursor"))?;
    let upsert = "INSERT INTO cursors (follower, place) VALUES ($1, $2)
                  ON CONFLICT (follower) DO UPDATE SET place = excluded.place";
    let saved = sqlx::query(upsert).bind(follower).bind(place).execute(connection).await;
    saved.map_err(Error::database("moving a cursor")).map(|_| ())
}
