//! The records of one transfer, in the order in which they go out.

use store::zones::Record;

use super::question::Wanted;
use super::zone::Zone;

/// What a transfer is, once the zone and the peer's serial are known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    /// The SOA alone: a look, or there is nothing new (RFC 1995, 2).
    Soa,
    Whole,
    /// The steps from that one on.
    Steps {
        from: usize,
    },
}

impl Shape {
    pub(super) fn of(wanted: Wanted, zone: &Zone) -> Self {
        match wanted {
            Wanted::Soa => Self::Soa,
            Wanted::Axfr => Self::Whole,
            Wanted::Ixfr { since } if is_current(since, zone.content.serial) => Self::Soa,
            Wanted::Ixfr { since } => {
                let from = zone.content.differences.iter().position(|step| step.from == since);
                from.map_or(Self::Whole, |from| Self::Steps { from })
            }
        }
    }
}

/// Whether a copy of serial `since` is as new as ours, or newer (RFC 1982, 3.2): there is nothing to say to it.
fn is_current(since: u32, ours: u32) -> bool {
    since == ours || ours.wrapping_sub(since) > 1 << 31
}

/// One run of records.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    Soa(u32),
    Records,
    Removed(usize),
    Added(usize),
}

/// Where a transfer stands.
pub(super) struct Stream {
    pub(super) zone: Zone,
    parts: Vec<Part>,
    /// The SOA of the part that is one.
    soa: Record,
    part: usize,
    record: usize,
}

impl Stream {
    pub(super) fn new(zone: Zone, shape: Shape) -> Self {
        let serial = zone.content.serial;
        let parts = match shape {
            Shape::Soa => vec![Part::Soa(serial)],
            Shape::Whole => vec![Part::Soa(serial), Part::Records, Part::Soa(serial)],
            Shape::Steps { from } => {
                let steps = zone.content.differences.iter().enumerate().skip(from);
                let step = |(at, step): (usize, &std::sync::Arc<store::zones::Difference>)| {
                    [Part::Soa(step.from), Part::Removed(at), Part::Soa(step.to), Part::Added(at)]
                };
                let ends = [Part::Soa(serial)];
                ends.into_iter().chain(steps.flat_map(step)).chain(ends).collect()
            }
        };
        let soa = zone.soa(serial);
        let mut stream = Self { zone, parts, soa, part: 0, record: 0 };
        stream.settle();
        stream
    }

    /// The record that is next.
    pub(super) fn next(&self) -> Option<&Record> {
        match *self.parts.get(self.part)? {
            Part::Soa(_) => Some(&self.soa),
            part => self.records(part).get(self.record),
        }
    }

    /// Goes on to the one after it.
    pub(super) fn advance(&mut self) {
        self.record += 1;
        self.settle();
    }

    pub(super) fn is_over(&self) -> bool {
        self.part == self.parts.len()
    }

    /// Steps over what is at its end, and prepares the SOA where one is next.
    fn settle(&mut self) {
        while let Some(&part) = self.parts.get(self.part) {
            let len = if let Part::Soa(_) = part { 1 } else { self.records(part).len() };
            if self.record < len {
                if let Part::Soa(serial) = part {
                    self.soa = self.zone.soa(serial);
                }
                return;
            }
            (self.part, self.record) = (self.part + 1, 0);
        }
    }

    fn records(&self, part: Part) -> &[Record] {
        let content = &self.zone.content;
        match part {
            Part::Soa(_) => &[],
            Part::Records => &content.records,
            Part::Removed(at) => &content.differences[at].removed,
            Part::Added(at) => &content.differences[at].added,
        }
    }
}
