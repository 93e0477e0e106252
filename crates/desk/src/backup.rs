//! `POST /backup`: a copy of the memory, taken by the process that writes it, into a folder of this machine.
//!
//! Whoever can open the control socket can read the data folder itself, so that a person's token would guard nothing here.
//! Through the API of a person it is refused: a copy of everything is the machine's user's to take.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use docket::Command;
use model::Refusal;
use model::fact::Actor;
use store::backup::{self, BackupError, Taken};

use crate::api::{BackupRequest, Problem};
use crate::asker::Asker;
use crate::intake::Sent;
use crate::problem::{self, Told};
use crate::run::{Desk, now};

pub(crate) async fn take(
    State(desk): State<Desk>,
    asker: Asker,
    Sent(BackupRequest { into }): Sent<BackupRequest>,
) -> Result<Json<Taken>, Told> {
    if matches!(asker.actor, Actor::Person { .. }) {
        let refusal = Refusal::new("a backup is taken by the user of the machine, not by a person's token");
        desk.remember_refusal("take a backup", &refusal.what, asker.actor).await;
        return Err(problem::refused(refusal));
    }
    if !into.is_absolute() {
        return Err(problem::bad_request(format!("{} is no absolute path", into.display()), "name it from the root"));
    }
    // Whoever asked may go away: what is begun is ended, and the fact says that there is a copy.
    let taking = tokio::spawn(async move {
        let taken = backup::take(&desk.ledger, &desk.archive, &desk.place, &into, now()).await.map_err(|e| told(&e))?;
        let Taken { digest: backup, facts, files, octets } = taken;
        desk.execute(Command::RecordBackup { backup, facts, files, octets }, asker).await?;
        Ok(Json(taken))
    });
    taking.await.map_err(|error| problem::ours(&error))?
}

/// The folder is the asker's to mend; our own trouble says where it was.
fn told(error: &BackupError) -> Told {
    let causes: Vec<String> = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source())
        .map(ToString::to_string)
        .collect();
    let status = match error {
        BackupError::NotEmpty(_) | BackupError::Inside { .. } => StatusCode::BAD_REQUEST,
        BackupError::UnderWay => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let kind = if status == StatusCode::SERVICE_UNAVAILABLE { "busy" } else { "bad-request" };
    let kind = if status == StatusCode::INTERNAL_SERVER_ERROR { "internal" } else { kind };
    tracing::error!(causes = causes.join(": "), "no backup was taken");
    Problem::new(status, kind, causes.join(": ")).hint(error.hint())
}
