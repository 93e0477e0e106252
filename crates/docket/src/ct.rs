//! What the logs of certificate transparency say (RFC 6962), as crt.sh gives it: entries in a list, or one after the other.
//!
//! An entry that cannot be understood is a fault of the file: what is watched for would pass unseen. Its names are another
//! matter: one that is no host name of ours (a mailbox, an underscore) cannot be asked for and is left out, and so is what
//! stands beyond [`NAMES_MAX`] names. Which parts an entry needs beyond its names says whoever reads:
//! [`crate::custody::certificates`], [`crate::observed::ct`].

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::{DomainName, Timestamp};
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::{Error, Value};

use crate::observed::values::each;
use crate::observed::{FileFault, text_of};

/// The longest issuer or serial number; the longest of RFC 5280 is 40 digits.
pub const TEXT_OCTETS_MAX: usize = 512;
/// The most names of one certificate that are looked at; the rest passes unseen.
pub const NAMES_MAX: usize = 1_000;

/// A certificate, or what was logged before it was made: those two have one serial number.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    pub issuer: Option<String>,
    /// The issuer's number at crt.sh.
    pub issuer_id: Option<u64>,
    /// In lower case.
    pub serial: Option<String>,
    /// The entry's number at crt.sh.
    pub id: Option<u64>,
    pub not_before: Option<Timestamp>,
    pub not_after: Option<Timestamp>,
    /// Wildcards stand for the name below which they are.
    pub names: BTreeSet<DomainName>,
}

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow, alias = "issuer_name")]
    issuer: Option<Cow<'a, str>>,
    #[serde(borrow, alias = "serial_number")]
    serial: Option<Cow<'a, str>>,
    #[serde(default)]
    issuer_ca_id: Value,
    #[serde(default)]
    id: Value,
    #[serde(borrow)]
    not_before: Option<Cow<'a, str>>,
    #[serde(borrow)]
    not_after: Option<Cow<'a, str>>,
    /// One a line.
    #[serde(borrow)]
    name_value: Option<Cow<'a, str>>,
    #[serde(borrow)]
    common_name: Option<Cow<'a, str>>,
    #[serde(default)]
    names: Vec<String>,
}

/// Hands every entry to `take`, and counts them.
///
/// # Errors
/// At the first entry that is none, or that `take` refuses.
pub fn read(file: &str, octets: &[u8], mut take: impl FnMut(Entry) -> Result<(), String>) -> Result<u64, FileFault> {
    let mut count = 0;
    each(file, text_of(file, octets)?, |text| {
        let row = serde_json::from_str::<Row<'_>>(text);
        let row = row.map_err(|error| Error::custom(format!("no certificate as crt.sh gives it: {error}")))?;
        count += 1;
        entry(&row).and_then(&mut take).map_err(Error::custom)
    })?;
    Ok(count)
}

fn entry(row: &Row<'_>) -> Result<Entry, String> {
    if row.name_value.is_none() && row.common_name.is_none() && row.names.is_empty() {
        return Err("a certificate without names (`name_value`)".to_owned());
    }
    let by_line = row.name_value.as_deref().into_iter().flat_map(str::lines);
    let all = by_line.chain(row.common_name.as_deref()).chain(row.names.iter().map(String::as_str)).take(NAMES_MAX);
    let names = all.filter_map(|name| DomainName::parse(name.trim().trim_start_matches("*.")).ok());
    Ok(Entry {
        issuer: text(row.issuer.as_deref())?,
        issuer_id: row.issuer_ca_id.as_u64(),
        serial: text(row.serial.as_deref())?.map(|serial| serial.to_ascii_lowercase()),
        id: row.id.as_u64(),
        not_before: row.not_before.as_deref().map(instant).transpose()?,
        not_after: row.not_after.as_deref().map(instant).transpose()?,
        names: names.collect(),
    })
}

/// A text that says something.
fn text(said: Option<&str>) -> Result<Option<String>, String> {
    match said.map(str::trim) {
        Some(long) if long.len() > TEXT_OCTETS_MAX => {
            Err(format!("issuer and serial number have at most {TEXT_OCTETS_MAX} octets"))
        }
        Some("") | None => Ok(None),
        Some(text) => Ok(Some(text.to_owned())),
    }
}

/// An instant; what has no zone is UTC, as in a certificate.
fn instant(text: &str) -> Result<Timestamp, String> {
    let in_utc = |at: DateTime| TimeZone::UTC.to_timestamp(at).ok();
    let read = text.parse().ok().or_else(|| text.parse::<DateTime>().ok().and_then(in_utc));
    read.ok_or_else(|| format!("`{}` is no instant of a certificate", text.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<Entry>, FileFault> {
        let mut all = Vec::new();
        read("c.json", text.as_bytes(), |entry| {
            all.push(entry);
            Ok(())
        })?;
        Ok(all)
    }

    #[test]
    fn an_entry_is_read_with_all_its_names() {
        let text = r#"{"issuer_name": "C=US, O=Example CA", "issuer_ca_id": 7, "id": "x", "serial_number": " 0A",
            "not_before": "2026-03-20T12:00:00", "not_after": "2026-06-20T00:00:00Z", "common_name": "port.example",
            "name_value": "*.harbour.example\nwho@mail.example", "names": ["pier.example"]}"#;
        let all = all(text).unwrap();
        let [entry] = &all[..] else { panic!("{all:?}") };
        assert_eq!((entry.issuer_id, entry.id, entry.serial.as_deref()), (Some(7), None, Some("0a")));
        assert_eq!(entry.not_before, "2026-03-20T12:00:00Z".parse().ok());
        let names: Vec<&str> = entry.names.iter().map(DomainName::as_str).collect();
        assert_eq!(names, ["harbour.example", "pier.example", "port.example"]);
    }

    #[test]
    fn what_is_no_entry_is_a_fault_at_its_line() {
        let long = format!(r#"{{"name_value": "a.example", "serial_number": "{}"}}"#, "0".repeat(TEXT_OCTETS_MAX + 1));
        let soon = r#"{"name_value": "a.example", "not_after": "soon"}"#;
        for bad in ["{}", r#"{"id": 1}"#, r#"{"name_value": 5}"#, "5", "{", soon, &long[..]] {
            let fault = all(&format!("[{{\"name_value\": \"a.example\"}},\n{bad}]")).unwrap_err();
            assert_eq!(fault.line, Some(2), "{fault}");
        }
        let refused = read("c.json", b"{\"name_value\": \"a.example\"}", |_| Err("not this one".to_owned()));
        assert_eq!(refused.unwrap_err().what, "not this one");
    }
}
