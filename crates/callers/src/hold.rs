//! Connections that are opened, brought to some point, and left there: what a slow or silent client costs.
//!
//! One after the other and blocking, which is fast enough on loopback: nothing here is measured, only held. They end
//! when the [`Holding`] is dropped.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use model::DomainName;
use rustls::{ClientConfig, ClientConnection};
use rustls_pki_types::ServerName;
use socket2::{Domain, Protocol, Socket, Type};

use crate::{Error, tls};

/// The most connections of one holder: a process may have 20,000 files here, and half of that elsewhere.
pub const HELD_MAX: usize = 10_000;
/// From one source to the next: each in a /24 of its own, which limits by prefix see as another network.
const SOURCE_STEP: u32 = 256;
/// A server that says nothing for so long does not answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How far a connection is brought.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Held {
    /// Not a word.
    Silent,
    /// Half a request's head.
    HalfHead,
    /// A hello, and the server's flight after it.
    Hello,
    /// A handshake, and half a request's head.
    HalfHeadOverTls,
}

/// What to hold.
#[derive(Clone, Debug)]
pub struct Hold {
    pub target: SocketAddr,
    /// The first source; the others follow, each in the next /24.
    pub from: Ipv4Addr,
    pub sources: u32,
    pub name: DomainName,
    pub connections: usize,
    pub held: Held,
}

/// Connections that stay open while it lives.
#[derive(Debug)]
pub struct Holding(Vec<TcpStream>);

impl Holding {
    /// How many the server has not ended. Octets that it sent are no end.
    pub fn still_open(&self) -> usize {
        self.0.iter().filter(|stream| is_open(stream)).count()
    }
}

/// Opens them all.
pub fn hold(plan: &Hold) -> Result<Holding, Error> {
    if !plan.target.is_ipv4() || !plan.target.ip().is_loopback() || !plan.from.is_loopback() {
        return Err(Error::Plan(format!("holding {} from {} is not within 127.0.0.0/8", plan.target, plan.from)));
    }
    if !(1..=HELD_MAX).contains(&plan.connections) || plan.sources == 0 {
        return Err(Error::Plan(format!("{} connections; give 1 to {HELD_MAX}", plan.connections)));
    }
    let setup = tls::setup(false)?;
    let open = |number: usize| open(plan, &setup, u32::try_from(number).unwrap_or_default());
    let all = (0..plan.connections).map(open).collect::<io::Result<_>>();
    all.map(Holding).map_err(Error::io("hold a connection to", plan.target))
}

fn open(plan: &Hold, setup: &Arc<ClientConfig>, number: u32) -> io::Result<TcpStream> {
    let from = Ipv4Addr::from_bits(plan.from.to_bits() + number % plan.sources * SOURCE_STEP);
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    socket.connect(&plan.target.into())?;
    let mut stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let half = format!("GET /owa/auth/logon.aspx HTTP/1.1\r\nHost: {}\r\nUser-Agent: slow", plan.name.as_str());
    match plan.held {
        Held::Silent => {}
        Held::HalfHead => stream.write_all(half.as_bytes())?,
        Held::Hello => {
            client(plan, setup)?.write_tls(&mut stream)?;
            // Its flight is in one segment; the rest of it, if any, is not worth a second read.
            stream.read_exact(&mut [0; 1])?;
        }
        Held::HalfHeadOverTls => {
            let mut client = client(plan, setup)?;
            rustls::Stream::new(&mut client, &mut stream).write_all(half.as_bytes())?;
        }
    }
    Ok(stream)
}

fn client(plan: &Hold, setup: &Arc<ClientConfig>) -> io::Result<ClientConnection> {
    let name = ServerName::try_from(plan.name.as_str().to_owned()).expect("a domain name is a server name");
    ClientConnection::new(Arc::clone(setup), name).map_err(io::Error::other)
}

fn is_open(stream: &TcpStream) -> bool {
    let looked = stream.set_nonblocking(true).and_then(|()| stream.peek(&mut [0; 1]));
    match looked {
        Ok(octets) => octets > 0,
        Err(error) => error.kind() == io::ErrorKind::WouldBlock,
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn plan(target: SocketAddr, held: Held) -> Hold {
        let name = DomainName::parse("verify.example").unwrap();
        Hold { target, from: Ipv4Addr::new(127, 81, 0, 1), sources: 2, name, connections: 5, held }
    }

    #[test]
    fn what_is_held_stays_until_one_side_ends_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let holding = hold(&plan(listener.local_addr().unwrap(), Held::HalfHead)).unwrap();
        let mut served: Vec<_> = (0..5).map(|_| listener.accept().unwrap()).collect();
        assert_eq!(holding.still_open(), 5);
        assert_eq!(served[1].1.ip(), Ipv4Addr::new(127, 81, 1, 1), "the second comes from the next network");
        let mut said = vec![0; 40];
        served[0].0.read_exact(&mut said).unwrap();
        assert!(said.starts_with(b"GET /owa/auth/logon.aspx HTTP/1.1\r\nHost"));
        served.truncate(3);
        assert_eq!(holding.still_open(), 3);
        drop(holding);
        assert!(served[2].0.read_to_end(&mut said).is_ok(), "it ends with its owner");
    }

    #[test]
    fn holding_stays_at_home_and_within_its_limits() {
        let home = "127.0.0.1:80".parse().unwrap();
        for bad in [
            plan("192.0.2.1:80".parse().unwrap(), Held::Silent),
            Hold { connections: HELD_MAX + 1, ..plan(home, Held::Silent) },
            Hold { sources: 0, ..plan(home, Held::Silent) },
        ] {
            assert!(hold(&bad).is_err());
        }
        assert!(hold(&plan("127.0.0.1:1".parse().unwrap(), Held::Silent)).is_err(), "nobody listens");
    }
}
