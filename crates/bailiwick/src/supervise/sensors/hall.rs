//! Where sensors come in: TLS, who it is, and one route for each thing that they may ask.
//!
//! Whoever shows no certificate may join, with a token, and nothing else. Whoever shows one is the sensor that the
//! ledger knows it for, asked anew for each request; what is another sensor's is refused, and recorded.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Extension, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use docket::{Command, Done as Came};
use http_body_util::BodyExt;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use model::Digest;
use model::fact::Actor;
use model::id::SensorId;
use model::segment::SegmentKey;
use model::time::from_nanos;
use serde::Deserialize;
use store::sensors::{Answer, Offer, PROTOCOL, SEGMENT_OCTETS_MAX, accepts};
use store::{Archive, Ledger, Vault};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::notice::Notice;
use super::{
    Authority, CLOCK_FIELD, DIGEST_FIELD, END_FIELD, EnrolAsked, Enrolled, LOST_FIELD, PROTOCOL_FIELD,
    SMALL_OCTETS_MAX, Told,
};
use crate::failure::{Done, Tried};
use crate::supervise::now;

/// Sensors and strangers that are connected at a time.
const CONNECTIONS_MAX: usize = 1_024;
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long the next octets of a request may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one connection may last: a sensor makes one for each request.
const LIFE: Duration = Duration::from_secs(2 * 60 * 60);
/// The same of one that shows no certificate: it may join, which is one request.
const STRANGERS_LIFE: Duration = Duration::from_secs(20);
/// Strangers that are served at a time, so that they take no room from sensors.
const STRANGERS_MAX: usize = 64;
/// Connections of one address. A site with many sensors behind one has a few for each.
const PER_ADDRESS_MAX: usize = 256;
/// Octets that one connection's reader may hold.
const READ_OCTETS_MAX: usize = 64 << 10;
/// Refusals that are remembered, so that each is recorded once.
const REFUSALS_MAX: usize = 1_024;

/// What the core works on.
pub(crate) struct Hall {
    pub(super) ledger: Ledger,
    pub(super) archive: Archive,
    pub(super) vault: Arc<Vault>,
    pub(super) authority: Authority,
    pub(super) notice: Notice,
    refused: Mutex<BTreeSet<(SensorId, SensorId)>>,
}

/// Who is at the other end: SHA-256 of its certificate, if it showed one.
#[derive(Clone, Copy)]
struct Shown(Option<Digest>);

impl Hall {
    pub(crate) fn new(
        ledger: Ledger,
        archive: Archive,
        vault: Arc<Vault>,
        authority: Authority,
        notice: Notice,
    ) -> Self {
        Self { ledger, archive, vault, authority, notice, refused: Mutex::default() }
    }
}

/// Listens until the stop, which waits for nobody: what was not acknowledged comes again.
pub(crate) fn serve(hall: Hall, listeners: Vec<TcpListener>, stopped: &watch::Receiver<bool>) -> Done {
    let acceptor = TlsAcceptor::from(hall.authority.server()?);
    let (router, room) = (router(Arc::new(hall)), Arc::new(Semaphore::new(CONNECTIONS_MAX)));
    let (strangers, places) = (Arc::new(Semaphore::new(STRANGERS_MAX)), Places::default());
    for listener in listeners {
        let listener = tokio::net::TcpListener::from_std(listener).tried("handing a socket to the runtime")?;
        let limits = (Arc::clone(&room), Arc::clone(&strangers), Arc::clone(&places));
        tokio::spawn(accept(listener, acceptor.clone(), router.clone(), limits, stopped.clone()));
    }
    Ok(())
}

