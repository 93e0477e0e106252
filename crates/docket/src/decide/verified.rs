//! What a look at the world changes: the pass is recorded, and names move to `partial` or `verified` as the law allows.
//!
//! A name that was verified once does not go back by a later look: what drifts since is an alarm's to tell. The world may
//! have turned since an old look, so that only a fresh one moves a name or gives leave to let it fall silent.

use std::collections::BTreeSet;

use model::check::{Check, CheckAttested, Finding, NameSet, Standing, Verdict, Verification, has_begun};
use model::fact::{Actor, Body, Draft};
use model::id::{CaseId, OrderId};
use model::order::{Listed, NameOutcome, Names, Order, OrderStatus};
use model::seizure::Seizure;
use model::{Digest, DomainName, Refusal, Timestamp};
use store::ledger::NamedSet;
use store::view::{CaseView, View};

use super::narrow::NAMES_PER_FACT_MAX;
use super::{Decision, Done, known_case, may_prepare, working_on};
use crate::verify::{FRESH_FOR, NameReport};

/// The largest document of an attestation.
pub const DOCUMENT_OCTETS_MAX: usize = 32 << 20;

/// Whether the world may be asked about a case.
pub fn may_verify<'v>(view: &'v View, case: &CaseId, actor: &Actor) -> Result<&'v CaseView, Refusal> {
    match actor {
        Actor::Person { .. } => working_on(view, case, actor),
        Actor::LocalUser { .. } | Actor::Room { .. } => {
            may_prepare(view, actor)?;
            known_case(view, case)
        }
    }
}

/// What a recording is about.
pub(super) struct Touched<'c> {
    /// The names of a pass.
    pub(super) looked: &'c BTreeSet<DomainName>,
    /// The name that a person answers for.
    pub(super) attested: Option<&'c DomainName>,
}

/// One pass over an order's names, or an attestation of one: `reports` are all that are known.
pub(super) fn record(
    view: &View,
    (id, order_id): (&CaseId, &OrderId),
    reports: &[NameReport],
    Touched { looked, attested }: Touched<'_>,
    octets: &[u8],
    (actor, now): (&Actor, Timestamp),
) -> Result<Decision, Refusal> {
    let case = may_verify(view, id, actor)?;
    let order = case.orders.get(order_id).ok_or_else(|| Refusal::new(format!("case {id} has no order {order_id}")))?;
    if order.status() == OrderStatus::Draft {
        return Err(Refusal::new(format!("order {order_id} is not in force: there is no seizure to verify"))
            .hint("`bailiwick case request` asks two people"));
    }
    let stray = reports.iter().find(|report| report.order != *order_id || listed(order, &report.name).is_none());
    if let Some(stray) = stray {
        return Err(Refusal::new(format!("{} is no name of order {order_id}", stray.name.defanged())));
    }
    let is_fresh = |report: &&NameReport| now.duration_since(report.at).abs() <= FRESH_FOR;
    let fresh: Vec<&NameReport> = reports.iter().filter(is_fresh).collect();
    let (gone, undelegated_at) = match case.verification.passes.get(order_id) {
        // Nobody looked: what the last look saw is neither renewed nor forgotten.
        Some(last) if looked.is_empty() && !last.undelegated.is_empty() => {
            (Names::clone(&last.undelegated), Some(last.undelegated_at))
        }
        _ => {
            let seen = fresh.iter().filter(|report| looked.contains(&report.name));
            (gone(order, seen.copied()), None)
        }
    };
    let set = (!gone.is_empty()).then(|| NamedSet::of(gone));
    let count = |standing| reports.iter().filter(|report| report.standing == standing).count() as u64;
    let made = Verification {
        case: id.clone(),
        order: order_id.clone(),
        report: Digest::of_bytes(octets),
        holds: count(Standing::Verified),
        fails: count(Standing::Fails),
        undecided: count(Standing::Undecided),
        undelegated: set.as_ref().map(|set| NameSet { names: set.digest(), count: set.count() }),
        undelegated_at,
    };
    let mut drafts = vec![Draft::new(actor.clone(), Body::VerificationMade(made)).under(order_id)];
    let is_touched = |name: &DomainName| looked.contains(name) || attested == Some(name);
    let touched: Vec<&NameReport> = fresh.into_iter().filter(|report| is_touched(&report.name)).collect();
    for to in [Seizure::Partial, Seizure::Verified] {
        let names = moving(case, &touched, to);
        for names in names.chunks(NAMES_PER_FACT_MAX) {
            let body = Body::SeizureMoved { case: id.clone(), names: names.to_vec(), to };
            drafts.push(Draft::new(actor.clone(), body).under(order_id));
        }
    }
    for lost in [true, false] {
        for names in custody(case, &touched, lost).chunks(NAMES_PER_FACT_MAX) {
            let body = Body::CustodySeen { case: id.clone(), names: names.to_vec(), lost };
            drafts.push(Draft::new(actor.clone(), body).under(order_id));
        }
    }
    Ok(Decision { drafts, named_sets: set.into_iter().collect(), done: Done::VerificationRecorded })
}

