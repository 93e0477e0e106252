//! The lines to the trap: a connection for each message, in clear, within TLS, or behind STARTTLS.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use callers::AcceptAnything;
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;

use super::stage::APEX;

const PATIENCE: Duration = Duration::from_secs(10);
const ALPN_H2: &[u8] = b"h2";

/// By which way a message comes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Line {
    Http,
    Https,
    /// Within TLS, after ALPN.
    Http2,
    Smtp,
    StartTls,
    Smtps,
}

/// Where the trap listens, and how TLS is spoken to it.
pub(super) struct Lines {
    pub(super) http: SocketAddr,
    pub(super) https: SocketAddr,
    pub(super) smtp: SocketAddr,
    pub(super) smtps: SocketAddr,
    tls: Arc<ClientConfig>,
    tls_h2: Arc<ClientConfig>,
}

impl Lines {
    pub(super) fn new([http, https, smtp, smtps]: [SocketAddr; 4]) -> Self {
        Self { http, https, smtp, smtps, tls: tls(&[]), tls_h2: tls(&[ALPN_H2]) }
    }

    /// Says it, and waits for the end. Whoever is sent away early may be reset: what counts is what came.
    pub(super) fn call(&self, line: Line, message: &[u8]) {
        match line {
            Line::Http => say(connect(self.http), message),
            Line::Smtp => say(connect(self.smtp), message),
            Line::Https => say_within(connect(self.https), &self.tls, message),
            Line::Http2 => say_within(connect(self.https), &self.tls_h2, message),
            Line::Smtps => say_within(connect(self.smtps), &self.tls, message),
            Line::StartTls => say_within(started(connect(self.smtp)), &self.tls, message),
        }
    }
}

fn connect(at: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn say(mut stream: TcpStream, message: &[u8]) {
    let _ = stream.write_all(message).and_then(|()| stream.shutdown(Shutdown::Write));
    let _ = stream.read_to_end(&mut Vec::new());
}

fn say_within(stream: TcpStream, config: &Arc<ClientConfig>, message: &[u8]) {
    let name = ServerName::try_from(APEX).unwrap();
    let mut stream = StreamOwned::new(ClientConnection::new(Arc::clone(config), name).unwrap(), stream);
    let _ = stream.write_all(message);
    stream.conn.send_close_notify();
    let _ = stream.flush();
    let _ = stream.read_to_end(&mut Vec::new());
}

/// A mail connection on which TLS is about to begin.
fn started(mut stream: TcpStream) -> TcpStream {
    for (said, awaited) in [("", "220 "), ("EHLO client.example\r\n", "250 "), ("STARTTLS\r\n", "220 ")] {
        stream.write_all(said.as_bytes()).unwrap();
        while !read_line(&mut stream).starts_with(awaited) {}
    }
    stream
}

/// Octet by octet, so that none of TLS is taken with it.
fn read_line(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        let mut octet = [0];
        stream.read_exact(&mut octet).unwrap();
        line.push(octet[0]);
    }
    String::from_utf8(line).unwrap()
}

//----------- TLS --------------------------------------------------------------------------------------------------

fn tls(protocols: &[&[u8]]) -> Arc<ClientConfig> {
    let provider = Arc::new(default_provider());
    let careless = Arc::new(AcceptAnything::offering(&provider));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(careless)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Arc::new(config)
}
