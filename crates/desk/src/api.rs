//! What the API says and takes, shared with the command line.
//!
//! Ids and ledger positions are strings: a script must not round them. Names are as machines read them; whoever shows
//! one to a person defangs it, and the fields that end in `_text` are ready for people. Fields are only ever added.

use std::collections::{BTreeMap, BTreeSet};

use docket::casefile::FaultReport;
use docket::quick::{Question, RegistrarSteps, Wish};
use model::case::{CaseState, CaseTerms};
use model::fact::{Indicator, KnowledgeFormat};
use model::group::Group;
use model::id::{CaseId, GroupId, OrderId, PersonId};
use model::marking::Audience;
use model::order::{NameOutcome, OrderStatus, OrderTerms, Source};
use model::person::Role;
use model::seizure::{Seizure, ServiceMode};
use model::tally::Tally;
use model::{Digest, DomainName, Timestamp};
use serde::{Deserialize, Serialize};
pub use store::archive::{QueryAnswer, TableTally};

//----------- Status -----------------------------------------------------------------------------------------------

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
    /// What to look at first, in words for people.
    pub troubles: Vec<String>,
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

//----------- Cases ------------------------------------------------------------------------------------------------

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

/// `POST /cases/{id}/state`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdvanceRequest {
    pub to: CaseState,
}

/// `POST /cases/{id}/narrow`. No names means all that still do more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NarrowRequest {
    #[serde(default)]
    pub names: Vec<DomainName>,
    pub mode: ServiceMode,
    pub reason: String,
}

/// What was done, in words.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Said {
    pub said: String,
}

//----------- People and approvals ---------------------------------------------------------------------------------

/// One line of `GET /people`; the token's digest stays inside.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct PersonSummary {
    pub id: PersonId,
    pub roles: BTreeSet<Role>,
    pub fixture: bool,
}

/// `POST /people`. The token is made by whoever enrols and handed to the person; only its SHA-256 comes here.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolRequest {
    pub id: PersonId,
    pub roles: BTreeSet<Role>,
    pub token_sha256: Digest,
    #[serde(default)]
    pub fixture: bool,
}

/// Answer to `POST /cases/{id}/requests`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct RequestsFiled {
    pub requests: Vec<String>,
    pub said: String,
}

/// One line of `GET /approvals`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApprovalSummary {
    pub id: String,
    pub case: CaseId,
    /// `put-in-force` or `serve`
    pub act: String,
    pub order: Option<OrderId>,
    pub exercise: bool,
    pub asked_at: Timestamp,
    pub asked_by: Option<PersonId>,
    pub given: Vec<YesGiven>,
    /// `open`, `half`, `granted` or `void`
    pub stands: String,
    /// What the approval is bound to.
    pub shown: Digest,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct YesGiven {
    pub person: PersonId,
    pub role: Role,
}

/// `GET /approvals/{id}`: exactly what is approved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApprovalDetail {
    #[serde(flatten)]
    pub summary: ApprovalSummary,
    /// What stands has changed since the request: no yes counts any more.
    pub changed: bool,
    /// The value whose canonical JSON (RFC 8785) has the digest `shown`.
    pub value: serde_json::Value,
    /// The same for people.
    pub value_text: String,
    pub conflicts: Vec<ConflictDetail>,
}

/// `POST /approvals/{id}`, with the person's token. `shown` is the digest of what the person has read.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct YesRequest {
    pub role: Role,
    pub shown: Digest,
}

/// Answer to `POST /approvals/{id}`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct YesTaken {
    /// `half`, `in-force` or `served`
    pub came_of_it: String,
    pub said: String,
}

//----------- Groups -----------------------------------------------------------------------------------------------

/// `GET /groups/{alias}`: everything that is said of whoever is called so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupDetail {
    pub asked: String,
    /// As the cases say it.
    pub groups: Vec<GroupInCase>,
    pub conflicts: Vec<ConflictDetail>,
    pub knowledge: Vec<KnowledgeDetail>,
    pub indicators: Vec<IndicatorDetail>,
    /// What the imported files say, by source.
    pub picture: serde_json::Value,
    /// All of it for people.
    pub picture_text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupInCase {
    pub case: CaseId,
    #[serde(flatten)]
    pub group: Group,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnowledgeDetail {
    pub group: GroupId,
    pub format: KnowledgeFormat,
    pub source: String,
    pub file: Digest,
    pub objects: u64,
    pub imported: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IndicatorDetail {
    pub case: CaseId,
    #[serde(flatten)]
    pub indicator: Indicator,
}

/// Answer to `POST /groups/{id}/knowledge?source=…[&format=stix|misp-galaxy]`; body = the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnowledgeImported {
    pub group: GroupId,
    pub format: KnowledgeFormat,
    pub objects: u64,
    pub file: Digest,
}

//----------- Query and feeds --------------------------------------------------------------------------------------

/// `POST /query`
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryRequest {
    pub sql: String,
}

/// The parameters of `GET /feeds/{format}`. The answer is the file itself.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedQuery {
    pub case: CaseId,
    pub audience: Audience,
}

//----------- Problem ----------------------------------------------------------------------------------------------

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
