//! A zone as a peer takes it: an SOA, records, and the steps that led to them.

use std::sync::Arc;

use store::zones::{NamedZone, Published, Record};
use wire::dns::{Answers, rtype};

use super::Allowed;
use crate::ZoneTable;

/// The SOA of a named zone: refreshed often, because a peer that missed a NOTIFY must not wait; expired late, because a
/// resolver that cannot reach us must go on protecting.
const SOA_NAMES: &[u8] = b"\x09localhost\x00\x0ahostmaster\x09localhost\x00";
const REFRESH_SECS: u32 = 300;
const RETRY_SECS: u32 = 60;
const EXPIRE_SECS: u32 = 1_209_600;
const NEGATIVE_TTL_SECS: u32 = 60;
const SOA_TTL_SECS: u32 = 300;
/// The five numbers at the end of an SOA's data, of which the serial is the first and the fourth is when it expires.
const NUMBERS_OCTETS: usize = 20;

/// One zone at one moment.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    pub(super) content: Arc<NamedZone>,
    /// The SOA's data; its serial is the content's.
    soa: Box<[u8]>,
    soa_ttl_secs: u32,
    pub(super) kind: Allowed,
}

impl Zone {
    /// The zone of that origin (wire form, lower case), as it is now.
    pub(super) fn find(origin: &[u8], published: &Published, seized: &ZoneTable) -> Option<Self> {
        if let Some(content) = published.zones.get(origin) {
            return Some(Self::named(Arc::clone(content)));
        }
        let zones = seized.read();
        // Found means at or below an apex; only the apex is a zone.
        let found = zones.find(origin).filter(|found| found.depth == 0)?;
        Self::seized(origin, &found.served.answers)
    }

    fn named(content: Arc<NamedZone>) -> Self {
        let numbers = [content.serial, REFRESH_SECS, RETRY_SECS, EXPIRE_SECS, NEGATIVE_TTL_SECS];
        let mut soa = SOA_NAMES.to_vec();
        soa.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        let kind = Allowed::Named(content.origin.clone());
        Self { content, soa: soa.into(), soa_ttl_secs: SOA_TTL_SECS, kind }
    }

    /// Without a history: a seized zone has a dozen records.
    fn seized(origin: &[u8], answers: &Answers) -> Option<Self> {
        let mut listed = answers.listing().into_iter();
        let soa = listed.next().filter(|record| record.rtype == rtype::SOA)?;
        let numbers = soa.rdata.last_chunk::<NUMBERS_OCTETS>()?;
        let serial = u32::from_be_bytes([numbers[0], numbers[1], numbers[2], numbers[3]]);
        let records = listed.map(|record| Record {
            owner: record.owner,
            kind: record.rtype,
            data: record.rdata,
            ttl_secs: record.ttl_secs,
        });
        let records: Arc<[Record]> = records.collect();
        let content = NamedZone { origin: origin.into(), serial, records, differences: Vec::new() };
        Some(Self { content: Arc::new(content), soa: soa.rdata, soa_ttl_secs: soa.ttl_secs, kind: Allowed::Seized })
    }

    /// The SOA with that serial.
    pub(super) fn soa(&self, serial: u32) -> Record {
        let mut data = self.soa.clone();
        let at = data.len() - NUMBERS_OCTETS;
        data[at..at + 4].copy_from_slice(&serial.to_be_bytes());
        Record { owner: Box::default(), kind: rtype::SOA, data, ttl_secs: self.soa_ttl_secs }
    }

    /// How long a copy may live without a word from us (RFC 7314: a primary says its SOA's).
    pub(super) fn expire_secs(&self) -> u32 {
        let at = self.soa.len() - NUMBERS_OCTETS + 12;
        u32::from_be_bytes([self.soa[at], self.soa[at + 1], self.soa[at + 2], self.soa[at + 3]])
    }
}
