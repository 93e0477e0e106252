//! The head of the ledger: one row that says where it ends, what its tree is, and what was signed of it.
//!
//! Whoever appends reads it under the write lock and moves it in the same transaction, so positions are dense, a leaf
//! costs O(log n), and no fact stands in the ledger without a checkpoint over it.

use model::id::Position;
use sqlx::{Row as _, SqliteConnection};

use super::{Error, as_i64, damaged};
use crate::log::{Checkpoint, Frontier, SigningKey, VerifyingKey, leaf};

/// Commitments that are read at once while a tree is computed.
const LEAVES_PER_PAGE: i64 = 50_000;

/// Where the ledger ends.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) frontier: Frontier,
    pub(super) checkpoint: Option<String>,
}

impl Head {
    pub(super) fn next(&self) -> Position {
        Position(self.frontier.size())
    }

    /// Reads the row. With it the transaction holds what it needs to append.
    pub(super) async fn load(connection: &mut SqliteConnection) -> Result<Self, Error> {
        Self::find(connection).await?.ok_or_else(|| damaged("the row that says where the ledger ends is missing"))
    }

    async fn find(connection: &mut SqliteConnection) -> Result<Option<Self>, Error> {
        let row = sqlx::query("SELECT next, frontier, checkpoint FROM ledger_head WHERE id = 0");
        let row = row.fetch_optional(connection).await.map_err(Error::database("reading the ledger's head"))?;
        let Some(row) = row else { return Ok(None) };
        let next = row.get::<i64, _>("next").cast_unsigned();
        let frontier = Frontier::from_octets(next, row.get("frontier"));
        let frontier = frontier.ok_or_else(|| damaged("the edge of the ledger's tree does not fit its size"))?;
        Ok(Some(Self { frontier, checkpoint: row.get("checkpoint") }))
    }

    /// Reads the row, or makes it for a ledger that has none yet, and checks that it ends where the facts do.
    pub(super) async fn establish(connection: &mut SqliteConnection) -> Result<Self, Error> {
        let head = match Self::find(connection).await? {
            Some(head) => head,
            None => Self::compute(connection).await?,
        };
        let next = sqlx::query_scalar::<_, i64>("SELECT coalesce(max(position) + 1, 0) FROM facts");
        let next = next.fetch_one(connection).await.map_err(Error::database("reading the ledger's position"))?;
        if head.next().0 == next.cast_unsigned() {
            return Ok(head);
        }
        Err(damaged(&format!("its facts end before position {next}, and it was left at {}", head.next())))
    }

    /// The tree of a ledger that was written before there was one.
    async fn compute(connection: &mut SqliteConnection) -> Result<Self, Error> {
        let page = "SELECT commitment FROM facts WHERE position >= $1 ORDER BY position LIMIT $2";
        let mut head = Self { frontier: Frontier::default(), checkpoint: None };
        loop {
            let page = sqlx::query_scalar::<_, Vec<u8>>(page).bind(as_i64(head.next().0)).bind(LEAVES_PER_PAGE);
            let page = page.fetch_all(&mut *connection).await.map_err(Error::database("reading commitments"))?;
            if page.is_empty() {
                break;
            }
            page.iter().for_each(|commitment| head.frontier.push(leaf(commitment)));
        }
        head.save(connection).await?;
        Ok(head)
    }

    /// Signs what stands now, if there is a key. A ledger without one keeps no checkpoint of an older state.
    pub(super) fn sign(&mut self, key: Option<&SigningKey>) {
        self.checkpoint = key.map(|key| Checkpoint::sign(self.frontier.size(), &self.frontier.root(), key));
    }

    /// Checks that what was signed last is what stands.
    pub(super) fn check(&self, key: &VerifyingKey) -> Result<(), Error> {
        let Some(note) = &self.checkpoint else { return Ok(()) };
        let signed = Checkpoint::open(note, key).map_err(|why| damaged(&format!("its checkpoint: {why}")))?;
        if (signed.size, signed.root) == (self.frontier.size(), self.frontier.root()) {
            return Ok(());
        }
        Err(damaged(&format!("its checkpoint is over {} facts, and the tree has {}", signed.size, self.next())))
    }

    pub(super) async fn save(&self, connection: &mut SqliteConnection) -> Result<(), Error> {
        let upsert = "INSERT INTO ledger_head (id, next, frontier, checkpoint) VALUES (0, $1, $2, $3)
                      ON CONFLICT (id) DO UPDATE SET next = excluded.next, frontier = excluded.frontier,
                      checkpoint = excluded.checkpoint";
        sqlx::query(upsert)
            .bind(as_i64(self.next().0))
            .bind(self.frontier.to_octets())
            .bind(&self.checkpoint)
            .execute(connection)
            .await
            .map_err(Error::database("moving the ledger's head"))
            .map(|_| ())
    }
}
