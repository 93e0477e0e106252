//! Verification on the API: what is to be looked at, what was seen, and what people attest.

use docket::verify::NameReport;
use model::check::Check;
use model::id::{CaseId, OrderId};
use model::{Digest, DomainName, Timestamp};
use serde::{Deserialize, Serialize};

use super::CaseTaken;

/// `GET /cases/{id}/verification`: the last pass, and what one that goes on has seen already.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VerificationTold {
    pub case: CaseId,
    pub passes: Vec<PassTold>,
    /// Every name of the case that was ever looked at, as it was seen last.
    pub names: Vec<NameReport>,
    /// Names that the pass that goes on has looked at.
    pub looked: Vec<DomainName>,
    /// What custody made of the pass that has just ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custody: Option<CaseTaken>,
}

/// The last pass over one order's names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PassTold {
    pub order: OrderId,
    pub at: Timestamp,
    /// Of the file in the vault.
    pub report: Digest,
    pub holds: u64,
    pub fails: u64,
    pub undecided: u64,
    /// Names that no parent server delegates to us.
    pub undelegated: u64,
}

/// `POST /cases/{id}/verification/looks`: looks at these names and keeps what is seen for the pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookRequest {
    pub names: Vec<DomainName>,
    /// Also the names of our own name servers, unless the pass has looked at them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
}

/// Its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Looked {
    pub names: Vec<NameReport>,
    /// Names whose order is a draft: nobody was asked about them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drafts: Vec<DomainName>,
}

/// Answer to `POST /cases/{id}/names/{name}/checks/{check}/attestation`: body = the document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckAttestedTold {
    pub name: DomainName,
    pub check: Check,
    pub document: Digest,
    /// As it stands with this.
    pub report: NameReport,
    pub said: String,
}
