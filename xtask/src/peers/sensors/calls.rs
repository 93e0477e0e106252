//! Callers of a sensor who never ask twice for the same name, and write down what was answered.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};

use crate::Trouble;
use crate::clock::pause;
use crate::peers::SEIZED;

const PATIENCE: Duration = Duration::from_millis(300);
/// Between two questions of one caller: some thousand of them in a suite, which is what one query reads.
const BETWEEN: Duration = Duration::from_millis(12);

/// Somebody who calls until told to stop.
pub(super) struct Calls {
    over: Arc<AtomicBool>,
    caller: JoinHandle<Result<Vec<String>, Trouble>>,
}

impl Calls {
    /// `number` is the caller's own, and part of each name.
    pub(super) fn begin(server: SocketAddr, number: u8) -> Self {
        let over = Arc::<AtomicBool>::default();
        let until = Arc::clone(&over);
        let caller = std::thread::spawn(move || {
            let mut answered = Vec::new();
            for call in 0_u64.. {
                if until.load(Ordering::Relaxed) {
                    break;
                }
                let name = format!("s{number}-{call}");
                if ask(server, &format!("{name}.{SEIZED}"), number)? == Some(ResponseCode::NoError) {
                    answered.push(name);
                }
                pause(BETWEEN);
            }
            Ok(answered)
        });
        Self { over, caller }
    }

    pub(super) fn end(self) -> Result<Vec<String>, Trouble> {
        self.over.store(true, Ordering::Relaxed);
        self.caller.join().map_err(|_| "a caller fell over")?
    }
}

/// How a question is answered; `None`: it is not.
pub(super) fn ask(server: SocketAddr, name: &str, caller: u8) -> Result<Option<ResponseCode>, Trouble> {
    let socket = UdpSocket::bind((Ipv4Addr::new(127, 98, caller, 1), 0))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut question = Message::query();
    question.add_query(Query::query(Name::from_ascii(format!("{name}."))?, RecordType::A));
    // A port that nobody holds refuses: that is no answer.
    if socket.connect(server).and_then(|()| socket.send(&question.to_vec().unwrap_or_default())).is_err() {
        return Ok(None);
    }
    let mut reply = [0; 1_500];
    let Ok(len) = socket.recv(&mut reply) else { return Ok(None) };
    Ok(Some(Message::from_vec(&reply[..len])?.metadata.response_code))
}
