//! A closed-loop load of TLS handshakes: connect, shake hands, wait for the server's ticket, leave, again.
//!
//! The ticket is waited for because it proves that the server has taken our last flight: a client is done half a round
//! trip before. Nothing is asked, so what is measured is the handshake alone, and whatever a server writes about it.

use std::net::{Ipv4Addr, SocketAddr};

use model::DomainName;
use serde::Serialize;

use crate::Error;
use crate::flood::Stop;
use crate::latency::Percentiles;

mod run;

/// The most clients at once: each has an address of its own, so that none runs out of ports.
pub const CLIENTS_MAX: usize = 200;

/// What to do, and for how long.
#[derive(Clone, Debug)]
pub struct Handshakes {
    pub target: SocketAddr,
    /// The first client's address; the others follow.
    pub from: Ipv4Addr,
    /// The server name of every hello.
    pub name: DomainName,
    pub clients: usize,
    /// Come back with a ticket, after a first handshake that brings one.
    pub resumes: bool,
    pub stop: Stop,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct HandshakesReport {
    /// Handshakes of the kind that was wanted, ticket received.
    pub completed: u64,
    /// Handshakes of the other kind.
    pub other_kind: u64,
    pub failed: u64,
    pub elapsed_secs: f64,
    /// From the connect to the ticket.
    pub latency: Percentiles,
}

/// Runs the load to its end, within a tokio runtime.
pub async fn handshakes(load: &Handshakes) -> Result<HandshakesReport, Error> {
    load.check()?;
    run::run(load).await
}

impl Handshakes {
    fn check(&self) -> Result<(), Error> {
        if !self.target.is_ipv4() || !self.target.ip().is_loopback() || !self.from.is_loopback() {
            let (from, to) = (self.from, self.target);
            return Err(Error::Plan(format!("handshakes from {from} to {to} are not within 127.0.0.0/8")));
        }
        let room = usize::from(u8::MAX - self.from.octets()[3]).min(CLIENTS_MAX);
        if !(1..=room).contains(&self.clients) {
            return Err(Error::Plan(format!("{} clients from {}; give 1 to {room}", self.clients, self.from)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
