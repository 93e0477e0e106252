//! Raw sockets: what no client sends, and everything on the wrong port.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream, UdpSocket};
use std::time::Duration;

use socket2::SockRef;

use super::{SEIZED, at_least};
use crate::clock::pause;
use crate::program::Program;
use crate::tally::{Tally, contains, holds};
use crate::{Done, Trouble};

const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn run(tally: &mut Tally, program: &Program) {
    let ports = program.ports;
    let host = format!("Host: {SEIZED}\r\n");
    for (promise, port, sent, answer) in [
        (
            "a length of 2^63 is a 400",
            ports.http,
            format!("POST / HTTP/1.1\r\n{host}Content-Length: 9223372036854775808\r\n\r\n"),
            "HTTP/1.1 200",
        ),
        (
            "a length of -5 is a 400",
            ports.http,
            format!("POST / HTTP/1.1\r\n{host}Content-Length: -5\r\n\r\n"),
            "HTTP/1.1 400",
        ),
        (
            "a chunk of 2^64 octets is no chunk",
            ports.http,
            format!("POST / HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"),
            "HTTP/1.1 200",
        ),
        ("HTTP/0.9 is answered in kind", ports.http, "GET /\r\n\r\n".to_owned(), "<!DOCTYPE html>"),
        (
            "a PROXY header from a stranger is no request",
            ports.http,
            format!("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\n{host}\r\n"),
            "",
        ),
        ("HTTP on the mail port is shown out", ports.smtp, format!("GET / HTTP/1.1\r\n{host}\r\n"), "421"),
        (
            "TLS on the mail port hears our greeting, and no more",
            ports.smtp,
            "\x16\x03\x01\x01\x00\x01\x00\r\n".to_owned(),
            "220 ",
        ),
        (
            "SMTP on the port for mail within TLS is spoken",
            ports.smtps,
            "EHLO a.example\r\nQUIT\r\n".to_owned(),
            "220 ",
        ),
        (
            "HTTP on any port is spoken",
            ports.any,
            format!("GET /any HTTP/1.1\r\n{host}Connection: close\r\n\r\n"),
            "HTTP/1.1 200",
        ),
        ("SSH on any port gets no answer", ports.any, "SSH-2.0-odd\r\n".to_owned(), ""),
    ] {
        tally.check(promise, say(port, sent.as_bytes()).and_then(|said| contains(&said, answer)));
    }
    tally.check("a million headers end in a 400 or a closed door", million_headers(program));
    tally.check("a connection that is reset at once is recorded", reset(program));
    tally.check("a request of one octet a time is answered", drop_by_drop(program));
    tally.check("datagrams are recorded, and nothing comes back", datagrams(program));
    let ssh = "select count(*) from contacts where kind = 'connection' and looks_like = 'ssh'";
    tally.check("what came to any port is described", at_least(program, ssh, 1));
}

fn connect(port: u16) -> Result<TcpStream, Trouble> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Sends all, says that no more comes, and reads what is said.
fn say(port: u16, sent: &[u8]) -> Result<String, Trouble> {
    let mut stream = connect(port)?;
    // Whoever has heard enough closes while we speak.
    let _ = stream.write_all(sent);
    let _ = stream.shutdown(Shutdown::Write);
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    Ok(String::from_utf8_lossy(&said).into_owned())
}

fn million_headers(program: &Program) -> Done {
    let mut sent = format!("GET / HTTP/1.1\r\nHost: {SEIZED}\r\n").into_bytes();
    for n in 0..1_000_000 {
        sent.extend(format!("a{n}: b\r\n").into_bytes());
    }
    let said = say(program.ports.http, &sent)?;
    holds(said.is_empty() || said.starts_with("HTTP/1.1 400"), || said.chars().take(80).collect())
}

fn reset(program: &Program) -> Done {
    let stream = connect(program.ports.http)?;
    let port = stream.local_addr()?.port();
    SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
    drop(stream);
    at_least(program, &format!("select count(*) from contacts where kind = 'connection' and source_port = {port}"), 1)
}

fn drop_by_drop(program: &Program) -> Done {
    let mut stream = connect(program.ports.http)?;
    stream.set_nodelay(true)?;
    for octet in format!("GET /drop HTTP/1.1\r\nHost: {SEIZED}\r\nConnection: close\r\n\r\n").into_bytes() {
        stream.write_all(&[octet])?;
        pause(Duration::from_millis(20));
    }
    let mut said = String::new();
    stream.read_to_string(&mut said)?;
    contains(&said, "HTTP/1.1 200")
}

const DATAGRAMS: &str = "select count(*) from contacts where kind = 'datagram'";

fn datagrams(program: &Program) -> Done {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    for len in [0, 1, 512, 4_097, 65_507] {
        socket.send_to(&vec![b'x'; len], (Ipv4Addr::LOCALHOST, program.ports.any))?;
    }
    holds(socket.recv(&mut [0; 16]).is_err(), || "a datagram came back".to_owned())?;
    program.count_reaches(DATAGRAMS, 5)
}
