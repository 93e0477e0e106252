//! The load: the generators of `callers`, in a process of their own, so that the bench can pin and meter it apart.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use callers::flood::{Flood, Stop};
use callers::load::Load;
use clap::Args;
use model::DomainName;

use super::{Seen, What};
use crate::program::exercise;
use crate::{Done, Trouble};

/// Questions in flight: enough to fill a batch, few enough for any server's buffer.
const IN_FLIGHT: usize = 128;
/// Connections that the HTTP load holds at once.
const CONNECTIONS: usize = 32;
/// The load's own address: everybody on loopback may call from another.
const FROM: Ipv4Addr = Ipv4Addr::new(127, 0, 80, 1);
/// A (RFC 1035, 3.2.2).
const TYPE_A: u16 = 1;

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
}

impl Orders {
    pub(super) fn new(what: What, port: u16, secs: u32) -> Self {
        Self { what, port, secs, keep_alive: false }
    }

    pub(super) fn keep_alive(self) -> Self {
        Self { keep_alive: true, ..self }
    }

    pub(super) fn words(self) -> Vec<String> {
        let what = if self.what == What::Dns { "dns" } else { "http" };
        let mut words = vec![what.to_owned(), format!("--port={}", self.port), format!("--secs={}", self.secs)];
        words.extend(self.keep_alive.then(|| "--keep-alive".to_owned()));
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
    let seen = if orders.what == What::Dns { dns(orders)? } else { http(orders)? };
    println!("{}", serde_json::to_string(&seen)?);
    Ok(())
}

fn dns(orders: Orders) -> Result<Seen, Trouble> {
    let report = callers::flood(&Flood {
        target: orders.target(),
        from: FROM,
        names: names()?,
        qtype: TYPE_A,
        in_flight: IN_FLIGHT,
        lanes: 1,
        stop: orders.stop(),
    })?;
    Ok(Seen { answered: report.answered, wrong: report.lost + report.strange, secs: report.elapsed_secs })
}

fn http(orders: Orders) -> Result<Seen, Trouble> {
    let name = names()?.swap_remove(0);
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
    Ok(Seen { answered: report.answered, wrong: report.failed, secs: report.elapsed_secs })
}

/// The names of the exercise.
pub(super) fn names() -> Result<Vec<DomainName>, Trouble> {
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
