//! What facts speak of besides people, cases and orders: what was purged, sets of files, knowledge, indicators.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::name::DomainName;
use crate::time::Timestamp;

/// What of a day's records went.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurgedPart {
    pub part: RecordPart,
    /// Of this seized name alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apex: Option<DomainName>,
    /// Rows that went, or were cut, over all tables.
    pub rows: u64,
}

/// The parts in which records are kept, each for so long.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordPart {
    /// Whole contacts, with all that belongs to them.
    Contacts,
    /// Bytes as received.
    Raw,
    /// What followed, and what was made of it.
    Verdicts,
    /// Addresses, cut to /24 and /48.
    Addresses,
}

impl RecordPart {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Raw => "raw",
            Self::Verdicts => "verdicts",
            Self::Addresses => "addresses",
        }
    }
}

/// Some files: how many, how long together, and the SHA-256 over a line `sha256  name` of each, in order of name.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSet {
    pub files: u64,
    pub octets: u64,
    pub digest: Digest,
}

impl FileSet {
    /// Of name, length and digest of each.
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, u64, Digest)>) -> Self {
        let mut files: Vec<_> = files.into_iter().collect();
        files.sort_by_key(|(name, ..)| *name);
        let lines = files.iter().map(|(name, _, digest)| format!("{digest}  {name}\n"));
        let octets = files.iter().map(|(_, octets, _)| octets).sum();
        Self { files: files.len() as u64, octets, digest: Digest::of_parts(lines) }
    }
}

/// The forms in which knowledge of a group comes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnowledgeFormat {
    /// STIX 2.0 or 2.1 bundle, such as ATT&CK's.
    Stix,
    /// MISP galaxy clusters.
    MispGalaxy,
}

/// Something that gives the group away, learned from what called. Never a caller's address or value.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    pub kind: IndicatorKind,
    pub value: String,
    /// The seized name at which it was seen.
    pub apex: DomainName,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    /// From how many contacts.
    pub contacts: u64,
    /// From how many addresses: an upper bound, never a number of machines.
    pub addresses: u64,
}

/// What an indicator is about.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IndicatorKind {
    /// A host below a seized name that callers knew.
    HostName,
    /// A path that several callers asked for.
    UrlPath,
    UserAgent,
    Ja4,
}

impl IndicatorKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HostName => "host-name",
            Self::UrlPath => "url-path",
            Self::UserAgent => "user-agent",
            Self::Ja4 => "ja4",
        }
    }
}
