//! Any octets, as the owner's zone file: records that make a zone and read the same when they are written again, or a fault
//! with its line.
#![no_main]

use std::sync::LazyLock;

use docket::zonefile::{ZONE_FILE_OCTETS_MAX, read};
use libfuzzer_sys::fuzz_target;
use model::DomainName;
use wire::dns::ask::name_to_wire;
use wire::dns::captured::{CapturedZone, RECORDS_MAX, Record};
use wire::dns::{Certifiers, Records};

static APEX: LazyLock<DomainName> = LazyLock::new(|| DomainName::parse("owner.test").expect("a name"));
static OURS: LazyLock<Records> = LazyLock::new(|| Records {
    name_servers: vec![name_to_wire("ns1.sinkhole.example").expect("a name")],
    hostmaster: name_to_wire("hostmaster.sinkhole.example").expect("a name"),
    serial: 1,
    ttl_secs: 300,
    negative_ttl_secs: 300,
    v4: Vec::new(),
    v6: Vec::new(),
    refuses_mail: true,
    certifiers: Certifiers::Unsaid,
});

fuzz_target!(|text: &[u8]| {
    match read(text, &APEX) {
        Ok(file) => check(&file.records),
        Err(fault) => {
            let lines = text.split_inclusive(|octet| *octet == b'\n').count();
            assert!(fault.line <= lines.max(1), "{fault}");
        }
    }
});

fn check(records: &[Record]) {
    assert!((1..=RECORDS_MAX).contains(&records.len()));
    CapturedZone::new(&APEX.to_wire(), &OURS, records).expect("what was read is a zone");
    let text: String = records.iter().map(written).collect();
    if text.len() <= ZONE_FILE_OCTETS_MAX {
        let again = read(text.as_bytes(), &APEX).expect("what was read can be written");
        assert_eq!(again.records, records);
    }
}

/// In the form that every type has (RFC 3597), each octet of the owner by its number.
fn written(record: &Record) -> String {
    let mut labels = Vec::new();
    let mut rest = &record.owner[..];
    while let Some((len, tail)) = rest.split_first() {
        let (label, tail) = tail.split_at(usize::from(*len));
        labels.push(label.iter().map(|octet| format!("\\{octet:03}")).collect::<String>());
        rest = tail;
    }
    let owner = if labels.is_empty() { "@".to_owned() } else { labels.join(".") };
    let hex: String = record.rdata.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("{owner} {} IN TYPE{} \\# {} {hex}\n", record.ttl_secs, record.rtype, record.rdata.len())
}
