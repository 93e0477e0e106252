//! What is SQLite's own: one file, one writer, synced at every commit.

use std::path::Path;
use std::time::Duration;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

use super::{Db, Transaction};
use crate::Error;

/// How long a transaction waits for another process's, such as somebody's SQLite shell.
const BUSY: Duration = Duration::from_secs(10);

/// Readers beside the one writer that SQLite allows.
const CONNECTIONS: u32 = 4;

/// Takes the right to write before anything is read.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";
pub(super) const BEGIN_TO_READ: &str = "BEGIN";

/// To the millisecond.
pub(super) const NOW_NANOS: &str = "(CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER) * 1000000)";

/// Whether the file's own structure is whole.
pub(crate) const INTEGRITY: &str = "PRAGMA integrity_check";

/// Opens the file, making it if it is new, with the newest schema.
pub(crate) async fn open(file: &Path) -> Result<Db, Error> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY);
    let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await;
    let pool = pool.map_err(Error::database("opening the ledger"))?;
    migrations().run(&pool).await.map_err(|cause| Error::database("migrating")(cause.into()))?;
    Ok(Db::Sqlite(pool))
}

/// Opens the file as it is, for reading alone.
pub(crate) async fn open_to_read(file: &Path) -> Result<Db, Error> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
    pool.map(Db::Sqlite).map_err(Error::database("opening the ledger to read"))
}

pub(super) async fn begin(pool: &SqlitePool, how: &'static str) -> Result<Transaction, sqlx::Error> {
    pool.begin_with(how).await.map(Transaction::Sqlite)
}

fn migrations() -> Migrator {
    Migrator::with_migrations(RELEASED.iter().map(|(version, name, sql)| simple(*version, name, sql)).collect())
}

pub(super) fn simple(version: i64, name: &'static str, sql: &'static str) -> Migration {
    Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
}

/// Forward only. What was released is never changed: a database remembers what it was made of.
pub(super) const RELEASED: [(i64, &str, &str); 8] = [
    (1, "memory", include_str!("../../migrations/sqlite/0001_memory.sql")),
    (2, "named zones", include_str!("../../migrations/sqlite/0002_named_zones.sql")),
    (3, "log", include_str!("../../migrations/sqlite/0003_log.sql")),
    (4, "compaction", include_str!("../../migrations/sqlite/0004_compaction.sql")),
    (5, "leases", include_str!("../../migrations/sqlite/0005_leases.sql")),
    (6, "outbox", include_str!("../../migrations/sqlite/0006_outbox.sql")),
    (7, "sensors", include_str!("../../migrations/sqlite/0007_sensors.sql")),
    (8, "retention", include_str!("../../migrations/sqlite/0008_retention.sql")),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Every schema that a release has left behind, made by that release's migrations, with a fact and a file in it.
    #[tokio::test]
    async fn a_database_of_every_released_schema_opens() {
        for released in 1..=RELEASED.len() as i64 {
            let home = tempfile::tempdir().unwrap();
            let file = home.path().join("ledger.sqlite");
            let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
            let pool = SqlitePoolOptions::new().connect_with(options).await.unwrap();
            migrations().run_to(released, &pool).await.unwrap();
            let cursor = "INSERT INTO cursors (follower, place) VALUES ('insight', '{}')";
            sqlx::query(cursor).execute(&pool).await.unwrap();
            let row = "INSERT INTO archive_files (path, tab, day, row_count, bytes, follower, committed)
                       VALUES ('p', 'contacts', '2019-03-27', 1, 2, 'insight', 3)";
            sqlx::query(row).execute(&pool).await.unwrap();
            pool.close().await;
            let db = open(&file).await.unwrap();
            let level = super::super::query("SELECT level FROM archive_files");
            assert_eq!(db.first(level, "test").await.unwrap().unwrap().number("level"), 0, "schema {released}");
            let place = super::super::query("SELECT place FROM cursors");
            assert_eq!(db.first(place, "test").await.unwrap().unwrap().text("place"), "{}", "schema {released}");
        }
    }
}
