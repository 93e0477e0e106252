//! The set itself: names in groups that have an order and its terms in common, as JSON.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::answers::AnswerSet;
use model::case::{AnswerPolicy, NoticeTerms};
use model::id::{CaseId, OrderId};
use model::order::{Acts, Attested, Coverage};
use model::seizure::{AnswerEffect, ServiceMode};
use model::time::Date;
use model::{Digest, DomainName, Timestamp};
use serde::{Deserialize, Serialize};

use crate::zones::{Zone, ZoneSet, ZoneTerms};

/// The largest set that a sensor takes: some 120 octets a name, two million names.
pub const ZONES_OCTETS_MAX: u64 = 256 << 20;

const VERSION: u16 = 1;

/// What a name does when the lease is over and nobody has renewed it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lapse {
    /// It is answered REFUSED, like any other name of the world: resolvers go to another server of the zone.
    #[default]
    Refuse,
    /// It is answered with neutral records, and nothing is recorded.
    Hold,
    /// It goes on until its authority ends. Kill switches do, whatever is configured: silence would let run what they
    /// keep from running.
    KeepUntil,
}

/// All that a sensor serves.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneBody {
    pub version: u16,
    pub groups: Vec<ZoneGroup>,
}

/// Names of one order, and what they have in common.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneGroup {
    pub case: CaseId,
    pub order: OrderId,
    /// When the authority ends, for each of the names; `None`: it says no day.
    pub valid_until: Option<Timestamp>,
    /// It has ended already: only kill switches are answered as before.
    pub lapsed: bool,
    /// Served on loopback only.
    pub exercise: bool,
    pub case_title: String,
    pub contact: String,
    pub issuer: String,
    pub docket_number: Option<String>,
    pub answer_policy: AnswerPolicy,
    pub notice: NoticeTerms,
    pub name_servers: Vec<DomainName>,
    pub answers: Option<AnswerSet>,
    pub sealed_until: Option<Date>,
    pub names: Vec<LeasedName>,
}

/// One name.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LeasedName {
    pub name: DomainName,
    /// As tables store them: [`Acts::to_bits`].
    pub acts: u8,
    pub effect: AnswerEffect,
    pub mode: ServiceMode,
    pub lapse: Lapse,
    /// The owner's records, which answer while the name is handed back: a file that the core hands out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured: Option<Digest>,
}

//----------- At the core ------------------------------------------------------------------------------------------

/// A set as it is handed out.
#[derive(Clone, Debug)]
pub struct Bulletin {
    pub version: u64,
    pub digest: Digest,
    pub octets: Arc<[u8]>,
    /// The owners' records that its names need.
    pub captured: BTreeSet<Digest>,
}

impl Bulletin {
    pub fn of(set: &ZoneSet, version: u64, after_lease: Lapse, now: Timestamp) -> Self {
        let octets: Arc<[u8]> = serde_json::to_vec(&ZoneBody::of(set, after_lease, now)).expect("plain JSON").into();
        let captured = set.zones.iter().filter_map(|zone| zone.captured().copied()).collect();
        Self { version, digest: Digest::of_bytes(&octets), octets, captured }
    }
}

impl ZoneBody {
    /// Zones of one order stand one after another in a set.
    pub fn of(set: &ZoneSet, after_lease: Lapse, now: Timestamp) -> Self {
        let mut groups: Vec<ZoneGroup> = Vec::new();
        let mut last: Option<&Zone> = None;
        for zone in &set.zones {
            // A name that an amendment took out has lapsed, and the others of its order have not.
            let is_alike = |one: &Coverage, other: &Coverage| {
                one.order() == other.order() && one.has_lapsed(now) == other.has_lapsed(now)
            };
            let is_next = |last: &Zone| last.shares_terms(zone) && is_alike(last.coverage(), zone.coverage());
            if !last.is_some_and(is_next) {
                groups.push(ZoneGroup::of(zone, now));
            }
            let group = groups.last_mut().expect("one was pushed");
            group.names.push(LeasedName::of(zone, after_lease));
            last = Some(zone);
        }
        Self { version: VERSION, groups }
    }
}

