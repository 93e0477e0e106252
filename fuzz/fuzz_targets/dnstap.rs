//! Any bytes, cut anywhere, are a connection that ends once, and no frame is longer than a frame may be.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use wire::dnstap::{FRAME_OCTETS_MAX, FrameStreams, Payload, Seen};
use wire::session::{Output, Session};

fuzz_target!(|parts: Vec<Vec<u8>>| {
    let mut streams = FrameStreams::default();
    let mut ends = 0;
    for part in parts.iter().map(Some).chain([None]) {
        match part {
            Some(bytes) => {
                let _ = Payload::parse(bytes);
                streams.on_bytes(Duration::ZERO, bytes);
            }
            None => streams.on_end(Duration::ZERO),
        }
        while let Some(output) = streams.poll(Duration::ZERO) {
            assert_eq!(ends, 0, "nothing follows the end");
            match output {
                Output::Observe(Seen::Frame(frame)) => {
                    assert!((1..=FRAME_OCTETS_MAX).contains(&frame.len()));
                    let _ = Payload::parse(&frame);
                }
                Output::Observe(Seen::Ended(_)) => ends += 1,
                _ => {}
            }
        }
    }
    assert_eq!(ends, 1, "what began has ended");
});
