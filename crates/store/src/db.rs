//! The database beneath the ledger: a SQLite file, or PostgreSQL where several cores share it.
//!
//! A closed enum of two pools, and nothing generic: every statement of this room is written once, in the SQL that both
//! understand (`$1`, `ON CONFLICT`, `RETURNING`), over three kinds of value (numbers of 64 bits, octets, text). A
//! statement is a [`Query`], an answer is made of [`Row`]s, and what must happen as one is a [`Transaction`]. Where the
//! two differ, [`sqlite`] and [`postgres`] hold the difference side by side: how one opens, how one takes the right to
//! append, what the time is, whether the database itself is sound.
//!
//! What is deliberately absent: sqlx's own `Any`, which knows neither octets in both nor `BEGIN IMMEDIATE`.

use sqlx::sqlite::SqlitePool;

use crate::Error;

mod link;
pub mod postgres;
mod query;
mod row;
pub(crate) mod sqlite;

use link::Link;
pub use postgres::{Postgres, PostgresError};
pub(crate) use query::{Query, Value, insert, query, query_of};
pub(crate) use row::Row;

//----------- Database ---------------------------------------------------------------------------------------------

/// Which database holds the ledger of a data folder.
#[derive(Clone, Debug, Default)]
pub enum Database {
    /// The file `ledger.sqlite` within the folder.
    #[default]
    Folder,
    /// A server that several folders may share.
    Postgres(Box<Postgres>),
}

//----------- Db ---------------------------------------------------------------------------------------------------

/// An open database; clones are the same one.
#[derive(Clone, Debug)]
pub(crate) enum Db {
    Sqlite(SqlitePool),
    Postgres(postgres::Server),
}

impl Db {
    /// Begins what appends: until the commit nobody else does. Both ways the lock is taken first, because a transaction
    /// that reads first and takes it later can find that it is too late.
    pub(crate) async fn begin(&self) -> Result<Transaction, Error> {
        match self {
            Self::Sqlite(pool) => sqlite::begin(pool, sqlite::BEGIN).await,
            Self::Postgres(server) => server.begin(postgres::BEGIN).await.map(Transaction::Postgres),
        }
        .map_err(Error::database("beginning"))
    }

    /// Begins what changes rows beside the ledger and appends nothing. SQLite knows one writer; PostgreSQL lets others
    /// append meanwhile, and two who change the same row wait for each other.
    pub(crate) async fn begin_beside(&self) -> Result<Transaction, Error> {
        match self {
            Self::Sqlite(pool) => sqlite::begin(pool, sqlite::BEGIN).await,
            Self::Postgres(server) => server.begin(postgres::BEGIN_BESIDE).await.map(Transaction::Postgres),
        }
        .map_err(Error::database("beginning"))
    }

    /// Begins to read what stands at this moment, whatever is appended meanwhile.
    pub(crate) async fn begin_to_read(&self) -> Result<Transaction, Error> {
        match self {
            Self::Sqlite(pool) => sqlite::begin(pool, sqlite::BEGIN_TO_READ).await,
            Self::Postgres(server) => server.begin(postgres::BEGIN_TO_READ).await.map(Transaction::Postgres),
        }
        .map_err(Error::database("beginning to read"))
    }

    /// All rows of a question.
    pub(crate) async fn all(&self, query: Query, what: &'static str) -> Result<Vec<Row>, Error> {
        match self {
            Self::Sqlite(pool) => query.for_sqlite().fetch_all(pool).await.map(Row::of_sqlite),
            Self::Postgres(server) => match server.link().await {
                Ok(mut link) => link.all(query).await.map(Row::of_postgres),
                Err(error) => Err(error),
            },
        }
        .map_err(Error::database(what))
    }

    /// The first row, if there is one.
    pub(crate) async fn first(&self, query: Query, what: &'static str) -> Result<Option<Row>, Error> {
        Ok(self.all(query, what).await?.into_iter().next())
    }

    /// Runs a statement outside a transaction.
    pub(crate) async fn execute(&self, query: Query, what: &'static str) -> Result<u64, Error> {
        match self {
            Self::Sqlite(pool) => query.for_sqlite().execute(pool).await.map(|done| done.rows_affected()),
            Self::Postgres(server) => match server.link().await {
                Ok(mut link) => link.execute(query).await,
                Err(error) => Err(error),
            },
        }
        .map_err(Error::database(what))
    }

    /// Whether other processes append to it too.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// A number of nanoseconds by the database's own clock: the one clock that all who share it have.
    pub(crate) fn now_nanos(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => sqlite::NOW_NANOS,
            Self::Postgres(_) => postgres::NOW_NANOS,
        }
    }

    /// Waits for what is under way, and closes every connection.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(server) => server.close().await,
        }
    }
}

//----------- Transaction ------------------------------------------------------------------------------------------

/// What happens as one. Dropped before its commit, nothing has happened.
#[derive(Debug)]
pub(crate) enum Transaction {
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(Link),
}

impl Transaction {
    pub(crate) async fn all(&mut self, query: Query, what: &'static str) -> Result<Vec<Row>, Error> {
        match self {
            Self::Sqlite(connection) => query.for_sqlite().fetch_all(&mut **connection).await.map(Row::of_sqlite),
            Self::Postgres(link) => link.all(query).await.map(Row::of_postgres),
        }
        .map_err(Error::database(what))
    }

    pub(crate) async fn first(&mut self, query: Query, what: &'static str) -> Result<Option<Row>, Error> {
        Ok(self.all(query, what).await?.into_iter().next())
    }

    /// How many rows it changed.
    pub(crate) async fn execute(&mut self, query: Query, what: &'static str) -> Result<u64, Error> {
        match self {
            Self::Sqlite(connection) => {
                query.for_sqlite().execute(&mut **connection).await.map(|done| done.rows_affected())
            }
            Self::Postgres(link) => link.execute(query).await,
        }
        .map_err(Error::database(what))
    }

    /// # Errors
    /// [`Error::Doubtful`] if a server did not say whether it was done; every other error means that it was not.
    pub(crate) async fn commit(self) -> Result<(), Error> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await.map_err(Error::database("committing")),
            Self::Postgres(link) => link.commit().await,
        }
    }
}
