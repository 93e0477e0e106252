//! What widens: two people in two roles, before, for exactly what they were shown.
//!
//! ```text
//! ask ──► request to put the order in force ──yes──yes──► in force
//!    └──► request to serve its names ─────────yes──yes──► served      (only once the order is in force)
//! amend ──► request for the difference ────yes──yes──► in effect      (see [`amend`](super::amend))
//! ask to unseal ──► request to lift the seal ─yes──yes──► unsealed    (for good; a seal ends by the calendar as well)
//! ```

use model::approval::{Amend, Approval, Approvals, PutInForce, ReleaseHold, Request, Serve, Unseal, Widening};
use model::case::CaseState;
use model::fact::{Actor, Body, Draft};
use model::id::{CaseId, OrderId, Position, RequestId};
use model::name::DomainName;
use model::order::{Order, OrderStatus, names_digest};
use model::person::{Person, Role};
use model::seizure::ServiceMode;
use model::time::utc_day;
use model::{Digest, Refusal, Timestamp};
use store::view::{CaseView, View};

use super::{Decision, Done, acting_person, amend, known_case, may_prepare};
use crate::authority;
use crate::shown::Shown;

//----------- Asking -----------------------------------------------------------------------------------------------

/// Files the requests that the case still needs, for each of its orders. One that has lapsed holds up no other.
pub(super) fn ask(view: &View, id: &CaseId, actor: &Actor, now: Timestamp) -> Result<Decision, Refusal> {
    may_prepare(view, actor)?;
    let case = known_case(view, id)?;
    let mut wishes = Vec::new();
    let mut lapsed = None;
    for order in case.orders.values() {
        if order.status() == OrderStatus::Draft {
            authority::check_order(order.terms(), order.names())?;
            authority::check_nested(&order.terms().id, order.names(), |_| true)?;
            authority::check_stated(order.terms())?;
        }
        match check_not_expired(order, now) {
            Ok(()) => wishes.extend(wanted(view, case, order).into_iter().map(|what| (order, what))),
            Err(refusal) => lapsed = Some(refusal),
        }
    }
    if wishes.is_empty() {
        return Err(lapsed.unwrap_or_else(|| nothing_to_ask(view, id)));
    }
    Ok(file(view, case, wishes, actor))
}

/// Files a request for each order that is sealed today. An authority that has ended can be unsealed as well.
pub(super) fn ask_to_unseal(view: &View, id: &CaseId, actor: &Actor, now: Timestamp) -> Result<Decision, Refusal> {
    may_prepare(view, actor)?;
    let case = known_case(view, id)?;
    let is_sealed = |order: &&Order| case.sealed_until(order).is_some_and(|until| utc_day(now) < until);
    let sealed: Vec<&Order> = case.orders.values().filter(is_sealed).collect();
    if sealed.is_empty() {
        return Err(Refusal::new(format!("case {id} is not sealed")));
    }
    let wish = |order| (order, Widening::Unseal(Unseal { order: Order::terms(order).id.clone() }));
    let mut wishes: Vec<_> = sealed.into_iter().map(wish).collect();
    wishes.retain(|(_, what)| !is_asked(&view.approvals, id, what));
    if wishes.is_empty() {
        return Err(nothing_to_ask(view, id));
    }
    Ok(file(view, case, wishes, actor))
}

/// Files a request to end a hold. What is shown is the case with its first order: a hold is over all of it.
pub(super) fn ask_to_release(view: &View, id: &CaseId, hold: Position, actor: &Actor) -> Result<Decision, Refusal> {
    may_prepare(view, actor)?;
    let case = known_case(view, id)?;
    if !case.holds.contains_key(&hold) {
        return Err(Refusal::new(format!("case {id} has no hold {hold}")).hint("see `bailiwick retention show`"));
    }
    let what = Widening::ReleaseHold(ReleaseHold { hold });
    if is_asked(&view.approvals, id, &what) {
        return Err(nothing_to_ask(view, id));
    }
    let order = case.orders.values().next();
    let order = order.ok_or_else(|| Refusal::new(format!("case {id} has no order by which to approve anything")))?;
    Ok(file(view, case, vec![(order, what)], actor))
}

/// A request for each wish, numbered by its place in the ledger.
fn file(view: &View, case: &CaseView, wishes: Vec<(&Order, Widening)>, actor: &Actor) -> Decision {
    let mut decision = Decision { drafts: Vec::new(), named_sets: Vec::new(), done: Done::Recorded };
    let mut requests = Vec::new();
    for (order, what) in wishes {
        let shown = Shown::of(case, order, what.clone()).digest();
        let id = RequestId(view.next.0 + decision.drafts.len() as u64);
        let exercise = order.terms().authority.is_exercise();
        let request = Request { id, case: case.terms.id.clone(), what, shown, exercise };
        let draft = Draft::new(actor.clone(), Body::ApprovalRequested { request }).under(&order.terms().id);
        decision.drafts.push(draft);
        requests.push(id);
    }
    decision.done = Done::ApprovalAsked { requests };
    decision
}

