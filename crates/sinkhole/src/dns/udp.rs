//! DNS over UDP: one thread per socket, which waits for nothing but its socket and the stop signal.
//!
//! A batch is read, answered into memory, recorded with one write, and then sent. A thread of its own, not a task: it
//! never yields to a slow neighbour, and its lane of the journal is its alone.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;

use model::Timestamp;
use model::tally::Tally;
use nix::poll::PollFlags;
use store::journal::Journal;
use tokio::sync::oneshot;
use wire::dns::Query;

use super::deed::{Arrival, Pen, Read};
use super::socket::Outbox;
use super::voice::{Saying, Voice};
use crate::Error;
use crate::inbox::{BATCH, Buffers, Destination, Losses, Note, Received, is_ready, prepare, receive};
use crate::recorder::{Recorder, Total};
use crate::run::{Clock, StopSignal, Stopwatch, now};
use crate::settings::RateLimits;
use crate::zones::{ZoneTable, Zones};

/// What is read of one datagram. EDNS queries have less than 600 octets; more is cut and marked.
const DATAGRAM_OCTETS_MAX: usize = 4_096;
/// How long a quiet thread sleeps before it looks whether counts are due.
const QUIET_MILLIS: u16 = 1_000;
/// How long a full send buffer may hold up a batch.
const SEND_MILLIS: u16 = 100;
/// Batches that are still answered after the stop: more than the largest receive buffer holds, so that only a flood
/// that never ends reaches it.
const DRAIN_BATCHES_MAX: usize = 4_096;

//----------- DnsUdp -----------------------------------------------------------------------------------------------

/// A thread that answers on one socket.
pub(crate) struct DnsUdp {
    name: String,
    total: Total,
    ended: oneshot::Receiver<()>,
}

impl DnsUdp {
    /// `number` counts the threads of one address, from 1.
    pub(crate) fn start(
        socket: UdpSocket,
        number: usize,
        zones: Arc<ZoneTable>,
        journal: &Arc<Journal>,
        rates: RateLimits,
        voice: Arc<Voice>,
        stop: Arc<StopSignal>,
    ) -> Result<Self, Error> {
        let clock: Clock = now;
        let trouble = |what, name: &str| {
            let listener = name.to_owned();
            move |cause| Error::Listener { what, listener, cause }
        };
        let local = socket.local_addr().map_err(trouble("asking for the address", "dns-udp"))?;
        // The first thread of an address has the name that a lone one has.
        let suffix = if number > 1 { format!(" #{number}") } else { String::new() };
        let name = format!("dns-udp {local}{suffix}");
        prepare(&socket, Destination::Address)
            .map_err(trouble("asking the kernel for times, addresses and losses", &name))?;
        let lane = journal.lane(clock()).map_err(|cause| Error::Journal { listener: name.clone(), cause })?;
        let recorder = Recorder::new(name.clone(), lane, clock());
        let total = recorder.total();
        let (end, ended) = oneshot::channel();
        let pen = Pen::new(recorder, rates);
        let started = Stopwatch::start();
        let server = Listener {
            socket,
            local,
            zones,
            voice,
            clock,
            started,
            stop,
            lost: Losses::default(),
            pen,
            outbox: Outbox::default(),
        };
        let run = move || {
            server.run();
            // Nobody waits any more if the receiver is gone.
            let _ = end.send(());
        };
        thread::Builder::new()
            .name(format!("dns-udp-{}", local.port()))
            .spawn(run)
            .map_err(trouble("starting the thread", &name))?;
        Ok(Self { name, total, ended })
    }

    pub(crate) fn tally(&self) -> (String, Tally) {
        (self.name.clone(), *self.total.lock().expect("nothing panics while it counts"))
    }

    /// Waits for the end of the thread, which the stop signal brings about.
    pub(crate) async fn join(mut self) -> (String, Tally) {
        // The sender is gone without a word only if the thread panicked, which it has said itself.
        let _ = (&mut self.ended).await;
        self.tally()
    }
}

//----------- Listener ---------------------------------------------------------------------------------------------

struct Listener {
    socket: UdpSocket,
    local: SocketAddr,
    zones: Arc<ZoneTable>,
    voice: Arc<Voice>,
    clock: Clock,
    started: Stopwatch,
    stop: Arc<StopSignal>,
    lost: Losses,
    pen: Pen,
    outbox: Outbox,
}

