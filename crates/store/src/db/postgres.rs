//! What is PostgreSQL's own: a server that several data folders share.
//!
//! ```text
//! schema bailiwick          facts, head, sets of names, named zones, leases: one ledger, for all who share it
//! schema bailiwick_<folder> manifest and cursors of one data folder, whose files lie on one machine
//! ```
//!
//! A connection looks into its folder's schema first and then into the shared one, so that every statement reads as it
//! does for SQLite, and "file archived, facts learned, cursor moved" stays one transaction of one database.
//!
//! Whoever appends locks the one row of `ledger_head`; whoever reads sees what was committed, and locks nothing.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};

use super::link::{Link, patient};
use super::sqlite::simple;
use super::{Db, query};
use crate::Error;

mod settings;

pub use settings::{CONNECTIONS_MAX, CONNECTIONS_MIN, Postgres, PostgresError};

/// The longest that anybody waits for a connection: behind others, or for a server that does not answer.
const ACQUIRE: Duration = Duration::from_secs(10);

/// The longest that a session's end is waited for.
const END_MAX: Duration = Duration::from_secs(5);

/// What the server holds our sessions to, whatever its own defaults are. A fact is synced before it is acknowledged; nobody
/// waits for ever behind somebody who hangs in the middle of an append, nor does a machine that is gone keep its lock.
const SESSION: [(&str, &str); 6] = [
    ("synchronous_commit", "on"),
    ("statement_timeout", "30s"),
    ("lock_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "20s"),
    ("tcp_keepalives_idle", "20s"),
    ("tcp_user_timeout", "30s"),
];

/// Takes the right to append, and nothing but it.
pub(super) const BEGIN: &str = "BEGIN; SELECT id FROM bailiwick.ledger_head WHERE id = 0 FOR UPDATE";
pub(super) const BEGIN_BESIDE: &str = "BEGIN";
/// It locks nothing that others wait for, and may think between two questions as long as it likes.
pub(super) const BEGIN_TO_READ: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = 0";

/// To the microsecond.
pub(super) const NOW_NANOS: &str = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 1000";

/// Where an append is told to whoever listens; the word is the next position.
pub(crate) const CHANNEL: &str = "bailiwick_ledger";

/// The first of two numbers under which a session holds a data folder: "bw", and what the folder's name comes to.
const FOLDER_LOCK: i32 = 0x6277;

//----------- Server -----------------------------------------------------------------------------------------------

/// Connections to a server.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pool: PgPool,
    folder: String,
}

/// Opens the shared ledger for a data folder, whose name is 16 hexadecimal digits, with the newest schema.
pub(crate) async fn open(settings: &Postgres, folder: &str) -> Result<Db, Error> {
    let own = format!("bailiwick_{folder}");
    migrate(settings, &own).await?;
    Ok(Db::Postgres(connect(settings, &own, folder)))
}

/// Reaches the shared ledger as it is, for reading alone.
pub(crate) async fn open_to_read(settings: &Postgres) -> Result<Db, Error> {
    Ok(Db::Postgres(connect(settings, "bailiwick", "")))
}

fn connect(settings: &Postgres, own: &str, folder: &str) -> Server {
    let options = session(settings, own);
    let pool = PgPoolOptions::new().max_connections(settings.connections()).acquire_timeout(ACQUIRE);
    Server { pool: pool.connect_lazy_with(options), folder: folder.to_owned() }
}

fn session(settings: &Postgres, own: &str) -> PgConnectOptions {
    let path = [("search_path", format!("{own},bailiwick"))];
    settings.options().application_name("bailiwick").options(SESSION).options(path).disable_statement_logging()
}

impl Server {
    pub(super) async fn link(&self) -> Result<Link, sqlx::Error> {
        self.pool.acquire().await.map(Link::new)
    }

    pub(super) async fn begin(&self, how: &'static str) -> Result<Link, sqlx::Error> {
        let mut link = self.link().await?;
        link.begin(how).await?;
        Ok(link)
    }

    pub(super) async fn close(&self) {
        // Whoever waits longer waits for a server that does not answer.
        let _ = tokio::time::timeout(END_MAX, self.pool.close()).await;
    }

    /// A session of its own that hears of appends, and holds the data folder as long as it lasts.
    pub(crate) async fn listen(&self) -> Result<Listening, Error> {
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE);
        let pool = pool
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(PgConnectOptions::clone(&self.pool.connect_options()));
        let listen = async {
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.ignore_pool_close_event(true);
            listener.eager_reconnect(false);
            listener.listen(CHANNEL).await?;
            let hold = sqlx::query_scalar("SELECT pg_try_advisory_lock($1, hashtext($2))");
            let hold = hold.bind(FOLDER_LOCK).bind(&self.folder).fetch_one(&mut listener).await?;
            Ok((hold, listener))
        };
        let (is_held, listener) =
            patient(listen).await.map_err(Error::database("listening to the ledger's database"))?;
        let listening = Listening { listener, pool };
        if is_held {
            return Ok(listening);
        }
        listening.end().await;
        Err(Error::FolderTwice { folder: self.folder.clone() })
    }
}

/// A session that listens.
pub(crate) struct Listening {
    listener: PgListener,
    pool: PgPool,
}

