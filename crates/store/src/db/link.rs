//! One connection to the server, for a question or for a transaction.
//!
//! Nothing here waits for ever: a server that was stopped in the middle of an answer looks to its clients like one that
//! thinks. A connection on which something went wrong, or that is let go within a transaction, is closed and not used
//! again; the server forgets what was not committed.

use std::future::Future;
use std::io;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::{Error as Trouble, Postgres};
use tokio::time::timeout;

use super::query::Query;
use crate::Error;

/// The longest that is waited for one answer. The server gives up before (`STATEMENT_MAX`), if it lives.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(45);

#[derive(Debug)]
pub(crate) struct Link {
    connection: PoolConnection<Postgres>,
    /// Whether the last word on it was an answer.
    is_sound: bool,
    is_within: bool,
}

impl Link {
    pub(super) fn new(connection: PoolConnection<Postgres>) -> Self {
        Self { connection, is_sound: true, is_within: false }
    }

    /// Begins a transaction with these words.
    pub(super) async fn begin(&mut self, how: &'static str) -> Result<(), Trouble> {
        self.is_sound = false;
        patient(sqlx::raw_sql(how).execute(&mut *self.connection)).await?;
        (self.is_sound, self.is_within) = (true, true);
        Ok(())
    }

    pub(super) async fn all(&mut self, query: Query) -> Result<Vec<PgRow>, Trouble> {
        self.is_sound = false;
        let rows = patient(query.for_postgres().fetch_all(&mut *self.connection)).await?;
        self.is_sound = true;
        Ok(rows)
    }

    pub(super) async fn execute(&mut self, query: Query) -> Result<u64, Trouble> {
        self.is_sound = false;
        let done = patient(query.for_postgres().execute(&mut *self.connection)).await?;
        self.is_sound = true;
        Ok(done.rows_affected())
    }

    /// Whatever the server does not refuse in so many words may have happened: the answer was lost, and not the deed.
    pub(super) async fn commit(mut self) -> Result<(), Error> {
        let what = "committing";
        assert!(self.is_sound && self.is_within, "what failed is not committed");
        self.is_sound = false;
        match patient(sqlx::raw_sql("COMMIT").execute(&mut *self.connection)).await {
            Ok(_) => {
                (self.is_sound, self.is_within) = (true, false);
                Ok(())
            }
            Err(error) => match Error::database(what)(error) {
                Error::Unreachable { what, why } => Err(Error::Doubtful { what, why }),
                refused => Err(refused),
            },
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if self.is_within || !self.is_sound {
            self.connection.close_on_drop();
        }
    }
}

pub(super) async fn patient<T>(answer: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    timeout(ANSWER_MAX, answer).await.unwrap_or_else(|_| {
        let why = format!("no answer within {} s", ANSWER_MAX.as_secs());
        Err(Trouble::Io(io::Error::new(io::ErrorKind::TimedOut, why)))
    })
}
