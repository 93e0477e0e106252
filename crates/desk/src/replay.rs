//! `POST /archive/replay`: history is labelled anew, by the running process, whose journal it is.

use axum::Json;
use axum::extract::State;
use insight::run::{Replayed, replay};
use model::Refusal;

use crate::api::{ReplayAnswer, ReplayRequest};
use crate::asker::Asker;
use crate::intake::Sent;
use crate::problem::{self, Told};
use crate::run::Desk;

pub(crate) async fn run(
    State(desk): State<Desk>,
    asker: Asker,
    Sent(ReplayRequest { since }): Sent<ReplayRequest>,
) -> Result<Json<ReplayAnswer>, Told> {
    let asleep = || Refusal::new("nothing runs here that has the journal open").hint("start `bailiwick serve`");
    let labels = desk.labels.as_ref().ok_or_else(asleep).map_err(problem::refused)?;
    let busy = |_| Refusal::new("a replay is under way").hint("it ends by itself; ask again then");
    let _alone = labels.alone.try_lock().map_err(busy).map_err(problem::refused)?;
    let replayed = replay(labels, &desk.ledger, &desk.archive, since, asker.actor).await;
    replayed.map(ReplayAnswer::from).map(Json).map_err(|error| problem::ours(&error))
}

impl From<Replayed> for ReplayAnswer {
    fn from(replayed: Replayed) -> Self {
        let Replayed { generation, since, until, contacts, verdicts } = replayed;
        Self { generation, since, until, contacts, verdicts }
    }
}
