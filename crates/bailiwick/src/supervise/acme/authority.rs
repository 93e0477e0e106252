//! The way to the authority: HTTPS to the one host that the operator named, a connection for each request.
//!
//! An authority's answers name further places to ask; those on another host are refused, so that no answer can make us
//! call anybody else. Every answer has a size and a time in which it must have come. Redirects are not followed.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::config::Acme;
use crate::failure::{Failure, Tried};

/// From the connection to the last octet of the answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// The largest answer: a chain of eight certificates has some 20 KiB, a directory one.
const ANSWER_OCTETS_MAX: usize = 256 * 1024;
/// The longest wait between two looks that an authority may ask for; an order ends in ten minutes.
const RETRY_AFTER_SECS_MAX: u64 = 600;
/// The largest file of roots: a system's has about 220 KiB.
const ROOTS_OCTETS_MAX: u64 = 4 << 20;

type Sent = Request<BodyWrapper<Bytes>>;
type Answered = Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>>;
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The host, and how its certificate is checked.
#[derive(Clone)]
pub(super) struct Authority {
    host: String,
    port: u16,
    name: ServerName<'static>,
    tls: TlsConnector,
}

impl Authority {
    /// Reads the roots. Nobody is called yet.
    pub(super) fn new(acme: &Acme) -> Result<Self, Failure> {
        let name = ServerName::try_from(acme.host.clone())
            .tried(format_args!("reading the host of `acme.directory`, {}", acme.host))?;
        let file = acme.roots().ok_or_else(|| {
            Failure::new("this system keeps no roots where we look, and [acme] needs some")
                .hint("install ca-certificates, or name a file: roots = \"roots.pem\"")
        })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .tried("setting up TLS towards the authority")?
            .with_root_certificates(roots(&file)?)
            .with_no_client_auth();
        Ok(Self { host: acme.host.clone(), port: acme.port, name, tls: TlsConnector::from(Arc::new(config)) })
    }

    /// Whether a URL that the authority gave leads to itself.
    fn is_at(&self, place: &Uri) -> bool {
        let host = place.host().unwrap_or_default();
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let port = place.port_u16().unwrap_or(443);
        place.scheme_str() == Some("https") && bare.eq_ignore_ascii_case(&self.host) && port == self.port
    }

    async fn ask(self, request: Sent) -> Result<BytesResponse, Cause> {
        let socket = TcpStream::connect((self.host.as_str(), self.port)).await?;
        let stream = self.tls.connect(self.name, socket).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // The set ends the connection when this function does.
        let mut connections = JoinSet::new();
        connections.spawn(connection);
        let (mut parts, body) = sender.send_request(in_origin_form(request)?).await?.into_parts();
        let body = Limited::new(body, ANSWER_OCTETS_MAX).collect().await?.to_bytes();
        drop_odd_wait(&mut parts.headers);
        Ok(Response::from_parts(parts, Full::new(body)).into())
    }
}

impl HttpClient for Authority {
    fn request(&self, request: Sent) -> Answered {
        if !self.is_at(request.uri()) {
            let text = format!("the authority leads to {}, which is not its own host", request.uri());
            return Box::pin(async { Err(Error::Other(text.into())) });
        }
        let asked = tokio::time::timeout(PATIENCE, self.clone().ask(request));
        Box::pin(async move {
            let late = |_| Error::Other(format!("no answer within {} seconds", PATIENCE.as_secs()).into());
            asked.await.map_err(late)?.map_err(Error::Other)
        })
    }
}

/// `https://host:port/path` as HTTP/1.1 wants it on the wire: the path, and the host in a field (RFC 9112, 3.2.1).
fn in_origin_form(mut request: Sent) -> Result<Sent, Cause> {
    let place = request.uri().clone();
    let host = place.authority().map(|authority| HeaderValue::from_str(authority.as_str())).transpose()?;
    request.headers_mut().extend(host.map(|host| (header::HOST, host)));
    *request.uri_mut() = place.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")).into();
    Ok(request)
}

