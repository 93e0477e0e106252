//! Ledger (being written).

use std::sync::Arc;

use model::fact::{Draft, Fact};
use model::id::Position;
use model::order::Names;
use model::{Digest, Timestamp};
use tokio::sync::watch;

use crate::Error;
use crate::folder::DataFolder;
use crate::view::View;

/// A set of names under its digest.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedSet {
    pub digest: Digest,
    pub names: Names,
}

/// Why facts were not appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Somebody else has appended since: load, decide again.
    #[error("the ledger is at {found} and not at {expected}")]
    Conflict { expected: Position, found: Position },
    #[error(transparent)]
    Store(#[from] Error),
}

/// The ledger; clones are the same ledger.
#[derive(Clone)]
pub struct Ledger;

impl Ledger {
    pub async fn open(_folder: &DataFolder) -> Result<Self, Error> {
        unimplemented!()
    }
    pub async fn append(
        &self,
        _expected: Option<Position>,
        _drafts: Vec<Draft>,
        _names: Vec<NamedSet>,
        _now: Timestamp,
    ) -> Result<Vec<Fact>, AppendError> {
        unimplemented!()
    }
    pub async fn facts(&self, _from: Position) -> Result<Vec<Fact>, Error> {
        unimplemented!()
    }
    pub async fn names(&self, _digest: &Digest) -> Result<Names, Error> {
        unimplemented!()
    }
    pub async fn view(&self) -> Result<Arc<View>, Error> {
        unimplemented!()
    }
    pub fn changed(&self) -> watch::Receiver<Position> {
        unimplemented!()
    }
    pub async fn close(self) {}
}
