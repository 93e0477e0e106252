//! Amended and supplemental orders on the API.

use model::amendment::AmendmentTerms;
use model::id::{OrderId, PersonId};
use model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

/// One amendment of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VersionDetail {
    /// `waits`, `in-effect` or `withdrawn`
    pub stands: String,
    pub proposed: Timestamp,
    /// When it had its effect, or was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// Whoever brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    /// The request by which two people approved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Why it was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<String>,
    pub names_added: u64,
    pub names_changed: u64,
    pub names_removed: u64,
    #[serde(flatten)]
    pub terms: AmendmentTerms,
}

/// Answer to `POST /cases/{id}/amendments`: body = the amendment's file; `?file=` is its name, for the places of faults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AmendTold {
    pub order: OrderId,
    pub version: u32,
    /// False where it widens, and waits for two people.
    pub in_effect: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    pub file: Digest,
    pub said: String,
}

/// `POST /cases/{id}/amendments/objection`, by counsel.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectionRequest {
    pub order: OrderId,
    /// The monitor objects: that ends the amendment.
    pub objected: bool,
    pub note: String,
}

/// `POST /cases/{id}/amendments/withdrawal`
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmendmentWithdrawal {
    pub order: OrderId,
    pub reason: String,
}
