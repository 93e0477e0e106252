//! How fast a source is answered, and how fast it is recorded: response rate limiting and collapse, over one table.
//!
//! Both ask the same question (how often did this prefix ask this of that apex lately?), so they share a cell: two
//! token buckets, kept as the instant at which each would be full again (the "theoretical arrival time" of GCRA,
//! ITU-T I.371). The table has a fixed size and belongs to one thread; a cell's place is a seeded hash, so that callers
//! cannot choose whose cell they push out. What is pushed out begins anew: a flood from very many prefixes is met by
//! the buckets of the apex and of the listener, which are never pushed out by it.
//!
//! - **Limiting** is about the answer. An answer may go to a forged source, so over a rate it is dropped, or every
//!   n-th time sent empty with TC, upon which a real asker comes again over TCP. A caller with a valid cookie, over
//!   TCP, or about a kill-switch name is never limited. Limited or not, the query is recorded.
//! - **Collapse** is about the record. Over a rate one record a second carries the count of those that it stands for:
//!   a flood must not fill the disk and so destroy the evidence. Bursts are generous, because the danger is a flood
//!   that lasts for hours.

use std::hash::BuildHasher;
use std::net::IpAddr;

use foldhash::quality::RandomState;

use crate::settings::{Rate, RateLimits};

/// Pairs of cells per thread: 1 MiB, which stays in a core's second-level cache.
const SETS: usize = 1 << 14;
/// How often one record stands for those that were collapsed.
const CARRY_NANOS: u64 = 1_000_000_000;
/// What a source's answers are told apart by where they are not the records of a type.
const KIND_EMPTY: u32 = 1 << 16;

//----------- Asked ------------------------------------------------------------------------------------------------

/// What a query was, as far as rates go by it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) source: IpAddr,
    /// The zone's apex; empty where it lies in none of ours.
    pub(crate) apex: &'a str,
    /// The type, if it was answered with records of it. Everything empty is alike: else whoever asks for another type
    /// each time would have a rate for each.
    pub(crate) positive: Option<u16>,
    pub(crate) rcode: u16,
    /// The source is proven, by a cookie or a handshake: its answer reaches whoever asked.
    pub(crate) is_proven: bool,
    /// It may be recorded. What may not be takes no part of any rate of records.
    pub(crate) is_kept: bool,
}

impl Asked<'_> {
    fn kind(&self) -> u32 {
        match self.positive {
            Some(qtype) => u32::from(qtype),
            None => KIND_EMPTY + u32::from(self.rcode),
        }
    }
}

/// What becomes of the answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    Send,
    /// Empty, with TC.
    Slip,
    Drop,
}

/// What becomes of the record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Record {
    /// Written, standing for so many before it beside itself.
    Write { repeats: u32 },
    /// Counted only.
    Collapse,
}

//----------- Rates ------------------------------------------------------------------------------------------------

/// The table of one thread.
pub(crate) struct Rates {
    limits: RateLimits,
    sets: Box<[Set]>,
    seed: RandomState,
    /// Everything that the listener records.
    listener: Cell,
}

/// Two cells in one cache line.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Set([Cell; 2]);

#[derive(Clone, Copy, Default)]
struct Cell {
    /// When each bucket is full again, in nanoseconds since the thread's start.
    answers: u64,
    records: u64,
    /// When one record last carried the count, in milliseconds since the thread's start.
    carried_millis: u32,
    collapsed: u32,
    limited: u32,
    tag: u32,
}

impl Rates {
    pub(crate) fn new(limits: RateLimits) -> Self {
        let sets = vec![Set::default(); SETS].into();
        Self { limits, sets, seed: RandomState::default(), listener: Cell::default() }
    }

