//! The watch: confirming what one person narrowed, dates, alarms, what was seen from outside.
//!
//! Alarms are raised and cleared by the program; people acknowledge them, and nobody else does.

use model::alarm::AlarmStep;
use model::amendment::version_of_window;
use model::due::{DateConfirmation, DateProposal, Rule, WHAT_OCTETS_MAX};
use model::fact::{Actor, Body, Draft};
use model::id::{CaseId, OrderId, Position};
use model::moment::PaperTime;
use model::person::Role;
use model::{Digest, Refusal, Timestamp};
use store::view::{CaseView, View};

use super::{Decision, Done, check_text, known_case, may_prepare, working_on};
use crate::alarms::{Settled, settle};
use crate::custody::certificates::{self, Certificate};
use crate::custody::{self, Taking};
use crate::due::reckoning::date_by;
use crate::due::{date_named, unconfirmed};
use crate::watch;

/// The most days that a proposal counts.
const DAYS_MAX: u16 = 3_650;
/// The most dates that people propose in one case.
const DATES_MAX: usize = 256;

//----------- The clock --------------------------------------------------------------------------------------------

/// What follows from the clock: only the program's own follower asks for it.
pub(super) fn keep(view: &View, actor: &Actor, now: Timestamp) -> Result<Decision, Refusal> {
    by_program(actor, "the watch is kept by the program itself")?;
    let drafts: Vec<Draft> = watch::look(view, now).into_iter().map(|body| draft(actor, body)).collect();
    Ok(Decision { drafts, named_sets: Vec::new(), done: Done::Recorded })
}

fn draft(actor: &Actor, body: Body) -> Draft {
    let order = match &body {
        Body::OrderLapsed { order, .. } => Some(order.clone()),
        _ => None,
    };
    Draft { actor: actor.clone(), authority: order, body }
}

fn by_program(actor: &Actor, why: &str) -> Result<(), Refusal> {
    match actor {
        Actor::Room { .. } => Ok(()),
        Actor::Person { .. } | Actor::LocalUser { .. } => Err(Refusal::new(why)),
    }
}

//----------- Narrowings -------------------------------------------------------------------------------------------

/// Confirms one narrowing, or all of the case that somebody else made.
pub(super) fn confirm(
    view: &View,
    id: &CaseId,
    narrowing: Option<Position>,
    note: Option<&str>,
    actor: &Actor,
) -> Result<Decision, Refusal> {
    let case = working_on(view, id, actor)?;
    note.map_or(Ok(()), |note| check_text("note", note))?;
    let is_own =
        |one: &store::view::NarrowingView| matches!((actor, &one.by), (Actor::Person { id }, Some(by)) if id == by);
    let asked = unconfirmed(case).filter(|(place, _)| narrowing.is_none_or(|wanted| wanted == *place));
    let (own, others): (Vec<_>, Vec<_>) = asked.partition(|(_, one)| is_own(one));
    if others.is_empty() {
        return Err(match (own.first(), narrowing) {
            (Some((place, _)), _) => Refusal::new(format!("narrowing {place} is your own: somebody else confirms it")),
            (None, Some(place)) => Refusal::new(format!("no narrowing {place} of case {id} waits to be confirmed"))
                .hint(format!("see `bailiwick case due {id}`")),
            (None, None) => Refusal::new(format!("nothing that was narrowed in case {id} waits to be confirmed")),
        });
    }
    let places: Vec<Position> = others.iter().map(|(place, _)| *place).collect();
    let body = |narrowing: &Position| Body::NarrowingConfirmed {
        case: id.clone(),
        narrowing: *narrowing,
        note: note.map(|note| note.trim().to_owned()),
    };
    let drafts = places.iter().map(|place| Draft::new(actor.clone(), body(place))).collect();
    Ok(Decision { drafts, named_sets: Vec::new(), done: Done::NarrowingsConfirmed { narrowings: places } })
}

//----------- Dates ------------------------------------------------------------------------------------------------

