//! The one page with a socket: HTTP to a server, a connection for each request.
//!
//! An INSERT's rows are the body as they lie on disk, handed on in pieces, so that a segment costs some hundred KiB of
//! memory. User and password are fields of the request and stand in no address. What a server says is read to a limit;
//! redirects are not followed; every request has a time in which it must have ended.

use std::fmt::Write as _;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt as _, Either, Full, Limited};
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::{Server, Target};
use crate::Error;

/// Until a connection stands.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// Until a statement or an INSERT has ended, its quorum included.
const PATIENCE: Duration = Duration::from_secs(300);
/// What is read of an answer to a statement, and of an error.
const SAID_OCTETS_MAX: usize = 64 << 10;
/// What of an error is shown.
const SHOWN_CHARS_MAX: usize = 400;
/// A piece of a file on its way, and how many wait.
const PIECE_OCTETS: usize = 64 << 10;
const PIECES: usize = 4;
/// The field in which a server names its error.
const EXCEPTION: &str = "x-clickhouse-exception-code";

/// One request.
pub(super) struct Sent {
    pub(super) sql: String,
    /// Settings, and the names of HTTP parameters.
    pub(super) settings: Vec<(&'static str, String)>,
    pub(super) rows: Rows,
    /// The longest answer that is read.
    pub(super) answer_octets_max: usize,
    pub(super) patience: Duration,
}

/// The rows of an INSERT.
#[derive(Clone)]
pub(super) enum Rows {
    None,
    Held(Bytes),
    File(PathBuf),
}

impl Sent {
    /// A statement without rows.
    pub(super) fn statement(sql: String) -> Self {
        let (settings, rows) = (Vec::new(), Rows::None);
        Self { sql, settings, rows, answer_octets_max: SAID_OCTETS_MAX, patience: PATIENCE }
    }
}

pub(super) struct Client {
    user: String,
    password: Option<Zeroizing<String>>,
    tls: Option<TlsConnector>,
}

impl Client {
    pub(super) fn new(target: &Target, tls: Option<TlsConnector>) -> Self {
        Self { user: target.user.clone(), password: target.password.clone(), tls }
    }

    /// The whole answer, if the server did what it was asked for.
    pub(super) async fn ask(&self, server: &Server, sent: &Sent) -> Result<Vec<u8>, Error> {
        let late = |_| format!("no answer within {} seconds", sent.patience.as_secs());
        let answered = match timeout(sent.patience, self.answered(server, sent)).await.map_err(late) {
            Ok(answered) => answered,
            Err(late) => Err(late),
        };
        answered.map_err(|what| Error::ClickHouse { server: server.to_string(), what })
    }

    async fn answered(&self, server: &Server, sent: &Sent) -> Result<Vec<u8>, String> {
        let connecting = timeout(CONNECT_PATIENCE, TcpStream::connect((server.host.as_str(), server.port)));
        let socket = connecting.await.map_err(|_| "it cannot be reached in time".to_owned())?;
        let socket = socket.map_err(|error| format!("connecting: {error}"))?;
        let request = self.request(server, sent).await?;
        if !server.is_tls {
            return exchange(socket, request, sent.answer_octets_max).await;
        }
        let tls = self.tls.as_ref().ok_or("it is named by https, and no roots were read")?;
        let name = ServerName::try_from(server.host.clone()).map_err(|error| format!("reading its name: {error}"))?;
        let handshake = timeout(CONNECT_PATIENCE, tls.connect(name, socket)).await;
        let stream = handshake.map_err(|_| "the TLS handshake did not end in time".to_owned())?;
        exchange(stream.map_err(|error| format!("TLS: {error}"))?, request, sent.answer_octets_max).await
    }

