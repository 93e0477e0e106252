//! A closed-loop DNS load generator: so many queries in flight, each answer checked, the next sent when one is back.
//!
//! Open-loop generators measure how much they can throw away; this one measures how much is answered. Every reply is
//! compared with its query, id and question octet by octet, so a server cannot win by answering nonsense. A query
//! without an answer within [`LOST_AFTER`] counts as lost and frees its place. A reply with an error, or cut, is an
//! answer, and counted apart.
//!
//! [`Window`] is the bookkeeping, without socket or clock; `asks` draws the queries; `run` holds the sockets, one thread
//! per lane. A lane has one socket and many source addresses, one for each batch: a socket for each would cost a system
//! call for each, and the load must be faster than whoever it measures.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use model::DomainName;
use serde::Serialize;

use crate::Error;
use crate::latency::{Histogram, Percentiles};

mod asks;
mod run;

pub use asks::Asks;

/// After this an answer is not expected any more.
pub const LOST_AFTER: Duration = Duration::from_secs(1);
/// Bits of a query's id that name its place; the rest counts how often the place was used.
const PLACE_BITS: u32 = 12;
/// The most queries in flight per lane: as many as there are places.
pub const IN_FLIGHT_MAX: usize = 1 << PLACE_BITS;
/// The most lanes: one thread each.
pub const LANES_MAX: usize = 64;
/// The most source addresses of a lane.
pub const SOURCES_MAX: usize = 4_096;
/// From one source to the next: each in a /24 of its own, which limits by prefix see as another network.
const SOURCE_STEP: u32 = 256;

/// What to send, and for how long.
#[derive(Clone, Debug)]
pub struct Flood {
    pub target: SocketAddr,
    /// Where the first lane sends from first; the others follow, each in the next /24.
    pub from: Ipv4Addr,
    /// Per lane.
    pub sources: usize,
    /// Names that are asked for, class IN.
    pub names: Vec<DomainName>,
    pub asks: Asks,
    /// Per lane.
    pub in_flight: usize,
    pub lanes: usize,
    /// No more than this many queries a second, of all lanes; as fast as answers come if absent.
    pub per_sec: Option<u32>,
    pub stop: Stop,
}

/// When a load generator ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stop {
    After(Duration),
    /// This many in all, over all lanes.
    Count(u64),
}

/// What came back.
#[derive(Clone, Debug, Serialize)]
pub struct FloodReport {
    pub sent: u64,
    pub answered: u64,
    pub lost: u64,
    /// Packets that were the answer to nothing that was in flight.
    pub strange: u64,
    /// Answers with an RCODE other than NOERROR.
    pub errors: u64,
    /// Answers with TC set.
    pub cut: u64,
    /// Queries that carried a cookie of the server.
    pub with_cookie: u64,
    pub elapsed_secs: f64,
    pub answered_per_sec: f64,
    pub latency: Percentiles,
}

/// Runs the flood to its end, on threads of its own.
pub fn flood(flood: &Flood) -> Result<FloodReport, Error> {
    flood.check()?;
    run::run(flood)
}

impl Flood {
    fn check(&self) -> Result<(), Error> {
        let refuse = |why: String| Err(Error::Plan(why));
        if !self.target.is_ipv4() || !self.target.ip().is_loopback() || !self.from.is_loopback() {
            return refuse(format!("a flood from {} to {} is not within 127.0.0.0/8", self.from, self.target));
        }
        if self.names.is_empty() {
            return refuse("a flood needs at least one name to ask for".into());
        }
        if !(1..=IN_FLIGHT_MAX).contains(&self.in_flight) {
            return refuse(format!("{} in flight; give 1 to {IN_FLIGHT_MAX}", self.in_flight));
        }
        if !(1..=LANES_MAX).contains(&self.lanes) {
            return refuse(format!("{} lanes; give 1 to {LANES_MAX}", self.lanes));
        }
        if !(1..=SOURCES_MAX).contains(&self.sources) {
            return refuse(format!("{} sources; give 1 to {SOURCES_MAX}", self.sources));
        }
        let last = u64::from(self.from.to_bits()) + (self.sources * self.lanes - 1) as u64 * u64::from(SOURCE_STEP);
        if !u32::try_from(last).is_ok_and(|last| Ipv4Addr::from_bits(last).is_loopback()) {
            return refuse(format!("{} sources from {} on leave 127.0.0.0/8", self.sources * self.lanes, self.from));
        }
        if self.per_sec == Some(0) {
            return refuse("a flood of no queries a second never ends".into());
        }
        Ok(())
    }

