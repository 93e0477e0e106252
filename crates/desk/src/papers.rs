//! `/cases/{id}/papers`: what is on file, and filing it; `/authorities`: what each kind of instrument gives.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use docket::authority::TABLE;
use docket::{Command, Done};
use model::id::CaseId;
use model::paper::{Paper, PaperKind};
use serde::Deserialize;

use crate::api::{AuthorityTold, PaperFiled};
use crate::asker::Asker;
use crate::cases::known;
use crate::intake::{Asked, Named, Octets};
use crate::problem::Told;
use crate::run::Desk;

/// What stands behind `?` of a filing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileQuery {
    kind: PaperKind,
}

pub(crate) async fn file(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Asked(FileQuery { kind }): Asked<FileQuery>,
    Octets(body): Octets,
) -> Result<(StatusCode, Json<PaperFiled>), Told> {
    known(&*desk.view().await?, &id)?;
    let executed = desk.execute(Command::FilePaper { case: id.clone(), kind, octets: body.to_vec() }, asker).await?;
    let Done::PaperFiled { paper } = executed.done else { unreachable!("a paper is filed or refused") };
    let (status, new) = if executed.facts.is_empty() { (StatusCode::OK, false) } else { (StatusCode::CREATED, true) };
    Ok((status, Json(PaperFiled { case: id, paper, new })))
}

pub(crate) async fn list(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    _: Asker,
) -> Result<Json<Vec<Paper>>, Told> {
    Ok(Json(known(&*desk.view().await?, &id)?.papers.clone()))
}

/// The table is the same for everybody.
pub(crate) async fn authorities() -> Json<Vec<AuthorityTold>> {
    Json(TABLE.iter().map(AuthorityTold::of).collect())
}