    async fn request(&self, server: &Server, sent: &Sent) -> Result<Request<Outgoing>, String> {
        let mut request = Request::builder().method("POST").header(header::HOST, server.authority());
        request = request.header("X-ClickHouse-User", &self.user);
        if let Some(password) = &self.password {
            let mut field = header::HeaderValue::from_str(password).map_err(|_| "the password is no visible text")?;
            field.set_sensitive(true);
            request = request.header("X-ClickHouse-Key", field);
        }
        let (sql, rows) = match &sent.rows {
            // A statement may be longer than an address may be.
            Rows::None => (None, Either::Left(Full::new(Bytes::from(sent.sql.clone())))),
            Rows::Held(rows) => (Some(&sent.sql), Either::Left(Full::new(rows.clone()))),
            Rows::File(path) => (Some(&sent.sql), Either::Right(FileBody::open(path.clone()).await?)),
        };
        let query = sql.map(|sql| ("query", sql.as_str())).into_iter();
        let settings = sent.settings.iter().map(|(name, value)| (*name, value.as_str()));
        let parameters: Vec<String> =
            query.chain(settings).map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let request = request.uri(format!("/?{}", parameters.join("&"))).body(rows);
        request.map_err(|error| format!("forming the request: {error}"))
    }
}

/// As it may stand in a query (RFC 3986, 2.3).
fn escaped(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut escaped, octet| {
        match octet {
            b'-' | b'.' | b'_' | b'~' => escaped.push(char::from(octet)),
            octet if octet.is_ascii_alphanumeric() => escaped.push(char::from(octet)),
            octet => write!(escaped, "%{octet:02X}").expect("a String takes everything"),
        }
        escaped
    })
}

async fn exchange<S>(stream: S, request: Request<Outgoing>, octets_max: usize) -> Result<Vec<u8>, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| format!("speaking HTTP: {error}"))?;
    // The set ends the connection when this function does.
    let mut connections = JoinSet::new();
    connections.spawn(connection);
    let answer = sender.send_request(request).await.map_err(|error| format!("sending: {}", with_cause(&error)))?;
    let (head, body) = answer.into_parts();
    let failed = !head.status.is_success() || head.headers.contains_key(EXCEPTION);
    let octets_max = if failed { SAID_OCTETS_MAX } else { octets_max };
    let said = Limited::new(body, octets_max).collect().await;
    let said = said.map_err(|error| format!("reading its answer: {error}"))?.to_bytes();
    if failed {
        return Err(format!("{}: {}", head.status.as_u16(), shown(&said)));
    }
    Ok(said.to_vec())
}

fn with_cause(error: &hyper::Error) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}

/// The beginning of what a server said, as a line that cannot move a cursor.
fn shown(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let plain = text.trim().chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    plain.take(SHOWN_CHARS_MAX).collect()
}

//----------- Bodies -----------------------------------------------------------------------------------------------

type Outgoing = Either<Full<Bytes>, FileBody>;

/// A file as a body of a known length, read piece by piece on a thread of its own. One that turns out shorter breaks the
/// request off: the server then has half a body, and keeps nothing of it.
pub(super) struct FileBody {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    left: u64,
}

impl FileBody {
    async fn open(path: PathBuf) -> Result<Self, String> {
        let shown = path.display().to_string();
        let failed = |error: io::Error| format!("reading {shown}: {error}");
        let file = tokio::fs::File::open(&path).await.map_err(failed)?;
        let left = file.metadata().await.map_err(failed)?.len();
        let (send, pieces) = mpsc::channel(PIECES);
        let mut file = file.into_std().await;
        tokio::task::spawn_blocking(move || {
            loop {
                let mut piece = vec![0; PIECE_OCTETS];
                let read = file.read(&mut piece).map(|octets| {
                    piece.truncate(octets);
                    Bytes::from(piece)
                });
                let is_last = !matches!(&read, Ok(piece) if !piece.is_empty());
                // Whoever wanted it may be gone; the end of the file says nothing more than silence.
                if matches!(&read, Ok(piece) if piece.is_empty()) || send.blocking_send(read).is_err() || is_last {
                    return;
                }
            }
        });
        Ok(Self { pieces, left })
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let Poll::Ready(piece) = self.pieces.poll_recv(task) else { return Poll::Pending };
        Poll::Ready(match piece {
            Some(Ok(piece)) => {
                self.left = self.left.saturating_sub(piece.len() as u64);
                Some(Ok(Frame::data(piece)))
            }
            Some(Err(error)) => Some(Err(error)),
            None if self.left > 0 => Some(Err(io::ErrorKind::UnexpectedEof.into())),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_value_is_an_address() {
        assert_eq!(escaped("a b&c=d/é'"), "a%20b%26c%3Dd%2F%C3%A9%27");
        assert_eq!(shown(b" Code: 60.\x1b[2J\nno table "), "Code: 60. [2J no table");
    }
}