fn nothing_to_ask(view: &View, case: &CaseId) -> Refusal {
    let open = view.approvals.iter().filter(|standing| standing.request.case == *case && standing.is_open());
    let open: Vec<String> = open.map(|standing| standing.request.id.to_string()).collect();
    let refusal = Refusal::new(format!("case {case} has nothing left to ask for"));
    if open.is_empty() { refusal } else { refusal.hint(format!("waiting for approval: request {}", open.join(", "))) }
}

/// The widenings that an order still needs and nobody has asked for.
fn wanted(view: &View, case: &CaseView, order: &Order) -> Vec<Widening> {
    let id = &order.terms().id;
    let mut wanted = Vec::new();
    if order.status() == OrderStatus::Draft {
        wanted.push(Widening::PutInForce(PutInForce { order: id.clone(), terms: order.digest() }));
    }
    let to_serve = case.to_serve(order);
    let goes_on = case.has_been_served(id);
    let is_served = |name| !goes_on && case.names.get(name).is_some_and(|known| known.mode.is_some());
    let count = to_serve.clone().count() as u64;
    let is_open = matches!(order.status(), OrderStatus::Draft | OrderStatus::InForce);
    if is_open && count > 0 && !to_serve.clone().any(|(name, _)| is_served(name)) {
        let names = names_digest(to_serve);
        wanted.push(Widening::Serve(Serve { order: id.clone(), names, count }));
    }
    wanted.retain(|what| !is_asked(&view.approvals, &case.terms.id, what));
    wanted
}

fn is_asked(approvals: &Approvals, case: &CaseId, what: &Widening) -> bool {
    approvals.iter().any(|standing| {
        let request = &standing.request;
        request.case == *case && request.what == *what && !standing.void && !standing.spent
    })
}

pub(super) fn check_not_expired(order: &Order, now: Timestamp) -> Result<(), Refusal> {
    match &order.terms().authority.expires {
        Some(expires) if expires.value.at <= now => {
            Err(Refusal::new(format!("the authority of order {} lapsed at {}", order.terms().id, expires.value))
                .hint("a new or prolonged order is a new order: list it in a case file of its own"))
        }
        _ => Ok(()),
    }
}

//----------- Giving -----------------------------------------------------------------------------------------------

/// One person's yes; the second one acts.
pub(super) fn give(
    view: &View,
    id: RequestId,
    role: Role,
    shown: Digest,
    actor: &Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let person = acting_person(view, actor)?;
    let approval = Approval { request: id, person: person.id.clone(), role, shown };
    let mut approvals = view.approvals.clone();
    approvals.give(approval.clone(), person)?;
    let request = &approvals.get(id).expect("a yes was given to it").request;
    check_vouched(view, person, request)?;
    let (case, order) = concerned(view, request)?;
    if !matches!(request.what, Widening::Unseal(_) | Widening::ReleaseHold(_)) {
        check_not_expired(order, now)?;
    }
    if Shown::of(case, order, request.what.clone()).digest() != request.shown {
        return Err(Refusal::new(format!("what request {id} showed has changed since")).hint("ask for a new approval"));
    }
    let yes = Body::ApprovalGiven { approval };
    let mut decision = Decision::of(actor, yes, Done::HalfApproved { request: id });
    decision.drafts[0].authority = Some(order.terms().id.clone());
    act_on(&mut decision, view, &approvals, request, order, (actor, now))?;
    Ok(decision)
}

/// Whoever sits at the machine could enrol two people and be both, by way of an admin of their own as well: what is real
/// takes people who descend from the one whom the one-time token enrolled.
fn check_vouched(view: &View, person: &Person, request: &Request) -> Result<(), Refusal> {
    if request.exercise || view.vouched.contains(&person.id) {
        return Ok(());
    }
    let what = format!(
        "nobody vouches for {}: neither the one-time token nor an admin who was enrolled by it; and case {} is no exercise",
        person.id, request.case
    );
    Err(Refusal::new(what).hint(
        "the admin whom the one-time token enrolled, or one whom that admin enrolled, enrols them anew, under another id: \
         `bailiwick person add PERSON --role ROLE --token-file FILE --as ADMIN --admin-token-file FILE`",
    ))
}