/// What was heard.
pub(crate) enum Heard {
    /// The next position of the ledger.
    Next(u64),
    /// Something that says nothing to us.
    Nothing,
}

impl Listening {
    /// Waits for the next word. It may be dropped while it waits.
    pub(crate) async fn hear(&mut self) -> Result<Heard, Error> {
        let what = "listening to the ledger's database";
        match self.listener.try_recv().await.map_err(Error::database(what))? {
            Some(word) => Ok(word.payload().parse().map_or(Heard::Nothing, Heard::Next)),
            None => Err(Error::Unreachable { what, why: "the server closed the session".into() }),
        }
    }

    /// Lets go of the data folder.
    pub(crate) async fn end(self) {
        drop(self.listener);
        let _ = tokio::time::timeout(END_MAX, self.pool.close()).await;
    }
}

/// What the doctor asks of a server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Examined {
    /// `15.20 (Debian …)`.
    pub version: String,
    /// Settings without which a loss of power loses what was acknowledged, and what each is set to.
    pub unsafe_settings: Vec<String>,
    /// Facts in the ledger; `None` where no ledger is yet.
    pub facts: Option<u64>,
}

/// Reaches the server and looks at it.
pub async fn examine(settings: &Postgres) -> Result<Examined, Error> {
    let db = open_to_read(settings).await?;
    let what = "asking the server for its settings";
    let ask = "SELECT name, setting FROM pg_settings WHERE name IN ('server_version', 'fsync', 'full_page_writes')";
    let rows = db.all(query(ask), what).await?;
    let setting =
        |name: &str| rows.iter().find(|row| row.text("name") == name).map(|row| row.text("setting").to_owned());
    let is_off = |name: &&str| setting(name).as_deref() == Some("off");
    let unsafe_settings = ["fsync", "full_page_writes"].into_iter().filter(|name| is_off(name)).map(str::to_owned);
    let unsafe_settings = unsafe_settings.collect();
    let head = "SELECT count(*) AS tables FROM pg_tables WHERE schemaname = 'bailiwick' AND tablename = 'ledger_head'";
    let is_there = db.first(query(head), what).await?.is_some_and(|row| row.number("tables") > 0);
    let facts = match is_there {
        true => db.first(query("SELECT next FROM ledger_head WHERE id = 0"), what).await?,
        false => None,
    };
    let facts = facts.map(|row| row.number("next").cast_unsigned());
    db.close().await;
    Ok(Examined { version: setting("server_version").unwrap_or_default(), unsafe_settings, facts })
}

//----------- Schemas ----------------------------------------------------------------------------------------------

/// On a connection of its own, which is closed whatever happens: the lock under which migrations run goes with it.
async fn migrate(settings: &Postgres, own: &str) -> Result<(), Error> {
    let options = session(settings, own).options([("statement_timeout", "0")]);
    let connect = tokio::time::timeout(ACQUIRE, PgConnection::connect_with(&options));
    let connection = connect.await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
    let mut connection = connection.map_err(Error::database("reaching the ledger's database"))?;
    let done = async {
        migrator(&SHARED, "bailiwick").run(&mut connection).await?;
        migrator(&OF_FOLDER, own).run(&mut connection).await
    };
    let done = done.await.map_err(|error| match error {
        MigrateError::VersionMissing(found) => Error::Schema { found, known: SHARED.len() as i64 },
        other => Error::database("migrating")(other.into()),
    });
    // The server drops what hangs by itself.
    let _ = connection.close().await;
    done
}

fn migrator(released: &[(i64, &'static str, &'static str)], schema: &str) -> Migrator {
    let migrations = released.iter().map(|(version, name, sql)| simple(*version, name, sql)).collect();
    let mut migrator = Migrator::with_migrations(migrations);
    migrator.create_schema(schema.to_owned());
    migrator.dangerous_set_table_name(format!("{schema}._migrations"));
    migrator
}

/// Forward only, as SQLite's. The first has what SQLite's first five came to.
const SHARED: [(i64, &str, &str); 1] = [(1, "ledger", include_str!("../../migrations/postgres/0001_ledger.sql"))];
const OF_FOLDER: [(i64, &str, &str); 4] = [
    (1, "folder", include_str!("../../migrations/postgres/folder/0001_folder.sql")),
    (2, "outbox", include_str!("../../migrations/postgres/folder/0002_outbox.sql")),
    (3, "sensors", include_str!("../../migrations/postgres/folder/0003_sensors.sql")),
    (4, "retention", include_str!("../../migrations/postgres/folder/0004_retention.sql")),
];

#[cfg(test)]
mod tests {
    use model::Digest;

    use super::super::sqlite;
    use super::*;

    /// A database remembers what its schema was made of, and refuses a program that says otherwise.
    #[test]
    fn what_was_released_is_never_changed() {
        let all = [("sqlite", &sqlite::RELEASED[..]), ("postgres", &SHARED), ("postgres/folder", &OF_FOLDER)];
        let line = |kind: &str, (version, name, sql): &(i64, &str, &str)| {
            format!("{kind} {version} {name} {}\n", Digest::of_bytes(sql.as_bytes()))
        };
        let lines: String =
            all.into_iter().flat_map(|(kind, some)| some.iter().map(move |one| line(kind, one))).collect();
        insta::assert_snapshot!("migrations", lines);
    }
}
