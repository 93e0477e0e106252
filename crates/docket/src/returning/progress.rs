//! How far a name is on its way back: each stage, whether it is done, and what remains for whom.
//!
//! Nothing here is remembered: it is what facts, looks and the rule of retention come to at that instant.

use model::id::PersonId;
use model::order::NameOutcome;
use model::seizure::ServiceMode;
use model::time::{Date, utc_day};
use model::{DomainName, Timestamp};
use serde::{Deserialize, Serialize};
use store::view::{CaseView, NameView, NarrowingView, PlanView, VersionView, View};

use crate::due::confirm_by;

/// A name on its way back.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub name: DomainName,
    /// When it went back; `None`: it has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub stages: Vec<Stage>,
}

/// One stage.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// `handback`, `papers`, `confirmed`, `plan-sent`, `plan-answered`, `feeds`, `delegation`, `purged`.
    pub stage: String,
    pub done: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What is so.
    pub what: String,
    /// What remains, and for whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
}

impl Stage {
    fn done(stage: &str, at: Option<Timestamp>, what: impl Into<String>) -> Self {
        Self { stage: stage.to_owned(), done: true, at, what: what.into(), left: None }
    }

    fn open(stage: &str, what: impl Into<String>, left: impl Into<String>) -> Self {
        Self { stage: stage.to_owned(), done: false, at: None, what: what.into(), left: Some(left.into()) }
    }
}

/// The first day on which what was recorded of a name that went back at that instant is purged.
pub fn purge_day(days: u32, returned: Timestamp) -> Option<Date> {
    let whole = std::time::Duration::from_secs((u64::from(days) + 1) * 24 * 60 * 60);
    utc_day(returned).checked_add(whole).ok()
}

/// How far a name of the case is; `returned_days` is what holds for the case.
pub fn progress(view: &View, case: &CaseView, name: &DomainName, returned_days: Option<u32>) -> Progress {
    let known = case.names.get(name).filter(NameView::is_back);
    let at = case.returned.get(name).copied().filter(|_| known.is_some());
    let (Some(known), Some(at)) = (known, at) else {
        return Progress { name: name.clone(), returned: None, by: None, reason: None, stages: Vec::new() };
    };
    let look = Look { view, case, name, known: &known, at };
    let narrowing = look.narrowing();
    let version = look.version();
    let made = case.returning.of(name).map(|(_, made)| made);
    let mut stages = vec![look.handback(), look.papers(), look.confirmed()];
    stages.extend(look.plan());
    stages.push(look.feeds());
    stages.extend(look.delegation());
    stages.push(look.purged(returned_days));
    Progress {
        name: name.clone(),
        returned: Some(at),
        by: made.and_then(|made| made.by.clone()).or_else(|| narrowing.and_then(|one| one.by.clone())),
        reason: made
            .map(|made| made.made.reason.clone())
            .or_else(|| narrowing.map(|one| one.reason.clone()))
            .or_else(|| version.map(|one| one.terms.source.to_string())),
        stages,
    }
}

/// One name that is back.
struct Look<'a> {
    view: &'a View,
    case: &'a CaseView,
    name: &'a DomainName,
    known: &'a NameView,
    at: Timestamp,
}

