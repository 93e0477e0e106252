//! `/cases/{id}/people`: who is on a case.

use axum::Json;
use axum::extract::State;
use docket::Command;
use model::id::CaseId;
use store::view::CaseView;

use crate::api::{MembersRequest, MembersTold};
use crate::asker::Asker;
use crate::intake::{Named, Sent};
use crate::problem::{Told, bad_request};
use crate::run::{Desk, now};
use crate::sight;

pub(crate) async fn list(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
) -> Result<Json<MembersTold>, Told> {
    Ok(Json(told(sight::known(&*desk.view().await?, &id, &asker.actor, now())?)))
}

pub(crate) async fn change(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Sent(wish): Sent<MembersRequest>,
) -> Result<Json<MembersTold>, Told> {
    let command = match wish {
        MembersRequest { add: Some(person), remove: None } => Command::AddMember { case: id.clone(), person },
        MembersRequest { add: None, remove: Some(person) } => Command::RemoveMember { case: id.clone(), person },
        _ => return Err(bad_request("it takes one person to add or one to remove", "say `add` or `remove`")),
    };
    desk.execute(command, asker).await?;
    let view = desk.view().await?;
    view.cases.get(&id).map(|case| Json(told(case))).ok_or_else(|| sight::no_case(&id))
}

fn told(case: &CaseView) -> MembersTold {
    let people = case.members.iter().cloned().collect();
    MembersTold { case: case.terms.id.clone(), people, is_sealed: case.is_sealed(now()) }
}
