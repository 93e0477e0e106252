//! The stories of a ledger, told to a real PostgreSQL: `cargo xtask test postgres` runs it.
//!
//! `conformance SOCKET_FOLDER PORT USER` makes a database for each story, which must own it, and prints a line for each. A story
//! that does not hold panics, and ends the program.

#[path = "../tests/conformance/stories.rs"]
mod stories;

use std::time::Instant;

use bailiwick_store::{Database, Postgres};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use stories::{Ground, each_story};

/// A set of names of this size is one row and one load.
const NAMES: usize = 1_000_000;

type Done = Result<(), Box<dyn std::error::Error + Send + Sync>>;

macro_rules! told_to_a_server {
    ($($story:ident)*) => {
        #[tokio::main(flavor = "multi_thread", worker_threads = 2)]
        async fn main() -> Done {
            let mut arguments = std::env::args().skip(1);
            let socket = arguments.next().ok_or("which folder is the server's socket in?")?;
            let port = arguments.next().ok_or("and which port?")?.parse::<u16>()?;
            let user = arguments.next().ok_or("as which user?")?;
            $(
                let name = stringify!($story).chars().take(60).collect::<String>();
                create(&socket, port, &user, &name).await?;
                let server = Postgres::parse(&format!("postgres:///{name}?host={socket}&port={port}&user={user}"))?;
                let start = now();
                stories::$story(&Ground::new(Database::Postgres(Box::new(server)), NAMES)).await;
                println!("held {} in {:.2} s", stringify!($story).replace('_', " "), start.elapsed().as_secs_f64());
            )*
            Ok(())
        }
    };
}

each_story!(told_to_a_server);

/// As the server's own administrator, whose name is that of the user who started it.
async fn create(socket: &str, port: u16, user: &str, database: &str) -> Done {
    let options =
        PgConnectOptions::new_without_pgpass().socket(socket).port(port).username("postgres").database("postgres");
    let mut connection = options.connect().await?;
    let create = format!("CREATE DATABASE \"{database}\" OWNER \"{user}\"");
    sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

#[expect(clippy::disallowed_methods, reason = "a measurement asks the clock")]
fn now() -> Instant {
    Instant::now()
}
