//! Looking back, 7, 30 and 90 days after the names were served first: what still calls, what gave alarm, what was learned,
//! what was missed.
//!
//! A function of what stands, of the counts that the archive gives, and of `now`. It holds no caller: counts only.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use model::alarm::AlarmKind;
use model::id::CaseId;
use model::name::DomainName;
use model::order::NameOutcome;
use model::{Refusal, Timestamp};
use serde::{Deserialize, Serialize};
use store::view::{AlarmView, CaseView, NameView, View};

use crate::due::{self, Standing};

/// What calls in the last days of the window calls still.
pub const STILL_DAYS: u16 = 7;
/// The most indicators, suspects and alarms that a report names; it says how many there are.
pub const NAMED_MAX: usize = 1_000;

/// A report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PostMortem {
    pub case: CaseId,
    pub days: u16,
    pub from: Timestamp,
    pub until: Timestamp,
    /// The window has not ended yet.
    pub is_early: bool,
    /// By label: over the whole window, and over its last seven days.
    pub calls: BTreeMap<String, LabelCalls>,
    pub alarms: Vec<AlarmThen>,
    pub learned: Learned,
    pub missed: Missed,
    #[serde(default)]
    pub returned: GoneBack,
}

/// Names that went back to their owners until the end of the window.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct GoneBack {
    pub names: u64,
    /// Redirected ones of which nobody has seen that no parent delegates them to us any more.
    pub still_ours: u64,
    /// Those without a letter and a plan.
    pub without_papers: u64,
}

/// Who calls, by label: contacts and addresses, which are an upper bound and never a number of machines.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct LabelCalls {
    pub contacts: u64,
    pub addresses: u64,
    pub contacts_still: u64,
    pub addresses_still: u64,
}

/// An alarm that stood within the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmThen {
    pub kind: AlarmKind,
    pub subject: String,
    pub reason: String,
    pub state: String,
    pub first_seen: Timestamp,
    pub times: u64,
}

/// What the group has had since.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    pub indicators: Vec<String>,
    pub indicators_in_all: u64,
    /// Names that may be the group's next, found since; of whichever group, as hunting does not say.
    pub suspects: Vec<DomainName>,
    pub suspects_in_all: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Missed {
    /// Names whose seizure nobody has proven, by state.
    pub unproven: BTreeMap<String, u64>,
    /// What is overdue, in words.
    pub overdue: Vec<String>,
    /// Alarms that stand and that nobody has acknowledged.
    pub unacknowledged: u64,
    /// Suspects found since that no case lists.
    pub suspects_unlisted: u64,
}

/// From when to when a report looks back.
pub fn window(case: &CaseView, days: u16) -> Result<(Timestamp, Timestamp), Refusal> {
    let unserved = || Refusal::new(format!("no name of case {} was ever served", case.terms.id));
    let from = case.watch.served.ok_or_else(|| unserved().hint("there is nothing to look back on"))?;
    let until = from.checked_add(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MAX);
    Ok((from, until))
}

/// From when on what calls calls still.
pub fn still_from((from, until): (Timestamp, Timestamp), now: Timestamp) -> Timestamp {
    let end = until.min(now);
    end.checked_sub(SignedDuration::from_hours(24 * i64::from(STILL_DAYS))).unwrap_or(from).max(from)
}

pub fn post_mortem(
    view: &View,
    case: &CaseView,
    days: u16,
    calls: BTreeMap<String, LabelCalls>,
    now: Timestamp,
) -> Result<PostMortem, Refusal> {
    let (from, until) = window(case, days)?;
    let stood = case
        .watch
        .alarms
        .values()
        .filter(|alarm| alarm.first_seen < until && alarm.cleared.is_none_or(|cleared| from <= cleared));
    Ok(PostMortem {
        case: case.terms.id.clone(),
        days,
        from,
        until,
        is_early: now < until,
        calls,
        alarms: stood.take(NAMED_MAX).map(then).collect(),
        learned: learned(view, case, (from, until)),
        missed: missed(view, case, (from, until), now),
        returned: gone_back(case, until),
    })
}

fn then(view: &AlarmView) -> AlarmThen {
    AlarmThen {
        kind: view.alarm.key.kind,
        subject: view.alarm.key.subject.clone(),
        reason: view.alarm.reason.clone(),
        state: view.state.as_str().to_owned(),
        first_seen: view.first_seen,
        times: view.times,
    }
}

fn learned(view: &View, case: &CaseView, (from, until): (Timestamp, Timestamp)) -> Learned {
    let group = &case.terms.group.id;
    let ours = view
        .indicators
        .iter()
        .filter(|(_, of, indicator)| of == group && from <= indicator.first_seen && indicator.first_seen < until);
    let indicator = |(_, _, one): &(CaseId, model::id::GroupId, model::fact::Indicator)| {
        format!("{} {}", one.kind.as_str(), one.value)
    };
    let found = suspects(view, (from, until));
    Learned {
        indicators: ours.clone().take(NAMED_MAX).map(indicator).collect(),
        indicators_in_all: ours.count() as u64,
        suspects: found.clone().take(NAMED_MAX).cloned().collect(),
        suspects_in_all: found.count() as u64,
    }
}

