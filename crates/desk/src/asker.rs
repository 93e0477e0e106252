//! Who asks: a person by bearer token, or else the machine's user by the kernel's word.
//!
//! A token that nobody holds is not ignored: whoever shows one wants to act as a person. That refusal is recorded.

use std::collections::BTreeSet;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use model::Digest;
use model::fact::Actor;
use model::person::Role;
use model::token::ApiToken;

use crate::problem::{self, Told};
use crate::run::{Desk, now};

/// Who sits at the other end of the control socket; the roof reads it from the kernel (SO_PEERCRED).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Peer {
    pub uid: u32,
}

/// Whoever asked, as the ledger will name them.
#[derive(Clone)]
pub(crate) struct Asker {
    pub(crate) actor: Actor,
    /// Where the token that was shown has only some of the person's roles.
    pub(crate) roles: Option<BTreeSet<Role>>,
}

impl FromRequestParts<Desk> for Asker {
    type Rejection = Told;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Told> {
        let peer = parts.extensions.get::<Peer>().map(|peer| Actor::LocalUser { uid: peer.uid });
        let Some(value) = parts.headers.get(header::AUTHORIZATION) else {
            let nobody = || problem::needs_person("nobody is known at the other end, and no token was shown", None);
            return peer.map(|actor| Self { actor, roles: None }).ok_or_else(nobody);
        };
        let token = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
        let view = desk.view().await?;
        let holder = token.and_then(|token| view.people.values().find(|person| person.holds(token)));
        if let Some(person) = holder {
            return Ok(Self { actor: Actor::Person { id: person.id.clone() }, roles: None });
        }
        let issued = token.and_then(|token| view.tokens.by_digest(&Digest::of_bytes(token.trim().as_bytes())));
        let why = match issued.map(|issued| (issued, issued.ended(now()))) {
            Some((issued, None)) => {
                let ApiToken { person, roles, .. } = issued.token.clone();
                return Ok(Self { actor: Actor::Person { id: person }, roles: Some(roles) });
            }
            Some((_, Some(ended))) => ended,
            None => "the token shown is nobody's".to_owned(),
        };
        let actor = peer.unwrap_or_else(|| Actor::Room { name: "desk".into() });
        let tried = format!("{} {}", parts.method, parts.uri.path());
        desk.remember_refusal(&tried, &why, actor).await;
        let hint = "check the token file; `bailiwick person list` shows who is enrolled";
        Err(problem::needs_person(why, Some(hint.into())))
    }
}
