//! What the population is asked to do: whom to call, as how many, for how long.
//!
//! A plan is a file, because the population is a process of its own. It names sockets and seized names and nothing
//! else of the house.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use model::DomainName;
use serde::{Deserialize, Serialize};

use crate::Error;

/// The population of the demo: a few thousand contacts.
pub const SCALE_DEMO: u32 = 100;
/// The largest population: as many callers as the address plan has room for.
pub const SCALE_MAX: u32 = 10_000;
/// When no caller starts any more, if the plan does not say.
pub const DURATION_MAX_SECS: u64 = 60;

/// A call for callers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The same seed gives the same callers, acts and order; only passwords are random in every run.
    pub seed: u64,
    /// The seized names; most callers want the first ones.
    pub names: Vec<DomainName>,
    /// The sinkhole's DNS, UDP and TCP.
    pub dns: SocketAddr,
    pub http: SocketAddr,
    pub https: SocketAddr,
    /// How many callers, in per cent of the demo's population.
    #[serde(default = "scale_demo")]
    pub scale: u32,
    /// After this nobody starts any more; who has started, finishes.
    #[serde(default = "duration_max_secs")]
    pub duration_max_secs: u64,
    /// Write the tally file again and again while running, so that what was answered before a `kill -9` of the server
    /// can be judged.
    #[serde(default)]
    pub report_answered: bool,
    /// Where the tally goes: outside the data folder, because it holds every password typed.
    pub tally: PathBuf,
}

fn scale_demo() -> u32 {
    SCALE_DEMO
}

fn duration_max_secs() -> u64 {
    DURATION_MAX_SECS
}

impl Plan {
    pub fn duration_max(&self) -> Duration {
        Duration::from_secs(self.duration_max_secs)
    }

    /// Refuses what would be unsafe or pointless to run.
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |why: String| Err(Error::Plan(why));
        if self.names.is_empty() {
            return refuse("it names no seized name; give at least one".into());
        }
        for (door, address) in [("dns", self.dns), ("http", self.http), ("https", self.https)] {
            if !address.ip().is_loopback() || !address.is_ipv4() {
                return refuse(format!("{door} is {address}; callers call 127.0.0.0/8 only"));
            }
        }
        if self.scale == 0 || self.scale > SCALE_MAX {
            return refuse(format!(
                "scale is {}; give 1 to {SCALE_MAX}, per cent of the demo's population",
                self.scale
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(http: &str, scale: u32) -> Plan {
        let local = "127.0.0.1:53".parse().unwrap();
        Plan {
            seed: 1,
            names: vec![DomainName::parse("outlook-verify.net").unwrap()],
            dns: local,
            http: http.parse().unwrap(),
            https: local,
            scale,
            duration_max_secs: 1,
            report_answered: false,
            tally: "/nowhere".into(),
        }
    }

    #[test]
    fn callers_call_loopback_only_and_have_a_largest_number() {
        for (http, scale, why) in [
            ("127.0.0.1:80", SCALE_MAX, None),
            ("192.0.2.1:80", 1, Some("http is 192.0.2.1:80")),
            ("[::1]:80", 1, Some("http is [::1]:80")),
            ("127.0.0.1:80", 0, Some("scale is 0")),
            ("127.0.0.1:80", SCALE_MAX + 1, Some("scale is 10001")),
        ] {
            let found = plan(http, scale).check().err().map(|error| error.to_string());
            assert_eq!(found.is_some(), why.is_some(), "{http} {scale}");
            assert!(found.unwrap_or_default().contains(why.unwrap_or_default()));
        }
    }

    #[test]
    fn nobody_to_ask_for_is_no_plan() {
        let empty = Plan { names: vec![], ..plan("127.0.0.1:80", 1) };
        assert!(empty.check().is_err());
    }
}
