//! `GET /dns`: the DNS plane, listener by listener.

use axum::Json;
use axum::extract::State;
use model::seizure::ServiceMode;
use store::view::View;

use crate::api::{DnsStatus, ZoneCounts};
use crate::problem::Told;
use crate::run::Desk;

pub(crate) async fn show(State(desk): State<Desk>) -> Result<Json<DnsStatus>, Told> {
    let view = desk.view().await?;
    Ok(Json(DnsStatus { zones: zones(&view), live: desk.status.dns() }))
}

fn zones(view: &View) -> ZoneCounts {
    let mut counts = ZoneCounts::default();
    for name in view.cases.values().flat_map(|case| case.names.values()) {
        match name.mode {
            Some(ServiceMode::Collect) => counts.collect += 1,
            Some(ServiceMode::Hold) => counts.hold += 1,
            Some(ServiceMode::Handback) => counts.handback += 1,
            Some(ServiceMode::Off) | None => {}
        }
    }
    counts
}
