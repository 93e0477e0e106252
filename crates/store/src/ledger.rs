//! The ledger: what somebody did, in order, for good.
//!
//! Facts have dense positions from 0, are written in one transaction and are on the disk when [`Ledger::append`]
//! returns (SQLite in WAL mode, `synchronous = FULL`). Each has 32 random bytes of salt and a commitment over salt and
//! canonical JSON, checked at every reading: the entry of a [Merkle log](crate::log). One row, the head, says where the
//! ledger ends; whoever appends moves it in the same transaction, and signs a checkpoint over the tree with it. Whoever
//! decides says at which position the ledger stood; if somebody else was faster, nothing is appended and the decision is
//! made again.
//!
//! The manifest of the archive, the cursors of followers, the sets of names and the named zones lie in the same database,
//! because they change in the same transactions. What is deliberately absent: the law. Facts are folded in [`view`](crate::view).

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use model::fact::{Draft, Fact};
use model::id::Position;
use model::order::Names;
use model::{Digest, Timestamp};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqlSafeStr as _, Sqlite, SqlitePool, Transaction};
use tokio::sync::{Mutex, watch};

use crate::Error;
use crate::folder::DataFolder;
use crate::log::SigningKey;
use crate::view::View;
use crate::zones::NamedZone;

mod appending;
mod cells;
mod head;
pub(crate) mod names;
mod rows;
#[cfg(test)]
mod tests;
mod zones;

pub(crate) use appending::Appending;
pub use appending::FACTS_PER_TURN_MAX;
pub use cells::each_cell;
pub use names::NamedSet;

use appending::{Line, Wanted};
use head::Head;

/// The database within the data folder.
pub(crate) const FILE: &str = "ledger.sqlite";

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
    line: Line,
    /// What signs the checkpoints; never set where nobody is to believe them, such as in tests of other rooms.
    key: OnceLock<SigningKey>,
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
            .filename(folder.path().join(FILE))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY);
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await;
        let pool = pool.map_err(Error::database("opening the ledger"))?;
        migrations().run(&pool).await.map_err(|cause| Error::Database { what: "migrating", cause: cause.into() })?;
        let mut transaction = begin(&pool).await?;
        let next = Head::establish(&mut transaction).await?.next();
        transaction.commit().await.map_err(Error::database("opening the ledger"))?;
        let (line, key, changed) = (Line::default(), OnceLock::new(), watch::Sender::new(next));
        let (view, zones) = (Mutex::default(), Mutex::default());
        Ok(Self { inner: Arc::new(Inner { pool, line, key, view, zones, changed }) })
    }

    /// From now on every append is signed by this key. A key that was just made signs what stands; any other finds the
    /// checkpoint that it has signed last, over exactly the facts that are here.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it does not.
    pub async fn sign_with(&self, key: SigningKey, is_new: bool) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        let mut head = Head::load(&mut transaction).await?;
        head.check(key.verifying())?;
        if head.checkpoint.is_none() {
            if !is_new {
                return Err(damaged("its checkpoint is missing, and the key that signed it is not new"));
            }
            head.sign(Some(&key));
            head.save(&mut transaction).await?;
        }
        self.commit(transaction, head.next()).await?;
        // Whoever comes second has the same key: both have just found its checkpoint.
        let _ = self.inner.key.set(key);
        Ok(())
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
        let sets = names::to_rows(names).await?;
        self.line_up(Wanted { expected, drafts, sets, now }).await
    }

    /// The facts from a position on, each in its place and checked against its commitment.
    pub async fn facts(&self, from: Position) -> Result<Vec<Fact>, Error> {
        let rows =
            sqlx::query("SELECT position, salt, commitment, body FROM facts WHERE position >= $1 ORDER BY position")
                .bind(as_i64(from.0))
                .fetch_all(&self.inner.pool)
                .await
                .map_err(Error::database("reading facts"))?;
        let facts = rows.iter().map(rows::read).collect::<Result<Vec<Fact>, Error>>()?;
        match (from.0..).zip(&facts).find(|(place, fact)| fact.position.0 != *place) {
            Some((place, _)) => Err(damaged(&format!("fact {place} is missing"))),
            None => Ok(facts),
        }
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
        begin(&self.inner.pool).await
    }

    /// Commits what appends no fact.
    pub(crate) async fn commit_without_facts(&self, transaction: Transaction<'static, Sqlite>) -> Result<(), Error> {
        transaction.commit().await.map_err(Error::database("committing"))
    }

    /// Commits, and tells whoever waits for the next position if it has moved.
    pub(crate) async fn commit(&self, transaction: Transaction<'static, Sqlite>, next: Position) -> Result<(), Error> {
        self.commit_without_facts(transaction).await?;
        self.inner.changed.send_if_modified(|told| next > std::mem::replace(told, next.max(*told)));
        Ok(())
    }
}

async fn begin(pool: &SqlitePool) -> Result<Transaction<'static, Sqlite>, Error> {
    // A transaction that reads first and takes the write lock later can find that it is too late.
    pool.begin_with("BEGIN IMMEDIATE").await.map_err(Error::database("beginning"))
}

fn migrations() -> Migrator {
    let simple = |version, name: &'static str, sql: &'static str| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(vec![
        simple(1, "memory", include_str!("../migrations/sqlite/0001_memory.sql")),
        simple(2, "named zones", include_str!("../migrations/sqlite/0002_named_zones.sql")),
        simple(3, "log", include_str!("../migrations/sqlite/0003_log.sql")),
        simple(4, "compaction", include_str!("../migrations/sqlite/0004_compaction.sql")),
    ])
}

/// A fact that the law refuses has no effect, and the operator is told: it should never have been appended.
pub(crate) fn fold(view: &mut View, facts: &[Fact], mut sets: Vec<NamedSet>) {
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

fn damaged(what: &str) -> Error {
    Error::Damaged { path: FILE.into(), what: what.to_owned() }
}

/// SQLite's integers are signed. Positions count from 0 and do not get that far.
fn as_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