/// Names that were verified once and that a parent delegates elsewhere; or that were lost so, and are verified again. Only
/// what is different from before is told.
fn custody(case: &CaseView, reports: &[&NameReport], lost: bool) -> Vec<DomainName> {
    // Whoever is led to another host of ours than ordered reaches us.
    let is_elsewhere = |report: &NameReport| {
        let fails = |finding: &Finding| finding.check == Check::ParentDelegation && finding.verdict == Verdict::Fails;
        !report.ours_otherwise && report.findings.iter().any(fails)
    };
    let was_ours = |name: &DomainName| {
        case.names.get(name).is_some_and(|known| (Seizure::Verified..=Seizure::Transferred).contains(&known.seizure))
    };
    let all_lost = case.lost_names();
    let is_news = |report: &&NameReport| match lost {
        true => !case.returning.lost.contains(&report.name) && was_ours(&report.name) && is_elsewhere(report),
        false => all_lost.contains(report.name.as_str()) && report.standing == Standing::Verified,
    };
    reports.iter().copied().filter(is_news).map(|report| report.name.clone()).collect()
}

/// The names that no parent server delegates to us, as the order lists them.
fn gone<'r>(order: &Order, reports: impl Iterator<Item = &'r NameReport>) -> Names {
    let is_gone = |report: &&NameReport| report.undelegated && report.outcome == NameOutcome::Redirect;
    reports.filter(is_gone).filter_map(|report| Some((report.name.clone(), listed(order, &report.name)?))).collect()
}

/// As the order lists it, or listed it before an amendment took it out: that one is looked at until nobody leads here.
fn listed(order: &Order, name: &DomainName) -> Option<Listed> {
    order.names().get(name).or_else(|| order.released().get(name)).copied()
}

fn moving(case: &CaseView, reports: &[&NameReport], to: Seizure) -> Vec<DomainName> {
    let goes = |report: &&NameReport| match (to, report.standing) {
        (Seizure::Verified, standing) => standing == Standing::Verified,
        (_, standing) => standing != Standing::Verified && has_begun(report.outcome, &report.findings),
    };
    let may = |name: &DomainName| case.names.get(name).is_some_and(|known| known.seizure.apply(to).is_ok());
    reports.iter().copied().filter(goes).map(|report| report.name.clone()).filter(may).collect()
}

/// A person answers, with a document, for what nobody can see.
pub(super) fn attest(
    view: &View,
    id: &CaseId,
    (name, check): (&DomainName, Check),
    last: Option<Verdict>,
    document: &[u8],
    actor: &Actor,
) -> Result<Decision, Refusal> {
    let case = working_on(view, id, actor)?;
    let known = case.names.get(name);
    let known = known.ok_or_else(|| Refusal::new(format!("case {id} does not list {}", name.defanged())))?;
    let outcome = known.outcome;
    let asked = Check::asked(outcome, known.is_back());
    if !asked.contains(&check) {
        let list: Vec<&str> = asked.iter().map(|check| check.as_str()).collect();
        let what = format!("{check} is no check of a name whose outcome is {}", outcome.as_str());
        return Err(Refusal::new(what).hint(format!("one of {}", list.join(", "))));
    }
    if document.is_empty() || document.len() > DOCUMENT_OCTETS_MAX {
        let what = format!("a document of {} octets attests nothing", document.len());
        return Err(Refusal::new(what).hint(format!("give a file of 1 to {DOCUMENT_OCTETS_MAX} octets")));
    }
    match last {
        Some(Verdict::NotObservable) => {}
        Some(verdict) => {
            let what = format!("{check} of {} was observed and {}", name.defanged(), verdict.as_str());
            return Err(Refusal::new(what).hint("an attestation decides only what cannot be observed"));
        }
        None => {
            let what = format!("{check} of {} was never looked at", name.defanged());
            return Err(Refusal::new(what).hint(format!("`bailiwick verify {id} --name {}` looks", name.as_str())));
        }
    }
    let document = Digest::of_bytes(document);
    let attested = CheckAttested { case: id.clone(), name: name.clone(), check, document };
    let mut decision = Decision::of(actor, Body::CheckAttested(attested), Done::CheckAttested { document });
    decision.drafts[0].authority = Some(known.order.clone());
    Ok(decision)
}

#[cfg(test)]
mod tests;
