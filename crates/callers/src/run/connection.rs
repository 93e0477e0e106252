//! Connections from a caller's own address, plain or TLS, with each step counted as it happens.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use model::contact::Kind;
use rustls::client::Resumption;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, SupportedProtocolVersion};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::World;
use super::dangerous::AcceptAnything;
use crate::Error;
use crate::act::{Door, TlsVersions};

/// How long a connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a handshake, or an answer, may take.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long we wait for the server's end of a connection that we have ended.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(5);
/// The most octets of an answer that a caller reads.
pub(super) const ANSWER_LEN_MAX: usize = 1 << 20;

/// Anything that HTTP can be spoken over.
pub(super) trait Octets: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Octets for T {}

/// Why there is no connection.
pub(super) enum NoLine {
    /// Worth another try: refused, reset before anything was said, or too slow.
    Connect,
    /// The server refused the handshake. It would again.
    Handshake,
}

impl World {
    /// Connects from the caller's address; counts the connection.
    pub(super) async fn connect(&self, from: Ipv4Addr, to: SocketAddr) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((from, 0)))?;
        let stream = timeout(CONNECT_TIMEOUT, socket.connect(to)).await??;
        self.books.sent(Kind::Connection);
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Connects through a door; counts connection and hello.
    pub(super) async fn enter(&self, from: Ipv4Addr, door: &Door) -> Result<Box<dyn Octets>, NoLine> {
        let (sni, versions) = match door {
            Door::Plain => {
                let stream = self.connect(from, self.plan.http).await.map_err(|_| NoLine::Connect)?;
                return Ok(Box::new(stream));
            }
            Door::Tls { sni, versions } => (sni, *versions),
        };
        let stream = self.connect(from, self.plan.https).await.map_err(|_| NoLine::Connect)?;
        let server_name = match sni {
            Some(name) => ServerName::try_from(name.as_str().to_owned()).expect("a domain name is a server name"),
            None => ServerName::from(self.plan.https.ip()),
        };
        // The hello is the first write on a fresh connection: it fits the empty buffer as a whole.
        self.books.sent(Kind::Hello);
        let handshake = TlsConnector::from(self.tls.pick(versions)).connect(server_name, stream);
        match timeout(ANSWER_TIMEOUT, handshake).await {
            Ok(Ok(stream)) => {
                self.heard_tls("completed");
                Ok(Box::new(stream))
            }
            // What rustls cannot go on with came from the server: an alert.
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                self.heard_tls("refused");
                Err(NoLine::Handshake)
            }
            Ok(Err(_)) => Err(NoLine::Handshake),
            Err(_) => Err(NoLine::Connect),
        }
    }

    fn heard_tls(&self, how: &str) {
        self.books.answered(Kind::Connection);
        self.books.answered(Kind::Hello);
        self.books.said(format!("tls {how}"));
    }
}

/// Ends our side and waits for the server's end, so that everything said was heard. Returns what still came.
pub(super) async fn farewell(mut line: impl Octets) -> Vec<u8> {
    let mut rest = Vec::new();
    let wait = async {
        line.shutdown().await?;
        (&mut line).take(ANSWER_LEN_MAX as u64).read_to_end(&mut rest).await
    };
    // A server that resets instead of closing has also ended; one that does neither is left alone.
    let _ = timeout(FAREWELL_TIMEOUT, wait).await;
    rest
}

//----------- TlsSetups --------------------------------------------------------------------------------------------

/// Client set-ups by the versions that they offer.
pub(super) struct TlsSetups {
    both: Arc<ClientConfig>,
    only_12: Arc<ClientConfig>,
    only_13: Arc<ClientConfig>,
}

impl TlsSetups {
    pub(super) fn new() -> Result<Self, Error> {
        Ok(Self { both: setup(&[&TLS13, &TLS12])?, only_12: setup(&[&TLS12])?, only_13: setup(&[&TLS13])? })
    }

    fn pick(&self, versions: TlsVersions) -> Arc<ClientConfig> {
        Arc::clone(match versions {
            TlsVersions::Both => &self.both,
            TlsVersions::Only12 => &self.only_12,
            TlsVersions::Only13 => &self.only_13,
        })
    }
}

fn setup(versions: &[&'static SupportedProtocolVersion]) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(AcceptAnything::offering(&provider));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    // Callers share this set-up, and a ticket of one in the hello of another would make them one.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}
