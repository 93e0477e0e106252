//! Opens the doors and lets connections in, as far as the gate allows; each is a [`Visit`] of its own.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use model::tally::{Shed, Tally};
use socket2::SockRef;
use store::journal::Journal;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, timeout};

use super::book::Book;
use super::conversation::Conversation;
use super::ground::{Ground, Port};
use super::limits::Handshakes;
use super::line::Line;
use super::own::OwnVisits;
use super::visit::Visit;
use crate::certificates::Certificates;
use crate::gate::Gate;
use crate::keyed::CaseKeys;
use crate::notice::Notices;
use crate::recorder::{self, COUNTS_EVERY, Recorder, Total};
use crate::run::{now, stopped};
use crate::witness::Caller;
use crate::{Error, Keys, Settings, ZoneTable};

/// How long connections get to end after a stop.
const DRAIN: Duration = Duration::from_secs(5);
/// Connections that are still let in at a stop: more than the kernel queues for a listener, so that only a flood that
/// never ends reaches it.
const LAST_ADMISSIONS_MAX: usize = 4_096;
/// Octets that the kernel may hold for one caller who reads nothing, where it would go to megabytes. A page of ours
/// has two thousand.
const KERNEL_OCTETS_OUT: usize = 64 * 1024;

//----------- Start and stop ---------------------------------------------------------------------------------------

/// The trap's listeners.
pub struct TrapRunning {
    doors: Vec<Opened>,
    certificates: Option<Arc<Certificates>>,
}

/// A listener, for whoever asks after it.
struct Opened {
    name: String,
    total: Total,
    /// One for each of its connections, and one for itself.
    alive: mpsc::WeakSender<()>,
    task: JoinHandle<()>,
}

/// The sockets, by what is expected there.
#[derive(Debug, Default)]
pub struct Doors {
    pub http: Vec<TcpListener>,
    pub https: Vec<TcpListener>,
    pub smtp: Vec<TcpListener>,
    pub smtps: Vec<TcpListener>,
    pub any: Vec<TcpListener>,
}

impl Doors {
    fn sockets(self) -> impl Iterator<Item = (TcpListener, Port)> {
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
        handshakes: Handshakes::default(),
        own: OwnVisits::new(settings.visit_key),
    });
    let turnover = limits.turnover();
    let gate = Gate::with_turnover(limits.connections_max, limits.connections_per_prefix_max, turnover);
    let opened = Instant::now();
    for (socket, port) in sockets {
        let (name, listener) = listener(socket, port)?;
        let lane = journal.lane(now()).map_err(|cause| Error::Journal { listener: name.clone(), cause })?;
        let recorder = Recorder::new(name.clone(), lane, now());
        let total = recorder.total();
        let recorder = Arc::new(Mutex::new(recorder));
        let (ground, gate, stop) = (Arc::clone(&ground), Arc::clone(&gate), stop.clone());
        // What a rule of the kernel's leads to a door for anything came to another address.
        let local =
            listener.get_ref().local_addr().ok().filter(|local| port != Port::Any && !local.ip().is_unspecified());
        let door = Door { ground, gate, opened, port, local, recorder, stop };
        let (mine, all_gone) = mpsc::channel::<()>(1);
        let alive = mine.downgrade();
        doors.push(Opened { name, total, alive, task: tokio::spawn(door.serve(listener, mine, all_gone)) });
    }
    Ok(TrapRunning { doors, certificates: Some(certificates) })
}

/// A listener whose connections the runtime does not know yet.
type Listener = AsyncFd<TcpListener>;

fn listener(socket: TcpListener, port: Port) -> Result<(String, Listener), Error> {
    let kind = port.word();
    let address = socket.local_addr().map_or_else(|_| "unknown".to_owned(), |address| address.to_string());
    let name = format!("{kind} {address}");
    // Connections inherit both. A kernel that refuses has its own limit. Answers are written whole: waiting for more to
    // fill a packet only delays them.
    let _ = SockRef::from(&socket).set_send_buffer_size(KERNEL_OCTETS_OUT);
    let _ = SockRef::from(&socket).set_tcp_nodelay(true);
    let listener = socket.set_nonblocking(true).and_then(|()| watched(socket));
    match listener {
        Ok(listener) => Ok((name, listener)),
        Err(cause) => Err(Error::Listener { what: "taking over the socket", listener: name, cause }),
    }
}

impl TrapRunning {
    /// What each listener counted since the start.
    pub fn tallies(&self) -> Vec<(String, Tally)> {
        self.doors.iter().map(|door| (door.name.clone(), read(&door.total))).collect()
    }

    /// How many connections each has open.
    pub fn open(&self) -> Vec<(String, u64)> {
        let count = |door: &Opened| door.alive.strong_count().saturating_sub(1) as u64;
        self.doors.iter().map(|door| (door.name.clone(), count(door))).collect()
    }

    /// The certificates that it shows, where it shows any.
    pub fn certificates(&self) -> Option<&Arc<Certificates>> {
        self.certificates.as_ref()
    }

    /// Waits for the end of every listener, after the stop.
    pub async fn join(self) -> Vec<(String, Tally)> {
        let mut tallies = Vec::new();
        for Opened { name, total, task, .. } in self.doors {
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
    /// Since when the gate is there.
    opened: Instant,
    port: Port,
    /// Where everybody comes who comes here; a listener for all addresses asks each connection.
    local: Option<SocketAddr>,
    recorder: Arc<Mutex<Recorder>>,
    stop: watch::Receiver<bool>,
}

impl Door {
    async fn serve(self, listener: Listener, alive: mpsc::Sender<()>, mut all_gone: mpsc::Receiver<()>) {
        let mut stop = self.stop.clone();
        let mut second = interval(COUNTS_EVERY);
        loop {
            tokio::select! {
                accepted = accept(&listener) => match accepted {
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
        self.gate.stop();
        self.admit_waiting(listener.get_ref(), &alive);
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
    fn admit_waiting(&self, listener: &TcpListener, alive: &mpsc::Sender<()>) {
        for (stream, source) in (0..LAST_ADMISSIONS_MAX).map_while(|_| listener.accept().ok()) {
            self.admit(stream, source, alive);
        }
    }

    fn recorder(&self) -> MutexGuard<'_, Recorder> {
        recorder::held(&self.recorder)
    }

    fn admit(&self, stream: TcpStream, source: SocketAddr, alive: &mpsc::Sender<()>) {
        let (is_balancer, at) = (self.ground.is_balancer(source.ip()), self.opened.elapsed());
        let pass = if is_balancer { self.gate.enter_for_another(at) } else { self.gate.enter_at(source.ip(), at) };
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
            line: Line::Fresh(stream),
            began: Instant::now(),
            until: Instant::now() + self.ground.limits.lifetime,
            is_stopping: false,
            is_asked: false,
            octets_out: 0,
            pass,
            alive: alive.clone(),
        };
        tokio::spawn(visit.serve());
    }
}

#[expect(deprecated, reason = "unsound for what may change its descriptor; a listener has one, and keeps it")]
fn watched(socket: TcpListener) -> io::Result<Listener> {
    AsyncFd::with_interest(socket, Interest::READABLE)
}

async fn accept(listener: &Listener) -> io::Result<(TcpStream, SocketAddr)> {
    loop {
        let mut ready = listener.readable().await?;
        if let Ok(accepted) = ready.try_io(|listener| listener.get_ref().accept()) {
            return accepted;
        }
    }
}

/// An IPv4 caller on a socket for both families is an IPv4 caller.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
