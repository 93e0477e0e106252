//! The two ways in, never both: the control socket of a running daemon, or the data folder itself under its lock.
//!
//! Either way a command is one HTTP request to the same API, so that the command line cannot do what the API forbids.
//! Without a daemon the router runs in this process, over the folder that this process has locked.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::{BodyExt, Limited};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::cli::{EngineWord, Place, WhoArgs};
use crate::config::Config;
use crate::failure::{Failure, Tried, code};
use crate::supervise::House;
use crate::terminal;

/// The socket's name within the data folder.
pub(crate) const SOCKET: &str = "control.sock";
/// The largest answer that a command reads.
const ANSWER_OCTETS_MAX: usize = 256 << 20;
/// The longest token file.
const TOKEN_OCTETS_MAX: u64 = 4096;
/// What a file's mode gives to its group and to everybody.
const OTHERS: u32 = 0o077;

//----------- Door -------------------------------------------------------------------------------------------------

/// An open way in.
pub(crate) struct Door {
    runtime: Runtime,
    way: Way,
    /// The token of the person who reads, if not the machine's user.
    reader: Option<String>,
}

enum Way {
    Daemon(PathBuf),
    /// The router, and the folder that it works on, which stays locked as long as this stands.
    Here(Router, House),
}

/// What a route answered.
pub(crate) struct Answer {
    pub(crate) media_type: String,
    pub(crate) file_name: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Door {
    /// Opens the way that there is. `role` stands in the lock while this command works on the folder itself.
    pub(crate) fn open(place: &Place, role: &str) -> Result<Self, Failure> {
        let config = Config::load(place)?;
        let reader = place.reader.as_deref().map(|file| token_in(file, "the reader")).transpose()?;
        Ok(Self { reader, ..Self::into(&config, role)? })
    }

    pub(crate) fn into(config: &Config, role: &str) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().tried("starting a runtime")?;
        let socket = config.data.join(SOCKET);
        let way = if runtime.block_on(UnixStream::connect(&socket)).is_ok() {
            Way::Daemon(socket)
        } else {
            let house = runtime.block_on(House::open(config, role))?;
            Way::Here(house.router_for_this_user(), house)
        };
        Ok(Self { runtime, way, reader: None })
    }

    /// The data folder itself, where no daemon runs; else the door as it is.
    pub(crate) fn into_house(self) -> Result<(Runtime, House), Box<Self>> {
        match self.way {
            Way::Here(_, house) => Ok((self.runtime, house)),
            way @ Way::Daemon(_) => Err(Box::new(Self { way, ..self })),
        }
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.get_as(path, None)
    }

    /// Reads as a person; without a token as whoever `--reader` says, or as the machine's user.
    pub(crate) fn get_as<T: DeserializeOwned>(&self, path: &str, token: Option<&str>) -> Result<T, Failure> {
        let token = token.or(self.reader.as_deref());
        self.read(self.call(request("GET", path, token, Vec::new(), "application/json")?)?)
    }

    pub(crate) fn get_document(&self, path: &str) -> Result<Answer, Failure> {
        self.get_document_as(path, None)
    }

    /// The same as a person.
    pub(crate) fn get_document_as(&self, path: &str, token: Option<&str>) -> Result<Answer, Failure> {
        let token = token.or(self.reader.as_deref());
        self.call(request("GET", path, token, Vec::new(), "application/json")?)
    }

    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        token: Option<&str>,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).expect("a request is plain JSON");
        let token = token.or(self.reader.as_deref());
        self.read(self.call(request("POST", path, token, body, "application/json")?)?)
    }

    /// Posts a file as it is, as a person.
    pub(crate) fn post_file_as<T: DeserializeOwned>(
        &self,
        path: &str,
        body: Vec<u8>,
        media: &str,
        token: &str,
    ) -> Result<T, Failure> {
        self.read(self.call(request("POST", path, Some(token), body, media)?)?)
    }

    /// Posts a file as it is.
    pub(crate) fn post_file<T: DeserializeOwned>(&self, path: &str, body: Vec<u8>, media: &str) -> Result<T, Failure> {
        self.read(self.call(request("POST", path, self.reader.as_deref(), body, media)?)?)
    }

    fn read<T: DeserializeOwned>(&self, answer: Answer) -> Result<T, Failure> {
        serde_json::from_slice(&answer.body).tried("reading the answer of the control socket")
    }

    fn call(&self, request: Request<Body>) -> Result<Answer, Failure> {
        let what = format!("{} {}", request.method(), request.uri().path());
        self.runtime.block_on(async {
            let response = match &self.way {
                Way::Daemon(socket) => over_socket(socket, request).await?,
                Way::Here(router, _) => router.clone().oneshot(request).await.expect("a router never fails"),
            };
            let (head, body) = response.into_parts();
            let body = Limited::new(body, ANSWER_OCTETS_MAX).collect().await;
            let body = body.map_err(|error| Failure::new(format!("reading the answer to {what}: {error}")))?;
            let body = body.to_bytes().to_vec();
            if !head.status.is_success() {
                return Err(problem(&what, head.status.as_u16(), &body));
            }
            let text =
                |name| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
            let file_name = file_name(&text(header::CONTENT_DISPOSITION));
            Ok(Answer { media_type: text(header::CONTENT_TYPE), file_name, body })
        })
    }
}

