//! A return: names that went back to their owners, with what was written about it, and how far its undoing has come.
//!
//! The papers lie in the vault; the facts name their digests. One person returns names, at once; what is narrowed by it is
//! confirmed within a day like any other narrowing.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::{OrderId, Position};
use crate::name::DomainName;
use crate::time::Timestamp;

/// Names that went back together.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Return {
    pub reason: String,
    pub names: Vec<ReturnedName>,
    /// What undoes it, by actor.
    pub plans: Vec<ReversePlan>,
    /// The feeds that had left the house before, from which the names are withdrawn: `stix for partners`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feeds: Vec<String>,
    /// How many of the names were never served, so that there was no service to narrow.
    #[serde(default, skip_serializing_if = "is_none")]
    pub unserved: u64,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

/// One name of a return.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReturnedName {
    pub name: DomainName,
    pub order: OrderId,
    /// Who has to undo what was done at the registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The letter to its owner.
    pub letter: Digest,
}

/// What one actor has to undo; the plan lies in the vault.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReversePlan {
    pub actor: String,
    pub plan: Digest,
    pub names: u64,
}

/// A reverse plan was sent to its actor, or answered by them.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanStep {
    /// The place of the fact that the names were returned.
    pub returned: Position,
    pub actor: String,
    pub at: Timestamp,
    /// What they said; `None`: it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}
