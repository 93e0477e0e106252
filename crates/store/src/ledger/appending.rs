//! Appending: whoever comes while a transaction is being synced shares the next one.
//!
//! A sync costs the same for one fact and for thousands. So appends wait in a line, and each turn takes all that wait,
//! in order, up to [`FACTS_PER_TURN_MAX`]. A turn is a task of its own: it goes on when somebody who waits has gone. If a
//! shared transaction fails, each of its appends is tried alone and hears its own error.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use model::fact::{Draft, Fact};
use model::id::Position;
use model::{Digest, Timestamp};
use tokio::sync::oneshot;

use super::head::Head;
use super::names::{self, NamedSet};
use super::rows::FactRow;
use super::{AppendError, Error, Ledger};
use crate::db::{Transaction, insert, query};
use crate::log::leaf;

/// The most facts of one transaction, unless one append alone has more.
pub const FACTS_PER_TURN_MAX: usize = 8_192;

/// The most that wait in line: whoever comes then is told at once, and has appended nothing.
pub(super) const WAITING_MAX: usize = 1_024;

/// Facts of one statement, each of seven values; SQLite allows 32,766 values in one.
const FACTS_PER_STATEMENT: usize = 1_000;

/// How often, and how soon after each other, it is asked what became of a commit that was not answered.
const SETTLE_TRIES: usize = 10;
const SETTLE_AFTER: Duration = Duration::from_secs(1);

/// What somebody wants to append.
pub(super) struct Wanted {
    pub(super) expected: Option<Position>,
    pub(super) drafts: Vec<Draft>,
    pub(super) sets: Vec<NamedSet>,
    pub(super) now: Timestamp,
}

pub(super) struct Waiting {
    wanted: Wanted,
    tell: oneshot::Sender<Result<Vec<Fact>, AppendError>>,
}

/// Who waits, and whose turn it is.
#[derive(Default)]
pub(super) struct Line {
    waiting: Mutex<VecDeque<Waiting>>,
    pub(super) turn: tokio::sync::Mutex<()>,
}

impl Line {
    pub(super) fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().expect("nothing panics while it holds the line")
    }

    fn join(&self, wanted: Wanted) -> Result<oneshot::Receiver<Result<Vec<Fact>, AppendError>>, Error> {
        let mut line = self.waiting();
        if line.len() >= WAITING_MAX {
            let needs = line.len() as u64 + 1;
            return Err(Error::Limit {
                what: "the line of those who append to the ledger",
                needs,
                limit: WAITING_MAX as u64,
            });
        }
        let (tell, told) = oneshot::channel();
        line.push_back(Waiting { wanted, tell });
        Ok(told)
    }

    /// The next ones, as many as fit.
    fn next(&self) -> Vec<Waiting> {
        let mut line = self.waiting();
        let mut facts = 0;
        let fits = |waiting: &&Waiting| {
            let is_first = facts == 0;
            facts += waiting.wanted.drafts.len();
            is_first || facts <= FACTS_PER_TURN_MAX
        };
        let count = line.iter().take_while(fits).count();
        line.drain(..count).collect()
    }
}

impl Ledger {
    /// Puts it at the end of the line and waits for its turn.
    pub(super) async fn line_up(&self, wanted: Wanted) -> Result<Vec<Fact>, AppendError> {
        let told = self.inner.line.join(wanted)?;
        tokio::spawn(self.clone().take_turn());
        // A runtime that ends drops turns: what was not told was not appended, or not seen to be.
        told.await.unwrap_or_else(|_| Err(Error::database("appending facts")(sqlx::Error::WorkerCrashed).into()))
    }

    /// Whoever waits longer than another's turn may find that it was taken along.
    async fn take_turn(self) {
        let _turn = self.inner.line.turn.lock().await;
        let taken = self.inner.line.next();
        let (wanted, tell): (Vec<Wanted>, Vec<_>) = taken.into_iter().map(|one| (one.wanted, one.tell)).unzip();
        let done = match self.append_all(&wanted).await {
            Ok(done) => done,
            Err(error) if wanted.len() == 1 => vec![Err(error.into())],
            // Whoever tried alone would wait for the same server, one after the other.
            Err(error) if error.is_passing() => wanted.iter().map(|_| Err(again(&error).into())).collect(),
            Err(_) => self.append_each(&wanted).await,
        };
        for (tell, done) in tell.into_iter().zip(done) {
            // Whoever does not wait any more has what was asked for all the same.
            let _ = tell.send(done);
        }
    }

    async fn append_each(&self, wanted: &[Wanted]) -> Vec<Result<Vec<Fact>, AppendError>> {
        let mut done = Vec::with_capacity(wanted.len());
        for one in wanted {
            let alone = self.append_all(std::slice::from_ref(one)).await;
            done.push(alone.map_or_else(|error| Err(error.into()), |mut alone| alone.remove(0)));
        }
        done
    }

