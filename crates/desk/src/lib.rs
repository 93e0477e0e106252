//! Where people work: one HTTP API over what stands, which changes anything only through the docket's decisions.
//!
//! The command line calls [`router`] over the control socket of a running daemon, or in its own process where none
//! runs: the same routes, the same rules. The roof passes in who sits at the other end ([`Peer`], by the kernel's word)
//! and what the running process knows of itself ([`StatusSource`]); a person acts by a bearer token.
//!
//! What is deliberately absent: rules (room `docket`), rendering (room `share`), sockets, and any state of its own: what was
//! counted for a board is only not counted twice.

pub mod api;

mod amendments;
mod approvals;
mod asker;
mod backup;
mod cases;
mod compact;
mod counts;
mod custody;
mod dns;
mod engine;
mod evidence;
mod execution;
mod feeds;
mod gate;
mod groups;
mod intake;
mod leaving;
mod members;
mod metrics;
mod papers;
mod people;
mod problem;
mod providers;
mod query;
mod records;
mod replay;
mod reports;
pub mod retention;
mod retire;
mod returning;
mod run;
mod sensors;
mod sight;
mod status;
mod tokens;
mod verify;
mod watch;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

pub use asker::Peer;
pub use execution::LastCount;
pub use metrics::{MEDIA_TYPE as METRICS_MEDIA_TYPE, text as metrics};
pub use run::{Desk, StatusSource};

/// The largest JSON body.
pub const BODY_OCTETS_MAX: usize = 1 << 20;

