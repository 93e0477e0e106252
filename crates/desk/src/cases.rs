//! `/cases`: import, make, show, advance, narrow.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use docket::casefile::{self, CaseFile, Claim, NameList};
use docket::quick::{self, NotYet, QuickCase};
use docket::shown::counted;
use docket::{Command, Done};
use model::id::CaseId;
use model::order::Order;
use model::seizure::ServiceMode;
use serde::Deserialize;
use store::view::{CaseView, NameView, View};

use crate::amendments;
use crate::api::{
    AdvanceRequest, CaseDetail, CaseImported, CaseSummary, ConflictDetail, ListDetail, NameDetail, NarrowRequest,
    OrderDetail, QuickMade, QuickRequest, Said,
};
use crate::asker::Asker;
use crate::intake::{Asked, Named, Octets, Sent};
use crate::problem::{self, Told};
use crate::run::{Desk, now};
use crate::sight;

//----------- Reading ----------------------------------------------------------------------------------------------

pub(crate) async fn list(State(desk): State<Desk>, asker: Asker) -> Result<Json<Vec<CaseSummary>>, Told> {
    Ok(Json(sight::cases(&*desk.view().await?, &asker.actor, now()).map(summary).collect()))
}

pub(crate) async fn show(State(desk): State<Desk>, Named(id): Named<CaseId>) -> Result<Json<CaseDetail>, Told> {
    let view = desk.view().await?;
    let case = known(&view, &id)?;
    let file = desk.case_file(case).await?;
    Ok(Json(detail(&view, case, &file)))
}

/// A case below whose route the asker stands: [`sight::gate`] has let them in.
pub(crate) fn known<'v>(view: &'v View, id: &CaseId) -> Result<&'v CaseView, Told> {
    view.cases.get(id).ok_or_else(|| sight::no_case(id))
}

impl Desk {
    /// The case file as it was imported, from the vault.
    pub(crate) async fn case_file(&self, case: &CaseView) -> Result<CaseFile, Told> {
        let bytes = self.vault.get(&case.file).map_err(|error| problem::ours(&error))?;
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let lost = || problem::lost(&format!("the file of case {}", case.terms.id), &case.file);
        let text = text.ok_or_else(lost)?;
        off_the_runtime(move || casefile::parse(&text)).await?.map_err(|_| lost())
    }
}

/// A file of a million names takes seconds to read: other requests go on meanwhile.
pub(crate) async fn off_the_runtime<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Told> {
    tokio::task::spawn_blocking(work).await.map_err(|error| problem::ours(&error))
}

fn summary(case: &CaseView) -> CaseSummary {
    let mut served: BTreeMap<String, u64> = BTreeMap::new();
    for name in case.names.values() {
        *served.entry(name.mode.map_or("none", ServiceMode::as_str).to_owned()).or_default() += 1;
    }
    CaseSummary {
        id: case.terms.id.clone(),
        title: case.terms.title.clone(),
        group: case.terms.group.name.clone(),
        state: case.state,
        exercise: case.orders.values().any(|order| order.terms().authority.is_exercise()),
        opened: case.opened,
        names: case.names.len() as u64,
        served,
    }
}

fn detail(view: &View, case: &CaseView, file: &CaseFile) -> CaseDetail {
    let waiting = view.approvals.iter().filter(|standing| standing.request.case == case.terms.id && standing.is_open());
    CaseDetail {
        summary: summary(case),
        terms: case.terms.clone(),
        file: case.file,
        orders: case.orders.values().map(|one| order(case, one)).collect(),
        lists: file.lists.iter().map(list_detail).collect(),
        name_states: case.names.iter().map(|(name, known)| name_detail(case, name, &known)).collect(),
        conflicts: conflicts(file),
        waiting: waiting.map(|standing| standing.request.id.to_string()).collect(),
    }
}

fn order(case: &CaseView, order: &Order) -> OrderDetail {
    OrderDetail {
        terms: order.terms().clone(),
        status: order.status(),
        names: order.names().len() as u64,
        version: order.version(),
        versions: amendments::versions(case, order),
    }
}

fn list_detail(list: &NameList) -> ListDetail {
    let operator = list.registry.as_ref().and_then(|registry| registry.operator.as_ref());
    ListDetail {
        order: list.order.clone(),
        tld: list.registry.as_ref().map(|registry| registry.tld.clone()),
        operator: operator.map(|operator| operator.value.clone()),
        operator_source: operator.map(|operator| operator.source.clone()),
        outcome: list.outcome,
        acts: list.acts.iter().map(|act| act.as_str().to_owned()).collect(),
        answer_effect: list.answer_effect,
        source: list.source.clone(),
        names: list.names.len() as u64,
    }
}

fn name_detail(case: &CaseView, name: &model::DomainName, known: &NameView) -> NameDetail {
    let NameView { order, outcome, seizure, mode, .. } = known.clone();
    let captured = case.captured.get(name).map(|captured| captured.count);
    NameDetail { name: name.clone(), order, outcome, seizure, mode, answer_effect: case.answer_effect(name), captured }
}

