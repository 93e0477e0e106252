//! What narrows: one person, at once.
//!
//! Nothing here can widen: each name has to go to a mode that does less than its present one. `off` is darkness for
//! whoever still follows a delegation to us, so a real name never gets there before it has been seen that no parent
//! server delegates it; an exercise's names have no parent.

use model::Refusal;
use model::fact::{Actor, Body, Draft};
use model::id::CaseId;
use model::name::DomainName;
use model::order::Order;
use model::seizure::{Seizure, ServiceMode};
use store::view::{CaseView, View};

use super::{Decision, Done, check_text, distinct, working_on};

/// The most names in one fact: it stays below a megabyte.
const NAMES_PER_FACT_MAX: usize = 10_000;

pub(super) fn service(
    view: &View,
    id: &CaseId,
    names: &[DomainName],
    mode: ServiceMode,
    reason: &str,
    actor: &Actor,
) -> Result<Decision, Refusal> {
    let case = working_on(view, id, actor)?;
    check_text("reason", reason)?;
    let names = chosen(case, names, mode)?;
    for name in &names {
        check(case, name, mode)?;
    }
    let mut drafts = Vec::new();
    for names in names.chunks(NAMES_PER_FACT_MAX) {
        let (case, names, reason) = (id.clone(), names.to_vec(), reason.trim().to_owned());
        drafts.push(Draft::new(actor.clone(), Body::ServiceNarrowed { case, names, mode, reason }));
    }
    if mode == ServiceMode::Handback {
        let returning = |name: &&DomainName| case.names[*name].seizure.apply(Seizure::Returned).is_ok();
        let returning: Vec<DomainName> = names.iter().filter(returning).cloned().collect();
        for names in returning.chunks(NAMES_PER_FACT_MAX) {
            let (case, names) = (id.clone(), names.to_vec());
            drafts.push(Draft::new(actor.clone(), Body::SeizureMoved { case, names, to: Seizure::Returned }));
        }
    }
    let done = Done::ServiceNarrowed { case: id.clone(), names: names.len(), mode };
    Ok(Decision { drafts, named_sets: Vec::new(), done })
}

/// The names that were said, once each; all that can still do less where none was.
fn chosen(case: &CaseView, names: &[DomainName], mode: ServiceMode) -> Result<Vec<DomainName>, Refusal> {
    if !names.is_empty() {
        return Ok(distinct(names).into_iter().collect());
    }
    let wider = case.names.iter().filter(|(_, known)| known.mode.is_some_and(|now| now.narrows_to(mode)));
    let wider: Vec<DomainName> = wider.map(|(name, _)| name.clone()).collect();
    if wider.is_empty() {
        return Err(Refusal::new(format!("no name of case {} does more than {}", case.terms.id, mode.as_str())));
    }
    Ok(wider)
}

fn check(case: &CaseView, name: &DomainName, mode: ServiceMode) -> Result<(), Refusal> {
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
    if mode == ServiceMode::Off && !exercise {
        return Err(Refusal::new(format!(
            "{shown} may be dark to its owner: nobody has seen that no parent delegates it"
        ))
        .hint("choose hold or handback"));
    }
    Ok(())
}

fn is_exercise(order: &Order) -> bool {
    order.terms().authority.is_exercise()
}
