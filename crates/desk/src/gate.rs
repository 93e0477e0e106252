//! `/cases/{id}/gate` and `/cases/{id}/related`: the harm gate, counsel's decisions, and what is not on the list.

use axum::Json;
use axum::extract::State;
use docket::Command;
use docket::decide::may_verify;
use docket::gate::{Bundle, Report, Tables};
use docket::observed::FileFault;
use docket::related;
use model::gate::{Gate, WarningChoice};
use model::id::CaseId;
use store::view::{CaseView, View};

use crate::api::{DecideRequest, Decided, DecisionTold, GateTold, RelatedTold};
use crate::asker::Asker;
use crate::cases::{known, off_the_runtime};
use crate::intake::{Named, Octets, Sent};
use crate::problem::{self, Told, bad_request, not_found};
use crate::run::{Desk, now};

//----------- Running ----------------------------------------------------------------------------------------------

/// The body is a bundle of tables, as the command line makes one; empty means what is shipped alone.
pub(crate) async fn run(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Octets(body): Octets,
) -> Result<Json<GateTold>, Told> {
    let view = desk.view().await?;
    check_worker(&desk, &view, &id, ("run the gate over", &asker)).await?;
    let file = desk.case_file_as_proposed(known(&view, &id)?).await?;
    let (at, case) = (now(), id.clone());
    let looked = off_the_runtime(move || {
        let tables = Tables::read(Bundle::parse(&body)?)?;
        let report = docket::gate::run(&view.cases[&case], Some(&file), &tables, at);
        let octets = serde_json::to_vec(&report).map_err(|error| FileFault::whole("the report", error.to_string()))?;
        Ok((report.to_run(model::Digest::of_bytes(&octets)), octets))
    });
    let (run, report) = looked.await?.map_err(faulty)?;
    desk.execute(Command::RecordGate { run: Box::new(run), report }, asker).await?;
    newest(&desk, &id).await.map(Json)
}

/// Asked before a body is read that may be as large as all tables together.
async fn check_worker(desk: &Desk, view: &View, id: &CaseId, (does, asker): (&str, &Asker)) -> Result<(), Told> {
    let Err(refusal) = may_verify(view, id, &asker.actor) else { return Ok(()) };
    desk.remember_refusal(&format!("{does} case {id}"), &refusal.what, asker.actor.clone()).await;
    Err(problem::refused(refusal))
}

fn faulty(fault: FileFault) -> Told {
    bad_request(
        fault.to_string(),
        "mend the file, or take it out of gate.toml; docs/reference/gate-tables.md says what it may hold",
    )
}

pub(crate) async fn show(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    _asker: Asker,
) -> Result<Json<GateTold>, Told> {
    newest(&desk, &id).await.map(Json)
}

async fn newest(desk: &Desk, id: &CaseId) -> Result<GateTold, Told> {
    let view = desk.view().await?;
    let case = known(&view, id)?;
    let missing =
        || not_found(format!("the harm gate has not run over case {id}"), "`bailiwick case gate CASE` runs it");
    let gate = case.gate.as_deref().ok_or_else(missing)?;
    let octets = desk.vault.get(&gate.run.report).map_err(|error| problem::ours(&error))?;
    let report = octets.and_then(|octets| serde_json::from_slice::<Report>(&octets).ok());
    let report = report.ok_or_else(|| problem::lost(&format!("the gate's report of case {id}"), &gate.run.report))?;
    Ok(told(case, gate, report))
}

fn told(case: &CaseView, gate: &Gate, report: Report) -> GateTold {
    let decision =
        |(by, at, one): &(Option<model::id::PersonId>, model::Timestamp, model::gate::GateDecided)| DecisionTold {
            kind: one.kind,
            names: one.names.clone(),
            choice: one.choice,
            reason: one.reason.clone(),
            by: by.clone(),
            at: *at,
        };
    GateTold {
        case: case.terms.id.clone(),
        run: gate.at.to_string(),
        at: gate.time,
        report_digest: gate.run.report,
        report,
        decisions: gate.decisions.iter().map(decision).collect(),
        in_the_way: gate.in_the_way(&case.proposed_digests()),
    }
}

//----------- Deciding ---------------------------------------------------------------------------------------------

pub(crate) async fn decide(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Sent(wish): Sent<DecideRequest>,
) -> Result<Json<Decided>, Told> {
    known(&*desk.view().await?, &id)?;
    let DecideRequest { run, kind, names, choice, reason } = wish;
    let word = if choice == WarningChoice::Accept { "accepted" } else { "to be dropped from the list" };
    let whose = match names.len() {
        0 => "every warning that was open".to_owned(),
        count => docket::shown::counted(count),
    };
    desk.execute(Command::DecideWarnings { case: id.clone(), run, kind, names, choice, reason }, asker).await?;
    let view = desk.view().await?;
    let case = known(&view, &id)?;
    let in_the_way = case.gate.as_ref().map(|gate| gate.in_the_way(&case.proposed_digests())).unwrap_or_default();
    Ok(Json(Decided { said: format!("{kind}, {whose}: {word}"), in_the_way }))
}

//----------- Related names ----------------------------------------------------------------------------------------

/// The body is a bundle of passive DNS, certificates and RDAP answers.
pub(crate) async fn related(
    State(desk): State<Desk>,
    Named(id): Named<CaseId>,
    asker: Asker,
    Octets(body): Octets,
) -> Result<Json<RelatedTold>, Told> {
    let view = desk.view().await?;
    check_worker(&desk, &view, &id, ("look for what is related to", &asker)).await?;
    let at = now();
    let looked = off_the_runtime(move || {
        let is_seen = |case: &CaseId| view.case_seen_by(case, &asker.actor, at).is_some();
        let files = related::Files::read(Bundle::parse(&body)?)?;
        let case = &view.cases[&id];
        let related = related::related(&view, case, &files, &is_seen);
        let draft = related::draft(case, &related);
        Ok(RelatedTold { related, draft })
    });
    looked.await?.map(Json).map_err(faulty)
}
