//! Sockets and clock of the load: one task per connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::{Load, LoadReport};
use crate::answer::{Framing, Head};
use crate::flood::Stop;
use crate::latency::Histogram;

/// An answer that takes longer has failed.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Octets read at once.
const READ_LEN: usize = 16 * 1024;

pub(super) async fn run(load: &Load) -> LoadReport {
    let start = Instant::now();
    let task = Arc::new(Task { load: load.clone(), request: load.request(), taken: AtomicU64::new(0), start });
    let mut clients = JoinSet::new();
    for _ in 0..load.connections {
        clients.spawn(client(Arc::clone(&task)));
    }
    let mut total = Counts::default();
    while let Some(counts) = clients.join_next().await {
        total.merge(&counts.expect("a client does not panic"));
    }
    let elapsed = start.elapsed();
    LoadReport {
        answered: total.latency.count(),
        failed: total.failed,
        connections: total.connections,
        elapsed_secs: elapsed.as_secs_f64(),
        answered_per_sec: total.latency.count() as f64 / elapsed.as_secs_f64(),
        latency: total.latency.percentiles(),
    }
}

/// What all clients share.
struct Task {
    load: Load,
    request: Vec<u8>,
    taken: AtomicU64,
    start: Instant,
}

impl Task {
    fn may_go_on(&self) -> bool {
        match self.load.stop {
            Stop::After(duration) => self.start.elapsed() < duration,
            Stop::Count(count) => self.taken.fetch_add(1, Ordering::Relaxed) < count,
        }
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((self.load.from, 0)))?;
        let stream = socket.connect(self.load.target).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

#[derive(Default)]
struct Counts {
    failed: u64,
    connections: u64,
    latency: Histogram,
}

impl Counts {
    fn merge(&mut self, other: &Self) {
        self.failed += other.failed;
        self.connections += other.connections;
        self.latency.merge(&other.latency);
    }
}

async fn client(task: Arc<Task>) -> Counts {
    let mut counts = Counts::default();
    let mut kept = None;
    while task.may_go_on() {
        let before = Instant::now();
        match timeout(ANSWER_TIMEOUT, ask(&task, kept.take(), &mut counts)).await {
            Ok(Ok(line)) => {
                kept = line;
                counts.latency.add(before.elapsed());
            }
            Ok(Err(_)) | Err(_) => counts.failed += 1,
        }
    }
    counts
}

/// One request and its whole answer; the connection, if both sides keep it.
async fn ask(task: &Task, kept: Option<TcpStream>, counts: &mut Counts) -> io::Result<Option<TcpStream>> {
    let mut line = match kept {
        Some(line) => line,
        None => {
            counts.connections += 1;
            task.connect().await?
        }
    };
    line.write_all(&task.request).await?;
    let mut answer = Vec::with_capacity(READ_LEN);
    loop {
        let len = line.read_buf(&mut answer).await?;
        let head = Head::read(&answer);
        let framing = head.map(|head| (head, head.framing_after(false)));
        match framing {
            Some((head, Framing::Length(body))) if answer.len() >= head.len + body => {
                return Ok((task.load.keep_alive && head.keeps_connection).then_some(line));
            }
            Some((_, Framing::Close)) if len == 0 => return Ok(None),
            _ if len == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            _ => {}
        }
    }
}
