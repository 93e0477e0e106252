//! `/sensors`: who they are, what they have sent, what they serve; offers and revocation.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use docket::Command;
use model::id::{SensorId, SensorName};
use store::view::{SensorView, View};

use crate::api::{OfferDetail, OfferRequest, RevokeRequest, Said, SensorDetail, SensorsTold};
use crate::asker::Asker;
use crate::intake::{Named, Sent};
use crate::problem::{self, Told, bad_request};
use crate::run::Desk;

pub(crate) async fn list(State(desk): State<Desk>) -> Result<Json<SensorsTold>, Told> {
    let view = desk.view().await?;
    let wanted = wanted(&view);
    let mut sensors = Vec::new();
    for (id, sensor) in &view.sensors.known {
        sensors.push(desk.sensor(*id, sensor, wanted).await?);
    }
    let offer = |offer: &store::view::EnrolmentOffer| OfferDetail { name: offer.name.clone(), expires: offer.expires };
    Ok(Json(SensorsTold { wanted, sensors, offers: view.sensors.offers.values().map(offer).collect() }))
}

/// The version behind the last fact that changed what may be served.
fn wanted(view: &View) -> u64 {
    view.cases.values().map(|case| case.changed.0 + 1).max().unwrap_or_default()
}

impl Desk {
    async fn sensor(&self, id: SensorId, sensor: &SensorView, wanted: u64) -> Result<SensorDetail, Told> {
        let received = self.archive.received();
        let lease = received.lease(id).await.map_err(|error| problem::ours(&error))?;
        Ok(SensorDetail {
            sensor: id,
            name: sensor.name.clone(),
            enrolled: sensor.enrolled,
            revoked: sensor.revoked,
            certificate: sensor.certificate,
            received: received.status(id).await.map_err(|error| problem::ours(&error))?,
            lost_segments: sensor.lost_segments,
            lease,
            has_confirmed: lease.is_some_and(|lease| lease.confirmed >= wanted),
        })
    }
}

pub(crate) async fn offer(
    State(desk): State<Desk>,
    asker: Asker,
    Sent(OfferRequest { name, token_sha256, expires }): Sent<OfferRequest>,
) -> Result<(StatusCode, Json<Said>), Told> {
    let said = format!("whoever shows the token before {expires} becomes the sensor {name}");
    desk.execute(Command::OfferEnrolment { name, token: token_sha256, expires }, asker).await?;
    Ok((StatusCode::CREATED, Json(Said { said })))
}

pub(crate) async fn withdraw(
    State(desk): State<Desk>,
    Named(name): Named<SensorName>,
    asker: Asker,
) -> Result<Json<Said>, Told> {
    let said = format!("the token for {name} enrols nobody any more");
    desk.execute(Command::WithdrawOffer { name }, asker).await?;
    Ok(Json(Said { said }))
}

pub(crate) async fn revoke(
    State(desk): State<Desk>,
    Named(id): Named<String>,
    asker: Asker,
    Sent(RevokeRequest { reason }): Sent<RevokeRequest>,
) -> Result<Json<Said>, Told> {
    let no_number = |_| bad_request(format!("`{id}` is no sensor's number"), "`bailiwick sensor list` names them");
    let sensor = SensorId(id.parse().map_err(no_number)?);
    desk.execute(Command::RevokeSensor { sensor, reason }, asker).await?;
    let lease = desk.archive.received().lease(sensor).await.map_err(|error| problem::ours(&error))?;
    let stops = match lease {
        Some(lease) => format!("cut off from us, it stops serving at {} at the latest", lease.until),
        None => "it was never told of any name".to_owned(),
    };
    Ok(Json(Said { said: format!("nothing more is taken from sensor {sensor}; {stops}") }))
}
