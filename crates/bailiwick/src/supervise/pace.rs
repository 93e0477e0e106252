//! How fast things happen lately: tallies of the last minute, sampled, and their differences by second.

use std::collections::VecDeque;
use std::time::Duration;

use desk::api::Rates;
use model::tally::Tally;
use tokio::time::Instant;

/// How often the tallies are looked at, and how many looks are kept: a minute's.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(5);
const LOOKS_MAX: usize = 13;

/// Tallies by listener, as they are asked for.
pub(super) type Tallies = Vec<(String, Tally)>;

/// The looks of the last minute, the oldest first.
#[derive(Default)]
pub(super) struct Pace {
    looks: VecDeque<(Instant, Tallies)>,
}

impl Pace {
    pub(super) fn look(&mut self, at: Instant, tallies: Tallies) {
        if self.looks.len() == LOOKS_MAX {
            self.looks.pop_front();
        }
        self.looks.push_back((at, tallies));
    }

    /// How fast a listener went from the oldest look to now; `None` if it was never looked at before.
    pub(super) fn rates(&self, listener: &str, tally: &Tally, now: Instant) -> Option<Rates> {
        let (at, tallies) = self.looks.front()?;
        let (_, before) = tallies.iter().find(|(name, _)| name == listener)?;
        let over_secs = now.duration_since(*at).as_secs_f64();
        let each = |count: fn(&Tally) -> u64| count(tally).saturating_sub(count(before)) as f64 / over_secs;
        (over_secs > 0.0).then(|| Rates {
            over_secs,
            offered: each(Tally::offered),
            recorded: each(|tally| tally.recorded),
            collapsed: each(|tally| tally.collapsed),
            shed: each(|tally| tally.shed.total()),
            lost_in_kernel: each(|tally| tally.lost_in_kernel),
            answered: each(|tally| tally.answers.sent),
            rate_slipped: each(|tally| tally.answers.rate_slipped),
            rate_dropped: each(|tally| tally.answers.rate_dropped),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn rates_are_those_of_the_last_minute() {
        let start = Instant::now();
        let of = |recorded| vec![("dns-udp".to_owned(), Tally { recorded, ..Tally::default() })];
        let mut pace = Pace::default();
        let at = |look: u32| start + LOOK_EVERY * look;
        let now = Tally { recorded: 2_000, ..Tally::default() };
        assert_eq!(pace.rates("dns-udp", &now, at(0)), None, "nothing was looked at");
        for look in 0..20_u32 {
            pace.look(at(look), of(u64::from(look) * 100));
        }
        let rates = pace.rates("dns-udp", &now, at(20)).unwrap();
        assert_eq!((rates.over_secs, rates.recorded, rates.offered, rates.shed), (65.0, 20.0, 20.0, 0.0));
        assert_eq!(pace.rates("http", &now, at(20)), None);
    }
}
