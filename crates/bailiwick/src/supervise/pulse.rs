//! What the running process knows of itself, for whoever asks: addresses, tallies, zones, uptime.

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use desk::StatusSource;
use desk::api::{
    DnsLimits, DnsListener, DnsLive, DnstapSensor, JournalLive, Listener, ListenerTally, Live, OpenAlarms, Transfers,
    UplinkLive,
};
use model::tally::Tally;
use model::{DomainName, Refusal, Timestamp};
use serde::Serialize;
use sinkhole::dns::CHALLENGES_MAX;
use sinkhole::dnstap::{Door, Gaps, Sensor};
use sinkhole::transfer::Counts;
use sinkhole::{Running, Settings, ZoneTable};
use store::ledger::Reach;
use store::{Journal, Ledger};
use tokio::sync::watch;
use tokio::time::{Instant, interval};
use wire::dns::AcmeToken;

use super::acme::Books;
use super::now;
use super::pace::{LOOK_EVERY, Pace, Tallies};
use super::retaining::Board;
use super::shipping;
use crate::failure::{Failure, Tried};
use crate::listen::Sockets;

//----------- Addresses --------------------------------------------------------------------------------------------

/// Where it listens, with the ports that were taken.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Addresses {
    dns: Vec<SocketAddr>,
    http: Vec<SocketAddr>,
    https: Vec<SocketAddr>,
    smtp: Vec<SocketAddr>,
    smtps: Vec<SocketAddr>,
    any_tcp: Vec<SocketAddr>,
    any_udp: Vec<SocketAddr>,
    metrics: Vec<SocketAddr>,
    transfer: Vec<SocketAddr>,
    /// Where sensors come in.
    sensors: Vec<SocketAddr>,
    /// Each sensor with its socket's file or address.
    dnstap: Vec<(String, String)>,
}

impl Addresses {
    pub(super) fn of(sockets: &Sockets) -> Result<Self, Failure> {
        let Sockets { sinkhole: listeners, metrics, transfer, sensors } = sockets;
        let local = |found: std::io::Result<SocketAddr>| found.tried("asking a socket for its address");
        let tcp = |sockets: &[TcpListener]| {
            sockets.iter().map(|socket| local(socket.local_addr())).collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            // One TCP socket for each address, however many threads read its UDP.
            dns: listeners.dns_tcp.iter().map(|socket| local(socket.local_addr())).collect::<Result<_, _>>()?,
            http: tcp(&listeners.http)?,
            https: tcp(&listeners.https)?,
            smtp: tcp(&listeners.smtp)?,
            smtps: tcp(&listeners.smtps)?,
            any_tcp: tcp(&listeners.any_tcp)?,
            any_udp: listeners.silent_udp.iter().map(|socket| local(socket.local_addr())).collect::<Result<_, _>>()?,
            metrics: tcp(metrics)?,
            transfer: transfer.iter().map(|one| local(one.tcp.local_addr())).collect::<Result<_, _>>()?,
            sensors: tcp(sensors)?,
            dnstap: listeners.dnstap.iter().map(dnstap).collect::<Result<_, _>>()?,
        })
    }

    fn listeners(&self) -> Vec<Listener> {
        let dns = self.dns.iter().flat_map(|address| [("dns-udp", address), ("dns-tcp", address)]);
        let others = [
            ("http", &self.http),
            ("https", &self.https),
            ("smtp", &self.smtp),
            ("smtps", &self.smtps),
            ("any-tcp", &self.any_tcp),
            ("silent-udp", &self.any_udp),
            ("metrics", &self.metrics),
            ("transfer", &self.transfer),
            ("sensors", &self.sensors),
        ];
        let others = others.into_iter().flat_map(|(name, all)| all.iter().map(move |address| (name, address)));
        let listener =
            |(name, address): (&str, &SocketAddr)| Listener { name: name.into(), address: address.to_string() };
        let mut all: Vec<Listener> = dns.chain(others).map(listener).collect();
        all.extend(
            self.dnstap
                .iter()
                .map(|(sensor, address)| Listener { name: format!("dnstap {sensor}"), address: address.clone() }),
        );
        all
    }
}

