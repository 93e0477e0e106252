//! The link to a ledger that others append to: hears of their facts, and says whether the server answers.
//!
//! ```text
//! reached ──an error, or no answer in time──► away ──a look that is answered──► reached
//! ```
//!
//! A task listens for what the server tells at each commit, and looks every few seconds whatever it hears: a notification is
//! a courtesy, the head row is the truth. While the server is away nothing here ends: whoever follows waits, whoever
//! appends is refused, and the journal keeps what is answered. A ledger in the folder's own file needs none of it.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use model::id::Position;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::{Error, Ledger};
use crate::db::postgres::{Heard, Listening, Server};
use crate::db::{Db, query};

/// How often the head is looked at, heard or not, and how long a look may take.
const LOOK_EVERY: Duration = Duration::from_secs(2);
const LOOK_MAX: Duration = Duration::from_secs(8);
/// How soon a lost server is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// A session of this folder that was killed is given so long to be missed by the server.
const FOLDER_TRIES: usize = 10;
const FOLDER_RETRY_AFTER: Duration = Duration::from_millis(500);

/// Whether the ledger's database answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reach {
    /// `sqlite` or `postgresql`.
    pub database: &'static str,
    pub is_reached: bool,
    /// Since when, in whole seconds before now.
    pub for_secs: u64,
    /// What it said last, if it does not answer.
    pub why: Option<String>,
}

#[derive(Default)]
pub(super) struct Link {
    state: Mutex<State>,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct State {
    since: Option<Instant>,
    why: Option<String>,
}

impl Link {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the link's state")
    }

    /// Said once, when it changes.
    fn note(&self, looked: Result<(), Error>) {
        let mut state = self.state();
        match (looked, state.why.is_some()) {
            (Ok(()), true) => {
                tracing::info!(target: "bailiwick_store", "the ledger's database answers again");
                *state = State { since: Some(Instant::now()), why: None };
            }
            (Err(error), false) => {
                tracing::error!(target: "bailiwick_store", %error, "the ledger's database is away: facts are refused, answers and the journal go on; hint: look at the server; it is tried again");
                *state = State { since: Some(Instant::now()), why: Some(plain(&error)) };
            }
            (Err(error), true) => state.why = Some(plain(&error)),
            (Ok(()), false) => _ = state.since.get_or_insert_with(Instant::now),
        }
    }

    /// Ends the task, if there is one.
    pub(super) async fn end(&self) {
        self.stop.send_replace(true);
        let task = self.task.lock().expect("nothing panics while it holds the task").take();
        if let Some(task) = task {
            // It ends by itself, or is away waiting for a server that does not answer.
            let abort = task.abort_handle();
            if timeout(LOOK_MAX, task).await.is_err() {
                abort.abort();
            }
        }
    }
}

impl Ledger {
    /// Whether the ledger's database answers; a file does as long as its disk does.
    pub fn reach(&self) -> Reach {
        let state = self.inner.link.state();
        let for_secs = state.since.map_or(0, |since| since.elapsed().as_secs());
        let database = if self.db().is_shared() { "postgresql" } else { "sqlite" };
        Reach { database, is_reached: state.why.is_none(), for_secs, why: state.why.clone() }
    }

    /// Refuses at once what would wait for a server that is known to be away.
    pub(super) fn check_reached(&self, what: &'static str) -> Result<(), Error> {
        match &self.inner.link.state().why {
            Some(why) => Err(Error::Unreachable { what, why: why.clone() }),
            None => Ok(()),
        }
    }

    /// Begins to hear of others' facts, where there are others.
    pub(super) async fn follow_others(&self, holder: String) -> Result<(), Error> {
        let Db::Postgres(server) = self.db() else { return Ok(()) };
        let listening = hold(server).await?;
        let follow = follow(self.clone(), server.clone(), listening, holder, self.inner.link.stop.subscribe());
        let task = tokio::spawn(follow);
        *self.inner.link.task.lock().expect("nothing panics while it holds the task") = Some(task);
        Ok(())
    }

    /// Looks where the ledger ends.
    async fn look(&self) -> Result<(), Error> {
        let look = async {
            let head = query("SELECT next FROM ledger_head WHERE id = 0");
            let head = self.db().first(head, "looking for new facts").await?;
            self.tell(Position(head.map_or(0, |row| row.number("next").cast_unsigned())));
            Ok(())
        };
        let late = || {
            let why = format!("no answer within {} s", LOOK_MAX.as_secs());
            Err(Error::Unreachable { what: "looking for new facts", why })
        };
        timeout(LOOK_MAX, look).await.unwrap_or_else(|_| late())
    }
}

/// What the server said, or did not.
fn plain(error: &Error) -> String {
    match error {
        Error::Unreachable { why, .. } | Error::Doubtful { why, .. } => why.clone(),
        other => other.to_string(),
    }
}

async fn hold(server: &Server) -> Result<Listening, Error> {
    for _ in 1..FOLDER_TRIES {
        match server.listen().await {
            Err(Error::FolderTwice { .. }) => sleep(FOLDER_RETRY_AFTER).await,
            other => return other,
        }
    }
    server.listen().await
}

async fn follow(ledger: Ledger, server: Server, listening: Listening, holder: String, mut stop: watch::Receiver<bool>) {
    let mut listening = Some(listening);
    while !*stop.borrow() {
        let heard = match listening.take() {
            Some(listening) => Ok(listening),
            None => server.listen().await,
        };
        match heard {
            Ok(mut heard) => {
                let lost = hear(&ledger, &mut heard, &holder, &mut stop).await;
                ledger.inner.link.note(lost);
                heard.end().await;
            }
            Err(error) => ledger.inner.link.note(Err(error)),
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = sleep(RETRY_AFTER) => {}
        }
    }
}

/// Until the stop, or until the session is lost.
async fn hear(
    ledger: &Ledger,
    listening: &mut Listening,
    holder: &str,
    stop: &mut watch::Receiver<bool>,
) -> Result<(), Error> {
    loop {
        ledger.look().await?;
        ledger.inner.link.note(Ok(()));
        match ledger.sign_for_others(holder).await {
            Err(error) if error.is_passing() => return Err(error),
            Err(error) => {
                tracing::error!(target: "bailiwick_store", %error, "what others appended is not signed; hint: `bailiwick audit verify`");
            }
            Ok(_) => {}
        }
        let next_look = sleep(LOOK_EVERY);
        tokio::pin!(next_look);
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
                () = &mut next_look => break,
                heard = listening.hear() => match heard? {
                    Heard::Next(next) => ledger.tell(Position(next)),
                    Heard::Nothing => {}
                },
            }
        }
    }
}
