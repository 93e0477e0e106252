//! Amended and supplemental orders: a later paper changes an order, as a difference to how it stands.
//!
//! ```text
//! amend ──draft order──────────────► the draft reads so from now on
//!    ├──only narrows: one person──► in effect; a second person confirms it within a day
//!    └──widens──► request ──yes──yes, gate clean, window past──► in effect   (until then the version before stands)
//! ```
//!
//! Names that come in are served only after two people said yes to that as well, as for the first list.

use model::Refusal;
use model::Timestamp;
use model::amendment::{Amendment, AmendmentKind, AmendmentTerms, Widens};
use model::approval::{Amend, PutInForce, Request, Serve, Widening};
use model::due::DateProposal;
use model::fact::{Actor, Body, Draft};
use model::id::{CaseId, OrderId, RequestId};
use model::name::DomainName;
use model::order::{Act, NameOutcome, Names, Order, OrderStatus, apex_in};
use model::person::Role;
use model::seizure::ServiceMode;
use store::ledger::NamedSet;
use store::view::{CaseView, Pending, View};

use super::{Decision, Done, check_text, working_on};
use crate::authority;
use crate::casefile::amend::AmendmentFile;
use crate::due::date_named;
use crate::due::reckoning::date_by;
use crate::shown::Shown;

//----------- Bringing one -----------------------------------------------------------------------------------------

/// Takes a difference. What only narrows, or changes a draft, has its effect at once.
pub(super) fn bring(
    view: &View,
    id: &CaseId,
    file: &AmendmentFile,
    actor: &Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let case = working_on(view, id, actor)?;
    let order = ordered(case, &file.order)?;
    if let Some(pending) = case.amendments.pending(&file.order) {
        let version = pending.amendment.terms().version;
        return Err(Refusal::new(format!("version {version} of order {} is proposed and waits", file.order))
            .hint(format!("`bailiwick case withdraw-amendment {id} --order {}` takes it back", file.order)));
    }
    let version = case.amendments.next_version(order);
    let (amendment, sets) = file.against(order, version)?;
    let after = order.amended(&amendment)?;
    check(view, case, (order, &after), &amendment, now)?;
    let binds = order.status() == OrderStatus::InForce;
    let mut decision = Decision { drafts: Vec::new(), named_sets: Vec::new(), done: Done::Recorded };
    decision.named_sets = sets.into_iter().map(NamedSet::of).collect();
    let terms = amendment.terms();
    let proposed = Body::AmendmentProposed { case: id.clone(), amendment: Box::new(terms.clone()) };
    let mut bodies = vec![proposed];
    if binds {
        bodies.extend(window_proposed(case, terms)?);
    }
    if binds && !amendment.widens(order).is_empty() {
        let request = RequestId(view.next.0 + bodies.len() as u64);
        bodies.push(Body::ApprovalRequested { request: asked(case, order, &amendment, request) });
        decision.done = Done::AmendmentProposed { order: file.order.clone(), version, request };
    } else {
        decision.done = done(case, order, &amendment, None);
        bodies.push(Body::OrderAmended { case: id.clone(), order: file.order.clone(), version, request: None });
        bodies.extend(voided(view, case, &file.order, None));
    }
    decision.drafts = bodies.into_iter().map(|body| Draft::new(actor.clone(), body).under(&file.order)).collect();
    Ok(decision)
}

fn ordered<'v>(case: &'v CaseView, order: &OrderId) -> Result<&'v Order, Refusal> {
    let missing = || Refusal::new(format!("case {} has no order {order}", case.terms.id));
    case.orders.get(order).ok_or_else(|| missing().hint(format!("see `bailiwick case show {}`", case.terms.id)))
}

/// What is shown when the request is read is what will be proposed then.
fn asked(case: &CaseView, order: &Order, amendment: &Amendment, id: RequestId) -> Request {
    let terms = amendment.terms();
    let what = Widening::Amend(Amend {
        order: terms.order.clone(),
        version: terms.version,
        base: terms.base,
        difference: terms.digest(),
    });
    let shown = Shown::amending(case, order, amendment, what.clone()).digest();
    Request { id, case: case.terms.id.clone(), what, shown, exercise: order.terms().authority.is_exercise() }
}

