//! How a query gets there and what comes back: datagrams, and every way in which a stream may be cut into pieces.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use super::packet::{ASK, Ask, OPT, Opt};
use super::reply::Reply;
use crate::Trouble;
use crate::story::dns::connect;

/// An answer on loopback that takes longer is none.
const LIMIT: Duration = Duration::from_secs(5);
/// How long one waits before one asks whether the server is there at all.
const PATIENCE: Duration = Duration::from_millis(500);
/// The id of the query that asks it.
const PROBE: u16 = 0xbeef;
/// How long silence is listened to after the next query was answered.
const SILENCE: Duration = Duration::from_millis(300);
/// RFC 7766, 6.2.3: an idle connection is closed after a few seconds; a minute is not a few.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// How many queries go out in one write.
const PIPELINED: u16 = 5;
/// The EDNS option of RFC 7873.
const COOKIE: u16 = 10;

/// How a query is sent, and so what counts as its replies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Way {
    Udp,
    /// Over UDP, and nothing comes back though the next query is answered.
    Unanswered,
    Tcp,
    /// Five of it in one write; each gets its own reply, in any order (RFC 7766, 6.2.1.1 and 7).
    Pipelined,
    /// Two of it, every octet in a segment of its own (RFC 7766, 8).
    ByteByByte,
    /// The octets of this frame first; then it, on the same connection or, if that was closed, on another.
    After(&'static [u8]),
    /// Answered, then nothing: the server closes.
    Idle,
    /// With the cookie that the server gave to the same query without one.
    CookieBack,
}

pub(super) type Replies = Result<Vec<Reply>, Trouble>;

/// Sends it, and takes what comes back. Every case has a source of its own: no server's rate limits are touched.
pub(super) fn exchange(way: Way, ask: &Ask, source: Ipv4Addr, server: SocketAddr) -> Replies {
    match way {
        Way::Udp => one_by_udp(&ask.encode(1), source, server),
        Way::Unanswered => unanswered(&ask.encode(1), source, server),
        Way::Tcp => one_by_tcp(ask, &mut connect(source, server)?),
        Way::Pipelined => pipelined(ask, &mut connect(source, server)?),
        Way::ByteByByte => byte_by_byte(ask, &mut connect(source, server)?),
        Way::After(frame) => after(frame, ask, source, server),
        Way::Idle => idle(ask, &mut connect(source, server)?),
        Way::CookieBack => cookie_back(ask, source, server),
    }
}

//----------- UDP --------------------------------------------------------------------------------------------------

fn socket(source: Ipv4Addr, server: SocketAddr) -> Result<UdpSocket, Trouble> {
    let socket = UdpSocket::bind((source, 0))?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(LIMIT))?;
    Ok(socket)
}

/// Silence is told from slowness by the next query: if that one is answered and this one is not, it was dropped.
fn one_by_udp(octets: &[u8], source: Ipv4Addr, server: SocketAddr) -> Replies {
    let socket = socket(source, server)?;
    socket.send(octets)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    if let Some(answer) = arrival(&socket) {
        return Ok(vec![with_id(Reply::read(&answer)?, octets)?]);
    }
    socket.set_read_timeout(Some(LIMIT))?;
    socket.send(&ASK.encode(PROBE))?;
    let reply = receive(&socket)?;
    if reply.id != PROBE {
        return Ok(vec![with_id(reply, octets)?]);
    }
    // A server of many threads may answer the second before the first.
    socket.set_read_timeout(Some(SILENCE))?;
    let late = arrival(&socket).ok_or("no answer")?;
    Ok(vec![with_id(Reply::read(&late)?, octets)?])
}

fn receive(socket: &UdpSocket) -> Result<Reply, Trouble> {
    Ok(Reply::read(&arrival(socket).ok_or("no answer, nor to the next query")?)?)
}

/// The next datagram, if one comes in time.
fn arrival(socket: &UdpSocket) -> Option<Vec<u8>> {
    let mut octets = vec![0; 65_535];
    let len = socket.recv(&mut octets).ok()?;
    octets.truncate(len);
    Some(octets)
}

fn with_id(reply: Reply, asked: &[u8]) -> Result<Reply, Trouble> {
    let same = reply.id.to_be_bytes() == asked[..2] && reply.flags & 0x8000 != 0;
    if same { Ok(reply) } else { Err("a reply to something else".into()) }
}

