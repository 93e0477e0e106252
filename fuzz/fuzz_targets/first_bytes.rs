//! Any bytes, cut anywhere, look like one thing, and a balancer's header in front of them is the same header.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::banner::{Carrier, FIRST_OCTETS_MAX, FirstBytes, Step, glance, look};
use wire::proxy;

fuzz_target!(|parts: Vec<Vec<u8>>| {
    let whole = parts.concat();
    let looks = look(&whole, Carrier::Stream);
    let _ = look(&whole, Carrier::Datagram);
    let mut first = FirstBytes::default();
    let mut taken = None;
    for part in &parts {
        if let Step::Taken { machine, .. } = first.on_bytes(part) {
            assert!(taken.is_none_or(|before| before == machine), "a machine is chosen once");
            taken = Some(machine);
        }
    }
    assert_eq!(first.looks(), looks);
    assert_eq!(taken, glance(&whole).machine);
    assert!(first.kept().len() <= FIRST_OCTETS_MAX);

    let read = |parts: &[Vec<u8>]| {
        let mut reader = proxy::HeaderReader::default();
        let steps = parts.iter().map(|part| reader.on_bytes(part));
        let end = steps.into_iter().find(|step| *step != proxy::Step::More);
        let taken = reader.raw().len();
        assert!(taken <= proxy::HEADER_OCTETS_MAX);
        (taken, end.map(|step| match step {
            proxy::Step::Done { header, .. } => Ok(header),
            proxy::Step::Refused(oddity) => Err(oddity),
            proxy::Step::More => unreachable!("it was looked for"),
        }))
    };
    assert_eq!(read(&parts), read(&[whole]));
});
