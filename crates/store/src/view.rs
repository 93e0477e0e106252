//! What stands: a fold of facts.
//!
//! A view is what the ledger's facts add up to, and nothing else: the same facts give the same view, on any machine.
//! The law is asked again for every fact ([`View::apply`]); one that it does not allow changes nothing and is kept in
//! [`View::without_effect`]. So an order is in force only if two people approved exactly its text, whoever wrote the
//! fact that says so, and a [`zone`](crate::zones) comes only from an order in force.
//!
//! What is deliberately absent: deciding what to do (room `docket`), clocks and disks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::approval::Approvals;
use model::case::{CaseState, CaseTerms};
use model::fact::{Fact, Indicator, KnowledgeFormat, PurgedPart};
use model::id::{CaseId, GroupId, OrderId, PersonId, Position};
use model::order::{Act, Names, Order};
use model::paper::Paper;
use model::person::Person;
use model::seizure::ServiceMode;
use model::time::Date;
use model::{Digest, DomainName, Refusal, Timestamp};

use crate::zones::{Zone, ZoneSet, ZoneTerms};

mod amendments;
mod captured;
mod evidence;
mod execution;
mod fold;
mod gate;
mod leaving;
mod names;
mod people;
mod returning;
mod sensors;
#[cfg(test)]
mod tests;
mod tokens;
mod touched;
mod verification;
mod watch;

pub use amendments::{AmendmentsView, Moved, Pending, VersionView, Versions};
pub use captured::CapturedView;
pub use evidence::{AnswerView, EvidenceView, ExhibitView, ReportView, next_number};
pub use execution::{DispatchView, ExecutionView};
pub use fold::names_to_serve;
pub use leaving::LeavingView;
pub use names::{CaseNames, NameView};
pub use people::{Members, groups_called};
pub use returning::{PlanView, ReturnView, ReturningView};
pub use sensors::{EnrolmentOffer, FIRST_SENSOR, SensorView, Sensors};
pub use tokens::{FIRST_TOKEN_HOURS, FirstToken, TokenView, Tokens};
pub use verification::{PassView, VerificationView};
pub use watch::{AlarmView, ConfirmedDate, DateView, NarrowingView, ObservedView, WatchView};

//----------- View -------------------------------------------------------------------------------------------------

/// What stands after a number of facts.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The position of the next fact; `append` expects it.
    pub next: Position,
    pub cases: BTreeMap<CaseId, CaseView>,
    pub approvals: Approvals,
    pub people: BTreeMap<PersonId, Person>,
    /// Those of them whom the one-time token enrolled, or an admin who is one of them. An admin whom the machine's user
    /// enrolled vouches for nobody: else that user could make two people, and be both.
    pub vouched: BTreeSet<PersonId>,
    /// Their other tokens.
    pub tokens: Tokens,
    pub knowledge: Vec<Knowledge>,
    pub indicators: Vec<(CaseId, GroupId, Indicator)>,
    pub suspects: BTreeMap<DomainName, SuspectView>,
    /// Who sends what others were told.
    pub sensors: Sensors,
    /// Copies of the memory that were taken, the oldest first.
    pub backups: Vec<BackupView>,
    /// What was purged of the archive, in order.
    pub purges: Vec<PurgeView>,
    /// Until which day the journal was purged, if ever.
    pub journal_purged: Option<Date>,
    /// How often the law said no to somebody ([`model::fact::Body::Refused`]).
    pub refusals: u64,
    /// Facts that the law does not allow: they stand in the ledger and have no effect. It should be empty.
    pub without_effect: Vec<(Position, Refusal)>,
}

/// One case.
#[derive(Clone, Debug)]
pub struct CaseView {
    pub terms: CaseTerms,
    /// The digest of the case file.
    pub file: Digest,
    pub state: CaseState,
    pub opened: Timestamp,
    /// The last fact that changed what may be told of the case (names, orders, service, seizures, indicators), and
    /// when: starts, exports, requests, approvals and refusals do not count, so that unchanged data gives unchanged
    /// feeds.
    pub changed: Position,
    pub changed_at: Timestamp,
    pub orders: BTreeMap<OrderId, Order>,
    /// Orders whose seal two people have lifted.
    pub unsealed: BTreeSet<OrderId>,
    pub names: CaseNames,
    /// The owner's records of some names, as they were captured last.
    pub captured: BTreeMap<DomainName, CapturedView>,
    /// When a name was handed back, put off, or left its order, without having been served since.
    pub returned: BTreeMap<DomainName, Timestamp>,
    /// What was written of those that went back by the one command, what left the house, who holds what.
    pub returning: ReturningView,
    /// Legal holds that stand, by the position of the fact that placed each.
    pub holds: BTreeMap<Position, HoldView>,
    /// Who is on it.
    pub members: Members,
    /// What is on file, in the order in which it came.
    pub papers: Vec<Paper>,
    /// Those of them that a step of the case has named.
    pub named_papers: BTreeSet<Digest>,
    /// The last run of the harm gate, with what counsel decided.
    pub gate: Option<Box<model::gate::Gate>>,
    /// What was last seen of its names in the world.
    pub verification: VerificationView,
    /// What is due, what gives alarm, what was seen.
    pub watch: WatchView,
    /// What was compiled for whom, what was sent, who answered.
    pub execution: ExecutionView,
    /// What is kept as evidence, and whom it was reported to.
    pub evidence: EvidenceView,
    /// Folders of it that somebody took out, in order.
    pub left: Vec<LeavingView>,
    /// What later papers changed in its orders, and what is proposed.
    pub amendments: AmendmentsView,
}

