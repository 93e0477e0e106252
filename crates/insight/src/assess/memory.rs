//! What a source did before: small, bounded, and in a deterministic order.
//!
//! It remembers by address, so everybody behind one address shares a memory; the labels' page says what that costs.
//! It is no store: it starts empty and is warmed from the archive.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;

use model::contact::Kind;
use model::time::{Timestamp, to_nanos};
use model::verdict::Label;

use super::Seen;
use super::agents::is_probe;

/// How much is remembered, and how long.
#[derive(Clone, Copy, Debug)]
pub struct MemoryLimits {
    /// Sources; beyond that the one that was silent longest is forgotten.
    pub sources_max: usize,
    /// Distinct names, oddities and beats of one source, each.
    pub distinct_max: usize,
    /// Times of one beat: the latest.
    pub times_max: usize,
    /// Distinct calls that are watched for fleets, and addresses that are counted of each.
    pub fleets_max: usize,
    pub fleet_addresses_max: usize,
    /// A source that was silent for so long starts anew.
    pub silence_secs: i64,
}

impl Default for MemoryLimits {
    fn default() -> Self {
        Self {
            sources_max: 50_000,
            distinct_max: 16,
            times_max: 8,
            fleets_max: 5_000,
            fleet_addresses_max: 64,
            silence_secs: 24 * 60 * 60,
        }
    }
}

/// What the sources did.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    limits: MemoryLimits,
    sources: BTreeMap<IpAddr, Source>,
    by_last: BTreeSet<(Timestamp, IpAddr)>,
    /// The addresses that make the same call with the same program.
    fleets: BTreeMap<String, BTreeSet<IpAddr>>,
}

/// What one source did.
#[derive(Clone, Debug, Default)]
pub struct Source {
    last: Timestamp,
    /// Seized names that it sent requests to.
    pub names: BTreeSet<String>,
    /// Distinct oddities of its contacts.
    pub oddities: BTreeSet<String>,
    /// Requests for paths that scanners try.
    pub probes: u32,
    /// Connections on which it said nothing.
    pub silences: u32,
    /// The calls that it repeats.
    pub beats: BTreeMap<String, Beats>,
    /// What its requests were taken for, and how surely.
    pub known_as: Option<(Label, u8)>,
}

/// One call that is repeated.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Beats {
    pub count: u32,
    pub times: VecDeque<Timestamp>,
}

impl Memory {
    pub fn new(limits: MemoryLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    pub fn of(&self, address: IpAddr) -> &Source {
        static NOBODY: Source = Source::nobody();
        self.sources.get(&address).unwrap_or(&NOBODY)
    }

    /// How many addresses make the same call with the same program, counted to a limit.
    pub(super) fn fleet_of(&self, seen: &Seen) -> usize {
        let fleet = seen.call_of_a_fleet().and_then(|call| self.fleets.get(&call));
        fleet.map_or(0, BTreeSet::len)
    }

    pub fn learn(&mut self, seen: &Seen) {
        let limits = self.limits;
        self.muster(seen);
        let source = self.touch(seen.address, seen.at);
        if seen.kind == Kind::Request {
            note(&mut source.names, seen.apex.as_deref(), limits.distinct_max);
            source.probes += u32::from(is_probe(seen.path()));
        }
        for oddity in &seen.oddities {
            note(&mut source.oddities, Some(oddity), limits.distinct_max);
        }
        let silent = seen.kind == Kind::Connection && seen.outcome.is_some_and(|outcome| outcome.octets_in == 0);
        source.silences += u32::from(silent);
        if let Some(beat) = seen.beat() {
            source.beat(beat, seen.at, limits);
        }
    }

    /// Keeps what a request was taken for: its source's connections and hellos are taken for the same.
    pub fn conclude(&mut self, address: IpAddr, label: Label, score: u8) {
        if let Some(source) = self.sources.get_mut(&address)
            && source.known_as.is_none_or(|(_, known)| score >= known)
            && label != Label::Unknown
        {
            source.known_as = Some((label, score));
        }
    }

    fn muster(&mut self, seen: &Seen) {
        let Some(call) = seen.call_of_a_fleet() else { return };
        if self.fleets.len() >= self.limits.fleets_max && !self.fleets.contains_key(&call) {
            return;
        }
        let fleet = self.fleets.entry(call).or_default();
        if fleet.len() < self.limits.fleet_addresses_max {
            fleet.insert(seen.address);
        }
    }

    fn touch(&mut self, address: IpAddr, at: Timestamp) -> &mut Source {
        let silence_secs = self.limits.silence_secs;
        let source = self.sources.entry(address).or_default();
        self.by_last.remove(&(source.last, address));
        if at.as_second().saturating_sub(source.last.as_second()) > silence_secs {
            *source = Source::default();
        }
        source.last = source.last.max(at);
        self.by_last.insert((source.last, address));
        if self.by_last.len() > self.limits.sources_max
            && let Some(oldest) = self.by_last.iter().find(|(_, other)| *other != address).copied()
        {
            self.by_last.remove(&oldest);
            self.sources.remove(&oldest.1);
        }
        self.sources.get_mut(&address).expect("entered above, and not the one forgotten")
    }

    /// How many sources are remembered.
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }
}

impl Source {
    const fn nobody() -> Self {
        Self {
            last: Timestamp::UNIX_EPOCH,
            names: BTreeSet::new(),
            oddities: BTreeSet::new(),
            probes: 0,
            silences: 0,
            beats: BTreeMap::new(),
            known_as: None,
        }
    }

    fn beat(&mut self, beat: String, at: Timestamp, limits: MemoryLimits) {
        if self.beats.len() >= limits.distinct_max && !self.beats.contains_key(&beat) {
            return;
        }
        let beats = self.beats.entry(beat).or_default();
        beats.count += 1;
        beats.times.push_back(at);
        if beats.times.len() > limits.times_max {
            beats.times.pop_front();
        }
    }
}

impl Beats {
    /// The mean interval in seconds, if the latest times are evenly spaced: at least `least` intervals, whose mean
    /// absolute deviation is below a quarter of their mean.
    pub fn even_interval(&self, least: usize) -> Option<f64> {
        let gaps: Vec<f64> = self.times.iter().zip(self.times.iter().skip(1)).map(|(a, b)| secs(*a, *b)).collect();
        if gaps.len() < least.max(1) {
            return None;
        }
        let count = f64::from(u32::try_from(gaps.len()).ok()?);
        let mean = gaps.iter().sum::<f64>() / count;
        let deviation = gaps.iter().map(|gap| (gap - mean).abs()).sum::<f64>() / count;
        (mean > 0.0 && deviation < mean / 4.0).then_some(mean)
    }
}

#[expect(clippy::cast_precision_loss, reason = "an interval between two calls is far below 2^52 nanoseconds' worth")]
fn secs(from: Timestamp, to: Timestamp) -> f64 {
    (to_nanos(to) - to_nanos(from)) as f64 / 1e9
}

fn note(set: &mut BTreeSet<String>, what: Option<&str>, max: usize) {
    if let Some(what) = what
        && set.len() < max
    {
        set.insert(what.to_owned());
    }
}
