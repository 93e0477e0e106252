//! Registries whose servers lie, and an RDAP server that says what it is told to: what no name server of the trade does.
//!
//! Each is a thread at an address of its own; they end with the process.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use crate::{Done, Trouble};

/// How a server answers a question; nothing is an answer too.
type Lie = fn(&[u8]) -> Option<Vec<u8>>;

/// For how long a client of ours may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) const LIARS: [(&str, Lie, Lie); 4] = [
    ("MUTE", |_| None, |_| None),
    ("MIXED", |query| Some(refusal(query, 0xff)), |query| Some(refusal(query, 0xff))),
    ("CIRCLE", |query| Some(to_itself(query)), |query| Some(to_itself(query))),
    ("FLOOD", |query| Some(cut(query)), |query| Some(flood(query))),
];

/// Starts one at `address`, over UDP and TCP.
pub(super) fn start(address: IpAddr, udp: Lie, tcp: Lie) -> Done {
    let at = SocketAddr::new(address, 53);
    let (datagrams, streams) = (UdpSocket::bind(at)?, TcpListener::bind(at)?);
    std::thread::spawn(move || {
        let mut octets = [0; 4_096];
        while let Ok((length, asker)) = datagrams.recv_from(&mut octets) {
            if let Some(reply) = udp(&octets[..length]) {
                let _ = datagrams.send_to(&reply, asker);
            }
        }
    });
    std::thread::spawn(move || {
        for stream in streams.incoming().flatten() {
            // Whoever is told lies may hang up.
            let _ = over_tcp(stream, tcp);
        }
    });
    Ok(())
}

fn over_tcp(mut stream: TcpStream, lie: Lie) -> Done {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut query)?;
    let Some(reply) = lie(&query) else {
        // Silence until the client has had enough.
        return stream.read_exact(&mut length).map_err(Into::into);
    };
    let length = u16::try_from(reply.len()).map_err(|_| "a reply beyond 64 KiB")?;
    Ok(stream.write_all(&[&length.to_be_bytes()[..], &reply].concat())?)
}

/// Header and question of the query, as a response with those flags and counts.
fn begun(query: &[u8], flags: [u8; 2], answers: u16, authority: u16) -> Vec<u8> {
    let question = question_end(query);
    let mut reply = query[..question].to_vec();
    reply[2..4].copy_from_slice(&flags);
    for (place, count) in [(4, 1), (6, answers), (8, authority), (10, 0)] {
        reply[place..place + 2].copy_from_slice(&count.to_be_bytes());
    }
    reply
}

/// Where the question ends: a name, type and class behind the header.
fn question_end(query: &[u8]) -> usize {
    let mut at = 12;
    while query.get(at).is_some_and(|length| *length != 0) {
        at += 1 + usize::from(query[at]);
    }
    (at + 5).min(query.len())
}

/// With another id than asked.
fn refusal(query: &[u8], other: u8) -> Vec<u8> {
    let mut reply = begun(query, [0x84, 0x00], 0, 0);
    reply[0] ^= other;
    reply
}

/// A referral to the very zone that was asked: `circle. NS a.nic.circle.`
fn to_itself(query: &[u8]) -> Vec<u8> {
    let mut reply = begun(query, [0x80, 0x00], 0, 1);
    let zone = b"\x06circle\x00";
    reply.extend_from_slice(zone);
    reply.extend_from_slice(&[0, 2, 0, 1, 0, 0, 0, 60, 0, 14]);
    reply.extend_from_slice(b"\x01a\x03nic\x06circle\x00");
    reply
}

/// Cut: come over TCP.
fn cut(query: &[u8]) -> Vec<u8> {
    begun(query, [0x86, 0x00], 0, 0)
}

/// As many addresses as 64 KiB hold.
fn flood(query: &[u8]) -> Vec<u8> {
    const RECORD: [u8; 16] = [0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1];
    let records = (usize::from(u16::MAX) - question_end(query)) / RECORD.len();
    let mut reply = begun(query, [0x84, 0x00], u16::try_from(records).unwrap_or(u16::MAX), 0);
    (0..records).for_each(|_| reply.extend_from_slice(&RECORD));
    reply
}

//----------- RDAP -------------------------------------------------------------------------------------------------

/// A static server of answers (RFC 9083) at `at`: a body for a name, or 404.
pub(super) fn rdap(at: SocketAddr, answer: impl Fn(&str) -> Option<String> + Send + 'static) -> Result<(), Trouble> {
    let listener = TcpListener::bind(at)?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = serve(stream, &answer);
        }
    });
    Ok(())
}

fn serve(mut stream: TcpStream, answer: impl Fn(&str) -> Option<String>) -> Done {
    stream.set_read_timeout(Some(PATIENCE))?;
    let (mut head, mut octet) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && head.len() < 8_192 {
        stream.read_exact(&mut octet)?;
        head.push(octet[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split_whitespace().nth(1).unwrap_or_default();
    let (status, body) = match path.strip_prefix("/domain/").and_then(answer) {
        Some(body) => ("200 OK", body),
        None => ("404 Not Found", "{\"errorCode\": 404}".to_owned()),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/rdap+json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    Ok(stream.write_all(format!("{head}{body}").as_bytes())?)
}
