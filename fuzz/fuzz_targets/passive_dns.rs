//! Any octets, as passive DNS: each record is counted once and reads the same when it is written again, and a fault has its
//! line.
#![no_main]

use docket::observed::WHAT_CHARS_MAX;
use docket::observed::cof::{Data, Seen, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let lines = 1 + octets.iter().filter(|octet| **octet == b'\n').count();
    let mut all = Vec::new();
    match read("fuzz.cof", octets, |seen| all.push(seen)) {
        Ok(taken) => assert_eq!(taken.records, taken.passed_over + all.len() as u64),
        Err(fault) => {
            assert!(fault.line.is_some_and(|line| (1..=lines).contains(&line)), "{fault}");
            assert!(fault.what.chars().count() <= WHAT_CHARS_MAX + 1);
        }
    }
    for seen in &all {
        assert!(!seen.data.is_empty() && (1..=lines).contains(&seen.line));
        seen.data.iter().for_each(|data| check(seen, data));
    }
});

fn check(seen: &Seen, data: &Data) {
    let (kind, text) = match data {
        Data::Address(address) => ("A", address.to_string()),
        Data::NameServer(host) => ("NS", host.as_str().to_owned()),
        Data::MailServer(host) => ("MX", format!("10 {}", host.as_str())),
        Data::Alias(host) => ("CNAME", host.as_str().to_owned()),
    };
    let written = serde_json::json!({
        "rrname": seen.name.as_str(),
        "rrtype": kind,
        "rdata": text,
        "time_first": seen.first.map(|at| at.as_second()),
        "time_last": seen.last.map(|at| at.as_second()),
    });
    let mut again = Vec::new();
    read("again.cof", written.to_string().as_bytes(), |seen| again.push(seen)).expect("what was read can be written");
    assert_eq!(again, [Seen { line: 1, data: vec![data.clone()], ..seen.clone() }]);
}