impl Listener {
    fn run(mut self) {
        let mut buffers = vec![[0; DATAGRAM_OCTETS_MAX]; BATCH];
        while !self.stop.is_raised() {
            match self.batch(&mut buffers) {
                Ok(0) => self.wait(),
                Ok(_) => {}
                Err(error) => {
                    // The socket itself has failed; to read it again at once would spin.
                    tracing::error!(listener = %self.local, %error, "DNS over UDP cannot receive");
                    self.wait_for_stop();
                }
            }
            self.pen.write_counts_if_due((self.clock)());
        }
        self.drain(&mut buffers);
        self.count_last_drops();
        self.pen.write_counts((self.clock)());
    }

    /// Answers what waits, at most a batch. Recorded before the first answer leaves.
    fn batch(&mut self, buffers: &mut Buffers<DATAGRAM_OCTETS_MAX>) -> io::Result<usize> {
        let zones = self.zones.read();
        let saying = self.voice.read();
        let now = (self.clock)();
        let mut desk = Desk {
            zones: &zones,
            saying: &saying,
            local: self.local,
            now,
            since_start_nanos: self.started.nanos(),
            lost: &mut self.lost,
            pen: &mut self.pen,
            outbox: &mut self.outbox,
        };
        let count = receive(&self.socket, buffers, |batch| desk.take_all(batch))?;
        if count > 0 {
            self.pen.commit(now);
            let socket = &self.socket;
            let sent = self.outbox.send(socket, || is_ready(&[(socket.as_fd(), PollFlags::POLLOUT)], SEND_MILLIS));
            self.pen.count_sent(sent);
        }
        Ok(count)
    }

    fn drain(&mut self, buffers: &mut Buffers<DATAGRAM_OCTETS_MAX>) {
        for _ in 0..DRAIN_BATCHES_MAX {
            if !matches!(self.batch(buffers), Ok(1..)) {
                return;
            }
        }
    }

    fn count_last_drops(&mut self) {
        self.pen.recorder.count(&self.lost.at_the_end(&self.socket, self.local));
    }

    fn wait(&self) {
        is_ready(&[(self.socket.as_fd(), PollFlags::POLLIN), (self.stop.event(), PollFlags::POLLIN)], QUIET_MILLIS);
    }

    fn wait_for_stop(&self) {
        is_ready(&[(self.stop.event(), PollFlags::POLLIN)], QUIET_MILLIS);
    }
}

//----------- Desk -------------------------------------------------------------------------------------------------

/// What one batch is answered with.
struct Desk<'a> {
    zones: &'a Zones,
    saying: &'a Saying<'a>,
    local: SocketAddr,
    now: Timestamp,
    since_start_nanos: u64,
    lost: &'a mut Losses,
    pen: &'a mut Pen,
    outbox: &'a mut Outbox,
}

impl Desk<'_> {
    /// The zones of the whole batch are looked up first: see [`Zones::find_all`].
    fn take_all(&mut self, batch: &[Received<'_>]) {
        let queries: Vec<Query<'_>> = batch.iter().map(|received| Query::parse(received.packet)).collect();
        let zones = self.zones.find_all(queries.iter().map(|query| query.question.map(|question| question.name)));
        for ((received, query), found) in batch.iter().zip(&queries).zip(zones) {
            self.take(received, Read { query, found });
        }
    }

    fn take(&mut self, received: &Received<'_>, read: Read<'_>) {
        self.count_drops(&received.note);
        let called: IpAddr = received.note.local.unwrap_or(self.local.ip());
        let arrival = Arrival {
            packet: received.packet,
            is_cut: received.is_cut(),
            received: received.note.at.unwrap_or(self.now),
            since_start_nanos: self.since_start_nanos,
            source: received.source,
            local: SocketAddr::new(called, self.local.port()),
            transport: wire::dns::Transport::Udp,
            over: None,
        };
        let out = self.outbox.next();
        self.pen.serve(&arrival, read, self.saying, out);
        if !out.is_empty() {
            self.outbox.address(received.source, self.local.ip().is_unspecified().then_some(called));
        }
    }

    fn count_drops(&mut self, note: &Note) {
        let tally = self.lost.before(note);
        if !tally.is_empty() {
            self.pen.recorder.count(&tally);
        }
    }
}
