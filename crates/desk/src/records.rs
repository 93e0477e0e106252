//! `/cases/{id}/names/{name}/records`: the owner's records of a name, kept and shown.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use docket::zonefile::{self, ZoneFault};
use docket::{Command, Done};
use model::id::CaseId;
use model::{Digest, DomainName};
use serde::Deserialize;

use crate::api::{CapturedRecords, Problem, RecordsKept};
use crate::asker::Asker;
use crate::cases::known;
use crate::intake::{Asked, Named, Octets};
use crate::problem::{self, Told, not_found};
use crate::run::Desk;

/// What stands behind `?`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeepQuery {
    /// Who captured them, from where.
    source: String,
}

pub(crate) async fn keep(
    State(desk): State<Desk>,
    Named((id, name)): Named<(CaseId, DomainName)>,
    asker: Asker,
    Asked(KeepQuery { source }): Asked<KeepQuery>,
    Octets(body): Octets,
) -> Result<(StatusCode, Json<RecordsKept>), Told> {
    known(&*desk.view().await?, &id)?;
    let read = zonefile::read(&body, &name).map_err(|fault| faulty(&fault))?;
    let (count, octets, file) = (read.records.len() as u64, body.to_vec(), Digest::of_bytes(&body));
    let command = Command::CaptureRecords { case: id, name: name.clone(), source, octets, count };
    let executed = desk.execute(command, asker).await?;
    let new = executed.done == Done::RecordsCaptured { new: true };
    let (status, kept) =
        if new { (StatusCode::CREATED, "are kept") } else { (StatusCode::OK, "were kept before; nothing changed") };
    let said = format!("{count} records of {} {kept}: they are served once it is handed back", name.defanged());
    Ok((status, Json(RecordsKept { name, file, count, new, notes: read.notes, said })))
}

pub(crate) fn faulty(fault: &ZoneFault) -> Told {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-zone-file", fault.to_string()).hint(fault.hint)
}

pub(crate) async fn show(
    State(desk): State<Desk>,
    Named((id, name)): Named<(CaseId, DomainName)>,
) -> Result<Json<CapturedRecords>, Told> {
    let view = desk.view().await?;
    let missing = || {
        let what = format!("no records of the owner are kept for {}", name.defanged());
        not_found(what, "`bailiwick case records CASE NAME --zone-file FILE --source TEXT` keeps them")
    };
    let captured = known(&view, &id)?.captured.get(&name).ok_or_else(missing)?;
    let bytes = desk.vault.get(&captured.file).map_err(|error| problem::ours(&error))?;
    let lost = || problem::lost(&format!("the records of {}", name.defanged()), &captured.file);
    let zone_file = String::from_utf8_lossy(&bytes.ok_or_else(lost)?).into_owned();
    let (file, source, count, recorded) = (captured.file, captured.source.clone(), captured.count, captured.recorded);
    Ok(Json(CapturedRecords { name, file, source, count, recorded, zone_file }))
}
