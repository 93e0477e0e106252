//! Evidence: files that a case keeps, each under a number of its own, with who, when, and by which tool.
//!
//! The file lies in the vault under its SHA-256; a fact says what it is. A digest says "unchanged since it was kept",
//! never "authentic": whether a page was what it seems is for people, and for the law of the place, to say. An attempt
//! that failed is an exhibit too: that a server did not answer at that minute is evidence.

use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::digest::Digest;
use crate::name::DomainName;
use crate::time::Timestamp;

/// What one fact says of one exhibit.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exhibit {
    /// Dense within a case, from 1.
    pub number: u32,
    pub kind: ExhibitKind,
    /// The listed name that it is about, or a host below one; none where it is about the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<DomainName>,
    /// SHA-256 of the file, which lies in the vault.
    pub file: Digest,
    pub octets: u64,
    /// As it is written into an export, behind the number.
    pub file_name: String,
    pub media_type: String,
    /// When it came into being, by whoever kept it; the fact's own time says when it was kept.
    pub captured: Timestamp,
    /// The mark that is abused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The place that was looked at: a URL, a question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<Tool>,
    /// The file says why there is nothing else to show.
    #[serde(default, skip_serializing_if = "is_false")]
    pub failed: bool,
}

/// What made the file.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    pub name: String,
    pub version: String,
}

/// An authority's word that an exhibit's digest was there at that time (RFC 3161). The token lies in the vault.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    pub token: Digest,
    /// Whom we asked, or who brought it.
    pub authority: String,
    /// The time in the token.
    pub at: Timestamp,
}

fn is_false(value: &bool) -> bool {
    !value
}

//----------- ExhibitKind ------------------------------------------------------------------------------------------

/// What a file is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExhibitKind {
    /// A picture of a page as a browser shows it.
    Screenshot,
    /// Status line and header fields of an HTTP response, octet by octet.
    Headers,
    /// The body of an HTTP response.
    Page,
    Dns,
    Rdap,
    /// A chain of certificates as a server showed it.
    Certificate,
    /// A person's statement.
    Declaration,
    Document,
    Mail,
    PacketCapture,
    Other,
}

impl ExhibitKind {
    pub const ALL: [Self; 11] = [
        Self::Screenshot,
        Self::Headers,
        Self::Page,
        Self::Dns,
        Self::Rdap,
        Self::Certificate,
        Self::Declaration,
        Self::Document,
        Self::Mail,
        Self::PacketCapture,
        Self::Other,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Screenshot => "screenshot",
            Self::Headers => "headers",
            Self::Page => "page",
            Self::Dns => "dns",
            Self::Rdap => "rdap",
            Self::Certificate => "certificate",
            Self::Declaration => "declaration",
            Self::Document => "document",
            Self::Mail => "mail",
            Self::PacketCapture => "packet-capture",
            Self::Other => "other",
        }
    }

    /// Whether it is what a look at a name brings, and anybody who looks may get.
    pub fn is_of_a_look(self) -> bool {
        matches!(self, Self::Screenshot | Self::Headers | Self::Page | Self::Dns | Self::Rdap | Self::Certificate)
    }
}

impl std::str::FromStr for ExhibitKind {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.into_iter().map(Self::as_str).collect();
            Refusal::new(format!("`{text}` is no kind of evidence")).hint(format!("one of {}", all.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_read_as_it_is_written() {
        for kind in ExhibitKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert!("proof".parse::<ExhibitKind>().unwrap_err().hint.unwrap().contains("packet-capture"));
    }
}
