//! Who is on a case, and tokens, on the API.

use std::collections::BTreeSet;

use model::id::{CaseId, PersonId, TokenName};
use model::person::Role;
use model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

/// `GET /cases/{id}/people`
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct MembersTold {
    pub case: CaseId,
    pub people: Vec<PersonId>,
    /// While it is, the case is there for these people and for nobody else.
    pub is_sealed: bool,
}

/// `POST /cases/{id}/people`: one of the two.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MembersRequest {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add: Option<PersonId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remove: Option<PersonId>,
}

/// `POST /people/{id}/tokens`. The token is made by whoever asks; only its SHA-256 comes here.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    pub name: TokenName,
    /// Some of the person's roles.
    pub roles: BTreeSet<Role>,
    /// How long it lives.
    pub days: u32,
    pub token_sha256: Digest,
}

/// One line of `GET /people/{id}/tokens`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct TokenTold {
    pub person: PersonId,
    pub name: TokenName,
    pub roles: BTreeSet<Role>,
    pub issued: Timestamp,
    pub expires: Timestamp,
    pub revoked: Option<Timestamp>,
    /// It acts for nobody any more: revoked, or expired.
    pub ended: bool,
}
