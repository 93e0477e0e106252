//! Groups on the API: everything that is said of one, by whom.

use model::fact::{Indicator, KnowledgeFormat};
use model::group::Group;
use model::id::{CaseId, GroupId};
use model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::ConflictDetail;

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
