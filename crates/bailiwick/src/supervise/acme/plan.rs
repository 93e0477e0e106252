//! Which certificates to order now: so many at once, so many an hour, and later after each failure.
//!
//! A pure function of what is due and the clock. An authority counts what an account asks for and what fails, and locks out
//! for days who asks too much; so all limits stand below those of the largest, and nothing that a caller does reaches
//! this. Nothing is remembered over a restart: the hour's limit starts anew, and is small for that reason.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use model::{DomainName, Timestamp};

/// Orders that run at the same time.
pub(super) const AT_ONCE: usize = 4;
/// Orders begun in an hour. The largest authority allows an account 300 in three hours, 100 an hour; a fifth is left to
/// restarts and to people.
pub(super) const AN_HOUR: usize = 80;
const HOUR: Duration = Duration::from_secs(3_600);
/// From the first failure of a name to its second try; it doubles with each. The largest authority allows five failures of
/// a name in an hour: 10 + 20 + 40 minutes are three.
pub(super) const FIRST_WAIT: Duration = Duration::from_secs(600);
/// The longest wait: a name that is not delegated to us yet may be tomorrow.
pub(super) const LAST_WAIT: Duration = Duration::from_secs(24 * 3_600);
/// From one certificate of a name to its next, even if the authority's dates would have it sooner.
pub(super) const REST: Duration = HOUR;
/// How long after its wait a name's failures are remembered: at most 80 names an hour for two days, 3,840.
const REMEMBERED: Duration = Duration::from_secs(24 * 3_600);

/// What runs and what waits.
#[derive(Debug, Default)]
pub(super) struct Plan {
    running: HashSet<DomainName>,
    waits: HashMap<DomainName, Wait>,
    begun: VecDeque<Timestamp>,
}

#[derive(Debug)]
struct Wait {
    failures: u32,
    until: Timestamp,
}

impl Plan {
    /// Those that are to be ordered now, of all that are due; from then on they run.
    pub(super) fn pick<'a>(&mut self, due: impl Iterator<Item = &'a DomainName>, now: Timestamp) -> Vec<DomainName> {
        self.begun.retain(|at| now < *at + HOUR);
        self.waits.retain(|_, wait| now < wait.until + REMEMBERED);
        let room = AT_ONCE.saturating_sub(self.running.len()).min(AN_HOUR.saturating_sub(self.begun.len()));
        let may_run = |name: &&DomainName| {
            !self.running.contains(*name) && self.waits.get(*name).is_none_or(|wait| wait.until <= now)
        };
        let picked: Vec<DomainName> = due.filter(may_run).take(room).cloned().collect();
        self.running.extend(picked.iter().cloned());
        self.begun.extend(picked.iter().map(|_| now));
        picked
    }

    /// When the first of those that failed is tried again, if it wants one still.
    pub(super) fn next_try(&self, now: Timestamp) -> Option<Timestamp> {
        let failed = self.waits.values().filter(|wait| wait.failures > 0 && wait.until > now);
        failed.map(|wait| wait.until).min()
    }

    /// One that ran has ended. Until the instant that comes back the name is left alone.
    pub(super) fn ended(&mut self, name: DomainName, has_failed: bool, now: Timestamp) -> Timestamp {
        self.running.remove(&name);
        let before = self.waits.get(&name).map_or(0, |wait| wait.failures);
        let failures = if has_failed { before + 1 } else { 0 };
        let wait = if has_failed { wait_after(failures) } else { REST };
        self.waits.insert(name, Wait { failures, until: now + wait });
        now + wait
    }
}

/// 10 minutes, 20, 40, …, a day.
fn wait_after(failures: u32) -> Duration {
    let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    FIRST_WAIT.saturating_mul(doubled).min(LAST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<DomainName> {
        (0..count).map(|n| DomainName::parse(&format!("n{n}.test")).unwrap()).collect()
    }

    fn minutes(count: u64) -> Duration {
        Duration::from_secs(60 * count)
    }

    #[test]
    fn so_many_run_at_once_and_each_name_once() {
        let (due, mut plan, now) = (names(9), Plan::default(), Timestamp::UNIX_EPOCH);
        assert_eq!(plan.pick(due.iter(), now), due[..AT_ONCE]);
        assert!(plan.pick(due.iter(), now).is_empty());
        plan.ended(due[1].clone(), false, now);
        assert_eq!(plan.pick(due.iter(), now), [due[4].clone()], "the one that ended rests, even if it is due");
    }

    #[test]
    fn so_many_are_begun_in_an_hour() {
        let (due, mut plan, start) = (names(AN_HOUR + 1), Plan::default(), Timestamp::UNIX_EPOCH);
        let mut begun = 0;
        for minute in 0..30 {
            let now = start + minutes(minute);
            for name in plan.pick(due.iter(), now) {
                plan.ended(name, false, now);
                begun += 1;
            }
        }
        assert_eq!(begun, AN_HOUR);
        assert!(plan.pick(due.iter(), start + minutes(59)).is_empty());
        assert!(!plan.pick(due.iter(), start + minutes(60)).is_empty());
    }

    #[test]
    fn a_name_that_fails_waits_twice_as_long_each_time_and_is_forgotten_in_the_end() {
        let (due, mut plan, mut now) = (names(1), Plan::default(), Timestamp::UNIX_EPOCH);
        let mut waits = Vec::new();
        for _ in 0..10 {
            assert_eq!(plan.pick(due.iter(), now), due);
            let until = plan.ended(due[0].clone(), true, now);
            assert_eq!(plan.next_try(now), Some(until));
            assert!(plan.pick(due.iter(), until - minutes(1)).is_empty());
            waits.push(until.duration_since(now).as_mins());
            now = until;
        }
        assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440]);
        assert_eq!(wait_after(u32::MAX), LAST_WAIT);
        assert!(plan.pick([].iter(), now + LAST_WAIT).is_empty() && plan.waits.is_empty(), "nothing is kept for ever");
    }
}
