//! A contact understood: who probably called, with reasons. Labels never delete; they can be computed again.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::address::{Asn, Country};
use crate::id::ContactId;

/// What insight says of one contact, in one generation of its rules and tables.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    pub of: ContactId,
    pub label: Label,
    /// How sure, 0 to 100.
    pub score: u8,
    /// Why, in the order in which the rules spoke, as short sentences for people.
    pub reasons: Vec<String>,
    pub asn: Option<Asn>,
    pub as_name: Option<String>,
    pub country: Option<Country>,
    /// Data about this caller does not leave the house.
    pub withheld: bool,
}

/// Who probably called.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// A person or machine that the group has in its hands.
    Victim,
    /// A visitor who followed a link: the subject is the site that links here.
    ReferredVisitor,
    /// Perhaps the group testing its own names; never shared by itself.
    OperatorSuspected,
    Crawler,
    LinkPreview,
    Scanner,
    Researcher,
    Sandbox,
    Monitor,
    OtherSinkhole,
    /// Our own verifier.
    #[serde(rename = "self")]
    Own,
    /// A resolver that asks for others: never a victim itself.
    Resolver,
    Unknown,
}

impl Label {
    pub const ALL: [Self; 13] = [
        Self::Victim,
        Self::ReferredVisitor,
        Self::OperatorSuspected,
        Self::Crawler,
        Self::LinkPreview,
        Self::Scanner,
        Self::Researcher,
        Self::Sandbox,
        Self::Monitor,
        Self::OtherSinkhole,
        Self::Own,
        Self::Resolver,
        Self::Unknown,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Victim => "victim",
            Self::ReferredVisitor => "referred-visitor",
            Self::OperatorSuspected => "operator-suspected",
            Self::Crawler => "crawler",
            Self::LinkPreview => "link-preview",
            Self::Scanner => "scanner",
            Self::Researcher => "researcher",
            Self::Sandbox => "sandbox",
            Self::Monitor => "monitor",
            Self::OtherSinkhole => "other-sinkhole",
            Self::Own => "self",
            Self::Resolver => "resolver",
            Self::Unknown => "unknown",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|label| label.as_str() == text)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
