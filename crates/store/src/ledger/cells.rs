//! Every cell of a SQLite file, whatever its tables: for whoever looks for what must not be there.

use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

use crate::Error;

/// Cells on their way from the thread that reads to the caller.
const UNDER_WAY: usize = 256;

/// Hands over every cell of every table, as bytes; numbers come as their digits. It needs no runtime and opens
/// nothing for writing.
pub fn each_cell(file: &Path, each: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
    let (sender, receiver) = sync_channel::<Vec<u8>>(UNDER_WAY);
    thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            runtime.map_err(Error::io("starting a runtime for", file))?.block_on(send_cells(file, &sender))
        });
        receiver.into_iter().for_each(|cell| each(&cell));
        reader.join().expect("reading cells does not panic")
    })
}

async fn send_cells(file: &Path, sender: &SyncSender<Vec<u8>>) -> Result<(), Error> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true);
    let mut database = options.connect().await.map_err(Error::database("opening a database to look through"))?;
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .fetch_all(&mut database)
        .await
        .map_err(Error::database("listing tables"))?;
    for table in tables {
        // The name comes from the schema itself, and is quoted.
        let all = AssertSqlSafe(format!("SELECT * FROM \"{}\"", table.replace('"', "\"\"")));
        let rows = sqlx::query(all).fetch_all(&mut database).await.map_err(Error::database("reading a table"))?;
        for row in rows {
            for column in 0..row.len() {
                let cell: Option<Vec<u8>> = row.try_get_unchecked(column).map_err(Error::database("reading a cell"))?;
                // Nobody listens any more only if the caller panicked.
                let _ = sender.send(cell.unwrap_or_default());
            }
        }
    }
    database.close().await.map_err(Error::database("closing a database"))
}
