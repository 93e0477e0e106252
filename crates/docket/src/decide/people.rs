//! Who is on a case: added by those who are on it, by an admin, or by the machine's user, who prepares; taken off by a
//! person. A sealed case is there only for those who are on it.

use model::fact::{Actor, Body};
use model::id::{CaseId, PersonId};
use model::person::Role;
use model::{Refusal, Timestamp};
use store::view::{CaseView, View};

use super::{Decision, Done, acting_person, known_case, working_person};
use crate::command::Command;

/// The most people on one case.
const MEMBERS_MAX: usize = 200;

/// To a person who is not on it a sealed case is not there: they are told what is told of one that does not exist. An
/// admin may put people on a case without being on it.
pub(super) fn check_seen(view: &View, command: &Command, actor: &Actor, now: Timestamp) -> Result<(), Refusal> {
    let is_real = |id| view.people.get(id).is_some_and(|person| !person.fixture);
    if let (Command::AddMember { .. }, Actor::Person { id }) = (command, actor)
        && is_admin(view, actor)
        && is_real(id)
    {
        return Ok(());
    }
    if let Command::GiveApproval { request, .. } = command {
        let standing = view.approvals.get(*request);
        let is_hidden = standing.is_some_and(|one| view.case_seen_by(&one.request.case, actor, now).is_none());
        let missing = || Refusal::new(format!("there is no request {request}")).hint("see `bailiwick approval list`");
        return if is_hidden { Err(missing()) } else { Ok(()) };
    }
    match command.case() {
        Some(case) if view.case_seen_by(case, actor, now).is_none() => Err(no_case(case)),
        _ => Ok(()),
    }
}

pub(super) fn no_case(case: &CaseId) -> Refusal {
    Refusal::new(format!("there is no case {case}")).hint("see `bailiwick case list`")
}

fn is_admin(view: &View, actor: &Actor) -> bool {
    let Actor::Person { id } = actor else { return false };
    view.people.get(id).is_some_and(|person| person.roles.contains(&Role::Admin))
}

pub(super) fn add(view: &View, id: &CaseId, person: &PersonId, actor: &Actor) -> Result<Decision, Refusal> {
    let case = changeable(view, id, actor)?;
    let unknown = || Refusal::new(format!("{person} is not enrolled")).hint("see `bailiwick person list`");
    let added = view.people.get(person).ok_or_else(unknown)?;
    if added.fixture && !is_exercise(case) {
        return Err(Refusal::new(format!("{person} is a demo's person and case {id} is no exercise"))
            .hint("enrol real people with `bailiwick person add`"));
    }
    if case.members.contains(person) {
        return Ok(unchanged(id));
    }
    if case.members.len() >= MEMBERS_MAX {
        return Err(Refusal::new(format!(
            "{} people are on case {id}, and no more than {MEMBERS_MAX} may be",
            case.members.len()
        ))
        .hint("take somebody off first: `bailiwick case people CASE --remove PERSON`"));
    }
    let body = Body::MemberAdded { case: id.clone(), person: person.clone() };
    Ok(Decision::of(actor, body, Done::MembersChanged { case: id.clone() }))
}

pub(super) fn remove(view: &View, id: &CaseId, person: &PersonId, actor: &Actor) -> Result<Decision, Refusal> {
    acting_person(view, actor)?;
    let case = changeable(view, id, actor)?;
    if !case.members.contains(person) {
        return Err(Refusal::new(format!("{person} is not on case {id}")).hint("see `bailiwick case people CASE`"));
    }
    if case.members.len() == 1 {
        return Err(Refusal::new(format!("{person} is the last person on case {id}"))
            .hint("put somebody else on it first: `bailiwick case people CASE --add PERSON`"));
    }
    let body = Body::MemberRemoved { case: id.clone(), person: person.clone() };
    Ok(Decision::of(actor, body, Done::MembersChanged { case: id.clone() }))
}

/// A demo's people, whose tokens are public, change who is on an exercise only.
fn changeable<'v>(view: &'v View, id: &CaseId, actor: &Actor) -> Result<&'v CaseView, Refusal> {
    let case = known_case(view, id)?;
    let Actor::Person { .. } = actor else { return Ok(case) };
    let person = acting_person(view, actor)?;
    if person.fixture && !is_exercise(case) {
        return Err(Refusal::new(format!("{} is a demo's person and case {id} is no exercise", person.id))
            .hint("enrol real people with `bailiwick person add`"));
    }
    if is_admin(view, actor) || case.members.contains(&person.id) && working_person(view, actor).is_ok() {
        return Ok(case);
    }
    Err(Refusal::new(format!("{} is not on case {id}", person.id))
        .hint("somebody who is on it, or an admin, says who is"))
}

fn is_exercise(case: &CaseView) -> bool {
    case.orders.values().all(|order| order.terms().authority.is_exercise())
}

fn unchanged(case: &CaseId) -> Decision {
    Decision { drafts: Vec::new(), named_sets: Vec::new(), done: Done::MembersChanged { case: case.clone() } }
}
