//! The door of the room: starts every listener on the sockets that the roof opened, and stops them in order.
//!
//! DNS over UDP runs on threads of its own, one per socket, and the silent ports on another; everything else runs on the runtime that [`start`] was called
//! in. To stop is to answer and record what was offered before, to write the last counts, and to end.

use std::collections::HashMap;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use model::Timestamp;
use model::tally::Tally;
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::resource::{Resource, getrlimit};
use store::journal::Journal;
use tokio::sync::watch;

use crate::certificates::Certificates;
use crate::dns::{Challenges, DnsTcp, DnsUdp, Voice};
use crate::dnstap::{Dnstap, Gaps, Sensor};
use crate::keyed::CaseKeys;
use crate::silent::{Ground, SilentUdp};
use crate::trap::{self, Doors, TrapRunning};
use crate::{Error, Keys, Settings, ZoneTable};

/// Where the time comes from; a test brings its own.
pub(crate) type Clock = fn() -> Timestamp;

/// The one place of this room that asks what time it is.
#[expect(clippy::disallowed_methods, reason = "this is run.rs")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Durations, by the clock that nobody sets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "this is run.rs")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn nanos(self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// The sockets, opened by the roof before privileges were dropped.
#[derive(Debug, Default)]
pub struct Listeners {
    pub dns_udp: Vec<UdpSocket>,
    pub dns_tcp: Vec<TcpListener>,
    pub http: Vec<TcpListener>,
    pub https: Vec<TcpListener>,
    /// Mail, with STARTTLS.
    pub smtp: Vec<TcpListener>,
    /// Mail within TLS from the first octet.
    pub smtps: Vec<TcpListener>,
    pub dnstap: Vec<Sensor>,
    /// Any other port: the first bytes choose who answers.
    pub any_tcp: Vec<TcpListener>,
    /// Ports on which nothing is ever answered.
    pub silent_udp: Vec<UdpSocket>,
}

impl Listeners {
    /// How many UDP sockets share one address: the kernel spreads sources over them, so each allows its part of a rate.
    pub fn threads_per_address(&self) -> u32 {
        let addresses: Vec<_> = self.dns_udp.iter().filter_map(|socket| socket.local_addr().ok()).collect();
        let sharing = |address| addresses.iter().filter(|other| *other == address).count();
        addresses.iter().map(sharing).max().map_or(1, |count| u32::try_from(count).unwrap_or(u32::MAX))
    }
}

/// Everything that listens.
pub struct Running {
    stop: watch::Sender<bool>,
    wake: Arc<StopSignal>,
    udp: Vec<DnsUdp>,
    tcp: Vec<DnsTcp>,
    dnstap: Vec<Dnstap>,
    silent: Option<SilentUdp>,
    trap: TrapRunning,
    challenges: Arc<Challenges>,
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
    let rates = settings.rates.divided(listeners.threads_per_address());
    // A range of ports is a file each, beside those that are kept for others.
    let of_ranges = (listeners.any_tcp.len() + listeners.silent_udp.len()) as u64;
    let files_max = files_max().saturating_sub(of_ranges);
    let settings = &settings.clone().within_files(files_max, listeners.dns_tcp.len());
    let (stop, stopping) = watch::channel(false);
    let Listeners { http, https, smtp, smtps, any_tcp: any, .. } = listeners;
    let doors = Doors { http, https, smtp, smtps, any };
    // One shelf for all doors: two would make a case's key twice.
    let case_keys = Arc::new(CaseKeys::new(keys));
    let (shared, zones_of_trap) = (Arc::clone(&case_keys), Arc::clone(&zones));
    let trap = trap::start(doors, zones_of_trap, journal, settings, keys, shared, stopping.clone())?;
    let wake = Arc::new(StopSignal::new()?);
    let challenges = Arc::<Challenges>::default();
    let voice = Voice::new(settings, Arc::clone(&challenges));
    let (udp, tcp, dnstap) = (Vec::new(), Vec::new(), Vec::new());
    let mut running = Running { stop, wake, udp, tcp, dnstap, silent: None, trap, challenges };
    tokio::spawn(Arc::clone(&voice).roll(stopping.clone()));
    for listener in listeners.dns_tcp {
        running.tcp.push(DnsTcp::start(
            listener,
            Arc::clone(&zones),
            journal,
            settings,
            Arc::clone(&voice),
            now,
            stopping.clone(),
        )?);
    }
    for sensor in listeners.dnstap {
        let limits = settings.dnstap;
        running.dnstap.push(Dnstap::start(sensor, Arc::clone(&zones), journal, limits, now, stopping.clone())?);
    }
    for (socket, number) in numbered(listeners.dns_udp) {
        let (zones, voice, wake) = (Arc::clone(&zones), Arc::clone(&voice), Arc::clone(&running.wake));
        let started = DnsUdp::start(socket, number, zones, journal, rates, voice, wake);
        running.udp.push(started.inspect_err(|_| running.signal())?);
    }
    let names = Arc::new(settings.names_by_address.clone());
    let ground = Ground { zones, names, keys: case_keys, rates: settings.rates };
    let started = SilentUdp::start(listeners.silent_udp, ground, journal, Arc::clone(&running.wake));
    running.silent = started.inspect_err(|_| running.signal())?;
    Ok(running)
}

/// Each socket with its number among those of its address.
fn numbered(sockets: Vec<UdpSocket>) -> Vec<(UdpSocket, usize)> {
    let mut counts = HashMap::new();
    let mut number = |socket: UdpSocket| {
        let count = counts.entry(socket.local_addr().ok()).or_insert(0);
        *count += 1;
        (socket, *count)
    };
    sockets.into_iter().map(&mut number).collect()
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
        let told = dns.chain(self.dnstap.iter().map(Dnstap::tally)).chain(self.silent.iter().map(SilentUdp::tally));
        told.chain(self.trap.tallies()).collect()
    }

    /// How many connections each listener of the trap has open.
    pub fn open(&self) -> Vec<(String, u64)> {
        self.trap.open()
    }

    /// What could be seen of each dnstap sensor's losses since the start.
    pub fn dnstap_gaps(&self) -> Vec<(String, Gaps)> {
        self.dnstap.iter().map(Dnstap::gaps).collect()
    }

    /// What `_acme-challenge` says below the apexes: whoever gets certificates sets it.
    pub fn challenges(&self) -> &Arc<Challenges> {
        &self.challenges
    }

    /// The certificates that the trap shows, where it shows any: whoever gets public ones puts them there.
    pub fn certificates(&self) -> Option<&Arc<Certificates>> {
        self.trap.certificates()
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
        if let Some(thread) = self.silent {
            tallies.push(thread.join().await);
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
