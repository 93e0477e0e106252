//! The watch over a case, folded: narrowings that wait for a second person, dates that counsel confirms, alarms.

use std::collections::BTreeMap;

use model::alarm::{Alarm, AlarmKey, AlarmState, AlarmStep};
use model::due::{DateConfirmation, DateProposal, Rule};
use model::fact::{Body, Fact};
use model::id::{CaseId, OrderId, PersonId, Position};
use model::moment::PaperTime;
use model::person::Role;
use model::seizure::ServiceMode;
use model::time::Date;
use model::{Digest, Refusal, Timestamp};

use super::View;
use super::fold::actor_person;

//----------- WatchView --------------------------------------------------------------------------------------------

#[derive(Clone, Debug, Default)]
pub struct WatchView {
    pub alarms: BTreeMap<AlarmKey, AlarmView>,
    /// By the place of the fact.
    pub narrowings: BTreeMap<Position, NarrowingView>,
    pub dates: BTreeMap<(OrderId, String), DateView>,
    /// What was seen last; the file lies in the vault.
    pub observed: Option<ObservedView>,
    pub certificates: Option<ObservedView>,
    /// When names of the case were served first.
    pub served: Option<Timestamp>,
    /// The reports of those who looked back, by days since then.
    pub post_mortems: BTreeMap<u16, Digest>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AlarmView {
    /// The fact that raised it last: people call the alarm by it.
    pub number: Position,
    pub alarm: Alarm,
    pub state: AlarmState,
    pub first_seen: Timestamp,
    pub raised: Timestamp,
    /// How often it was raised.
    pub times: u64,
    /// Who acknowledged it as it stands, when, and what they said.
    pub acknowledged: Option<(PersonId, Timestamp, String)>,
    pub cleared: Option<Timestamp>,
}

/// What one person narrowed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NarrowingView {
    pub names: u64,
    pub mode: ServiceMode,
    pub reason: String,
    pub by: Option<PersonId>,
    pub at: Timestamp,
    pub confirmed: Option<(PersonId, Timestamp)>,
    /// The order and the version that narrowed it, where an amendment did.
    pub amended: Option<(OrderId, u32)>,
}

impl NarrowingView {
    /// What became of what: `3 names to hold`.
    pub fn told(&self) -> String {
        let names = if self.names == 1 { "1 name".to_owned() } else { format!("{} names", self.names) };
        match &self.amended {
            Some((order, version)) => format!("order {order} to version {version}, which does less with {names}"),
            None => format!("{names} to {}", self.mode.as_str()),
        }
    }
}

