//! How a core takes one segment: what is done, in which order, and what is said.
//!
//! ```text
//!          known already                     synced   named    folder synced   row committed
//! look ─────────────────► answer             │        │        │               │
//!   └─► receive ─────────────────► sync file ► rename ► sync folder ► record ──► answer "stored"
//!          │ cut, other octets, another start     │ fails   │            │ fails
//!          └──────────────► discard ◄─────────────┴─────────┴────────────┘
//!                              └─► answer
//! ```
//!
//! The row is last: a file without one is no segment, and is written over when the sensor sends it again. Only one
//! reception at a time may be under way in a lane; whoever carries it out sees to that.

use model::Digest;
use model::Timestamp;
use model::segment::SegmentKey;

use super::Answer;

/// The largest segment that is taken: the journal closes one at 64 MiB, and one commit of 8 MiB may go over.
pub const SEGMENT_OCTETS_MAX: u64 = 96 << 20;
/// The most lanes of one sensor, all its boots together: a row each, for ever.
pub const LANES_PER_SENSOR_MAX: u64 = 1 << 20;

/// What a sensor announces.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Offer {
    pub key: SegmentKey,
    pub digest: Digest,
    pub octets: u64,
    /// Frames from this number on do not count.
    pub end: Option<u64>,
    /// The sensor has lost what the lane had before this segment, as far as the core does not have it.
    pub lost_before: bool,
    /// The sensor's clock as it sent this.
    pub clock: Option<Timestamp>,
}

/// What the core knows of the segment and its lane.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Known {
    /// The digest of the segment of this name.
    pub segment: Option<Digest>,
    /// The number that the lane goes on with.
    pub next: u32,
    /// Which start of its program wrote the boot; 0 if nobody has said.
    pub start: u64,
    /// How many lanes the sensor has, this one not counted if it is new.
    pub lanes: u64,
    pub is_new_lane: bool,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Ask the ledger what is known.
    Look,
    /// Take the octets into a file that has no name yet.
    Receive,
    SyncFile,
    Rename,
    SyncFolder,
    /// Commit the row, and with it the gap before it, if there is one.
    Record,
    /// Remove the file that has no name yet, if there is one.
    Discard,
    Answer(Answer),
}

/// What became of a step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event {
    Known(Known),
    /// All octets are in the file; `start` stands in the header, 0 if it has none.
    Received {
        octets: u64,
        digest: Digest,
        start: u64,
    },
    Done,
    /// The disk or the database refused, or the sensor went away.
    Failed,
}

/// One reception.
#[derive(Clone, Debug)]
pub struct Reception {
    offer: Offer,
    /// What was asked for and has not come back.
    step: Step,
    known: Known,
    /// What is said once the file is discarded.
    verdict: Answer,
    start: u64,
}

impl Reception {
    pub fn new(offer: Offer) -> Self {
        Self { offer, step: Step::Look, known: Known::default(), verdict: Answer::Busy, start: 0 }
    }

    pub fn offer(&self) -> &Offer {
        &self.offer
    }

    /// What has to be done now.
    pub fn step(&self) -> Step {
        self.step
    }

    /// Which start of its program wrote the segment; known once it is received.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// The numbers that are lost before this segment.
    pub fn gap(&self) -> Option<std::ops::Range<u32>> {
        let (from, until) = (self.known.next, self.offer.key.number);
        (from < until).then_some(from..until)
    }

    /// Takes what became of the step, and says the next. What a step cannot end with is a failure.
    pub fn apply(&mut self, event: Event) -> Step {
        self.step = match (self.step, event) {
            (Step::Look, Event::Known(known)) => self.look(known),
            (Step::Receive, Event::Received { octets, digest, start }) => self.check(octets, digest, start),
            (Step::SyncFile, Event::Done) => Step::Rename,
            (Step::Rename, Event::Done) => Step::SyncFolder,
            (Step::SyncFolder, Event::Done) => Step::Record,
            (Step::Record, Event::Done) => Step::Answer(Answer::Stored),
            (Step::Discard, _) => Step::Answer(self.verdict),
            (Step::Answer(answer), _) => Step::Answer(answer),
            (Step::Look, _) => Step::Answer(Answer::Busy),
            _ => self.discard(Answer::Busy),
        };
        self.step
    }

    fn look(&mut self, known: Known) -> Step {
        self.known = known;
        let Offer { key, digest, octets, lost_before, .. } = &self.offer;
        match known.segment {
            Some(kept) if kept == *digest => return Step::Answer(Answer::Had),
            Some(_) => return Step::Answer(Answer::Contradicted),
            None => {}
        }
        let is_next = key.number == known.next || (*lost_before && key.number > known.next);
        // The largest number has no next one.
        if !is_next || key.number == u32::MAX {
            return Step::Answer(Answer::Expected { number: known.next });
        }
        if *octets > SEGMENT_OCTETS_MAX {
            return Step::Answer(Answer::TooLarge);
        }
        if known.is_new_lane && known.lanes >= LANES_PER_SENSOR_MAX {
            return Step::Answer(Answer::Crowded);
        }
        Step::Receive
    }

    fn check(&mut self, octets: u64, digest: Digest, start: u64) -> Step {
        self.start = start;
        if octets != self.offer.octets || digest != self.offer.digest {
            return self.discard(Answer::Broken);
        }
        if start != 0 && self.known.start != 0 && start != self.known.start {
            return self.discard(Answer::OtherStart);
        }
        Step::SyncFile
    }

    fn discard(&mut self, verdict: Answer) -> Step {
        self.verdict = verdict;
        Step::Discard
    }
}