/// What others claim against the case's own attribution.
pub(crate) fn conflicts(file: &CaseFile) -> Vec<ConflictDetail> {
    let conflict = |claim: &Claim| ConflictDetail {
        case: file.terms.id.clone(),
        name: claim.name.clone(),
        ours: file.terms.group.name.clone(),
        theirs: claim.group.clone(),
        source: claim.source.clone(),
    };
    file.conflicts().map(conflict).collect()
}

//----------- Opening ----------------------------------------------------------------------------------------------

/// What stands behind `?` of an import.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportQuery {
    /// The file's name, for the places of faults.
    file: Option<String>,
}

pub(crate) async fn import(
    State(desk): State<Desk>,
    asker: Asker,
    Asked(query): Asked<ImportQuery>,
    Octets(body): Octets,
) -> Result<(StatusCode, Json<CaseImported>), Told> {
    let name = query.file.unwrap_or_else(|| "case file".into());
    let unread = |_| problem::bad_request(format!("{name} is not UTF-8 text"), "a case file is TOML in UTF-8");
    let text = String::from_utf8(body.into()).map_err(unread)?;
    let read = off_the_runtime(move || {
        let file = casefile::parse(&text).map_err(|faults| casefile::faults_rendered(&text, &name, &faults));
        file.map(|file| (file, text)).map_err(|faults| problem::bad_case_file(&name, faults))
    });
    let (file, text) = read.await??;
    record(&desk, asker, file, text).await
}

async fn record(
    desk: &Desk,
    asker: Asker,
    file: CaseFile,
    text: String,
) -> Result<(StatusCode, Json<CaseImported>), Told> {
    let (case, names, conflicts) = (file.terms.id.clone(), file.name_count() as u64, conflicts(&file));
    let executed = desk.execute(Command::ImportCase { file: Box::new(file), text }, asker).await?;
    let new = matches!(executed.done, Done::CaseOpened { .. });
    let said = if new {
        format!(
            "case {case} is open as a draft with {}; nothing is served before two people approve",
            counted(names as usize)
        )
    } else {
        format!("case {case} was imported before from the same file; nothing changed")
    };
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(CaseImported { case, names, new, said, conflicts })))
}

pub(crate) async fn quick(
    State(desk): State<Desk>,
    asker: Asker,
    Sent(request): Sent<QuickRequest>,
) -> Result<(StatusCode, Json<QuickMade>), Told> {
    let QuickCase { text, file } = quick::case_file(&request.wish).map_err(|not_yet| match not_yet {
        NotYet::Missing(questions) => problem::answers_missing(questions),
        NotYet::Faulty { text, faults } => {
            let name = "the case file made of your answers";
            problem::bad_case_file(name, casefile::faults_rendered(&text, name, &faults))
        }
    })?;
    let registrar = quick::registrar_steps(&file);
    let made = QuickMade {
        case: file.terms.id.clone(),
        file: text.clone(),
        recorded: !request.dry_run,
        registrar_text: quick::steps_text(&registrar),
        registrar,
    };
    if request.dry_run {
        return Ok((StatusCode::OK, Json(made)));
    }
    let (status, _) = record(&desk, asker, file, text).await?;
    Ok((status, Json(made)))
}

//----------- Moving -----------------------------------------------------------------------------------------------

pub(crate) async fn advance(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Sent(AdvanceRequest { to, documents }): Sent<AdvanceRequest>,
) -> Result<Json<Said>, Told> {
    known(&*desk.view().await?, &id)?;
    desk.execute(Command::AdvanceCase { case: id.clone(), to, documents }, asker).await?;
    Ok(Json(Said { said: format!("case {id} is {to:?} now").to_lowercase() }))
}

pub(crate) async fn narrow(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Sent(NarrowRequest { names, mode, reason, disarm_kill_switch: disarm }): Sent<NarrowRequest>,
) -> Result<Json<Said>, Told> {
    known(&*desk.view().await?, &id)?;
    let command = Command::NarrowService { case: id.clone(), names, mode, reason, disarm };
    let executed = desk.execute(command, asker).await?;
    Ok(Json(Said { said: narrowed(&id, &executed.done) }))
}

fn narrowed(id: &CaseId, done: &Done) -> String {
    let Done::ServiceNarrowed { names, mode, without_records, left_armed, .. } = done else { return String::new() };
    let mut said = format!("{} of case {id} in {} now", counted(*names), mode.as_str());
    if *without_records > 0 {
        let them = counted(*without_records);
        said.push_str(&format!(
            "; no records of the owner are kept for {them}: answered with SOA and NS only, so the owner's site and mail \
             do not work until the registry has undone the delegation (`bailiwick case records` keeps them)"
        ));
    }
    if *left_armed > 0 {
        let them = if *left_armed == 1 { "1 kill switch".to_owned() } else { format!("{left_armed} kill switches") };
        said.push_str(&format!("; {them} left as it was: `--disarm-kill-switch` would let it fall silent"));
    }
    said
}
