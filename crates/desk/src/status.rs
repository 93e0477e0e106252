//! `GET /status`: what runs, what stands, what waits.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use model::id::CaseId;
use model::seizure::ServiceMode;
use store::view::View;

use crate::api::{LedgerStatus, OpenAlarms, Status};
use crate::asker::Asker;
use crate::problem::{self, Told};
use crate::run::{Desk, now};
use crate::sight;

pub(crate) async fn show(State(desk): State<Desk>, asker: Asker) -> Result<Json<Status>, Told> {
    // While the ledger's database is away, what stood last is told, and the troubles say so.
    let (view, archive) = match desk.ledger.view().await {
        Ok(view) => (view, desk.archive.tallies().await),
        Err(error) if error.is_passing() => (desk.ledger.last_view(), Ok(BTreeMap::default())),
        Err(error) => return Err(problem::ours(&error)),
    };
    let archive = match archive {
        Err(error) if error.is_passing() => BTreeMap::default(),
        archive => archive.map_err(|error| problem::ours(&error))?,
    };
    let seen = || sight::cases(&view, &asker.actor, now());
    let is_seen = |case: &CaseId| view.case_seen_by(case, &asker.actor, now()).is_some();
    let names = seen().flat_map(|case| case.names.values());
    let open = view.approvals.iter().filter(|standing| standing.is_open() && is_seen(&standing.request.case));
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION").into(),
        live: desk.status.live(),
        ledger: ledger(&view),
        archive: archive.into_iter().collect(),
        cases: seen().count() as u64,
        names_served: names.filter(|name| name.mode.is_some_and(|mode| mode != ServiceMode::Off)).count() as u64,
        approvals_open: open.count() as u64,
        indicators: view.indicators.iter().filter(|(case, ..)| is_seen(case)).count() as u64,
        alarms: OpenAlarms::of(&view),
    }))
}

fn ledger(view: &View) -> LedgerStatus {
    LedgerStatus {
        next: view.next.to_string(),
        refusals: view.refusals,
        without_effect: view.without_effect.len() as u64,
    }
}
