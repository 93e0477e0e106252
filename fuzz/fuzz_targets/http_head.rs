//! Any bytes, cut anywhere, are a conversation that ends, and a request line is never made up.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use wire::http::{Http1, Limits, Seen};
use wire::session::{Output, Session};

fuzz_target!(|parts: Vec<Vec<u8>>| {
    let limits = Limits { head_octets_max: 4096, body_octets_max: 4096 };
    let mut http = Http1::new(limits);
    let mut open = 0;
    for part in parts.iter().map(Some).chain([None]) {
        match part {
            Some(bytes) => http.on_bytes(Duration::ZERO, bytes),
            None => http.on_end(Duration::ZERO),
        }
        while let Some(output) = http.poll(Duration::ZERO) {
            match output {
                Output::Observe(Seen::Head(head)) => {
                    open += 1;
                    let kept = &head.kept.redacted;
                    for redaction in &kept.redactions {
                        assert!(kept.bytes[redaction.offset as usize..].starts_with(redaction.kind.marker()));
                    }
                }
                Output::Observe(Seen::End(_)) => open -= 1,
                _ => {}
            }
            assert!(open == 0 || open == 1, "each head has one end");
        }
    }
    assert_eq!(open, 0, "what began has ended");
});
