//! The load: the generators of `callers`, in a process of their own, so that the bench can pin and meter it apart.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use callers::flood::{Asks, Flood, Stop};
use callers::handshakes::Handshakes;
use callers::hold::{Held, Hold};
use callers::load::Load;
use clap::{Args, ValueEnum};
use model::DomainName;

use super::{Seen, What, meter};
use crate::program::exercise;
use crate::{Done, Trouble};

/// Questions in flight: enough to fill a batch, few enough for any server's buffer.
const IN_FLIGHT: usize = 128;
/// Connections that the HTTP load holds at once, and clients that shake hands.
const CONNECTIONS: usize = 32;
/// The first address of those that only hold.
const HELD_FROM: Ipv4Addr = Ipv4Addr::new(127, 55, 0, 1);
/// Their networks: 10,000 connections are 625 from each, so that no limit by prefix bites.
const HELD_SOURCES: u32 = 16;
/// The load's first address: everybody on loopback may call from another.
const FROM: Ipv4Addr = Ipv4Addr::new(127, 54, 0, 1);
/// Networks that the questions come from, a /24 each.
const SOURCES: usize = 200;
/// Every run asks the same questions.
const SEED: u64 = 3;

/// What `cargo xtask load` is told by the bench.
#[derive(Args, Clone, Copy, Debug)]
pub struct Orders {
    what: What,
    #[arg(long)]
    port: u16,
    #[arg(long)]
    secs: u32,
    /// Ask again over the same connection.
    #[arg(long)]
    keep_alive: bool,
    /// Shake hands instead of asking.
    #[arg(long)]
    handshakes: Option<Kind>,
    /// One request after the other, from one client, instead of many at once.
    #[arg(long)]
    alone: bool,
    /// Ask for so many generated names.
    #[arg(long, default_value_t = 99)]
    zones: usize,
    /// No more than this many questions a second; as fast as answers come if absent.
    #[arg(long)]
    per_sec: Option<u32>,
}

/// Which handshakes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Kind {
    Full,
    Resumed,
}

impl Orders {
    pub(super) fn new(what: What, port: u16, secs: u32) -> Self {
        Self { what, port, secs, keep_alive: false, handshakes: None, alone: false, zones: 99, per_sec: None }
    }

    pub(super) fn keep_alive(self) -> Self {
        Self { keep_alive: true, ..self }
    }

    pub(super) fn handshakes(self, kind: Kind) -> Self {
        Self { handshakes: Some(kind), ..self }
    }

    pub(super) fn alone(self) -> Self {
        Self { alone: true, ..self }
    }

    pub(super) fn zones(self, zones: usize) -> Self {
        Self { zones, ..self }
    }

    pub(super) fn per_sec(self, per_sec: u32) -> Self {
        Self { per_sec: Some(per_sec), ..self }
    }

    pub(super) fn words(self) -> Vec<String> {
        let what = if self.what == What::Dns { "dns" } else { "http" };
        let mut words = vec![what.to_owned(), format!("--port={}", self.port), format!("--secs={}", self.secs)];
        words.push(format!("--zones={}", self.zones));
        words.extend(self.keep_alive.then(|| "--keep-alive".to_owned()));
        words.extend(self.alone.then(|| "--alone".to_owned()));
        words.extend(self.handshakes.map(|kind| {
            let kind = if kind == Kind::Full { "full" } else { "resumed" };
            format!("--handshakes={kind}")
        }));
        words.extend(self.per_sec.map(|per_sec| format!("--per-sec={per_sec}")));
        words
    }

    fn stop(self) -> Stop {
        Stop::After(Duration::from_secs(self.secs.into()))
    }

    fn target(self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }
}

/// Runs the load and prints what it saw, as one JSON object.
pub fn load(orders: Orders) -> Done {
    let mut seen = match orders.handshakes {
        Some(kind) => handshakes(orders, kind)?,
        None if orders.what == What::Dns => dns(orders)?,
        None => http(orders)?,
    };
    seen.load_cpu_secs = meter::cpu_secs(&[std::process::id()])?;
    println!("{}", serde_json::to_string(&seen)?);
    Ok(())
}

