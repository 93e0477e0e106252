//! What the API says and takes of dues, alarms and custody.

use model::alarm::{AlarmKind, AlarmState};
use model::id::{CaseId, OrderId, PersonId};
use model::moment::PaperTime;
use model::observation::Observation;
use model::time::Date;
use model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

pub use docket::due::{Basis, Due, DueKind, Standing};
pub use docket::post_mortem::{AlarmThen, LabelCalls, PostMortem};

/// The parameters of `GET /dues`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DuesQuery {
    #[serde(default)]
    pub case: Option<CaseId>,
}

/// `GET /dues`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DuesTold {
    pub now: Timestamp,
    pub dues: Vec<Due>,
}

/// `POST /cases/{id}/confirm`. No narrowing means all that wait and that somebody else made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConfirmRequest {
    pub narrowing: Option<String>,
    pub note: Option<String>,
}

/// `POST /cases/{id}/dates`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateRequest {
    pub order: OrderId,
    pub what: String,
    pub from: Date,
    pub days: u16,
    /// Weekends and U.S. federal holidays are not counted.
    #[serde(default)]
    pub business: bool,
}

/// `POST /cases/{id}/dates/confirmation`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateConfirmRequest {
    pub order: OrderId,
    pub what: String,
    /// What the paper says, if it is not what the rule comes to.
    #[serde(default)]
    pub date: Option<PaperTime>,
    #[serde(default)]
    pub note: Option<String>,
}

/// The parameters of `GET /alarms`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmsQuery {
    #[serde(default)]
    pub case: Option<CaseId>,
    /// Those that have been cleared, too.
    #[serde(default)]
    pub all: bool,
}

/// One alarm of `GET /alarms`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmTold {
    /// The fact that raised it last: it is acknowledged by this number.
    pub number: String,
    pub case: CaseId,
    pub kind: AlarmKind,
    pub subject: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mark: String,
    pub reason: String,
    pub state: AlarmState,
    pub first_seen: Timestamp,
    pub raised: Timestamp,
    pub times: u64,
    /// The file in the vault that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<PersonId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared: Option<Timestamp>,
}

/// `POST /alarms/{number}/acknowledgement`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeRequest {
    pub note: String,
}

/// `POST /custody`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustodyRequest {
    pub observations: Vec<Observation>,
    /// Other people's sinkholes: a name server, an address or a network a line, a comma, and whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sinkholes: Option<String>,
}

/// Answer to `POST /custody` and `POST /custody/certificates`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CustodyTaken {
    pub cases: Vec<CaseTaken>,
    /// How many of the names, or certificates, no case watches.
    pub strangers: u64,
}

/// What came of it for one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseTaken {
    pub case: CaseId,
    /// Names that were seen, or certificates.
    pub seen: u64,
    pub raised: u64,
    pub cleared: u64,
    /// Alarms that the next look will raise.
    pub left: u64,
    /// Certificates that are valid and began before the names were ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_old_owner: Option<u64>,
}

/// The parameters of `GET /cases/{id}/post-mortem`, and the body of `POST`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostMortemQuery {
    pub days: u16,
}

/// Open alarms, in `GET /status` and for metrics.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct OpenAlarms {
    /// By kind: those that wait for somebody.
    pub raised: std::collections::BTreeMap<String, u64>,
    /// By kind: those that somebody knows of.
    pub acknowledged: std::collections::BTreeMap<String, u64>,
}

impl OpenAlarms {
    pub fn of(view: &store::view::View) -> Self {
        let mut open = Self::default();
        for alarm in view.cases.values().flat_map(|case| case.watch.open_alarms()) {
            let by_kind = match alarm.state {
                AlarmState::Acknowledged => &mut open.acknowledged,
                AlarmState::Raised | AlarmState::Cleared => &mut open.raised,
            };
            *by_kind.entry(alarm.alarm.key.kind.as_str().to_owned()).or_default() += 1;
        }
        open
    }

    pub fn raised_in_all(&self) -> u64 {
        self.raised.values().sum()
    }

    pub fn acknowledged_in_all(&self) -> u64 {
        self.acknowledged.values().sum()
    }
}