fn dnstap(sensor: &Sensor) -> Result<(String, String), Failure> {
    let address = match &sensor.door {
        Door::Unix(listener) => {
            let address = listener.local_addr().tried("asking a socket for its file")?;
            address.as_pathname().map(|path| path.display().to_string()).unwrap_or_default()
        }
        Door::Tcp { listener, .. } => listener.local_addr().tried("asking a socket for its address")?.to_string(),
    };
    Ok((sensor.name.clone(), address))
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.listeners().iter().map(|one| format!("{} {}", one.name, one.address)).collect();
        if texts.is_empty() { f.write_str("nothing") } else { f.write_str(&texts.join(", ")) }
    }
}

//----------- Pulse ------------------------------------------------------------------------------------------------

/// A sinkhole that can be asked while it runs and be taken away to be stopped.
pub(super) type Held = Arc<Mutex<Option<Running>>>;

/// The running daemon's own word.
pub(super) struct Pulse {
    pub(super) addresses: Addresses,
    pub(super) sinkhole: Held,
    pub(super) zones: Arc<ZoneTable>,
    pub(super) since: Timestamp,
    pub(super) limits: DnsLimits,
    pub(super) pace: Mutex<Pace>,
    /// `None`: no authority may be asked.
    pub(super) certificates: Option<Books>,
    /// `None`: no ClickHouse is named.
    pub(super) shipped: Option<shipping::Books>,
    /// `None`: retention is carried out by hand.
    pub(super) retention: Option<Board>,
    pub(super) journal: Arc<Journal>,
    pub(super) primary: Box<dyn Fn() -> Counts + Send + Sync>,
    pub(super) ledger: Ledger,
    /// `None`: nothing is sent to a core.
    pub(super) uplink: Option<Box<dyn Fn() -> UplinkLive + Send + Sync>>,
}

impl Pulse {
    fn tallies(&self) -> Tallies {
        let held = self.sinkhole.lock().expect("nothing panics while it asks for tallies");
        held.as_ref().map(Running::tallies).unwrap_or_default()
    }

    fn open(&self) -> Vec<(String, u64)> {
        let held = self.sinkhole.lock().expect("nothing panics while it counts who is in");
        held.as_ref().map(Running::open).unwrap_or_default()
    }

    fn sensors(&self) -> Vec<DnstapSensor> {
        let held = self.sinkhole.lock().expect("nothing panics while it asks for gaps");
        let gaps = held.as_ref().map(Running::dnstap_gaps).unwrap_or_default();
        let sensor = |(sensor, gaps): (String, Gaps)| {
            let Gaps { reconnects, cut, without_stop, faults, unreadable } = gaps;
            DnstapSensor { sensor, reconnects, cut, without_stop, faults, unreadable }
        };
        gaps.into_iter().map(sensor).collect()
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().expect("nothing panics while it looks")
    }

    /// Looks at the tallies every few seconds, until the stop.
    pub(super) async fn beat(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        let mut looks = interval(LOOK_EVERY);
        loop {
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                at = looks.tick() => self.pace().look(at, self.tallies()),
            }
        }
    }
}

fn journal_live(journal: &Journal) -> JournalLive {
    let room = journal.room();
    JournalLive {
        state: room.room.word().into(),
        budget_octets: room.budget_octets,
        used_octets: room.used_octets,
        left_octets: room.left_octets,
        has_reserve: room.has_reserve,
        failed_syncs: journal.suspects(),
        let_go_octets: journal.let_go_octets(),
    }
}

/// What to look at first.
fn troubles(ledger: &Ledger) -> Vec<String> {
    let Reach { database, is_reached, for_secs, why } = ledger.reach();
    let away = || {
        format!(
            "the ledger's database ({database}) has not answered for {for_secs} s: {}. Names are answered and the journal is \
             written; what people decide is refused, and what is shown here is of before",
            why.unwrap_or_default()
        )
    };
    (!is_reached).then(away).into_iter().collect()
}

