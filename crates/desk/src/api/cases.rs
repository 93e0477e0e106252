//! Cases on the API: what is shown of one, and what may be asked of it.

use std::collections::BTreeMap;

use docket::quick::{RegistrarSteps, Wish};
use model::case::{CaseState, CaseTerms};
use model::id::{CaseId, OrderId};
use model::order::{NameOutcome, OrderStatus, OrderTerms, Source};
use model::seizure::{AnswerEffect, Seizure, ServiceMode};
use model::verdict::Label;
use model::{Digest, DomainName, Timestamp};
use serde::{Deserialize, Serialize};

/// One line of `GET /cases`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseSummary {
    pub id: CaseId,
    pub title: String,
    pub group: String,
    pub state: CaseState,
    pub exercise: bool,
    pub opened: Timestamp,
    pub names: u64,
    /// By service mode; names that are not served are under `none`.
    pub served: BTreeMap<String, u64>,
}

/// `GET /cases/{id}`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseDetail {
    #[serde(flatten)]
    pub summary: CaseSummary,
    pub terms: CaseTerms,
    pub file: Digest,
    pub orders: Vec<OrderDetail>,
    pub lists: Vec<ListDetail>,
    pub name_states: Vec<NameDetail>,
    /// Claims that contradict the case's attribution. None is merged away.
    pub conflicts: Vec<ConflictDetail>,
    /// Open requests, to be read at `GET /approvals/{id}`.
    pub waiting: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderDetail {
    #[serde(flatten)]
    pub terms: OrderTerms,
    pub status: OrderStatus,
    pub names: u64,
    /// 1 as it was listed; each amendment makes a later one.
    #[serde(default = "first")]
    pub version: u32,
    /// The amendments that stand, were withdrawn, or wait, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<super::VersionDetail>,
}

fn first() -> u32 {
    1
}

/// Names of one registry under one order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListDetail {
    pub order: OrderId,
    pub tld: Option<String>,
    pub operator: Option<String>,
    pub operator_source: Option<Source>,
    pub outcome: NameOutcome,
    pub acts: Vec<String>,
    #[serde(default, skip_serializing_if = "AnswerEffect::is_unknown")]
    pub answer_effect: AnswerEffect,
    pub source: Source,
    pub names: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NameDetail {
    pub name: DomainName,
    pub order: OrderId,
    pub outcome: NameOutcome,
    pub seizure: Seizure,
    pub mode: Option<ServiceMode>,
    /// What an answer may set off at the caller.
    #[serde(default, skip_serializing_if = "AnswerEffect::is_unknown")]
    pub answer_effect: AnswerEffect,
    /// How many of the owner's records are kept, to answer with when the name goes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConflictDetail {
    pub case: CaseId,
    pub name: DomainName,
    /// The group that the case says.
    pub ours: String,
    /// The group that the source says.
    pub theirs: String,
    pub source: Source,
}

/// Answer to `POST /cases`: body = the case file's text; `?file=` is its name, for the places of faults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseImported {
    pub case: CaseId,
    pub names: u64,
    /// False where the same file was imported before: then nothing changed.
    pub new: bool,
    pub said: String,
    pub conflicts: Vec<ConflictDetail>,
}

/// `POST /cases/quick`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuickRequest {
    pub wish: Wish,
    /// Show the case file and the steps, and record nothing.
    pub dry_run: bool,
}

/// Answer to `POST /cases/quick`. What is missing comes as a problem with `questions`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuickMade {
    pub case: CaseId,
    /// The case file, as it went to the vault.
    pub file: String,
    pub recorded: bool,
    pub registrar: Vec<RegistrarSteps>,
    pub registrar_text: String,
}

/// `POST /cases/{id}/narrow`. No names means all that still do more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NarrowRequest {
    #[serde(default)]
    pub names: Vec<DomainName>,
    pub mode: ServiceMode,
    pub reason: String,
    /// Kill switches among them may fall silent: what they stop may run again.
    #[serde(default)]
    pub disarm_kill_switch: bool,
}

/// Answer to `POST /cases/{id}/names/{name}/records`: body = the zone file; `?source=` says where it comes from.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct RecordsKept {
    pub name: DomainName,
    pub file: Digest,
    /// How many records of the file are served when the name is handed back.
    pub count: u64,
    /// False where the same file stood there before: then nothing changed.
    pub new: bool,
    /// What of the file is not served, and why.
    pub notes: Vec<String>,
    pub said: String,
}

/// `GET /cases/{id}/names/{name}/records`
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct CapturedRecords {
    pub name: DomainName,
    pub file: Digest,
    pub source: String,
    pub count: u64,
    pub recorded: Timestamp,
    /// The file as it was given.
    pub zone_file: String,
}

/// What was done, in words.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Said {
    pub said: String,
}

//----------- Counts -----------------------------------------------------------------------------------------------

/// The parameters of `GET /cases/{id}/counts`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountsQuery {
    pub window: WindowLength,
    /// Only contacts of this label; all if not given.
    #[serde(default)]
    pub label: Option<Label>,
}

/// How long a window is; windows start at UTC hours and days.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WindowLength {
    Hour,
    Day,
}

impl WindowLength {
    pub fn secs(self) -> i64 {
        match self {
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }
}

/// One window in which somebody called.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct WindowCounts {
    pub from: Timestamp,
    pub until: Timestamp,
    pub contacts: u64,
    pub addresses: u64,
    pub addresses_with_fingerprint: u64,
    /// What the numbers are not.
    pub note: String,
}
