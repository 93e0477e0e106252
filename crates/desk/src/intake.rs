//! What comes in: bodies and parameters, each refusal a problem and not axum's plain text.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::api::Problem;
use crate::problem::{Told, bad_request};
use crate::run::Desk;

/// A body as it is.
pub(crate) struct Octets(pub(crate) Bytes);

/// A JSON body.
pub(crate) struct Sent<T>(pub(crate) T);

/// The variable part of the path.
pub(crate) struct Named<T>(pub(crate) T);

/// The part behind `?`.
pub(crate) struct Asked<T>(pub(crate) T);

impl FromRequest<Desk> for Octets {
    type Rejection = Told;

    async fn from_request(request: Request, desk: &Desk) -> Result<Self, Told> {
        Bytes::from_request(request, desk).await.map(Self).map_err(unread)
    }
}

fn unread(rejection: BytesRejection) -> Told {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "the body has more octets than this route takes",
        )
        .hint("a case file or the tables of the gate may have 256 MiB, a file of knowledge 128 MiB, a paper or an exhibit 64 MiB, a zone file 4 MiB, anything else 1 MiB");
    }
    bad_request(format!("the body did not arrive whole: {}", rejection.body_text()), "send it again")
}

impl<T: DeserializeOwned> FromRequest<Desk> for Sent<T> {
    type Rejection = Told;

    async fn from_request(request: Request, desk: &Desk) -> Result<Self, Told> {
        let Octets(body) = Octets::from_request(request, desk).await?;
        let unread =
            |error| bad_request(format!("the JSON body is not what this route takes: {error}"), "see docs/reference");
        serde_json::from_slice(&body).map(Self).map_err(unread)
    }
}

impl<T: DeserializeOwned + Send> FromRequestParts<Desk> for Named<T> {
    type Rejection = Told;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Told> {
        let named = Path::<T>::from_request_parts(parts, desk).await;
        named.map(|Path(id)| Self(id)).map_err(|error| bad_request(error.body_text(), "check the id in the path"))
    }
}

impl<T: DeserializeOwned> FromRequestParts<Desk> for Asked<T> {
    type Rejection = Told;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Told> {
        let asked = Query::<T>::from_request_parts(parts, desk).await;
        asked
            .map(|Query(asked)| Self(asked))
            .map_err(|error| bad_request(error.body_text(), "check what stands behind `?`"))
    }
}
