//! Any bytes are read to an end, within the limit, and have fingerprints of the right form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::tls::{HELLO_OCTETS_MAX, HelloReader, Step, ja3, ja4};

fuzz_target!(|bytes: &[u8]| {
    let mut reader = HelloReader::default();
    let hello = match reader.on_bytes(bytes) {
        Step::Done { hello, rest } => {
            assert!(rest <= bytes.len());
            *hello
        }
        Step::More => reader.on_end(),
    };
    assert!(reader.raw().len() <= 2 * HELLO_OCTETS_MAX);
    assert_eq!(ja3(&hello).len(), 32);
    assert!(ja4(&hello).len() >= 36);
});
