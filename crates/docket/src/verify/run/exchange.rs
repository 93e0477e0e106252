//! One question to one server over UDP or TCP, at its pace: the sockets of the verifier.
//!
//! A datagram counts only if it comes from whom we asked (the socket is connected), with our id and our question. What
//! else comes is counted and dropped. Every wait has an end.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::verify::handover::{SILENT, SILENT_BEFORE};
use crate::verify::message::{NoReply, Question, Reply};
use crate::verify::seen::{Transport, Unheard};
use crate::verify::settings::Settings;

/// Datagrams that are no reply to our question, before we stop listening.
const STRAYS_MAX: usize = 16;
/// How often a question is sent over UDP.
const TRIES: u32 = 2;
/// A server that was silent so often in a row is left alone for a while.
const SILENCES_MAX: u32 = 6;
const LEFT_ALONE: Duration = Duration::from_secs(30);
/// The most servers whose pace is remembered.
const SERVERS_MAX: usize = 100_000;

//----------- Pace -------------------------------------------------------------------------------------------------

/// When each server may be asked next.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<HashMap<IpAddr, Turn>>);

#[derive(Clone, Copy, Debug)]
struct Turn {
    next: Instant,
    silences: u32,
}

impl Pace {
    /// Waits for our turn. `Err`: it was silent too often.
    pub(super) async fn wait(&self, server: IpAddr, per_sec: u32) -> Result<(), String> {
        let now = Instant::now();
        let at = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if turns.len() >= SERVERS_MAX {
                turns.retain(|_, turn| turn.next > now);
            }
            let turn = turns.entry(server).or_insert(Turn { next: now, silences: 0 });
            if turn.silences >= SILENCES_MAX {
                if turn.next > now {
                    return Err(format!("{SILENT_BEFORE} {} questions: left alone for a while", turn.silences));
                }
                turn.silences = 0;
            }
            let at = turn.next.max(now);
            turn.next = at + Duration::from_secs(1) / per_sec.max(1);
            at
        };
        sleep_until(at).await;
        Ok(())
    }

    fn note(&self, server: IpAddr, is_silent: bool) {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(turn) = turns.get_mut(&server) else { return };
        turn.silences = if is_silent { turn.silences + 1 } else { 0 };
        if turn.silences == SILENCES_MAX {
            turn.next = Instant::now() + LEFT_ALONE;
        }
    }
}

//----------- Asking -----------------------------------------------------------------------------------------------

/// Asks, and falls back to TCP where the answer over UDP was cut.
pub(super) async fn ask(
    settings: &Settings,
    pace: &Pace,
    server: SocketAddr,
    transport: Transport,
    question: &Question,
) -> Result<Reply, Unheard> {
    pace.wait(server.ip(), settings.rate_per_sec).await.map_err(Unheard::Ours)?;
    let asked = match transport {
        Transport::Udp => over_udp(settings, server, question).await,
        Transport::Tcp => over_tcp(settings, server, question).await,
    };
    pace.note(server.ip(), matches!(&asked, Err(unheard) if unheard.why().starts_with(SILENT)));
    match asked {
        Ok(reply) if reply.truncated && transport == Transport::Udp => {
            pace.wait(server.ip(), settings.rate_per_sec).await.map_err(Unheard::Ours)?;
            over_tcp(settings, server, question).await.map_err(|unheard| unheard.after("cut over UDP, and over TCP "))
        }
        other => other,
    }
}

async fn over_udp(settings: &Settings, server: SocketAddr, question: &Question) -> Result<Reply, Unheard> {
    let socket = UdpSocket::bind((settings.source(server.ip()), 0)).await.map_err(in_words)?;
    socket.connect(server).await.map_err(in_words)?;
    let query = question.octets();
    let mut strays = Vec::new();
    let mut octets = vec![0; usize::from(u16::MAX)];
    for _ in 0..TRIES {
        socket.send(&query).await.map_err(in_words)?;
        let until = Instant::now() + settings.patience;
        while strays.len() < STRAYS_MAX {
            let Ok(received) = timeout_at(until, socket.recv(&mut octets)).await else { break };
            let length = received.map_err(in_words)?;
            match Reply::read(&octets[..length], question) {
                Ok(reply) => return Ok(reply),
                Err(fault) => strays.push(fault),
            }
        }
    }
    let Some(fault) = strays.first() else {
        return Err(Unheard::Theirs(format!("{SILENT} in {TRIES} tries of {:?}", settings.patience)));
    };
    let why = format!("nothing that counts: {fault} ({} times)", strays.len());
    // Anybody may send strays: that we stopped listening is no fault of whom we asked.
    let is_limit = strays.len() == STRAYS_MAX || strays.contains(&NoReply::TooManyRecords);
    Err(if is_limit { Unheard::Ours(why) } else { Unheard::Theirs(why) })
}

async fn over_tcp(settings: &Settings, server: SocketAddr, question: &Question) -> Result<Reply, Unheard> {
    let exchange = async {
        let mut stream = connect(settings, server).await?;
        let query = question.octets();
        let length = u16::try_from(query.len()).map_err(|_| Unheard::Ours("the question is too long".into()))?;
        let framed = [&length.to_be_bytes()[..], &query].concat();
        stream.write_all(&framed).await.map_err(in_words)?;
        let length = stream.read_u16().await.map_err(in_words)?;
        let mut octets = vec![0; usize::from(length)];
        stream.read_exact(&mut octets).await.map_err(in_words)?;
        match Reply::read(&octets, question) {
            Ok(reply) if reply.truncated => Err("nothing that counts: an answer that was cut over TCP".into()),
            Err(NoReply::TooManyRecords) => {
                Err(Unheard::Ours(format!("nothing that counts: {}", NoReply::TooManyRecords)))
            }
            read => read.map_err(|fault| format!("nothing that counts: {fault}").into()),
        }
    };
    let patience = settings.patience * TRIES;
    timeout(patience, exchange).await.unwrap_or_else(|_| Err(format!("{SILENT} in {patience:?}").into()))
}

/// A connection from the operator's source address.
pub(super) async fn connect(settings: &Settings, to: SocketAddr) -> Result<TcpStream, Unheard> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(in_words)?;
    socket.bind((settings.source(to.ip()), 0).into()).map_err(in_words)?;
    socket.connect(to).await.map_err(in_words)
}

/// What the other side does to a connection is its own; that this machine has no socket, address or route left is not.
pub(super) fn in_words(error: std::io::Error) -> Unheard {
    use std::io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, TimedOut, UnexpectedEof,
    };
    match error.kind() {
        ConnectionRefused => "connection refused".into(),
        UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe => "the connection broke off".into(),
        HostUnreachable | TimedOut => error.to_string().into(),
        _ => Unheard::Ours(error.to_string()),
    }
}
