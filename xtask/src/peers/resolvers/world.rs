//! The rest of the world, for resolvers under test: whatever they ask has one address, and is believed for a second.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{Name, RData, Record, RecordType};

use crate::Trouble;

/// Where every name of the world leads (RFC 5737).
pub(super) const REAL: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// So short that no cache hides a change of policy.
const TTL_SECS: u32 = 1;
/// How often the thread looks whether it shall end.
const LOOK: Duration = Duration::from_millis(100);

/// A thread that answers; it ends with its owner.
pub(super) struct World {
    pub(super) port: u16,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl World {
    pub(super) fn start() -> Result<Self, Trouble> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_read_timeout(Some(LOOK))?;
        let (port, stop) = (socket.local_addr()?.port(), Arc::new(AtomicBool::new(false)));
        let until = Arc::clone(&stop);
        let thread = Some(std::thread::spawn(move || answer_all(&socket, &until)));
        Ok(Self { port, stop, thread })
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has nothing to say, and a panic of it was seen where answers were missed.
            let _ = thread.join();
        }
    }
}

fn answer_all(socket: &UdpSocket, stop: &AtomicBool) {
    let mut octets = [0; 4_096];
    while !stop.load(Ordering::Relaxed) {
        let Ok((len, asker)) = socket.recv_from(&mut octets) else { continue };
        if let Some(answer) = answer(&octets[..len]) {
            // A resolver that did not get it asks again.
            let _ = socket.send_to(&answer, asker);
        }
    }
}

fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let query = Message::from_vec(query).ok()?;
    let asked = query.queries.first()?.clone();
    let mut answer = Message::new(query.metadata.id, MessageType::Response, OpCode::Query);
    answer.metadata.recursion_desired = query.metadata.recursion_desired;
    answer.metadata.recursion_available = true;
    if asked.query_type() == RecordType::A {
        answer.add_answer(Record::from_rdata(asked.name().clone(), TTL_SECS, RData::A(A(REAL))));
    }
    answer.add_query(asked);
    answer.to_vec().ok()
}

//----------- Asking a resolver ------------------------------------------------------------------------------------

/// What a resolver does with a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Does {
    /// NXDOMAIN.
    Blocks,
    /// The world's address.
    LetsThrough,
}

/// Asks for a name's address, as a stub does; `None` if neither comes in time.
pub(super) fn does(resolver: SocketAddr, name: &str) -> Option<Does> {
    let mut question = Message::query();
    question.metadata.recursion_desired = true;
    question.add_query(Query::query(Name::from_ascii(name).ok()?, RecordType::A));
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
    socket.send_to(&question.to_vec().ok()?, resolver).ok()?;
    let mut octets = [0; 4_096];
    let len = socket.recv(&mut octets).ok()?;
    let answer = Message::from_vec(&octets[..len]).ok()?;
    let is_real = answer.answers.iter().any(|record| record.data == RData::A(A(REAL)));
    match (answer.metadata.response_code.low(), is_real) {
        (3, false) => Some(Does::Blocks),
        (0, true) => Some(Does::LetsThrough),
        _ => None,
    }
}
