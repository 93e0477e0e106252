//! Alarms: what a person has to look at, why, and who has looked.
//!
//! An alarm is known by kind, subject and mark: as long as nothing changes it is raised once and stays quiet. It is cleared
//! by the program alone, when what it tells of has ended; a person acknowledges it, with a note, and thereby takes what it
//! tells of as known. When what it tells of changes it is raised again, and the acknowledgement of before no longer counts.
//!
//! ```text
//! (none) ──raise──► raised ──acknowledge──► acknowledged
//!                    ▲  │ ▲──raise anew──────────┤
//!                    │  └──clear──► cleared ◄────┘ clear
//!                    └────raise───────┘
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::digest::Digest;

/// The longest subject, mark or reason, in octets.
pub const ALARM_TEXT_OCTETS_MAX: usize = 1_000;

//----------- AlarmKind --------------------------------------------------------------------------------------------

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident => $word:literal;)*) => {
        /// What an alarm is about.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
        pub enum AlarmKind {
            $($(#[$doc])* #[serde(rename = $word)] $kind,)*
        }

        impl AlarmKind {
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $word,)* }
            }
        }
    };
}

kinds! {
    /// Delegation, DS, glue, status or registrar are not what they were, or not what is ordered.
    Drifted => "drifted";
    /// The registration ends soon.
    Lapsing => "lapsing";
    /// The registration has ended.
    Lapsed => "lapsed";
    /// Somebody registered the name anew.
    Reregistered => "reregistered";
    /// The name is in somebody else's sinkhole.
    Collision => "collision";
    /// Somebody has not done in time what is theirs to do.
    Overdue => "overdue";
    /// A registry, registrar or provider has said no.
    Refused => "refused";
    /// The authority does not reach the registry.
    OutOfJurisdiction => "out-of-jurisdiction";
    /// No registry can seize the name.
    Unseizable => "unseizable";
    /// The registry keeps the name back.
    Reserved => "reserved";
    /// An authority ends soon.
    AuthorityLapsing => "authority-lapsing";
    /// An authority has ended; its names are on hold.
    AuthorityLapsed => "authority-lapsed";
    /// Nobody has confirmed in time what one person narrowed.
    NarrowingUnconfirmed => "narrowing-unconfirmed";
    /// The registration of the name of one of our own name servers ends soon, or has ended.
    OwnNameLapsing => "own-name-lapsing";
    /// A certificate was issued for a name that is ours.
    NewCertificate => "new-certificate";
}

impl fmt::Display for AlarmKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

//----------- Alarm ------------------------------------------------------------------------------------------------

/// What makes two alarms the same.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmKey {
    pub kind: AlarmKind,
    /// A name as machines read it, an order, a narrowing.
    pub subject: String,
    /// Which of the things of that kind: `ns`, `ds`, `30-days`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mark: String,
}

/// An alarm as it is raised.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    pub key: AlarmKey,
    /// For people: what is, and what should be. The same as long as nothing changes: no hour, no count of days.
    pub reason: String,
    /// The file in the vault that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Digest>,
}

/// Where an alarm stands.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmState {
    Raised,
    Acknowledged,
    Cleared,
}

/// What may happen to an alarm.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AlarmStep {
    /// `anew`: what it tells of is another than before.
    Raise {
        anew: bool,
    },
    Acknowledge,
    Clear,
}

impl AlarmState {
    pub const ALL: [Self; 3] = [Self::Raised, Self::Acknowledged, Self::Cleared];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Acknowledged => "acknowledged",
            Self::Cleared => "cleared",
        }
    }

    /// Whether what it tells of lasts.
    pub fn is_open(self) -> bool {
        self != Self::Cleared
    }

    pub fn apply(self, step: AlarmStep) -> Result<Self, Refusal> {
        match (self, step) {
            (Self::Cleared, AlarmStep::Raise { .. }) | (_, AlarmStep::Raise { anew: true }) => Ok(Self::Raised),
            (Self::Raised, AlarmStep::Acknowledge) => Ok(Self::Acknowledged),
            (Self::Raised | Self::Acknowledged, AlarmStep::Clear) => Ok(Self::Cleared),
            (state, step) => {
                let verb = match step {
                    AlarmStep::Raise { .. } => "raised",
                    AlarmStep::Acknowledge => "acknowledged",
                    AlarmStep::Clear => "cleared",
                };
                Err(Refusal::new(format!("an alarm that is {} cannot be {verb}", state.as_str())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AlarmState::*;
    use super::*;

    #[test]
    fn every_pair_of_state_and_step_is_allowed_or_refused_as_drawn() {
        for (from, step, to) in [
            (Raised, AlarmStep::Raise { anew: false }, None),
            (Raised, AlarmStep::Raise { anew: true }, Some(Raised)),
            (Raised, AlarmStep::Acknowledge, Some(Acknowledged)),
            (Raised, AlarmStep::Clear, Some(Cleared)),
            (Acknowledged, AlarmStep::Raise { anew: false }, None),
            (Acknowledged, AlarmStep::Raise { anew: true }, Some(Raised)),
            (Acknowledged, AlarmStep::Acknowledge, None),
            (Acknowledged, AlarmStep::Clear, Some(Cleared)),
            (Cleared, AlarmStep::Raise { anew: false }, Some(Raised)),
            (Cleared, AlarmStep::Raise { anew: true }, Some(Raised)),
            (Cleared, AlarmStep::Acknowledge, None),
            (Cleared, AlarmStep::Clear, None),
        ] {
            assert_eq!(from.apply(step).ok(), to, "{from:?} {step:?}");
        }
    }

    #[test]
    fn a_kind_is_written_as_it_is_called() {
        for kind in AlarmKind::ALL {
            assert_eq!(serde_json::to_string(kind).unwrap(), format!("\"{kind}\""));
        }
    }
}
