//! Names on their way back, folded: what was written about each return, how far its undoing has come; which feeds had left
//! the house; and names that were ours, as somebody saw, and that a later look saw elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use model::alarm::{AlarmKey, AlarmKind};
use model::fact::{Body, Fact};
use model::id::{PersonId, Position};
use model::marking::Audience;
use model::returning::{PlanStep, Return, ReturnedName};
use model::seizure::{Seizure, ServiceMode};
use model::{Digest, DomainName, Refusal, Timestamp};

use super::fold::actor_person;
use super::{CaseView, NameView, View};

/// The mark of the alarm that parents delegate elsewhere.
const DELEGATION: &str = "ns";

#[derive(Clone, Debug, Default)]
pub struct ReturningView {
    /// By the place of the fact.
    pub returns: BTreeMap<Position, ReturnView>,
    /// The last return of each name.
    of_name: BTreeMap<DomainName, Position>,
    /// Feeds of the case that left the house, by form and audience.
    pub exported: BTreeSet<(String, Audience)>,
    /// Names that were verified, and that the last look saw delegated elsewhere.
    pub lost: BTreeSet<DomainName>,
    /// Names that were verified again after they were lost, and when: what gave alarm before that is over.
    regained: BTreeMap<DomainName, Timestamp>,
}

/// Names that went back together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReturnView {
    pub made: Return,
    pub by: Option<PersonId>,
    pub at: Timestamp,
    /// By actor.
    pub plans: BTreeMap<String, PlanView>,
}

/// One actor's plan, and how far it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PlanView {
    pub plan: Digest,
    pub names: u64,
    pub sent: Option<Timestamp>,
    pub answered: Option<(Timestamp, String)>,
}

impl ReturningView {
    /// The last return of a name, with its place.
    pub fn of(&self, name: &DomainName) -> Option<(Position, &ReturnView)> {
        let place = self.of_name.get(name)?;
        Some((*place, self.returns.get(place)?))
    }
}

impl ReturnView {
    pub fn name(&self, name: &DomainName) -> Option<&ReturnedName> {
        self.made.names.iter().find(|one| one.name == *name)
    }
}

impl NameView {
    /// Whether it is its owner's again, as far as we are asked.
    pub fn is_back(&self) -> bool {
        matches!(self.seizure, Seizure::Released | Seizure::Returned)
            || self.mode.is_some_and(|mode| mode >= ServiceMode::Handback)
    }
}

impl CaseView {
    /// The names that were ours and that a look saw elsewhere: by the verifier, or by an alarm of custody that stands.
    pub fn lost_names(&self) -> BTreeSet<&str> {
        let regained = &self.returning.regained;
        let is_over = |subject: &str, raised: Timestamp| {
            let name = DomainName::parse(subject).ok();
            name.and_then(|name| regained.get(&name)).is_some_and(|seen| *seen >= raised)
        };
        let losses = self.watch.open_alarms().filter(|alarm| is_loss(&alarm.alarm.key));
        let stand = losses.filter(|alarm| !is_over(&alarm.alarm.key.subject, alarm.raised));
        let by_look = self.returning.lost.iter().map(DomainName::as_str);
        stand.map(|alarm| alarm.alarm.key.subject.as_str()).chain(by_look).collect()
    }

    /// Whether a fact about alarms changes who holds a name, and so what feeds tell.
    pub(super) fn moves_custody(&self, body: &Body) -> bool {
        match body {
            Body::AlarmRaised { alarm, .. } => is_loss(&alarm.key),
            Body::AlarmCleared { alarm, .. } => self.watch.alarm(*alarm).is_some_and(|known| is_loss(&known.alarm.key)),
            _ => false,
        }
    }

    fn take_back(&mut self, made: &Return, fact: &Fact) -> Result<(), Refusal> {
        let by = actor_person(&fact.actor).cloned();
        by.as_ref().ok_or_else(|| Refusal::new("names are returned by a person"))?;
        for ReturnedName { name, .. } in &made.names {
            let known = self.names.get(name).ok_or_else(|| self.no_name(name))?;
            if known.mode.is_some_and(|mode| mode < ServiceMode::Handback) {
                return Err(Refusal::new(format!("{} is served still", name.defanged())));
            }
        }
        let plan = |one: &model::returning::ReversePlan| {
            let view = PlanView { plan: one.plan, names: one.names, sent: None, answered: None };
            (one.actor.clone(), view)
        };
        let plans = made.plans.iter().map(plan).collect();
        for ReturnedName { name, .. } in &made.names {
            self.returned.entry(name.clone()).or_insert(fact.time);
            self.returning.of_name.insert(name.clone(), fact.position);
        }
        self.returning.returns.insert(fact.position, ReturnView { made: made.clone(), by, at: fact.time, plans });
        Ok(())
    }

    fn plan(&mut self, step: &PlanStep) -> Result<&mut PlanView, Refusal> {
        let unknown = || Refusal::new(format!("return {} has no plan for {}", step.returned, step.actor));
        let returned = self.returning.returns.get_mut(&step.returned);
        returned.and_then(|returned| returned.plans.get_mut(&step.actor)).ok_or_else(unknown)
    }

    fn see_custody(&mut self, names: &[DomainName], lost: bool, at: Timestamp) -> Result<(), Refusal> {
        if let Some(stray) = names.iter().find(|name| self.names.get(name).is_none()) {
            return Err(self.no_name(stray));
        }
        for name in names {
            if lost {
                self.returning.lost.insert(name.clone());
                self.returning.regained.remove(name);
            } else {
                self.returning.lost.remove(name);
                self.returning.regained.insert(name.clone(), at);
            }
        }
        Ok(())
    }
}

fn is_loss(key: &AlarmKey) -> bool {
    key.kind == AlarmKind::Reregistered || key.kind == AlarmKind::Drifted && key.mark == DELEGATION
}

impl View {
    pub(super) fn fold_returning(&mut self, fact: &Fact) -> Result<(), Refusal> {
        match &fact.body {
            Body::NamesReturned { case, returned } => self.case(case)?.take_back(returned, fact),
            Body::ReversePlanSent { case, step } => {
                self.case(case)?.plan(step)?.sent.get_or_insert(step.at);
                Ok(())
            }
            Body::ReversePlanAnswered { case, step } => {
                self.case(case)?.plan(step)?.answered = Some((step.at, step.said.clone().unwrap_or_default()));
                Ok(())
            }
            Body::CustodySeen { case, names, lost } => self.case(case)?.see_custody(names, *lost, fact.time),
            Body::FeedExported { format, audience, .. } => {
                self.note_export(fact, format, *audience);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// An export is of the case whose order it names.
    fn note_export(&mut self, fact: &Fact, format: &str, audience: Audience) {
        let Some(order) = &fact.authority else { return };
        let of_order = |case: &&mut CaseView| case.orders.contains_key(order);
        if let Some(case) = self.cases.values_mut().find(of_order) {
            case.returning.exported.insert((format.to_owned(), audience));
        }
    }
}
