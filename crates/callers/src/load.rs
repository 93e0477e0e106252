//! A closed-loop HTTP load generator: so many connections, each asks, waits for the whole answer, asks again.
//!
//! Either one request per connection, which is how most callers of a sinkhole behave, or one after the other over a
//! connection that is kept. It measures; scripts that imitate somebody are in [`crate::cast`].

use std::net::{Ipv4Addr, SocketAddr};

use model::DomainName;
use serde::Serialize;

use crate::Error;
use crate::flood::Stop;
use crate::latency::Percentiles;
use crate::request::Draft;

mod run;

/// The most connections at once.
pub const CONNECTIONS_MAX: usize = 10_000;

/// What to ask, and for how long.
#[derive(Clone, Debug)]
pub struct Load {
    pub target: SocketAddr,
    pub from: Ipv4Addr,
    /// The Host of every request.
    pub name: DomainName,
    pub path: String,
    pub connections: usize,
    /// Ask again over the same connection; otherwise one request each.
    pub keep_alive: bool,
    pub stop: Stop,
}

/// What came back.
#[derive(Clone, Debug, Serialize)]
pub struct LoadReport {
    /// Requests answered whole.
    pub answered: u64,
    /// Requests, or connects, that ended without a whole answer.
    pub failed: u64,
    pub connections: u64,
    pub elapsed_secs: f64,
    pub answered_per_sec: f64,
    /// From the connect, or from the request where the connection was there, to the answer's last octet.
    pub latency: Percentiles,
}

/// Runs the load to its end, within a tokio runtime.
pub async fn load(load: &Load) -> Result<LoadReport, Error> {
    load.check()?;
    Ok(run::run(load).await)
}

impl Load {
    fn check(&self) -> Result<(), Error> {
        if !self.target.is_ipv4() || !self.target.ip().is_loopback() || !self.from.is_loopback() {
            return Err(Error::Plan(format!("a load from {} to {} is not within 127.0.0.0/8", self.from, self.target)));
        }
        if !(1..=CONNECTIONS_MAX).contains(&self.connections) {
            return Err(Error::Plan(format!("{} connections; give 1 to {CONNECTIONS_MAX}", self.connections)));
        }
        Ok(())
    }

    fn request(&self) -> Vec<u8> {
        let draft = Draft::new("GET", &self.path)
            .header("Host", self.name.as_str())
            .header("User-Agent", "bailiwick-load")
            .header("Accept", "*/*");
        let connection = if self.keep_alive { "keep-alive" } else { "close" };
        draft.header("Connection", connection).done().octets
    }
}

#[cfg(test)]
mod tests;
