//! `/people`: who may act. A token never comes here, only its digest.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use docket::Command;
use model::Digest;
use model::person::Person;

use crate::api::{EnrolRequest, PersonSummary};
use crate::asker::Asker;
use crate::intake::Sent;
use crate::problem::Told;
use crate::run::Desk;

pub(crate) async fn list(State(desk): State<Desk>) -> Result<Json<Vec<PersonSummary>>, Told> {
    Ok(Json(desk.view().await?.people.values().map(summary).collect()))
}

pub(crate) async fn enrol(
    State(desk): State<Desk>,
    asker: Asker,
    Sent(wish): Sent<EnrolRequest>,
) -> Result<(StatusCode, Json<PersonSummary>), Told> {
    let EnrolRequest { id, roles, token_sha256, fixture, first_token } = wish;
    let person = Person { id, roles, token: token_sha256, fixture };
    let answer = summary(&person);
    let command = match first_token {
        Some(token) => Command::EnrolFirst { person, first: Digest::of_bytes(token.trim().as_bytes()) },
        None => Command::EnrolPerson { person },
    };
    desk.execute(command, asker).await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

fn summary(person: &Person) -> PersonSummary {
    PersonSummary { id: person.id.clone(), roles: person.roles.clone(), fixture: person.fixture }
}
