//! What the issue asks of us, and whether a run meets it.

use super::{Measured, median};

/// A promise about ours against another of the same run.
struct Target {
    zones: usize,
    against: &'static str,
    promise: Promise,
}

enum Promise {
    /// At most so many times the other's processor time by query.
    Cost(f64),
    /// At least so many times the other's answers a second.
    Rate(f64),
}

/// By number of zones, in rising order: a run is held to the last that is not above its own.
const TARGETS: [Target; 7] = [
    Target { zones: 99, against: super::dns::TOLD, promise: Promise::Cost(1.15) },
    Target { zones: 99, against: super::dns::NSD, promise: Promise::Rate(1.05) },
    Target { zones: 99, against: super::dns::KNOT, promise: Promise::Rate(1.15) },
    Target { zones: 99, against: super::dns::NSD_DNSTAP, promise: Promise::Rate(2.2) },
    Target { zones: 100_000, against: super::dns::TOLD, promise: Promise::Cost(1.30) },
    Target { zones: 100_000, against: super::dns::NSD_DNSTAP, promise: Promise::Rate(3.0) },
    Target { zones: 1_000_000, against: super::dns::TOLD, promise: Promise::Cost(1.55) },
];

/// One line for each promise that this run can judge.
pub(super) fn print(zones: usize, everybody: &[(&'static str, Vec<Measured>)]) {
    let of = |name: &str| everybody.iter().find(|(who, _)| *who == name).map(|(_, rounds)| rounds.as_slice());
    let Some(ours) = of(super::dns::OURS) else { return };
    let judged = held_to(zones).filter_map(|target| Some(target.judge(ours, of(target.against)?)));
    say(&judged.collect::<Vec<_>>());
}

fn held_to(zones: usize) -> impl Iterator<Item = &'static Target> {
    let size = TARGETS.iter().map(|target| target.zones).filter(|size| *size <= zones).max();
    TARGETS.iter().filter(move |target| Some(target.zones) == size)
}

impl Target {
    fn judge(&self, ours: &[Measured], other: &[Measured]) -> Judged {
        let ratio = |of: fn(&Measured) -> f64| median(ours, of) / median(other, of);
        let against = |what: &str| format!("{what} against {}", self.against);
        match self.promise {
            Promise::Cost(most) => {
                Judged::at_most(against("processor time by query"), most, ratio(Measured::micros_each))
            }
            Promise::Rate(least) => Judged::at_least(against("answers a second"), least, ratio(Measured::rate)),
        }
    }
}

//----------- Judged -----------------------------------------------------------------------------------------------

/// A promise and what was seen of it.
pub(super) struct Judged {
    what: String,
    wanted: String,
    seen: f64,
    is_met: bool,
}

impl Judged {
    pub(super) fn at_most(what: String, most: f64, seen: f64) -> Self {
        Self { what, wanted: format!("≤ {most:.2}"), seen, is_met: seen <= most }
    }

    pub(super) fn at_least(what: String, least: f64, seen: f64) -> Self {
        Self { what, wanted: format!("≥ {least:.2}"), seen, is_met: seen >= least }
    }

    fn line(&self) -> String {
        let said = if self.is_met { "met" } else { "NOT MET" };
        format!("{:<84} {:>9} {:>9.2}  {said}", self.what, self.wanted, self.seen)
    }
}

/// One line for each.
pub(super) fn say(all: &[Judged]) {
    println!("\n{:<84} {:>9} {:>9}", "target", "wanted", "seen");
    for judged in all {
        println!("{}", judged.line());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Seen;

    fn measured(cpu_secs: f64, answered: u64) -> Vec<Measured> {
        let seen = Seen { answered, secs: 1.0, ..Seen::default() };
        vec![Measured { seen, cpu_secs, resident_mb: 1.0 }]
    }

    #[test]
    fn a_run_is_held_to_the_promises_of_its_size() {
        assert_eq!(held_to(98).count(), 0);
        assert_eq!(held_to(99).count(), 4);
        assert_eq!(held_to(500_000).count(), 2);
    }

    #[test]
    fn a_promise_is_met_or_not() {
        let cost = Target { zones: 99, against: "x", promise: Promise::Cost(1.15) };
        assert!(cost.judge(&measured(1.1, 100), &measured(1.0, 100)).line().ends_with(" met"));
        assert!(cost.judge(&measured(1.2, 100), &measured(1.0, 100)).line().ends_with("NOT MET"));
        let rate = Target { zones: 99, against: "x", promise: Promise::Rate(2.0) };
        assert!(rate.judge(&measured(1.0, 210), &measured(1.0, 100)).line().ends_with(" met"));
    }
}
