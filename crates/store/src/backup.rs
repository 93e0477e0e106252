//! Backups: a copy of the memory that proves itself, taken while the program runs, and the way back from it.
//!
//! ```text
//! DIR/data/ledger.sqlite   the ledger as it stood at one moment, with manifest, cursors, names and zones
//! DIR/data/archive/…       the files that this ledger's manifest names, and no others
//! DIR/data/journal/…       every segment; the open ones as far as they were written by then
//! DIR/data/vault/…         exhibits, by their digests
//! DIR/data/{format,sensor,boot}   DIR/config/…   the configuration
//! DIR/manifest             path, length and SHA-256 of each, in a signed note; written last
//! ```
//!
//! The ledger is copied first, so whatever it names is in what is copied after it: blobs and archive files are there before
//! the fact or row that names them, and the journal is at least as long as any cursor says. The archive's files are held in
//! place by links within the data folder, so that a compaction waits for those alone and not for the copying.
//!
//! Keys lie apart and are backed up apart ([`take_keys`]): whoever finds a backup of the data can neither sign nor open
//! what is sealed. What is deliberately absent: the quarantine, tables of networks, and anything incremental.

use std::path::{Path, PathBuf};

use model::digest::Digest;
use model::id::Position;
use serde::{Deserialize, Serialize};

use crate::log::NoteError;

mod copy;
mod manifest;
mod restore;
mod take;
#[cfg(test)]
mod tests;

pub use manifest::{Head, Kind};
pub use restore::{Found, Restoring, check, check_signature, restore_keys};
pub use take::{Source, take, take_keys};

/// The most faults of a backup that are told one by one.
pub const FAULTS_MAX: usize = 20;

/// What was written.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    /// Of the manifest: this names the backup.
    pub digest: Digest,
    /// Facts from this position on are not in it.
    pub facts: Position,
    pub files: u64,
    pub octets: u64,
}

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{} is not empty", .0.display())]
    NotEmpty(PathBuf),
    #[error("{} lies inside {}", inner.display(), outer.display())]
    Inside { inner: PathBuf, outer: PathBuf },
    #[error("the ledger lies on a PostgreSQL server, which this cannot copy")]
    OnServer,
    #[error("another backup is being taken, something is being purged, or another restore goes on here")]
    UnderWay,
    #[error("{} is no backup: {why}", place.display())]
    NoBackup { place: PathBuf, why: String },
    #[error("the manifest of {}", place.display())]
    Note {
        place: PathBuf,
        #[source]
        cause: NoteError,
    },
    #[error("{} does not verify", place.display())]
    Damaged { place: PathBuf, faults: Vec<String>, more: u64 },
    #[error(transparent)]
    Store(#[from] crate::Error),
}

impl BackupError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotEmpty(_) => "name a new or an empty folder; nothing is written over",
            Self::Inside { .. } => "keep backups outside of what they are a backup of",
            Self::OnServer => {
                "take the server's own backup, and then copy the data folder, while the program stands still: \
                 docs/guide/postgresql.md"
            }
            Self::UnderWay => "wait for it to end",
            Self::NoBackup { .. } => "name a folder that `bailiwick backup` has written to its end",
            Self::Note { .. } => "it was changed since, or another key signed it; nothing was written",
            Self::Damaged { .. } => {
                "nothing was written; take another backup, and keep this one for what is whole in it"
            }
            Self::Store(error) => {
                error.hint().unwrap_or("look at both disks; what was written has no manifest, and counts for nothing")
            }
        }
    }

    fn io(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let failed = crate::Error::io(what, path);
        move |cause| Self::Store(failed(cause))
    }
}