async fn accept(
    listener: tokio::net::TcpListener,
    acceptor: TlsAcceptor,
    router: Router,
    (room, strangers, places): (Arc<Semaphore>, Arc<Semaphore>, Places),
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        let permit = Arc::clone(&room).acquire_owned().await.expect("nobody closes the room");
        let accepted = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, source)) = accepted else {
            // No file is left, or the peer went away: others will go too.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Some(place) = Place::take(&places, source.ip()) else { continue };
        let (acceptor, router, mut stopped) = (acceptor.clone(), router.clone(), stopped.clone());
        let strangers = Arc::clone(&strangers);
        tokio::spawn(async move {
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => {}
                () = connection(stream, acceptor, router, strangers) => {}
            }
            drop((permit, place));
        });
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, router: Router, strangers: Arc<Semaphore>) {
    let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await else { return };
    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let shown = Shown(certificate.map(|certificate| Digest::of_bytes(certificate)));
    let (life, _permit) = match shown.0 {
        Some(_) => (LIFE, None),
        None => match strangers.try_acquire_owned() {
            Ok(permit) => (STRANGERS_LIFE, Some(permit)),
            Err(_) => return,
        },
    };
    let service = TowerToHyperService::new(router.layer(Extension(shown)));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(READ_OCTETS_MAX);
    // What goes wrong on a connection is the peer's trouble, and it comes again.
    let _ = timeout(life, http.serve_connection(TokioIo::new(stream), service)).await;
}

/// How many connections each address has.
type Places = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// One connection of an address.
struct Place {
    places: Places,
    address: IpAddr,
}

