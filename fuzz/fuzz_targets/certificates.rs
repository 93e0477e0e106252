//! Any octets, as what a log of certificates says: an entry is bounded and reads the same when it is written again, and a
//! fault has its line.
#![no_main]

use docket::ct::{Entry, NAMES_MAX, TEXT_OCTETS_MAX, read};
use docket::observed::WHAT_CHARS_MAX;
use libfuzzer_sys::fuzz_target;
use model::DomainName;

fuzz_target!(|octets: &[u8]| {
    let mut entries = Vec::new();
    let taken = read("fuzz.json", octets, |entry| {
        entries.push(entry);
        Ok(())
    });
    match taken {
        Ok(count) => assert_eq!(count, entries.len() as u64),
        Err(fault) => {
            let lines = 1 + octets.iter().filter(|octet| **octet == b'\n').count();
            assert!(fault.line.is_some_and(|line| (1..=lines).contains(&line)), "{fault}");
            assert!(fault.what.chars().count() <= WHAT_CHARS_MAX + 1);
        }
    }
    entries.iter().for_each(check);
});

fn check(entry: &Entry) {
    assert!(entry.names.len() <= NAMES_MAX);
    let is_short = |text: &String| !text.is_empty() && text.len() <= TEXT_OCTETS_MAX;
    assert!(entry.issuer.iter().chain(&entry.serial).all(is_short));
    let written = serde_json::json!({
        "issuer_name": entry.issuer,
        "issuer_ca_id": entry.issuer_id,
        "serial_number": entry.serial,
        "id": entry.id,
        "not_before": entry.not_before.map(|at| at.to_string()),
        "not_after": entry.not_after.map(|at| at.to_string()),
        "name_value": "",
        "names": entry.names.iter().map(DomainName::as_str).collect::<Vec<_>>(),
    });
    let mut again = None;
    let taken = read("again.json", written.to_string().as_bytes(), |entry| {
        again = Some(entry);
        Ok(())
    });
    assert_eq!((taken, again.as_ref()), (Ok(1), Some(entry)));
}
