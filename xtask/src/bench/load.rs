//! The load: the generators of `callers`, in a process of their own, so that the bench can pin and meter it apart.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use callers::flood::{Asks, Flood, Stop};
use callers::load::Load;
use clap::Args;
use model::DomainName;

use super::{Seen, What, meter};
use crate::program::exercise;
use crate::{Done, Trouble};

/// Questions in flight: enough to fill a batch, few enough for any server's buffer.
const IN_FLIGHT: usize = 128;
/// Connections that the HTTP load holds at once.
const CONNECTIONS: usize = 32;
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
    /// Ask for so many generated names.
    #[arg(long, default_value_t = 99)]
    zones: usize,
    /// No more than this many questions a second; as fast as answers come if absent.
    #[arg(long)]
    per_sec: Option<u32>,
}

impl Orders {
    pub(super) fn new(what: What, port: u16, secs: u32) -> Self {
        Self { what, port, secs, keep_alive: false, zones: 99, per_sec: None }
    }

    pub(super) fn keep_alive(self) -> Self {
        Self { keep_alive: true, ..self }
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
    let mut seen = if orders.what == What::Dns { dns(orders)? } else { http(orders)? };
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
    let name = exercise_names()?.swap_remove(0);
    let load = Load {
        target: orders.target(),
        from: FROM,
        name,
        path: "/owa/auth/logon.aspx".to_owned(),
        connections: CONNECTIONS,
        keep_alive: orders.keep_alive,
        stop: orders.stop(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(callers::load(&load))?;
    Ok(Seen { answered: report.answered, wrong: report.failed, secs: report.elapsed_secs, ..Seen::default() })
}

/// As many names as wanted, below a top-level domain that is reserved for this (RFC 2606).
pub(super) fn generated_names(count: usize) -> Result<Vec<DomainName>, Trouble> {
    let name = |number: usize| DomainName::parse(&format!("zone{number:06}.example")).map_err(Into::into);
    (1..=count).map(name).collect()
}

/// The names of the exercise.
fn exercise_names() -> Result<Vec<DomainName>, Trouble> {
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
