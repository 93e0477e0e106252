//! Retention on the API.

use model::fact::RecordPart;
use model::id::{CaseId, PersonId};
use model::marking::Retention;
use model::time::Date;
use model::{Digest, DomainName, Timestamp};
use serde::{Deserialize, Serialize};

/// `GET /retention`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetentionTold {
    /// When all that was due had been purged last.
    pub last_pass: Option<Timestamp>,
    pub rules: Vec<KeptTold>,
    /// Segments of the journal of earlier days may go; `None`: a hold keeps all of them.
    pub journal_before: Option<Date>,
    /// Days with something that is due, the oldest first.
    pub waiting: Vec<WaitingTold>,
    pub holds: Vec<HoldTold>,
}

/// What holds for a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptTold {
    /// `None`: contacts that concern no case.
    pub case: Option<CaseId>,
    pub kept: Retention,
    /// The case says longer, and no order in force covers `retain`.
    pub is_shortened: bool,
    pub is_held: bool,
}

/// A day with something that is due.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WaitingTold {
    pub day: Date,
    pub parts: Vec<(Option<CaseId>, RecordPart, Option<DomainName>)>,
    /// It is compacted first.
    pub is_unsettled: bool,
}

/// `POST /retention/holds`, by a person's token.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldRequest {
    pub case: CaseId,
    pub reason: String,
}

/// A hold that stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HoldTold {
    pub hold: String,
    pub case: CaseId,
    pub reason: String,
    pub by: Option<PersonId>,
    pub placed: Timestamp,
}

/// `POST /retention/releases`: asks two people.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRequest {
    pub case: CaseId,
    pub hold: String,
}

/// Answer to `POST /retention/run`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PurgePassTold {
    pub days: Vec<PurgeTold>,
    /// Segments of the journal that went.
    pub segments: u64,
    pub segments_octets: u64,
}

/// A day that was purged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PurgeTold {
    pub day: Date,
    /// Rows that went, or whose addresses were cut.
    pub rows: u64,
    pub files_before: u64,
    pub files_after: u64,
}

/// `GET /retention/traces`: whether what facts say is gone is gone, place by place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TracesTold {
    /// Facts that say so.
    pub purges: u64,
    /// What was found and should not be there.
    pub archive: Vec<TraceTold>,
    /// How much was looked through.
    pub archive_files: u64,
    pub archive_rows: u64,
    /// Days with too many contacts to look for rows without one.
    pub days_unmatched: Vec<Date>,
    /// Segments of days that a fact says the journal has no more.
    pub journal_segments_late: u64,
    /// Segments that still hold what was purged from the archive: they go when no case keeps them.
    pub journal_segments_of_purged_days: u64,
    /// Segments that wait for ClickHouse. Not looked into.
    pub outbox_segments: u64,
    /// Rows that went to ClickHouse, which nothing here purges: its tables' own TTL does.
    pub clickhouse_rows: u64,
    /// Not looked into.
    pub quarantine_files: u64,
    /// Backups that hold what was purged since: when each was taken, and its manifest's digest.
    pub backups_before: Vec<(Timestamp, Digest)>,
    /// Files that left the house before the last purge.
    pub exports_before: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceTold {
    pub table: String,
    pub day: Date,
    pub case: Option<String>,
    pub what: String,
    pub rows: u64,
}
