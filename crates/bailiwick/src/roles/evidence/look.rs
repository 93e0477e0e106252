//! One HTTP exchange through a proxy, octet by octet, bounded in size and time. Nothing is followed, nothing decoded.
//!
//! A server that is looked at may be the group's own: whatever certificate it shows is kept and not judged. The services that
//! the operator names (RDAP, DNS over HTTPS, time) are checked against roots.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use axum::http::Uri;
use docket::unbelief;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_pki_types::{CertificateDer, ServerName};

use crate::config::{Evidence, bare};
use crate::failure::Failure;
use crate::supervise::read_roots;

/// The longest head of a response, and of the proxy's own.
const HEAD_OCTETS_MAX: usize = 64 << 10;
/// How long a connection may take to stand, and a peer may say nothing.
const SILENCE_SECS: u64 = 20;

/// How to look.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) proxy: Option<(String, u16)>,
    config: Arc<ClientConfig>,
    body_octets_max: usize,
    total: Duration,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) url: String,
    pub(super) method: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) status: u16,
    /// As received, with the empty line.
    pub(super) head: Vec<u8>,
    /// Without the framing of chunks.
    pub(super) body: Vec<u8>,
    /// More came than is kept, or it did not come whole.
    pub(super) is_cut: bool,
    /// As the server showed it.
    pub(super) chain: Vec<CertificateDer<'static>>,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let head = String::from_utf8_lossy(&self.head);
        let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let mut found = lines.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim().to_owned())
    }
}

impl Way {
    /// To a server of which nothing is believed.
    pub(super) fn unbelieving(evidence: &Evidence) -> Result<Self, Failure> {
        let config = unbelief::client().map_err(|error| Failure::new(format!("setting up TLS: {error}")))?;
        Ok(Self::new(evidence, config))
    }

    /// To a service that the operator names.
    pub(super) fn checked(evidence: &Evidence) -> Result<Self, Failure> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = match evidence.roots() {
            Some(file) => read_roots(&file)?,
            None => rustls::RootCertStore::empty(),
        };
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| Failure::new(format!("setting up TLS: {error}")))?;
        Ok(Self::new(evidence, Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
    }

    fn new(evidence: &Evidence, config: Arc<ClientConfig>) -> Self {
        let total = Duration::from_secs(evidence.timeout_secs.into());
        let proxy = evidence.proxy();
        Self { proxy, config, body_octets_max: evidence.page_octets_max(), total }
    }

    /// One exchange. After the head what came in time is kept. A peer that drips its head is left to its thread, which ends
    /// with the program.
    pub(super) fn look(&self, ask: &Ask) -> Result<Seen, String> {
        let (sender, receiver) = mpsc::channel();
        let (way, ask) = (self.clone(), ask.clone());
        std::thread::spawn(move || sender.send(way.exchange(&ask).map_err(|error| error.to_string())));
        let secs = self.total.as_secs();
        // The last read of a body may begin just before its time is over.
        receiver
            .recv_timeout(self.total + self.silence())
            .unwrap_or_else(|_| Err(format!("it took more than {secs} seconds")))
    }

    fn silence(&self) -> Duration {
        Duration::from_secs(SILENCE_SECS).min(self.total)
    }

    fn exchange(&self, ask: &Ask) -> io::Result<Seen> {
        let until = clock() + self.total;
        let uri: Uri = ask.url.parse().map_err(|_| invalid("this is no URL"))?;
        let host = bare(uri.host().ok_or_else(|| invalid("the URL names no host"))?).to_owned();
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(invalid("only http and https are looked at")),
        };
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let (proxy_host, proxy_port) = self.proxy.clone().unwrap_or_else(|| (host.clone(), port));
        let mut stream = connect((proxy_host.as_str(), proxy_port), self.silence())?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        if !is_tls {
            let target = if self.proxy.is_some() { ask.url.as_str() } else { path };
            stream.write_all(&request(ask, target, &uri))?;
            let seen = self.receive(&mut stream, until)?;
            return match seen.status {
                407 if self.proxy.is_some() => Err(io::Error::other("the proxy answered with 407")),
                _ => Ok(seen),
            };
        }
        if self.proxy.is_some() {
            tunnel(&mut stream, uri.host().unwrap_or_default(), port)?;
        }
        let name = ServerName::try_from(host).map_err(|_| invalid("TLS takes no such name"))?;
        let client = ClientConnection::new(Arc::clone(&self.config), name).map_err(io::Error::other)?;
        let mut tls = StreamOwned::new(client, stream);
        tls.write_all(&request(ask, path, &uri))?;
        let mut seen = self.receive(&mut tls, until)?;
        seen.chain =
            tls.conn.peer_certificates().unwrap_or_default().iter().map(|one| one.clone().into_owned()).collect();
        Ok(seen)
    }

    fn receive(&self, stream: &mut impl Read, until: Instant) -> io::Result<Seen> {
        let (head, mut rest) = read_head(stream)?;
        let status = status(&head)?;
        let mut seen = Seen { status, head, body: Vec::new(), is_cut: false, chain: Vec::new() };
        let is_chunked = seen.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
        let length = seen.header("content-length").filter(|_| !is_chunked);
        let length = length.and_then(|length| length.parse::<usize>().ok());
        let wanted = length.unwrap_or(usize::MAX).min(self.body_octets_max + 1);
        let (mut chunks, mut is_broken) = (Chunks::default(), false);
        let mut part = [0; 16 << 10];
        while rest.len() < wanted && !(is_chunked && chunks.have_ended(&rest)) {
            if clock() >= until {
                is_broken = true;
                break;
            }
            match stream.read(&mut part) {
                Ok(0) => break,
                Ok(count) => rest.extend_from_slice(&part[..count]),
                // Many servers close TLS without saying so.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                Err(_) => {
                    is_broken = true;
                    break;
                }
            }
        }
        let is_short = length.is_some_and(|length| rest.len() < length) || is_chunked && !chunks.have_ended(&rest);
        seen.is_cut = is_broken || is_short || rest.len() > self.body_octets_max;
        rest.truncate(self.body_octets_max);
        seen.body = if is_chunked { unchunked(&rest) } else { rest };
        Ok(seen)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the door to what is looked at: it waits for peers")]
