//! What the running process knows of itself, for whoever asks: addresses, tallies, zones, uptime.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use desk::StatusSource;
use desk::api::{Listener, ListenerTally, Live};
use model::Timestamp;
use serde::Serialize;
use sinkhole::dnstap::{Door, Sensor};
use sinkhole::{Running, ZoneTable};

use super::now;
use crate::failure::{Failure, Tried};

//----------- Addresses --------------------------------------------------------------------------------------------

/// Where it listens, with the ports that were taken.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Addresses {
    dns: Vec<SocketAddr>,
    http: Vec<SocketAddr>,
    https: Vec<SocketAddr>,
    /// Each sensor with its socket's file or address.
    dnstap: Vec<(String, String)>,
}

impl Addresses {
    pub(super) fn of(listeners: &sinkhole::Listeners) -> Result<Self, Failure> {
        let local = |found: std::io::Result<SocketAddr>| found.tried("asking a socket for its address");
        Ok(Self {
            // One TCP socket for each address, however many threads read its UDP.
            dns: listeners.dns_tcp.iter().map(|socket| local(socket.local_addr())).collect::<Result<_, _>>()?,
            http: listeners.http.iter().map(|socket| local(socket.local_addr())).collect::<Result<_, _>>()?,
            https: listeners.https.iter().map(|socket| local(socket.local_addr())).collect::<Result<_, _>>()?,
            dnstap: listeners.dnstap.iter().map(dnstap).collect::<Result<_, _>>()?,
        })
    }

    fn listeners(&self) -> Vec<Listener> {
        let dns = self.dns.iter().flat_map(|address| [("dns-udp", address), ("dns-tcp", address)]);
        let http = self.http.iter().map(|address| ("http", address));
        let https = self.https.iter().map(|address| ("https", address));
        let listener =
            |(name, address): (&str, &SocketAddr)| Listener { name: name.into(), address: address.to_string() };
        let mut all: Vec<Listener> = dns.chain(http).chain(https).map(listener).collect();
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
}

impl StatusSource for Pulse {
    fn live(&self) -> Live {
        let held = self.sinkhole.lock().expect("nothing panics while it asks for tallies");
        let tallies = held.as_ref().map(Running::tallies).unwrap_or_default();
        let tally = |(listener, tally): (String, model::tally::Tally)| ListenerTally {
            listener,
            offered: tally.offered(),
            tally,
        };
        let uptime = now().duration_since(self.since).as_secs();
        Live {
            running_since: Some(self.since),
            uptime_secs: u64::try_from(uptime).unwrap_or(0),
            zones: self.zones.len() as u64,
            listeners: self.addresses.listeners(),
            tallies: tallies.into_iter().map(tally).collect(),
            troubles: Vec::new(),
        }
    }
}

/// The word of a command that works on the folder while no daemon runs.
pub(super) struct Asleep;

impl StatusSource for Asleep {
    fn live(&self) -> Live {
        Live::default()
    }
}
