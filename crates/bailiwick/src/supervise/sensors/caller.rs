//! The sensor's requests: one connection each, to the one core that it believes.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Body;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use store::sensors::PROTOCOL;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::identity::{Identity, of_base64};
use super::{CORE_NAME, PROTOCOL_FIELD};
use crate::config::host_and_port;
use crate::failure::{Failure, Tried};

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take, beside what its octets take.
const ANSWER: Duration = Duration::from_secs(30);
/// The slowest line that is worth waiting for, in octets a second.
const SLOWEST: u64 = 16 << 10;

/// The way to one core.
#[derive(Clone)]
pub(crate) struct Caller {
    host: String,
    port: u16,
    tls: TlsConnector,
}

/// What came back.
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl Caller {
    /// As a sensor that has joined.
    pub(crate) fn new(identity: &Identity) -> Result<Self, Failure> {
        let certificate = CertificateDer::from_pem_slice(identity.certificate.as_bytes());
        let certificate = certificate.tried("reading the sensor's certificate")?;
        let key = PrivateKeyDer::from_pem_slice(identity.key.0.as_bytes()).tried("reading the sensor's key")?;
        Self::with(&identity.core, &identity.authority, Some((certificate, key)))
    }

    /// As nobody yet.
    pub(super) fn unknown(core: &str, authority: &str) -> Result<Self, Failure> {
        Self::with(core, authority, None)
    }

    fn with(
        core: &str,
        authority: &str,
        own: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
    ) -> Result<Self, Failure> {
        let (host, port) = host_and_port(core).ok_or_else(|| Failure::new(format!("{core} is no host and port")))?;
        let mut roots = RootCertStore::empty();
        roots.add(of_base64(authority)?.into()).tried("reading the authority of the core")?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13]);
        let config = config.tried("setting up TLS to the core")?.with_root_certificates(roots);
        let config = match own {
            Some((certificate, key)) => config.with_client_auth_cert(vec![certificate], key),
            None => Ok(config.with_no_client_auth()),
        };
        let config = Arc::new(config.tried("setting up TLS to the core")?);
        Ok(Self { host: host.to_owned(), port, tls: config.into() })
    }

    pub(super) async fn get(&self, path: &str, octets_max: u64) -> Result<Answered, Failure> {
        let body = Full::new(Bytes::new());
        self.ask((Method::GET, path, HeaderMap::new()), body, octets_max, ANSWER + transit(octets_max)).await
    }

    pub(super) async fn post(&self, path: &str, body: Vec<u8>, octets_max: u64) -> Result<Answered, Failure> {
        let json = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        self.ask((Method::POST, path, json), Full::new(body.into()), octets_max, ANSWER).await
    }

    /// Sends a body of so many octets as it is read.
    pub(super) async fn put<B>(&self, path: &str, fields: HeaderMap, body: B, octets: u64) -> Result<Answered, Failure>
    where
        B: Body<Data = Bytes, Error = std::io::Error> + Send + Unpin + 'static,
    {
        let most = super::SMALL_OCTETS_MAX as u64;
        self.ask((Method::PUT, path, fields), body, most, ANSWER + transit(octets)).await
    }

    async fn ask<B>(
        &self,
        (method, path, mut fields): (Method, &str, HeaderMap),
        body: B,
        octets_max: u64,
        patience: Duration,
    ) -> Result<Answered, Failure>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: std::error::Error + Send + Sync,
    {
        let tried = format!("asking the core at {}:{}", self.host, self.port);
        fields.insert(PROTOCOL_FIELD, PROTOCOL.into());
        fields.insert(header::HOST, CORE_NAME.parse().expect("a name is a field"));
        let mut request = Request::builder().method(method).uri(path).body(body).tried(&tried)?;
        request.headers_mut().extend(fields);
        let late = || Failure::new(format!("{tried}: no answer in time"));
        let stream = timeout(CONNECT, self.connect()).await.map_err(|_| late())?.tried(&tried)?;
        let answered = async {
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.tried(&tried)?;
            let connection = tokio::spawn(connection);
            let answer = sender.send_request(request).await;
            let answered = match answer.tried(&tried) {
                Ok(answer) => {
                    let status = answer.status();
                    let limit = usize::try_from(octets_max).unwrap_or(usize::MAX);
                    let body = Limited::new(answer.into_body(), limit).collect().await;
                    let body = body.map_err(|error| Failure::new(format!("{tried}: {error}")));
                    body.map(|body| Answered { status, body: body.to_bytes() })
                }
                Err(failure) => Err(failure),
            };
            connection.abort();
            answered
        };
        timeout(patience, answered).await.map_err(|_| late())?
    }

    async fn connect(&self) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        let name = ServerName::try_from(CORE_NAME).expect("it is a name");
        self.tls.connect(name, stream).await
    }
}

fn transit(octets: u64) -> Duration {
    Duration::from_secs(octets / SLOWEST)
}

impl Answered {
    /// The body of a success; what the core says otherwise is the failure.
    pub(super) fn good(self, what: &str) -> Result<Bytes, Failure> {
        if self.status.is_success() {
            return Ok(self.body);
        }
        let said: String = String::from_utf8_lossy(&self.body).chars().take(300).collect();
        Err(Failure::new(format!("{what}: the core says {}: {said}", self.status)))
    }
}
