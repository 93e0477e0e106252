//! People and approvals on the API.

use std::collections::BTreeSet;

use model::id::{CaseId, OrderId, PersonId};
use model::person::Role;
use model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::ConflictDetail;

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
    /// The one-time token of the first start, by which the first admin is enrolled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token: Option<String>,
}

/// Answer to `POST /cases/{id}/requests` and to `POST /cases/{id}/unsealing`.
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
    /// `put-in-force`, `serve`, `amend` or `unseal`
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
    /// `half`, `in-force`, `served`, `amended` or `unsealed`
    pub came_of_it: String,
    pub said: String,
}