/// Requests that are about the order as it was.
fn voided(view: &View, case: &CaseView, order: &OrderId, spent: Option<RequestId>) -> Vec<Body> {
    let is_about = |what: &Widening| match what {
        Widening::PutInForce(PutInForce { order: of, .. })
        | Widening::Serve(Serve { order: of, .. })
        | Widening::Amend(Amend { order: of, .. }) => of == order,
        _ => false,
    };
    let open = view.approvals.iter().filter(|one| !one.void && !one.spent && one.request.case == case.terms.id);
    let open = open.filter(|one| is_about(&one.request.what) && Some(one.request.id) != spent);
    let void = |id| Body::ApprovalVoided { request: id, reason: format!("order {order} has changed") };
    open.map(|one| void(one.request.id)).collect()
}

//----------- What has to hold -------------------------------------------------------------------------------------

fn check(
    view: &View,
    case: &CaseView,
    (before, after): (&Order, &Order),
    amendment: &Amendment,
    now: Timestamp,
) -> Result<(), Refusal> {
    let terms = amendment.terms();
    authority::check_order(after.terms(), after.names())?;
    let is_touched = |name: &DomainName| amendment.added().contains_key(name) || amendment.changed().contains_key(name);
    authority::check_nested(&terms.order, after.names(), is_touched)?;
    check_names(after, amendment)?;
    check_free(view, case, amendment.added(), &terms.order)?;
    if before.status() != OrderStatus::InForce {
        return Ok(());
    }
    super::approve::check_not_expired(before, now)?;
    super::approve::check_not_expired(after, now)?;
    check_stated(before, amendment)
}

/// What the paper has to say before it binds anybody. A rehearsal has no paper.
fn check_stated(before: &Order, amendment: &Amendment) -> Result<(), Refusal> {
    let (terms, authority) = (amendment.terms(), &before.terms().authority);
    let (rule, word) = (authority::rule(authority.instrument), terms.kind.as_str());
    if authority.is_exercise() {
        return Ok(());
    }
    if rule.stated.contains(&authority::Stated::Issued) && terms.issued.is_none() {
        return Err(Refusal::new(format!("the {word} paper of order {} does not say `issued`", terms.order))
            .hint("copy its day from the signed paper, with its source"));
    }
    if terms.kind != AmendmentKind::Supplemental {
        return Ok(());
    }
    if terms.added.iter().any(|list| list.criteria.is_empty()) {
        return Err(Refusal::new(format!("names come into order {} and nothing says why they may", terms.order))
            .hint("say under `[[add]]` which criteria of the order each name meets: `criteria = [\"…\"]`"));
    }
    match rule.monitor {
        Some(monitor) if terms.objection.is_none() && !terms.added.is_empty() => Err(Refusal::new(format!(
            "{monitor} is heard on names that come in, and no window is said"
        ))
        .hint("add `objection = { from = DATE, days = N }`; a paper of the court itself is `kind = \"amended\"`")),
        _ => Ok(()),
    }
}

fn check_names(after: &Order, amendment: &Amendment) -> Result<(), Refusal> {
    let id = &after.terms().id;
    let redirects = |names: &Names| names.values().any(|listed| listed.outcome == NameOutcome::Redirect);
    if redirects(after.names()) && after.terms().name_servers.is_empty() {
        return Err(Refusal::new(format!("order {id} names no server to redirect names to")));
    }
    let is_dark = |(_, listed): &(&DomainName, &model::order::Listed)| {
        listed.outcome == NameOutcome::Redirect && !listed.acts.contains(Act::Answer)
    };
    if let Some((name, _)) = amendment.changed().iter().chain(amendment.added().iter()).find(is_dark) {
        return Err(Refusal::new(format!("{} would be led here, and nobody would answer for it", name.defanged()))
            .hint("keep the act `answer`; a name that shall not be ours any more is taken out under `[[remove]]`"));
    }
    let is_unarmed = |(_, listed): &(&DomainName, &model::order::Listed)| {
        let is_answered = listed.outcome == NameOutcome::Redirect && listed.acts.contains(Act::Answer);
        listed.answer_effect.is_kill_switch() && !is_answered
    };
    match amendment.changed().iter().find(is_unarmed) {
        Some((name, _)) => {
            Err(Refusal::new(format!("{} is a kill switch that nobody would answer for", name.defanged()))
                .hint("a kill switch keeps the outcome `redirect` and the act `answer`"))
        }
        None => Ok(()),
    }
}

