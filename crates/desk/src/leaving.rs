//! `/cases/{id}/folders`: which folders of a case left the house, and that one leaves now.

use axum::Json;
use axum::extract::State;
use docket::Command;
use model::id::CaseId;
use model::leaving::Leaving;
use store::view::LeavingView;

use crate::api::{LeavingDetail, Said};
use crate::asker::Asker;
use crate::cases::known;
use crate::intake::{Named, Sent};
use crate::problem::Told;
use crate::run::Desk;

pub(crate) async fn list(State(desk): State<Desk>, Named(id): Named<CaseId>) -> Result<Json<Vec<LeavingDetail>>, Told> {
    let view = desk.view().await?;
    let detail = |left: &LeavingView| LeavingDetail {
        folder: left.folder.clone(),
        by: left.by.clone(),
        left: left.left,
        fact: left.at,
    };
    Ok(Json(known(&view, &id)?.left.iter().map(detail).collect()))
}

pub(crate) async fn record(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Sent(folder): Sent<Leaving>,
) -> Result<Json<Said>, Told> {
    known(&*desk.view().await?, &id)?;
    let said = format!("that a folder of case {id} leaves stands in the ledger, with its digest {}", folder.manifest);
    desk.execute(Command::RecordLeaving { case: id, folder }, asker).await?;
    Ok(Json(Said { said }))
}
