//! A name that may be the group's next, with the reasons for thinking so.

use serde::{Deserialize, Serialize};

use crate::name::DomainName;

/// A scored name. A score alone never acts: a person decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suspect {
    pub name: DomainName,
    /// 0 to 100; what a threshold costs in false positives is measured, not implied.
    pub score: u8,
    pub reasons: Vec<Resemblance>,
}

/// One reason, with what it adds to the score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resemblance {
    pub kind: ResemblanceKind,
    /// What in the name it is about: a brand, a word, a TLD, a known name.
    pub what: String,
    pub points: i16,
}

/// In which way a name resembles something.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResemblanceKind {
    /// A brand's keyword, literally.
    Brand,
    /// A brand's keyword behind look-alike characters.
    Homoglyph,
    /// One edit from a brand's keyword.
    Typo,
    /// A word of account security.
    Lure,
    /// The registry is one that the group, or abuse, prefers.
    Tld,
    /// Built like the group's known names.
    LikeKnown,
    /// The brand owns it: not suspect.
    Owned,
}
