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
    /// The server that holds the ledger cannot be reached, is too busy, or was stopped. Nothing was changed.
    #[error("{what}: the ledger's database does not answer: {why}")]
    Unreachable { what: &'static str, why: String },
    /// The server was lost between a commit and its answer.
    #[error("{what}: the ledger's database did not say whether it was done: {why}")]
    Doubtful { what: &'static str, why: String },
    /// Another process has changed it since it was read here.
    #[error("{what} was moved by another process")]
    Moved { what: &'static str },
    #[error(
        "the data folder {folder} is at work on this database already, in a copy of this one or on another machine"
    )]
    FolderTwice { folder: String },
    #[error("{} has its ledger {what}, and the configuration says otherwise", path.display())]
    LedgerElsewhere { path: PathBuf, what: &'static str },
    #[error("the database has schema {found}; this program knows schemas up to {known}")]
    Schema { found: i64, known: i64 },
    #[error("{what} in the archive")]
    Archive {
        what: String,
        #[source]
        cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    #[error("ClickHouse at {server}: {what}")]
    ClickHouse { server: String, what: String },
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
            Self::Unreachable { .. } => Some("look at the server, its log, and `ledger.database`; it is tried again"),
            Self::Doubtful { .. } => Some("look whether it was done before it is asked for again"),
            Self::FolderTwice { .. } => Some("stop the other one; a copy that is to live on loses its file `name`"),
            Self::LedgerElsewhere { .. } => Some(
                "a ledger is not moved by a line of configuration: set `ledger.database` as it was, or take a new data \
                 folder. Where nothing was written yet, remove `ledger.sqlite` or `name` from the folder",
            ),
            Self::Schema { .. } => Some("use the release that made it, or a later one"),
            Self::ClickHouse { .. } => {
                Some("rows wait in the outbox and nothing is lost; see docs/guide/clickhouse.md")
            }
            Self::Query(_) => Some("one SELECT over contacts, raw, outcomes, verdicts or sightings"),
            _ => None,
        }
    }

    /// Whether the disk, or what of it the user may have, is full.
    pub(crate) fn is_full_disk(&self) -> bool {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::WriteZero];
        matches!(self, Self::Io { cause, .. } if full.contains(&cause.kind()))
    }

    /// Whether the same may well go through later, without anybody's doing here.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Doubtful { .. } | Self::Moved { .. })
    }

    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Io { what, path, cause }
    }

    pub(crate) fn database(what: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |cause| match is_away(&cause) {
            true => Self::Unreachable { what, why: cause.to_string() },
            false => Self::Database { what, cause },
        }
    }

    pub(crate) fn archive<E>(what: impl Into<String>) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let what = what.into();
        move |cause| Self::Archive { what, cause: Some(cause.into()) }
    }
}

/// Whether it is the server that is missing, and not the question that is wrong: its SQLSTATE (PostgreSQL's appendix A) says
/// that a connection was lost (08), that something is used up (53), that somebody ended the session or the statement (57, 25P03),
/// or that we waited too long behind others (55P03, 40). SQLite's codes are shorter.
fn is_away(cause: &sqlx::Error) -> bool {
    match cause {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(said) => said.code().is_some_and(|code| {
            let classes = ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class));
            code.len() == 5 && (classes || ["25P03", "55P03"].contains(&&*code))
        }),
        _ => false,
    }
}
