//! Any octets, as a time-stamping authority's answer: what it is said to be over stands in it, and one octet more or less
//! makes it none.
#![no_main]

use docket::evidence::tsp::{TspError, read, request};
use libfuzzer_sys::fuzz_target;
use model::Timestamp;

fuzz_target!(|octets: &[u8]| {
    let Ok(info) = read(octets) else { return };
    assert!(octets.windows(32).any(|part| part == info.digest.0));
    assert!(info.at.to_string().parse().is_ok_and(|at: Timestamp| at == info.at));
    assert_eq!(read(&[octets, &[0]].concat()), Err(TspError::Shape));
    assert_eq!(read(&octets[..octets.len() - 1]), Err(TspError::Shape));
    let asked = request(&info.digest, info.nonce.unwrap_or_default());
    assert!(read(&asked).is_err(), "a question is no answer");
});
