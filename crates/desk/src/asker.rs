//! Who asks: a person by bearer token, or else the machine's user by the kernel's word.
//!
//! A token that nobody holds is not ignored: whoever shows one wants to act as a person. That refusal is recorded.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use model::fact::Actor;

use crate::problem::{self, Told};
use crate::run::Desk;

/// Who sits at the other end of the control socket; the roof reads it from the kernel (SO_PEERCRED).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Peer {
    pub uid: u32,
}

/// Whoever asked, as the ledger will name them.
pub(crate) struct Asker {
    pub(crate) actor: Actor,
}

impl FromRequestParts<Desk> for Asker {
    type Rejection = Told;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Told> {
        let peer = parts.extensions.get::<Peer>().map(|peer| Actor::LocalUser { uid: peer.uid });
        let Some(value) = parts.headers.get(header::AUTHORIZATION) else {
            let nobody = || problem::needs_person("nobody is known at the other end, and no token was shown", None);
            return peer.map(|actor| Self { actor }).ok_or_else(nobody);
        };
        let token = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
        let view = desk.view().await?;
        let holder = token.and_then(|token| view.people.values().find(|person| person.holds(token)));
        if let Some(person) = holder {
            return Ok(Self { actor: Actor::Person { id: person.id.clone() } });
        }
        let actor = peer.unwrap_or_else(|| Actor::Room { name: "desk".into() });
        let tried = format!("{} {}", parts.method, parts.uri.path());
        desk.remember_refusal(&tried, "the token shown is nobody's", actor).await;
        let hint = "check the token file; `bailiwick person list` shows who is enrolled";
        Err(problem::needs_person("the token shown is nobody's", Some(hint.into())))
    }
}
