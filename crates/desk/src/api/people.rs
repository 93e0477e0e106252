//! Who is on a case, and tokens, on the API.

use model::id::{CaseId, PersonId};
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