fn suspects(view: &View, (from, until): (Timestamp, Timestamp)) -> impl Iterator<Item = &DomainName> + Clone {
    let found = view.suspects.iter().filter(move |(_, suspect)| from <= suspect.found && suspect.found < until);
    found.map(|(name, _)| name)
}

fn gone_back(case: &CaseView, until: Timestamp) -> GoneBack {
    let mut gone = GoneBack::default();
    for (name, at) in case.returned.iter().filter(|(_, at)| **at < until) {
        let Some(known) = case.names.get(name).filter(NameView::is_back) else { continue };
        let is_seen = case.verification.undelegated_at(&known.order, name).is_some_and(|seen| seen >= *at);
        gone.names += 1;
        gone.still_ours += u64::from(known.outcome == NameOutcome::Redirect && !is_seen);
        gone.without_papers += u64::from(case.returning.of(name).is_none_or(|(_, made)| made.at < *at));
    }
    gone
}

fn missed(view: &View, case: &CaseView, window: (Timestamp, Timestamp), now: Timestamp) -> Missed {
    let mut unproven = BTreeMap::new();
    for name in case.names.values().filter(|name| name.seizure < model::seizure::Seizure::Verified) {
        *unproven.entry(name.seizure.as_str().to_owned()).or_default() += 1;
    }
    let overdue = due::dues(view, [case], now).into_iter().filter(|due| due.standing == Standing::Overdue);
    let unlisted = suspects(view, window).filter(|name| view.cases.values().all(|case| case.names.get(name).is_none()));
    Missed {
        unproven,
        overdue: overdue.map(|due| due.what).collect(),
        unacknowledged: case.watch.open_alarms().filter(|alarm| alarm.acknowledged.is_none()).count() as u64,
        suspects_unlisted: unlisted.count() as u64,
    }
}

#[cfg(test)]
mod tests {
    use model::fact::{Actor, Body, Draft};

    use super::*;
    use crate::custody::tests::served;
    use crate::decide::book::{case, now};

    #[test]
    fn one_looks_back_on_what_calls_what_was_found_and_what_was_missed() {
        let mut book = served();
        for (name, day) in [("new-harbour.example", "2026-03-22"), ("late-harbour.example", "2026-05-01")] {
            let body = Body::SuspectFound { name: DomainName::parse(name).unwrap(), score: 80, reasons: Vec::new() };
            let at = format!("{day}T00:00:00Z").parse().unwrap();
            let fact = Draft::new(Actor::Room { name: "hunt".into() }, body).at(book.view.next, at);
            book.view.apply(&fact, |_| None).unwrap();
        }
        let known = &book.view.cases[&case("c-1")];
        let calls = BTreeMap::from([("victim".to_owned(), LabelCalls { contacts: 7, ..LabelCalls::default() })]);
        let after = "2026-04-01T12:00:00Z".parse().unwrap();
        let report = post_mortem(&book.view, known, 30, calls.clone(), after).unwrap();
        assert_eq!((report.from, report.is_early, report.learned.suspects_in_all), (now(), true, 1));
        assert_eq!((report.missed.suspects_unlisted, &report.calls), (1, &calls));
        assert_eq!(report.missed.unproven, BTreeMap::from([("ordered".to_owned(), 3)]));
        assert!(report.missed.overdue.iter().any(|what| what.contains("look back after 7 days")), "{report:#?}");
        assert_eq!(report.returned, GoneBack::default());
        let back = crate::Command::NarrowService {
            case: case("c-1"),
            names: vec![DomainName::parse("login-harbour.example").unwrap()],
            mode: model::seizure::ServiceMode::Handback,
            reason: "its owner called".into(),
            disarm: false,
        };
        book.execute(&back, &crate::decide::book::as_person("ada")).unwrap();
        let known = &book.view.cases[&case("c-1")];
        let gone = post_mortem(&book.view, known, 30, calls.clone(), after).unwrap();
        assert_eq!(gone.returned, GoneBack { names: 1, still_ours: 1, without_papers: 1 });
        assert_eq!(gone.missed.unproven, BTreeMap::from([("ordered".to_owned(), 2)]), "what is back is not missed");
        assert_eq!(still_from((report.from, report.until), after), "2026-03-25T12:00:00Z".parse().unwrap());
        assert_eq!(still_from((report.from, report.until), now()), now());
        let never = crate::decide::book::text("c-2", "civil-tro");
        let mut fresh = crate::decide::book::Book::default();
        fresh.execute(&crate::decide::book::import(&never), &crate::decide::book::someone()).unwrap();
        assert!(post_mortem(&fresh.view, &fresh.view.cases[&case("c-2")], 7, BTreeMap::new(), after).is_err());
    }
}
