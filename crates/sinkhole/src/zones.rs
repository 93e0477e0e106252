//! The zones as listeners see them: found by a name from the wire, swapped under readers that never wait.
//!
//! A seized name needs no tree: a hash table holds the apexes, and a question walks its suffixes from the longest to the
//! shortest. The table is cut into shards of some hundred names each ([`table`]), so that a name that is held or handed
//! back costs a copy of its shard and of the list of shards, not of a million names. Zones with equal content share one
//! [`Answers`] ([`press`]), and what an order's zones have in common stands once: a name costs a zone of some seventy
//! octets and two slots of an index here, beside its text.
//!
//! The serial of a zone is that of the last change that touched its records: a new set renders all zones anew, a change
//! of one name leaves the serials of the others as they were. No zone's serial ever goes back.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use model::contact::{NamedBy, Subject};
use model::order::Act;
use model::seizure::ServiceMode;
use model::time::utc_day;
use model::{DomainName, Timestamp};
use store::zones::{Zone, ZoneSet};
use wire::dns::Answers;

use crate::Settings;

mod handback;
mod press;
mod table;

pub use handback::CapturedFiles;
use press::Press;
use table::Table;

//----------- ServedZone -------------------------------------------------------------------------------------------

/// One zone with its answers.
#[derive(Clone, Debug)]
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

    /// Whether what a caller sent may be kept, beside that it called.
    pub fn may_record_content(&self, now: Timestamp) -> bool {
        self.may_record(now) && self.zone.coverage().acts().contains(Act::RecordContent)
    }

    /// The name as a contact says it.
    pub(crate) fn subject(&self, named_by: NamedBy) -> Subject<'_> {
        let case = self.zone.coverage().case().as_str().into();
        Subject { case, apex: self.zone.apex().as_str().into(), named_by }
    }

    /// Whether an answer keeps something from running: no limit and no shedding applies to the name.
    pub fn is_kill_switch(&self) -> bool {
        self.zone.answer_effect().is_kill_switch()
    }
}

/// The zone that a name lies in.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    pub served: &'a ServedZone,
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

/// The zones that are served now. One task changes them; any number reads.
#[derive(Debug, Default)]
pub struct ZoneTable {
    current: ArcSwap<Table>,
}

/// What has become of one name: its zone, or `None` where it is served no more.
#[derive(Clone, Debug)]
pub struct Change {
    pub apex: DomainName,
    pub zone: Option<Zone>,
}

impl ZoneTable {
    /// Serves this set from now on. Readers in the middle of a batch finish it with the set that they have.
    pub fn replace(&self, set: ZoneSet, settings: &Settings) {
        self.replace_with(set, settings, &CapturedFiles::default());
    }

    /// The same, with the owners' records of names that are handed back.
    pub fn replace_with(&self, set: ZoneSet, settings: &Settings, captured: &CapturedFiles) {
        let mut press = Press::new(set.serial, settings);
        let is_served = |zone: &Zone| zone.mode() != ServiceMode::Off;
        let served = set.zones.into_iter().filter(is_served).map(|zone| press.serve(zone, captured));
        self.current.store(Arc::new(Table::new(served.collect())));
    }

    /// Changes single names and leaves all others as they are. A name whose records stay the same keeps its answers,
    /// serial and all.
    pub fn update(&self, serial: u32, changes: Vec<Change>, settings: &Settings, captured: &CapturedFiles) {
        let mut press = Press::new(serial, settings);
        let before = self.current.load();
        let changes = changes.into_iter().map(|Change { apex, zone }| {
            let zone = zone.filter(|zone| zone.mode() != ServiceMode::Off);
            let served = zone.map(|zone| press.serve_after(before.get(&apex), zone, captured));
            (apex, served)
        });
        self.current.store(Arc::new(before.with(changes.collect())));
    }

    /// The zone that a name in wire form is or lies below.
    pub fn find(&self, name: &[u8]) -> Option<ServedZone> {
        self.read().find(name).map(|found| found.served.clone())
    }

    /// The set as it is now, for a batch of names: no look-up in it writes anything that threads share.
    pub fn read(&self) -> Zones {
        Zones(self.current.load())
    }

    pub fn len(&self) -> usize {
        self.current.load().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One state of the table, held while a batch is answered.
pub struct Zones(Guard<Arc<Table>>);

impl Zones {
    pub fn find(&self, name: &[u8]) -> Option<Found<'_>> {
        self.0.find(name)
    }

    /// The same for a batch of names, in order: what one name waits for in memory, all wait for at once.
    pub fn find_all<'n>(&self, names: impl Iterator<Item = Option<&'n [u8]>>) -> Vec<Option<Found<'_>>> {
        self.0.find_all(names)
    }

    /// Every zone, in no order: for whoever tells others of all of them.
    pub fn iter(&self) -> impl Iterator<Item = &ServedZone> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests;
