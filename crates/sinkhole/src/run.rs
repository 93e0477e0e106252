//! The door of the room: starts every listener on the sockets that the roof opened, and stops them in order.
//!
//! DNS over UDP runs on threads of its own, one per socket; everything else runs on the runtime that [`start`] was called
//! in. To stop is to answer and record what was offered before, to write the last counts, and to end.

use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use model::Timestamp;
use model::tally::Tally;
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::resource::{Resource, getrlimit};
use store::journal::Journal;
use tokio::sync::watch;

use crate::dns::{DnsTcp, DnsUdp};
use crate::dnstap::{Dnstap, Gaps, Sensor};
use crate::trap::{self, TrapRunning};
use crate::{Error, Keys, Settings, ZoneTable};

/// Where the time comes from; a test brings its own.
pub(crate) type Clock = fn() -> Timestamp;

/// The one place of this room that asks what time it is.
#[expect(clippy::disallowed_methods, reason = "this is run.rs")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// The sockets, opened by the roof before privileges were dropped.
#[derive(Debug, Default)]
pub struct Listeners {
    pub dns_udp: Vec<UdpSocket>,
    pub dns_tcp: Vec<TcpListener>,
    pub http: Vec<TcpListener>,
    pub https: Vec<TcpListener>,
    pub dnstap: Vec<Sensor>,
}

/// Everything that listens.
pub struct Running {
    stop: watch::Sender<bool>,
    wake: Arc<StopSignal>,
    udp: Vec<DnsUdp>,
    tcp: Vec<DnsTcp>,
    dnstap: Vec<Dnstap>,
    trap: TrapRunning,
}

/// Starts every listener. Called within a tokio runtime.
///
/// # Errors
/// If a socket or a journal lane cannot be had; whatever had started by then stops.
pub fn start(
    listeners: Listeners,
    zones: Arc<ZoneTable>,
    journal: &Arc<Journal>,
    settings: &Settings,
    keys: &Keys,
) -> Result<Running, Error> {
    settings.check()?;
    let settings = &settings.clone().within_files(files_max(), listeners.dns_tcp.len());
    let (stop, stopping) = watch::channel(false);
    let trap =
        trap::start(listeners.http, listeners.https, Arc::clone(&zones), journal, settings, keys, stopping.clone())?;
    let wake = Arc::new(StopSignal::new()?);
    let mut running = Running { stop, wake, udp: Vec::new(), tcp: Vec::new(), dnstap: Vec::new(), trap };
    for listener in listeners.dns_tcp {
        let limits = settings.dns_tcp;
        running.tcp.push(DnsTcp::start(listener, Arc::clone(&zones), journal, limits, now, stopping.clone())?);
    }
    for sensor in listeners.dnstap {
        let limits = settings.dnstap;
        running.dnstap.push(Dnstap::start(sensor, Arc::clone(&zones), journal, limits, now, stopping.clone())?);
    }
    for socket in listeners.dns_udp {
        let started = DnsUdp::start(socket, Arc::clone(&zones), journal, now, Arc::clone(&running.wake));
        running.udp.push(started.inspect_err(|_| running.signal())?);
    }
    Ok(running)
}

/// How many files the process may have open. A system that does not say is taken for a small one.
fn files_max() -> u64 {
    const USUAL: u64 = 1_024;
    getrlimit(Resource::RLIMIT_NOFILE).map_or(USUAL, |(soft, _)| soft)
}

impl Running {
    /// What each listener counted since the start.
    pub fn tallies(&self) -> Vec<(String, Tally)> {
        let dns = self.udp.iter().map(DnsUdp::tally).chain(self.tcp.iter().map(DnsTcp::tally));
        dns.chain(self.dnstap.iter().map(Dnstap::tally)).chain(self.trap.tallies()).collect()
    }

    /// What could be seen of each dnstap sensor's losses since the start.
    pub fn dnstap_gaps(&self) -> Vec<(String, Gaps)> {
        self.dnstap.iter().map(Dnstap::gaps).collect()
    }

    fn signal(&self) {
        self.stop.send_replace(true);
        self.wake.raise();
    }

    /// Stops: what was offered before is answered and recorded, and the last counts are written.
    pub async fn stop(self) -> Vec<(String, Tally)> {
        self.signal();
        let mut tallies = Vec::new();
        for thread in self.udp {
            tallies.push(thread.join().await);
        }
        for listener in self.tcp {
            tallies.push(listener.join().await);
        }
        for sensor in self.dnstap {
            tallies.push(sensor.join().await);
        }
        tallies.extend(self.trap.join().await);
        tallies
    }
}

/// Waits for the stop. A sender that is gone has stopped too.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stopped| *stopped).await;
}

//----------- StopSignal -------------------------------------------------------------------------------------------

/// The stop for threads: a flag for the busy, an event for those who wait in `poll`.
pub(crate) struct StopSignal {
    is_raised: AtomicBool,
    event: EventFd,
}

impl StopSignal {
    fn new() -> Result<Self, Error> {
        let what = "making the stop signal";
        let event = EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)
            .map_err(|errno| Error::Listener { what, listener: "all listeners".to_owned(), cause: errno.into() })?;
        Ok(Self { is_raised: AtomicBool::new(false), event })
    }

    fn raise(&self) {
        self.is_raised.store(true, Ordering::Release);
        // It refuses only when its counter is full, and ours counts to one.
        let _ = self.event.write(1);
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.is_raised.load(Ordering::Acquire)
    }

    /// Readable from the stop on, for ever: nobody takes the event away.
    pub(crate) fn event(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}
