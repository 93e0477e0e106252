//! How long answers took, in a histogram of fixed size: 1.6 % wide buckets from a nanosecond to hours.
//!
//! A load generator keeps millions of these; a list of them would measure the allocator.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Buckets per doubling: 64 make each at most 1/64 wide.
const FINE: u32 = 6;
/// Doublings above the first 64 nanoseconds: 2^46 ns are 19 hours.
const DOUBLINGS: usize = 40;
const BUCKETS: usize = (DOUBLINGS + 1) << FINE;

/// Counts of durations.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

/// The durations that a reader of a bench wants, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    pub p50_micros: f64,
    pub p90_micros: f64,
    pub p99_micros: f64,
    pub p999_micros: f64,
    pub max_micros: f64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0 }
    }
}

impl Histogram {
    pub fn add(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket(nanos)] += 1;
        self.total += 1;
    }

    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
    }

    pub fn count(&self) -> u64 {
        self.total
    }

    pub fn percentiles(&self) -> Percentiles {
        Percentiles {
            p50_micros: self.at(0.5),
            p90_micros: self.at(0.9),
            p99_micros: self.at(0.99),
            p999_micros: self.at(0.999),
            max_micros: self.at(1.0),
        }
    }

    /// The upper edge of the bucket in which this share of all durations is reached.
    fn at(&self, share: f64) -> f64 {
        let wanted = (self.total as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted && *count > 0 {
                return upper_edge(index) as f64 / 1000.0;
            }
        }
        0.0
    }
}

fn bucket(nanos: u64) -> usize {
    let doubling = (u64::BITS - nanos.leading_zeros()).saturating_sub(FINE + 1);
    let index = ((doubling as usize) << FINE) + (nanos >> doubling) as usize;
    index.min(BUCKETS - 1)
}

fn upper_edge(index: usize) -> u64 {
    let doubling = (index >> FINE).saturating_sub(1);
    let within = index - (doubling << FINE);
    ((within as u64 + 1) << doubling) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_is_at_most_one_bucket_off() {
        for nanos in [0, 1, 63, 64, 127, 128, 1000, 12_345, 999_999, 5_000_000_000, 1 << 44] {
            let edge = upper_edge(bucket(nanos));
            assert!(edge >= nanos && edge - nanos <= nanos / 64 + 1, "{nanos} reads as {edge}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1, "the last bucket takes all that is longer");
    }

    #[test]
    fn percentiles_are_those_of_the_list() {
        let (mut odd, mut even) = (Histogram::default(), Histogram::default());
        for micros in 1..=1000 {
            let half = if micros % 2 == 1 { &mut odd } else { &mut even };
            half.add(Duration::from_micros(micros));
        }
        odd.merge(&even);
        let found = odd.percentiles();
        for (got, want) in [(found.p50_micros, 500.0), (found.p99_micros, 990.0), (found.max_micros, 1000.0)] {
            assert!((got - want).abs() <= want / 60.0, "{got} for {want}");
        }
        assert_eq!(odd.count(), 1000);
        assert_eq!(Histogram::default().percentiles(), Percentiles::default());
    }
}
