//! A report to whoever can act on a name without an order: registrar, registry, host, dynamic-DNS or CDN provider, CA.
//!
//! Most takedowns are this and nothing else. Complaints fail for want of actionable evidence, and of proof that the
//! registrar was asked first; so a report names its exhibits, and its states say when it was sent and what came back.

use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::digest::Digest;
use crate::name::DomainName;
use crate::time::Timestamp;

/// What one report says, and to whom.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportTerms {
    /// Dense within a case, from 1.
    pub number: u32,
    /// By what both sides call it: it tells nothing of the case.
    pub reference: String,
    pub name: DomainName,
    pub to: Recipient,
    /// A mail address, or a form's URL.
    pub address: String,
    /// Where the address was taken from.
    pub address_source: String,
    pub urls: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// Numbers of the exhibits that go with it.
    pub exhibits: Vec<u32>,
    /// The letter as text, and the same as X-ARF, which lie in the vault.
    pub letter: Digest,
    pub xarf: Digest,
    /// When an answer is due: a proposal of ours, no term of law.
    pub due: Timestamp,
    /// The report that was not answered, or not well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalates: Option<u32>,
}

/// How a report went out.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sending {
    pub at: Timestamp,
    /// `mail`, or what a person did: `web form`, `fax`.
    pub channel: String,
    /// What proves it: the server's reply, a ticket number.
    pub proof: String,
    /// The message as it was handed over, which lies in the vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Digest>,
}

//----------- Recipient --------------------------------------------------------------------------------------------

/// In which role somebody is asked.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recipient {
    Registrar,
    Registry,
    Host,
    DynamicDns,
    Cdn,
    /// To revoke a certificate.
    Ca,
}

impl Recipient {
    pub const ALL: [Self; 6] = [Self::Registrar, Self::Registry, Self::Host, Self::DynamicDns, Self::Cdn, Self::Ca];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registrar => "registrar",
            Self::Registry => "registry",
            Self::Host => "host",
            Self::DynamicDns => "dynamic-dns",
            Self::Cdn => "cdn",
            Self::Ca => "ca",
        }
    }
}

//----------- ReportState ------------------------------------------------------------------------------------------

/// Where a report stands.
///
/// ```text
/// queued ► sent ► delivered ► acknowledged ► acted
///            │         │            └──────► refused ──┐
///            ├──► bounced ─────────────────────────────┤
///            └──────── (no answer by the due time) ────┴► escalated
/// acted ► reopened ► acknowledged …   when the name is back
/// ```
///
/// A recipient may skip what it does not say: some act without a word.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReportState {
    #[default]
    Queued,
    Sent,
    Delivered,
    Bounced,
    Acknowledged,
    /// The recipient did what was asked.
    Acted,
    Refused,
    /// It was acted on, and what was reported is back.
    Reopened,
    /// Another report goes on from here.
    Escalated,
}

impl ReportState {
    pub const ALL: [Self; 9] = [
        Self::Queued,
        Self::Sent,
        Self::Delivered,
        Self::Bounced,
        Self::Acknowledged,
        Self::Acted,
        Self::Refused,
        Self::Reopened,
        Self::Escalated,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Bounced => "bounced",
            Self::Acknowledged => "acknowledged",
            Self::Acted => "acted",
            Self::Refused => "refused",
            Self::Reopened => "reopened",
            Self::Escalated => "escalated",
        }
    }

    /// The state after a step, if the law allows it.
    pub fn apply(self, to: Self) -> Result<Self, Refusal> {
        use ReportState::{Acknowledged, Acted, Bounced, Delivered, Escalated, Queued, Refused, Reopened, Sent};
        let allowed = match self {
            Queued => matches!(to, Sent),
            Sent => matches!(to, Delivered | Bounced | Acknowledged | Acted | Refused | Escalated),
            Delivered | Reopened => matches!(to, Acknowledged | Acted | Refused | Escalated),
            Acknowledged => matches!(to, Acted | Refused | Escalated),
            // Sent again, to a better address.
            Bounced => matches!(to, Sent | Escalated),
            Refused => matches!(to, Acted | Escalated),
            Acted => matches!(to, Reopened),
            Escalated => false,
        };
        if allowed {
            return Ok(to);
        }
        let what = format!("a report that is {} cannot become {}", self.as_str(), to.as_str());
        let hint = match (self, to) {
            (Queued, _) => "it has not been sent: `--send`, or `case report-sent` for what a person did",
            (Escalated, _) => "another report goes on from it",
            _ => "see `bailiwick case report-list CASE`",
        };
        Err(Refusal::new(what).hint(hint))
    }

    /// Whether somebody still owes an answer.
    pub fn waits(self) -> bool {
        matches!(self, Self::Sent | Self::Delivered | Self::Acknowledged | Self::Reopened)
    }
}

#[cfg(test)]
mod tests {
    use super::ReportState::*;
    use super::*;

    #[test]
    fn each_pair_of_states_is_allowed_or_refused() {
        let allowed: &[(ReportState, &[ReportState])] = &[
            (Queued, &[Sent]),
            (Sent, &[Delivered, Bounced, Acknowledged, Acted, Refused, Escalated]),
            (Delivered, &[Acknowledged, Acted, Refused, Escalated]),
            (Bounced, &[Sent, Escalated]),
            (Acknowledged, &[Acted, Refused, Escalated]),
            (Acted, &[Reopened]),
            (Refused, &[Acted, Escalated]),
            (Reopened, &[Acknowledged, Acted, Refused, Escalated]),
            (Escalated, &[]),
        ];
        assert_eq!(allowed.len(), ReportState::ALL.len());
        for (from, targets) in allowed {
            for to in ReportState::ALL {
                assert_eq!(from.apply(to).is_ok(), targets.contains(&to), "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn nobody_is_escalated_to_before_the_first_was_asked() {
        assert!(Queued.apply(Escalated).unwrap_err().hint.unwrap().contains("not been sent"));
    }
}
