//! Certificates from transparency logs, as crt.sh answers: a JSON list of entries, each with its names a line each.

use std::borrow::Cow;

use model::DomainName;
use serde::Deserialize;

use super::{FileFault, RECORDS_MAX, Taken, text_of};

/// One certificate with the names in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Certificate {
    /// Serial number within its issuer; precertificate and certificate are one.
    pub id: String,
    pub names: Vec<DomainName>,
}

/// The most names of one certificate that are looked at.
pub const NAMES_MAX: usize = 1_000;

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    name_value: Cow<'a, str>,
    #[serde(borrow)]
    common_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    serial_number: Option<Cow<'a, str>>,
    issuer_ca_id: Option<u64>,
    id: Option<u64>,
}

/// Hands every certificate with a domain name to `take`.
pub fn read(file: &str, octets: &[u8], mut take: impl FnMut(Certificate)) -> Result<Taken, FileFault> {
    let text = text_of(file, octets)?;
    let entries: Vec<Entry<'_>> = serde_json::from_str(text).map_err(|error| {
        FileFault::at(file, error.line().max(1), format!("no list of certificates as crt.sh answers it: {error}"))
    })?;
    if entries.len() > RECORDS_MAX {
        return Err(FileFault::whole(file, format!("more than {RECORDS_MAX} certificates")));
    }
    let mut taken = Taken::default();
    for entry in &entries {
        taken.records += 1;
        let names: Vec<DomainName> = names(entry);
        match id(entry).filter(|_| !names.is_empty()) {
            Some(id) => take(Certificate { id, names }),
            None => taken.passed_over += 1,
        }
    }
    Ok(taken)
}

fn id(entry: &Entry<'_>) -> Option<String> {
    let short = |text: &str| text.chars().take(80).collect::<String>();
    let serial = entry.serial_number.as_deref().filter(|serial| !serial.trim().is_empty());
    match (serial, entry.id) {
        (Some(serial), _) => Some(format!("{}/{}", entry.issuer_ca_id.unwrap_or_default(), short(serial))),
        (None, Some(id)) => Some(format!("crt.sh {id}")),
        (None, None) => None,
    }
}

/// Wildcards stand for the name below which they are.
fn names(entry: &Entry<'_>) -> Vec<DomainName> {
    let common = entry.common_name.as_deref().into_iter();
    let all = entry.name_value.lines().chain(common).take(NAMES_MAX).map(str::trim);
    let mut names: Vec<DomainName> =
        all.filter_map(|text| DomainName::parse(text.strip_prefix("*.").unwrap_or(text)).ok()).collect();
    names.sort_unstable();
    names.dedup();
    names
}
