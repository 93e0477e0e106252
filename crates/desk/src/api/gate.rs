//! The harm gate and the search for related names on the API.

use std::collections::BTreeSet;

use docket::gate::Report;
use docket::related::Related;
use model::gate::{WarningChoice, WarningKind};
use model::id::{CaseId, PersonId, Position};
use model::name::DomainName;
use model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

/// Answer to `POST /cases/{id}/gate`, and `GET /cases/{id}/gate`: the newest run with what was decided about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateTold {
    pub case: CaseId,
    /// The position of the run's fact.
    pub run: String,
    pub at: Timestamp,
    /// The digest of the report, under which it lies in the vault.
    pub report_digest: Digest,
    pub report: Report,
    pub decisions: Vec<DecisionTold>,
    /// What keeps the case from being filed; empty where the gate is clean.
    pub in_the_way: Vec<String>,
}

/// What counsel decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionTold {
    pub kind: WarningKind,
    /// Empty: every one of the kind that was not decided.
    pub names: BTreeSet<DomainName>,
    pub choice: WarningChoice,
    pub reason: String,
    pub by: Option<PersonId>,
    pub at: Timestamp,
}

/// `POST /cases/{id}/gate/decisions`, by counsel's token.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideRequest {
    /// The position of the run that was read: `run` of [`GateTold`].
    pub run: Position,
    pub kind: WarningKind,
    #[serde(default)]
    pub names: BTreeSet<DomainName>,
    pub choice: WarningChoice,
    pub reason: String,
}

/// Answer to it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    pub said: String,
    /// What keeps the case from being filed still.
    pub in_the_way: Vec<String>,
}

/// Answer to `POST /cases/{id}/related`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RelatedTold {
    pub related: Related,
    /// A case file with the related names, for somebody to read and change.
    pub draft: Option<String>,
}
