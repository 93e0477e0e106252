//! Returns on the API: names go back, what was written about it, and what remains.

pub use docket::returning::{Progress, Stage};
use model::marking::Audience;
use model::{DomainName, Timestamp};
use serde::{Deserialize, Serialize};

/// `POST /cases/{id}/returns`, by a person's token. Names that are back already are told, and change nothing.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReturnRequest {
    pub names: Vec<DomainName>,
    pub reason: String,
    /// Kill switches among them may fall silent: what they stop may run again.
    #[serde(default)]
    pub disarm_kill_switch: bool,
    /// The owner's records, where one name goes back: kept first, and answered with from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<RecordsGiven>,
}

/// A zone file that comes with a return.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordsGiven {
    pub zone_file: String,
    /// Who captured it, from where.
    pub source: String,
}

/// What stands behind `?` of `GET /cases/{id}/returns`; without a name every name that went back is told, the first 1,000.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReturnsQuery {
    #[serde(default)]
    pub name: Option<DomainName>,
    /// With the papers themselves.
    #[serde(default)]
    pub papers: bool,
}

/// Answer to both.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ReturnsTold {
    pub said: String,
    pub names: Vec<Progress>,
    /// Letters and plans, as a folder has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub papers: Vec<PaperTold>,
    /// Feeds of the case that had left the house before: whoever has one fetches it again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feeds: Vec<FeedServed>,
    /// What of the owner's records is not served, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct PaperTold {
    /// Plain names, at most three deep.
    pub path: String,
    pub text: String,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct FeedServed {
    pub format: String,
    pub audience: Audience,
}

/// `POST /cases/{id}/returns/plans`, by a person's token: the reverse plan that a name is in was sent, or answered.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanStepRequest {
    pub name: DomainName,
    /// Now, if not said.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// What they answered; none: it was sent.
    #[serde(default)]
    pub said: Option<String>,
}
