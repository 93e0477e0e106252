//! What has become of one name, and how it is served.

use serde::{Deserialize, Serialize};

use crate::Refusal;

//----------- Seizure ----------------------------------------------------------------------------------------------

/// One name under one version of an order.
///
/// ```text
/// candidate ► triaged ► evidenced ► listed ► ordered ► sent ► acknowledged ► partial ► verified ► sinkholed ► steady
///                                               │                                │        │          │          │
///                                               └──────── released / returned ◄──┴────────┴──────────┴──────────┤
///                                                                            renewed, transferred ◄─────────────┘
/// ```
///
/// A name may skip what its authority does not know (an own registration is never sent to a registry). `verified` is
/// never skipped on the way to `sinkholed`: that the parent delegates to us has been seen, or it is not said.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seizure {
    #[default]
    Candidate,
    Triaged,
    Evidenced,
    Listed,
    Ordered,
    Sent,
    Acknowledged,
    Partial,
    Verified,
    Sinkholed,
    Steady,
    Renewed,
    Transferred,
    Released,
    Returned,
}

impl Seizure {
    pub const ALL: [Self; 15] = [
        Self::Candidate,
        Self::Triaged,
        Self::Evidenced,
        Self::Listed,
        Self::Ordered,
        Self::Sent,
        Self::Acknowledged,
        Self::Partial,
        Self::Verified,
        Self::Sinkholed,
        Self::Steady,
        Self::Renewed,
        Self::Transferred,
        Self::Released,
        Self::Returned,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Triaged => "triaged",
            Self::Evidenced => "evidenced",
            Self::Listed => "listed",
            Self::Ordered => "ordered",
            Self::Sent => "sent",
            Self::Acknowledged => "acknowledged",
            Self::Partial => "partial",
            Self::Verified => "verified",
            Self::Sinkholed => "sinkholed",
            Self::Steady => "steady",
            Self::Renewed => "renewed",
            Self::Transferred => "transferred",
            Self::Released => "released",
            Self::Returned => "returned",
        }
    }

    /// The state after a step, if the law allows it.
    pub fn apply(self, to: Self) -> Result<Self, Refusal> {
        let allowed = match to {
            Self::Released | Self::Returned => (Self::Ordered..=Self::Transferred).contains(&self),
            Self::Renewed | Self::Transferred => matches!(self, Self::Steady | Self::Renewed),
            Self::Sinkholed => self == Self::Verified,
            Self::Steady => matches!(self, Self::Sinkholed | Self::Renewed | Self::Transferred),
            _ => self < to && self <= Self::Partial,
        };
        if allowed {
            Ok(to)
        } else {
            Err(Refusal::new(format!("a name that is {} cannot become {}", self.as_str(), to.as_str())))
        }
    }
}

//----------- ServiceMode ------------------------------------------------------------------------------------------

/// How we serve a name. Each step to the right does less with other people's traffic.
///
/// ```text
/// collect ──► hold ──► handback ──► off     (narrowing: one person, at once, confirmed within a day)
///    ◄──────────┘                           (widening: two people, before)
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceMode {
    /// Answered with our records; contacts are recorded.
    Collect,
    /// Answered with neutral records; counters only. An authority that lapsed puts its names here.
    Hold,
    /// Answered with the owner's records as captured before the seizure; nothing is recorded.
    Handback,
    /// Not answered. Only when no parent server delegates to us any more.
    Off,
}

impl ServiceMode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Collect => "collect",
            Self::Hold => "hold",
            Self::Handback => "handback",
            Self::Off => "off",
        }
    }

    /// Whether going from here to `to` does less than before.
    pub fn narrows_to(self, to: Self) -> bool {
        to > self
    }
}

//----------- AnswerEffect -----------------------------------------------------------------------------------------

/// What an answer from us may set off at the caller.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerEffect {
    /// Nobody has looked.
    #[default]
    Unknown,
    /// Tried out, with evidence: an answer does no harm.
    Tested,
    /// An answer keeps something from running, and silence lets it run. Such a name never lapses, and no limit applies
    /// to it.
    KillSwitch,
    /// An answer makes the caller look for another way home.
    FallbackTrigger,
    /// An answer makes the caller destroy something.
    Destructive,
}

impl AnswerEffect {
    pub const ALL: [Self; 5] =
        [Self::Unknown, Self::Tested, Self::KillSwitch, Self::FallbackTrigger, Self::Destructive];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Tested => "tested",
            Self::KillSwitch => "kill-switch",
            Self::FallbackTrigger => "fallback-trigger",
            Self::Destructive => "destructive",
        }
    }

    /// Left out where values are written, so that what was written before has the same bytes for ever.
    pub fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }

    pub fn is_kill_switch(self) -> bool {
        self == Self::KillSwitch
    }
}

#[cfg(test)]
mod tests {
    use super::Seizure::*;
    use super::*;

    #[test]
    fn every_pair_of_states_is_allowed_or_refused_as_drawn() {
        for from in Seizure::ALL {
            for to in Seizure::ALL {
                let drawn = match (from, to) {
                    (Verified, Sinkholed) | (Sinkholed, Steady) => true,
                    (Steady, Renewed | Transferred) | (Renewed, Renewed | Transferred | Steady) => true,
                    (Transferred, Steady) => true,
                    (Ordered | Sent | Acknowledged | Partial | Verified, Released | Returned) => true,
                    (Sinkholed | Steady | Renewed | Transferred, Released | Returned) => true,
                    (_, Sinkholed | Steady | Renewed | Transferred | Released | Returned) => false,
                    (_, _) => from < to && from <= Partial,
                };
                assert_eq!(from.apply(to).is_ok(), drawn, "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn doing_less_is_narrowing() {
        assert!(ServiceMode::Collect.narrows_to(ServiceMode::Hold));
        assert!(ServiceMode::Hold.narrows_to(ServiceMode::Handback));
        assert!(!ServiceMode::Hold.narrows_to(ServiceMode::Collect));
        assert!(!ServiceMode::Hold.narrows_to(ServiceMode::Hold));
    }
}
