//! `POST /query`: one SELECT over the archive's views; the archive keeps the limits.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use store::Error;
use store::archive::QueryAnswer;

use crate::api::{Problem, QueryRequest};
use crate::asker::Asker;
use crate::intake::Sent;
use crate::problem::{self, Told};
use crate::run::Desk;

pub(crate) async fn ask(
    State(desk): State<Desk>,
    _asker: Asker,
    Sent(question): Sent<QueryRequest>,
) -> Result<Json<QueryAnswer>, Told> {
    desk.archive.query(&question.sql).await.map(Json).map_err(|error| match &error {
        Error::Query(_) => {
            let mut problem = Problem::new(StatusCode::BAD_REQUEST, "query-refused", error.to_string());
            problem.hint = error.hint().map(str::to_owned);
            problem
        }
        _ => problem::ours(&error),
    })
}
