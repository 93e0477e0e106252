//! What the API says and takes about evidence, reports to providers, and the record of processing.

use docket::evidence::ExhibitDraft;
use docket::evidence::letter::Reporter;
use model::evidence::{Exhibit, Stamp};
use model::fact::Actor;
use model::id::Position;
use model::notification::{Recipient, ReportState, ReportTerms, Sending};
use model::{DomainName, Timestamp};
use serde::{Deserialize, Serialize};

/// What stands behind `?` of `POST /cases/{id}/exhibits`: an [`ExhibitDraft`] as JSON. The body is the file.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KeepExhibitQuery {
    pub exhibit: String,
}

impl KeepExhibitQuery {
    pub fn draft(&self) -> Result<ExhibitDraft, serde_json::Error> {
        serde_json::from_str(&self.exhibit)
    }
}

/// `POST /cases/{id}/exhibits`
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ExhibitKept {
    pub exhibit: ExhibitDetail,
    pub new: bool,
    pub said: String,
}

/// `GET /cases/{id}/exhibits`
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ExhibitDetail {
    #[serde(flatten)]
    pub exhibit: Exhibit,
    pub added: Timestamp,
    pub by: Actor,
    /// The fact that says so.
    pub fact: Position,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<Stamp>,
}

/// What stands behind `?` of `POST /cases/{id}/exhibits/{number}/stamp`. The body is the authority's answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StampQuery {
    pub authority: String,
}

/// `POST /cases/{id}/reports`
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportRequest {
    pub name: DomainName,
    pub to: Recipient,
    pub reporter: Reporter,
    /// Whom to write to; without it an RDAP answer says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The exhibit that holds the RDAP answer; the last of that kind about the name, if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rdap_exhibit: Option<u32>,
    /// URLs; those that exhibits looked at, if none is said.
    #[serde(default)]
    pub urls: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// Exhibits that go with it; what was captured of the name, if none is said.
    #[serde(default)]
    pub exhibits: Vec<u32>,
    pub due: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalates: Option<u32>,
    /// `phishing` or `malware`.
    pub abuse: String,
}

/// A report, with what goes out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportMade {
    #[serde(flatten)]
    pub report: ReportDetail,
    pub subject: String,
    pub letter_text: String,
    pub letter_html: String,
    pub xarf_json: String,
    pub exercise: bool,
}

/// `GET /cases/{id}/reports`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportDetail {
    #[serde(flatten)]
    pub terms: ReportTerms,
    pub state: ReportState,
    /// Somebody owes an answer, and its time is over.
    pub overdue: bool,
    pub made: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending: Option<Sending>,
    pub answers: Vec<AnswerDetail>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalated: Option<u32>,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct AnswerDetail {
    pub to: ReportState,
    pub note: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exhibit: Option<u32>,
    pub noted: Timestamp,
}

/// What stands behind `?` of `POST /cases/{id}/reports/{number}/sending`. The body is the message, or nothing.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SendingQuery {
    pub at: Timestamp,
    pub channel: String,
    pub proof: String,
}

/// `POST /cases/{id}/reports/{number}/answer`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerRequest {
    pub to: ReportState,
    pub note: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exhibit: Option<u32>,
}
