//! `/cases/{id}/exhibits`: kept, listed, handed out as they are, time-stamped; and `/cases/{id}/evidence`, their manifest.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use docket::evidence::pack::Manifest;
use docket::evidence::privacy::Record;
use docket::retention::plan;
use docket::{Command, Done};
use model::Digest;
use model::id::CaseId;
use serde::Deserialize;
use store::view::{CaseView, ExhibitView};

use crate::api::{ExhibitDetail, ExhibitKept, KeepExhibitQuery, Said, StampQuery};
use crate::asker::Asker;
use crate::cases::known;
use crate::intake::{Asked, Named, Octets};
use crate::problem::{self, Told, bad_request, not_found};
use crate::run::{Desk, now};

//----------- Keeping ----------------------------------------------------------------------------------------------

pub(crate) async fn keep(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Asked(query): Asked<KeepExhibitQuery>,
    Octets(body): Octets,
) -> Result<(StatusCode, Json<ExhibitKept>), Told> {
    known(&*desk.view().await?, &id)?;
    let exhibit = Box::new(query.draft().map_err(unread)?);
    let command = Command::KeepExhibit { case: id.clone(), exhibit, octets: body.to_vec() };
    let Done::ExhibitKept { number, new } = desk.execute(command, asker).await?.done else {
        unreachable!("keeping ends in an exhibit or a refusal")
    };
    let view = desk.view().await?;
    let exhibit = detail(exhibit_of(known(&view, &id)?, number)?);
    let (status, kept) = if new { (StatusCode::CREATED, "is kept") } else { (StatusCode::OK, "was kept before") };
    let said = format!("exhibit {number} of case {id} {kept}, SHA-256 {}", exhibit.exhibit.file);
    Ok((status, Json(ExhibitKept { exhibit, new, said })))
}

/// Whether an exhibit would be kept: asked before anything is asked of the world. Nothing is kept.
pub(crate) async fn check(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Asked(query): Asked<KeepExhibitQuery>,
) -> Result<Json<Said>, Told> {
    let view = desk.view().await?;
    known(&view, &id)?;
    let exhibit = Box::new(query.draft().map_err(unread)?);
    let command = Command::KeepExhibit { case: id.clone(), exhibit, octets: vec![0] };
    if let Err(refusal) = docket::decide::decide_as(&view, &command, &asker.actor, asker.roles.as_ref(), now()) {
        desk.remember_refusal(&command.tried(), &refusal.what, asker.actor).await;
        return Err(problem::refused(refusal));
    }
    Ok(Json(Said { said: format!("case {id} would keep that") }))
}

pub(crate) async fn stamp(
    State(desk): State<Desk>,
    Named((id, number)): Named<(CaseId, u32)>,
    asker: Asker,
    Asked(StampQuery { authority }): Asked<StampQuery>,
    Octets(body): Octets,
) -> Result<Json<Said>, Told> {
    known(&*desk.view().await?, &id)?;
    let command = Command::StampExhibit { case: id, exhibit: number, authority, octets: body.to_vec() };
    let Done::ExhibitStamped { number, at } = desk.execute(command, asker).await?.done else {
        unreachable!("stamping ends in a stamp or a refusal")
    };
    Ok(Json(Said { said: format!("exhibit {number}: the token states {at}; its signature was not checked here") }))
}

fn unread(error: serde_json::Error) -> Told {
    bad_request(format!("`exhibit` is not what this route takes: {error}"), "see docs/guide/evidence.md")
}

//----------- Reading ----------------------------------------------------------------------------------------------

pub(crate) async fn list(State(desk): State<Desk>, Named(id): Named<CaseId>) -> Result<Json<Vec<ExhibitDetail>>, Told> {
    let view = desk.view().await?;
    Ok(Json(known(&view, &id)?.evidence.exhibits.iter().map(detail).collect()))
}

/// What stands behind `?`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileQuery {
    /// The authority's answer instead.
    #[serde(default)]
    stamp: bool,
}

/// Never shown by a browser: a captured page is hostile.
pub(crate) async fn file(
    State(desk): State<Desk>,
    Named((id, number)): Named<(CaseId, u32)>,
    Asked(FileQuery { stamp }): Asked<FileQuery>,
) -> Result<Response, Told> {
    let view = desk.view().await?;
    let kept = exhibit_of(known(&view, &id)?, number)?;
    let no_stamp =
        || not_found(format!("exhibit {number} is not time-stamped"), "`bailiwick evidence stamp` has it done");
    let digest = match stamp {
        true => kept.stamp.as_ref().ok_or_else(no_stamp)?.token,
        false => kept.exhibit.file,
    };
    let octets = desk.kept(&digest, &format!("exhibit {number}"))?;
    let disposition = format!("attachment; filename=\"{number:04}-{}\"", kept.exhibit.file_name);
    let head = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((head, octets).into_response())
}

pub(crate) async fn manifest(State(desk): State<Desk>, Named(id): Named<CaseId>) -> Result<Json<Manifest>, Told> {
    let view = desk.view().await?;
    let program = format!("bailiwick {}", env!("CARGO_PKG_VERSION"));
    Ok(Json(Manifest::of(known(&view, &id)?, now(), &program)))
}

pub(crate) async fn privacy(State(desk): State<Desk>, Named(id): Named<CaseId>) -> Result<Json<Record>, Told> {
    let view = desk.view().await?;
    let case = known(&view, &id)?;
    let rules = plan(&view, &desk.retention, now()).rules;
    let kept = rules.iter().find(|rule| rule.case.as_ref() == Some(&id)).map_or(desk.retention, |rule| rule.kept);
    Ok(Json(Record::of(case, kept)))
}

pub(crate) fn exhibit_of(case: &CaseView, number: u32) -> Result<&ExhibitView, Told> {
    let id = &case.terms.id;
    let missing =
        || not_found(format!("case {id} has no exhibit {number}"), "`bailiwick evidence list CASE` numbers them");
    case.evidence.exhibit(number).ok_or_else(missing)
}

fn detail(kept: &ExhibitView) -> ExhibitDetail {
    let ExhibitView { exhibit, by, added, at, stamp } = kept.clone();
    ExhibitDetail { exhibit, added, by, fact: at, stamp }
}

impl Desk {
    /// A file that the ledger names.
    pub(crate) fn kept(&self, digest: &Digest, what: &str) -> Result<Vec<u8>, Told> {
        let octets = self.vault.get(digest).map_err(|error| problem::ours(&error))?;
        octets.ok_or_else(|| problem::lost(what, digest))
    }
}
