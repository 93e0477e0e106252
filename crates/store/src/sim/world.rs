//! The world: what happens when, and what must hold at its end.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use model::Digest;
use model::segment::SegmentKey;

use super::core::{Core, Reply};
use super::dice::Dice;
use super::sensor::{Move, PATIENCE, Request, Sensor};

/// Moments in which anything may happen, and moments in which a healed world must come to rest.
const TROUBLE: u64 = 1_500;
const HEALING: u64 = 20_000;
/// The latest that a message arrives: beyond the patience of whoever waits, so that some come too late.
const DELAY_MILLIS_MAX: u64 = 40_000;
const _: () = assert!(DELAY_MILLIS_MAX > PATIENCE.as_millis() as u64);

/// A machine that is wrong on purpose.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Breakage {
    None,
    /// The core acknowledges as soon as all octets have come.
    AnswersBeforeRow,
    SyncsNoFile,
    SyncsNoFolder,
    /// The archive's rows and its place are two transactions.
    MovesPlaceLater,
    /// A sensor lets go what nobody answered.
    TakesSilenceForYes,
}

impl Breakage {
    /// All that have to be found.
    pub const ALL: [Self; 5] = [
        Self::AnswersBeforeRow,
        Self::SyncsNoFile,
        Self::SyncsNoFolder,
        Self::MovesPlaceLater,
        Self::TakesSilenceForYes,
    ];
}

/// What did not hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Violation(String);

impl Violation {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    pub(super) fn of(what: &str, key: SegmentKey) -> Self {
        Self(format!("{what}: {key}"))
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What happened, so that a run in which nothing did is seen.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tale {
    pub segments: u64,
    pub contacts: u64,
    pub requests: u64,
    pub lost_messages: u64,
    pub doubled_messages: u64,
    pub cut_messages: u64,
    pub unanswered: u64,
    pub core_kills: u64,
    pub power_losses: u64,
    pub sensor_kills: u64,
    pub disk_errors: u64,
    pub lost_segments: u64,
}

impl Tale {
    /// Both, one after the other.
    pub fn add(&mut self, other: &Self) {
        let all = [
            (&mut self.segments, other.segments),
            (&mut self.contacts, other.contacts),
            (&mut self.requests, other.requests),
            (&mut self.lost_messages, other.lost_messages),
            (&mut self.doubled_messages, other.doubled_messages),
            (&mut self.cut_messages, other.cut_messages),
            (&mut self.unanswered, other.unanswered),
            (&mut self.core_kills, other.core_kills),
            (&mut self.power_losses, other.power_losses),
            (&mut self.sensor_kills, other.sensor_kills),
            (&mut self.disk_errors, other.disk_errors),
            (&mut self.lost_segments, other.lost_segments),
        ];
        all.into_iter().for_each(|(sum, more)| *sum += more);
    }
}

/// What is on its way, by the moment of its arrival.
enum Message {
    /// `None`: it is cut in the middle.
    Request(Box<Request>, bool),
    Reply(Reply),
}

struct World {
    dice: Dice,
    now: Duration,
    sensor: Sensor,
    core: Core,
    wire: BTreeMap<(Duration, u64), Message>,
    next_message: u64,
    breakage: Breakage,
    tale: Tale,
}

/// One life of the world.
///
/// # Errors
/// What did not hold.
pub fn run(seed: u64, breakage: Breakage) -> Result<Tale, Violation> {
    let mut world = World {
        dice: Dice::new(seed),
        now: Duration::ZERO,
        sensor: Sensor::new(),
        core: Core::default(),
        wire: BTreeMap::new(),
        next_message: 0,
        breakage,
        tale: Tale::default(),
    };
    for _ in 0..TROUBLE {
        world.trouble();
        world.live(true)?;
    }
    for _ in 0..HEALING {
        world.live(false)?;
        if world.is_at_rest() && !world.core.read(&mut world.dice, Breakage::None)? {
            return world.judge();
        }
    }
    Err(Violation::new("the world has healed and does not come to rest"))
}

impl World {
    /// One moment of everybody's work.
    fn live(&mut self, faults: bool) -> Result<(), Violation> {
        self.now += Duration::from_millis(self.dice.below(400));
        self.deliver();
        self.sensor.gives_up(self.now, self.breakage, &mut self.dice, &mut self.tale);
        if self.dice.one_in(3) {
            self.sensor.looks();
        }
        if let Some(step) = self.sensor.moves(self.now) {
            self.carry_out(step, faults)?;
        }
        if let Some(reply) = self.core.step(&mut self.dice, faults, self.breakage, &mut self.tale) {
            self.send(Message::Reply(reply), faults);
        }
        if self.dice.one_in(4) {
            self.core.read(&mut self.dice, self.breakage)?;
        }
        Ok(())
    }

