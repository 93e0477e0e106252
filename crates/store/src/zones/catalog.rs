//! The catalog zone (RFC 9432): which zones a fleet of name servers is to serve, as a zone that they take over.
//!
//! A member's label is a hash of its name (4.1: "unique"): it stays the same across restarts and orders, so that no
//! secondary takes a zone for another one and resets it. TTLs mean nothing in a catalog (4).

use model::{Digest, DomainName};

use super::{Record, ZoneSet};

const NS: u16 = 2;
const PTR: u16 = 12;
const TXT: u16 = 16;
const TTL_SECS: u32 = 0;
/// Octets of the name's SHA-256 that make a member's label.
const HASH_OCTETS: usize = 16;

/// The records of the catalog that lists every zone of the set.
pub fn catalog(set: &ZoneSet) -> Vec<Record> {
    let record =
        |owner: &[u8], kind, data: &[u8]| Record { owner: owner.into(), kind, data: data.into(), ttl_secs: TTL_SECS };
    // Nobody asks a catalog for its name servers; a zone needs one all the same (4.1).
    let head = [record(b"", NS, b"\x07invalid\x00"), record(b"\x07version", TXT, b"\x012")];
    let member = |apex: &DomainName| record(&member_owner(apex), PTR, &apex.to_wire());
    head.into_iter().chain(set.zones.iter().map(|zone| member(zone.apex()))).collect()
}

fn member_owner(apex: &DomainName) -> Vec<u8> {
    let hash = &Digest::of_bytes(apex.as_str().as_bytes()).0[..HASH_OCTETS];
    let label: String = hash.iter().map(|octet| format!("{octet:02x}")).collect();
    [b"\x20", label.as_bytes(), b"\x05zones"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_keeps_its_label_for_ever() {
        let apex = DomainName::parse("one.test").unwrap();
        let owner = String::from_utf8(member_owner(&apex)).unwrap();
        assert_eq!(owner, " e54e34dbc4b109ef00a358ade0a55385\u{5}zones");
        assert_eq!(member_owner(&apex), member_owner(&DomainName::parse("ONE.test.").unwrap()));
    }

    #[test]
    fn an_empty_catalog_is_a_catalog() {
        let records = catalog(&ZoneSet::default());
        assert_eq!(records.iter().map(|record| record.kind).collect::<Vec<_>>(), [NS, TXT]);
    }
}
