//! `POST /archive/compact`: what compaction has to do is done now and not in the hours that come.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use store::Error;
use store::archive::{Archive, Compacted};

use crate::api::CompactAnswer;
use crate::asker::Asker;
use crate::problem::{self, Told};
use crate::run::{Desk, now};

pub(crate) async fn run(State(desk): State<Desk>, _asker: Asker) -> Result<Json<CompactAnswer>, Told> {
    compact(&desk.archive).await.map(Json).map_err(|error| problem::ours(&error))
}

/// Every day that is over, whatever came for it lately. Whoever asks waits, so it does not rest.
async fn compact(archive: &Archive) -> Result<CompactAnswer, Error> {
    let mut done: Vec<Compacted> = Vec::new();
    while let Some(mut work) = archive.next_compaction(now(), Duration::ZERO).await? {
        while work.step().await? {}
        done.push(work.commit(now()).await?);
    }
    Ok(CompactAnswer { done })
}
