//! The steps of a named zone: what is to be told, compared with what was told, in one walk over both.
//!
//! A serial starts at 1 and rises by one with each step, in the arithmetic of RFC 1982: after 4,294,967,295 comes 0,
//! which every secondary takes for the later one. It counts changes and nothing else: no clock can set it back, and
//! publishing the same again leaves it where it is.
//!
//! The history is bounded. A secondary that is older than what is kept gets the whole zone (RFC 1995, 4), and so does
//! everybody after a step so large that it would be no shorter than that.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Difference, NamedZone, Record};

/// The most steps that are kept.
pub const DIFFERENCES_MAX: usize = 512;
/// The most records in all the steps that are kept.
pub const DIFFERENCE_RECORDS_MAX: usize = 200_000;

/// The serial of what is told first.
const FIRST_SERIAL: u32 = 1;

//----------- Step -------------------------------------------------------------------------------------------------

/// What publishing changes.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) zone: NamedZone,
    /// `None` if the zone was never told before.
    pub(crate) difference: Option<Arc<Difference>>,
    /// How many of the oldest differences go, the new one counted as the last.
    pub(crate) dropped: usize,
}

impl Step {
    /// The first telling of a zone. The records may come in any order and more than once.
    pub(crate) fn first(origin: &[u8], records: Vec<Record>) -> Self {
        let records = in_order(records).into();
        let zone = NamedZone { origin: origin.into(), serial: FIRST_SERIAL, records, differences: Vec::new() };
        Self { zone, difference: None, dropped: 0 }
    }

    /// The step from what was told to these records; `None` if they are the same.
    pub(crate) fn from(before: &NamedZone, records: Vec<Record>) -> Option<Self> {
        let records = in_order(records);
        let (removed, added) = compare(&before.records, &records);
        if removed.is_empty() && added.is_empty() {
            return None;
        }
        let (from, to) = (before.serial, before.serial.wrapping_add(1));
        let difference = Arc::new(Difference { from, to, removed, added });
        let mut differences = before.differences.clone();
        differences.push(Arc::clone(&difference));
        let dropped = differences.len() - kept(&differences);
        differences.drain(..dropped);
        let zone = NamedZone { origin: before.origin.clone(), serial: to, records: records.into(), differences };
        Some(Self { zone, difference: Some(difference), dropped })
    }
}

fn in_order(mut records: Vec<Record>) -> Vec<Record> {
    records.sort_unstable();
    records.dedup();
    records
}

/// What is in the one and not in the other; both are in order.
fn compare(before: &[Record], after: &[Record]) -> (Vec<Record>, Vec<Record>) {
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    let (mut before, mut after) = (before.iter().peekable(), after.iter().peekable());
    loop {
        let order = match (before.peek(), after.peek()) {
            (Some(old), Some(new)) => old.cmp(new),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return (removed, added),
        };
        match order {
            Ordering::Less => removed.extend(before.next().cloned()),
            Ordering::Greater => added.extend(after.next().cloned()),
            Ordering::Equal => drop((before.next(), after.next())),
        }
    }
}

/// How many of the latest differences stay within the limits.
fn kept(differences: &[Arc<Difference>]) -> usize {
    let mut records = 0;
    let latest = differences.iter().rev().take(DIFFERENCES_MAX);
    let within = latest.take_while(|difference| {
        records += difference.removed.len() + difference.added.len();
        records <= DIFFERENCE_RECORDS_MAX
    });
    within.count()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn record(n: u32) -> Record {
        let owner = [&[4][..], &n.to_be_bytes()].concat();
        Record { owner: owner.into(), kind: 5, data: Box::new([0]), ttl_secs: 300 }
    }

    fn records(numbers: impl IntoIterator<Item = u32>) -> Vec<Record> {
        numbers.into_iter().map(record).collect()
    }

    fn tell(zone: &mut NamedZone, records: Vec<Record>) -> bool {
        Step::from(zone, records).map(|step| *zone = step.zone).is_some()
    }

    proptest! {
        #[test]
        fn whoever_has_a_serial_that_is_kept_comes_to_what_is_told_now(
            sets in prop::collection::vec(prop::collection::vec(0_u32..12, 0..12), 1..12),
            start in prop::sample::select(vec![1, 41, u32::MAX - 3]),
        ) {
            let mut zone = Step::first(b"\x03rpz\x00", Vec::new()).zone;
            zone.serial = start;
            let mut told = vec![(zone.serial, Vec::new())];
            for set in sets {
                let wanted: BTreeSet<Record> = records(set.clone()).into_iter().collect();
                let is_new = tell(&mut zone, records(set));
                prop_assert!(zone.records.iter().eq(wanted.iter()));
                prop_assert_eq!(is_new, told.last().is_some_and(|(serial, _)| zone.serial == serial.wrapping_add(1)));
                if is_new {
                    told.push((zone.serial, zone.records.to_vec()));
                }
            }
            prop_assert_eq!(zone.differences.len() + 1, told.len());
            for (serial, then) in told {
                let mut now: BTreeSet<Record> = then.into_iter().collect();
                for step in zone.differences.iter().skip_while(|step| step.from != serial) {
                    step.removed.iter().for_each(|record| assert!(now.remove(record)));
                    step.added.iter().for_each(|record| assert!(now.insert(record.clone())));
                }
                prop_assert!(zone.records.iter().eq(now.iter()));
            }
        }
    }

    #[test]
    fn the_same_told_again_in_another_order_and_twice_is_no_step() {
        let mut zone = Step::first(b"\x00", records([2, 1, 2])).zone;
        assert!(!tell(&mut zone, records([1, 2, 1])));
        assert_eq!((zone.serial, zone.records.len()), (1, 2));
    }

    #[test]
    fn the_oldest_steps_go_when_there_are_too_many() {
        let mut zone = Step::first(b"\x00", Vec::new()).zone;
        for n in 1..=DIFFERENCES_MAX as u32 {
            tell(&mut zone, records([n]));
        }
        let step = Step::from(&zone, records([0])).unwrap();
        assert_eq!((step.dropped, step.zone.differences.len()), (1, DIFFERENCES_MAX));
        assert_eq!(step.zone.differences[0].from, 2);
        assert_eq!(step.zone.differences.last().unwrap().to, step.zone.serial);
    }

    #[test]
    fn a_step_that_is_longer_than_the_limit_leaves_no_history() {
        let mut zone = Step::first(b"\x00", records([1])).zone;
        tell(&mut zone, records([1, 2]));
        let step = Step::from(&zone, records(10..=DIFFERENCE_RECORDS_MAX as u32 + 10)).unwrap();
        assert_eq!((step.dropped, step.zone.differences.len(), step.zone.serial), (2, 0, 3));
    }
}
