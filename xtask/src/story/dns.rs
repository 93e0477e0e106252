//! Questions and answers in DNS, judged by a parser that is not ours.
//!
//! The bytes come from the pure core or from a socket; what is read from them here is the same.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, Query};
use hickory_proto::rr::{Name, RecordType};
use socket2::{Domain, Socket, Type};

use super::step::{Ask, Then};
use crate::tally::holds;
use crate::{Done, Trouble};

/// An answer on loopback that takes longer is none.
const LIMIT: Duration = Duration::from_secs(5);

/// An answer, as an independent parser reads it.
#[derive(Clone, Debug)]
pub struct Reply {
    pub rcode: String,
    /// `TYPE RDATA`, in order.
    pub answers: Vec<String>,
    /// The types in the authority section.
    pub authority: Vec<String>,
    pub authoritative: bool,
}

/// The question in wire form, with EDNS as resolvers send it.
pub fn question(ask: &Ask) -> Result<Vec<u8>, Trouble> {
    let name = Name::from_ascii(format!("{}.", ask.name.trim_end_matches('.')))?;
    let rtype = match ask.qtype.strip_prefix("TYPE").map(str::parse::<u16>) {
        Some(number) => RecordType::from(number.map_err(|_| format!("{} is no type", ask.qtype))?),
        None => ask.qtype.parse().map_err(|_| format!("{} is no type", ask.qtype))?,
    };
    let mut message = Message::query();
    let mut edns = Edns::new();
    edns.set_max_payload(1232);
    message.add_query(Query::query(name, rtype));
    message.set_edns(edns);
    Ok(message.to_vec()?)
}

/// Reads an answer and checks that it belongs to the question.
pub fn read(question: &[u8], answer: &[u8]) -> Result<Reply, Trouble> {
    if answer.get(..2) != question.get(..2) {
        return Err("the answer has another id than the question".into());
    }
    let message = Message::from_vec(answer).map_err(|error| format!("the answer cannot be parsed: {error}"))?;
    let of_name = |record: &hickory_proto::rr::Record| format!("{} {}", record.record_type(), record.data);
    Ok(Reply {
        rcode: rcode(message.metadata.response_code.low(), message.metadata.response_code.high()),
        answers: message.answers.iter().map(of_name).collect(),
        authority: message.authorities.iter().map(|record| record.record_type().to_string()).collect(),
        authoritative: message.metadata.authoritative,
    })
}

/// The mnemonics of RFC 1035, 4.1.1, and RFC 6891, 9.
fn rcode(low: u8, high: u8) -> String {
    const NAMES: [&str; 6] = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];
    match (high, usize::from(low)) {
        (0, low) if low < NAMES.len() => NAMES[low].to_owned(),
        (1, 0) => "BADVERS".to_owned(),
        (high, low) => format!("RCODE{}", usize::from(high) << 4 | low),
    }
}

/// Whether the last answer is what a `then` about DNS says.
pub fn judge(then: &Then, reply: Option<&Reply>) -> Done {
    let Some(reply) = reply else {
        return holds(*then == Then::NoAnswer, || "there was no answer".to_owned());
    };
    let seen = || format!("the answer was {} {:?}", reply.rcode, reply.answers);
    match then {
        Then::Rcode(rcode) => holds(reply.rcode == *rcode, seen),
        Then::Holds { rtype, rdata } => {
            let wanted = format!("{rtype} {rdata}");
            holds(reply.authoritative && reply.answers.contains(&wanted), seen)
        }
        Then::HoldsNothing => {
            let has_soa = reply.authority == ["SOA"];
            holds(reply.answers.is_empty() && (has_soa || reply.rcode != "NOERROR"), seen)
        }
        _ => holds(false, seen),
    }
}

//----------- Over sockets -----------------------------------------------------------------------------------------

/// Asks the running program from `ask.source`.
pub fn ask(ask: &Ask, server: SocketAddr) -> Result<Option<Reply>, Trouble> {
    let question = question(ask)?;
    let answer =
        if ask.over_tcp { over_tcp(ask.source, server, &question)? } else { over_udp(ask.source, server, &question)? };
    answer.map(|answer| read(&question, &answer)).transpose()
}

/// Sends octets and takes whatever comes back; `None` if nothing does.
pub fn over_udp(source: Ipv4Addr, server: SocketAddr, octets: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
    let socket = UdpSocket::bind((source, 0))?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(LIMIT))?;
    socket.send(octets)?;
    let mut answer = vec![0; 65_535];
    match socket.recv(&mut answer) {
        Ok(length) => Ok(Some(answer[..length].to_vec())),
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn over_tcp(source: Ipv4Addr, server: SocketAddr, question: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
    let mut stream = connect(source, server)?;
    let length = u16::try_from(question.len()).map_err(|_| "a question beyond 65,535 octets")?;
    stream.write_all(&[&length.to_be_bytes(), question].concat())?;
    let mut length = [0; 2];
    if stream.read_exact(&mut length).is_err() {
        return Ok(None);
    }
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer)?;
    Ok(Some(answer))
}

/// A TCP connection from an address of the caller's choice.
pub fn connect(source: Ipv4Addr, server: SocketAddr) -> Result<std::net::TcpStream, Trouble> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((source, 0)).into())?;
    socket.connect_timeout(&server.into(), LIMIT)?;
    let stream = std::net::TcpStream::from(socket);
    stream.set_read_timeout(Some(LIMIT))?;
    Ok(stream)
}
