//! The head of the ledger: one row that says where it ends, what its tree is, and what was signed of it.
//!
//! Whoever appends reads it under the write lock and moves it in the same transaction, so positions are dense, a leaf
//! costs O(log n), and no fact stands in the ledger without a checkpoint over it.

use model::id::Position;

use super::{Error, as_i64, damaged};
use crate::db::{Row, Transaction, query};
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
    pub(super) async fn load(transaction: &mut Transaction) -> Result<Self, Error> {
        Self::find(transaction).await?.ok_or_else(|| damaged("the row that says where the ledger ends is missing"))
    }

    async fn find(transaction: &mut Transaction) -> Result<Option<Self>, Error> {
        let row = query("SELECT next, frontier, checkpoint FROM ledger_head WHERE id = 0");
        transaction.first(row, "reading the ledger's head").await?.map(|row| Self::read(&row)).transpose()
    }

    pub(super) fn read(row: &Row) -> Result<Self, Error> {
        let next = row.number("next").cast_unsigned();
        let frontier = Frontier::from_octets(next, row.octets("frontier"));
        let frontier = frontier.ok_or_else(|| damaged("the edge of the ledger's tree does not fit its size"))?;
        Ok(Self { frontier, checkpoint: row.text_if_any("checkpoint") })
    }

    /// Reads the row, or makes it for a ledger that has none yet, and checks that it ends where the facts do.
    pub(super) async fn establish(transaction: &mut Transaction) -> Result<Self, Error> {
        let head = match Self::find(transaction).await? {
            Some(head) => head,
            None => Self::compute(transaction).await?,
        };
        let next = query("SELECT coalesce(max(position) + 1, 0) AS next FROM facts");
        let next = transaction.first(next, "reading the ledger's position").await?.map_or(0, |row| row.number("next"));
        if head.next().0 == next.cast_unsigned() {
            return Ok(head);
        }
        Err(damaged(&format!("its facts end before position {next}, and it was left at {}", head.next())))
    }

    /// The tree of a ledger that was written before there was one.
    async fn compute(transaction: &mut Transaction) -> Result<Self, Error> {
        let mut head = Self { frontier: Frontier::default(), checkpoint: None };
        head.grow(transaction, None).await?;
        head.save(transaction).await?;
        Ok(head)
    }

    /// Takes in the facts that follow, up to a size, page by page.
    pub(super) async fn grow(&mut self, transaction: &mut Transaction, to: Option<u64>) -> Result<(), Error> {
        let page = "SELECT commitment FROM facts WHERE position >= $1 AND position < $2 ORDER BY position LIMIT $3";
        let to = as_i64(to.unwrap_or(u64::MAX));
        loop {
            let page = query(page).bind(as_i64(self.next().0)).bind(to).bind(LEAVES_PER_PAGE);
            let page = transaction.all(page, "reading commitments").await?;
            if page.is_empty() {
                return Ok(());
            }
            page.iter().for_each(|row| self.frontier.push(leaf(row.octets("commitment"))));
        }
    }

    /// Signs what stands now, if there is a key. A ledger of its own without one keeps no checkpoint of an older state.
    pub(super) fn sign(&mut self, key: Option<&SigningKey>) {
        self.checkpoint = key.map(|key| Checkpoint::sign(self.frontier.size(), &self.frontier.root(), key));
    }

    /// How many facts the checkpoint says that it is over. Whoever believes it opens it with the key.
    pub(super) fn signed_size(&self) -> Option<u64> {
        self.checkpoint.as_ref()?.lines().nth(1)?.parse().ok()
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

    pub(super) async fn save(&self, transaction: &mut Transaction) -> Result<(), Error> {
        let upsert = "INSERT INTO ledger_head (id, next, frontier, checkpoint) VALUES (0, $1, $2, $3)
                      ON CONFLICT (id) DO UPDATE SET next = excluded.next, frontier = excluded.frontier,
                      checkpoint = excluded.checkpoint";
        let next = as_i64(self.next().0);
        let upsert = query(upsert).bind(next).bind(self.frontier.to_octets()).bind(self.checkpoint.clone());
        transaction.execute(upsert, "moving the ledger's head").await.map(|_| ())
    }
}
