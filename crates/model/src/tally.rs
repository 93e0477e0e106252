//! The accounting equation: offered = recorded + collapsed + shed + lost in the kernel.
//!
//! Counts are frames in the journal like contacts, one per listener and change, so that totals survive whatever the
//! process does not. What the kernel lost is read from the kernel; where that could not be read the frame says so,
//! and never zero.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::frame::{Fields, FrameError, put_bytes, put_number, put_signed};
use crate::time::{Timestamp, from_nanos, to_nanos};

/// What one listener counted since its last such frame.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Counts<'a> {
    pub at: Timestamp,
    /// `dns-udp 127.0.0.1:5353`
    pub listener: Cow<'a, str>,
    pub tally: Tally,
}

/// The equation's terms, as counts of contacts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    pub recorded: u64,
    /// Repeats above a rate, of which one record a second carries the count.
    pub collapsed: u64,
    pub shed: Shed,
    /// Datagrams that the kernel dropped before we could read them.
    pub lost_in_kernel: u64,
    /// How often the kernel's count could not be read: the loss is then unknown.
    pub loss_unknown: u64,
    /// What became of the answers: beside the equation, which is about what came.
    #[serde(default)]
    pub answers: Answers,
    /// Which limits ended a connection that is on record: beside the equation too.
    #[serde(default)]
    pub cut_short: CutShort,
}

/// What became of the answers to datagrams and messages.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    /// Handed to the kernel whole, or truncated because they did not fit.
    pub sent: u64,
    /// Sent empty with TC by response rate limiting: a real asker comes again over TCP.
    pub rate_slipped: u64,
    /// Not sent, by response rate limiting.
    pub rate_dropped: u64,
}

/// Connections on record that ended before their time, by a limit on all of them together.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct CutShort {
    /// Had been idle longest when somebody else needed the place, or the room for octets.
    pub evicted: u64,
    /// Wanted TLS when a second's handshakes were used up.
    pub handshakes: u64,
    /// Had more to be held than there was room for.
    pub buffered: u64,
}

/// What was not recorded, and why.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Shed {
    /// A limit on connections was reached.
    pub connections: u64,
    /// The journal could not be written.
    pub journal: u64,
    /// The act is not covered: nothing may be recorded (`hold`, `handback`).
    pub not_covered: u64,
}

impl Shed {
    pub fn total(&self) -> u64 {
        self.connections + self.journal + self.not_covered
    }
}

impl Tally {
    pub fn offered(&self) -> u64 {
        self.recorded + self.collapsed + self.shed.total() + self.lost_in_kernel
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub fn add(&mut self, other: &Self) {
        self.recorded += other.recorded;
        self.collapsed += other.collapsed;
        self.shed.connections += other.shed.connections;
        self.shed.journal += other.shed.journal;
        self.shed.not_covered += other.shed.not_covered;
        self.lost_in_kernel += other.lost_in_kernel;
        self.loss_unknown += other.loss_unknown;
        self.answers.sent += other.answers.sent;
        self.answers.rate_slipped += other.answers.rate_slipped;
        self.answers.rate_dropped += other.answers.rate_dropped;
        self.cut_short.evicted += other.cut_short.evicted;
        self.cut_short.handshakes += other.cut_short.handshakes;
        self.cut_short.buffered += other.cut_short.buffered;
    }
}

/// Tags, for ever.
mod tag {
    pub(super) const AT: u32 = 1;
    pub(super) const LISTENER: u32 = 2;
    pub(super) const RECORDED: u32 = 3;
    pub(super) const COLLAPSED: u32 = 4;
    pub(super) const LOST_IN_KERNEL: u32 = 5;
    pub(super) const LOSS_UNKNOWN: u32 = 6;
    pub(super) const SHED_CONNECTIONS: u32 = 10;
    pub(super) const SHED_JOURNAL: u32 = 11;
    pub(super) const SHED_NOT_COVERED: u32 = 12;
    pub(super) const ANSWERS_SENT: u32 = 20;
    pub(super) const ANSWERS_SLIPPED: u32 = 21;
    pub(super) const ANSWERS_DROPPED: u32 = 22;
    pub(super) const CUT_EVICTED: u32 = 30;
    pub(super) const CUT_HANDSHAKES: u32 = 31;
    pub(super) const CUT_BUFFERED: u32 = 32;
}

impl<'a> Counts<'a> {
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_signed(out, tag::AT, to_nanos(self.at));
        put_bytes(out, tag::LISTENER, self.listener.as_bytes());
        let tally = &self.tally;
        for (tag, count) in [
            (tag::RECORDED, tally.recorded),
            (tag::COLLAPSED, tally.collapsed),
            (tag::LOST_IN_KERNEL, tally.lost_in_kernel),
            (tag::LOSS_UNKNOWN, tally.loss_unknown),
            (tag::SHED_CONNECTIONS, tally.shed.connections),
            (tag::SHED_JOURNAL, tally.shed.journal),
            (tag::SHED_NOT_COVERED, tally.shed.not_covered),
            (tag::ANSWERS_SENT, tally.answers.sent),
            (tag::ANSWERS_SLIPPED, tally.answers.rate_slipped),
            (tag::ANSWERS_DROPPED, tally.answers.rate_dropped),
            (tag::CUT_EVICTED, tally.cut_short.evicted),
            (tag::CUT_HANDSHAKES, tally.cut_short.handshakes),
            (tag::CUT_BUFFERED, tally.cut_short.buffered),
        ] {
            if count != 0 {
                put_number(out, tag, count);
            }
        }
    }

    pub fn decode(payload: &'a [u8]) -> Result<Self, FrameError> {
        let (mut at, mut listener, mut tally) = (None, "", Tally::default());
        for field in Fields::new(payload) {
            let (tag, value) = field?;
            match tag {
                tag::AT => at = Some(value.signed(tag)?),
                tag::LISTENER => listener = value.text(tag)?,
                tag::RECORDED => tally.recorded = value.number(tag)?,
                tag::COLLAPSED => tally.collapsed = value.number(tag)?,
                tag::LOST_IN_KERNEL => tally.lost_in_kernel = value.number(tag)?,
                tag::LOSS_UNKNOWN => tally.loss_unknown = value.number(tag)?,
                tag::SHED_CONNECTIONS => tally.shed.connections = value.number(tag)?,
                tag::SHED_JOURNAL => tally.shed.journal = value.number(tag)?,
                tag::SHED_NOT_COVERED => tally.shed.not_covered = value.number(tag)?,
                tag::ANSWERS_SENT => tally.answers.sent = value.number(tag)?,
                tag::ANSWERS_SLIPPED => tally.answers.rate_slipped = value.number(tag)?,
                tag::ANSWERS_DROPPED => tally.answers.rate_dropped = value.number(tag)?,
                tag::CUT_EVICTED => tally.cut_short.evicted = value.number(tag)?,
                tag::CUT_HANDSHAKES => tally.cut_short.handshakes = value.number(tag)?,
                tag::CUT_BUFFERED => tally.cut_short.buffered = value.number(tag)?,
                _ => {}
            }
        }
        let at = from_nanos(at.ok_or(FrameError::Missing(tag::AT))?);
        Ok(Self { at, listener: listener.into(), tally })
    }
}