    /// What is due to a query that came so long after the thread's start.
    pub(crate) fn judge(&mut self, asked: &Asked<'_>, now_nanos: u64) -> (Answer, Record) {
        let apex = self.seed.hash_one(asked.apex);
        let source = self.seed.hash_one((apex, prefix(asked.source, &self.limits), asked.kind()));
        let RateLimits { answers, slip, source_records, name_records, listener_records, .. } = self.limits;
        let cell = cell(&mut self.sets, source, now_nanos);
        let answer = if asked.is_proven { Answer::Send } else { cell.answer(answers, slip, now_nanos) };
        if !asked.is_kept {
            return (answer, Record::Write { repeats: 0 });
        }
        if let Some(record) = cell.over(source_records, now_nanos) {
            return (answer, record);
        }
        let record =
            [(self::cell(&mut self.sets, apex, now_nanos), name_records), (&mut self.listener, listener_records)]
                .into_iter()
                .find_map(|(cell, rate)| cell.over(rate, now_nanos));
        (answer, record.unwrap_or(Record::Write { repeats: 0 }))
    }
}

/// The cell of that hash, taken from whoever was quiet for longer where it is new.
fn cell(sets: &mut [Set], hash: u64, now: u64) -> &mut Cell {
    // The lower half chooses the set, the upper half tells cells apart.
    let (place, tag) = (hash as usize & (SETS - 1), (hash >> 32) as u32 | 1);
    let Set(pair) = &mut sets[place];
    if let Some(at) = pair.iter().position(|cell| cell.tag == tag) {
        return &mut pair[at];
    }
    let quieter = &mut pair[usize::from(pair[1].busy_until() < pair[0].busy_until())];
    *quieter = Cell { tag, answers: now, records: now, ..Cell::default() };
    quieter
}

impl Cell {
    fn busy_until(&self) -> u64 {
        self.answers.max(self.records)
    }

    fn answer(&mut self, rate: Rate, slip: u32, now: u64) -> Answer {
        if take(&mut self.answers, rate, now) {
            return Answer::Send;
        }
        self.limited = self.limited.wrapping_add(1);
        if slip > 0 && self.limited.is_multiple_of(slip) { Answer::Slip } else { Answer::Drop }
    }

    /// What becomes of a record over its rate; `None` if it is not over.
    fn over(&mut self, rate: Rate, now: u64) -> Option<Record> {
        if take(&mut self.records, rate, now) {
            return match std::mem::take(&mut self.collapsed) {
                0 => None,
                repeats => Some(self.carry(repeats, now)),
            };
        }
        let millis = (now / 1_000_000) as u32;
        let since = u64::from(millis.wrapping_sub(self.carried_millis)) * 1_000_000;
        if since < CARRY_NANOS {
            self.collapsed = self.collapsed.saturating_add(1);
            return Some(Record::Collapse);
        }
        let repeats = std::mem::take(&mut self.collapsed);
        Some(self.carry(repeats, now))
    }

    fn carry(&mut self, repeats: u32, now: u64) -> Record {
        self.carried_millis = (now / 1_000_000) as u32;
        Record::Write { repeats }
    }
}

/// Takes one token from a bucket that fills at `rate`.
fn take(full_at: &mut u64, rate: Rate, now: u64) -> bool {
    let Some(each) = 1_000_000_000_u64.checked_div(rate.per_sec.into()) else { return true };
    let begins = (*full_at).max(now);
    let is_allowed = begins - now < each.saturating_mul(rate.burst.into());
    if is_allowed {
        *full_at = begins + each;
    }
    is_allowed
}

/// Whose answers are counted together.
fn prefix(source: IpAddr, limits: &RateLimits) -> u64 {
    match source.to_canonical() {
        IpAddr::V4(v4) => u64::from(v4.to_bits() >> (32 - limits.prefix_v4.clamp(1, 32))),
        // The upper half holds every prefix that is routed; its lowest bit tells the families apart.
        IpAddr::V6(v6) => (v6.to_bits() >> 64) as u64 >> (64 - limits.prefix_v6.clamp(1, 64)) | 1 << 63,
    }
}

#[cfg(test)]
mod tests;
