//! The ledger: what somebody did, in order, for good.
//!
//! Facts have dense positions from 0, are written in one transaction and are on the disk when [`Ledger::append`]
//! returns (SQLite in WAL mode, `synchronous = FULL`). Each has 32 random bytes of salt and a commitment over salt and
//! canonical JSON: the leaf of a Merkle tree, checked at every reading. Whoever decides says at which position the
//! ledger stood; if somebody else was faster, nothing is appended and the decision is made again.
//!
//! The manifest of the archive, the cursors of followers, the sets of names and the named zones lie in the same database,
//! because they change in the same transactions. What is deliberately absent: the law. Facts are folded in [`view`](crate::view).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::fact::{Draft, Fact};
use model::id::Position;
use model::order::Names;
use model::time::to_nanos;
use model::{Digest, Timestamp};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{Row as _, SqlSafeStr as _, Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::{Mutex, watch};

use crate::Error;
use crate::folder::DataFolder;
use crate::view::View;
use crate::zones::NamedZone;

mod cells;
mod names;
#[cfg(test)]
mod tests;
mod zones;

pub use cells::each_cell;
pub use names::NamedSet;

/// How long a transaction waits for another process's, such as somebody's SQLite shell.
const BUSY: Duration = Duration::from_secs(10);

/// Readers beside the one writer that SQLite allows.
const CONNECTIONS: u32 = 4;

//----------- Ledger -----------------------------------------------------------------------------------------------

/// The ledger of a data folder; clones are the same ledger.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    pool: SqlitePool,
    view: Mutex<Arc<View>>,
    /// Named zones by origin, as they were told last.
    zones: Mutex<BTreeMap<Box<[u8]>, Arc<NamedZone>>>,
    changed: watch::Sender<Position>,
}

/// Why facts were not appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Somebody else has appended since: load, decide again.
    #[error("the ledger is at {found} and not at {expected}")]
    Conflict { expected: Position, found: Position },
    #[error(transparent)]
    Store(#[from] Error),
}

impl Ledger {
    pub async fn open(folder: &DataFolder) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("ledger.sqlite"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY);
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await;
        let pool = pool.map_err(Error::database("opening the ledger"))?;
        migrations().run(&pool).await.map_err(|cause| Error::Database { what: "migrating", cause: cause.into() })?;
        let mut connection = pool.acquire().await.map_err(Error::database("opening the ledger"))?;
        let next = next_position(&mut connection).await?;
        drop(connection);
        let (view, zones, changed) = (Mutex::default(), Mutex::default(), watch::Sender::new(next));
        Ok(Self { inner: Arc::new(Inner { pool, view, zones, changed }) })
    }

    /// Appends facts and the sets of names that they speak of, all or none; synced when this returns.
    ///
    /// # Errors
    /// [`AppendError::Conflict`] if the next position is not the expected one.
    pub async fn append(
        &self,
        expected: Option<Position>,
        drafts: Vec<Draft>,
        names: Vec<NamedSet>,
        now: Timestamp,
    ) -> Result<Vec<Fact>, AppendError> {
        let rows = names::to_rows(names).await?;
        let mut transaction = self.begin().await?;
        let found = next_position(&mut transaction).await?;
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            return Err(AppendError::Conflict { expected, found });
        }
        names::insert(&mut transaction, rows).await?;
        let facts = insert_facts(&mut transaction, drafts, now).await?;
        self.commit(transaction, &facts).await?;
        Ok(facts)
    }

    /// The facts from a position on, each checked against its commitment.
    pub async fn facts(&self, from: Position) -> Result<Vec<Fact>, Error> {
        let rows =
            sqlx::query("SELECT position, salt, commitment, body FROM facts WHERE position >= $1 ORDER BY position")
                .bind(as_i64(from.0))
                .fetch_all(&self.inner.pool)
                .await
                .map_err(Error::database("reading facts"))?;
        rows.iter().map(read_fact).collect()
    }

    /// A set of names, in one load.
    pub async fn names(&self, digest: &Digest) -> Result<Names, Error> {
        names::load(&self.inner.pool, *digest).await
    }

    /// What stands after all facts. Kept between calls; only new facts are folded.
    pub async fn view(&self) -> Result<Arc<View>, Error> {
        let mut view = self.inner.view.lock().await;
        let facts = self.facts(view.next).await?;
        if !facts.is_empty() {
            let sets = names::load_all(&self.inner.pool, &facts).await?;
            fold(Arc::make_mut(&mut view), &facts, sets);
        }
        Ok(Arc::clone(&view))
    }

    /// The next position, whenever it has moved.
    pub fn changed(&self) -> watch::Receiver<Position> {
        self.inner.changed.subscribe()
    }

    /// Closes the database once all that is under way has ended. Clones are closed too.
    pub async fn close(self) {
        self.inner.pool.close().await;
    }

    pub(crate) fn pool(&self) -> &SqlitePool {
        &self.inner.pool
    }

    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, Error> {
        // A transaction that reads first and takes the write lock later can find that it is too late.
        self.inner.pool.begin_with("BEGIN IMMEDIATE").await.map_err(Error::database("beginning"))
    }

    pub(crate) async fn commit(&self, transaction: Transaction<'static, Sqlite>, facts: &[Fact]) -> Result<(), Error> {
        transaction.commit().await.map_err(Error::database("committing"))?;
        if let Some(last) = facts.last() {
            let next = Position(last.position.0 + 1);
            self.inner.changed.send_if_modified(|told| next > std::mem::replace(told, next.max(*told)));
        }
        Ok(())
    }
}

