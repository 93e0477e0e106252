//! The sensor's side: closed segments on a disk, and the real uplink over them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::Digest;
use model::id::{Boot, Lane, SensorId};
use model::segment::SegmentKey;

use super::dice::Dice;
use super::world::{Breakage, Tale};
use crate::sensors::{Answer, Found, Offer, Todo, Uplink, UplinkLimits};

const SENSOR: SensorId = SensorId(2);
const LANES: u64 = 3;
/// How long a sensor waits for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Sensor {
    pub(super) disk: BTreeMap<SegmentKey, Vec<u8>>,
    pub(super) boot: Boot,
    next_number: BTreeMap<Lane, u32>,
    next_contact: u64,
    uplink: Uplink,
    /// Connections that wait for an answer, by number, with the moment at which they are given up.
    waits: BTreeMap<u64, (SegmentKey, Duration)>,
    next_connection: u64,
    /// Every contact that was recorded, by segment.
    pub(super) recorded: BTreeMap<SegmentKey, Vec<u64>>,
    /// Segments that its disk has lost.
    pub(super) damaged: BTreeSet<SegmentKey>,
}

/// A request.
pub(super) struct Request {
    pub(super) offer: Offer,
    pub(super) body: Vec<u8>,
    pub(super) connection: u64,
}

/// What the sensor does next.
pub(super) enum Move {
    Send(Request),
    /// It lets a segment go.
    Release(SegmentKey),
}

impl Sensor {
    pub(super) fn new() -> Self {
        Self {
            disk: BTreeMap::new(),
            boot: Boot(1),
            next_number: BTreeMap::new(),
            next_contact: 0,
            uplink: Uplink::new(limits()),
            waits: BTreeMap::new(),
            next_connection: 0,
            recorded: BTreeMap::new(),
            damaged: BTreeSet::new(),
        }
    }

    /// A segment is closed.
    pub(super) fn record(&mut self, dice: &mut Dice) {
        let lane = Lane(dice.below(LANES) as u16);
        let number = self.next_number.entry(lane).or_default();
        let key = SegmentKey { sensor: SENSOR, boot: self.boot, lane, number: *number };
        *number += 1;
        let contacts: Vec<u64> = (0..dice.below(4)).map(|more| self.next_contact + more).collect();
        self.next_contact += contacts.len() as u64;
        self.disk.insert(key, contacts.iter().flat_map(|contact| contact.to_be_bytes()).collect());
        self.recorded.insert(key, contacts);
    }

    /// The disk loses a segment that waits.
    pub(super) fn loses_one(&mut self, dice: &mut Dice) {
        let waiting: Vec<SegmentKey> = self.disk.keys().copied().collect();
        if let Some(key) = waiting.get(dice.below(waiting.len() as u64) as usize) {
            self.disk.remove(key);
            self.damaged.insert(*key);
        }
    }

    /// The process dies and starts again: all that it knew is on its disk.
    pub(super) fn restarts(&mut self) {
        self.boot = Boot(self.boot.0 + 1);
        self.next_number.clear();
        self.uplink = Uplink::new(limits());
        self.waits.clear();
    }

    pub(super) fn looks(&mut self) {
        let found = |(key, octets): (&SegmentKey, &Vec<u8>)| Found { key: *key, octets: octets.len() as u64 };
        self.uplink.found(&self.disk.iter().map(found).collect::<Vec<_>>());
    }

    pub(super) fn moves(&mut self, now: Duration) -> Option<Move> {
        match self.uplink.next(now, SENSOR)? {
            Todo::Release { key } => Some(Move::Release(key)),
            Todo::Send { key, lost_before } => {
                let Some(body) = self.disk.get(&key).cloned() else {
                    self.uplink.answered(key, Err("it is gone"), now, 0);
                    return None;
                };
                let connection = self.next_connection;
                self.next_connection += 1;
                self.waits.insert(connection, (key, now + PATIENCE));
                let (digest, octets) = (Digest::of_bytes(&body), body.len() as u64);
                let offer = Offer { key, digest, octets, end: None, lost_before, clock: None };
                Some(Move::Send(Request { offer, body, connection }))
            }
        }
    }

    pub(super) fn released(&mut self, key: SegmentKey, is_gone: bool, now: Duration) {
        if is_gone {
            self.disk.remove(&key);
        }
        self.uplink.released(key, is_gone, now);
    }

    pub(super) fn hears(&mut self, connection: u64, answer: Answer, now: Duration, dice: &mut Dice) {
        // A connection that was given up, or of an earlier life, is nobody's.
        if let Some((key, _)) = self.waits.remove(&connection) {
            self.uplink.answered(key, Ok(answer), now, dice.roll());
        }
    }

    /// Gives up what nobody answers.
    pub(super) fn gives_up(&mut self, now: Duration, breakage: Breakage, dice: &mut Dice, tale: &mut Tale) {
        let late: Vec<u64> = self.waits.iter().filter(|(_, (_, until))| *until <= now).map(|(n, _)| *n).collect();
        for connection in late {
            let Some((key, _)) = self.waits.remove(&connection) else { continue };
            tale.unanswered += 1;
            let answer = match breakage {
                Breakage::TakesSilenceForYes => Ok(Answer::Stored),
                _ => Err("no answer"),
            };
            self.uplink.answered(key, answer, now, dice.roll());
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.disk.is_empty() && self.waits.is_empty()
    }
}

/// As the real one, with a lane that rests for less long: the world heals within minutes.
fn limits() -> UplinkLimits {
    UplinkLimits { in_flight_max: 2, held: Duration::from_secs(60), ..UplinkLimits::default() }
}
