//! Accepts connections, moves their bytes, keeps their time. Dull on purpose: receive, ask the conversation, record,
//! send, repeat.
//!
//! A connection owns no buffer while it waits: octets are read into one scratch buffer per thread and handed on.

use std::cell::RefCell;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use model::outcome::End;
use model::tally::{Shed, Tally};
use socket2::SockRef;
use store::journal::Journal;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, sleep_until, timeout, timeout_at};
use wire::session::{Output, Session};

use super::book::{Book, Farewell};
use super::conversation::{Conversation, Ground, Port};
use crate::certificates::Certificates;
use crate::gate::{Gate, Pass};
use crate::notice::Notices;
use crate::recorder::{self, COUNTS_EVERY, Recorder, Total};
use crate::run::now;
use crate::witness::Caller;
use crate::{Error, Keys, Settings, ZoneTable};

/// Octets read at once.
const SCRATCH_OCTETS: usize = 16 * 1024;
/// Reads at a stop, for what had been sent before it.
const LAST_READS_MAX: usize = 64;
/// How long connections get to end after a stop.
const DRAIN: Duration = Duration::from_secs(5);
/// After our last octet the caller's are read and dropped for so long: closing over unread octets would reset the
/// connection and take our answer with it.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_READS_MAX: usize = 64;
/// How long a caller may take nothing of an answer once we stop. Shorter than the drain: how it ended is recorded.
const STOP_PATIENCE: Duration = Duration::from_secs(2);
/// Connections that are still let in at a stop: more than the kernel queues for a listener, so that only a flood that
/// never ends reaches it.
const LAST_ADMISSIONS_MAX: usize = 4_096;
/// Octets that the kernel may hold for one caller who reads nothing, where it would go to megabytes. A page of ours
/// has two thousand.
const KERNEL_OCTETS_OUT: usize = 64 * 1024;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH_OCTETS]);
}

//----------- Start and stop ---------------------------------------------------------------------------------------

/// The trap's listeners.
pub struct TrapRunning {
    doors: Vec<(String, Total, JoinHandle<()>)>,
}

/// Starts a task per listener. Called within a tokio runtime.
///
/// # Errors
/// If a socket, a journal lane or the private authority cannot be had.
pub fn start(
    http: Vec<std::net::TcpListener>,
    https: Vec<std::net::TcpListener>,
    zones: Arc<ZoneTable>,
    journal: &Arc<Journal>,
    settings: &Settings,
    keys: &Keys,
    stop: watch::Receiver<bool>,
) -> Result<TrapRunning, Error> {
    let mut doors = Vec::new();
    if http.is_empty() && https.is_empty() {
        return Ok(TrapRunning { doors });
    }
    let (limits, account_key) = (settings.trap, settings.account_key.clone());
    let certificates = Certificates::open(keys, now())?;
    let ground = Arc::new(Ground { zones, certificates, notices: Notices::default(), limits, account_key });
    let gate = Gate::new(limits.connections_max, limits.connections_per_prefix_max);
    let sockets = http.into_iter().map(|s| (s, Port::Plain)).chain(https.into_iter().map(|s| (s, Port::Tls)));
    for (socket, port) in sockets {
        let (name, listener) = listener(socket, port)?;
        let lane = journal.lane(now()).map_err(|cause| Error::Journal { listener: name.clone(), cause })?;
        let recorder = Recorder::new(name.clone(), lane, now());
        let total = recorder.total();
        let recorder = Arc::new(Mutex::new(recorder));
        let (ground, gate, stop) = (Arc::clone(&ground), Arc::clone(&gate), stop.clone());
        let door = Door { ground, gate, port, recorder, stop };
        doors.push((name, total, tokio::spawn(door.serve(listener))));
    }
    Ok(TrapRunning { doors })
}

fn listener(socket: std::net::TcpListener, port: Port) -> Result<(String, TcpListener), Error> {
    let kind = if port == Port::Plain { "http" } else { "https" };
    let address = socket.local_addr().map_or_else(|_| "unknown".to_owned(), |address| address.to_string());
    let name = format!("{kind} {address}");
    // Connections inherit it. A kernel that refuses has its own limit.
    let _ = SockRef::from(&socket).set_send_buffer_size(KERNEL_OCTETS_OUT);
    let listener = socket.set_nonblocking(true).and_then(|()| TcpListener::from_std(socket));
    match listener {
        Ok(listener) => Ok((name, listener)),
        Err(cause) => Err(Error::Listener { what: "taking over the socket", listener: name, cause }),
    }
}

