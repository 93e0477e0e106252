//! Callers who never call twice for the same, so that each call can be found again, or missed.
//!
//! Every call has a number of its own, in the first label of a DNS name or in the path of a request: `t3-1-4711` is
//! the 4711th call of the second caller after the third kill. A caller writes down what was answered, and goes on
//! at once; while nobody listens it knocks again and again. No call is ever repeated: whatever is recorded twice was
//! recorded twice by the program.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RecordType};

use crate::Trouble;
use crate::clock::pause;
use crate::peers::SEIZED;
use crate::program::Program;

const DNS_CALLERS: u8 = 1;
const HTTP_CALLERS: u8 = 4;
/// Questions that one caller has under way: the program reads them in one batch, and writes them by one write.
const AT_ONCE: u16 = 16;
/// How long a response may take; a killed program gives none. A datagram that nobody answers any more is forgotten soon, so
/// that the next program is asked from its first moment.
const PATIENCE: Duration = Duration::from_millis(500);
const DNS_PATIENCE: Duration = Duration::from_millis(50);
/// Between two knocks at a door that is shut.
const SHUT: Duration = Duration::from_millis(5);
/// A DNS message's head, where the question begins.
const HEAD_LEN: usize = 12;

/// What all callers share.
#[derive(Debug, Default)]
struct Shared {
    over: AtomicBool,
    /// How often the program was killed.
    life: AtomicU64,
    dns: AtomicU64,
    http: AtomicU64,
}

/// The callers, calling.
#[derive(Debug)]
pub(in crate::peers) struct Load {
    shared: Arc<Shared>,
    callers: Vec<JoinHandle<Result<Vec<String>, Trouble>>>,
}

impl Load {
    pub(in crate::peers) fn begin(program: &Program) -> Self {
        let shared = Arc::<Shared>::default();
        let http = SocketAddr::from((Ipv4Addr::LOCALHOST, program.ports.http));
        let dns = program.dns();
        let callers = (0..DNS_CALLERS + HTTP_CALLERS).map(|number| {
            let caller = Caller { number, calls: 0, shared: Arc::clone(&shared), answered: Vec::new() };
            std::thread::spawn(move || if number < DNS_CALLERS { caller.ask(dns) } else { caller.request(http) })
        });
        Self { callers: callers.collect(), shared }
    }

    /// From now on calls are made to the program that comes next.
    pub(in crate::peers) fn next_life(&self) {
        self.shared.life.fetch_add(1, Ordering::Relaxed);
    }

    /// As people read it.
    pub(in crate::peers) fn answered(&self) -> String {
        let [dns, http] = [&self.shared.dns, &self.shared.http].map(|count| count.load(Ordering::Relaxed));
        format!("{dns} answers by DNS and {http} by HTTP")
    }

    /// Sends everybody home, and has what each wrote down.
    pub(in crate::peers) fn end(self) -> Result<Vec<String>, Trouble> {
        self.shared.over.store(true, Ordering::Relaxed);
        let mut answered = Vec::new();
        for caller in self.callers {
            answered.extend(caller.join().map_err(|_| "a caller fell over")??);
        }
        Ok(answered)
    }
}

//----------- Caller -----------------------------------------------------------------------------------------------

struct Caller {
    number: u8,
    calls: u64,
    shared: Arc<Shared>,
    answered: Vec<String>,
}

impl Caller {
    fn is_over(&self) -> bool {
        self.shared.over.load(Ordering::Relaxed)
    }

    fn next_call(&mut self) -> String {
        self.calls += 1;
        format!("t{}-{}-{}", self.shared.life.load(Ordering::Relaxed), self.number, self.calls)
    }

    /// An address of its own: rates and tables are by caller.
    fn address(&self) -> Ipv4Addr {
        Ipv4Addr::new(127, 97, self.number, 1)
    }

    //------- DNS --------------------------------------------------------------------------------------------------

    fn ask(mut self, server: SocketAddr) -> Result<Vec<String>, Trouble> {
        let socket = UdpSocket::bind((self.address(), 0))?;
        socket.set_read_timeout(Some(DNS_PATIENCE))?;
        socket.connect(server)?;
        while !self.is_over() {
            let questions = (0..AT_ONCE).map(|_| self.question()).collect::<Result<Vec<_>, _>>()?;
            // A port that nobody holds refuses, which the socket says at the next call, whichever that is.
            if questions.iter().any(|(_, octets)| socket.send(octets).is_err()) {
                pause(SHUT);
            }
            self.hear(&socket, questions);
        }
        Ok(self.answered)
    }

    fn question(&mut self) -> Result<(String, Vec<u8>), Trouble> {
        let call = self.next_call();
        let mut question = Message::query();
        question.add_query(Query::query(Name::from_ascii(format!("{call}.{SEIZED}."))?, RecordType::A));
        Ok((call, question.to_vec()?))
    }

    /// Takes what is answered, until all is or nothing more comes. Others' answers are late ones: they count no more.
    fn hear(&mut self, socket: &UdpSocket, mut waiting: Vec<(String, Vec<u8>)>) {
        let mut reply = [0; 1_500];
        while !waiting.is_empty() {
            let Ok(len) = socket.recv(&mut reply) else { return };
            let answers = |(_, asked): &(String, Vec<u8>)| is_answer(asked, &reply[..len]);
            if let Some(at) = waiting.iter().position(answers) {
                self.answered.push(waiting.swap_remove(at).0);
                self.shared.dns.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    //------- HTTP -------------------------------------------------------------------------------------------------

    fn request(mut self, server: SocketAddr) -> Result<Vec<String>, Trouble> {
        while !self.is_over() {
            let call = self.next_call();
            // Whatever came of an answer is an answer: the program may write it only when the contact is written.
            if has_answer(server, &call) {
                self.answered.push(call);
                self.shared.http.fetch_add(1, Ordering::Relaxed);
            } else {
                pause(SHUT);
            }
        }
        Ok(self.answered)
    }
}

/// The same id, and the same question.
fn is_answer(asked: &[u8], reply: &[u8]) -> bool {
    reply.len() >= asked.len() && reply[..2] == asked[..2] && reply[HEAD_LEN..].starts_with(&asked[HEAD_LEN..])
}

fn has_answer(server: SocketAddr, call: &str) -> bool {
    let first_octet = || {
        let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET /{call} HTTP/1.1\r\nHost: {SEIZED}\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        // A reset in the middle of it leaves what came before.
        let read = stream.read_to_end(&mut answer);
        if answer.is_empty() { read.map(|_| false) } else { Ok(true) }
    };
    first_octet().unwrap_or(false)
}
