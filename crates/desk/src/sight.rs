//! Who may see what: a sealed case is seen by those who are on it, and single callers by those who work on cases.
//!
//! The machine's own user sees everything: the files are theirs to read anyway. A person is on a case if they asked
//! for one of its approvals or gave one. Whatever a person may not see is in no view and in no count; it is not there.

use model::Refusal;
use model::Timestamp;
use model::fact::Actor;
use model::id::{CaseId, PersonId};
use model::person::Role;
use store::archive::Sight;
use store::view::View;

/// Roles that work on cases, and may see who called.
const OF_CASES: [Role; 4] = [Role::Analyst, Role::Investigator, Role::Legal, Role::Operator];

/// What the asker may see of the archive at that instant.
pub(crate) fn of(view: &View, asker: &Actor, now: Timestamp) -> Sight {
    let Actor::Person { id } = asker else { return Sight::default() };
    let sealed = view.cases.values().filter(|case| share::is_sealed(case, now)).map(|case| &case.terms.id);
    Sight { hidden: sealed.filter(|case| !is_on(view, case, id)).cloned().collect() }
}

fn is_on(view: &View, case: &CaseId, person: &PersonId) -> bool {
    let mut standings = view.approvals.iter().filter(|standing| standing.request.case == *case);
    standings.any(|standing| {
        standing.asked_by.as_ref() == Some(person) || standing.given.iter().any(|given| given.person == *person)
    })
}

/// Whether the asker may see single callers.
pub(crate) fn check_callers(view: &View, asker: &Actor) -> Result<(), Refusal> {
    let Actor::Person { id } = asker else { return Ok(()) };
    let roles = view.people.get(id).map(|person| &person.roles);
    if roles.is_some_and(|roles| OF_CASES.iter().any(|role| roles.contains(role))) {
        return Ok(());
    }
    let roles = OF_CASES.map(Role::as_str).join(", ");
    Err(Refusal::new(format!("{id} may not see single callers")).hint(format!("it takes one of the roles {roles}")))
}