/// A date that was computed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DateView {
    pub by: Rule,
    pub proposed: Date,
    pub confirmed: Option<ConfirmedDate>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfirmedDate {
    pub date: PaperTime,
    pub by: PersonId,
    pub at: Timestamp,
    pub note: Option<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ObservedView {
    pub file: Digest,
    pub at: Timestamp,
}

impl WatchView {
    /// The alarm of this number, as long as it is the one that was raised last.
    pub fn alarm(&self, number: Position) -> Option<&AlarmView> {
        self.alarms.values().find(|alarm| alarm.number == number)
    }

    pub fn open_alarms(&self) -> impl Iterator<Item = &AlarmView> {
        self.alarms.values().filter(|alarm| alarm.state.is_open())
    }

    /// Called for every fact of the case that had its effect.
    pub(super) fn note(&mut self, fact: &Fact) {
        match &fact.body {
            Body::ServiceNarrowed { names, mode, reason, .. } => {
                let (names, by) = (names.len() as u64, actor_person(&fact.actor).cloned());
                let (mode, reason) = (*mode, reason.clone());
                let narrowing =
                    NarrowingView { names, mode, reason, by, at: fact.time, confirmed: None, amended: None };
                self.narrowings.insert(fact.position, narrowing);
            }
            // Nobody narrowed the service of what was never served; a second person looks at it all the same.
            Body::NamesReturned { returned, .. } if returned.unserved > 0 => {
                let (names, by) = (returned.unserved, actor_person(&fact.actor).cloned());
                let (mode, reason) = (ServiceMode::Handback, returned.reason.clone());
                let narrowing =
                    NarrowingView { names, mode, reason, by, at: fact.time, confirmed: None, amended: None };
                self.narrowings.insert(fact.position, narrowing);
            }
            Body::NamesServed { .. } => {
                self.served.get_or_insert(fact.time);
            }
            _ => {}
        }
    }

    fn raise(&mut self, alarm: &Alarm, fact: &Fact) -> Result<(), Refusal> {
        let (number, raised, alarm) = (fact.position, fact.time, alarm.clone());
        let Some(known) = self.alarms.get_mut(&alarm.key) else {
            let (state, acknowledged, cleared) = (AlarmState::Raised, None, None);
            let view = AlarmView { number, state, first_seen: raised, raised, times: 1, acknowledged, cleared, alarm };
            self.alarms.insert(view.alarm.key.clone(), view);
            return Ok(());
        };
        known.state = known.state.apply(AlarmStep::Raise { anew: known.alarm.reason != alarm.reason })?;
        (known.number, known.raised, known.alarm) = (number, raised, alarm);
        (known.acknowledged, known.cleared) = (None, None);
        known.times += 1;
        Ok(())
    }

    fn step(&mut self, number: Position, step: AlarmStep) -> Result<&mut AlarmView, Refusal> {
        let unknown = || Refusal::new(format!("there is no alarm {number}"));
        let alarm = self.alarms.values_mut().find(|alarm| alarm.number == number).ok_or_else(unknown)?;
        alarm.state = alarm.state.apply(step)?;
        Ok(alarm)
    }

    fn confirm_narrowing(&mut self, place: Position, person: &PersonId, at: Timestamp) -> Result<(), Refusal> {
        let unknown = || Refusal::new(format!("there is no narrowing {place}"));
        let narrowing = self.narrowings.get_mut(&place).ok_or_else(unknown)?;
        if narrowing.by.as_ref() == Some(person) {
            return Err(Refusal::new(format!("{person} narrowed it: somebody else confirms it")));
        }
        if narrowing.confirmed.is_some() {
            return Err(Refusal::new(format!("the narrowing {place} is confirmed already")));
        }
        narrowing.confirmed = Some((person.clone(), at));
        Ok(())
    }

    fn propose(&mut self, proposal: &DateProposal) -> Result<(), Refusal> {
        let DateProposal { order, what, by, date } = proposal;
        let key = (order.clone(), what.clone());
        if self.dates.get(&key).is_some_and(|known| known.confirmed.is_some()) {
            return Err(Refusal::new(format!("the date `{what}` of order {order} is confirmed already")));
        }
        self.dates.insert(key, DateView { by: *by, proposed: *date, confirmed: None });
        Ok(())
    }

    fn confirm_date(&mut self, confirmation: &DateConfirmation, by: &PersonId, at: Timestamp) {
        let DateConfirmation { order, what, by: rule, proposed, date, note } = confirmation;
        let confirmed = Some(ConfirmedDate { date: *date, by: by.clone(), at, note: note.clone() });
        let view = DateView { by: *rule, proposed: *proposed, confirmed };
        self.dates.insert((order.clone(), what.clone()), view);
    }
}

//----------- Facts ------------------------------------------------------------------------------------------------

impl View {
    /// One fact of the watch.
    pub(super) fn fold_watch(&mut self, fact: &Fact) -> Result<(), Refusal> {
        match &fact.body {
            Body::NarrowingConfirmed { case, narrowing, .. } => {
                let person = self.acting(fact)?;
                self.watch(case)?.confirm_narrowing(*narrowing, &person, fact.time)
            }
            Body::DateProposed { case, proposal } => {
                self.order(case, &proposal.order)?;
                self.watch(case)?.propose(proposal)
            }
            Body::DateConfirmed { case, confirmation } => {
                let person = self.acting(fact)?;
                if !self.people.get(&person).is_some_and(|known| known.roles.contains(&Role::Legal)) {
                    return Err(Refusal::new(format!("{person} is no counsel")));
                }
                self.order(case, &confirmation.order)?;
                self.watch(case)?.confirm_date(confirmation, &person, fact.time);
                Ok(())
            }
            Body::AlarmRaised { case, alarm } => self.watch(case)?.raise(alarm, fact),
            Body::AlarmAcknowledged { case, alarm, note } => {
                let person = self.acting(fact)?;
                let known = self.watch(case)?.step(*alarm, AlarmStep::Acknowledge)?;
                known.acknowledged = Some((person, fact.time, note.clone()));
                Ok(())
            }
            Body::AlarmCleared { case, alarm, .. } => {
                self.watch(case)?.step(*alarm, AlarmStep::Clear)?.cleared = Some(fact.time);
                Ok(())
            }
            Body::ObservationsTaken { case, file, .. } => {
                self.watch(case)?.observed = Some(ObservedView { file: *file, at: fact.time });
                Ok(())
            }
            Body::CertificatesTaken { case, file, .. } => {
                self.watch(case)?.certificates = Some(ObservedView { file: *file, at: fact.time });
                Ok(())
            }
            Body::PostMortemHeld { case, days, file } => {
                self.watch(case)?.post_mortems.insert(*days, *file);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn watch(&mut self, case: &CaseId) -> Result<&mut WatchView, Refusal> {
        self.case(case).map(|case| &mut case.watch)
    }

    fn acting(&self, fact: &Fact) -> Result<PersonId, Refusal> {
        let person = actor_person(&fact.actor).filter(|id| self.people.contains_key(*id));
        person.cloned().ok_or_else(|| Refusal::new("this takes a person who is enrolled"))
    }
}