fn clock() -> Instant {
    Instant::now()
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

fn connect(place: (&str, u16), silence: Duration) -> io::Result<TcpStream> {
    let mut last = invalid("the host has no address");
    for address in place.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, silence) {
            Ok(stream) => {
                stream.set_read_timeout(Some(silence))?;
                stream.set_write_timeout(Some(silence))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn request(ask: &Ask, target: &str, uri: &Uri) -> Vec<u8> {
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let mut head = format!("{} {target} HTTP/1.1\r\nHost: {host}\r\n", ask.method);
    for (name, value) in &ask.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !ask.body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", ask.body.len()));
    }
    head.push_str("Accept-Encoding: identity\r\nConnection: close\r\n\r\n");
    [head.as_bytes(), &ask.body].concat()
}

/// Asks the proxy for a way through (RFC 9110, 9.3.6).
fn tunnel(stream: &mut TcpStream, host: &str, port: u16) -> io::Result<()> {
    stream.write_all(format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n").as_bytes())?;
    let (head, rest) = read_head(stream)?;
    let status = status(&head)?;
    if (200..300).contains(&status) && rest.is_empty() {
        return Ok(());
    }
    Err(io::Error::other(format!("the proxy answered CONNECT with {status}")))
}

/// The head with its empty line, and what came behind it.
fn read_head(stream: &mut impl Read) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut octets = Vec::new();
    let mut part = [0; 4096];
    loop {
        if let Some(at) = octets.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = octets.split_off(at + 4);
            return Ok((octets, rest));
        }
        if octets.len() > HEAD_OCTETS_MAX {
            return Err(io::Error::other(format!("the head of the response has more than {HEAD_OCTETS_MAX} octets")));
        }
        match stream.read(&mut part)? {
            0 => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended before a head did")),
            count => octets.extend_from_slice(&part[..count]),
        }
    }
}

fn status(head: &[u8]) -> io::Result<u16> {
    let line = head.split(|octet| *octet == b'\r').next().unwrap_or_default();
    let status = std::str::from_utf8(line).ok().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    status.ok_or_else(|| io::Error::other("the answer is no HTTP/1"))
}

/// How far a body in chunks has come: where the next one begins, and whether the last one was there.
#[derive(Debug, Default)]
struct Chunks {
    next: usize,
    is_last: bool,
}

impl Chunks {
    /// `octets`: all that came so far.
    fn have_ended(&mut self, octets: &[u8]) -> bool {
        while !self.is_last {
            let rest = octets.get(self.next..).unwrap_or_default();
            let Some((size, from)) = chunk_size(rest) else { break };
            self.is_last = size == 0;
            let Some(next) = self.next.checked_add(from).and_then(|at| at.checked_add(size)?.checked_add(2)) else {
                break;
            };
            self.next = next;
        }
        self.is_last
    }
}

/// The size of the chunk in front, and where its octets begin.
fn chunk_size(octets: &[u8]) -> Option<(usize, usize)> {
    let end = octets.windows(2).position(|two| two == b"\r\n")?;
    let size = std::str::from_utf8(&octets[..end]).ok()?.split(';').next()?;
    Some((usize::from_str_radix(size.trim(), 16).ok()?, end + 2))
}

/// Chunks put together (RFC 9112, 7.1), as far as they came; whatever is no chunk ends it.
fn unchunked(octets: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    let mut rest = octets;
    while let Some((size, from)) = chunk_size(rest).filter(|(size, _)| *size > 0) {
        let from = &rest[from..];
        body.extend_from_slice(&from[..size.min(from.len())]);
        let Some(next) = size.checked_add(2).and_then(|next| from.get(next..)) else { break };
        rest = next;
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_put_together_as_far_as_they_came() {
        for (octets, body) in [
            (&b"4\r\nWiki\r\n5;x=y\r\npedia\r\n0\r\n\r\n"[..], &b"Wikipedia"[..]),
            (b"5\r\nWi", b"Wi"),
            (b"ffffffffffffffff\r\nx", b"x"),
            (b"no chunk", b""),
        ] {
            assert_eq!(unchunked(octets), body);
        }
    }

    #[test]
    fn chunks_end_with_the_last_one_and_not_before() {
        let octets = b"4\r\nWiki\r\n5;x=y\r\npedia\r\n0\r\n\r\n";
        let mut chunks = Chunks::default();
        let ended: Vec<bool> = (0..=octets.len()).map(|end| chunks.have_ended(&octets[..end])).collect();
        let last = octets.len() - 2;
        assert_eq!(ended, (0..=octets.len()).map(|end| end >= last).collect::<Vec<_>>());
        assert!(!Chunks::default().have_ended(b"ffffffffffffffff\r\nx"));
        assert!(!Chunks::default().have_ended(b"no chunk\r\n"));
    }

    #[test]
    fn a_head_ends_where_it_ends_and_is_bounded() {
        let (head, rest) = read_head(&mut &b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\nbody"[..]).unwrap();
        assert_eq!((status(&head).unwrap(), rest.as_slice()), (302, &b"body"[..]));
        assert!(read_head(&mut &b"HTTP/1.1 200"[..]).is_err());
        assert!(read_head(&mut io::repeat(b'a')).is_err());
        assert!(status(b"SSH-2.0\r\n").is_err());
    }
}
