//! A case: one group, its names, the authorities for them, and where it stands.

use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::answers::AnswerSet;
use crate::group::Group;
use crate::id::CaseId;
use crate::marking::{Retention, Tlp, Withheld};
use crate::order::Sourced;
use crate::privacy::PrivacyTerms;

/// What a case says of itself, apart from its orders and names. A fact carries it whole.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseTerms {
    pub id: CaseId,
    pub title: String,
    pub group: Group,
    /// Whom an owner, a victim or a registrar can write to; it stands on the notice page.
    pub contact: String,
    /// Why the data is processed, and on which legal basis: for the record of processing.
    pub purpose: Sourced<String>,
    #[serde(default)]
    pub tlp: Marking,
    #[serde(default)]
    pub withheld: Withheld,
    #[serde(default)]
    pub retention: Retention,
    #[serde(default)]
    pub answer: AnswerPolicy,
    /// What the notice page says beyond the case and its authority.
    #[serde(default, skip_serializing_if = "NoticeTerms::is_default")]
    pub notice: NoticeTerms,
    /// What the case's names are answered with in DNS, in place of what the operator says for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<AnswerSet>,
    /// For the record of processing.
    #[serde(default, skip_serializing_if = "PrivacyTerms::is_default")]
    pub privacy: PrivacyTerms,
}

/// The highest light under which the case's indicators are shared.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Marking(pub Tlp);

impl Default for Marking {
    fn default() -> Self {
        Self(Tlp::Amber)
    }
}

/// What the trap says to whoever calls.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerPolicy {
    /// A page with case, contact, and why you are here.
    #[default]
    Notice,
    /// 200 with nothing in it.
    Empty,
    /// Nothing: the connection closes once the request is recorded.
    Close,
}

//----------- NoticeTerms ------------------------------------------------------------------------------------------

/// What the case says of its notice page. Left out where nothing is said, so that older facts keep their bytes.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeTerms {
    #[serde(default, skip_serializing_if = "NoticeStatus::is_default")]
    pub status: NoticeStatus,
    /// Who holds the names, in their own words; never shown while the order is sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Whom people can write to while the order is sealed: an address that tells nothing of who is behind it. Without
    /// one the sealed page points to the registrar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_contact: Option<String>,
}

impl NoticeTerms {
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The HTTP status of the notice page. 404 and 410 make search engines and link checkers forget the name's pages.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub enum NoticeStatus {
    #[default]
    Ok,
    NotFound,
    Gone,
}

impl NoticeStatus {
    pub fn code(self) -> u16 {
        match self {
            Self::Ok => 200,
            Self::NotFound => 404,
            Self::Gone => 410,
        }
    }

    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl From<NoticeStatus> for u16 {
    fn from(status: NoticeStatus) -> Self {
        status.code()
    }
}

impl TryFrom<u16> for NoticeStatus {
    type Error = Refusal;

    fn try_from(code: u16) -> Result<Self, Refusal> {
        let known = [Self::Ok, Self::NotFound, Self::Gone].into_iter().find(|status| status.code() == code);
        known.ok_or_else(|| Refusal::new(format!("`{code}`: a notice is answered with 200, 404 or 410")))
    }
}

//----------- CaseState --------------------------------------------------------------------------------------------

/// Where a case stands.
///
/// ```text
/// draft ► evidence ► review ► filed ► granted ► executing ► executed ► unsealed ► served ► injunction
///   ► supplemental* ► judgment ► permanent ► monitoring ► closed
/// aside: denied (from filed) · expired, amended, contested (from granted on) · vacated
/// ```
///
/// States that only a US court knows are optional: a case may go on to any later state. It never goes back.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseState {
    #[default]
    Draft,
    Evidence,
    Review,
    Filed,
    Granted,
    Executing,
    Executed,
    Unsealed,
    Served,
    Injunction,
    Supplemental,
    Judgment,
    Permanent,
    Monitoring,
    Closed,
    Denied,
    Expired,
    Amended,
    Contested,
    Vacated,
}

impl CaseState {
    pub const ALL: [Self; 20] = [
        Self::Draft,
        Self::Evidence,
        Self::Review,
        Self::Filed,
        Self::Granted,
        Self::Executing,
        Self::Executed,
        Self::Unsealed,
        Self::Served,
        Self::Injunction,
        Self::Supplemental,
        Self::Judgment,
        Self::Permanent,
        Self::Monitoring,
        Self::Closed,
        Self::Denied,
        Self::Expired,
        Self::Amended,
        Self::Contested,
        Self::Vacated,
    ];

    fn is_end(self) -> bool {
        matches!(self, Self::Closed | Self::Denied | Self::Vacated)
    }

    /// The state after this one, if the law allows the step.
    pub fn advance(self, to: Self) -> Result<Self, Refusal> {
        let allowed = match to {
            _ if self.is_end() => false,
            Self::Denied => self == Self::Filed,
            Self::Expired | Self::Amended | Self::Contested => self.has_been_granted() && self != to,
            Self::Vacated => self.has_been_granted(),
            Self::Supplemental => self.has_been_granted(),
            // From aside (expired, amended, contested) the case finds its way back to any granted state.
            _ if self > Self::Closed => to >= Self::Granted,
            _ => to > self,
        };
        if allowed {
            Ok(to)
        } else {
            Err(Refusal::new(format!("a case that is {self:?} cannot become {to:?}").to_lowercase()))
        }
    }

    /// Whether an authority has spoken.
    pub fn has_been_granted(self) -> bool {
        self >= Self::Granted && self != Self::Denied
    }
}

#[cfg(test)]
mod tests {
    use super::CaseState::*;
    use super::*;

    #[test]
    fn a_case_goes_forward_and_never_back() {
        for (from, to, allowed) in [
            (Draft, Evidence, true),
            (Draft, Granted, true),
            (Filed, Denied, true),
            (Granted, Denied, false),
            (Granted, Executing, true),
            (Executing, Granted, false),
            (Executing, Vacated, true),
            (Draft, Vacated, false),
            (Injunction, Supplemental, true),
            (Supplemental, Supplemental, true),
            (Expired, Granted, true),
            (Expired, Draft, false),
            (Contested, Monitoring, true),
            (Contested, Contested, false),
            (Monitoring, Closed, true),
        ] {
            assert_eq!(from.advance(to).is_ok(), allowed, "{from:?} to {to:?}");
        }
    }

    #[test]
    fn a_notice_of_which_nothing_is_said_leaves_no_bytes() {
        assert_eq!(serde_json::to_string(&NoticeTerms::default()).unwrap(), "{}");
        let gone = r#"{"status":410,"holder":"Example Holder"}"#;
        let terms: NoticeTerms = serde_json::from_str(gone).unwrap();
        assert_eq!((terms.status, terms.holder.as_deref()), (NoticeStatus::Gone, Some("Example Holder")));
        assert_eq!(serde_json::to_string(&terms).unwrap(), gone);
        for refused in [r#"{"status":301}"#, r#"{"status":"ok"}"#, r#"{"link":"x"}"#] {
            assert!(serde_json::from_str::<NoticeTerms>(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn nothing_follows_an_end() {
        for end in [Closed, Denied, Vacated] {
            for to in CaseState::ALL {
                assert!(end.advance(to).is_err(), "{end:?} to {to:?}");
            }
        }
    }
}