    /// The sources of a lane.
    fn sources(&self, lane: usize) -> impl Iterator<Item = Ipv4Addr> {
        let first = self.from.to_bits() + (lane * self.sources) as u32 * SOURCE_STEP;
        (0..self.sources as u32).map(move |number| Ipv4Addr::from_bits(first + number * SOURCE_STEP))
    }
}

//----------- Window -----------------------------------------------------------------------------------------------

/// Places for queries in flight. Time is what the caller says since its start.
struct Window {
    places: Vec<Place>,
    free: Vec<usize>,
    counts: WindowCounts,
    latency: Histogram,
}

#[derive(Clone, Default)]
struct Place {
    /// When the query that holds the place was sent.
    since: Option<Duration>,
    uses: u16,
    /// Which of the lane's sources sent it.
    source: usize,
    query: Vec<u8>,
    question_end: usize,
}

/// What a window has seen.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct WindowCounts {
    sent: u64,
    answered: u64,
    lost: u64,
    strange: u64,
    errors: u64,
    cut: u64,
    with_cookie: u64,
}

impl Window {
    fn new(size: usize) -> Self {
        let free = (0..size).rev().collect();
        Self {
            places: vec![Place::default(); size],
            free,
            counts: WindowCounts::default(),
            latency: Histogram::default(),
        }
    }

    /// Takes a place for a query, if there is one. `write` writes the query with this id into the place's buffer and
    /// says where its question ends.
    fn take(&mut self, source: usize, now: Duration, write: impl FnOnce(u16, &mut Vec<u8>) -> usize) -> Option<usize> {
        let index = self.free.pop()?;
        let place = &mut self.places[index];
        (place.since, place.source, place.uses) = (Some(now), source, place.uses.wrapping_add(1));
        let id = place.id(index);
        place.question_end = write(id, &mut place.query);
        self.counts.sent += 1;
        Some(index)
    }

    /// Reads a reply: right if its id is in flight and its question that of the query. The place that it freed.
    fn reply(&mut self, packet: &[u8], now: Duration) -> Option<&Place> {
        let Some((index, since)) = self.matching(packet) else {
            self.counts.strange += 1;
            return None;
        };
        self.places[index].since = None;
        self.free.push(index);
        self.counts.answered += 1;
        self.counts.errors += u64::from(packet[3] & 0x0f != 0);
        self.counts.cut += u64::from(packet[2] & 0x02 != 0);
        self.latency.add(now.saturating_sub(since));
        Some(&self.places[index])
    }

    fn matching(&self, packet: &[u8]) -> Option<(usize, Duration)> {
        let [high, low, flags, ..] = *packet else { return None };
        let id = u16::from_be_bytes([high, low]);
        let index = usize::from(id) & (IN_FLIGHT_MAX - 1);
        let place = self.places.get(index)?;
        let since = place.since?;
        // The number of questions and the question itself stand where they stood in the query.
        let is_same = |from, to| packet.get(from..to) == place.query.get(from..to);
        let is_right = place.id(index) == id && flags & 0x80 != 0 && is_same(4, 6) && is_same(12, place.question_end);
        is_right.then_some((index, since))
    }

    /// Gives up what was sent too long ago.
    fn expire(&mut self, now: Duration) {
        for (index, place) in self.places.iter_mut().enumerate() {
            if place.since.is_some_and(|since| now.saturating_sub(since) > LOST_AFTER) {
                place.since = None;
                self.free.push(index);
                self.counts.lost += 1;
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.free.len() == self.places.len()
    }
}

impl Place {
    fn id(&self, index: usize) -> u16 {
        self.uses << PLACE_BITS | u16::try_from(index).expect("there are at most 4096 places")
    }
}

#[cfg(test)]
mod tests;