fn concerned<'v>(view: &'v View, request: &Request) -> Result<(&'v CaseView, &'v Order), Refusal> {
    let case = known_case(view, &request.case)?;
    if let Widening::ReleaseHold(ReleaseHold { hold }) = &request.what {
        let order = case.orders.values().next().filter(|_| case.holds.contains_key(hold));
        let gone = || Refusal::new(format!("case {} has no hold {hold} any more", request.case));
        return Ok((case, order.ok_or_else(gone)?));
    }
    let (Widening::PutInForce(PutInForce { order, .. })
    | Widening::Serve(Serve { order, .. })
    | Widening::Amend(Amend { order, .. })
    | Widening::Unseal(Unseal { order })) = &request.what
    else {
        return Err(Refusal::new(format!("request {} asks for what this release does not do", request.id)));
    };
    let missing = || Refusal::new(format!("case {} has no order {order}", request.case));
    Ok((case, case.orders.get(order).ok_or_else(missing)?))
}

/// What follows from the second yes; from the first nothing does.
fn act_on(
    decision: &mut Decision,
    view: &View,
    approvals: &Approvals,
    request: &Request,
    order: &Order,
    (actor, now): (&Actor, Timestamp),
) -> Result<(), Refusal> {
    let case = known_case(view, &request.case)?;
    let (case_id, id) = (request.case.clone(), order.terms().id.clone());
    if let Some(approved) = approvals.approved::<Amend>(request.id) {
        let (bodies, done) = amend::take_effect(view, case, (order, request.id), approved.what(), now)?;
        decision.drafts.extend(bodies.into_iter().map(|body| Draft::new(actor.clone(), body).under(&id)));
        decision.done = done;
        return Ok(());
    }
    let (body, next) = if let Some(approved) = approvals.approved::<PutInForce>(request.id) {
        order.clone().put_in_force(&approved)?;
        super::gate::is_clean(case)?;
        authority::check_in_force(case, order.terms())?;
        decision.done = Done::OrderInForce { request: request.id, order: id.clone() };
        (Body::OrderPutInForce { case: case_id, order: id.clone(), request: request.id }, Some(CaseState::Granted))
    } else if let Some(approved) = approvals.approved::<Serve>(request.id) {
        check_servable(view, case, order)?;
        let Serve { names, count, .. } = *approved.what();
        decision.done = Done::NamesServed { request: request.id, order: id.clone(), names: count };
        let order = id.clone();
        (Body::NamesServed { case: case_id, order, names, count, request: request.id }, Some(CaseState::Executing))
    } else if approvals.approved::<Unseal>(request.id).is_some() {
        decision.done = Done::OrderUnsealed { request: request.id, order: id.clone() };
        (Body::OrderUnsealed { case: case_id, order: id.clone(), request: request.id }, after_unsealing(case, order))
    } else if let Some(approved) = approvals.approved::<ReleaseHold>(request.id) {
        let hold = approved.what().hold;
        decision.done = Done::HoldReleased { case: case_id.clone(), hold };
        (Body::HoldReleased { case: case_id, hold, request: request.id }, None)
    } else {
        return Ok(());
    };
    for body in std::iter::once(body).chain(next.and_then(|next| advance(case, order, next))) {
        decision.drafts.push(Draft::new(actor.clone(), body).under(&id));
    }
    Ok(())
}

/// A case whose last seal has gone is unsealed, if an authority has spoken in it at all.
fn after_unsealing(case: &CaseView, order: &Order) -> Option<CaseState> {
    let mut others = case.orders.values().filter(|other| other.terms().id != order.terms().id);
    let is_last = !others.any(|other| case.sealed_until(other).is_some());
    (is_last && case.state.has_been_granted()).then_some(CaseState::Unsealed)
}

fn check_servable(view: &View, case: &CaseView, order: &Order) -> Result<(), Refusal> {
    let id: &OrderId = &order.terms().id;
    if order.status() != OrderStatus::InForce {
        return Err(Refusal::new(format!("order {id} is not in force"))
            .hint("its own request to put it in force needs two approvals first"));
    }
    let is_served = |known: &CaseView, name: &DomainName| {
        known.names.get(name).and_then(|name| name.mode).is_some_and(|mode| mode != ServiceMode::Off)
    };
    let others = || view.cases.values().filter(|other| other.terms.id != case.terms.id);
    for (name, _) in case.to_serve(order) {
        if let Some(other) = others().find(|other| is_served(other, name)) {
            let (id, of) = (&case.terms.id, &other.terms.id);
            let detail = format!("case {id} wants to serve {}, which is served for case {of}", name.defanged());
            return Err(Refusal::new(format!("{} cannot be served here", name.defanged()))
                .hint("ask counsel or an admin, who ask whoever runs the machine: the program's log says why")
                .detail(detail));
        }
    }
    Ok(())
}

/// The case goes on with what was decided, unless it stands further already. It is granted by the paper that says so.
fn advance(case: &CaseView, order: &Order, to: CaseState) -> Option<Body> {
    let goes_on = case.state < to && case.state.advance(to).is_ok();
    let documents = match to {
        CaseState::Granted => authority::papers_in_force(case, order.terms()),
        _ => Vec::new(),
    };
    goes_on.then(|| Body::CaseAdvanced { case: case.terms.id.clone(), to, documents })
}