/// Somebody else's knowledge of a group; the file lies in the vault.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Knowledge {
    pub group: GroupId,
    pub format: KnowledgeFormat,
    pub source: String,
    pub file: Digest,
    pub objects: u64,
    pub imported: Timestamp,
}

/// A backup: whatever was purged after it is still in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BackupView {
    /// Of its manifest.
    pub backup: Digest,
    /// Facts from this position on are not in it.
    pub facts: Position,
    /// The fact that says so.
    pub at: Position,
    pub taken: Timestamp,
}

/// Why nothing of a case is purged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HoldView {
    pub reason: String,
    pub by: Option<PersonId>,
    pub placed: Timestamp,
}

/// What was purged of one case and one day.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PurgeView {
    /// `None`: of no case.
    pub case: Option<CaseId>,
    pub day: Date,
    pub parts: Vec<PurgedPart>,
    /// The fact that says so.
    pub at: Position,
    pub purged: Timestamp,
}

/// A name that may be the group's next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SuspectView {
    pub score: u8,
    pub reasons: Vec<String>,
    pub found: Timestamp,
}

impl View {
    /// Takes the next fact. `names` gives the sets that facts speak of.
    ///
    /// # Errors
    /// If the law does not allow it, or it is not the next one. A refused fact still takes its position, and stands
    /// in [`Self::without_effect`].
    pub fn apply(&mut self, fact: &Fact, names: impl FnMut(&Digest) -> Option<Names>) -> Result<(), Refusal> {
        if fact.position != self.next {
            return Err(Refusal::new(format!("fact {} does not follow position {}", fact.position, self.next)));
        }
        self.next.0 += 1;
        let folded = self.fold(fact, names);
        if folded.is_ok() {
            self.join(fact);
        }
        match (&folded, fact.body.case().and_then(|id| self.cases.get_mut(id))) {
            (Err(refusal), _) => self.without_effect.push((fact.position, refusal.clone())),
            (Ok(()), Some(case)) if fact.body.is_watch() && !case.moves_custody(&fact.body) => {}
            (Ok(()), Some(case)) => {
                (case.changed, case.changed_at) = (fact.position, fact.time);
                case.watch.note(fact);
            }
            (Ok(()), None) => {}
        }
        folded
    }

    /// What the sinkhole is to answer for at that instant: names that are served, as far as an order in force covers
    /// answering for them. Once an authority has lapsed by its own date its names are held, recorded or not; kill
    /// switches are answered as before.
    pub fn zones(&self, now: Timestamp) -> ZoneSet {
        let zones = self.cases.values().flat_map(|case| case.zones(now)).collect();
        // A serial is 32 bits by RFC 1035; it wraps as RFC 1982 means it to.
        ZoneSet { serial: self.next.0 as u32, zones }
    }

    /// The zones of one name at that instant, in the order in which [`Self::zones`] has them.
    pub fn zones_of<'a>(&'a self, name: &'a DomainName, now: Timestamp) -> impl Iterator<Item = Zone> + 'a {
        self.cases.values().filter_map(move |case| {
            let view = case.names.get(name)?;
            let terms = case.zone_terms(case.orders.get(&view.order)?);
            case.zone(name, &view, &terms, now)
        })
    }
}

impl CaseView {
    /// Until when nothing that is shown may name the court or the case of that order; `None`: it is not sealed.
    pub fn sealed_until(&self, order: &Order) -> Option<Date> {
        let until = order.terms().authority.sealed_until.as_ref().map(|until| until.value);
        until.filter(|_| !self.unsealed.contains(&order.terms().id))
    }

    fn zone_terms(&self, order: &Order) -> Arc<ZoneTerms> {
        ZoneTerms::new(&self.terms, order.terms(), self.sealed_until(order))
    }

    fn zones(&self, now: Timestamp) -> Vec<Zone> {
        let terms = |(id, order): (&OrderId, &Order)| (id.clone(), self.zone_terms(order));
        let terms: BTreeMap<_, _> = self.orders.iter().map(terms).collect();
        let zone = |(name, view): (&DomainName, NameView)| self.zone(name, &view, terms.get(&view.order)?, now);
        self.names.iter().filter_map(zone).collect()
    }

    fn zone(&self, name: &DomainName, view: &NameView, terms: &Arc<ZoneTerms>, now: Timestamp) -> Option<Zone> {
        let mode = view.mode.filter(|mode| *mode != ServiceMode::Off)?;
        let coverage = self.orders.get(&view.order)?.covers(name, Act::Answer)?;
        let mode = captured::mode_at(mode, &coverage, now);
        let zone = Zone::sharing(coverage, mode, terms).ok()?;
        Some(zone.with_captured(self.captured_for(name, mode)))
    }
}
