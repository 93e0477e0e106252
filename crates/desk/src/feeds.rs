//! `GET /feeds/{format}`: what may be told of a case, as a file; every export is remembered with its digest.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use docket::Command;
use model::Digest;
use share::{Document, Format, Snapshot};
use store::archive::SightingFilter;

use crate::api::FeedQuery;
use crate::asker::Asker;
use crate::intake::{Asked, Named};
use crate::problem::{self, Told, not_found};
use crate::run::{Desk, now};
use crate::sight;

pub(crate) async fn export(
    State(desk): State<Desk>,
    Named(format): Named<String>,
    asker: Asker,
    Asked(FeedQuery { case, audience }): Asked<FeedQuery>,
) -> Result<(HeaderMap, Vec<u8>), Told> {
    let known: Result<Format, _> = format.parse();
    let format =
        known.map_err(|error| not_found(error.to_string(), "`bailiwick feed formats` says what each is for"))?;
    let view = desk.view().await?;
    let order = sight::known(&view, &case, &asker.actor, now())?.orders.keys().next().cloned();
    let filter = SightingFilter { case: Some(case.clone()), ..SightingFilter::default() };
    let sightings = desk.archive.sightings(&filter).await.map_err(|error| problem::ours(&error))?;
    let snapshot = Snapshot::gather(&view, &sightings, &case).map_err(problem::refused)?;
    let document = match share::render(format, &snapshot, audience) {
        Ok(document) => document,
        Err(refusal) => {
            desk.remember_refusal(&format!("export case {case} as {format}"), &refusal.what, asker.actor).await;
            return Err(problem::refused(refusal));
        }
    };
    let (digest, octets) = (Digest::of_bytes(&document.bytes), document.bytes.len() as u64);
    let format = format.to_string();
    desk.execute(Command::RecordExport { case, order, format, audience, digest, octets }, asker).await?;
    Ok((headers(&document, digest), document.bytes))
}

/// What was captured from hostile hands is never shown in a browser's page: it is a file to save.
fn headers(document: &Document, digest: Digest) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let plain = |text: String| HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(document.media_type));
    headers.insert(header::CONTENT_DISPOSITION, plain(format!("attachment; filename=\"{}\"", document.file_name)));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::ETAG, plain(format!("\"{digest}\"")));
    headers
}