/// The library adds to the clock whatever seconds an authority tells it to wait, and panics beyond the clock's end. A wait
/// that is no number of seconds, or longer than anybody waits here, is as good as none.
fn drop_odd_wait(fields: &mut HeaderMap) {
    let secs = fields.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
    if secs.is_none_or(|secs| secs > RETRY_AFTER_SECS_MAX) {
        fields.remove(header::RETRY_AFTER);
    }
}

/// The certificates of a file, to check others against.
pub(crate) fn roots(file: &Path) -> Result<RootCertStore, Failure> {
    let shown = file.display();
    let tried = format!("reading the roots in {shown}");
    let size = std::fs::metadata(file).tried(&tried)?.len();
    if size > ROOTS_OCTETS_MAX {
        return Err(Failure::new(format!("{shown} has {size} octets; at most {ROOTS_OCTETS_MAX} of roots are read")));
    }
    let pem = std::fs::read(file).tried(&tried)?;
    let mut roots = RootCertStore::empty();
    // A system's file has one or two that no library reads.
    let (added, _) = roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok));
    if added == 0 {
        return Err(Failure::new(format!("{shown} holds no certificate")).hint("PEM: BEGIN CERTIFICATE, one or more"));
    }
    Ok(roots)
}

/// An error of our own that the library can carry.
pub(super) fn other(text: impl Into<String>) -> Error {
    Error::Other(io::Error::other(text.into()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(host: &str, port: u16) -> Authority {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let tls = Arc::new(config.with_root_certificates(RootCertStore::empty()).with_no_client_auth()).into();
        Authority { host: host.to_owned(), port, name: ServerName::try_from(host.to_owned()).unwrap(), tls }
    }

    #[test]
    fn no_answer_leads_to_another_host() {
        for (host, port, place, is_at) in [
            ("acme.example", 443, "https://acme.example/acme/order/1", true),
            ("acme.example", 443, "https://ACME.example:443/", true),
            ("acme.example", 443, "https://acme.example:444/", false),
            ("acme.example", 443, "http://acme.example/", false),
            ("acme.example", 443, "https://acme.example.evil.test/", false),
            ("acme.example", 443, "https://acme.example@evil.test/", false),
            ("acme.example", 443, "https://169.254.169.254/", false),
            ("acme.example", 443, "/acme/order/1", false),
            ("::1", 14000, "https://[::1]:14000/dir", true),
            ("127.0.0.1", 14000, "https://127.0.0.1:14000/dir", true),
            ("127.0.0.1", 14000, "https://127.0.0.2:14000/dir", false),
        ] {
            assert_eq!(authority(host, port).is_at(&place.parse().unwrap()), is_at, "{place}");
        }
    }

    #[test]
    fn a_request_names_its_host_and_its_path_only() {
        let request = Request::builder().uri("https://[::1]:14000/acme?x=1").body(BodyWrapper::default()).unwrap();
        let sent = in_origin_form(request).unwrap();
        assert_eq!(
            (sent.uri().to_string().as_str(), &sent.headers()["host"]),
            ("/acme?x=1", &"[::1]:14000".parse().unwrap())
        );
    }

    #[test]
    fn a_wait_beyond_every_clock_is_none() {
        for (told, is_kept) in
            [("1", true), ("600", true), ("601", false), ("18446744073709551615", false), ("x", false)]
        {
            let mut fields = HeaderMap::from_iter([(header::RETRY_AFTER, told.parse().unwrap())]);
            drop_odd_wait(&mut fields);
            assert_eq!(fields.contains_key(header::RETRY_AFTER), is_kept, "{told}");
        }
    }

    #[test]
    fn roots_are_certificates() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "no certificate").unwrap();
        assert!(format!("{:?}", roots(file.path()).unwrap_err()).contains("holds no certificate"));
        assert!(roots(Path::new("/nowhere/roots.pem")).is_err());
    }
}
