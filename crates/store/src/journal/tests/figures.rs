//! What a frame costs, printed.

use super::*;

/// `cargo test --release -p bailiwick-store -- --ignored --nocapture measure`
#[test]
#[ignore = "prints figures, promises nothing"]
#[expect(clippy::disallowed_methods, reason = "a measurement asks the clock")]
fn measure_what_a_frame_costs() {
    const FRAMES: u32 = 1_000_000;
    let house = house(JournalLimits::default());
    let mut lane = house.journal.lane(noon()).unwrap();
    let syncing = house.journal.start_syncing();
    for batch in [1, 32] {
        let start = std::time::Instant::now();
        for _ in 0..FRAMES / batch {
            for _ in 0..batch {
                lane.stage(&Frame::Contact(contact(lane.next_id(), b"\x07example\x04test\x00")));
            }
            lane.commit(noon()).unwrap();
        }
        println!("staged and committed by {batch}: {:?} per frame", start.elapsed() / FRAMES);
    }
    let start = std::time::Instant::now();
    for _ in 0..FRAMES {
        lane.stage(&Frame::Contact(contact(lane.next_id(), b"\x07example\x04test\x00")));
        if lane.next_id().seq().is_multiple_of(32) {
            lane.abandon();
        }
    }
    println!("staged only: {:?} per frame", start.elapsed() / FRAMES);
    syncing.stop();
    let start = std::time::Instant::now();
    let report = house.read(&mut Cursor::default()).1;
    println!(
        "read and checked: {:?} per frame, {} bytes each",
        start.elapsed() / 2_000_000,
        report.bytes / report.frames
    );
}
