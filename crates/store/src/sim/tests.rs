//! Many lives of the world. `BAILIWICK_SIM_SEEDS=10000` asks for more, `BAILIWICK_SIM_SEED` for others.

use super::*;

/// Lives in every `cargo test`.
const SEEDS: u64 = 200;

fn asked(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn whatever_breaks_each_contact_is_in_the_archive_once() {
    let (first, count) = (asked("BAILIWICK_SIM_SEED").unwrap_or(1), asked("BAILIWICK_SIM_SEEDS").unwrap_or(SEEDS));
    let mut all = Tale::default();
    for seed in first..first + count {
        match run(seed, Breakage::None) {
            Ok(tale) => all.add(&tale),
            Err(violation) => panic!("BAILIWICK_SIM_SEED={seed} BAILIWICK_SIM_SEEDS=1: {violation}"),
        }
    }
    println!("{count} lives from seed {first}: {all:?}");
    // A world in which nothing breaks proves nothing.
    let Tale { segments, contacts, lost_messages, doubled_messages, cut_messages, unanswered, .. } = all;
    let Tale { core_kills, power_losses, sensor_kills, disk_errors, .. } = all;
    let each = [segments, contacts, lost_messages, doubled_messages, cut_messages, unanswered, core_kills];
    let more = [power_losses, sensor_kills, disk_errors];
    assert!(each.iter().chain(&more).all(|times| *times >= count), "{all:?}");
    assert!(count < SEEDS || all.lost_segments > 0, "{all:?}");
}

#[test]
fn the_same_seed_is_the_same_life() {
    assert_eq!(run(7, Breakage::None), run(7, Breakage::None));
    assert_ne!(run(7, Breakage::None), run(8, Breakage::None));
}

#[test]
fn every_machine_that_is_wrong_on_purpose_is_found() {
    for breakage in Breakage::ALL {
        let found = (1..=SEEDS).filter(|seed| run(*seed, breakage).is_err()).count();
        assert!(found > 0, "{breakage:?} was never found");
        println!("{breakage:?}: found in {found} of {SEEDS} lives");
    }
}
