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
use std::sync::{Arc, OnceLock, Weak};

use model::fact::{Draft, Fact};
use model::id::Position;
use model::order::Names;
use model::{Digest, Timestamp};
use tokio::sync::{Mutex, watch};

use crate::Error;
use crate::db::{Database, Db, Transaction, postgres, query, sqlite};
use crate::folder::DataFolder;
use crate::log::{Frontier, SigningKey};
use crate::view::View;
use crate::zones::NamedZone;

mod appending;
mod cells;
mod head;
mod lease;
mod link;
pub(crate) mod names;
mod rows;
mod signing;
#[cfg(test)]
mod tests;
mod zones;

pub(crate) use appending::Appending;
pub use appending::FACTS_PER_TURN_MAX;
pub use cells::each_cell;
pub use lease::Lease;
pub use link::Reach;
pub use names::NamedSet;

use appending::{Line, Wanted};
use head::Head;
use link::Link;

/// The database within the data folder.
pub(crate) const FILE: &str = "ledger.sqlite";

//----------- Ledger -----------------------------------------------------------------------------------------------

/// The ledger of a data folder; clones are the same ledger.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    line: Line,
    /// What signs the checkpoints; never set where nobody is to believe them, such as in tests of other rooms.
    key: OnceLock<SigningKey>,
    /// The edge of the tree that was checked last, so that it is not built anew from the first fact.
    signed: Mutex<Frontier>,
    view: Mutex<Arc<View>>,
    /// The same for whoever must not wait; weak, so that folding copies nothing for it.
    shown: std::sync::Mutex<Weak<View>>,
    /// Named zones by origin, as they were told last.
    zones: Mutex<BTreeMap<Box<[u8]>, Arc<NamedZone>>>,
    changed: watch::Sender<Position>,
    link: Link,
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
    /// Opens the ledger that lies in the folder itself.
    pub async fn open(folder: &DataFolder) -> Result<Self, Error> {
        Self::open_in(folder, &Database::Folder).await
    }

    /// Opens the ledger of a folder, wherever it lies.
    ///
    /// # Errors
    /// [`Error::Unreachable`] if a server does not answer; [`Error::FolderTwice`] if the folder, or a copy of it, is at work
    /// on that server already.
    pub async fn open_in(folder: &DataFolder, database: &Database) -> Result<Self, Error> {
        check_place(folder, database)?;
        let holder = match database {
            Database::Folder => FILE.to_owned(),
            Database::Postgres(_) => format!("{} boot {}", folder.name()?, folder.boot().0),
        };
        let db = match database {
            Database::Folder => sqlite::open(&folder.path().join(FILE)).await?,
            Database::Postgres(settings) => postgres::open(settings, &folder.name()?).await?,
        };
        // Whoever left a commit under way when it was killed has let go of the head by now, or we wait for it.
        let mut transaction = db.begin().await?;
        let next = Head::establish(&mut transaction).await?.next();
        transaction.commit().await?;
        let (line, key, changed) = (Line::default(), OnceLock::new(), watch::Sender::new(next));
        let (view, shown, zones, link, signed) = Default::default();
        let ledger = Self { inner: Arc::new(Inner { db, line, key, signed, view, shown, zones, changed, link }) };
        ledger.follow_others(holder).await?;
        Ok(ledger)
    }

    /// A text, which ends with a newline, as a note that the ledger's key has signed; `None` where it has no key.
    pub fn sign_note(&self, text: &str) -> Option<String> {
        self.inner.key.get().map(|key| key.sign(text))
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
        self.check_reached("appending facts")?;
        self.line_up(Wanted { expected, drafts, sets: names, now }).await
    }

    /// The facts from a position on, each in its place and checked against its commitment.
    pub async fn facts(&self, from: Position) -> Result<Vec<Fact>, Error> {
        let select = "SELECT position, salt, commitment, body FROM facts WHERE position >= $1 ORDER BY position";
        let rows = self.db().all(query(select).bind(as_i64(from.0)), "reading facts").await?;
        let facts = rows.iter().map(rows::read).collect::<Result<Vec<Fact>, Error>>()?;
        match (from.0..).zip(&facts).find(|(place, fact)| fact.position.0 != *place) {
            Some((place, _)) => Err(damaged(&format!("fact {place} is missing"))),
            None => Ok(facts),
        }
    }

    /// A set of names, in one load.
    pub async fn names(&self, digest: &Digest) -> Result<Names, Error> {
        names::load(self.db(), *digest).await
    }

    /// What stands after all facts. Kept between calls; only new facts are folded.
    pub async fn view(&self) -> Result<Arc<View>, Error> {
        self.check_reached("reading facts")?;
        let mut view = self.inner.view.lock().await;
        let facts = self.facts(view.next).await?;
        if !facts.is_empty() {
            let sets = names::load_all(self.db(), &facts).await?;
            fold(Arc::make_mut(&mut view), &facts, sets);
        }
        *self.shown() = Arc::downgrade(&view);
        Ok(Arc::clone(&view))
    }

    /// What stood after the facts that were folded last, without a look at the database: something to show while that does
    /// not answer.
    pub fn last_view(&self) -> Arc<View> {
        self.shown().upgrade().unwrap_or_default()
    }

    fn shown(&self) -> std::sync::MutexGuard<'_, Weak<View>> {
        self.inner.shown.lock().expect("nothing panics while it holds what is shown")
    }

    /// The next position, whenever it has moved.
    pub fn changed(&self) -> watch::Receiver<Position> {
        self.inner.changed.subscribe()
    }

    /// Closes the database once all that is under way has ended. Clones are closed too.
    pub async fn close(self) {
        self.inner.link.end().await;
        self.inner.db.close().await;
    }

    pub(crate) fn db(&self) -> &Db {
        &self.inner.db
    }

    /// What signs, where there is a key.
    pub(crate) fn key(&self) -> Option<&SigningKey> {
        self.inner.key.get()
    }

    /// The file's own pool, for tests that spoil it.
    #[cfg(test)]
    pub(crate) fn pool(&self) -> &sqlx::SqlitePool {
        let Db::Sqlite(pool) = self.db() else { panic!("this test spoils a file") };
        pool
    }

    pub(crate) async fn begin(&self) -> Result<Transaction, Error> {
        self.db().begin().await
    }

    /// Commits, and tells whoever waits for the next position if it has moved.
    pub(crate) async fn commit(&self, transaction: Transaction, next: Position) -> Result<(), Error> {
        transaction.commit().await?;
        self.tell(next);
        Ok(())
    }

    fn tell(&self, next: Position) {
        self.inner.changed.send_if_modified(|told| next > std::mem::replace(told, next.max(*told)));
    }
}

/// One line of configuration more or less must not leave a ledger behind.
fn check_place(folder: &DataFolder, database: &Database) -> Result<(), Error> {
    let has_file = folder.path().join(FILE).exists();
    let what = match database {
        Database::Postgres(_) if has_file => "in its own file",
        Database::Folder if !has_file && folder.has_name() => "on a server",
        _ => return Ok(()),
    };
    Err(Error::LedgerElsewhere { path: folder.path().to_owned(), what })
}

/// A fact that the law refuses has no effect, and the operator is told: it should never have been appended.
pub(crate) fn fold(view: &mut View, facts: &[Fact], mut sets: Vec<(Digest, Names)>) {
    for (at, fact) in facts.iter().enumerate() {
        let names = |digest: &Digest| {
            let set = sets.iter().position(|(known, _)| known == digest)?;
            // Whoever speaks of it last gets the set itself: a million names are not copied to be thrown away.
            let is_last = !facts[at + 1..].iter().any(|later| names::is_spoken_of(digest, later));
            Some(if is_last { sets.swap_remove(set).1 } else { sets[set].1.clone() })
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