    /// What may break at this moment, and what is recorded meanwhile.
    fn trouble(&mut self) {
        if self.dice.one_in(12) {
            self.sensor.record(&mut self.dice);
        }
        if self.dice.one_in(60) {
            self.tale.sensor_kills += 1;
            self.sensor.restarts();
        }
        if self.dice.one_in(60) {
            self.tale.core_kills += 1;
            self.core.is_killed();
        }
        if self.dice.one_in(120) {
            self.tale.power_losses += 1;
            self.core.loses_power(&mut self.dice);
        }
        if self.dice.one_in(600) {
            self.sensor.loses_one(&mut self.dice);
        }
    }

    fn carry_out(&mut self, step: Move, faults: bool) -> Result<(), Violation> {
        match step {
            Move::Release(key) => {
                let digest = self.sensor.disk.get(&key).map(|octets| Digest::of_bytes(octets));
                if digest.is_some_and(|digest| !self.core.holds(key, &digest)) {
                    return Err(Violation::of("let go, and the core does not hold it", key));
                }
                let is_gone = !(faults && self.dice.one_in(40));
                self.sensor.released(key, is_gone, self.now);
            }
            Move::Send(request) => {
                self.tale.requests += 1;
                let is_cut = faults && self.dice.one_in(8);
                self.tale.cut_messages += u64::from(is_cut);
                self.send(Message::Request(request.into(), is_cut), faults);
            }
        }
        Ok(())
    }

    fn send(&mut self, message: Message, faults: bool) {
        if faults && self.dice.one_in(8) {
            self.tale.lost_messages += 1;
            return;
        }
        if faults && self.dice.one_in(8) {
            self.tale.doubled_messages += 1;
            let again = match &message {
                Message::Request(request, is_cut) => {
                    let Request { offer, body, connection } = &**request;
                    let (offer, body, connection) = (offer.clone(), body.clone(), *connection);
                    Message::Request(Request { offer, body, connection }.into(), *is_cut)
                }
                Message::Reply(Reply { to, key, answer }) => {
                    Message::Reply(Reply { to: *to, key: *key, answer: *answer })
                }
            };
            self.put_on_wire(again, faults);
        }
        self.put_on_wire(message, faults);
    }

    fn put_on_wire(&mut self, message: Message, faults: bool) {
        let slow = faults && self.dice.one_in(6);
        let delay = self.dice.below(if slow { DELAY_MILLIS_MAX } else { 500 });
        self.next_message += 1;
        self.wire.insert((self.now + Duration::from_millis(delay), self.next_message), message);
    }

    fn deliver(&mut self) {
        while let Some(first) = self.wire.first_entry().filter(|first| first.key().0 <= self.now) {
            match first.remove() {
                Message::Request(request, is_cut) => {
                    let Request { offer, body, connection } = *request;
                    let body = (!is_cut).then_some(body);
                    if let Some(reply) = self.core.ask(offer, body, connection) {
                        self.send(Message::Reply(reply), false);
                    }
                }
                Message::Reply(Reply { to, answer, .. }) => {
                    self.sensor.hears(to, answer, self.now, &mut self.dice);
                }
            }
        }
    }

    fn is_at_rest(&self) -> bool {
        self.sensor.is_idle() && self.core.is_idle() && self.wire.is_empty()
    }

    /// Each contact once; what is not there was lost by the sensor, and where more came after it, the core knows of the gap.
    fn judge(mut self) -> Result<Tale, Violation> {
        let mut wanted: Vec<u64> = Vec::new();
        for (key, contacts) in &self.sensor.recorded {
            self.tale.segments += 1;
            if self.core.has_row(*key) {
                wanted.extend(contacts);
                continue;
            }
            if !self.sensor.damaged.contains(key) {
                return Err(Violation::of("recorded, not lost, and not at the core", *key));
            }
            self.tale.lost_segments += 1;
            let is_later = |other: &SegmentKey| {
                (other.boot, other.lane) == (key.boot, key.lane)
                    && other.number > key.number
                    && self.core.has_row(*other)
            };
            if self.sensor.recorded.keys().any(is_later) && !self.core.lost.contains(key) {
                return Err(Violation::of("lost, and the core does not say so", *key));
            }
        }
        if let Some(key) = self.core.lost.iter().find(|key| self.core.has_row(**key)) {
            return Err(Violation::of("said to be lost, and here", *key));
        }
        self.tale.contacts = wanted.len() as u64;
        wanted.sort_unstable();
        self.core.archive.sort_unstable();
        if self.core.archive == wanted {
            return Ok(self.tale);
        }
        let (wanted, found) = (wanted.len(), self.core.archive.len());
        Err(Violation::new(format!("the archive has {found} contacts where {wanted} were recorded")))
    }
}
