//! A zone as a list of records: what another name server is given, so that it answers as we do.
//!
//! Where we answer by rule a secondary has wildcards. So TXT differs from our own answers at names that start with an
//! underscore and have no rule (a secondary tells the sender policy there, we tell nothing), at `_dmarc` and `_domainkey`
//! below another name, and two labels below `_domainkey`. ANY and proofs for authorities are not zone data.

use super::answers::{Answers, RrSet};
use super::captured::Record;

const WILDCARD: &[u8] = b"\x01*";
const DMARC: &[u8] = b"\x06_dmarc";
const BELOW_DMARC: &[u8] = b"\x01*\x06_dmarc";
const DKIM: &[u8] = b"\x0a_domainkey";
const DKIM_KEYS: &[u8] = b"\x01*\x0a_domainkey";
/// A record of ours before its data: pointer, type, class, TTL, length.
const HEAD_OCTETS: usize = 12;

impl Answers {
    /// Every record of the zone, the SOA first, owners below the apex.
    pub fn listing(&self) -> Vec<Record> {
        match self.captured() {
            Some(captured) => captured.listing(),
            None => self.own_listing(),
        }
    }

    fn own_listing(&self) -> Vec<Record> {
        let sets = self.sets();
        let hosts = [sets.a, sets.aaaa, sets.mx];
        let at_apex = [sets.soa, sets.ns, sets.a, sets.aaaa, sets.mx, sets.spf, sets.caa];
        let mut all = Vec::new();
        put(b"", &at_apex, &mut all);
        put(WILDCARD, &hosts, &mut all);
        put(WILDCARD, &[sets.spf], &mut all);
        // A name with a record of its own is no longer covered by the wildcard, nor is what lies below it (RFC 4592,
        // 3.3.1): there a secondary would say NXDOMAIN.
        let texts =
            [(DMARC, Some(sets.dmarc)), (BELOW_DMARC, Some(sets.spf)), (DKIM, None), (DKIM_KEYS, Some(sets.dkim))];
        for (owner, text) in texts {
            if !sets.dmarc.is_empty() {
                put(owner, &hosts, &mut all);
                put(owner, text.as_slice(), &mut all);
            }
        }
        all
    }
}

/// The sets of a zone that is ours, by name.
pub(super) struct Sets<'a> {
    pub(super) soa: &'a RrSet,
    pub(super) ns: &'a RrSet,
    pub(super) a: &'a RrSet,
    pub(super) aaaa: &'a RrSet,
    pub(super) mx: &'a RrSet,
    pub(super) spf: &'a RrSet,
    pub(super) dmarc: &'a RrSet,
    pub(super) dkim: &'a RrSet,
    pub(super) caa: &'a RrSet,
}

fn put(owner: &[u8], sets: &[&RrSet], all: &mut Vec<Record>) {
    for set in sets {
        let mut rest = &set.wire[..];
        while let Some(record) = read(owner, &mut rest) {
            all.push(record);
        }
    }
}

/// The next record of a set, as we wrote it.
fn read(owner: &[u8], rest: &mut &[u8]) -> Option<Record> {
    let (head, after) = rest.split_first_chunk::<HEAD_OCTETS>()?;
    let len = usize::from(u16::from_be_bytes([head[10], head[11]]));
    let (rdata, after) = after.split_at_checked(len)?;
    *rest = after;
    Some(Record {
        owner: owner.into(),
        rtype: u16::from_be_bytes([head[2], head[3]]),
        ttl_secs: u32::from_be_bytes([head[6], head[7], head[8], head[9]]),
        rdata: rdata.into(),
    })
}
