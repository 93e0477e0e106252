//! HTTP, as a client with limits: RDAP servers, and the trap at the address that our own servers give.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http_body_util::{BodyExt, Collected, Empty, Limited};
use hyper::body::Bytes;
use hyper::header::HeaderValue;
use hyper::http::response::Parts;
use hyper::{Request, Uri, header};
use hyper_util::rt::TokioIo;
use model::visit::HEADER;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::lookup_host;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::exchange::{Pace, connect};
use crate::rdap::ANSWER_OCTETS_MAX;
use crate::unbelief;
use crate::verify::seen::{Unheard, WebAnswer};
use crate::verify::settings::Settings;

/// From the connection to the last octet.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest head that is read.
const HEAD_OCTETS_MAX: usize = 64 << 10;
/// The most of a page that is read: only its status matters.
const PAGE_OCTETS_MAX: usize = 256 << 10;
/// The longest that whoever answers may call himself.
const SERVER_CHARS_MAX: usize = 80;

/// A status and a body.
pub(super) type Answer = (u16, Bytes);

//----------- RDAP -------------------------------------------------------------------------------------------------

/// Asks an RDAP server that the operator's file names.
pub(super) async fn rdap(settings: &Settings, pace: &Pace, url: &str, exercise: bool) -> Result<Answer, String> {
    let uri: Uri = url.parse().map_err(|_| format!("{url} is no URL"))?;
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let is_secure = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
    let literal: Option<IpAddr> = host.parse().ok();
    if exercise && !literal.is_some_and(|address| address.is_loopback()) {
        return Err(format!("{host} was not asked: an exercise stays on this machine"));
    }
    let address = match literal {
        Some(address) => SocketAddr::new(address, port),
        None => {
            let mut found = lookup_host((host.as_str(), port)).await.map_err(|error| format!("{host}: {error}"))?;
            found.next().ok_or_else(|| format!("{host} has no address"))?
        }
    };
    pace.wait(address.ip(), settings.rate_per_sec).await?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path)
        .header(header::HOST, uri.authority().map_or(host.as_str(), |authority| authority.as_str()))
        .header(header::ACCEPT, "application/rdap+json");
    let request = request.body(Empty::new()).map_err(|error| error.to_string())?;
    let call = async {
        let stream = connect(settings, address).await?;
        if !is_secure {
            return send(stream, request, ANSWER_OCTETS_MAX).await;
        }
        let tls = settings.rdap_tls.clone().ok_or("this system keeps no roots to check HTTPS with")?;
        let name = ServerName::try_from(host.clone()).map_err(|error| error.to_string())?;
        let stream = TlsConnector::from(tls).connect(name, stream).await.map_err(|error| error.to_string())?;
        send(stream, request, ANSWER_OCTETS_MAX).await
    };
    timeout(PATIENCE, call).await.unwrap_or_else(|_| Err(format!("no answer in {PATIENCE:?}")))
}

//----------- The trap ---------------------------------------------------------------------------------------------

/// Visits the trap as `name`. Any certificate will do: who answers proves himself by our key.
pub(super) async fn visit(
    settings: &Settings,
    address: SocketAddr,
    name: &str,
    is_secure: bool,
    sign: &str,
) -> Result<WebAnswer, Unheard> {
    let request = Request::get("/").header(header::HOST, name).header(header::USER_AGENT, "bailiwick-verify");
    let request = request.header(HEADER, sign).header(header::CONNECTION, "close");
    let request = request.body(Empty::new()).map_err(|error| Unheard::Ours(error.to_string()))?;
    let call = async {
        let stream = connect(settings, address).await?;
        if !is_secure {
            return Ok(exchange(stream, request, PAGE_OCTETS_MAX).await?);
        }
        let name = ServerName::try_from(name.to_owned()).map_err(|error| Unheard::Ours(error.to_string()))?;
        let tls = unbelief::client().map_err(|error| Unheard::Ours(error.to_string()))?;
        let stream = TlsConnector::from(tls).connect(name, stream).await.map_err(|error| error.to_string())?;
        Ok(exchange(stream, request, PAGE_OCTETS_MAX).await?)
    };
    let answer = timeout(PATIENCE, call).await.unwrap_or_else(|_| Err(format!("no answer in {PATIENCE:?}").into()));
    // Who answers is said in the head, however long the page is.
    answer.map(|(head, _)| answered(settings, &head, sign))
}

fn answered(settings: &Settings, head: &Parts, sign: &str) -> WebAnswer {
    let proof = head.headers.get(HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
    let words = |value: &HeaderValue| {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        text.chars().filter(|one| !one.is_control()).take(SERVER_CHARS_MAX).collect::<String>()
    };
    WebAnswer {
        status: head.status.as_u16(),
        is_ours: settings.key.is_proof(sign, proof),
        server: head.headers.get(header::SERVER).map(words).filter(|text| !text.is_empty()),
    }
}

async fn send(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Empty<Bytes>>,
    octets_max: usize,
) -> Result<Answer, String> {
    let (head, body) = exchange(stream, request, octets_max).await?;
    let status = head.status.as_u16();
    body.map(|body| (status, body)).map_err(|error| format!("reading the answer ({status}): {error}"))
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Empty<Bytes>>,
    octets_max: usize,
) -> Result<(Parts, Result<Bytes, String>), String> {
    let mut http = hyper::client::conn::http1::Builder::new();
    http.max_buf_size(HEAD_OCTETS_MAX);
    let (mut sender, connection) =
        http.handshake(TokioIo::new(stream)).await.map_err(|error: hyper::Error| error.to_string())?;
    // The set ends the connection when this function does.
    let mut running = JoinSet::new();
    running.spawn(connection);
    let response = sender.send_request(request).await.map_err(|error| format!("no HTTP answer: {error}"))?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, octets_max).collect().await;
    Ok((head, body.map(Collected::to_bytes).map_err(|error| error.to_string())))
}
