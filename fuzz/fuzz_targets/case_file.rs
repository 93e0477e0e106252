//! Any text, as a case file: whole, each name under one order, or refused with faults that each have a place and few words.
#![no_main]

use docket::casefile::{CaseFile, FAULTS_MAX, Fault, WHAT_CHARS_MAX, faults_rendered, parse};
use libfuzzer_sys::fuzz_target;
use model::{Digest, DomainName};

fuzz_target!(|text: &str| {
    match parse(text) {
        Ok(file) => check(&file, text),
        Err(faults) => check_faults(&faults, text),
    }
});

fn check(file: &CaseFile, text: &str) {
    assert_eq!(file.digest, Digest::of_bytes(text.as_bytes()));
    assert!(!file.orders.is_empty() || file.lists.is_empty());
    assert_eq!(file.lists.iter().map(|list| list.names.len()).sum::<usize>(), file.name_count());
    for list in &file.lists {
        let order =
            file.orders.iter().find(|order| order.terms.id == list.order).expect("a list stands under an order");
        assert!(list.names.iter().all(|name| order.names().contains_key(name)));
    }
    let is_listed = |name: &DomainName| file.orders.iter().any(|order| order.names().contains_key(name));
    assert!(file.claims.iter().all(|claim| is_listed(&claim.name)));
    assert_eq!(parse(text).as_ref(), Ok(file));
}

fn check_faults(faults: &[Fault], text: &str) {
    assert!((1..=FAULTS_MAX + 1).contains(&faults.len()));
    let lines = 1 + text.bytes().filter(|octet| *octet == b'\n').count();
    for (fault, report) in faults.iter().zip(faults_rendered(text, "fuzz.toml", faults)) {
        assert!(fault.span.start <= fault.span.end && fault.span.end <= text.len());
        assert!(fault.what.chars().count() <= WHAT_CHARS_MAX + 1);
        assert!((1..=lines).contains(&report.line));
        assert!(!report.rendered.contains('\u{1b}'), "a terminal would obey the file");
    }
}