/// A name that comes in is under no other order that stands, and neither is what it lies below, nor what lies below it.
fn check_free(view: &View, case: &CaseView, added: &Names, order: &OrderId) -> Result<(), Refusal> {
    if added.is_empty() {
        return Ok(());
    }
    let stands = |other: &&Order| matches!(other.status(), OrderStatus::Draft | OrderStatus::InForce);
    for other_case in view.cases.values() {
        let is_own = other_case.terms.id == case.terms.id;
        let others = other_case.orders.values().filter(stands);
        for other in others.filter(|other| !(is_own && other.terms().id == *order)) {
            let Some(name) = overlap(added, other) else { continue };
            let (shown, of) = (name.defanged(), &other.terms().id);
            if is_own {
                return Err(Refusal::new(format!("{shown} is under order {of} of this case already"))
                    .hint("a name is under one order: leave it out, or take it out there first"));
            }
            let detail = format!(
                "case {} brings {shown}, which is under order {of} of case {}",
                case.terms.id, other_case.terms.id
            );
            return Err(not_here(name).detail(detail));
        }
    }
    Ok(())
}

/// The same words whatever the other case is, seen or sealed: who tries names learns nothing of whose they are. What it is
/// stands in the log of the machine's user, from whom no case is hidden.
fn not_here(name: &DomainName) -> Refusal {
    Refusal::new(format!("{} cannot be ordered here", name.defanged()))
        .hint("leave it out, or ask counsel or an admin, who ask whoever runs the machine: the program's log says why")
}

fn overlap<'n>(added: &'n Names, other: &Order) -> Option<&'n DomainName> {
    let below = added.keys().find(|name| other.apex_of(name).is_some());
    below.or_else(|| other.names().keys().find_map(|name| apex_in(added, name)).map(|(name, _)| name))
}

//----------- The monitor ------------------------------------------------------------------------------------------

fn window_proposed(case: &CaseView, terms: &AmendmentTerms) -> Result<Option<Body>, Refusal> {
    let Some(by) = terms.objection else { return Ok(None) };
    let date = date_by(by, None).ok_or_else(|| Refusal::new("the window for objections comes to no date"))?;
    let (order, what) = (terms.order.clone(), terms.window());
    if date_named(case, &order, &what).is_some_and(|known| known.confirmed.is_some()) {
        return Ok(None);
    }
    Ok(Some(Body::DateProposed { case: case.terms.id.clone(), proposal: DateProposal { order, what, by, date } }))
}

/// No name comes in before the window is past, or counsel has said that the monitor does not object.
fn check_window(case: &CaseView, pending: &Pending, now: Timestamp) -> Result<(), Refusal> {
    let terms = pending.amendment.terms();
    if terms.objection.is_none() || pending.no_objection.is_some() {
        return Ok(());
    }
    let (id, order, what) = (&case.terms.id, &terms.order, terms.window());
    let hint = format!(
        "counsel records what the monitor said: `bailiwick case objection {id} none --order {order} --note TEXT`"
    );
    match date_named(case, order, &what).and_then(|date| date.confirmed) {
        Some(confirmed) if confirmed.date.over() <= now => Ok(()),
        Some(confirmed) => Err(Refusal::new(format!("the monitor may object until {}", confirmed.date)).hint(hint)),
        None => Err(Refusal::new(format!("counsel has not confirmed the end of the window for objections, `{what}`"))
            .hint(format!("`bailiwick case date confirm {id} --order {order} --what {what}`; or {hint}"))),
    }
}

/// Counsel's word on what the monitor said. An objection ends the amendment.
pub(super) fn monitor(
    view: &View,
    id: &CaseId,
    (order, objected): (&OrderId, bool),
    note: &str,
    actor: &Actor,
) -> Result<Decision, Refusal> {
    let case = working_on(view, id, actor)?;
    let is_counsel =
        matches!(actor, Actor::Person { id } if view.people.get(id).is_some_and(|p| p.roles.contains(&Role::Legal)));
    if !is_counsel {
        return Err(Refusal::new("what the monitor said is counsel's to record").hint("it takes the role legal"));
    }
    check_text("note", note)?;
    let version = waiting(case, order)?.amendment.terms().version;
    let (note, of) = (note.trim().to_owned(), order.clone());
    let said = Body::ObjectionNoted { case: id.clone(), order: of, version, objected, note };
    let done = Done::ObjectionNoted { order: order.clone(), version, objected };
    let mut decision = Decision::of(actor, said, done);
    if objected {
        let reason = "the court's monitor objected".to_owned();
        let bodies = taken_back(view, case, (order, version), reason);
        decision.drafts.extend(bodies.into_iter().map(|body| Draft::new(actor.clone(), body)));
    }
    decision.drafts = decision.drafts.into_iter().map(|draft| draft.under(order)).collect();
    Ok(decision)
}

