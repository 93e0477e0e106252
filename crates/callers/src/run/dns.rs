//! DNS as resolvers speak it: UDP, again on a time-out, TCP on truncation.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use model::contact::Kind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::connection::{ANSWER_TIMEOUT, farewell};
use super::{RETRY_PAUSE, World};
use crate::act::Due;
use crate::question::{Question, is_response_to};

/// How long each try waits for its answer: as resolvers do, longer each time.
const UDP_TIMEOUTS: [Duration; super::ATTEMPTS_MAX] =
    [Duration::from_millis(800), Duration::from_millis(1600), Duration::from_millis(3200)];
/// The largest datagram that comes over loopback.
const DATAGRAM_LEN_MAX: usize = 65_535;

/// Asks until an answer is there or the tries are over.
pub(super) async fn ask(world: &World, from: Ipv4Addr, question: &Question) {
    let octets = question.to_octets();
    for (attempt, wait) in UDP_TIMEOUTS.into_iter().enumerate() {
        if attempt > 0 {
            world.books.retry();
        }
        let heard = |packet: &[u8]| {
            let answer = question.check(packet).ok()?;
            world.books.said(format!("dns {}", answer.rcode));
            Some(answer.truncated)
        };
        match say(world, from, &octets, wait, heard).await {
            Ok(truncated) if truncated => return ask_over_tcp(world, from, std::slice::from_ref(question)).await,
            Ok(_) => return,
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
            Err(_) => tokio::time::sleep(RETRY_PAUSE).await,
        }
    }
    world.books.given_up();
}

/// Sends what is no question; waits only where an answer is due.
pub(super) async fn mutter(world: &World, from: Ipv4Addr, octets: &[u8], due: Due) {
    let wait = match due {
        Due::Answer => UDP_TIMEOUTS[0],
        Due::Nothing => Duration::ZERO,
    };
    let heard = |packet: &[u8]| is_response_to(octets, packet).then(|| world.books.said("dns to nonsense".into()));
    // Nobody is owed an answer to nonsense.
    let _ = say(world, from, octets, wait, heard).await;
}

/// One datagram from a fresh port, and the first packet that `heard` believes.
async fn say<T>(
    world: &World,
    from: Ipv4Addr,
    octets: &[u8],
    wait: Duration,
    heard: impl Fn(&[u8]) -> Option<T>,
) -> io::Result<T> {
    let socket = UdpSocket::bind(SocketAddr::from((from, 0))).await?;
    socket.connect(world.plan.dns).await?;
    socket.send(octets).await?;
    world.books.sent(Kind::Query);
    let listen = async {
        let mut packet = vec![0; DATAGRAM_LEN_MAX];
        loop {
            let len = socket.recv(&mut packet).await?;
            match heard(&packet[..len]) {
                Some(answer) => return Ok::<T, io::Error>(answer),
                None => world.books.strange(),
            }
        }
    };
    let answer = timeout(wait, listen).await??;
    world.books.answered(Kind::Query);
    Ok(answer)
}

/// Asks one question after the other over one connection (RFC 7766).
pub(super) async fn ask_over_tcp(world: &World, from: Ipv4Addr, questions: &[Question]) {
    let Ok(mut line) = world.connect(from, world.plan.dns).await else { return world.books.given_up() };
    for (number, question) in questions.iter().enumerate() {
        let Ok(Ok(packet)) = timeout(ANSWER_TIMEOUT, exchange(world, &mut line, question)).await else {
            return world.books.given_up();
        };
        if number == 0 {
            world.books.answered(Kind::Connection);
        }
        world.books.answered(Kind::Query);
        match question.check(&packet) {
            Ok(answer) => world.books.said(format!("dns {}", answer.rcode)),
            Err(_) => world.books.strange(),
        }
    }
    farewell(line).await;
}

/// A message with its length in front, there and back (RFC 1035, 4.2.2).
async fn exchange(world: &World, line: &mut TcpStream, question: &Question) -> io::Result<Vec<u8>> {
    let octets = question.to_octets();
    let len = u16::try_from(octets.len()).expect("a question has a few hundred octets");
    line.write_all(&[&len.to_be_bytes()[..], &octets].concat()).await?;
    world.books.sent(Kind::Query);
    let mut packet = vec![0; usize::from(line.read_u16().await?)];
    line.read_exact(&mut packet).await?;
    Ok(packet)
}