async fn over_socket(socket: &Path, request: Request<Body>) -> Result<axum::http::Response<Body>, Failure> {
    let stream = UnixStream::connect(socket).await.tried(format_args!("connecting to {}", socket.display()))?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.tried("speaking HTTP over the control socket")?;
    tokio::spawn(connection);
    let response = sender.send_request(request).await.tried("asking the daemon over the control socket")?;
    Ok(response.map(Body::new))
}

fn request(
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Vec<u8>,
    media: &str,
) -> Result<Request<Body>, Failure> {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/api/v1{path}"))
        .header(header::HOST, "bailiwick")
        .header(header::CONTENT_TYPE, media);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    request.body(Body::from(body)).tried("forming the request")
}

/// A text as it may stand in a path or a query parameter (RFC 3986, 2.3).
pub(crate) fn in_query(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

/// The path of a question, and who is to answer it.
pub(crate) fn with_engine(path: &str, engine: Option<EngineWord>) -> String {
    engine.map_or(path.to_owned(), |engine| format!("{path}?engine={}", engine.as_str()))
}

/// `attachment; filename="x"`
fn file_name(disposition: &str) -> Option<String> {
    let (_, name) = disposition.split_once("filename=\"")?;
    let name = name.strip_suffix('"')?;
    let is_plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\']);
    is_plain.then(|| name.to_owned())
}

/// An RFC 9457 problem, as a failure of this command.
fn problem(what: &str, status: u16, body: &[u8]) -> Failure {
    let problem: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |key: &str| problem.get(key).and_then(|value| value.as_str()).map(str::to_owned);
    let message = text("detail").or_else(|| text("title")).unwrap_or_else(|| format!("{what} answered {status}"));
    let failure = Failure::new(message).code(if status == 422 || status == 400 { code::USAGE } else { code::FAILED });
    match text("hint") {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

//----------- Tokens -----------------------------------------------------------------------------------------------

/// Reads a person's token from its file; a token never stands on a command line.
pub(crate) fn token(who: &WhoArgs) -> Result<String, Failure> {
    token_in(&who.token_file, who.person.as_str())
}

pub(crate) fn token_in(file: &Path, holder: &str) -> Result<String, Failure> {
    let shown = file.display();
    let found = std::fs::metadata(file).tried(format_args!("reading the token of {holder} in {shown}"))?;
    if found.permissions().mode() & OTHERS != 0 {
        terminal::say(&format!("others can read {shown}, and act as {holder}: chmod 600 {shown}"));
    }
    let size = found.len();
    if size > TOKEN_OCTETS_MAX {
        return Err(Failure::new(format!("{shown} has {size} octets; a token file has at most {TOKEN_OCTETS_MAX}")));
    }
    let text = std::fs::read_to_string(file).tried(format_args!("reading the token in {shown}"))?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_from_an_answer_cannot_leave_its_folder() {
        assert_eq!(file_name("attachment; filename=\"stix.json\"").as_deref(), Some("stix.json"));
        for bad in [
            "attachment",
            "attachment; filename=\"../x\"",
            "attachment; filename=\"/x\"",
            "attachment; filename=\".x\"",
        ] {
            assert_eq!(file_name(bad), None, "{bad}");
        }
    }
}
