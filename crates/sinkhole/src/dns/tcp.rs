//! DNS over TCP (RFC 7766): connections that bring any number of queries, each with its length in front.
//!
//! Whole messages are answered as they come, in order and as many at once as have arrived; a connection that brings
//! none in time is closed. A connection is a contact of its own, and the queries over it name it.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use model::tally::{Shed, Tally};
use store::journal::Journal;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::connection::Connection;
use super::deed::Pen;
use super::voice::Voice;
use crate::gate::Gate;
use crate::recorder::{self, COUNTS_EVERY, Recorder, Total};
use crate::run::{Clock, Stopwatch, stopped};
use crate::settings::DnsTcpLimits;
use crate::{Error, Settings, ZoneTable};

/// How long nothing is accepted after the system refused (too many open files): no event says that it is over.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);
/// Connections that are still let in at a stop: more than the kernel queues for a listener.
const LAST_ADMISSIONS_MAX: usize = 4_096;

//----------- DnsTcp -----------------------------------------------------------------------------------------------

/// A listener for DNS over TCP.
pub(crate) struct DnsTcp {
    name: String,
    total: Total,
    task: JoinHandle<()>,
}

impl DnsTcp {
    pub(crate) fn start(
        listener: std::net::TcpListener,
        zones: Arc<ZoneTable>,
        journal: &Arc<Journal>,
        settings: &Settings,
        voice: Arc<Voice>,
        clock: Clock,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, Error> {
        let local = listener.local_addr().map_err(trouble("asking for the address", "dns-tcp"))?;
        let name = format!("dns-tcp {local}");
        let listener = listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener));
        let listener = listener.map_err(trouble("handing the socket to the runtime", &name))?;
        let lane = journal.lane(clock()).map_err(|cause| Error::Journal { listener: name.clone(), cause })?;
        let recorder = Recorder::new(name.clone(), lane, clock());
        let total = recorder.total();
        let pen = Mutex::new(Pen::new(recorder, settings.rates));
        let house = House { zones, pen, limits: settings.dns_tcp, voice, clock, started: Stopwatch::start() };
        let task = tokio::spawn(accept(listener, Arc::new(house), stop));
        Ok(Self { name, total, task })
    }

    pub(crate) fn tally(&self) -> (String, Tally) {
        (self.name.clone(), *self.total.lock().expect("nothing panics while it counts"))
    }

    /// Waits for the end of the listener, which the stop signal brings about.
    pub(crate) async fn join(mut self) -> (String, Tally) {
        if let Err(error) = (&mut self.task).await {
            tracing::error!(listener = self.name, %error, "DNS over TCP ended by itself");
        }
        self.tally()
    }
}

fn trouble(what: &'static str, listener: &str) -> impl FnOnce(io::Error) -> Error {
    let listener = listener.to_owned();
    move |cause| Error::Listener { what, listener, cause }
}

//----------- House ------------------------------------------------------------------------------------------------

/// What the connections of one listener share.
pub(super) struct House {
    pub(super) zones: Arc<ZoneTable>,
    pen: Mutex<Pen>,
    pub(super) limits: DnsTcpLimits,
    pub(super) voice: Arc<Voice>,
    pub(super) clock: Clock,
    pub(super) started: Stopwatch,
}

impl House {
    /// Held for a batch and its write, never across an await.
    pub(super) fn pen(&self) -> MutexGuard<'_, Pen> {
        recorder::held(&self.pen)
    }
}

//----------- Accepting --------------------------------------------------------------------------------------------

async fn accept(listener: TcpListener, house: Arc<House>, mut stop: watch::Receiver<bool>) {
    let mut door = Door::new(&house, stop.clone());
    let mut counts = interval(COUNTS_EVERY);
    counts.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stopped(&mut stop) => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, source)) => door.welcome(stream, source),
                Err(error) => refused(&error).await,
            },
            Some(_) = door.open.join_next() => {}
            _ = counts.tick() => house.pen().write_counts_if_due((house.clock)()),
        }
    }
    door.welcome_the_last(listener);
    door.close().await;
    house.pen().write_counts((house.clock)());
}

async fn refused(error: &io::Error) {
    // A caller who left before he was let in is no trouble of ours.
    if error.kind() != io::ErrorKind::ConnectionAborted {
        tracing::warn!(%error, "DNS over TCP cannot accept");
        sleep(REFUSED_PAUSE).await;
    }
}

/// Lets connections in, as far as the gate allows.
struct Door {
    house: Arc<House>,
    stop: watch::Receiver<bool>,
    gate: Arc<Gate>,
    open: JoinSet<()>,
}

impl Door {
    fn new(house: &Arc<House>, stop: watch::Receiver<bool>) -> Self {
        let gate = Gate::new(house.limits.connections_max, house.limits.connections_per_prefix_max);
        Self { house: Arc::clone(house), stop, gate, open: JoinSet::new() }
    }

    fn welcome(&mut self, stream: TcpStream, source: SocketAddr) {
        let Some(pass) = self.gate.enter(source.ip()) else {
            let shed = Shed { connections: 1, ..Shed::default() };
            return self.house.pen().recorder.count(&Tally { shed, ..Tally::default() });
        };
        let (house, stop) = (Arc::clone(&self.house), self.stop.clone());
        self.open.spawn(async move {
            Connection::new(stream, source, house).serve(stop).await;
            drop(pass);
        });
    }

    /// Those who were in the kernel's queue when the stop came.
    fn welcome_the_last(&mut self, listener: TcpListener) {
        let Ok(listener) = listener.into_std() else { return };
        for (stream, source) in (0..LAST_ADMISSIONS_MAX).map_while(|_| listener.accept().ok()) {
            let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
            if let Ok(stream) = stream {
                self.welcome(stream, source);
            }
        }
    }

    async fn close(mut self) {
        while self.open.join_next().await.is_some() {}
    }
}
