//! Sockets and clock of the handshakes: one task per client.

use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use rustls::HandshakeKind;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Handshakes, HandshakesReport};
use crate::Error;
use crate::flood::Stop;
use crate::latency::Histogram;
use crate::tls;

/// A handshake that takes longer has failed.
const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn run(load: &Handshakes) -> Result<HandshakesReport, Error> {
    let task = Arc::new(Task { load: load.clone(), taken: AtomicU64::new(0), start: Instant::now() });
    let mut clients = JoinSet::new();
    for number in 0..load.clients {
        let [a, b, c, d] = load.from.octets();
        let from = Ipv4Addr::new(a, b, c, d + u8::try_from(number).expect("a plan has no more clients than octets"));
        clients.spawn(client(Arc::clone(&task), from, TlsConnector::from(tls::setup(load.resumes)?)));
    }
    let mut total = Counts::default();
    while let Some(counts) = clients.join_next().await {
        total.merge(&counts.expect("a client does not panic"));
    }
    Ok(HandshakesReport {
        completed: total.latency.count(),
        other_kind: total.other_kind,
        failed: total.failed,
        elapsed_secs: task.start.elapsed().as_secs_f64(),
        latency: total.latency.percentiles(),
    })
}

/// What all clients share.
struct Task {
    load: Handshakes,
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

    fn wanted(&self) -> HandshakeKind {
        if self.load.resumes { HandshakeKind::Resumed } else { HandshakeKind::Full }
    }
}

#[derive(Default)]
struct Counts {
    failed: u64,
    other_kind: u64,
    latency: Histogram,
}

impl Counts {
    fn merge(&mut self, other: &Self) {
        self.failed += other.failed;
        self.other_kind += other.other_kind;
        self.latency.merge(&other.latency);
    }
}

async fn client(task: Arc<Task>, from: Ipv4Addr, connector: TlsConnector) -> Counts {
    let mut counts = Counts::default();
    while task.may_go_on() {
        let before = Instant::now();
        match timeout(TIMEOUT, shake_hands(&task, from, &connector)).await {
            Ok(Ok(kind)) if kind == task.wanted() => counts.latency.add(before.elapsed()),
            Ok(Ok(_)) => counts.other_kind += 1,
            Ok(Err(_)) | Err(_) => counts.failed += 1,
        }
    }
    counts
}

async fn shake_hands(task: &Task, from: Ipv4Addr, connector: &TlsConnector) -> io::Result<HandshakeKind> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((from, 0)))?;
    let stream = socket.connect(task.load.target).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from(task.load.name.as_str().to_owned()).expect("a domain name is a server name");
    let mut stream = connector.connect(name, stream).await?;
    ticket(&mut stream).await?;
    stream.shutdown().await?;
    stream.get_ref().1.handshake_kind().ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Waits for the first ticket. The library takes it while it reads and finds nothing to hand on.
async fn ticket(stream: &mut TlsStream<TcpStream>) -> io::Result<()> {
    poll_fn(|context| {
        let mut octet = [0; 1];
        match Pin::new(&mut *stream).poll_read(context, &mut ReadBuf::new(&mut octet)) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            // It says something unasked, or leaves.
            Poll::Ready(Ok(())) => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            Poll::Pending if stream.get_ref().1.tls13_tickets_received() > 0 => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
