//! Our own trouble: the disk, the database, a folder that is somebody else's. Each error says what was tried and on
//! what; the cause stays beneath. What a caller sent is never an error here.

use std::io;
use std::path::{Path, PathBuf};

use model::Digest;

/// What went wrong in memory.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process holds the data folder. A dead holder is no hindrance: the kernel drops its lock.
    #[error("{} is in use by pid {pid} ({role}) since {since}", path.display())]
    InUse { path: PathBuf, pid: u32, role: String, since: String },
    #[error("{what} {}", path.display())]
    Io {
        what: &'static str,
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("{} has format {found:?}; this program reads format {known}", path.display())]
    Format { path: PathBuf, found: String, known: u32 },
    #[error("{} holds files but is no data folder of ours", path.display())]
    NotOurs { path: PathBuf },
    #[error("{}: {what}", path.display())]
    Damaged { path: PathBuf, what: String },
    #[error("{what} in the database")]
    Database {
        what: &'static str,
        #[source]
        cause: sqlx::Error,
    },
    #[error("{what} in the archive")]
    Archive {
        what: String,
        #[source]
        cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    #[error("the set of names {0} is not in the ledger")]
    NoSuchNames(Digest),
    #[error("a set of names does not have the digest {0}")]
    OtherNames(Digest),
    #[error("{what} needs {needs}, and the limit is {limit}")]
    Limit { what: &'static str, needs: u64, limit: u64 },
    #[error("a boot has no more than 65,536 journal lanes")]
    Lanes,
    #[error("the query was refused: {0}")]
    Query(String),
    #[error("asking the operating system for random bytes")]
    Random(#[source] getrandom::Error),
}

impl Error {
    /// What to do about it, for the last line that an operator reads.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::InUse { .. } => Some("use the running daemon, or stop it first"),
            Self::Format { .. } => Some("use the release that wrote it, or a later one"),
            Self::NotOurs { .. } => Some("name an empty or a new folder"),
            Self::Damaged { .. } => Some("restore the file from a copy; nothing was changed"),
            Self::Io { .. } => Some("look at the disk's space, its mount and the folder's owner"),
            Self::Query(_) => Some("one SELECT over contacts, raw, outcomes, verdicts or sightings"),
            _ => None,
        }
    }

    /// Whether the disk, or what of it the user may have, is full.
    pub(crate) fn is_full_disk(&self) -> bool {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::WriteZero];
        matches!(self, Self::Io { cause, .. } if full.contains(&cause.kind()))
    }

    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Io { what, path, cause }
    }

    pub(crate) fn database(what: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |cause| Self::Database { what, cause }
    }

    pub(crate) fn archive<E>(what: impl Into<String>) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let what = what.into();
        move |cause| Self::Archive { what, cause: Some(cause.into()) }
    }
}
