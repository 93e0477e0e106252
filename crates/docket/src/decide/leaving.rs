//! What leaves the house in a folder, and who may take it out: whoever works on the case, or the machine's user while it
//! is not sealed. Under seal it takes a person who is on it, so that the fact has a name.

use model::fact::{Actor, Body};
use model::id::CaseId;
use model::leaving::Leaving;
use model::{Refusal, Timestamp};
use store::view::View;

use super::{Decision, Done, known_case, working_on};

pub(super) fn record(
    view: &View,
    id: &CaseId,
    leaving: &Leaving,
    (actor, now): (&Actor, Timestamp),
) -> Result<Decision, Refusal> {
    match actor {
        Actor::Person { .. } => working_on(view, id, actor).map(drop)?,
        Actor::LocalUser { .. } | Actor::Room { .. } if known_case(view, id)?.is_sealed(now) => {
            return Err(Refusal::new(format!("case {id} is sealed: its folder leaves with a person who is on it"))
                .hint(format!("`--as PERSON --token-file FILE`; `bailiwick case people {id}` names them")));
        }
        Actor::LocalUser { .. } | Actor::Room { .. } => {}
    }
    let body = Body::FolderLeft { case: id.clone(), folder: leaving.clone() };
    Ok(Decision::of(actor, body, Done::Recorded))
}