impl Place {
    /// `None` if the address has as many as it may.
    fn take(places: &Places, address: IpAddr) -> Option<Self> {
        let address = address.to_canonical();
        let mut counts = places.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= PER_ADDRESS_MAX {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Self { places: Arc::clone(places), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

fn router(hall: Arc<Hall>) -> Router {
    Router::new()
        .route("/v1/enrol", post(enrol))
        .route("/v1/segments/{sensor}/{boot}/{lane}/{segment}", put(take))
        .route("/v1/zones", get(zones))
        .route("/v1/zones/{digest}", get(set))
        .route("/v1/files/{digest}", get(file))
        .layer(DefaultBodyLimit::max(SMALL_OCTETS_MAX))
        .layer(middleware::from_fn(same_language))
        .with_state(hall)
}

/// What is said to a sensor that does not get what it asked for.
struct Refused(StatusCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}

fn trouble(error: &(dyn std::error::Error + 'static)) -> Refused {
    tracing::error!(error, "a sensor was not served; it tries again");
    Refused(StatusCode::SERVICE_UNAVAILABLE, "the core has trouble of its own".to_owned())
}

async fn same_language(request: Request, next: Next) -> Response {
    let theirs = request.headers().get(PROTOCOL_FIELD).and_then(|value| value.to_str().ok()?.parse().ok());
    if theirs.is_some_and(|theirs| accepts(PROTOCOL, theirs)) {
        return next.run(request).await;
    }
    let theirs = theirs.map_or_else(|| "none".to_owned(), |theirs: u32| theirs.to_string());
    let oldest = PROTOCOL.saturating_sub(1).max(1);
    let said = format!("this core takes protocol {oldest} to {PROTOCOL}, and the sensor speaks {theirs}");
    Refused(StatusCode::UPGRADE_REQUIRED, said).into_response()
}

impl Hall {
    /// The sensor at the other end.
    async fn known(&self, Shown(certificate): Shown) -> Result<SensorId, Refused> {
        let nobody = || Refused(StatusCode::UNAUTHORIZED, "no certificate of a sensor that is known here".to_owned());
        let certificate = certificate.ok_or_else(nobody)?;
        let view = self.ledger.view().await.map_err(|error| trouble(&error))?;
        view.sensors.by_certificate(&certificate).map(|(id, _)| id).ok_or_else(nobody)
    }

    /// A sensor that speaks for another: once for each pair a fact.
    async fn refuse(&self, sensor: SensorId, other: SensorId) -> Refused {
        let why = format!("sensor {sensor} sends what is sensor {other}'s");
        let is_new = {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            refused.len() < REFUSALS_MAX && refused.insert((sensor, other))
        };
        if is_new {
            let tried = "take a segment".to_owned();
            let command = Command::Refuse { tried, why: why.clone() };
            if let Err(error) = docket::execute(&self.ledger, &self.vault, command, actor(), now()).await {
                tracing::error!(%error, why, "a refusal could not be recorded");
            }
        }
        Refused(StatusCode::FORBIDDEN, why)
    }
}

fn actor() -> Actor {
    Actor::Room { name: "sensors".into() }
}

//----------- Joining ----------------------------------------------------------------------------------------------

async fn enrol(State(hall): State<Arc<Hall>>, Json(asked): Json<EnrolAsked>) -> Result<Json<Enrolled>, Refused> {
    let token = Digest::of_bytes(asked.secret.as_bytes());
    let view = hall.ledger.view().await.map_err(|error| trouble(&error))?;
    let forbidden = |why: String| Refused(StatusCode::FORBIDDEN, why);
    let name = view.sensors.offer(&token, now()).map_err(|refusal| forbidden(refusal.what))?.name.clone();
    let certified = hall.authority.certify(&asked.request, &name);
    let (certificate, digest) = certified.map_err(|error| {
        Refused(StatusCode::BAD_REQUEST, format!("the request for a certificate is not understood: {error}"))
    })?;
    // The ledger decides once more, under its lock: of two that show one token at a time, one joins.
    let command = Command::EnrolSensor { token, certificate: digest };
    let executed = docket::execute(&hall.ledger, &hall.vault, command, actor(), now()).await;
    match executed.map(|executed| executed.done) {
        Ok(Came::SensorEnrolled { sensor, name }) => {
            tracing::info!(%sensor, %name, "a sensor has joined");
            Ok(Json(Enrolled { sensor, name, certificate }))
        }
        Ok(_) => Err(forbidden("nobody joined".to_owned())),
        Err(docket::run::ExecuteError::Refused(refusal)) => Err(forbidden(refusal.what)),
        Err(error) => Err(trouble(&error)),
    }
}

//----------- Segments ---------------------------------------------------------------------------------------------

async fn take(
    State(hall): State<Arc<Hall>>,
    Extension(shown): Extension<Shown>,
    Path(parts): Path<(String, String, String, String)>,
    fields: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let sensor = hall.known(shown).await?;
    let offer = offer(&parts, &fields).map_err(|why| Refused(StatusCode::BAD_REQUEST, why))?;
    if offer.key.sensor != sensor {
        return Err(hall.refuse(sensor, offer.key.sensor).await);
    }
    let key = offer.key;
    let answer = receive(&hall, shown, offer, body).await;
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if !answer.is_receipt() {
        return Ok((status, Json(answer)).into_response());
    }
    match hall.archive.received().receipt(key).await {
        Ok(Some(receipt)) => Ok((status, Json(receipt)).into_response()),
        Ok(None) => Err(Refused(StatusCode::SERVICE_UNAVAILABLE, "its row is gone".to_owned())),
        Err(error) => Err(trouble(&error)),
    }
}

async fn receive(hall: &Hall, shown: Shown, offer: Offer, mut body: Body) -> Answer {
    let mut taking = match hall.archive.received().begin(offer, now()).await {
        Ok(taking) => taking,
        Err(answer) => {
            drain(body).await;
            return answer;
        }
    };
    loop {
        match timeout(PATIENCE, body.frame()).await {
            // It may have been revoked while it sent.
            Ok(None) if hall.known(shown).await.is_err() => return Answer::Busy,
            Ok(None) => return taking.finish(now()).await,
            Ok(Some(Ok(frame))) => {
                let Ok(octets) = frame.into_data() else { continue };
                if let Err(answer) = taking.write(&octets).await {
                    return answer;
                }
            }
            // It was cut, or stalls: nothing of it stays.
            Ok(Some(Err(_))) | Err(_) => return Answer::Broken,
        }
    }
}

/// Reads what comes anyway: closing over it would reset the connection and take our answer with it.
async fn drain(mut body: Body) {
    let mut left = SEGMENT_OCTETS_MAX;
    while left > 0 {
        let Ok(Some(Ok(frame))) = timeout(PATIENCE, body.frame()).await else { return };
        left = left.saturating_sub(frame.data_ref().map_or(0, |octets| octets.len() as u64));
    }
}

fn offer(parts: &(String, String, String, String), fields: &HeaderMap) -> Result<Offer, String> {
    let (sensor, boot, lane, segment) = parts;
    let key: SegmentKey = format!("{sensor}/{boot}/{lane}/{segment}").parse().map_err(|error| format!("{error}"))?;
    if key.boot.0 == 0 {
        return Err("boots count from 1".to_owned());
    }
    let field = |name: &str| fields.get(name).and_then(|value| value.to_str().ok());
    let no_number = |name: &str| format!("{name} is no number");
    let number = |name: &str| field(name).map(|text| text.parse::<i64>().map_err(|_| no_number(name))).transpose();
    let digest = field(DIGEST_FIELD).and_then(|text| text.parse().ok()).ok_or("there is no digest")?;
    let octets =
        field(header::CONTENT_LENGTH.as_str()).and_then(|text| text.parse().ok()).ok_or("there is no length")?;
    let end = number(END_FIELD)?.map(u64::try_from).transpose().map_err(|_| "an end is not negative")?;
    let clock = number(CLOCK_FIELD)?.map(from_nanos);
    Ok(Offer { key, digest, octets, end, lost_before: field(LOST_FIELD) == Some("yes"), clock })
}

//----------- Zones ------------------------------------------------------------------------------------------------

/// What a sensor says that it serves.
#[derive(Deserialize)]
struct Serves {
    #[serde(default)]
    version: u64,
}

async fn zones(
    State(hall): State<Arc<Hall>>,
    Extension(shown): Extension<Shown>,
    Query(Serves { version }): Query<Serves>,
) -> Result<Json<Told>, Refused> {
    let sensor = hall.known(shown).await?;
    let granted = hall.notice.grant(&hall, sensor, version).await;
    granted.map(|grant| Json(Told { grant })).map_err(|failure| Refused(StatusCode::SERVICE_UNAVAILABLE, failure))
}

async fn set(
    State(hall): State<Arc<Hall>>,
    Extension(shown): Extension<Shown>,
    Path(digest): Path<String>,
) -> Result<Body, Refused> {
    hall.known(shown).await?;
    let digest: Option<Digest> = digest.parse().ok();
    let bulletin = digest.and_then(|digest| hall.notice.find(&digest));
    let gone = || Refused(StatusCode::NOT_FOUND, "that set is not told any more; ask for a grant".to_owned());
    Ok(Body::from(Bytes::from_owner(bulletin.ok_or_else(gone)?.octets)))
}

/// The owner's records that a name of the set needs, and no other file of the vault.
async fn file(
    State(hall): State<Arc<Hall>>,
    Extension(shown): Extension<Shown>,
    Path(digest): Path<String>,
) -> Result<Vec<u8>, Refused> {
    hall.known(shown).await?;
    let gone = || Refused(StatusCode::NOT_FOUND, "no name of the set needs that file".to_owned());
    let digest: Digest = digest.parse().map_err(|_| gone())?;
    if !hall.notice.needs(&digest) {
        return Err(gone());
    }
    let vault = Arc::clone(&hall.vault);
    let read = tokio::task::spawn_blocking(move || vault.get(&digest)).await.map_err(|error| trouble(&error))?;
    read.map_err(|error| trouble(&error))?.ok_or_else(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_read_whole_or_not_at_all() {
        let parts = |text: &str| {
            let parts: Vec<String> = text.split('/').map(str::to_owned).collect();
            let [sensor, boot, lane, segment] = parts.try_into().unwrap();
            (sensor, boot, lane, segment)
        };
        let digest = Digest([7; 32]).to_string();
        let fields = |pairs: &[(&'static str, &str)]| {
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect::<HeaderMap>()
        };
        let key = "00000002/00000003/0001/0000000a";
        let whole = [(DIGEST_FIELD, digest.as_str()), ("content-length", "64"), (CLOCK_FIELD, "5"), (END_FIELD, "9")];
        let read = offer(&parts(key), &fields(&whole)).unwrap();
        assert_eq!((read.key.to_string().as_str(), read.octets, read.end), (key, 64, Some(9)));
        assert!(!read.lost_before && read.clock == Some(from_nanos(5)));
        assert!(offer(&parts(key), &fields(&whole[1..])).is_err(), "no digest");
        assert!(offer(&parts(key), &fields(&whole[..1])).is_err(), "no length");
        assert!(offer(&parts("00000002/00000000/0001/0000000a"), &fields(&whole)).is_err(), "boot 0");
        assert!(offer(&parts("2/3/1/a"), &fields(&whole)).is_err());
        let odd = [whole[0], whole[1], (END_FIELD, "-1")];
        assert!(offer(&parts(key), &fields(&odd)).is_err());
    }
}
