//! Rule numbers that a name keeps, whatever else is on the list.
//!
//! A name's slot is a hash of the name, in a range that nobody else publishes rules in; each slot holds the name's
//! rules. Where two names want one slot the one that sorts later takes the next free slot: with five thousand names
//! in forty-nine million slots that happens once in four hundred lists, and then a number can move when the earlier
//! name leaves the list. Nothing is stored, so that the numbers are the same on every machine.

use std::collections::{BTreeMap, BTreeSet};

use model::{Digest, DomainName};

/// One rule each for DNS, TLS and HTTP.
pub(super) const RULES_PER_NAME: u32 = 3;
/// From two thousand million up no list of numbers names a publisher; the end is below 2^31, for signed columns.
pub(super) const SID_FIRST: u32 = 2_000_000_000;
const SLOTS: u32 = 49_000_000;

/// The first number of each name.
pub(super) fn give<'a>(names: impl IntoIterator<Item = &'a DomainName>) -> BTreeMap<&'a DomainName, u32> {
    let names: BTreeSet<&DomainName> = names.into_iter().collect();
    let mut taken = BTreeSet::new();
    let mut given = BTreeMap::new();
    for name in names {
        let slot = free_slot(wanted_slot(name), SLOTS, &taken);
        taken.insert(slot);
        given.insert(name, SID_FIRST + slot * RULES_PER_NAME);
    }
    given
}

fn wanted_slot(name: &DomainName) -> u32 {
    let [a, b, c, d, ..] = Digest::of_parts([b"bailiwick sid\0".as_slice(), name.as_str().as_bytes()]).0;
    u32::from_be_bytes([a, b, c, d]) % SLOTS
}

/// The wanted slot, or the next free one, round the end. There are always more slots than names.
fn free_slot(wanted: u32, slots: u32, taken: &BTreeSet<u32>) -> u32 {
    (wanted..slots).chain(0..wanted).find(|slot| !taken.contains(slot)).expect("more slots than names")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    #[test]
    fn a_name_keeps_its_number_when_others_come_and_go() {
        let (one, two, three) = (name("one.example"), name("two.example"), name("three.example"));
        let alone = give([&one]);
        let among = give([&three, &two, &one]);
        assert_eq!(alone[&one], among[&one]);
        assert_eq!(among, give([&one, &two, &three]));
        for sid in among.values() {
            assert!(*sid >= SID_FIRST && *sid < i32::MAX as u32 - RULES_PER_NAME);
        }
    }

    #[test]
    fn a_taken_slot_gives_the_next_one_also_round_the_end() {
        assert_eq!(free_slot(3, 5, &BTreeSet::new()), 3);
        assert_eq!(free_slot(3, 5, &BTreeSet::from([3])), 4);
        assert_eq!(free_slot(3, 5, &BTreeSet::from([3, 4])), 0);
        assert_eq!(free_slot(0, 5, &BTreeSet::from([0, 1, 2, 3])), 4);
    }
}
