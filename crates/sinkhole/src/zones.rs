//! The zones as listeners see them: found by a name from the wire, swapped whole under readers that never wait.
//!
//! A seized name needs no tree: one hash table holds the apexes, and a question walks its suffixes from the longest to
//! the shortest. The hash is seeded, because it is callers who choose what is looked up. Zones with equal content share
//! one [`Answers`], so a million names cost a million table rows and one set of records.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use foldhash::quality::RandomState;
use model::answers::AnswerSet;
use model::order::{Act, Acts};
use model::seizure::ServiceMode;
use model::time::utc_day;
use model::{DomainName, Timestamp};
use store::zones::{Zone, ZoneSet};
use wire::dns::{Answers, Certifiers, NAME_OCTETS_MAX, Records};

use crate::Settings;

mod handback;

pub use handback::CapturedFiles;

//----------- ServedZone -------------------------------------------------------------------------------------------

/// One zone with its answers.
#[derive(Debug)]
pub struct ServedZone {
    pub zone: Zone,
    pub answers: Arc<Answers>,
}

impl ServedZone {
    /// How the name is served now: an authority whose day has come puts it on hold, by our own clock. A kill switch goes
    /// on as it was: silence would let run what it keeps from running.
    pub fn mode_at(&self, now: Timestamp) -> ServiceMode {
        if self.zone.coverage().has_lapsed(now) && !self.is_kill_switch() {
            self.zone.mode().max(ServiceMode::Hold)
        } else {
            self.zone.mode()
        }
    }

    /// Whether a contact with the name may be kept, or only counted. To answer outlasts an authority for a kill switch;
    /// to record never does.
    pub fn may_record(&self, now: Timestamp) -> bool {
        let coverage = self.zone.coverage();
        let collects = self.mode_at(now) == ServiceMode::Collect && !coverage.has_lapsed(now);
        collects && coverage.acts().contains(Act::RecordMetadata)
    }

    /// Whether an answer keeps something from running: no limit and no shedding applies to the name.
    pub fn is_kill_switch(&self) -> bool {
        self.zone.answer_effect().is_kill_switch()
    }
}

/// The zone that a name lies in.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    pub served: &'a Arc<ServedZone>,
    /// How many octets of the name stand before the apex.
    pub depth: usize,
}

impl<'a> Found<'a> {
    /// The zone as DNS answers for it on that day.
    pub fn as_answered(self, now: Timestamp) -> wire::dns::Zone<'a> {
        let is_sealed = self.served.zone.is_sealed(utc_day(now));
        wire::dns::Zone { is_sealed, ..wire::dns::Zone::new(&self.served.answers, self.depth) }
    }
}

//----------- ZoneTable --------------------------------------------------------------------------------------------

/// The zones that are served now.
#[derive(Debug, Default)]
pub struct ZoneTable {
    current: ArcSwap<Table>,
}

impl ZoneTable {
    /// Serves this set from now on. Readers in the middle of a batch finish it with the set that they have.
    pub fn replace(&self, set: &ZoneSet, settings: &Settings) {
        self.replace_with(set, settings, &CapturedFiles::default());
    }

    /// The same, with the owners' records of names that are handed back.
    pub fn replace_with(&self, set: &ZoneSet, settings: &Settings, captured: &CapturedFiles) {
        self.current.store(Arc::new(Table::new(set, settings, captured)));
    }

    /// The zone that a name in wire form is or lies below.
    pub fn find(&self, name: &[u8]) -> Option<Arc<ServedZone>> {
        self.read().find(name).map(|found| Arc::clone(found.served))
    }

    /// The set as it is now, for a batch of names: no look-up in it writes anything that threads share.
    pub fn read(&self) -> Zones {
        Zones(self.current.load())
    }

    pub fn len(&self) -> usize {
        self.current.load().by_apex.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One state of the table, held while a batch is answered.
pub struct Zones(Guard<Arc<Table>>);

impl Zones {
    /// Every zone with its apex in wire form, in no order.
    pub(crate) fn each(&self, mut with: impl FnMut(&[u8], &ServedZone)) {
        self.0.by_apex.iter().for_each(|(apex, served)| with(apex, served));
    }

    pub fn find(&self, name: &[u8]) -> Option<Found<'_>> {
        self.0.find(name)
    }
}

//----------- Table ------------------------------------------------------------------------------------------------

#[derive(Debug, Default)]
struct Table {
    /// By apex in wire form, lower case.
    by_apex: HashMap<Box<[u8]>, Arc<ServedZone>, RandomState>,
    /// No longer suffix is worth a look.
    apex_octets_max: usize,
}

impl Table {
    fn new(set: &ZoneSet, settings: &Settings, captured: &CapturedFiles) -> Self {
        let mut press = Press::new(set.serial, settings);
        let mut table = Self::default();
        table.by_apex.reserve(set.zones.len());
        for zone in set.zones.iter().filter(|zone| zone.mode() != ServiceMode::Off) {
            let apex = zone.apex().to_wire();
            let served = ServedZone { zone: zone.clone(), answers: press.answers(zone, captured) };
            table.apex_octets_max = table.apex_octets_max.max(apex.len());
            // Of two orders for one name the first listed serves it.
            table.by_apex.entry(apex.into()).or_insert_with(|| Arc::new(served));
        }
        table
    }