fn dns(orders: Orders) -> Result<Seen, Trouble> {
    let report = callers::flood(&Flood {
        target: orders.target(),
        from: FROM,
        sources: SOURCES,
        names: generated_names(orders.zones)?,
        asks: Asks::Mixed(SEED),
        in_flight: IN_FLIGHT,
        lanes: 1,
        per_sec: orders.per_sec,
        stop: orders.stop(),
    })?;
    Ok(Seen {
        answered: report.answered,
        wrong: report.lost + report.strange,
        errors: report.errors + report.cut,
        with_cookie: report.with_cookie,
        secs: report.elapsed_secs,
        latency: report.latency,
        load_cpu_secs: 0.0,
    })
}

fn http(orders: Orders) -> Result<Seen, Trouble> {
    let name = asked_for()?;
    let load = Load {
        target: orders.target(),
        from: FROM,
        name,
        path: "/owa/auth/logon.aspx".to_owned(),
        connections: if orders.alone { 1 } else { CONNECTIONS },
        keep_alive: orders.keep_alive,
        stop: orders.stop(),
    };
    let report = runtime()?.block_on(callers::load(&load))?;
    let (answered, wrong) = (report.answered, report.failed);
    Ok(Seen { answered, wrong, secs: report.elapsed_secs, latency: report.latency, ..Seen::default() })
}

fn handshakes(orders: Orders, kind: Kind) -> Result<Seen, Trouble> {
    let load = Handshakes {
        target: orders.target(),
        from: FROM,
        name: asked_for()?,
        clients: CONNECTIONS,
        resumes: kind == Kind::Resumed,
        stop: orders.stop(),
    };
    let report = runtime()?.block_on(callers::handshakes(&load))?;
    // Each client's first brings the ticket.
    let first = if load.resumes { load.clients as u64 } else { 0 };
    let wrong = report.failed + report.other_kind.saturating_sub(first);
    let (answered, latency) = (report.completed, report.latency);
    Ok(Seen { answered, wrong, secs: report.elapsed_secs, latency, ..Seen::default() })
}

pub(super) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

//----------- Holding ----------------------------------------------------------------------------------------------

/// What `cargo xtask hold` is told by the bench.
#[derive(Args, Clone, Copy, Debug)]
pub struct HoldOrders {
    held: How,
    #[arg(long)]
    port: u16,
    #[arg(long)]
    connections: usize,
}

/// How far a connection is brought before it is left.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum How {
    Silent,
    HalfHead,
    Hello,
    HalfHeadOverTls,
}

impl HoldOrders {
    pub(super) fn new(held: How, port: u16, connections: usize) -> Self {
        Self { held, port, connections }
    }

    pub(super) fn words(self) -> Vec<String> {
        let held = match self.held {
            How::Silent => "silent",
            How::HalfHead => "half-head",
            How::Hello => "hello",
            How::HalfHeadOverTls => "half-head-over-tls",
        };
        vec![held.to_owned(), format!("--port={}", self.port), format!("--connections={}", self.connections)]
    }
}

/// Opens connections, says so by a line, holds them until the other end of its input closes, and says by another line
/// how many of them were still there.
pub fn hold(orders: HoldOrders) -> Done {
    let held = match orders.held {
        How::Silent => Held::Silent,
        How::HalfHead => Held::HalfHead,
        How::Hello => Held::Hello,
        How::HalfHeadOverTls => Held::HalfHeadOverTls,
    };
    let holding = callers::hold(&Hold {
        target: (Ipv4Addr::LOCALHOST, orders.port).into(),
        from: HELD_FROM,
        sources: HELD_SOURCES,
        name: asked_for()?,
        connections: orders.connections,
        held,
    })?;
    println!("holding");
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    println!("{}", holding.still_open());
    Ok(())
}

/// As many names as wanted, below a top-level domain that is reserved for this (RFC 2606).
pub(super) fn generated_names(count: usize) -> Result<Vec<DomainName>, Trouble> {
    let name = |number: usize| DomainName::parse(&format!("zone{number:06}.example")).map_err(Into::into);
    (1..=count).map(name).collect()
}

/// The name that the loads of the trap ask for.
pub(super) fn asked_for() -> Result<DomainName, Trouble> {
    exercise_names()?.into_iter().next().ok_or_else(|| "the exercise names nothing".into())
}

/// The names of the exercise.
pub(super) fn exercise_names() -> Result<Vec<DomainName>, Trouble> {
    #[derive(serde::Deserialize)]
    struct File {
        list: Vec<List>,
    }
    #[derive(serde::Deserialize)]
    struct List {
        names: Vec<DomainName>,
    }
    let file: File = toml::from_str(&std::fs::read_to_string(exercise())?)?;
    Ok(file.list.into_iter().flat_map(|list| list.names).collect())
}
