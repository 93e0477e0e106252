//! A sensor's listener: lets its senders in, as far as its limits and its list allow.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use model::tally::{Shed, Tally};
use socket2::{SockRef, TcpKeepalive};
use store::journal::Journal;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::connection::Connection;
use super::{Door, Gaps, Sensor};
use crate::gate::Gate;
use crate::recorder::{self, COUNTS_EVERY, Recorder, Total};
use crate::run::{Clock, stopped};
use crate::settings::DnstapLimits;
use crate::{Error, ZoneTable};

/// How long nothing is accepted after the system refused (too many open files): no event says that it is over.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);
/// After how long a silence the kernel asks whether a sender is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

//----------- Dnstap -----------------------------------------------------------------------------------------------

/// A sensor's listener.
pub(crate) struct Dnstap {
    name: String,
    house: Arc<House>,
    total: Total,
    task: JoinHandle<()>,
}

impl Dnstap {
    pub(crate) fn start(
        sensor: Sensor,
        zones: Arc<ZoneTable>,
        journal: &Arc<Journal>,
        limits: DnstapLimits,
        clock: Clock,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, Error> {
        let name = format!("dnstap {}", sensor.name);
        let entrance = Entrance::new(sensor.door).map_err(|cause| Error::Listener {
            what: "handing the socket to the runtime",
            listener: name.clone(),
            cause,
        })?;
        let lane = journal.lane(clock()).map_err(|cause| Error::Journal { listener: name.clone(), cause })?;
        let recorder = Recorder::new(name.clone(), lane, clock());
        let total = recorder.total();
        let house = Arc::new(House {
            sensor: sensor.name,
            zones,
            recorder: Mutex::new(recorder),
            gaps: Mutex::default(),
            has_streamed: AtomicBool::new(false),
            limits,
            clock,
        });
        let task = tokio::spawn(accept(entrance, Arc::clone(&house), stop));
        Ok(Self { name, house, total, task })
    }

    pub(crate) fn tally(&self) -> (String, Tally) {
        (self.name.clone(), *self.total.lock().expect("nothing panics while it counts"))
    }

    pub(crate) fn gaps(&self) -> (String, Gaps) {
        (self.house.sensor.clone(), *self.house.gaps.lock().expect("nothing panics while it counts"))
    }

    /// Waits for the end of the listener, which the stop signal brings about.
    pub(crate) async fn join(mut self) -> (String, Tally) {
        if let Err(error) = (&mut self.task).await {
            tracing::error!(listener = self.name, %error, "dnstap ended by itself");
        }
        self.tally()
    }
}

//----------- House ------------------------------------------------------------------------------------------------

/// What the connections of one sensor share.
pub(super) struct House {
    pub(super) sensor: String,
    pub(super) zones: Arc<ZoneTable>,
    recorder: Mutex<Recorder>,
    pub(super) gaps: Mutex<Gaps>,
    has_streamed: AtomicBool,
    pub(super) limits: DnstapLimits,
    pub(super) clock: Clock,
}

impl House {
    /// Held for a batch and its write, never across an await.
    pub(super) fn recorder(&self) -> MutexGuard<'_, Recorder> {
        recorder::held(&self.recorder)
    }

    /// A stream begins; whether one had begun before.
    pub(super) fn begin(&self) -> bool {
        self.has_streamed.swap(true, Ordering::AcqRel)
    }

    fn turn_away(&self) {
        let shed = Shed { connections: 1, ..Shed::default() };
        self.recorder().count(&Tally { shed, ..Tally::default() });
    }
}

//----------- Entrance ---------------------------------------------------------------------------------------------

enum Entrance {
    Unix(UnixListener),
    Tcp { listener: TcpListener, allow: Vec<IpAddr> },
}

/// A sender's stream, whatever carries it.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Entrance {
    fn new(door: Door) -> io::Result<Self> {
        Ok(match door {
            Door::Unix(listener) => {
                listener.set_nonblocking(true)?;
                Self::Unix(UnixListener::from_std(listener)?)
            }
            Door::Tcp { listener, allow } => {
                listener.set_nonblocking(true)?;
                Self::Tcp { listener: TcpListener::from_std(listener)?, allow }
            }
        })
    }

    /// The next sender, with the address that its places are counted by; `None` for one who is not on the list.
    async fn accept(&self) -> io::Result<Option<(IpAddr, Box<dyn Stream>)>> {
        match self {
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok(Some((Ipv4Addr::LOCALHOST.into(), Box::new(stream))))
            }
            Self::Tcp { listener, allow } => {
                let (stream, source) = listener.accept().await?;
                let address = source.ip().to_canonical();
                if !allow.contains(&address) {
                    return Ok(None);
                }
                // Without it a sender that vanished would keep its place until the idle limit.
                let _ = SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE));
                Ok(Some((address, Box::new(stream))))
            }
        }
    }
}

async fn accept(entrance: Entrance, house: Arc<House>, mut stop: watch::Receiver<bool>) {
    let gate = Gate::new(house.limits.connections_max, house.limits.connections_max);
    let mut open = JoinSet::new();
    let mut counts = interval(COUNTS_EVERY);
    counts.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stopped(&mut stop) => break,
            accepted = entrance.accept() => match accepted {
                Ok(Some((address, stream))) => welcome(address, stream, &house, &gate, &stop, &mut open),
                Ok(None) => house.turn_away(),
                Err(error) => refused(&error).await,
            },
            Some(_) = open.join_next() => {}
            _ = counts.tick() => house.recorder().write_counts_if_due((house.clock)()),
        }
    }
    while open.join_next().await.is_some() {}
    house.recorder().write_counts((house.clock)());
}

fn welcome(
    address: IpAddr,
    stream: Box<dyn Stream>,
    house: &Arc<House>,
    gate: &Arc<Gate>,
    stop: &watch::Receiver<bool>,
    open: &mut JoinSet<()>,
) {
    let Some(pass) = gate.enter(address) else { return house.turn_away() };
    let (house, mut stop) = (Arc::clone(house), stop.clone());
    open.spawn(async move {
        Connection::new(house, stream).serve(&mut stop).await;
        drop(pass);
    });
}

async fn refused(error: &io::Error) {
    // A sender who left before it was let in is no trouble of ours.
    if error.kind() != io::ErrorKind::ConnectionAborted {
        tracing::warn!(%error, "dnstap cannot accept");
        sleep(REFUSED_PAUSE).await;
    }
}
