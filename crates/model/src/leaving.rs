//! What left the house in a folder: a case whole, its evidence, or its exhibits for print.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// A folder that was made for a stranger.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaving {
    pub what: LeavingKind,
    /// SHA-256 of its `SHA256SUMS`, which names every other file.
    pub manifest: Digest,
    pub files: u64,
    pub octets: u64,
    /// The facts of the checkpoint that went with it: this one is not among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<u64>,
}

/// How much of a case a folder holds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeavingKind {
    /// All that is kept of it, with the facts and what proves them.
    Case,
    /// Its exhibits, with their time-stamps.
    Evidence,
    /// The same, with pages that print.
    Exhibits,
}

impl LeavingKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::Evidence => "evidence",
            Self::Exhibits => "exhibits",
        }
    }
}
