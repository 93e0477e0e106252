//! Evidence, as values: what is kept, how it is packed for a stranger, what time-stamping and RDAP answers say, and the
//! letters that go to providers. [`crate::decide`] says what may be kept; the world is asked elsewhere.

use model::Timestamp;
use model::evidence::{Exhibit, ExhibitKind, Tool};
use model::notification::{Recipient, ReportTerms};
use model::{Digest, DomainName};
use serde::{Deserialize, Serialize};

pub mod dns;
pub mod inert;
pub mod letter;
pub mod pack;
pub mod page;
pub mod privacy;
pub mod rdap;
pub mod tsp;
pub mod xarf;

/// URLs in one report.
pub const REPORT_URLS_MAX: usize = 50;
/// The longest file name of an exhibit.
const FILE_NAME_OCTETS_MAX: usize = 100;

/// An exhibit before it has its number and digest.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExhibitDraft {
    pub kind: ExhibitKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<DomainName>,
    pub file_name: String,
    pub media_type: String,
    pub captured: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<Tool>,
    #[serde(default)]
    pub failed: bool,
}

impl ExhibitDraft {
    pub(crate) fn numbered(self, number: u32, file: Digest, octets: u64) -> Exhibit {
        let Self { kind, name, file_name, media_type, captured, mark, note, source, tool, failed } = self;
        Exhibit { number, kind, name, file, octets, file_name, media_type, captured, mark, note, source, tool, failed }
    }
}

/// A report before it has its number.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReportDraft {
    pub reference: String,
    pub name: DomainName,
    pub to: Recipient,
    pub address: String,
    pub address_source: String,
    pub urls: Vec<String>,
    pub mark: Option<String>,
    pub exhibits: Vec<u32>,
    pub due: Timestamp,
    pub escalates: Option<u32>,
}

impl ReportDraft {
    pub(crate) fn numbered(self, number: u32, (letter, xarf): (Digest, Digest)) -> ReportTerms {
        let Self { reference, name, to, address, address_source, urls, mark, exhibits, due, escalates } = self;
        ReportTerms {
            number,
            reference,
            name,
            to,
            address,
            address_source,
            urls,
            mark,
            exhibits,
            letter,
            xarf,
            due,
            escalates,
        }
    }
}

/// A name that is a name on every file system, and leads nowhere else.
pub fn is_file_name(text: &str) -> bool {
    let ok = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    (1..=FILE_NAME_OCTETS_MAX).contains(&text.len()) && !text.starts_with('.') && text.bytes().all(ok)
}

/// The nearest file name to any text.
pub fn file_name_of(text: &str) -> String {
    let one = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let name: String = text.chars().map(one).take(FILE_NAME_OCTETS_MAX).collect();
    let name = name.trim_start_matches('.');
    if name.is_empty() { "file".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests;