impl ZoneGroup {
    fn of(zone: &Zone, now: Timestamp) -> Self {
        let (coverage, terms) = (zone.coverage(), zone.terms());
        Self {
            case: coverage.case().clone(),
            order: coverage.order().clone(),
            valid_until: coverage.until(),
            lapsed: coverage.has_lapsed(now),
            exercise: coverage.is_exercise(),
            case_title: terms.case_title.clone(),
            contact: terms.contact.clone(),
            issuer: terms.issuer.clone(),
            docket_number: terms.docket_number.clone(),
            answer_policy: terms.answer_policy,
            notice: terms.notice.clone(),
            name_servers: terms.name_servers.clone(),
            answers: terms.answers.clone(),
            sealed_until: terms.sealed_until,
            names: Vec::new(),
        }
    }
}

impl LeasedName {
    fn of(zone: &Zone, after_lease: Lapse) -> Self {
        let effect = zone.answer_effect();
        Self {
            name: zone.apex().clone(),
            acts: zone.coverage().acts().to_bits(),
            effect,
            mode: zone.mode(),
            lapse: if effect.is_kill_switch() { Lapse::KeepUntil } else { after_lease },
            captured: zone.captured().copied(),
        }
    }
}

//----------- At the sensor ----------------------------------------------------------------------------------------

/// The owners' records that a set needs; none, if it is no set.
pub fn captured_in(octets: &[u8]) -> BTreeSet<Digest> {
    ZoneBody::read(octets).map(|body| body.captured()).unwrap_or_default()
}

impl ZoneBody {
    /// Reads what a grant has named by its digest.
    pub(super) fn read(octets: &[u8]) -> Result<Self, String> {
        let body: Self = serde_json::from_slice(octets).map_err(|error| error.to_string())?;
        if body.version != VERSION {
            return Err(format!("a set of version {}; this program reads {VERSION}", body.version));
        }
        Ok(body)
    }

    fn captured(&self) -> BTreeSet<Digest> {
        self.groups.iter().flat_map(|group| &group.names).filter_map(|name| name.captured).collect()
    }

    /// How many groups' authority has ended at that instant; all, if nobody knows what time it is.
    pub(super) fn ended(&self, now: Option<Timestamp>) -> usize {
        self.groups.iter().filter(|group| group.has_ended(now)).count()
    }

    /// What is served; `is_over`: the lease is.
    pub(super) fn zones(&self, serial: u32, now: Option<Timestamp>, is_over: bool) -> ZoneSet {
        let zones = self.groups.iter().flat_map(|group| group.zones(now, is_over)).collect();
        ZoneSet { serial, zones }
    }
}

impl ZoneGroup {
    fn has_ended(&self, now: Option<Timestamp>) -> bool {
        let has_passed = |until: Timestamp| now.is_none_or(|now| until <= now);
        self.lapsed || self.valid_until.is_some_and(has_passed)
    }

    fn zones(&self, now: Option<Timestamp>, is_over: bool) -> impl Iterator<Item = Zone> {
        let (case, order) = (self.case.clone(), self.order.clone());
        let attested = Attested::by_signature(case, order, self.valid_until, self.exercise, self.has_ended(now));
        let terms = Arc::new(self.terms());
        self.names.iter().filter_map(move |name| name.zone(&attested, &terms, is_over))
    }

    fn terms(&self) -> ZoneTerms {
        ZoneTerms {
            case_title: self.case_title.clone(),
            contact: self.contact.clone(),
            issuer: self.issuer.clone(),
            docket_number: self.docket_number.clone(),
            answer_policy: self.answer_policy,
            notice: self.notice.clone(),
            name_servers: self.name_servers.clone(),
            answers: self.answers.clone(),
            sealed_until: self.sealed_until,
        }
    }
}

impl LeasedName {
    fn zone(&self, attested: &Attested, terms: &Arc<ZoneTerms>, is_over: bool) -> Option<Zone> {
        let mode = match (is_over, self.lapse) {
            (true, Lapse::Refuse) => return None,
            (true, Lapse::Hold) => self.mode.max(ServiceMode::Hold),
            (true, Lapse::KeepUntil) | (false, _) => self.mode,
        };
        let coverage = attested.covers(self.name.clone(), Acts::from_bits(self.acts), self.effect)?;
        Some(Zone::sharing(coverage, mode, terms).ok()?.with_captured(self.captured))
    }
}