fn transfers(counts: Counts) -> Transfers {
    Transfers {
        axfr: counts.axfr,
        ixfr: counts.ixfr,
        looks: counts.looks,
        refused: counts.refused,
        badly_signed: counts.badly_signed,
        malformed: counts.malformed,
        broken: counts.broken,
        shed: counts.shed,
        notifies_sent: counts.notifies_sent,
        notifies_answered: counts.notifies_answered,
        notifies_given_up: counts.notifies_given_up,
    }
}

/// What the operator set, and what of it the process has the files for.
pub(super) fn limits(settings: &Settings, threads: u32) -> DnsLimits {
    let (rates, tcp) = (&settings.rates, &settings.dns_tcp);
    DnsLimits {
        threads,
        answers_per_sec: rates.answers.per_sec,
        slip: rates.slip,
        prefix_v4: rates.prefix_v4,
        prefix_v6: rates.prefix_v6,
        source_records_per_sec: rates.source_records.per_sec,
        name_records_per_sec: rates.name_records.per_sec,
        listener_records_per_sec: rates.listener_records.per_sec,
        tcp_connections: tcp.connections_max as u64,
        tcp_connections_per_prefix: tcp.connections_per_prefix_max as u64,
        tcp_idle_secs: tcp.idle.as_secs(),
        tcp_lifetime_secs: tcp.lifetime.as_secs(),
    }
}

impl StatusSource for Pulse {
    fn live(&self) -> Live {
        let open = self.open();
        let tally = |(listener, tally): (String, Tally)| {
            let open = open.iter().find(|(name, _)| *name == listener).map(|(_, count)| *count);
            ListenerTally { listener, open, offered: tally.offered(), tally }
        };
        let uptime = now().duration_since(self.since).as_secs();
        Live {
            running_since: Some(self.since),
            uptime_secs: u64::try_from(uptime).unwrap_or(0),
            zones: self.zones.len() as u64,
            listeners: self.addresses.listeners(),
            tallies: self.tallies().into_iter().map(tally).collect(),
            certificates: self.certificates.as_ref().map(Books::told),
            journal: Some(journal_live(&self.journal)),
            clickhouse: self.shipped.as_ref().map(shipping::Books::told),
            uplink: self.uplink.as_ref().map(|uplink| uplink()),
            retention: self
                .retention
                .as_ref()
                .map(|board| board.lock().unwrap_or_else(PoisonError::into_inner).clone()),
            open_alarms: Some(OpenAlarms::of(&self.ledger.last_view())),
            troubles: troubles(&self.ledger),
        }
    }

    fn dns(&self) -> Option<DnsLive> {
        let (pace, now) = (self.pace(), Instant::now());
        let listener = |(listener, tally): (String, Tally)| DnsListener {
            offered: tally.offered(),
            rates: pace.rates(&listener, &tally, now),
            listener,
            tally,
        };
        let of_dns = |(name, _): &(String, Tally)| name.starts_with("dns");
        Some(DnsLive {
            zones: self.zones.len() as u64,
            limits: self.limits,
            listeners: self.tallies().into_iter().filter(of_dns).map(listener).collect(),
            sensors: self.sensors(),
            transfers: transfers((self.primary)()),
        })
    }

    fn tell_challenge(&self, apex: &DomainName, tokens: Vec<AcmeToken>) -> Result<(), Refusal> {
        let held = self.sinkhole.lock().expect("nothing panics while it sets a challenge");
        let running = held.as_ref().ok_or_else(|| Refusal::new("the daemon is stopping"))?;
        let is_told = running.challenges().set(apex, tokens, now());
        let full = || Refusal::new(format!("{CHALLENGES_MAX} other names have challenges"));
        is_told
            .then_some(())
            .ok_or_else(|| full().hint("clear those that were looked at; each is forgotten after an hour"))
    }
}

/// The word of a command that works on the folder while no daemon runs.
pub(super) struct Asleep;

impl StatusSource for Asleep {
    fn live(&self) -> Live {
        Live::default()
    }

    fn dns(&self) -> Option<DnsLive> {
        None
    }

    fn tell_challenge(&self, _: &DomainName, _: Vec<AcmeToken>) -> Result<(), Refusal> {
        Err(Refusal::new("no daemon runs on this data folder").hint("`bailiwick serve` starts one"))
    }
}
