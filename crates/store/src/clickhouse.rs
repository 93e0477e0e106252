//! The archive on many machines: ClickHouse holds the same rows, takes them segment by segment, and answers the same
//! reports.
//!
//! ```text
//! archive.commit ──► outbox (a second name of each file, one row) ──► INSERT, one segment = one block ──► row gone
//! ```
//!
//! A *segment* is a file of the archive as a follower wrote it: one table, one UTC day, never changed. Its id is the
//! digest of its octets, so the shard that it goes to ([`segment`]) and the token by which ClickHouse knows it again are
//! the same at every try, from every process, and after a restore. Whatever is not acknowledged is sent again, for ever;
//! what is acknowledged twice is there once.
//!
//! Columns come from the archive's own tables ([`columns`]), statements from [`ddl`], both pure; [`client`] is the one
//! page with a socket. What is deliberately absent: free SQL for whoever may not see every case (ClickHouse's own filters
//! can be walked around, so it is refused), and retries: whoever calls decides when.

mod ask;
mod client;
mod columns;
mod ddl;
mod profile;
mod row_binary;
mod segment;
mod target;
#[cfg(test)]
mod tests;
mod views;

pub use ddl::{Keep, Reader, statements};
pub use profile::{NoSuchProfile, Profile};
pub use target::{BadTarget, SERVERS_MAX, Server, Target};

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio_rustls::TlsConnector;

use crate::Error;
use client::{Client, Sent};

/// The table or view that a statement makes.
fn made_by(statement: &str) -> Option<&str> {
    let (kind, rest) = statement.split_once(" IF NOT EXISTS ")?;
    let name = rest.split([' ', '\n']).next()?.split_once('.')?.1;
    (kind != "CREATE DATABASE" && kind != "CREATE ROW POLICY").then_some(name)
}

/// A cluster, or one server, and how to speak to it; clones speak to the same.
#[derive(Clone)]
pub struct ClickHouse {
    inner: Arc<Inner>,
}

struct Inner {
    target: Target,
    client: Client,
}

impl ClickHouse {
    /// Nobody is called yet. `tls` is needed where a server is named by `https`.
    pub fn new(target: Target, tls: Option<TlsConnector>) -> Self {
        let client = Client::new(&target, tls);
        Self { inner: Arc::new(Inner { target, client }) }
    }

    pub fn target(&self) -> &Target {
        &self.inner.target
    }

    /// Makes what is missing: database, tables, roll-ups, views. What is there stays as it is.
    ///
    /// A statement on a cluster waits for every server of it. So where nothing is missing none is sent: a replica that is
    /// down must not keep the others from taking rows.
    pub async fn create(&self, keep: Keep) -> Result<(), Error> {
        let statements = statements(&self.inner.target, keep, &[]);
        let known = self.made().await?;
        let is_there = |statement: &String| made_by(statement).is_none_or(|name| known.contains(name));
        if !known.is_empty() && statements.iter().all(is_there) {
            return Ok(());
        }
        for statement in statements {
            self.first_of_all(&Sent::statement(statement)).await?;
        }
        Ok(())
    }

    /// The tables and views that the database has at the first server that answers.
    async fn made(&self) -> Result<BTreeSet<String>, Error> {
        let database = &self.inner.target.database;
        let sql = format!("SELECT name FROM system.tables WHERE database = '{database}' FORMAT TabSeparated");
        let said = self.first_of_all(&Sent::statement(sql)).await?;
        Ok(String::from_utf8_lossy(&said).lines().map(str::to_owned).collect())
    }

    /// Asks the servers one after the other, shard by shard, until one answers.
    async fn first_of_all(&self, sent: &Sent) -> Result<Vec<u8>, Error> {
        let servers: Vec<&Server> = self.inner.target.shards.iter().flatten().collect();
        self.first_of(&servers, sent).await
    }

    /// The answer of the first that gives one; what the last one said if none does.
    async fn first_of(&self, servers: &[&Server], sent: &Sent) -> Result<Vec<u8>, Error> {
        let mut last = Error::ClickHouse { server: "[clickhouse]".into(), what: "no server is named".into() };
        for server in servers {
            match self.inner.client.ask(server, sent).await {
                Ok(answer) => return Ok(answer),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}
