//! Archive (being written).

use std::collections::BTreeMap;
use std::path::PathBuf;

use model::Timestamp;
use model::fact::{Draft, Fact};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::folder::DataFolder;
use crate::journal::Cursor;
use crate::ledger::Ledger;

mod cell;
mod rows;
mod sighting;
mod tables;

pub use sighting::{Sighting, SightingFilter};
pub use tables::{ContactRow, OutcomeRow, RawRow, VerdictRow};

/// What a follower made of a stretch of the journal.
#[derive(Clone, Debug, Default)]
pub struct ArchiveBatch {
    pub contacts: Vec<ContactRow>,
    pub outcomes: Vec<OutcomeRow>,
    pub verdicts: Vec<VerdictRow>,
    /// How far the follower has read with this batch.
    pub cursor: Cursor,
    pub facts: Vec<Draft>,
}

/// Rows of a table that the archive holds.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct TableTally {
    pub files: u64,
    pub rows: u64,
    pub bytes: u64,
}

/// The answer to a query.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QueryAnswer {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<serde_json::Value>>,
    /// There were more rows than the limit lets through.
    pub cut: bool,
}

#[derive(Clone)]
pub struct Archive;

impl Archive {
    pub async fn open(_folder: &DataFolder, _ledger: &Ledger) -> Result<Self, Error> {
        unimplemented!()
    }
    /// Files without a manifest row that were found at open and put into quarantine.
    pub fn orphans(&self) -> &[PathBuf] {
        unimplemented!()
    }
    pub async fn commit(&self, _follower: &str, _batch: ArchiveBatch, _now: Timestamp) -> Result<Vec<Fact>, Error> {
        unimplemented!()
    }
    pub async fn cursor(&self, _follower: &str) -> Result<Cursor, Error> {
        unimplemented!()
    }
    pub async fn sightings(&self, _filter: &SightingFilter) -> Result<Vec<Sighting>, Error> {
        unimplemented!()
    }
    /// One SELECT over the views `contacts`, `raw`, `outcomes`, `verdicts`, `sightings`. Without the feature `query`
    /// every question is refused.
    pub async fn query(&self, _sql: &str) -> Result<QueryAnswer, Error> {
        unimplemented!()
    }
    /// By table: `contacts`, `raw`, `outcomes`, `verdicts`.
    pub async fn tallies(&self) -> Result<BTreeMap<String, TableTally>, Error> {
        unimplemented!()
    }
}