fn unanswered(octets: &[u8], source: Ipv4Addr, server: SocketAddr) -> Replies {
    let socket = socket(source, server)?;
    socket.send(octets)?;
    socket.send(&ASK.encode(PROBE))?;
    if receive(&socket)?.id != PROBE {
        return Err("it was answered".into());
    }
    socket.set_read_timeout(Some(SILENCE))?;
    match socket.recv(&mut [0; 512]) {
        Ok(_) => Err("it was answered".into()),
        Err(_) => Ok(Vec::new()),
    }
}

fn cookie_back(ask: &Ask, source: Ipv4Addr, server: SocketAddr) -> Replies {
    let first = one_by_udp(&ask.encode(1), source, server)?;
    let cookie = first[0].option(COOKIE).ok_or("no cookie to give back")?;
    let octets = Ask { opts: &[], counts: Some([1, 0, 0, 1]), ..*ask }.encode(2);
    one_by_udp(&[octets, opt_with_cookie(cookie)].concat(), source, server)
}

fn opt_with_cookie(cookie: &[u8]) -> Vec<u8> {
    let Opt { udp_size, .. } = OPT;
    let len = |octets: usize| u16::try_from(octets).expect("a cookie is short").to_be_bytes();
    let head = [&[0, 0, 41][..], &udp_size.to_be_bytes(), &[0; 4]].concat();
    [&head[..], &len(4 + cookie.len()), &COOKIE.to_be_bytes(), &len(cookie.len()), cookie].concat()
}

//----------- TCP --------------------------------------------------------------------------------------------------

fn framed(octets: &[u8]) -> Vec<u8> {
    let len = u16::try_from(octets.len()).expect("a query fits a frame");
    [&len.to_be_bytes()[..], octets].concat()
}

fn read(stream: &mut TcpStream) -> Result<Reply, Trouble> {
    stream.set_read_timeout(Some(LIMIT))?;
    let mut len = [0; 2];
    stream.read_exact(&mut len).map_err(|error| format!("no answer over TCP: {error}"))?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(len))];
    stream.read_exact(&mut answer).map_err(|error| format!("half an answer over TCP: {error}"))?;
    Ok(Reply::read(&answer)?)
}

fn one_by_tcp(ask: &Ask, stream: &mut TcpStream) -> Replies {
    let octets = ask.encode(1);
    stream.write_all(&framed(&octets))?;
    Ok(vec![with_id(read(stream)?, &octets)?])
}

fn pipelined(ask: &Ask, stream: &mut TcpStream) -> Replies {
    let all: Vec<u8> = (1..=PIPELINED).flat_map(|id| framed(&ask.encode(id))).collect();
    stream.write_all(&all)?;
    collect(stream, PIPELINED)
}

fn byte_by_byte(ask: &Ask, stream: &mut TcpStream) -> Replies {
    stream.set_nodelay(true)?;
    for octet in [framed(&ask.encode(1)), framed(&ask.encode(2))].concat() {
        stream.write_all(&[octet])?;
    }
    collect(stream, 2)
}

/// One reply for each of the ids 1 to `count`.
fn collect(stream: &mut TcpStream, count: u16) -> Replies {
    let replies = (0..count).map(|_| read(stream)).collect::<Result<Vec<_>, _>>()?;
    let mut ids: Vec<u16> = replies.iter().map(|reply| reply.id).collect();
    ids.sort_unstable();
    if ids.into_iter().eq(1..=count) { Ok(replies) } else { Err("not one reply for each query".into()) }
}

fn after(frame: &[u8], ask: &Ask, source: Ipv4Addr, server: SocketAddr) -> Replies {
    let mut stream = connect(source, server)?;
    stream.write_all(frame)?;
    let octets = ask.encode(7);
    // The server may close at the frame, so that this write or the read after it fails; that is its right.
    let same = stream.write_all(&framed(&octets)).map_err(Trouble::from).and_then(|()| read(&mut stream));
    match same {
        Ok(reply) if reply.id == 7 => Ok(vec![reply]),
        _ => one_by_tcp(ask, &mut connect(source, server)?),
    }
}

fn idle(ask: &Ask, stream: &mut TcpStream) -> Replies {
    let replies = one_by_tcp(ask, stream)?;
    stream.set_read_timeout(Some(IDLE_MAX))?;
    match stream.read(&mut [0; 1]) {
        Ok(0) => Ok(replies),
        Ok(_) => Err("it said more than it was asked".into()),
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => Ok(replies),
        Err(_) => Err(format!("still open after {} s", IDLE_MAX.as_secs()).into()),
    }
}
