//! The papers of a case: what was filed, and what a court or an office answered. The paper itself lies in the vault; a
//! fact names it by kind and digest.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::digest::Digest;

/// One paper that is on file.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    pub kind: PaperKind,
    /// SHA-256 of its bytes: unchanged since it was filed here, never "authentic".
    pub file: Digest,
    pub octets: u64,
}

/// What a paper is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaperKind {
    Complaint,
    Motion,
    /// The list of names, by registry.
    Appendix,
    ProposedOrder,
    /// Signed by a court, a judge or a prosecutor.
    Order,
    ProofOfService,
    Judgment,
    /// What was asked of a registrar, a registry or an office that is asked and not ordered.
    Request,
    /// Actionable evidence: address, screenshot, headers, times, the mark that is abused.
    EvidencePack,
    /// What whoever was asked has answered.
    Answer,
    /// The registrant's own word that the name is handed over.
    Consent,
    /// The registrar's record that the name is ours.
    RegistrationRecord,
    Other,
}

impl PaperKind {
    pub const ALL: [Self; 13] = [
        Self::Complaint,
        Self::Motion,
        Self::Appendix,
        Self::ProposedOrder,
        Self::Order,
        Self::ProofOfService,
        Self::Judgment,
        Self::Request,
        Self::EvidencePack,
        Self::Answer,
        Self::Consent,
        Self::RegistrationRecord,
        Self::Other,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complaint => "complaint",
            Self::Motion => "motion",
            Self::Appendix => "appendix",
            Self::ProposedOrder => "proposed-order",
            Self::Order => "order",
            Self::ProofOfService => "proof-of-service",
            Self::Judgment => "judgment",
            Self::Request => "request",
            Self::EvidencePack => "evidence-pack",
            Self::Answer => "answer",
            Self::Consent => "consent",
            Self::RegistrationRecord => "registration-record",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for PaperKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for PaperKind {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
            let all = Self::ALL.map(Self::as_str).join(", ");
            Refusal::new(format!("`{}` is no kind of paper", text.escape_debug())).hint(format!("there are {all}"))
        })
    }
}
