//! Accepts connections, moves their bytes, keeps their time. Dull on purpose: receive, ask the conversation, record,
//! send, repeat.
//!
//! A connection owns no buffer while it waits: octets are read into one scratch buffer per thread and handed on.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use model::outcome::End;
use model::tally::{Shed, Tally};
use socket2::SockRef;
use store::journal::Journal;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, sleep, sleep_until, timeout, timeout_at};
use wire::session::{Output, Session};

use super::book::{Book, Farewell};
use super::conversation::Conversation;
use super::ground::{Ground, Port};
use super::knock::Knock;
use crate::certificates::Certificates;
use crate::gate::{Gate, Pass};
use crate::keyed::CaseKeys;
use crate::notice::Notices;
use crate::recorder::{self, COUNTS_EVERY, Recorder, Total, WRITTEN_AFTER};
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
    certificates: Option<Arc<Certificates>>,
}

/// The sockets, by what is expected there.
#[derive(Debug, Default)]
pub struct Doors {
    pub http: Vec<std::net::TcpListener>,
    pub https: Vec<std::net::TcpListener>,
    pub smtp: Vec<std::net::TcpListener>,
    pub smtps: Vec<std::net::TcpListener>,
    pub any: Vec<std::net::TcpListener>,
}

impl Doors {
    fn sockets(self) -> impl Iterator<Item = (std::net::TcpListener, Port)> {
        let Self { http, https, smtp, smtps, any } = self;
        let of = |sockets: Vec<_>, port| sockets.into_iter().map(move |socket| (socket, port));
        of(http, Port::Http)
            .chain(of(https, Port::Https))
            .chain(of(smtp, Port::Smtp))
            .chain(of(smtps, Port::Smtps))
            .chain(of(any, Port::Any))
    }
}

/// Starts a task per listener. Called within a tokio runtime.
///
/// # Errors
/// If a socket, a journal lane or the private authority cannot be had.
pub(crate) fn start(
    doors: Doors,
    zones: Arc<ZoneTable>,
    journal: &Arc<Journal>,
    settings: &Settings,
    keys: &Keys,
    case_keys: Arc<CaseKeys>,
    stop: watch::Receiver<bool>,
) -> Result<TrapRunning, Error> {
    let mut sockets = doors.sockets().peekable();
    let mut doors = Vec::new();
    if sockets.peek().is_none() {
        return Ok(TrapRunning { doors, certificates: None });
    }
    let limits = settings.trap;
    let certificates = Arc::new(Certificates::open(keys, now())?);
    let ground = Arc::new(Ground {
        zones,
        names: settings.names_by_address.clone(),
        certificates: Arc::clone(&certificates),
        keys: case_keys,
        notices: Notices::default(),
        mail: settings.mail.clone(),
        balancers: settings.balancers.clone(),
        account_key: settings.account_key.clone(),
        limits,
    });
    let gate = Gate::new(limits.connections_max, limits.connections_per_prefix_max);
    for (socket, port) in sockets {
        let (name, listener) = listener(socket, port)?;
        let lane = journal.lane(now()).map_err(|cause| Error::Journal { listener: name.clone(), cause })?;
        let recorder = Recorder::new(name.clone(), lane, now());
        let total = recorder.total();
        let recorder = Arc::new(Mutex::new(recorder));
        let (ground, gate, stop) = (Arc::clone(&ground), Arc::clone(&gate), stop.clone());
        // What a rule of the kernel's leads to a door for anything came to another address.
        let local = listener.local_addr().ok().filter(|local| port != Port::Any && !local.ip().is_unspecified());
        let door = Door { ground, gate, port, local, recorder, stop };
        doors.push((name, total, tokio::spawn(door.serve(listener))));
    }
    Ok(TrapRunning { doors, certificates: Some(certificates) })
}