    /// One transaction for all. One whose expectation is not met is told so and hinders nobody.
    async fn append_all(&self, wanted: &[Wanted]) -> Result<Vec<Result<Vec<Fact>, AppendError>>, Error> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut transaction = self.begin().await?;
        let mut appending = Appending::begin(&mut transaction).await?;
        let mut done = Vec::with_capacity(wanted.len());
        for Wanted { expected, drafts, sets, now } in wanted {
            let found = appending.head.next();
            if let Some(expected) = expected.filter(|expected| *expected != found) {
                done.push(Err(AppendError::Conflict { expected, found }));
                continue;
            }
            names::insert(&mut transaction, sets).await?;
            done.push(Ok(appending.add(drafts.clone(), *now)?));
        }
        let (next, last) = (appending.head.next(), appending.last());
        appending.finish(&mut transaction, self).await?;
        match self.commit(transaction, next).await {
            Err(doubt @ Error::Doubtful { .. }) => self.settle(last, doubt).await?,
            other => other?,
        }
        Ok(done)
    }

    /// Finds out what became of a commit whose answer was lost. Its transaction held the head: whoever has the head after
    /// it finds its facts, or they were never appended and never will be. Salts are random: a commitment is found once.
    async fn settle(&self, last: Option<(i64, Digest)>, doubt: Error) -> Result<(), Error> {
        let Some((position, commitment)) = last else { return Ok(()) };
        let mut told = doubt;
        for _ in 0..SETTLE_TRIES {
            match self.is_taken(position, &commitment).await {
                Ok(true) => {
                    self.tell(Position(position.cast_unsigned() + 1));
                    return Ok(());
                }
                Ok(false) => {
                    let (what, why) = ("appending facts", "the server was lost before it took them".to_owned());
                    return Err(Error::Unreachable { what, why });
                }
                Err(error) if error.is_passing() => tokio::time::sleep(SETTLE_AFTER).await,
                Err(error) => {
                    told = error;
                    break;
                }
            }
        }
        Err(told)
    }

    async fn is_taken(&self, position: i64, commitment: &Digest) -> Result<bool, Error> {
        let mut transaction = self.begin().await?;
        let select = query("SELECT commitment FROM facts WHERE position = $1").bind(position);
        let row = transaction.first(select, "looking for facts whose commit was not answered").await?;
        transaction.commit().await?;
        Ok(row.is_some_and(|row| row.octets("commitment") == commitment.0))
    }
}

/// The same trouble, said to another who waits.
fn again(error: &Error) -> Error {
    match error {
        Error::Doubtful { what, why } => Error::Doubtful { what, why: why.clone() },
        Error::Unreachable { what, why } => Error::Unreachable { what, why: why.clone() },
        other => Error::Unreachable { what: "appending facts", why: other.to_string() },
    }
}

//----------- Appending --------------------------------------------------------------------------------------------

/// Facts on their way into the ledger, within a transaction that holds the write lock.
pub(crate) struct Appending {
    head: Head,
    rows: Vec<FactRow>,
}

impl Appending {
    pub(crate) async fn begin(transaction: &mut Transaction) -> Result<Self, Error> {
        Ok(Self { head: Head::load(transaction).await?, rows: Vec::new() })
    }

    /// Where the last of them stands, and under which commitment.
    fn last(&self) -> Option<(i64, Digest)> {
        self.rows.last().map(|row| (row.position, row.commitment))
    }

    /// Gives drafts their places in the ledger and in the tree.
    pub(crate) fn add(&mut self, drafts: Vec<Draft>, now: Timestamp) -> Result<Vec<Fact>, Error> {
        let mut facts = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let fact = draft.at(self.head.next(), now);
            let row = FactRow::of(&fact)?;
            self.head.frontier.push(leaf(&row.commitment.0));
            self.rows.push(row);
            facts.push(fact);
        }
        Ok(facts)
    }

    /// Writes the facts and moves the head, with a checkpoint over both. The next position is told to whoever commits.
    pub(crate) async fn finish(mut self, transaction: &mut Transaction, ledger: &Ledger) -> Result<Position, Error> {
        if !self.rows.is_empty() {
            write(transaction, &self.rows).await?;
            match ledger.inner.key.get() {
                // Another core has the key: it goes on from what it signed last.
                None if ledger.db().is_shared() => {}
                key => self.head.sign(key),
            }
            self.head.save(transaction).await?;
        }
        Ok(self.head.next())
    }
}

async fn write(transaction: &mut Transaction, rows: &[FactRow]) -> Result<(), Error> {
    let into = "INSERT INTO facts (position, version, time, kind, salt, commitment, body)";
    for some in rows.chunks(FACTS_PER_STATEMENT) {
        transaction.execute(insert(into, some.iter().map(FactRow::values)), "appending facts").await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use model::fact::{Actor, Body};

    use super::*;

    #[test]
    fn a_turn_takes_as_many_as_fit_and_one_that_never_fits_alone() {
        let line = Line::default();
        let body = || Body::Refused { tried: String::new(), why: String::new() };
        for facts in [3, FACTS_PER_TURN_MAX - 3, 1, FACTS_PER_TURN_MAX + 1, 0] {
            let drafts = vec![Draft::new(Actor::LocalUser { uid: 0 }, body()); facts];
            let wanted = Wanted { expected: None, drafts, sets: Vec::new(), now: Timestamp::UNIX_EPOCH };
            line.waiting().push_back(Waiting { wanted, tell: oneshot::channel().0 });
        }
        let turns: Vec<usize> = (0..5).map(|_| line.next().len()).collect();
        assert_eq!(turns, [2, 1, 1, 1, 0]);
    }
}
