//! What the API says and takes, shared with the command line.
//!
//! Ids and ledger positions are strings: a script must not round them. Names are as machines read them; whoever shows
//! one to a person defangs it, and the fields that end in `_text` are ready for people. Fields are only ever added.

use std::collections::BTreeMap;

use docket::casefile::FaultReport;
use docket::quick::Question;
use model::Timestamp;
use model::id::CaseId;
use model::marking::Audience;
use model::tally::Tally;
use serde::{Deserialize, Serialize};
pub use store::archive::{Compacted, Outbox, QueryAnswer, TableTally};
pub use store::backup::Taken;
use store::report::{ReportAnswer, ReportName, Wish};

mod amendments;
mod approvals;
mod cases;
mod dns;
mod evidence;
mod execution;
mod gate;
mod groups;
mod leaving;
mod papers;
mod people;
mod retention;
mod returning;
mod sensors;
mod verify;
mod watch;

pub use amendments::*;
pub use approvals::*;
pub use cases::*;
pub use dns::*;
pub use evidence::*;
pub use execution::*;
pub use gate::*;
pub use groups::*;
pub use leaving::*;
pub use papers::*;
pub use people::*;
pub use retention::*;
pub use returning::*;
pub use sensors::*;
pub use verify::*;
pub use watch::*;

//----------- Status -------------------------------------------------------------------------------------------------

/// `GET /status`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    pub version: String,
    #[serde(flatten)]
    pub live: Live,
    pub ledger: LedgerStatus,
    /// By table of the archive.
    pub archive: BTreeMap<String, TableTally>,
    pub cases: u64,
    pub names_served: u64,
    /// Requests that wait for people.
    pub approvals_open: u64,
    pub indicators: u64,
    /// Alarms that stand, over all cases.
    #[serde(default)]
    pub alarms: OpenAlarms,
}

/// `POST /archive/compact`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompactAnswer {
    pub done: Vec<Compacted>,
}

/// `POST /archive/retire`
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct RetireAnswer {
    /// Settled days that were looked through.
    pub days: u64,
    /// Verdicts that went: a later one counts on each of their contacts.
    pub verdicts: u64,
    /// By which the days' files are shorter.
    pub octets: u64,
    /// Legal holds that ended it before its time.
    pub holds: u64,
}

/// `POST /archive/replay`
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayRequest {
    pub since: Timestamp,
}

/// What became of a replay.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ReplayAnswer {
    /// Of the verdicts that count from now on.
    pub generation: String,
    pub since: Timestamp,
    /// What was received from here on was left to the follower.
    pub until: Timestamp,
    /// Contacts that were read, those that came up to a day before among them.
    pub contacts: u64,
    pub verdicts: u64,
}

/// `POST /backup`
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupRequest {
    /// A new or empty folder of the machine on which the memory lies, from the root.
    pub into: std::path::PathBuf,
}

/// What only the running process knows. Without a daemon it is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Live {
    /// When the daemon started; `None` where none runs.
    pub running_since: Option<Timestamp>,
    pub uptime_secs: u64,
    /// Zones that the sinkhole answers for at this moment.
    pub zones: u64,
    pub listeners: Vec<Listener>,
    pub tallies: Vec<ListenerTally>,
    /// Public certificates; `None` where no authority may be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificates: Option<CertificateTally>,
    #[serde(default)]
    pub journal: Option<JournalLive>,
    /// What goes to ClickHouse; `None` where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clickhouse: Option<ShippingTally>,
    /// What a sensor sends to its core; `None` where nothing is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uplink: Option<UplinkLive>,
    /// How retention stands; `None` where this process does not carry it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<RetentionLive>,
    /// Alarms that stand, as far as the running process knows; `None` where none runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_alarms: Option<OpenAlarms>,
    /// What to look at first, in words for people.
    pub troubles: Vec<String>,
}

/// What became of orders for public certificates since the start.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct CertificateTally {
    /// Certificates that are kept.
    pub held: u64,
    /// Names that want one now, their first or another in place of one that ends soon.
    pub due: u64,
    pub asked: u64,
    pub issued: u64,
    pub failed: u64,
    /// The name and why, of the order that failed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When the first of the names that failed is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try: Option<Timestamp>,
}

/// How the archive's rows come to ClickHouse.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct ShippingTally {
    /// What came in, went out and waits, since shipping began; it is kept over restarts.
    #[serde(flatten)]
    pub outbox: Outbox,
    /// How long the segment that waits longest has waited.
    pub lag_secs: u64,
    /// Tries that failed, since the start.
    pub failures: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When the segment that failed is sent again; `None` where the last try went well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try: Option<Timestamp>,
}

/// How retention stands.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct RetentionLive {
    /// When all that was due had been purged last.
    pub last_pass: Option<Timestamp>,
    /// Days of the archive with something that is due.
    pub days_waiting: u64,
    /// Why the last pass did not come to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// How the journal's disk stands.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct JournalLive {
    /// `ok`, `tight` (parts are shed), or `full` (all but kill switches is shed).
    pub state: String,
    pub budget_octets: u64,
    pub used_octets: u64,
    /// Until the budget or the disk is at its end.
    pub left_octets: u64,
    /// Whether the reserve is set aside, and not in use.
    pub has_reserve: bool,
    /// Since the start; what they were about was written again.
    pub failed_syncs: u64,
    /// Octets of failed syncs that were not written again: a loss of power may take them.
    pub let_go_octets: u64,
}

/// An open socket: `dns-udp` at `127.0.0.1:5353`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Listener {
    pub name: String,
    pub address: String,
}

/// What a listener counted since the start: offered = recorded + collapsed + shed + lost in the kernel.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ListenerTally {
    pub listener: String,
    /// Connections that are open now; `None` where nobody counts them (datagrams, DNS).
    #[serde(default)]
    pub open: Option<u64>,
    pub offered: u64,
    pub tally: Tally,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct LedgerStatus {
    /// The position of the next fact.
    pub next: String,
    pub refusals: u64,
    /// Facts that the law did not allow when they were folded. It should be 0.
    pub without_effect: u64,
}

//----------- Query and feeds ----------------------------------------------------------------------------------------

/// `POST /query`
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryRequest {
    pub sql: String,
}

/// `POST /reports/{name}`, whose body is a [`Wish`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportTold {
    pub report: ReportName,
    pub wish: Wish,
    #[serde(flatten)]
    pub answer: ReportAnswer,
    /// How many addresses are in no row because nothing may be told of them, or nobody has judged them yet; `None`
    /// where the report leaves nobody out.
    pub withheld: Option<u64>,
    pub note: String,
}

/// The parameters of `GET /feeds/{format}`. The answer is the file itself.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedQuery {
    pub case: CaseId,
    pub audience: Audience,
}

/// The parameters of `POST /query` and `POST /reports/{name}`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineQuery {
    /// Who answers; whoever is configured, if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Engine>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    #[serde(rename = "clickhouse")]
    ClickHouse,
    Parquet,
}

//----------- Problem ------------------------------------------------------------------------------------------------

/// Every error of the API (RFC 9457, `application/problem+json`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// Which kind, for machines: `/problems/refused`.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    pub detail: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Faults of a case file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultReport>,
    /// What a quick case still has to know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
}