/// The API, at `/api/v1`.
pub fn router(desk: Desk) -> Router {
    let case_files = DefaultBodyLimit::max(docket::casefile::CASE_FILE_OCTETS_MAX);
    let amendment_files = case_files;
    let knowledge = DefaultBodyLimit::max(docket::decide::KNOWLEDGE_OCTETS_MAX);
    let tables = DefaultBodyLimit::max(docket::gate::TABLES_OCTETS_MAX);
    // A quotation mark of the table takes two octets in JSON.
    let actors = DefaultBodyLimit::max(2 * docket::appendix::actors::ACTORS_OCTETS_MAX);
    let zone_files = DefaultBodyLimit::max(docket::zonefile::ZONE_FILE_OCTETS_MAX);
    // As text in JSON a zone file may take twice the room.
    let returns = DefaultBodyLimit::max(2 * docket::zonefile::ZONE_FILE_OCTETS_MAX);
    let papers = DefaultBodyLimit::max(docket::decide::PAPER_OCTETS_MAX);
    let observations = DefaultBodyLimit::max(custody::OBSERVATIONS_OCTETS_MAX);
    let certificates = DefaultBodyLimit::max(docket::custody::certificates::CERTIFICATES_OCTETS_MAX);
    let exhibits = DefaultBodyLimit::max(docket::decide::EXHIBIT_OCTETS_MAX);
    let messages = exhibits;
    let api = Router::new()
        .route("/status", get(status::show))
        .route("/dns", get(dns::show))
        .route("/dns/challenges", post(dns::challenge))
        .route("/metrics", get(metrics::show))
        .route("/cases", get(cases::list).merge(post(cases::import).layer(case_files)))
        .route("/cases/quick", post(cases::quick))
        .route("/cases/{id}", get(cases::show))
        .route("/cases/{id}/counts", get(counts::show))
        .route("/cases/{id}/confirm", post(watch::confirm))
        .route("/cases/{id}/dates", post(watch::propose_date))
        .route("/cases/{id}/dates/confirmation", post(watch::confirm_date))
        .route("/cases/{id}/post-mortem", get(custody::look_back).post(custody::hold_post_mortem))
        .route("/dues", get(watch::due))
        .route("/alarms", get(watch::alarms))
        .route("/alarms/{number}/acknowledgement", post(watch::acknowledge))
        .route("/custody", post(custody::take).layer(observations))
        .route("/custody/certificates", post(custody::take_certificates).layer(certificates))
        .route("/cases/{id}/state", post(cases::advance))
        .route("/cases/{id}/narrow", post(cases::narrow))
        .route("/cases/{id}/returns", get(returning::list).merge(post(returning::make).layer(returns)))
        .route("/cases/{id}/returns/plans", post(returning::step))
        .route("/cases/{id}/amendments", post(amendments::bring).layer(amendment_files))
        .route("/cases/{id}/amendments/objection", post(amendments::objection))
        .route("/cases/{id}/amendments/withdrawal", post(amendments::withdraw))
        .route("/cases/{id}/gate", get(gate::show).merge(post(gate::run).layer(tables)))
        .route("/cases/{id}/gate/decisions", post(gate::decide))
        .route("/cases/{id}/related", post(gate::related).layer(tables))
        .route("/cases/{id}/appendix", post(execution::appendix).layer(actors))
        .route("/cases/{id}/dispatches", post(execution::sent))
        .route("/cases/{id}/acknowledgements", post(execution::acked))
        .route("/cases/{id}/board", get(execution::board))
        .route("/cases/{id}/ready", get(execution::ready))
        .route("/cases/{id}/names/{name}/records", get(records::show).merge(post(records::keep).layer(zone_files)))
        .route("/cases/{id}/papers", get(papers::list).merge(post(papers::file).layer(papers)))
        .route("/authorities", get(papers::authorities))
        .route("/cases/{id}/people", get(members::list).post(members::change))
        .route("/cases/{id}/verification", get(verify::show).post(verify::record))
        .route("/cases/{id}/verification/looks", post(verify::look))
        .route(
            "/cases/{id}/names/{name}/checks/{check}/attestation",
            post(verify::attest).layer(DefaultBodyLimit::max(docket::decide::DOCUMENT_OCTETS_MAX)),
        )
        .route("/cases/{id}/requests", post(approvals::request))
        .route("/cases/{id}/unsealing", post(approvals::request_unsealing))
        .route("/cases/{id}/exhibits", get(evidence::list).merge(post(evidence::keep).layer(exhibits)))
        .route("/cases/{id}/exhibits/check", post(evidence::check))
        .route("/cases/{id}/exhibits/{number}/file", get(evidence::file))
        .route("/cases/{id}/exhibits/{number}/stamp", post(evidence::stamp))
        .route("/cases/{id}/evidence", get(evidence::manifest))
        .route("/cases/{id}/folders", get(leaving::list).post(leaving::record))
        .route("/cases/{id}/privacy", get(evidence::privacy))
        .route("/cases/{id}/reports", get(providers::list).post(providers::make))
        .route("/cases/{id}/reports/{number}/sending", post(providers::sending).layer(messages))
        .route("/cases/{id}/reports/{number}/answer", post(providers::answer))
        .route("/sensors", get(sensors::list))
        .route("/sensors/offers", post(sensors::offer))
        .route("/sensors/offers/{name}/withdraw", post(sensors::withdraw))
        .route("/sensors/{id}/revoke", post(sensors::revoke))
        .route("/people", get(people::list).post(people::enrol))
        .route("/people/{id}/tokens", get(tokens::list).post(tokens::issue))
        .route("/people/{id}/tokens/{token}/revoke", post(tokens::revoke))
        .route("/approvals", get(approvals::list))
        .route("/approvals/{id}", get(approvals::show).post(approvals::give))
        .route("/groups/{alias}", get(groups::show))
        .route("/groups/{alias}/knowledge", post(groups::import).layer(knowledge))
        .route("/query", post(query::ask))
        .route("/archive/compact", post(compact::run))
        .route("/archive/replay", post(replay::run))
        .route("/archive/retire", post(retire::run))
        .route("/backup", post(backup::take))
        .route("/retention", get(retention::show))
        .route("/retention/run", post(retention::run))
        .route("/retention/holds", post(retention::hold))
        .route("/retention/releases", post(retention::release))
        .route("/retention/traces", get(retention::traces))
        .route("/reports/{name}", post(reports::show))
        .route("/feeds/{format}", get(feeds::export))
        .layer(DefaultBodyLimit::max(BODY_OCTETS_MAX))
        .route_layer(axum::middleware::from_fn_with_state(desk.clone(), sight::gate))
        .with_state(desk);
    Router::new()
        .nest("/api/v1", api)
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
}

#[cfg(test)]
mod tests;
