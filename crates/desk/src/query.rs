//! `POST /query`: one SELECT over the archive's views, narrowed to what the asker may see; the archive keeps the limits.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use store::Error;
use store::archive::QueryAnswer;

use crate::api::{EngineQuery, Problem, QueryRequest};
use crate::asker::Asker;
use crate::intake::{Asked, Sent};
use crate::problem::{self, Told};
use crate::run::{Desk, now};
use crate::sight;

pub(crate) async fn ask(
    State(desk): State<Desk>,
    Asked(EngineQuery { engine }): Asked<EngineQuery>,
    asker: Asker,
    Sent(question): Sent<QueryRequest>,
) -> Result<Json<QueryAnswer>, Told> {
    let view = desk.view().await?;
    // SQL shows single callers, whatever is asked.
    if let Err(refusal) = sight::check_callers(&view, &asker) {
        desk.remember_refusal("query", &refusal.what, asker.actor).await;
        return Err(problem::refused(refusal));
    }
    let sight = sight::of(&view, &asker.actor, now());
    desk.query(engine, &question.sql, &sight).await.map(Json)
}

/// What became of a question that was not answered.
pub(crate) fn told(error: Error) -> Told {
    match &error {
        Error::Query(_) => {
            let mut problem = Problem::new(StatusCode::BAD_REQUEST, "query-refused", error.to_string());
            problem.hint = error.hint().map(str::to_owned);
            problem
        }
        _ => problem::ours(&error),
    }
}
