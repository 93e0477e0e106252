//! Certificates from transparency logs, by what tells one from another: those that share one belong together.

use std::collections::BTreeSet;

use model::DomainName;

use super::{FileFault, Taken};
use crate::ct::{self, Entry};

/// The longest serial number that is told.
const SERIAL_CHARS_MAX: usize = 80;

/// One certificate with the names in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Certificate {
    /// Serial number within its issuer; precertificate and certificate are one.
    pub id: String,
    pub names: BTreeSet<DomainName>,
}

/// Hands every certificate with a domain name to `take`.
pub fn read(file: &str, octets: &[u8], mut take: impl FnMut(Certificate)) -> Result<Taken, FileFault> {
    let mut passed_over = 0;
    let records = ct::read(file, octets, |entry| {
        match id(&entry).filter(|_| !entry.names.is_empty()) {
            Some(id) => take(Certificate { id, names: entry.names }),
            None => passed_over += 1,
        }
        Ok(())
    })?;
    Ok(Taken { records, passed_over })
}

fn id(entry: &Entry) -> Option<String> {
    match (&entry.serial, entry.id) {
        (Some(serial), _) => {
            let serial: String = serial.chars().take(SERIAL_CHARS_MAX).collect();
            Some(format!("{}/{serial}", entry.issuer_id.unwrap_or_default()))
        }
        (None, Some(id)) => Some(format!("crt.sh {id}")),
        (None, None) => None,
    }
}
