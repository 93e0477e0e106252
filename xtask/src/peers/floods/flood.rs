//! One client in many places: it sends as fast as it can and counts what it sent and what came back.

use std::fmt;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RecordType};

use crate::clock::{Watch, wait_for};
use crate::peers::SEIZED;
use crate::{Done, Trouble};

/// Callers, each in a prefix of its own.
const PLACES: u8 = 255;
/// Sent from one place before the next has its turn.
const AT_ONCE: usize = 8;
/// When nothing has come for so long, nothing more will.
const OVER: Duration = Duration::from_millis(500);
/// How long one question waits for its answer, behind all that lies in the socket of a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longer between two looks, and it was us whom the machine had no time for: then nobody listened.
const OURSELVES: Duration = Duration::from_millis(50);

/// What one flood came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flood {
    pub(super) sent: u64,
    pub(super) answered: u64,
    /// The longest time in which nobody got an answer.
    pub(super) silence: Duration,
}

impl Flood {
    /// Asks the seized name's address for so long, then waits for the last answers.
    pub(super) fn run(server: SocketAddr, length: Duration) -> Result<Self, Trouble> {
        let places = (1..=PLACES).map(|place| at(Ipv4Addr::new(127, 99, place, 1), server));
        let places = places.collect::<Result<Vec<_>, _>>()?;
        let (query, watch) = (question()?, Watch::start());
        let (mut flood, mut heard) = (Self::default(), watch.elapsed());
        let mut looked = heard;
        while watch.elapsed() < length || watch.elapsed() - heard < OVER {
            let is_on = watch.elapsed() < length;
            for place in &places {
                if is_on {
                    flood.send(place, &query)?;
                }
                let has_heard = flood.hear(place)?;
                let now = watch.elapsed();
                if now - looked > OURSELVES {
                    heard += now - looked;
                }
                looked = now;
                if has_heard {
                    if is_on {
                        flood.silence = flood.silence.max(now - heard);
                    }
                    heard = now;
                }
            }
        }
        Ok(flood)
    }

    /// Both, one after the other.
    pub(super) fn and(self, later: &Self) -> Self {
        Self {
            sent: self.sent + later.sent,
            answered: self.answered + later.answered,
            silence: self.silence.max(later.silence),
        }
    }

    fn send(&mut self, place: &UdpSocket, query: &[u8]) -> Done {
        for _ in 0..AT_ONCE {
            match place.send(query) {
                Ok(_) => self.sent += 1,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Whether something came.
    fn hear(&mut self, place: &UdpSocket) -> Result<bool, Trouble> {
        let (before, mut reply) = (self.answered, [0; 1_500]);
        loop {
            match place.recv(&mut reply) {
                // A slip is no answer: it carries none.
                Ok(_) => self.answered += 1,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(self.answered > before),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl fmt::Display for Flood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sent, {} answered, never silent for more than {:?}", self.sent, self.answered, self.silence)
    }
}

/// One question from a place that is in no flood; whether it is answered.
pub(super) fn asked_once(server: SocketAddr) -> Result<bool, Trouble> {
    let place = at(Ipv4Addr::new(127, 98, 0, 1), server)?;
    place.send(&question()?)?;
    let mut reply = [0; 1_500];
    Ok(wait_for("an answer", PATIENCE, || place.recv(&mut reply).ok()).is_ok())
}

fn at(address: Ipv4Addr, server: SocketAddr) -> Result<UdpSocket, Trouble> {
    let socket = UdpSocket::bind((address, 0))?;
    socket.set_nonblocking(true)?;
    socket.connect(server)?;
    Ok(socket)
}

fn question() -> Result<Vec<u8>, Trouble> {
    let mut question = Message::query();
    question.add_query(Query::query(Name::from_ascii(SEIZED)?, RecordType::A));
    Ok(question.to_vec()?)
}
