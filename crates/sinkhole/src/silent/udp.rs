//! The thread of the silent ports: it waits for any of its sockets, reads a batch of it, and writes.
//!
//! One thread serves all sockets: a range of a thousand ports is a thousand sockets and nearly always silent. Each that
//! has something gets one batch in turn, so that a flood on one port leaves the others their turn.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread;

use model::tally::Tally;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use store::journal::Journal;
use tokio::sync::oneshot;

use super::DATAGRAM_OCTETS_MAX;
use super::deed::{Ground, Moment, Pen};
use crate::Error;
use crate::inbox::{BATCH, Buffers, Destination, Losses, prepare, receive};
use crate::recorder::{Recorder, Total};
use crate::run::{Clock, StopSignal, Stopwatch, now};

/// How long a quiet thread sleeps before it looks whether counts are due.
const QUIET_MILLIS: u16 = 1_000;
/// Sockets that are looked at in one turn.
const READY_MAX: usize = 64;
/// Batches of each socket that are still read after the stop: more than the largest receive buffer holds, so that only
/// a flood that never ends reaches it.
const DRAIN_BATCHES_MAX: usize = 4_096;
/// What stands for the stop among the sockets' numbers.
const STOP: u64 = u64::MAX;

//----------- SilentUdp --------------------------------------------------------------------------------------------

/// A thread that reads any number of sockets and answers on none.
pub(crate) struct SilentUdp {
    name: String,
    total: Total,
    ended: oneshot::Receiver<()>,
}

impl SilentUdp {
    /// Starts the thread; `None` if there is no socket to read.
    pub(crate) fn start(
        sockets: Vec<UdpSocket>,
        ground: Ground,
        journal: &Arc<Journal>,
        stop: Arc<StopSignal>,
    ) -> Result<Option<Self>, Error> {
        if sockets.is_empty() {
            return Ok(None);
        }
        let clock: Clock = now;
        let trouble = |what, name: &str| {
            let listener = name.to_owned();
            move |cause| Error::Listener { what, listener, cause }
        };
        let ports: Vec<Port> = sockets
            .into_iter()
            .map(Port::open)
            .collect::<io::Result<_>>()
            .map_err(trouble("asking the kernel for times, destinations and losses", "silent-udp"))?;
        let name = name(&ports);
        let epoll = watch(&ports, &stop).map_err(trouble("watching the sockets", &name))?;
        let lane = journal.lane(clock()).map_err(|cause| Error::Journal { listener: name.clone(), cause })?;
        let recorder = Recorder::new(name.clone(), lane, clock());
        let total = recorder.total();
        let (end, ended) = oneshot::channel();
        let pen = Pen::new(recorder, ground);
        let listener = Listener { ports, epoll, clock, started: Stopwatch::start(), stop, pen };
        let run = move || {
            listener.run();
            drop(end);
        };
        thread::Builder::new()
            .name("silent-udp".to_owned())
            .spawn(run)
            .map_err(trouble("starting the thread", &name))?;
        Ok(Some(Self { name, total, ended }))
    }

    pub(crate) fn tally(&self) -> (String, Tally) {
        (self.name.clone(), *self.total.lock().expect("nothing panics while it counts"))
    }

    /// Waits for the end of the thread, which the stop signal brings about.
    pub(crate) async fn join(mut self) -> (String, Tally) {
        // The thread's end, however it comes, is that its half is gone.
        let _ = (&mut self.ended).await;
        self.tally()
    }
}

/// `silent-udp 0.0.0.0:10000 and 100 more`
fn name(ports: &[Port]) -> String {
    let first = ports.first().map_or_else(String::new, |port| port.local.to_string());
    match ports.len() {
        0 | 1 => format!("silent-udp {first}"),
        count => format!("silent-udp {first} and {} more", count - 1),
    }
}

/// Wakes for each socket by its number, and for the stop.
fn watch(ports: &[Port], stop: &StopSignal) -> io::Result<Epoll> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(stop.event(), EpollEvent::new(EpollFlags::EPOLLIN, STOP))?;
    for (number, port) in ports.iter().enumerate() {
        epoll.add(&port.socket, EpollEvent::new(EpollFlags::EPOLLIN, number as u64))?;
    }
    Ok(epoll)
}

//----------- Listener ---------------------------------------------------------------------------------------------

struct Port {
    socket: UdpSocket,
    local: SocketAddr,
    lost: Losses,
}

impl Port {
    fn open(socket: UdpSocket) -> io::Result<Self> {
        prepare(&socket, Destination::Original)?;
        let local = socket.local_addr()?;
        Ok(Self { socket, local, lost: Losses::default() })
    }
}

struct Listener {
    ports: Vec<Port>,
    epoll: Epoll,
    clock: Clock,
    started: Stopwatch,
    stop: Arc<StopSignal>,
    pen: Pen,
}

impl Listener {
    fn run(mut self) {
        let mut buffers = vec![[0; DATAGRAM_OCTETS_MAX]; BATCH];
        while !self.stop.is_raised() {
            for number in self.ready() {
                self.read(number, &mut buffers);
            }
            self.pen.recorder.write_counts_if_due((self.clock)());
        }
        self.drain(&mut buffers);
        for port in &self.ports {
            self.pen.recorder.count(&port.lost.at_the_end(&port.socket, port.local));
        }
        self.pen.recorder.write_counts((self.clock)());
    }

    /// The numbers of the sockets that have something, soon after they have.
    fn ready(&self) -> Vec<usize> {
        let mut events = [EpollEvent::empty(); READY_MAX];
        match self.epoll.wait(&mut events, EpollTimeout::from(QUIET_MILLIS)) {
            Ok(count) => events[..count].iter().filter_map(|event| usize::try_from(event.data()).ok()).collect(),
            // Interrupted; any other error would be of our own making, and the next round says it again.
            Err(_) => Vec::new(),
        }
    }

    fn read(&mut self, number: usize, buffers: &mut Buffers<DATAGRAM_OCTETS_MAX>) {
        // The stop has a number that no socket has.
        let Some(port) = self.ports.get_mut(number) else { return };
        if let Err(error) = batch(port, &mut self.pen, buffers, self.clock, self.started) {
            // The socket itself has failed; to be woken for it again at once would spin.
            tracing::error!(listener = %port.local, %error, "a silent port cannot receive");
            let forgotten = self.epoll.delete(&port.socket);
            debug_assert!(matches!(forgotten, Ok(()) | Err(Errno::ENOENT)));
        }
    }

    /// What was offered before the stop.
    fn drain(&mut self, buffers: &mut Buffers<DATAGRAM_OCTETS_MAX>) {
        for port in &mut self.ports {
            for _ in 0..DRAIN_BATCHES_MAX {
                if !matches!(batch(port, &mut self.pen, buffers, self.clock, self.started), Ok(1..)) {
                    break;
                }
            }
        }
    }
}

/// Reads what waits at one socket, at most a batch, and writes it.
fn batch(
    port: &mut Port,
    pen: &mut Pen,
    buffers: &mut Buffers<DATAGRAM_OCTETS_MAX>,
    clock: Clock,
    started: Stopwatch,
) -> io::Result<usize> {
    let zones = pen.zones();
    let moment = Moment { now: clock(), since_start_nanos: started.nanos() };
    let Port { socket, local, lost } = port;
    let count = receive(socket, buffers, |batch| {
        for received in batch {
            let losses = lost.before(&received.note);
            if !losses.is_empty() {
                pen.recorder.count(&losses);
            }
            pen.take(received, *local, &zones, moment);
        }
    })?;
    if count > 0 {
        pen.recorder.commit(moment.now);
    }
    Ok(count)
}