fn migrations() -> Migrator {
    let simple = |version, name: &'static str, sql: &'static str| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(vec![
        simple(1, "memory", include_str!("../migrations/sqlite/0001_memory.sql")),
        simple(2, "named zones", include_str!("../migrations/sqlite/0002_named_zones.sql")),
        simple(4, "compaction", include_str!("../migrations/sqlite/0004_compaction.sql")),
    ])
}

/// A fact that the law refuses has no effect, and the operator is told: it should never have been appended.
fn fold(view: &mut View, facts: &[Fact], mut sets: Vec<NamedSet>) {
    for (at, fact) in facts.iter().enumerate() {
        let names = |digest: &Digest| {
            let set = sets.iter().position(|set| set.digest == *digest)?;
            // Whoever speaks of it last gets the set itself: a million names are not copied to be thrown away.
            let is_last = !facts[at + 1..].iter().any(|later| names::is_spoken_of(digest, later));
            Some(if is_last { sets.swap_remove(set).names } else { sets[set].names.clone() })
        };
        if let Err(refusal) = view.apply(fact, names) {
            tracing::error!(target: "bailiwick_store", position = %fact.position, "fact without effect: {refusal}");
        }
    }
}

//----------- Rows -------------------------------------------------------------------------------------------------

async fn next_position(connection: &mut SqliteConnection) -> Result<Position, Error> {
    let next = sqlx::query_scalar::<_, i64>("SELECT coalesce(max(position) + 1, 0) FROM facts");
    let next = next.fetch_one(connection).await.map_err(Error::database("reading the ledger's position"))?;
    Ok(Position(next.cast_unsigned()))
}

/// Gives drafts their places and writes them, within a transaction that holds the write lock.
pub(crate) async fn insert_facts(
    connection: &mut SqliteConnection,
    drafts: Vec<Draft>,
    now: Timestamp,
) -> Result<Vec<Fact>, Error> {
    let next = next_position(connection).await?;
    let places = (next.0..).map(Position);
    let facts: Vec<Fact> = drafts.into_iter().zip(places).map(|(draft, place)| draft.at(place, now)).collect();
    for fact in &facts {
        insert_fact(connection, fact).await?;
    }
    Ok(facts)
}

async fn insert_fact(connection: &mut SqliteConnection, fact: &Fact) -> Result<(), Error> {
    let mut salt = [0; 32];
    getrandom::fill(&mut salt).map_err(Error::Random)?;
    let insert = "INSERT INTO facts (position, version, time, kind, salt, commitment, body)
                  VALUES ($1, $2, $3, $4, $5, $6, $7)";
    sqlx::query(insert)
        .bind(as_i64(fact.position.0))
        .bind(i64::from(fact.version))
        .bind(to_nanos(fact.time))
        .bind(kind(fact))
        .bind(&salt[..])
        .bind(&fact.commitment(&salt).0[..])
        .bind(model::digest::canonical_json(fact))
        .execute(connection)
        .await
        .map_err(Error::database("appending a fact"))?;
    Ok(())
}

/// The tag under which the body is serialized.
fn kind(fact: &Fact) -> String {
    let body = serde_json::to_value(&fact.body).expect("our values are plain JSON");
    body["fact"].as_str().expect("a body is tagged by `fact`").to_owned()
}

fn read_fact(row: &SqliteRow) -> Result<Fact, Error> {
    let position: i64 = row.get("position");
    let damaged = |what: &str| Error::Damaged { path: "ledger.sqlite".into(), what: format!("fact {position} {what}") };
    let fact: Fact = serde_json::from_slice(row.get("body")).map_err(|error| damaged(&error.to_string()))?;
    let salt: [u8; 32] = row.get::<&[u8], _>("salt").try_into().map_err(|_| damaged("has a salt of another length"))?;
    if fact.position.0 != position.cast_unsigned() || fact.commitment(&salt).0 != row.get::<&[u8], _>("commitment") {
        return Err(damaged("does not have the commitment that was made for it"));
    }
    Ok(fact)
}

/// SQLite's integers are signed. Positions count from 0 and do not get that far.
fn as_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