fn listener(socket: std::net::TcpListener, port: Port) -> Result<(String, TcpListener), Error> {
    let kind = port.word();
    let address = socket.local_addr().map_or_else(|_| "unknown".to_owned(), |address| address.to_string());
    let name = format!("{kind} {address}");
    // Connections inherit both. A kernel that refuses has its own limit. Answers are written whole: waiting for more to
    // fill a packet only delays them.
    let _ = SockRef::from(&socket).set_send_buffer_size(KERNEL_OCTETS_OUT);
    let _ = SockRef::from(&socket).set_tcp_nodelay(true);
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

    /// The certificates that it shows, where it shows any.
    pub fn certificates(&self) -> Option<&Arc<Certificates>> {
        self.certificates.as_ref()
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
    /// Where everybody comes who comes here; a listener for all addresses asks each connection.
    local: Option<SocketAddr>,
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
        let mut recorder = self.recorder();
        recorder.write_staged(now());
        recorder.write_counts(now());
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
        let is_balancer = self.ground.is_balancer(source.ip());
        let pass = if is_balancer { self.gate.enter_for_another() } else { self.gate.enter(source.ip()) };
        let Some(pass) = pass else {
            let shed = Shed { connections: 1, ..Shed::default() };
            self.recorder().count(&Tally { shed, ..Tally::default() });
            return;
        };
        let local = match self.local {
            Some(local) => local,
            // A peer that is gone already has no address any more.
            None => stream.local_addr().unwrap_or(source),
        };
        let caller = Caller { source: canonical(source), local: canonical(local), balancer: None };
        let ends = (caller.source.ip(), caller.local.ip());
        let accepted = now();
        let visit = Visit {
            conversation: Conversation::new(Arc::clone(&self.ground), self.port, ends, accepted),
            book: Book::new(Arc::clone(&self.recorder), caller, accepted),
            stream,
            began: Instant::now(),
            patience: self.ground.limits.idle,
            until: Instant::now() + self.ground.limits.lifetime,
            stop: self.stop.clone(),
            is_stopping: false,
            octets_out: 0,
            pass,
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

/// Reads once into the thread's scratch buffer and hands it on. A read that does not fill it tells the runtime that
/// nothing is left, which spares one more that would find nothing.
fn hear(
    stream: &mut TcpStream,
    conversation: &mut Conversation,
    began: Instant,
    context: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    SCRATCH.with_borrow_mut(|scratch| {
        let mut buffer = ReadBuf::new(scratch);
        ready!(Pin::new(stream).poll_read(context, &mut buffer))?;
        match buffer.filled() {
            [] => conversation.on_end(began.elapsed()),
            bytes => conversation.on_bytes(began.elapsed(), bytes),
        }
        Poll::Ready(Ok(()))
    })
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
    pass: Pass,
    _alive: mpsc::Sender<()>,
}

/// What a conversation wants done, everything before it being on record.
enum Next {
    Send(Vec<u8>),
    Wait(Instant),
    Close,
}

impl Visit {
    /// A block and no `async fn`: that would keep its argument twice, and ten thousand of these wait at once.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` holds its argument beside the copy that it works on")]
    fn serve(mut self) -> impl Future<Output = ()> + Send {
        async move {
            let end = self.converse().await;
            self.say_farewell(end);
            let is_cut_short = match end {
                End::Peer | End::Reset => false,
                End::Us => self.conversation.may_still_be_sending(),
                _ => true,
            };
            if self.octets_out > 0 && is_cut_short {
                Box::pin(self.linger()).await;
            }
        }
    }

    /// One timer for all waits: most of them only put it off, so it is set anew when it was too late or has rung.
    async fn converse(&mut self) -> End {
        let mut timer = pin!(sleep_until(self.until));
        loop {
            let until = match self.speak().await {
                Ok(Some(until)) => until,
                Ok(None) => return self.conversation.ending(),
                Err(end) => return end,
            };
            if until < timer.deadline() || timer.is_elapsed() {
                timer.as_mut().reset(until);
            }
            tokio::select! {
                biased;
                () = stopped(&mut self.stop) => self.listen_for_the_last_time(),
                heard = poll_fn(|context| hear(&mut self.stream, &mut self.conversation, self.began, context)) => {
                    if heard.is_err() {
                        self.conversation.end(End::Reset);
                    }
                }
                () = &mut timer => {}
            }
        }
    }

    fn say_farewell(&mut self, end: End) {
        let farewell = Farewell {
            octets_in: self.conversation.octets_in(),
            octets_out: self.octets_out,
            duration: self.began.elapsed(),
            end,
            tls: self.conversation.tls(),
        };
        if let Some(recorder) = self.book.close(&farewell, now()) {
            tokio::spawn(async move {
                sleep(WRITTEN_AFTER).await;
                recorder::held(&recorder).write_staged(now());
            });
        }
    }

    /// Records and sends what the conversation has to say; then says until when it waits, or that it is over.
    async fn speak(&mut self) -> Result<Option<Instant>, End> {
        loop {
            match self.next() {
                Next::Send(bytes) => self.send(&bytes).await?,
                Next::Wait(until) => return Ok(Some(until)),
                Next::Close => return Ok(None),
            }
        }
    }

    /// Records what is to be recorded before the next thing is done. Apart from whoever waits, so that nobody has room
    /// for a request while he does.
    fn next(&mut self) -> Next {
        loop {
            match self.conversation.poll(self.began.elapsed()) {
                Some(Output::Observe(knock)) => self.record(&knock),
                Some(Output::Send(bytes)) => return Next::Send(bytes),
                Some(Output::Wait(until)) => return Next::Wait(self.began + until),
                Some(Output::Close) | None => return Next::Close,
            }
        }
    }

    fn record(&mut self, knock: &Knock) {
        self.book.record(knock, now());
        if matches!(knock, Knock::Proxied(_)) && !self.pass.is_for(self.book.source()) {
            self.conversation.end(End::Limit);
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
                    // Few callers make us wait; those who do pay for the room.
                    Box::pin(self.room()).await.map_err(|end| self.give_up(end))?;
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

    /// Reads once, without waiting. Says whether there was anything.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn octets_of<V, F>(_: fn(V) -> F) -> usize {
        size_of::<F>()
    }

    /// Ten thousand slow clients are ten thousand of these, each with the runtime's own 300 octets and what it has said.
    #[test]
    fn a_connection_that_waits_is_small() {
        let octets = octets_of(Visit::serve);
        assert!(octets <= 1_024, "{octets}");
    }
}
