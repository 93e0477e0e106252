//! `/people/{id}/tokens`: tokens for programs. None ever comes here, only its digest.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use docket::Command;
use docket::decide::TOKEN_DAYS_MAX;
use model::id::{PersonId, TokenName};
use model::token::ApiToken;
use store::view::TokenView;

use crate::api::{Said, TokenRequest, TokenTold};
use crate::asker::Asker;
use crate::intake::{Named, Sent};
use crate::problem::{Told, bad_request, not_found};
use crate::run::{Desk, now};

pub(crate) async fn list(
    State(desk): State<Desk>,
    Named(id): Named<PersonId>,
    _: Asker,
) -> Result<Json<Vec<TokenTold>>, Told> {
    let view = desk.view().await?;
    let missing = || not_found(format!("{id} is not enrolled"), "`bailiwick person list` names them");
    view.people.get(&id).ok_or_else(missing)?;
    Ok(Json(view.tokens.of(&id).map(told).collect()))
}

pub(crate) async fn issue(
    State(desk): State<Desk>,
    Named(person): Named<PersonId>,
    asker: Asker,
    Sent(TokenRequest { name, roles, days, token_sha256: token }): Sent<TokenRequest>,
) -> Result<(StatusCode, Json<TokenTold>), Told> {
    let hint = format!("it lives for 1 to {TOKEN_DAYS_MAX} days");
    let no_days = || bad_request(format!("a token for {days} days is not made"), hint);
    let ends = std::time::Duration::from_secs(86_400 * u64::from(days));
    let at = now();
    let expires =
        at.checked_add(ends).ok().filter(|_| (1..=TOKEN_DAYS_MAX).contains(&i64::from(days))).ok_or_else(no_days)?;
    let token = ApiToken { person, name, roles, expires, token };
    let answer = told(&TokenView { token: token.clone(), issued: at, revoked: None });
    desk.execute(Command::IssueToken { token }, asker).await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

pub(crate) async fn revoke(
    State(desk): State<Desk>,
    Named((person, token)): Named<(PersonId, TokenName)>,
    asker: Asker,
) -> Result<Json<Said>, Told> {
    let said = format!("the token {token} of {person} acts for nobody any more");
    desk.execute(Command::RevokeToken { person, token }, asker).await?;
    Ok(Json(Said { said }))
}

fn told(one: &TokenView) -> TokenTold {
    let ApiToken { person, name, roles, expires, .. } = one.token.clone();
    TokenTold {
        person,
        name,
        roles,
        issued: one.issued,
        expires,
        revoked: one.revoked,
        ended: one.ended(now()).is_some(),
    }
}
