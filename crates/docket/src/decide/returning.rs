//! A return on file: the names are back already, and the papers that were written about it are named by their digests.

use std::collections::BTreeSet;

use model::fact::{Actor, Body, Draft};
use model::id::CaseId;
use model::order::OrderStatus;
use model::returning::{PlanStep, Return};
use model::seizure::{Seizure, ServiceMode};
use model::{DomainName, Refusal, Timestamp};
use store::view::{CaseView, View};

use super::{Decision, Done, check_text, working_on};
use crate::returning::NAMES_MAX;
use crate::shown::counted;

pub(super) fn record(view: &View, id: &CaseId, returned: &Return, actor: &Actor) -> Result<Decision, Refusal> {
    let case = working_on(view, id, actor)?;
    check_text("reason", &returned.reason)?;
    let names: Vec<DomainName> = returned.names.iter().map(|one| one.name.clone()).collect();
    check_count(&names)?;
    names.iter().try_for_each(|name| check(case, name))?;
    let may_move =
        |name: &&DomainName| case.names.get(name).is_some_and(|known| known.seizure.apply(Seizure::Returned).is_ok());
    let moving: Vec<DomainName> = names.iter().filter(may_move).cloned().collect();
    let mut drafts = Vec::new();
    if !moving.is_empty() {
        let body = Body::SeizureMoved { case: id.clone(), names: moving, to: Seizure::Returned };
        drafts.push(Draft::new(actor.clone(), body));
    }
    let body = Body::NamesReturned { case: id.clone(), returned: Box::new(returned.clone()) };
    drafts.push(Draft::new(actor.clone(), body));
    Ok(Decision { drafts, named_sets: Vec::new(), done: Done::NamesReturned { names: names.len() } })
}

fn check_count(names: &[DomainName]) -> Result<(), Refusal> {
    let distinct: BTreeSet<&DomainName> = names.iter().collect();
    if distinct.len() != names.len() || names.is_empty() || names.len() > NAMES_MAX {
        let what = format!("{} at once cannot be returned", counted(names.len()));
        return Err(Refusal::new(what).hint(format!(
            "1 to {NAMES_MAX}, each once; `bailiwick case narrow` hands more back at once, and papers follow in portions"
        )));
    }
    Ok(())
}

/// A name that is back, or was never served, and has no papers yet.
fn check(case: &CaseView, name: &DomainName) -> Result<(), Refusal> {
    let shown = name.defanged();
    let Some(known) = case.names.get(name) else {
        return Err(Refusal::new(format!("case {} does not list {shown}", case.terms.id))
            .hint("a name below a listed one follows it: give the listed one"));
    };
    if case.orders.get(&known.order).is_none_or(|order| order.status() == OrderStatus::Draft) {
        return Err(Refusal::new(format!("{shown} was never taken: its order is a draft"))
            .hint("there is nothing to give back"));
    }
    if known.mode.is_some_and(|mode| mode < ServiceMode::Handback) {
        return Err(Refusal::new(format!("{shown} is served still: it is handed back first")));
    }
    match case.returning.of(name) {
        Some((_, made)) if known.is_back() && case.returned.get(name).is_none_or(|at| *at <= made.at) => {
            Err(Refusal::new(format!("{shown} is back already, since {}", made.at)).hint(format!(
                "`bailiwick case return {} {} --status` says what remains",
                case.terms.id,
                name.as_str()
            )))
        }
        _ => Ok(()),
    }
}

/// A person says that the plan went out, or what came back.
pub(super) fn step(
    view: &View,
    id: &CaseId,
    step: &PlanStep,
    actor: &Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let case = working_on(view, id, actor)?;
    let PlanStep { returned, actor: of, at, said } = step;
    let made = case.returning.returns.get(returned);
    let plan = made.and_then(|made| made.plans.get(of));
    let (Some(made), Some(plan)) = (made, plan) else {
        return Err(Refusal::new(format!("return {returned} of case {id} has no plan for {of}")));
    };
    if *at > now || at.as_second() < made.at.as_second() {
        return Err(Refusal::new(format!("{at} is not between the return, {}, and now", made.at)));
    }
    let body = match (said, plan.sent) {
        (None, Some(sent)) => return Err(Refusal::new(format!("{of} was sent the plan at {sent} already"))),
        (None, None) => Body::ReversePlanSent { case: id.clone(), step: step.clone() },
        (Some(_), None) => {
            return Err(Refusal::new(format!("{of} was not sent the plan, so it cannot have answered"))
                .hint("say `--plan-sent` first"));
        }
        (Some(said), Some(sent)) => {
            check_text("answer", said)?;
            if *at < sent {
                return Err(Refusal::new(format!("{of} cannot have answered at {at}: it was sent at {sent}")));
            }
            let step = PlanStep { said: Some(said.trim().to_owned()), ..step.clone() };
            Body::ReversePlanAnswered { case: id.clone(), step }
        }
    };
    Ok(Decision::of(actor, body, Done::Recorded))
}