pub(super) fn propose(
    view: &View,
    id: &CaseId,
    (order, what): (&OrderId, &str),
    by: Rule,
    actor: &Actor,
) -> Result<Decision, Refusal> {
    may_prepare(view, actor)?;
    if let Actor::Person { .. } = actor {
        working_on(view, id, actor)?;
    }
    let case = known_case(view, id)?;
    let known = ordered(case, order)?;
    check_name(what)?;
    if version_of_window(what).is_some() {
        return Err(Refusal::new(format!("`{what}` is the window of an amendment, which the amendment itself says"))
            .hint("give the date another name; counsel may confirm the window with another date"));
    }
    let (Rule::Days { days, .. } | Rule::BusinessDays { days, .. }) = by else {
        return Err(Refusal::new("that rule is counted by itself").hint(format!("see `bailiwick case due {id}`")));
    };
    if days > DAYS_MAX || case.watch.dates.len() >= DATES_MAX {
        return Err(Refusal::new(format!(
            "a date lies at most {DAYS_MAX} days ahead, and a case has at most {DATES_MAX}"
        )));
    }
    if let Some(date) = date_named(case, order, what)
        && (date.confirmed.is_some() || !matches!(date.by, Rule::Days { .. } | Rule::BusinessDays { .. }))
    {
        return Err(
            Refusal::new(format!("there is a date `{what}` of order {order} already")).hint("choose another name")
        );
    }
    let issued = known.terms().authority.issued.as_ref().map(|issued| issued.value);
    let date = date_by(by, issued).ok_or_else(|| Refusal::new("the rule comes to no date"))?;
    let proposal = DateProposal { order: order.clone(), what: what.to_owned(), by, date };
    let body = Body::DateProposed { case: id.clone(), proposal };
    Ok(Decision::of(actor, body, Done::DateProposed { date, by }))
}

fn ordered<'v>(case: &'v CaseView, order: &OrderId) -> Result<&'v model::order::Order, Refusal> {
    let missing = || Refusal::new(format!("case {} has no order {order}", case.terms.id));
    case.orders.get(order).ok_or_else(|| missing().hint(format!("see `bailiwick case show {}`", case.terms.id)))
}

fn check_name(what: &str) -> Result<(), Refusal> {
    let is_plain = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
    match (1..=WHAT_OCTETS_MAX).contains(&what.len()) && what.bytes().all(is_plain) {
        true => Ok(()),
        false => Err(Refusal::new(format!("`{what}` is no name of a date"))
            .hint(format!("1 to {WHAT_OCTETS_MAX} lower-case letters, digits and hyphens: `objection-window`"))),
    }
}

/// Counsel's word; without a date of their own, the rule's.
pub(super) fn confirm_date(
    view: &View,
    id: &CaseId,
    (order, what): (&OrderId, &str),
    (date, note): (Option<PaperTime>, Option<&str>),
    actor: &Actor,
) -> Result<Decision, Refusal> {
    let case = working_on(view, id, actor)?;
    ordered(case, order)?;
    let is_counsel =
        matches!(actor, Actor::Person { id } if view.people.get(id).is_some_and(|p| p.roles.contains(&Role::Legal)));
    if !is_counsel {
        return Err(Refusal::new("a computed date is confirmed by counsel").hint("it takes the role legal"));
    }
    note.map_or(Ok(()), |note| check_text("note", note))?;
    let unknown = || {
        Refusal::new(format!("order {order} has no date `{what}` that was computed"))
            .hint(format!("`bailiwick case due {id}` names them"))
    };
    let known = date_named(case, order, what).ok_or_else(unknown)?;
    let date = date.unwrap_or(known.proposed.into());
    if date.date() != known.proposed && note.is_none() {
        return Err(Refusal::new(format!("{date} is not what the rule comes to, {}", known.proposed))
            .hint("say why, with `--note`: which paper or rule says so"));
    }
    let (by, proposed, note) = (known.by, known.proposed, note.map(|note| note.trim().to_owned()));
    let confirmation = DateConfirmation { order: order.clone(), what: what.to_owned(), by, proposed, date, note };
    let body = Body::DateConfirmed { case: id.clone(), confirmation };
    Ok(Decision::of(actor, body, Done::DateConfirmed { date }))
}

