//! What narrows: one person, at once.
//!
//! Nothing here can widen: each name has to go to a mode that does less than its present one. `off` is darkness for
//! whoever still follows a delegation to us, so a real name never gets there before it has been seen that no parent
//! server delegates it. An exercise's names have no parent, unless somebody has looked for one.

use model::Refusal;
use model::Timestamp;
use model::fact::{Actor, Body, Draft};
use model::id::{CaseId, OrderId};
use model::name::DomainName;
use model::order::Order;
use model::seizure::{Seizure, ServiceMode};
use store::view::{CaseView, View};

use super::{Decision, Done, check_text, distinct, working_on};

/// The most names in one fact: it stays below a megabyte.
pub(super) const NAMES_PER_FACT_MAX: usize = 10_000;

/// For how long it is believed that no parent delegates a name to us.
const UNDELEGATED_FOR: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

pub(super) fn service(
    view: &View,
    id: &CaseId,
    names: &[DomainName],
    (mode, disarm, now): (ServiceMode, bool, Timestamp),
    reason: &str,
    actor: &Actor,
) -> Result<Decision, Refusal> {
    let case = working_on(view, id, actor)?;
    check_text("reason", reason)?;
    let (names, left_armed) = chosen(case, names, mode, disarm)?;
    for name in &names {
        check(case, name, mode, now)?;
        check_armed(case, name, mode, disarm)?;
    }
    let mut drafts = Vec::new();
    for names in names.chunks(NAMES_PER_FACT_MAX) {
        let (case, names, reason) = (id.clone(), names.to_vec(), reason.trim().to_owned());
        drafts.push(Draft::new(actor.clone(), Body::ServiceNarrowed { case, names, mode, reason }));
    }
    if mode == ServiceMode::Handback {
        let returning = |name: &&DomainName| {
            case.names.get(name).is_some_and(|known| known.seizure.apply(Seizure::Returned).is_ok())
        };
        let returning: Vec<DomainName> = names.iter().filter(returning).cloned().collect();
        for names in returning.chunks(NAMES_PER_FACT_MAX) {
            let (case, names) = (id.clone(), names.to_vec());
            drafts.push(Draft::new(actor.clone(), Body::SeizureMoved { case, names, to: Seizure::Returned }));
        }
    }
    let is_bare = |name: &&DomainName| mode == ServiceMode::Handback && !case.captured.contains_key(*name);
    let without_records = names.iter().filter(is_bare).count();
    let names = names.len();
    let done = Done::ServiceNarrowed { case: id.clone(), names, mode, without_records, left_armed };
    Ok(Decision { drafts, named_sets: Vec::new(), done })
}

/// The names that were said, once each; all that can still do less where none was, and how many kill switches were left
/// out of them.
fn chosen(
    case: &CaseView,
    names: &[DomainName],
    mode: ServiceMode,
    disarm: bool,
) -> Result<(Vec<DomainName>, usize), Refusal> {
    if !names.is_empty() {
        return Ok((distinct(names).into_iter().collect(), 0));
    }
    let wider = case.names.iter().filter(|(_, known)| known.mode.is_some_and(|now| now.narrows_to(mode)));
    let stays = |name: &&DomainName| !disarm && falls_silent(case, name, mode);
    let (armed, wider): (Vec<&DomainName>, Vec<&DomainName>) = wider.map(|(name, _)| name).partition(stays);
    if let ([], [first, ..]) = (&wider[..], &armed[..]) {
        check_armed(case, first, mode, disarm)?;
    }
    if wider.is_empty() {
        return Err(Refusal::new(format!("no name of case {} does more than {}", case.terms.id, mode.as_str())));
    }
    Ok((wider.into_iter().cloned().collect(), armed.len()))
}

/// On hold a kill switch is answered as before. Handed back or off it is not ours to answer any more: whatever its
/// answers kept from running runs again.
fn falls_silent(case: &CaseView, name: &DomainName, mode: ServiceMode) -> bool {
    mode >= ServiceMode::Handback && case.answer_effect(name).is_kill_switch()
}

/// Stopping must not let a kill switch go by accident: whoever means it says so.
fn check_armed(case: &CaseView, name: &DomainName, mode: ServiceMode, disarm: bool) -> Result<(), Refusal> {
    if disarm || !falls_silent(case, name, mode) {
        return Ok(());
    }
    let what = format!("{} is a kill switch: in {} it no longer answers as one", name.defanged(), mode.as_str());
    Err(Refusal::new(what).hint("hold keeps it answering; if what it stops may run again, say `--disarm-kill-switch`"))
}

fn check(case: &CaseView, name: &DomainName, mode: ServiceMode, at: Timestamp) -> Result<(), Refusal> {
    let shown = name.defanged();
    let Some(known) = case.names.get(name) else {
        return Err(Refusal::new(format!("case {} does not list {shown}", case.terms.id))
            .hint("a name below a listed one follows it: give the listed one"));
    };
    let Some(now) = known.mode else {
        return Err(Refusal::new(format!("{shown} is not served, so there is nothing to narrow")));
    };
    if !now.narrows_to(mode) {
        let what = format!("{shown} is in {}: going to {} does not narrow", now.as_str(), mode.as_str());
        return Err(Refusal::new(what).hint("what widens takes two people, before"));
    }
    let exercise = case.orders.get(&known.order).is_some_and(is_exercise);
    let was_looked_at = case.verification.passes.contains_key(&known.order);
    if mode == ServiceMode::Off && (!exercise || was_looked_at) {
        check_undelegated(case, name, &known.order, at)?;
    }
    Ok(())
}

/// Only a pass of today that heard every parent server say so lets a name fall silent.
fn check_undelegated(case: &CaseView, name: &DomainName, order: &OrderId, at: Timestamp) -> Result<(), Refusal> {
    let seen = case.verification.undelegated_at(order, name);
    let dark = format!("{} may be dark to its owner", name.defanged());
    let (why, hint) = match seen {
        Some(seen) if at.duration_since(seen) <= UNDELEGATED_FOR => return Ok(()),
        Some(seen) => {
            (format!("that no parent delegates it was last seen at {seen}"), "verify again, and then say `off`")
        }
        None => (
            "nobody has seen that no parent delegates it".to_owned(),
            "choose hold or handback; `bailiwick verify` sees when the registry has undone it and caches have forgotten it",
        ),
    };
    Err(Refusal::new(format!("{dark}: {why}")).hint(hint))
}

fn is_exercise(order: &Order) -> bool {
    order.terms().authority.is_exercise()
}
