//! A server that answers everything and counts by kind: queries, connections, hellos, requests.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::LazyConfigAcceptor;

use super::Kind;
use crate::tally::ByKind;

pub(super) struct Server {
    pub(super) dns: SocketAddr,
    pub(super) http: SocketAddr,
    pub(super) https: SocketAddr,
    books: Books,
}

/// A port that is free for UDP may be somebody's for TCP, such as a connection's of another test.
async fn one_port_for_both() -> (UdpSocket, TcpListener) {
    for _ in 0..100 {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
    panic!("no port was free for UDP and TCP in 100 tries");
}

#[derive(Clone, Default)]
struct Books(Arc<Mutex<ByKind>>);

impl Books {
    fn hear(&self, kind: Kind) {
        self.0.lock().unwrap().add(kind, 1);
    }
}

impl Server {
    pub(super) async fn start() -> Self {
        let books = Books::default();
        let (udp, tcp) = one_port_for_both().await;
        let dns = udp.local_addr().unwrap();
        tokio::spawn(answer_datagrams(udp, books.clone()));
        listen(tcp, books.clone(), answer_messages);
        let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let https = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (http_at, https_at) = (http.local_addr().unwrap(), https.local_addr().unwrap());
        listen(http, books.clone(), answer_requests);
        let config = tls_config();
        listen(https, books.clone(), move |stream, books| answer_hello(stream, books, Arc::clone(&config)));
        Self { dns, http: http_at, https: https_at, books }
    }

    pub(super) fn heard(&self) -> ByKind {
        *self.books.0.lock().unwrap()
    }

    /// Waits until all of it was heard: who sends and leaves at once is heard a moment later.
    pub(super) async fn has_heard(&self, sent: ByKind) {
        for _ in 0..1_000 {
            if self.heard() == sent {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn listen<F>(listener: TcpListener, books: Books, serve: impl Fn(TcpStream, Books) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            books.hear(Kind::Connection);
            tokio::spawn(serve(stream, books.clone()));
        }
    });
}

//----------- DNS --------------------------------------------------------------------------------------------------

async fn answer_datagrams(socket: UdpSocket, books: Books) {
    let mut packet = [0; 65_535];
    loop {
        let (len, peer) = socket.recv_from(&mut packet).await.unwrap();
        books.hear(Kind::Query);
        // TXT is truncated, so that somebody comes back over TCP.
        if let Some(reply) = reply(&packet[..len], |qtype| qtype == 16) {
            socket.send_to(&reply, peer).await.unwrap();
        }
    }
}

async fn answer_messages(mut stream: TcpStream, books: Books) {
    while let Ok(len) = stream.read_u16().await {
        let mut packet = vec![0; usize::from(len)];
        stream.read_exact(&mut packet).await.unwrap();
        books.hear(Kind::Query);
        let reply = reply(&packet, |_| false).unwrap();
        stream.write_u16(reply.len() as u16).await.unwrap();
        stream.write_all(&reply).await.unwrap();
    }
}

/// REFUSED to everything, with the question repeated if there is one.
fn reply(packet: &[u8], truncates: fn(u16) -> bool) -> Option<Vec<u8>> {
    if packet.len() < 12 || packet[2] & 0x80 != 0 {
        return None;
    }
    let mut end = 12;
    while packet.get(end).is_some_and(|len| (1..64).contains(len)) {
        end += usize::from(packet[end]) + 1;
    }
    let question = packet.get(12..end + 5).filter(|_| packet[5] == 1 && packet[end] == 0).unwrap_or_default();
    let qtype = question.len().checked_sub(3).map_or(0, |at| u16::from(question[at]));
    let truncated = if truncates(qtype) { 2 } else { 0 };
    let head = [packet[0], packet[1], 0x80 | truncated, 5, 0, u8::from(!question.is_empty()), 0, 0, 0, 0, 0, 0];
    Some([&head, question].concat())
}

//----------- HTTP -------------------------------------------------------------------------------------------------

async fn answer_requests(stream: TcpStream, books: Books) {
    serve_http(stream, books).await;
}

async fn serve_http(mut stream: impl AsyncRead + AsyncWrite + Unpin, books: Books) {
    let mut heard = Vec::new();
    loop {
        let mut part = [0; 4096];
        let len = stream.read(&mut part).await.unwrap_or(0);
        heard.extend_from_slice(&part[..len]);
        while let Some(len) = request_len(&heard) {
            books.hear(Kind::Request);
            heard.drain(..len);
            let body =
                if len % 2 == 0 { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" } else { "HTTP/1.1 204 No\r\n\r\n" };
            let body = if heard.is_empty() { body } else { "" };
            let _ = stream.write_all(body.as_bytes()).await;
        }
        if len == 0 {
            let _ = stream.shutdown().await;
            return;
        }
    }
}

/// Octets of the first request with its body, once it is whole.
fn request_len(heard: &[u8]) -> Option<usize> {
    // One character per octet, so that places in the text are places in what was heard.
    let text: String = heard.iter().map(|octet| if octet.is_ascii() { char::from(*octet) } else { '?' }).collect();
    let end = |mark: &str| text.find(mark).map(|at| at + mark.len());
    let head = end("\r\n\r\n").or_else(|| end("\n\n"))?;
    if text[..head].contains("chunked") {
        return text[head..].find("0\r\n\r\n").map(|at| head + at + 5);
    }
    let length = text[..head].split("Content-Length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
    let whole = head + length.map_or(0, |length| length.parse::<usize>().unwrap());
    (heard.len() >= whole).then_some(whole)
}

//----------- TLS --------------------------------------------------------------------------------------------------

async fn answer_hello(stream: TcpStream, books: Books, config: Arc<ServerConfig>) {
    let Ok(start) = LazyConfigAcceptor::new(Acceptor::default(), stream).await else { return };
    books.hear(Kind::Hello);
    if let Ok(stream) = start.into_stream(config).await {
        serve_http(stream, books).await;
    }
}

fn tls_config() -> Arc<ServerConfig> {
    let made = rcgen::generate_simple_self_signed(vec!["anything.example".into()]).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap())
}