impl Look<'_> {
    /// A command about this name, as a person types it.
    fn typed(&self, command: &str, rest: &str) -> String {
        format!("`bailiwick case {command} {} {}{rest}`", self.case.terms.id, self.name.as_str())
    }

    /// What one person did then: narrowed the name, or amended its order.
    fn narrowing(&self) -> Option<&NarrowingView> {
        let order = &self.known.order;
        let is_it = |one: &&NarrowingView| match &one.amended {
            Some((of, _)) => of == order,
            None => one.mode >= ServiceMode::Handback,
        };
        self.case.watch.narrowings.values().filter(|one| one.at == self.at).find(is_it)
    }

    /// The version by which two people had the name leave its order.
    fn version(&self) -> Option<&VersionView> {
        let versions = self.case.amendments.of(&self.known.order)?;
        let is_it = |one: &&VersionView| one.ended == self.at && one.request.is_some() && one.terms.removed.is_some();
        versions.history.iter().find(is_it)
    }

    /// It has left the order and is answered for still, because nobody kept its owner's records, or because it is a kill switch.
    fn held(&self) -> Stage {
        let left = match (self.case.answer_effect(self.name).is_kill_switch(), self.case.captured.get(self.name)) {
            (true, _) => format!(
                "it is a kill switch and answers as one; if what it stops may run again, one person: {}",
                self.typed(
                    "narrow",
                    " --mode handback --disarm-kill-switch --reason TEXT --as PERSON --token-file FILE"
                )
            ),
            (false, None) => format!(
                "no records of the owner are on file: ask the owner for a zone file, and keep it: {}; then one person: {}",
                self.typed("records", " --zone-file FILE --source TEXT --as PERSON --token-file FILE"),
                self.typed("narrow", " --mode handback --reason TEXT --as PERSON --token-file FILE")
            ),
            (false, Some(_)) => format!(
                "one person: {}",
                self.typed("narrow", " --mode handback --reason TEXT --as PERSON --token-file FILE")
            ),
        };
        Stage {
            at: Some(self.at),
            ..Stage::open("handback", "it has left its order and is on hold: nothing is recorded", left)
        }
    }

    fn handback(&self) -> Stage {
        if matches!(self.known.mode, Some(ServiceMode::Collect | ServiceMode::Hold)) {
            return self.held();
        }
        let done = |what: String| Stage::done("handback", Some(self.at), what);
        match (self.known.mode, self.case.captured.get(self.name)) {
            (None, _) => done("it was never answered for by us, and nothing is recorded".to_owned()),
            (Some(ServiceMode::Off), _) => done("it is answered by nobody here any more".to_owned()),
            (Some(_), Some(captured)) => done(format!(
                "answered with the owner's {} records of {}; nothing is recorded",
                captured.count,
                utc_day(captured.recorded)
            )),
            (Some(_), None) => Stage {
                left: Some(format!(
                    "no records of the owner are on file, so that site and mail do not work: ask the owner for a zone \
                     file, and keep it: {}",
                    self.typed("records", " --zone-file FILE --source TEXT --as PERSON --token-file FILE")
                )),
                ..done("answered with SOA and NS only; nothing is recorded".to_owned())
            },
        }
    }

    fn papers(&self) -> Stage {
        let made = self.case.returning.of(self.name);
        match made.and_then(|(_, made)| Some((made.at, made.name(self.name)?))) {
            Some((at, one)) => {
                let letter = format!("the letter to the owner is written ({})", one.letter.short());
                let left = format!("somebody sends it: {}", self.typed("return", " --status --out DIR"));
                Stage { left: Some(left), ..Stage::done("papers", Some(at), letter) }
            }
            None => Stage::open(
                "papers",
                "no letter and no plan are written",
                format!("one person: {}", self.typed("return", " --reason TEXT --as PERSON --token-file FILE")),
            ),
        }
    }

    fn confirmed(&self) -> Stage {
        if let Some(VersionView { terms, request: Some(request), ended, .. }) = self.version() {
            let what = format!("two people approved version {} of its order (request {request})", terms.version);
            return Stage::done("confirmed", Some(*ended), what);
        }
        match self.narrowing().and_then(|one| one.confirmed.as_ref()) {
            Some((person, at)) => Stage::done("confirmed", Some(*at), format!("{person} has confirmed it")),
            None => Stage::open(
                "confirmed",
                "nobody but the person who did it has looked at it",
                format!(
                    "a second person confirms it by {}: `bailiwick case confirm {} --as PERSON --token-file FILE`",
                    confirm_by(self.at),
                    self.case.terms.id
                ),
            ),
        }
    }

    fn plan(&self) -> Vec<Stage> {
        let made = self.case.returning.of(self.name).map(|(_, made)| made);
        let actor = made.and_then(|made| made.name(self.name)?.actor.clone());
        let Some((actor, plan)) = actor.and_then(|actor| {
            let plan = made?.plans.get(&actor)?;
            Some((actor, plan))
        }) else {
            return Vec::new();
        };
        let PlanView { sent, answered, .. } = plan;
        let sent = match sent {
            Some(at) => Stage::done("plan-sent", Some(*at), format!("{actor} was sent what to undo")),
            None => Stage::open(
                "plan-sent",
                format!("what {actor} has to undo is written ({})", plan.plan.short()),
                format!(
                    "somebody sends it, and says so: {}",
                    self.typed("return", " --plan-sent --as PERSON --token-file FILE")
                ),
            ),
        };
        let answered = match answered {
            Some((at, said)) => Stage::done("plan-answered", Some(*at), format!("{actor} answered: {said}")),
            None => Stage::open(
                "plan-answered",
                format!("{actor} has not answered"),
                format!(
                    "{actor}; then {}",
                    self.typed("return", " --plan-answered TEXT --as PERSON --token-file FILE")
                ),
            ),
        };
        vec![sent, answered]
    }

    /// What is told of a name follows from its state, so that nothing is left to do.
    fn feeds(&self) -> Stage {
        let exported = self.case.returning.exported.len();
        let what = match exported {
            0 => "no feed of the case had left the house; none tells of it any more".to_owned(),
            1 => "the 1 feed that had left the house tells of its withdrawal".to_owned(),
            count => format!("the {count} feeds that had left the house tell of its withdrawal"),
        };
        Stage::done("feeds", Some(self.at), what)
    }

    /// Only what was redirected is seen at the parents.
    fn delegation(&self) -> Option<Stage> {
        if self.known.outcome != NameOutcome::Redirect {
            return None;
        }
        let gone = self.case.verification.undelegated_at(&self.known.order, self.name).filter(|seen| *seen >= self.at);
        Some(match gone {
            Some(seen) => {
                let left = (self.known.mode != Some(ServiceMode::Off)).then(|| {
                    format!(
                        "one person may put it off within a day of that look: {}",
                        self.typed("narrow", " --mode off --reason TEXT --as PERSON --token-file FILE")
                    )
                });
                Stage { left, ..Stage::done("delegation", Some(seen), "no parent server delegates it to us") }
            }
            None => Stage::open(
                "delegation",
                "nobody has seen that no parent delegates it to us; until then it is answered here, and `off` is refused",
                format!(
                    "the registry undoes it; `bailiwick verify {} --name {}` looks",
                    self.case.terms.id,
                    self.name.as_str()
                ),
            ),
        })
    }

    fn purged(&self, returned_days: Option<u32>) -> Stage {
        let is_of_it = |purge: &&store::view::PurgeView| {
            purge.case.as_ref() == Some(&self.case.terms.id)
                && purge.purged >= self.at
                && purge.parts.iter().any(|part| part.apex.as_ref() == Some(self.name))
        };
        let last = self.view.purges.iter().filter(is_of_it).map(|purge| purge.purged).max();
        if let Some(last) = last {
            return Stage::done("purged", Some(last), "what was recorded of it is purged");
        }
        let (what, left) = match returned_days.and_then(|days| Some((days, purge_day(days, self.at)?))) {
            Some((days, day)) => (
                format!("what was recorded of it is purged on {day} (returned_days = {days})"),
                "nobody: the daemon does it, once a day".to_owned(),
            ),
            None => (
                "what was recorded of it is purged as everything else of its kind (no returned_days)".to_owned(),
                "nobody: the daemon does it, once a day".to_owned(),
            ),
        };
        match self.case.holds.iter().next() {
            None => Stage::open("purged", what, left),
            Some((place, hold)) => Stage::open(
                "purged",
                format!("a legal hold stops it (hold {place}: {})", hold.reason),
                format!(
                    "two people end the hold: `bailiwick retention release {} {place}`; then: {what}",
                    self.case.terms.id
                ),
            ),
        }
    }
}