impl TrapRunning {
    /// What each listener counted since the start.
    pub fn tallies(&self) -> Vec<(String, Tally)> {
        self.doors.iter().map(|(name, total, _)| (name.clone(), read(total))).collect()
    }

    /// Waits for the end of every listener, after the stop.
    pub async fn join(self) -> Vec<(String, Tally)> {
        let mut tallies = Vec::new();
        for (name, total, task) in self.doors {
            if let Err(error) = task.await {
                tracing::error!(listener = name, %error, "a listener ended by a fault of ours");
            }
            tallies.push((name, read(&total)));
        }
        tallies
    }
}

fn read(total: &Total) -> Tally {
    *total.lock().expect("nothing panics while it counts")
}

//----------- Door -------------------------------------------------------------------------------------------------

/// One listener.
struct Door {
    ground: Arc<Ground>,
    gate: Arc<Gate>,
    port: Port,
    recorder: Arc<Mutex<Recorder>>,
    stop: watch::Receiver<bool>,
}

impl Door {
    async fn serve(self, listener: TcpListener) {
        let mut stop = self.stop.clone();
        let (alive, mut all_gone) = mpsc::channel::<()>(1);
        let mut second = interval(COUNTS_EVERY);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, source)) => self.admit(stream, source, &alive),
                    // Out of descriptors, most likely: one comes back when a connection ends.
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        second.tick().await;
                    }
                },
                _ = second.tick() => self.recorder().write_counts_if_due(now()),
                () = stopped(&mut stop) => break,
            }
        }
        self.admit_waiting(listener, &alive);
        drop(alive);
        if timeout(DRAIN, all_gone.recv()).await.is_err() {
            tracing::warn!("connections were left open at the stop");
        }
        self.recorder().write_counts(now());
    }

    /// Whoever had connected before the stop is served: what they sent is recorded and answered. The runtime may not
    /// have heard of them yet, so the socket itself is asked.
    fn admit_waiting(&self, listener: TcpListener, alive: &mpsc::Sender<()>) {
        let Ok(listener) = listener.into_std() else { return };
        for (stream, source) in (0..LAST_ADMISSIONS_MAX).map_while(|_| listener.accept().ok()) {
            let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
            if let Ok(stream) = stream {
                self.admit(stream, source, alive);
            }
        }
    }

    fn recorder(&self) -> MutexGuard<'_, Recorder> {
        recorder::held(&self.recorder)
    }

    fn admit(&self, stream: TcpStream, source: SocketAddr, alive: &mpsc::Sender<()>) {
        let Some(pass) = self.gate.enter(source.ip()) else {
            let shed = Shed { connections: 1, ..Shed::default() };
            self.recorder().count(&Tally { shed, ..Tally::default() });
            return;
        };
        // A peer that is gone already has no address any more; the listener's stands for ours.
        let local = stream.local_addr().unwrap_or(source);
        let caller = Caller { source: canonical(source), local: canonical(local) };
        let accepted = now();
        let visit = Visit {
            conversation: Conversation::new(Arc::clone(&self.ground), self.port, accepted),
            book: Book::new(Arc::clone(&self.recorder), caller, accepted),
            stream,
            began: Instant::now(),
            patience: self.ground.limits.idle,
            until: Instant::now() + self.ground.limits.lifetime,
            stop: self.stop.clone(),
            is_stopping: false,
            octets_out: 0,
            _pass: pass,
            _alive: alive.clone(),
        };
        tokio::spawn(visit.serve());
    }
}

/// Returns at the stop; also if nobody is left who could give it.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// An IPv4 caller on a socket for both families is an IPv4 caller.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

//----------- Visit ------------------------------------------------------------------------------------------------

/// One connection.
struct Visit {
    stream: TcpStream,
    conversation: Conversation,
    book: Book,
    began: Instant,
    /// How long the caller may take nothing of an answer.
    patience: Duration,
    /// When nothing is sent any more, however willing the caller is.
    until: Instant,
    stop: watch::Receiver<bool>,
    is_stopping: bool,
    octets_out: u64,
    _pass: Pass,
    _alive: mpsc::Sender<()>,
}

