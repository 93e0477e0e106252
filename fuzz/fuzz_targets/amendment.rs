//! Any text, as an amendment's file: refused with faults in their places, or a difference that takes nothing from an order
//! that the order has not.
#![no_main]

use std::sync::LazyLock;

use docket::casefile::amend::{AmendmentFile, parse};
use docket::casefile::{self, FAULTS_MAX, faults_rendered};
use libfuzzer_sys::fuzz_target;
use model::Digest;
use model::order::Order;

static ORDER: LazyLock<Order> = LazyLock::new(|| {
    let file = casefile::parse(include_str!("../seeds/case_file/exercise.toml")).expect("a case file");
    let order = file.orders.first().expect("an order");
    Order::draft(file.terms.id.clone(), order.terms.clone(), order.names().clone())
});

fuzz_target!(|text: &str| {
    match parse(text) {
        Ok(file) => {
            assert_eq!(file.digest, Digest::of_bytes(text.as_bytes()));
            check(&file);
        }
        Err(faults) => {
            assert!((1..=FAULTS_MAX + 1).contains(&faults.len()));
            assert!(faults.iter().all(|fault| fault.span.start <= fault.span.end && fault.span.end <= text.len()));
            assert_eq!(faults_rendered(text, "fuzz.toml", &faults).len(), faults.len());
        }
    }
});

fn check(file: &AmendmentFile) {
    let Ok((amendment, sets)) = file.against(&ORDER, 2) else { return };
    assert_eq!(amendment.terms().file, file.digest);
    assert_eq!(amendment.added().len(), file.added_count());
    assert_eq!(amendment.removed().len(), file.removed.len());
    assert!(amendment.changed().len() <= file.changed.len());
    let mut known = amendment.removed().keys().chain(amendment.changed().keys());
    assert!(known.all(|name| ORDER.names().contains_key(name)));
    let spoken_of = amendment.added().len() + amendment.removed().len() + amendment.changed().len();
    assert_eq!(sets.iter().map(|names| names.len()).sum::<usize>(), spoken_of);
}
