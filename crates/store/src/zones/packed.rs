//! A record as it lies in the database: owner's labels, the root's label, type, TTL, data.
//!
//! The order of the octets is nearly the order of [`Record`]s, so that a sorted set is written where the index ends.

use super::Record;

const ROOT: u8 = 0;
/// Octets before each record of a sequence: its length.
const LENGTH_OCTETS: usize = 4;

pub(crate) fn pack(record: &Record) -> Vec<u8> {
    let mut packed = Vec::with_capacity(record.owner.len() + 7 + record.data.len());
    packed.extend_from_slice(&record.owner);
    packed.push(ROOT);
    packed.extend_from_slice(&record.kind.to_be_bytes());
    packed.extend_from_slice(&record.ttl_secs.to_be_bytes());
    packed.extend_from_slice(&record.data);
    packed
}

/// `None` if that is no record.
pub(crate) fn unpack(packed: &[u8]) -> Option<Record> {
    let mut end = 0;
    while *packed.get(end)? != ROOT {
        end += 1 + usize::from(packed[end]);
    }
    let (kind, rest) = packed[end + 1..].split_first_chunk()?;
    let (ttl, data) = rest.split_first_chunk()?;
    let (kind, ttl_secs) = (u16::from_be_bytes(*kind), u32::from_be_bytes(*ttl));
    Some(Record { owner: packed[..end].into(), kind, data: data.into(), ttl_secs })
}

/// Records one behind the other.
pub(crate) fn pack_all(records: &[Record]) -> Vec<u8> {
    let mut all = Vec::new();
    for packed in records.iter().map(pack) {
        let length = u32::try_from(packed.len()).expect("a record has at most 65,797 octets");
        all.extend_from_slice(&length.to_be_bytes());
        all.extend_from_slice(&packed);
    }
    all
}

/// `None` if that is no sequence of records.
pub(crate) fn unpack_all(mut all: &[u8]) -> Option<Vec<Record>> {
    let mut records = Vec::new();
    while !all.is_empty() {
        let (length, rest) = all.split_first_chunk::<LENGTH_OCTETS>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (packed, rest) = rest.split_at_checked(length)?;
        records.push(unpack(packed)?);
        all = rest;
    }
    Some(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(owner: &[u8], data: &[u8]) -> Record {
        Record { owner: owner.into(), kind: 5, data: data.into(), ttl_secs: 300 }
    }

    #[test]
    fn a_record_reads_as_it_always_did() {
        let packed = pack(&record(b"\x01*\x04test", b"\x0crpz-passthru\x00"));
        assert_eq!(packed, b"\x01*\x04test\x00\x00\x05\x00\x00\x01\x2c\x0crpz-passthru\x00");
        assert_eq!(pack_all(&[record(b"", b"\x00")]), b"\x00\x00\x00\x08\x00\x00\x05\x00\x00\x01\x2c\x00");
    }

    #[test]
    fn records_come_back_and_what_is_cut_short_is_none() {
        let records = [record(b"", b""), record(b"\x01a", b"\x00"), record(b"\x01*\x01a", &[7; 300])];
        let all = pack_all(&records);
        assert_eq!(unpack_all(&all).unwrap(), records);
        let whole = [0, LENGTH_OCTETS + 7, 2 * LENGTH_OCTETS + 7 + 10, all.len()];
        for end in (0..=all.len()).filter(|end| !whole.contains(end)) {
            assert_eq!(unpack_all(&all[..end]), None, "{end}");
        }
        assert_eq!(unpack(b"\x09short"), None);
    }
}
