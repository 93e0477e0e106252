//! Any bytes, cut anywhere, are a conversation that ends: each head has one end, and what we hold stays small.
#![no_main]

use std::collections::BTreeSet;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use wire::http::Limits;
use wire::http2::{Http2, PREFACE, Seen};
use wire::session::{Output, Session};

fuzz_target!(|input: (bool, Vec<Vec<u8>>)| {
    let (greets, parts) = input;
    let mut http = Http2::new(Limits { head_octets_max: 4096, body_octets_max: 4096 });
    let hello = [&PREFACE[..], &[0, 0, 0, 4, 0, 0, 0, 0, 0]].concat();
    let mut open = BTreeSet::new();
    let mut is_over = false;
    for part in greets.then_some(&hello).into_iter().chain(&parts).map(Some).chain([None]) {
        match part {
            Some(bytes) => http.on_bytes(Duration::ZERO, bytes),
            None => http.on_end(Duration::ZERO),
        }
        while let Some(output) = http.poll(Duration::ZERO) {
            assert!(!is_over, "nothing comes behind the end");
            match output {
                Output::Observe(Seen::Head { stream, head }) => {
                    assert!(open.insert(stream), "a stream has one request");
                    let kept = &head.kept.redacted;
                    for redaction in &kept.redactions {
                        assert!(kept.bytes[redaction.offset as usize..].starts_with(redaction.kind.marker()));
                    }
                }
                Output::Observe(Seen::End { stream, .. }) => {
                    assert!(open.remove(&stream), "each head has one end");
                    http.respond(stream, 200, &[("content-type", "text/plain")], &[b'p'; 1000]);
                }
                Output::Close => is_over = true,
                _ => {}
            }
        }
    }
    assert!(open.is_empty(), "what began has ended");
    assert!(is_over);
});
