//! What the follower holds in its head: who waits to be judged, what sources did, what is being learned.
//!
//! A request is judged with what followed it (only then is it known whether a password was typed), and a connection
//! or hello when it ends and all that came over it has been seen. Each therefore waits for its outcome, which may come
//! in a later batch, but not for ever. Each contact gets one verdict.
//!
//! ```text
//! contact ──query, message, datagram──────────────► ready ──► judged, once
//!    └──────request, hello, connection──► waiting ──┘   outcome came · waited too long · no room · we stop
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use model::Timestamp;
use model::contact::{Contact, Kind};
use model::fact::Indicator;
use model::id::{CaseId, ContactId};
use model::marking::Withheld;
use model::outcome::Outcome;
use model::verdict::Verdict;
use store::archive::Sighting;

use crate::assess::{Carried, Context, Memory, MemoryLimits, Seen, judge, judge_all};
use crate::learn::{Learning, Thresholds};
use crate::tables::Tables;

#[cfg(test)]
mod tests;

/// How long and how many wait for their outcome.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub wait_secs: i64,
    pub waiting_max: usize,
}

impl Patience {
    pub fn wait(self) -> Duration {
        Duration::from_secs(self.wait_secs.unsigned_abs())
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self { wait_secs: 60, waiting_max: 100_000 }
    }
}

/// Until when a contact may wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Until {
    /// Whoever came before this instant has waited long enough.
    Before(Timestamp),
    /// Nobody waits any longer: we stop, or nothing more will come.
    Now,
}

/// The follower's memory.
#[derive(Debug, Default)]
pub struct Understanding {
    patience: Patience,
    waiting: BTreeMap<ContactId, Seen>,
    ready: Vec<Seen>,
    carried: Carried,
    memory: Memory,
    learning: Learning,
}

/// What was judged, and what came of it.
#[derive(Debug, Default)]
pub struct Judged {
    /// Each with the instant at which its contact was received.
    pub verdicts: Vec<(Verdict, Timestamp)>,
    pub learned: Vec<(CaseId, Indicator)>,
}

/// The world as the rules may know it.
#[derive(Clone, Copy)]
pub struct World<'a> {
    pub tables: &'a Tables,
    pub withheld: &'a BTreeMap<CaseId, Withheld>,
    pub own: &'a BTreeSet<IpAddr>,
}

impl<'a> World<'a> {
    fn context(self, memory: &'a Memory) -> Context<'a> {
        let Self { tables, withheld, own } = self;
        Context { tables, withheld, own, memory }
    }
}

impl Understanding {
    pub fn new(patience: Patience, memory: MemoryLimits, thresholds: Thresholds) -> Self {
        let (memory, learning) = (Memory::new(memory), Learning::new(thresholds));
        Self { patience, memory, learning, ..Self::default() }
    }

    pub fn take_contact(&mut self, contact: &Contact<'_>) {
        let seen = Seen::of(contact);
        if !matches!(seen.kind, Kind::Request | Kind::Hello | Kind::Connection) {
            self.ready.push(seen);
            return;
        }
        self.waiting.insert(seen.id, seen);
        if self.waiting.len() > self.patience.waiting_max {
            self.ready.extend(self.waiting.pop_first().map(|(_, oldest)| oldest));
        }
    }

    pub fn take_outcome(&mut self, outcome: &Outcome<'_>) {
        if let Some(mut seen) = self.waiting.remove(&outcome.of) {
            seen.follow(outcome);
            self.ready.push(seen);
        }
    }

    /// Judges all that is ready or has waited long enough.
    pub fn judge(&mut self, until: Until, world: World<'_>) -> Judged {
        let waited = |_: &ContactId, seen: &mut Seen| match until {
            Until::Now => true,
            Until::Before(instant) => seen.at < instant,
        };
        self.ready.extend(self.waiting.extract_if(.., waited).map(|(_, seen)| seen));
        let mut batch = std::mem::take(&mut self.ready);
        batch.sort_by_key(|seen| (seen.at, seen.id));
        batch.iter().for_each(|seen| self.memory.learn(seen));
        self.conclude_requests(&batch, world);
        let context = world.context(&self.memory);
        let verdicts = judge_all(&mut batch, &mut self.carried, &context);
        self.carried.retain(|carrier| self.waiting.contains_key(&carrier));
        batch.iter().zip(&verdicts).for_each(|(seen, verdict)| self.learning.take(seen, verdict));
        let received = batch.iter().map(|seen| seen.at);
        let learned = self.learning.found(|case, address| context.withholds(case, address));
        Judged { verdicts: verdicts.into_iter().zip(received).collect(), learned }
    }

    /// What requests were taken for is known before anything of the batch is judged by association: the icon that a
    /// browser fetches belongs to the form that follows.
    fn conclude_requests(&mut self, batch: &[Seen], world: World<'_>) {
        for seen in batch.iter().filter(|seen| seen.kind == Kind::Request) {
            let verdict = judge(seen, &world.context(&self.memory));
            self.memory.conclude(seen.address, verdict.label, verdict.score);
        }
    }

    /// How many wait for their outcome.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// When the next of those who wait has waited long enough, as seen at `now`.
    pub fn patience_from(&self, now: Timestamp) -> Until {
        Until::Before(now.checked_sub(self.patience.wait()).unwrap_or(now))
    }

    //----- After a restart

    /// What the ledger has already is not learned again.
    pub fn know<'a>(&mut self, indicators: impl IntoIterator<Item = (&'a CaseId, &'a Indicator)>) {
        indicators.into_iter().for_each(|(case, indicator)| self.learning.know(case, indicator));
    }

    /// Remembers what the archive still has. What a crash left without a verdict is judged next.
    pub fn warm(&mut self, sightings: &[Sighting]) {
        for sighting in sightings {
            let seen = Seen::again(sighting);
            let Some(label) = sighting.label else {
                self.ready.push(seen);
                continue;
            };
            self.memory.learn(&seen);
            if seen.kind == Kind::Request {
                self.memory.conclude(seen.address, label, sighting.score.unwrap_or_default());
            }
            self.learning.take(&seen, &again(sighting, label));
        }
    }
}

/// The verdict as the archive has it.
fn again(sighting: &Sighting, label: model::verdict::Label) -> Verdict {
    Verdict {
        of: sighting.id,
        label,
        score: sighting.score.unwrap_or_default(),
        reasons: sighting.reasons.clone(),
        asn: sighting.asn,
        as_name: sighting.as_name.clone(),
        country: sighting.country,
        withheld: sighting.withheld,
    }
}
