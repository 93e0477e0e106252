//! What a sensor does with its closed segments: send them in order, let go what the core has said that it holds.
//!
//! ```text
//! waiting ─► sending ─► acknowledged ─► let go
//!    ▲          │ cut, busy: all rest for a while, longer each time
//!    │          │ "that number first", and it is not here: sent again, saying that what was before is lost
//!    ├──────────┤ refused for good: this lane rests, the others go on, and the operator reads why
//!    └──────────┘
//! ```
//!
//! One segment of a lane is on its way at a time, so a lane arrives in order; lanes go side by side. The folder is the truth:
//! after a crash everything that lies there is sent again, and what the core has already it acknowledges at once. Nothing
//! is let go that was not acknowledged: when the disk's budget ends the journal sheds new records, as it does everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::id::{Boot, Lane};
use model::segment::SegmentKey;
use serde::{Deserialize, Serialize};

use super::Answer;

/// What the uplink keeps to.
#[derive(Clone, Copy, Debug)]
pub struct UplinkLimits {
    /// Segments that are on their way at a time.
    pub in_flight_max: usize,
    /// The rest after the first failure; it doubles with each.
    pub rest: Duration,
    pub rest_max: Duration,
    /// How long a lane rests that was refused for good.
    pub held: Duration,
}

impl Default for UplinkLimits {
    fn default() -> Self {
        Self {
            in_flight_max: 4,
            rest: Duration::from_millis(500),
            rest_max: Duration::from_secs(60),
            held: Duration::from_secs(600),
        }
    }
}

/// A closed segment in the folder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Found {
    pub key: SegmentKey,
    pub octets: u64,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Todo {
    /// Send it; `lost_before`: say that what the lane had before is lost.
    Send { key: SegmentKey, lost_before: bool },
    /// The core has it: let it go.
    Release { key: SegmentKey },
}

/// What was done so far, and what waits.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct UplinkTally {
    /// Segments in the folder that the core has not acknowledged.
    pub waiting: u64,
    pub waiting_octets: u64,
    pub in_flight: u64,
    pub sent: u64,
    pub acknowledged: u64,
    pub acknowledged_octets: u64,
    pub released: u64,
    /// Attempts that came to nothing.
    pub failed: u64,
    /// Lanes that the core refuses.
    pub held: u64,
    /// Why the last attempt failed; `None` since the last that did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// The machine. Time is since any beginning, by a clock that nobody sets; dice are random.
#[derive(Clone, Debug)]
pub struct Uplink {
    limits: UplinkLimits,
    lanes: BTreeMap<(Boot, Lane), Queue>,
    failures: u32,
    rest_until: Duration,
    tally: UplinkTally,
}

#[derive(Clone, Debug, Default)]
struct Queue {
    /// Octets by number.
    waiting: BTreeMap<u32, u64>,
    sending: Option<u32>,
    /// What the core has, until it is let go.
    acknowledged: Option<u32>,
    releasing: bool,
    lost_before: bool,
    held_until: Duration,
    is_held: bool,
}

impl Queue {
    fn is_ready(&self, now: Duration) -> bool {
        let is_idle = self.sending.is_none() && self.acknowledged.is_none();
        is_idle && self.held_until <= now && !self.waiting.is_empty()
    }
}

impl Uplink {
    pub fn new(limits: UplinkLimits) -> Self {
        let (lanes, tally) = (BTreeMap::new(), UplinkTally::default());
        Self { limits, lanes, failures: 0, rest_until: Duration::ZERO, tally }
    }

    /// Takes what lies in the folder now, all of it.
    pub fn found(&mut self, segments: &[Found]) {
        let mut waiting: BTreeMap<(Boot, Lane), BTreeMap<u32, u64>> = BTreeMap::new();
        for Found { key, octets } in segments {
            waiting.entry((key.boot, key.lane)).or_default().insert(key.number, *octets);
        }
        let known: BTreeSet<_> = self.lanes.keys().chain(waiting.keys()).copied().collect();
        for lane in known {
            let queue = self.lanes.entry(lane).or_default();
            queue.waiting = waiting.remove(&lane).unwrap_or_default();
            queue.acknowledged = queue.acknowledged.filter(|number| queue.waiting.contains_key(number));
        }
        self.lanes.retain(|_, queue| !queue.waiting.is_empty() || queue.sending.is_some());
    }