impl Visit {
    async fn serve(mut self) {
        // Answers are written whole: waiting for more to fill a packet only delays them.
        let _ = self.stream.set_nodelay(true);
        let end = self.converse().await;
        let farewell = Farewell {
            octets_in: self.conversation.octets_in(),
            octets_out: self.octets_out,
            duration: self.began.elapsed(),
            end,
            tls: self.conversation.tls(),
        };
        self.book.close(&farewell, now());
        if self.octets_out > 0 && !matches!(end, End::Peer | End::Reset) {
            self.linger().await;
        }
    }

    async fn converse(&mut self) -> End {
        loop {
            let until = match self.speak().await {
                Ok(Some(until)) => until,
                Ok(None) => return self.conversation.ending(),
                Err(end) => return end,
            };
            tokio::select! {
                ready = self.stream.readable() => if ready.and_then(|()| self.listen()).is_err() {
                    self.conversation.end(End::Reset);
                },
                () = sleep_until(until) => {}
                () = stopped(&mut self.stop) => self.listen_for_the_last_time(),
            }
        }
    }

    /// Records and sends what the conversation has to say; then says until when it waits, or that it is over.
    async fn speak(&mut self) -> Result<Option<Instant>, End> {
        loop {
            match self.conversation.poll(self.began.elapsed()) {
                Some(Output::Observe(knock)) => self.book.record(&knock, now()),
                Some(Output::Send(bytes)) => self.send(&bytes).await?,
                Some(Output::Wait(until)) => return Ok(Some(self.began + until)),
                Some(Output::Close) | None => return Ok(None),
            }
        }
    }

    async fn send(&mut self, mut bytes: &[u8]) -> Result<(), End> {
        while !bytes.is_empty() {
            match self.stream.try_write(bytes) {
                Ok(count) => {
                    self.octets_out += count as u64;
                    bytes = &bytes[count..];
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.room().await.map_err(|end| self.give_up(end))?;
                }
                Err(_) => return Err(self.give_up(End::Reset)),
            }
        }
        Ok(())
    }

    /// Waits until the caller takes some of an answer: not beyond his patience, his lifetime, or our stop.
    async fn room(&mut self) -> Result<(), End> {
        let patience = Instant::now() + self.patience;
        tokio::select! {
            ready = self.stream.writable() => ready.map_err(|_| End::Reset),
            () = sleep_until(patience.min(self.until)) => {
                Err(if self.is_stopping { End::Stopped } else if patience < self.until { End::TimedOut } else { End::Limit })
            }
            () = stopped(&mut self.stop), if !self.is_stopping => {
                self.is_stopping = true;
                self.until = self.until.min(Instant::now() + STOP_PATIENCE);
                Ok(())
            }
        }
    }

    /// The caller takes no answer any more. What had been said by then is recorded all the same.
    fn give_up(&mut self, end: End) -> End {
        self.conversation.end(end);
        while let Some(output) = self.conversation.poll(self.began.elapsed()) {
            if let Output::Observe(knock) = output {
                self.book.record(&knock, now());
            }
        }
        end
    }

    /// Reads once into the thread's scratch buffer. Says whether there was anything.
    fn listen(&mut self) -> io::Result<bool> {
        let elapsed = self.began.elapsed();
        SCRATCH.with_borrow_mut(|scratch| match self.stream.try_read(scratch) {
            Ok(0) => {
                self.conversation.on_end(elapsed);
                Ok(false)
            }
            Ok(count) => {
                self.conversation.on_bytes(elapsed, &scratch[..count]);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        })
    }

    fn listen_for_the_last_time(&mut self) {
        for _ in 0..LAST_READS_MAX {
            if !matches!(self.listen(), Ok(true)) {
                break;
            }
        }
        self.conversation.end(End::Stopped);
    }

    async fn linger(&mut self) {
        if SockRef::from(&self.stream).shutdown(Shutdown::Write).is_err() {
            return;
        }
        let until = Instant::now() + LINGER;
        for _ in 0..LINGER_READS_MAX {
            if !matches!(timeout_at(until, self.stream.readable()).await, Ok(Ok(()))) {
                return;
            }
            let read = SCRATCH.with_borrow_mut(|scratch| self.stream.try_read(scratch));
            match read {
                Ok(0) => return,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
                _ => {}
            }
        }
    }
}