fn waiting<'v>(case: &'v CaseView, order: &OrderId) -> Result<&'v Pending, Refusal> {
    ordered(case, order)?;
    let nothing = || Refusal::new(format!("no amendment of order {order} is proposed"));
    case.amendments.pending(order).ok_or_else(|| nothing().hint("`bailiwick case amend CASE FILE` brings one"))
}

/// Takes back what has no effect yet: one person, at once.
pub(super) fn withdraw(
    view: &View,
    id: &CaseId,
    order: &OrderId,
    reason: &str,
    actor: &Actor,
) -> Result<Decision, Refusal> {
    let case = working_on(view, id, actor)?;
    check_text("reason", reason)?;
    let version = waiting(case, order)?.amendment.terms().version;
    let bodies = taken_back(view, case, (order, version), reason.trim().to_owned());
    let drafts = bodies.into_iter().map(|body| Draft::new(actor.clone(), body).under(order)).collect();
    let done = Done::AmendmentWithdrawn { order: order.clone(), version };
    Ok(Decision { drafts, named_sets: Vec::new(), done })
}

fn taken_back(view: &View, case: &CaseView, (order, version): (&OrderId, u32), reason: String) -> Vec<Body> {
    let id = &case.terms.id;
    let withdrawn = Body::AmendmentWithdrawn { case: id.clone(), order: order.clone(), version, reason };
    let open = view.approvals.iter().filter(|one| !one.void && !one.spent && one.request.case == *id);
    let is_meant = |what: &Widening| matches!(what, Widening::Amend(of) if of.order == *order && of.version == version);
    let open = open.filter(|one| is_meant(&one.request.what));
    let reason = "the amendment was withdrawn";
    let void = open.map(|one| Body::ApprovalVoided { request: one.request.id, reason: reason.to_owned() });
    std::iter::once(withdrawn).chain(void).collect()
}

//----------- Taking effect ----------------------------------------------------------------------------------------

/// What follows from the second yes to what widens.
pub(super) fn take_effect(
    view: &View,
    case: &CaseView,
    (order, request): (&Order, RequestId),
    amend: &Amend,
    now: Timestamp,
) -> Result<(Vec<Body>, Done), Refusal> {
    let pending = waiting(case, &amend.order)?;
    let amendment = &pending.amendment;
    let after = order.amended(amendment)?;
    check(view, case, (order, &after), amendment, now)?;
    check_window(case, pending, now)?;
    let ways = amendment.widens(order);
    if ways.contains(&Widens::NamesAdded) || ways.contains(&Widens::OutcomeChanged) {
        super::gate::is_clean_as_proposed(case)?;
    }
    let (id, of) = (case.terms.id.clone(), amend.order.clone());
    let body = Body::OrderAmended { case: id, order: of, version: amend.version, request: Some(request) };
    let bodies = std::iter::once(body).chain(voided(view, case, &amend.order, Some(request))).collect();
    Ok((bodies, done(case, order, amendment, Some(request))))
}

fn done(case: &CaseView, order: &Order, amendment: &Amendment, request: Option<RequestId>) -> Done {
    let is_served = |name: &&DomainName| {
        let known = case.names.get(name).filter(|known| known.order == order.terms().id);
        known.and_then(|known| known.mode).is_some_and(|mode| mode != ServiceMode::Off)
    };
    let goes_back =
        |name: &&DomainName| case.captured.contains_key(*name) && !case.answer_effect(name).is_kill_switch();
    let served: Vec<&DomainName> = amendment.removed().keys().filter(is_served).collect();
    let handed_back = served.iter().filter(|name| goes_back(name)).count();
    Done::OrderAmended {
        request,
        order: order.terms().id.clone(),
        version: amendment.terms().version,
        added: amendment.added().len(),
        removed: amendment.removed().len(),
        handed_back,
        held: served.len() - handed_back,
        binds: order.status() == OrderStatus::InForce,
    }
}

#[cfg(test)]
mod tests;
