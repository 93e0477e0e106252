//! `[sensors]`: where a core takes what its sensors send, and for how long they may serve without it; `[uplink]`: how a
//! sensor sends. A sensor knows its core by what joining has left in `keys`.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use store::lease::{LEASE_MAX, Lapse};

use crate::failure::Failure;

/// The longest address that is believed to be meant.
const ADDRESS_OCTETS_MAX: usize = 512;

/// The core's side.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sensors {
    pub(crate) listen: Vec<SocketAddr>,
    /// Where sensors reach us, if it is not the first of `listen`: host and port.
    pub(crate) address: Option<String>,
    lease_secs: u64,
    pub(crate) after_lease: Lapse,
}

impl Default for Sensors {
    fn default() -> Self {
        Self { listen: Vec::new(), address: None, lease_secs: 3 * 24 * 60 * 60, after_lease: Lapse::default() }
    }
}

impl Sensors {
    pub(crate) fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_secs)
    }

    /// What a token tells a sensor.
    pub(crate) fn reached_at(&self) -> Option<String> {
        self.address.clone().or_else(|| self.listen.first().map(SocketAddr::to_string))
    }

    pub(super) fn check(&self) -> Result<(), Failure> {
        if !(1..=LEASE_MAX.as_secs()).contains(&self.lease_secs) {
            return Err(Failure::new(format!("`sensors.lease_secs` is {}", self.lease_secs)).hint(format!(
                "1 to {}: so long a sensor that is cut off goes on, and a name that is handed back may be served by it",
                LEASE_MAX.as_secs()
            )));
        }
        match &self.address {
            Some(address) if address.len() > ADDRESS_OCTETS_MAX || host_and_port(address).is_none() => {
                Err(Failure::new(format!("`sensors.address` is {address:?}"))
                    .hint("give host and port, such as core.example.org:8443 or [2001:db8::1]:8443"))
            }
            _ => Ok(()),
        }
    }
}

/// `core.example.org:8443`, `192.0.2.1:8443`, `[2001:db8::1]:8443`.
pub(crate) fn host_and_port(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let is_host = !bare.is_empty() && bare.chars().all(|c| c.is_ascii_alphanumeric() || "-.:".contains(c));
    let is_plain = is_host && (host.len() > bare.len() || !bare.contains(':'));
    Some((bare, port.parse().ok().filter(|port| *port > 0)?)).filter(|_| is_plain)
}

/// The sensor's side.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Uplink {
    segment_secs: u64,
    poll_secs: u64,
    in_flight: usize,
}

impl Default for Uplink {
    fn default() -> Self {
        Self { segment_secs: 30, poll_secs: 5, in_flight: 4 }
    }
}

impl Uplink {
    /// After so long a segment is closed, and sent.
    pub(crate) fn segment_age(&self) -> Duration {
        Duration::from_secs(self.segment_secs)
    }

    /// How often the core is asked what may be served.
    pub(crate) fn poll(&self) -> Duration {
        Duration::from_secs(self.poll_secs)
    }

    pub(crate) fn limits(&self) -> store::sensors::UplinkLimits {
        store::sensors::UplinkLimits { in_flight_max: self.in_flight, ..Default::default() }
    }

    pub(super) fn check(&self) -> Result<(), Failure> {
        for (key, given, most) in [
            ("segment_secs", self.segment_secs, 3_600),
            ("poll_secs", self.poll_secs, 300),
            ("in_flight", self.in_flight as u64, 64),
        ] {
            if !(1..=most).contains(&given) {
                return Err(Failure::new(format!("`uplink.{key}` is {given}")).hint(format!("1 to {most}")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_an_end() {
        let sensors = |text: &str| toml::from_str::<Sensors>(text).unwrap().check().is_ok();
        assert!(sensors("") && sensors("lease_secs = 1\nafter_lease = \"keep-until\""));
        assert!(!sensors("lease_secs = 0") && !sensors("lease_secs = 2592001"));
        assert!(sensors("address = \"core.example.org:8443\"") && !sensors("address = \"core.example.org\""));
        assert!(toml::from_str::<Sensors>("after_lease = \"dance\"").is_err());
        let uplink = |text: &str| toml::from_str::<Uplink>(text).unwrap().check().is_ok();
        assert!(uplink("") && uplink("segment_secs = 1\npoll_secs = 300\nin_flight = 64"));
        for bad in ["segment_secs = 0", "segment_secs = 3601", "poll_secs = 301", "in_flight = 0", "in_flight = 65"] {
            assert!(!uplink(bad), "{bad}");
        }
    }

    #[test]
    fn an_address_is_a_host_and_a_port() {
        assert_eq!(host_and_port("core.example:8443"), Some(("core.example", 8443)));
        assert_eq!(host_and_port("[2001:db8::1]:8443"), Some(("2001:db8::1", 8443)));
        for bad in ["", ":1", "a", "a:0", "a:65536", "a/b:1", "2001:db8::1:8443", "[]:1", "a b:1"] {
            assert_eq!(host_and_port(bad), None, "{bad}");
        }
    }
}
