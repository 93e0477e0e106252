//! A closed-loop DNS load generator: so many queries in flight, each answer checked, the next sent when one is back.
//!
//! Open-loop generators measure how much they can throw away; this one measures how much is answered. Every reply is
//! compared with its query, id and question octet by octet, so a server cannot win by answering nonsense. A query
//! without an answer within [`LOST_AFTER`] counts as lost and frees its place.
//!
//! [`Window`] is the bookkeeping, without socket or clock; `run` holds the sockets, one thread per lane.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use model::DomainName;
use serde::Serialize;
use wire::dns::ask::Ask;

use crate::Error;
use crate::latency::{Histogram, Percentiles};

mod run;

/// After this an answer is not expected any more.
pub const LOST_AFTER: Duration = Duration::from_secs(1);
/// Bits of a query's id that name its place; the rest counts how often the place was used.
const PLACE_BITS: u32 = 12;
/// The most queries in flight per lane: as many as there are places.
pub const IN_FLIGHT_MAX: usize = 1 << PLACE_BITS;
/// The most lanes: one thread each.
pub const LANES_MAX: usize = 64;

/// What to send, and for how long.
#[derive(Clone, Debug)]
pub struct Flood {
    pub target: SocketAddr,
    /// Where the first lane sends from; the next lanes follow it.
    pub from: Ipv4Addr,
    /// Names that are asked for in turn, class IN.
    pub names: Vec<DomainName>,
    pub qtype: u16,
    /// Per lane.
    pub in_flight: usize,
    pub lanes: usize,
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
        Ok(())
    }

    /// The queries, without their ids.
    fn templates(&self) -> Vec<Vec<u8>> {
        let encode = |name: &DomainName| {
            let mut octets = Vec::new();
            Ask::new(0, &name.to_wire(), self.qtype).encode(&mut octets);
            octets
        };
        self.names.iter().map(encode).collect()
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

#[derive(Clone, Copy, Default)]
struct Place {
    /// When the query that holds the place was sent.
    since: Option<Duration>,
    uses: u16,
    template: usize,
}

/// What a window has seen.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct WindowCounts {
    sent: u64,
    answered: u64,
    lost: u64,
    strange: u64,
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

    /// Takes a place for a query; its id, if there is room.
    fn take(&mut self, template: usize, now: Duration) -> Option<u16> {
        let index = self.free.pop()?;
        let place = &mut self.places[index];
        *place = Place { since: Some(now), uses: place.uses.wrapping_add(1), template };
        self.counts.sent += 1;
        Some(place.id(index))
    }

    /// Reads a reply: right if its id is in flight and its question that of the query.
    fn reply(&mut self, packet: &[u8], templates: &[Vec<u8>], now: Duration) {
        match self.matching(packet, templates) {
            Some((index, since)) => {
                self.places[index].since = None;
                self.free.push(index);
                self.counts.answered += 1;
                self.latency.add(now.saturating_sub(since));
            }
            None => self.counts.strange += 1,
        }
    }

    fn matching(&self, packet: &[u8], templates: &[Vec<u8>]) -> Option<(usize, Duration)> {
        let [high, low, flags, ..] = *packet else { return None };
        let id = u16::from_be_bytes([high, low]);
        let index = usize::from(id) & (IN_FLIGHT_MAX - 1);
        let place = self.places.get(index)?;
        // The number of questions and the question itself stand where they stood in the query.
        let asked = &templates[place.template];
        let repeats = packet.get(4..6) == asked.get(4..6) && packet.get(12..asked.len()) == asked.get(12..);
        let is_right = place.id(index) == id && flags & 0x80 != 0 && repeats;
        place.since.filter(|_| is_right).map(|since| (index, since))
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