//----------- Alarms -----------------------------------------------------------------------------------------------

pub(super) fn acknowledge(view: &View, number: Position, note: &str, actor: &Actor) -> Result<Decision, Refusal> {
    let missing = || Refusal::new(format!("there is no alarm {number}")).hint("see `bailiwick alarm list`");
    let found = view.cases.values().find_map(|case| Some((case, case.watch.alarm(number)?)));
    let (case, alarm) = found.ok_or_else(missing)?;
    working_on(view, &case.terms.id, actor)?;
    check_text("note", note)?;
    alarm.state.apply(AlarmStep::Acknowledge)?;
    let (case, note) = (case.terms.id.clone(), note.trim().to_owned());
    Ok(Decision::of(actor, Body::AlarmAcknowledged { case, alarm: number, note }, Done::Recorded))
}

//----------- What was seen ----------------------------------------------------------------------------------------

/// Takes what was seen. `octets` is the file of [`Taking::shelf`], which goes to the vault.
pub(super) fn take(
    view: &View,
    taking: &Taking,
    octets: &[u8],
    actor: &Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    may_prepare(view, actor)?;
    if let Actor::Person { .. } = actor {
        working_on(view, &taking.case, actor)?;
    }
    let case = known_case(view, &taking.case)?;
    if case.watch.observed.map(|observed| observed.file) != taking.before {
        return Err(Refusal::new("somebody else has taken observations of this case meanwhile").hint("take them again"));
    }
    let passed = custody::pass(case, &taking.shelf, &taking.seen, &taking.sinkholes, now);
    let evidence = if passed.is_news { Some(Digest::of_bytes(octets)) } else { taking.before };
    let findings = passed.findings.into_iter().chain(custody::let_go(case));
    let settled = settle(&taking.case, &case.watch, findings, evidence);
    let names = passed.shelf.len() as u64;
    let taken = evidence.filter(|_| passed.is_news);
    let taken = taken.map(|file| Body::ObservationsTaken { case: taking.case.clone(), file, names });
    Ok(settled_into(actor, taken, settled))
}

/// Takes an answer of certificate transparency.
pub(super) fn take_certificates(
    view: &View,
    id: &CaseId,
    (all, octets): (&[Certificate], &[u8]),
    actor: &Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    may_prepare(view, actor)?;
    if let Actor::Person { .. } = actor {
        working_on(view, id, actor)?;
    }
    let case = known_case(view, id)?;
    let file = Digest::of_bytes(octets);
    let found = certificates::find(case, all, now);
    let certificates = found.certificates.len() as u64;
    let settled = settle(id, &case.watch, found.findings, Some(file));
    let is_new = certificates > 0 && case.watch.certificates.is_none_or(|known| known.file != file);
    let taken = is_new.then(|| Body::CertificatesTaken { case: id.clone(), file, certificates });
    Ok(settled_into(actor, taken, settled))
}

fn settled_into(actor: &Actor, taken: Option<Body>, settled: Settled) -> Decision {
    let Settled { bodies, raised, cleared, left } = settled;
    let drafts = taken.into_iter().chain(bodies).map(|body| Draft::new(actor.clone(), body)).collect();
    Decision { drafts, named_sets: Vec::new(), done: Done::Watched { raised, cleared, left } }
}

/// Somebody has looked back; `octets` is the report, which goes to the vault.
pub(super) fn look_back(
    view: &View,
    id: &CaseId,
    days: u16,
    octets: &[u8],
    actor: &Actor,
) -> Result<Decision, Refusal> {
    working_on(view, id, actor)?;
    let (case, file) = (id.clone(), Digest::of_bytes(octets));
    Ok(Decision::of(actor, Body::PostMortemHeld { case, days, file }, Done::Recorded))
}
