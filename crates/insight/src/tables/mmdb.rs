//! An MMDB file, in the dialects that are in use: GeoLite2/GeoIP2 (nested) and IPinfo (flat).

use std::net::IpAddr;
use std::sync::Arc;

use maxminddb::Reader;
use model::address::{Asn, Country};
use serde::Deserialize;

use super::rows::parse_asn;
use super::{Origin, TableError};

/// Stands before the metadata of every MMDB file, within its last 128 KiB.
const MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";
const MARKER_WITHIN: usize = 128 << 10;

pub(super) fn is_mmdb(bytes: &[u8]) -> bool {
    let tail = &bytes[bytes.len().saturating_sub(MARKER_WITHIN)..];
    tail.windows(MARKER.len()).any(|window| window == MARKER)
}

pub(super) struct Mmdb {
    reader: Reader<Vec<u8>>,
}

impl Mmdb {
    /// Opens the file and walks all of it once, so that a damaged one is refused now and not in the middle of a batch.
    pub(super) fn read(file: &str, bytes: Vec<u8>) -> Result<Self, TableError> {
        let damaged = |source| TableError::Mmdb { file: file.into(), source: Box::new(source) };
        let reader = Reader::from_source(bytes).map_err(damaged)?;
        reader.verify().map_err(damaged)?;
        Ok(Self { reader })
    }

    /// An address of a family that the file does not have is one that it knows nothing of.
    pub(super) fn find(&self, address: IpAddr) -> Option<(u8, Origin)> {
        let found = self.reader.lookup(address.to_canonical()).ok()?;
        let record: Record<'_> = found.decode().ok()??;
        Some((found.network().ok()?.prefix(), record.origin()))
    }
}

/// The fields that we read, whichever dialect has them.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(default)]
    autonomous_system_number: Option<u32>,
    #[serde(default, borrow)]
    autonomous_system_organization: Option<&'a str>,
    #[serde(default, borrow)]
    asn: Option<&'a str>,
    #[serde(default, borrow)]
    as_name: Option<&'a str>,
    #[serde(default, borrow)]
    country: Option<InCountry<'a>>,
    #[serde(default, borrow)]
    country_code: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum InCountry<'a> {
    Nested {
        #[serde(default, borrow)]
        iso_code: Option<&'a str>,
    },
    Flat(#[serde(borrow)] &'a str),
}

impl Record<'_> {
    fn origin(&self) -> Origin {
        Origin {
            asn: self.autonomous_system_number.map(Asn).or_else(|| self.asn.and_then(parse_asn)),
            as_name: self.autonomous_system_organization.or(self.as_name).map(Arc::from),
            country: self.country_code.or(self.nested_country()).and_then(|code| code.parse::<Country>().ok()),
        }
    }

    fn nested_country(&self) -> Option<&str> {
        match self.country.as_ref()? {
            InCountry::Nested { iso_code } => *iso_code,
            InCountry::Flat(code) => Some(code),
        }
    }
}