    /// What is to be done now, if anything is. The segment's sensor is the folder's own.
    pub fn next(&mut self, now: Duration, sensor: model::id::SensorId) -> Option<Todo> {
        let key = |(boot, lane): (Boot, Lane), number| SegmentKey { sensor, boot, lane, number };
        for (lane, queue) in &mut self.lanes {
            if let (Some(number), false) = (queue.acknowledged, queue.releasing) {
                queue.releasing = true;
                return Some(Todo::Release { key: key(*lane, number) });
            }
        }
        if now < self.rest_until || self.in_flight() >= self.limits.in_flight_max {
            return None;
        }
        let (lane, queue) = self.lanes.iter_mut().find(|(_, queue)| queue.is_ready(now))?;
        let number = *queue.waiting.keys().next()?;
        queue.sending = Some(number);
        self.tally.sent += 1;
        Some(Todo::Send { key: key(*lane, number), lost_before: queue.lost_before })
    }

    fn in_flight(&self) -> usize {
        self.lanes.values().filter(|queue| queue.sending.is_some()).count()
    }

    /// What the core said about a segment; `Err`: nothing, and why.
    pub fn answered(&mut self, key: SegmentKey, answer: Result<Answer, &str>, now: Duration, dice: u64) {
        let held = now + self.limits.held;
        let Some(queue) = self.lanes.get_mut(&(key.boot, key.lane)) else { return };
        if queue.sending != Some(key.number) {
            // An answer that comes twice or late says nothing new.
            return;
        }
        queue.sending = None;
        let is_first = queue.waiting.keys().next() == Some(&key.number);
        match answer {
            Ok(answer) if answer.is_receipt() => {
                (queue.lost_before, queue.is_held) = (false, false);
                self.tally.acknowledged += 1;
                self.tally.acknowledged_octets += queue.waiting.get(&key.number).copied().unwrap_or_default();
                queue.acknowledged = queue.waiting.contains_key(&key.number).then_some(key.number);
                (self.failures, self.tally.last_error) = (0, None);
            }
            Ok(Answer::Expected { number }) if number < key.number && is_first => queue.lost_before = true,
            Ok(answer @ (Answer::Busy | Answer::Broken)) => self.failed(answer.text(), now, dice),
            Ok(answer) => {
                (queue.held_until, queue.is_held) = (held, true);
                self.tally.failed += 1;
                self.tally.last_error = Some(format!("{key}: {}", answer.text()));
            }
            Err(why) => self.failed(why, now, dice),
        }
    }

    fn failed(&mut self, why: &str, now: Duration, dice: u64) {
        self.tally.failed += 1;
        self.tally.last_error = Some(why.to_owned());
        let rest = self.limits.rest.saturating_mul(1 << self.failures.min(16)).min(self.limits.rest_max);
        self.failures = self.failures.saturating_add(1);
        // Half of it is chance, so that a thousand sensors do not come back in one second.
        let half = rest / 2;
        let chance = half.mul_f64((dice % 1_000) as f64 / 1_000.0);
        self.rest_until = self.rest_until.max(now + half + chance);
    }

    /// What became of letting a segment go. What could not be removed is sent, acknowledged and removed again later.
    pub fn released(&mut self, key: SegmentKey, is_gone: bool, now: Duration) {
        let held = now + self.limits.held;
        let Some(queue) = self.lanes.get_mut(&(key.boot, key.lane)) else { return };
        queue.releasing = false;
        queue.acknowledged = None;
        if is_gone {
            queue.waiting.remove(&key.number);
            self.tally.released += 1;
        } else {
            queue.held_until = held;
        }
        if queue.waiting.is_empty() && queue.sending.is_none() {
            self.lanes.remove(&(key.boot, key.lane));
        }
    }

    /// When something may be done that cannot be done now.
    pub fn rest_until(&self) -> Duration {
        self.rest_until
    }

    pub fn tally(&self) -> UplinkTally {
        let waiting = self.lanes.values().flat_map(|queue| queue.waiting.values());
        UplinkTally {
            waiting: waiting.clone().count() as u64,
            waiting_octets: waiting.sum(),
            in_flight: self.in_flight() as u64,
            held: self.lanes.values().filter(|queue| queue.is_held).count() as u64,
            ..self.tally.clone()
        }
    }
}
