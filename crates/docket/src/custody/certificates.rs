//! New certificates for names that are ours, from an answer of certificate transparency.
//!
//! The file is a JSON list of entries with issuer, serial number, validity and names, as crt.sh gives them, or the same one
//! a line. Certificates that began before the name was ours are listed and give no alarm: they are the old owner's, and a
//! request for revocation is a person's to send. One that begins later and that nobody of ours asked for gives alarm, once for
//! each serial number, as long as it is valid.

use std::collections::{BTreeMap, BTreeSet};

use model::alarm::AlarmKind;
use model::name::DomainName;
use model::{Refusal, Timestamp};
use serde::{Deserialize, Serialize};
use store::view::CaseView;

use crate::alarms::{Finding, Stands};
use crate::ct::{self, Entry};
use crate::custody::expected;

/// The most entries of one file.
pub const CERTIFICATES_MAX: usize = 100_000;
/// The longest file.
pub const CERTIFICATES_OCTETS_MAX: usize = 64 << 20;

//----------- Certificate ------------------------------------------------------------------------------------------

/// A certificate as the logs tell of it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    pub issuer: String,
    pub serial: String,
    pub not_before: Timestamp,
    pub not_after: Option<Timestamp>,
    /// Names that it is for, wildcards without their star.
    pub names: BTreeSet<DomainName>,
}

/// Reads an answer: a list, or one entry a line.
pub fn read(octets: &[u8]) -> Result<Vec<Certificate>, Refusal> {
    if octets.len() > CERTIFICATES_OCTETS_MAX {
        return Err(Refusal::new(format!(
            "an answer has at most {CERTIFICATES_OCTETS_MAX} octets, this one {}",
            octets.len()
        )));
    }
    let mut all = Vec::new();
    let read = ct::read("answer", octets, |entry| {
        if all.len() >= CERTIFICATES_MAX {
            return Err(format!("more than {CERTIFICATES_MAX} entries"));
        }
        all.push(certificate(entry)?);
        Ok(())
    });
    read.map_err(|fault| {
        Refusal::new(format!("the answer of certificate transparency cannot be read: {fault}")).hint(
            "a JSON list of entries is wanted, with issuer_name, serial_number, not_before, not_after, name_value",
        )
    })?;
    Ok(all)
}

fn certificate(entry: Entry) -> Result<Certificate, String> {
    let Entry { issuer, serial, not_before, not_after, names, .. } = entry;
    Ok(Certificate {
        issuer: issuer.ok_or("a certificate without `issuer_name`")?,
        serial: serial.ok_or("a certificate without `serial_number`")?,
        not_before: not_before.ok_or("a certificate without `not_before`")?,
        not_after,
        names,
    })
}

//----------- Findings ---------------------------------------------------------------------------------------------

/// What concerns names of the case in an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// At or below a name in our custody, by name and serial number; a certificate and its precertificate are one.
    pub certificates: BTreeMap<(DomainName, String), Certificate>,
    pub findings: Vec<Finding>,
    /// Valid still, and begun before the name was ours.
    pub of_old_owner: usize,
}

pub fn find(case: &CaseView, all: &[Certificate], now: Timestamp) -> Found {
    let mut found = Found::default();
    for certificate in all {
        let apexes: BTreeSet<DomainName> = certificate.names.iter().filter_map(|name| apex(case, name)).collect();
        for apex in apexes {
            found.certificates.entry((apex, certificate.serial.clone())).or_insert_with(|| certificate.clone());
        }
    }
    let since = ours_since(case);
    for ((apex, serial), certificate) in &found.certificates {
        let is_valid = certificate.not_after.is_none_or(|end| now < end);
        let is_new = since.is_some_and(|since| since <= certificate.not_before);
        found.of_old_owner += usize::from(is_valid && !is_new);
        let stands = match is_valid && is_new {
            true => Stands::Alarming(format!(
                "{} issued {serial}, valid from {}",
                certificate.issuer, certificate.not_before
            )),
            false => Stands::Well("the certificate has ended"),
        };
        found.findings.push(Finding::new(AlarmKind::NewCertificate, apex.as_str(), serial, stands));
    }
    found
}

/// When the names came to us: served first, or at least taken up.
fn ours_since(case: &CaseView) -> Option<Timestamp> {
    case.watch.served.or(Some(case.opened))
}

/// The name of the case that `name` is or lies below.
fn apex(case: &CaseView, name: &DomainName) -> Option<DomainName> {
    let mut above = Some(name.as_str());
    while let Some(text) = above {
        let candidate = DomainName::parse(text).ok()?;
        if expected(case, &candidate).is_some() {
            return Some(candidate);
        }
        above = text.split_once('.').map(|(_, rest)| rest);
    }
    None
}
