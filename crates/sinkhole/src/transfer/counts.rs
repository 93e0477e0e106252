//! What was taken, refused and told, since the start.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of the primary.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Whole zones that were sent to their end, and steps.
    pub axfr: u64,
    pub ixfr: u64,
    /// SOA records: a peer looked whether there is something new.
    pub looks: u64,
    /// Requests from nobody who may have the zone, with a bad signature, or that are none.
    pub refused: u64,
    pub badly_signed: u64,
    pub malformed: u64,
    /// Transfers that ended in the middle: the peer left, or read too slowly.
    pub broken: u64,
    /// Connections over a limit.
    pub shed: u64,
    pub notifies_sent: u64,
    pub notifies_answered: u64,
    pub notifies_given_up: u64,
}

/// The same while it is counted.
#[derive(Debug, Default)]
pub(super) struct Counting {
    counts: [AtomicU64; KINDS],
    /// The second in which a refusal was last logged.
    told: AtomicU64,
}

/// What is counted, in the order of [`Counts`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Axfr,
    Ixfr,
    Look,
    Refused,
    BadlySigned,
    Malformed,
    Broken,
    Shed,
    NotifySent,
    NotifyAnswered,
    NotifyGivenUp,
}

const KINDS: usize = Kind::NotifyGivenUp as usize + 1;

impl Counting {
    pub(super) fn add(&self, kind: Kind) {
        self.counts[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Whether a refusal may be logged: one a second. All are counted, and whoever sends very many must not fill a disk.
    pub(super) fn may_tell(&self, now_secs: u64) -> bool {
        self.told.swap(now_secs, Ordering::Relaxed) != now_secs
    }

    pub(super) fn read(&self) -> Counts {
        let count = |kind: Kind| self.counts[kind as usize].load(Ordering::Relaxed);
        Counts {
            axfr: count(Kind::Axfr),
            ixfr: count(Kind::Ixfr),
            looks: count(Kind::Look),
            refused: count(Kind::Refused),
            badly_signed: count(Kind::BadlySigned),
            malformed: count(Kind::Malformed),
            broken: count(Kind::Broken),
            shed: count(Kind::Shed),
            notifies_sent: count(Kind::NotifySent),
            notifies_answered: count(Kind::NotifyAnswered),
            notifies_given_up: count(Kind::NotifyGivenUp),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_once_a_second_and_counted_always() {
        let counting = Counting::default();
        let told: Vec<bool> = [7, 7, 7, 8, 8].map(|now| counting.may_tell(now)).to_vec();
        assert_eq!(told, [true, false, false, true, false]);
        counting.add(Kind::Refused);
        counting.add(Kind::NotifyGivenUp);
        assert_eq!(counting.read(), Counts { refused: 1, notifies_given_up: 1, ..Counts::default() });
    }
}