    fn find(&self, name: &[u8]) -> Option<Found<'_>> {
        let mut lower = [0; NAME_OCTETS_MAX];
        let lower = lower.get_mut(..name.len())?;
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        let mut depth = 0;
        while let Some(&label) = lower.get(depth).filter(|label| **label != 0) {
            let suffix = &lower[depth..];
            if suffix.len() <= self.apex_octets_max
                && let Some(served) = self.by_apex.get(suffix)
            {
                return Some(Found { served, depth });
            }
            depth += 1 + usize::from(label);
        }
        None
    }
}

//----------- Press ------------------------------------------------------------------------------------------------

/// Writes answers, each content once.
struct Press<'a> {
    serial: u32,
    settings: &'a Settings,
    written: HashMap<Content<'a>, Arc<Answers>, RandomState>,
}

/// What answers depend on, apart from the settings.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
struct Content<'a> {
    name_servers: &'a [DomainName],
    is_returned: bool,
    acts: Acts,
    answers: Option<&'a AnswerSet>,
}

impl<'a> Press<'a> {
    fn new(serial: u32, settings: &'a Settings) -> Self {
        Self { serial, settings, written: HashMap::default() }
    }

    fn answers(&mut self, zone: &'a Zone, captured: &CapturedFiles) -> Arc<Answers> {
        let content = Content {
            name_servers: zone.name_servers(),
            is_returned: zone.mode() == ServiceMode::Handback,
            acts: zone.coverage().acts(),
            answers: zone.answers(),
        };
        let (serial, settings) = (self.serial, self.settings);
        if let Some(answers) = captured.answers(zone, &content.records(serial, settings)) {
            return Arc::new(answers);
        }
        let write = || Arc::new(Answers::new(&content.records(serial, settings)));
        Arc::clone(self.written.entry(content).or_insert_with(write))
    }
}

impl Content<'_> {
    /// A name that is handed back says nothing of ours: no address that would lead its owner's visitors to us, and no
    /// policy that would bounce their mail.
    fn records(&self, serial: u32, settings: &Settings) -> Records {
        let is_ours = !self.is_returned;
        let (v4, v6, ttl_secs) = match self.answers {
            Some(set) => (&set.v4, &set.v6, set.ttl_secs.unwrap_or(settings.ttl_secs)),
            None => (&settings.answer_v4, &settings.answer_v6, settings.ttl_secs),
        };
        Records {
            name_servers: self.name_servers.iter().map(DomainName::to_wire).collect(),
            hostmaster: self.hostmaster(settings),
            serial,
            ttl_secs,
            negative_ttl_secs: settings.negative_ttl_secs,
            v4: if is_ours { v4.clone() } else { Vec::new() },
            v6: if is_ours { v6.clone() } else { Vec::new() },
            refuses_mail: is_ours && !self.acts.contains(Act::AcceptMail),
            certifiers: self.certifiers(settings),
        }
    }

    /// Nobody by default. Where the order permits a certificate it is our authority's alone to give; a name that is
    /// handed back says nothing.
    fn certifiers(&self, settings: &Settings) -> Certifiers {
        match (self.is_returned, self.acts.contains(Act::PublicCertificate)) {
            (true, _) => Certifiers::Unsaid,
            (false, true) => {
                Certifiers::Only(settings.certifiers.iter().map(|name| name.as_str().to_owned()).collect())
            }
            (false, false) => Certifiers::Nobody,
        }
    }

    fn hostmaster(&self, settings: &Settings) -> Vec<u8> {
        let mut rname = b"\x0ahostmaster".to_vec();
        match (&settings.hostmaster, self.name_servers.first()) {
            (Some(name), _) => return name.to_wire(),
            (None, Some(server)) => rname.extend(server.to_wire()),
            (None, None) => rname.push(0),
        }
        // A server's name may be too long for one more label; the root says "nobody".
        if rname.len() > NAME_OCTETS_MAX { vec![0] } else { rname }
    }
}

#[cfg(test)]
mod tests;
