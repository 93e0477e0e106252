//! The state of a registration: what stands at the registry before we act, and what the order wants there.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use model::DomainName;
use serde::{Deserialize, Serialize};

/// The locks that a registrar sets and removes (RFC 5731, 2.3).
pub const UPDATE_LOCK: &str = "clientUpdateProhibited";
pub const LOCKS: [&str; 3] = ["clientDeleteProhibited", "clientTransferProhibited", UPDATE_LOCK];
pub const CLIENT_HOLD: &str = "clientHold";
pub const SERVER_HOLD: &str = "serverHold";

/// Every status of RFC 5731, 2.3 that a client may set.
const CLIENT: [&str; 5] =
    ["clientDeleteProhibited", CLIENT_HOLD, "clientRenewProhibited", "clientTransferProhibited", UPDATE_LOCK];
/// Those that only the server sets.
const SERVER: [&str; 12] = [
    "inactive",
    "ok",
    "pendingCreate",
    "pendingDelete",
    "pendingRenew",
    "pendingTransfer",
    "pendingUpdate",
    "serverDeleteProhibited",
    SERVER_HOLD,
    "serverRenewProhibited",
    "serverTransferProhibited",
    "serverUpdateProhibited",
];
/// The longest digest of a DS record that is known, twice over: SHA-384 has 48 octets.
const DIGEST_HEX_MAX: usize = 192;

/// Statuses, delegation and DS of one name.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct State {
    pub statuses: BTreeSet<Status>,
    pub name_servers: BTreeSet<DomainName>,
    pub ds: BTreeSet<Ds>,
}

impl State {
    /// Statuses that only the registry can lift and that keep a registrar from changing anything. A hold keeps nobody
    /// from that: it takes the name out of the zone.
    pub fn server_locks(&self) -> impl Iterator<Item = &Status> {
        let stops = ["serverUpdateProhibited", "serverDeleteProhibited", "serverTransferProhibited"];
        self.statuses.iter().filter(move |status| stops.contains(&status.as_str()) || status.is_pending())
    }

    pub fn has(&self, status: &str) -> bool {
        self.statuses.iter().any(|known| known.as_str() == status)
    }

    /// Those that a registrar may set.
    pub fn client_statuses(&self) -> BTreeSet<Status> {
        self.statuses.iter().filter(|status| status.is_client()).copied().collect()
    }
}

//----------- Status -----------------------------------------------------------------------------------------------

/// A status value of RFC 5731.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Status(&'static str);

impl Status {
    pub const HOLD: Self = Self(CLIENT_HOLD);
    pub const LOCKS: [Self; 3] = [Self(LOCKS[0]), Self(LOCKS[1]), Self(LOCKS[2])];

    pub fn as_str(self) -> &'static str {
        self.0
    }

    pub fn is_client(self) -> bool {
        CLIENT.contains(&self.0)
    }

    pub fn is_pending(self) -> bool {
        self.0.starts_with("pending")
    }
}

impl FromStr for Status {
    type Err = String;

    /// As EPP writes it, or as RDAP does (RFC 8056): `client update prohibited`.
    fn from_str(text: &str) -> Result<Self, String> {
        let plain = |text: &str| text.replace([' ', '_'], "").to_ascii_lowercase();
        let asked = match plain(text).as_str() {
            "active" => "ok".to_owned(),
            other => other.to_owned(),
        };
        let found = CLIENT.into_iter().chain(SERVER).find(|known| plain(known) == asked);
        found.map(Self).ok_or_else(|| format!("`{text}` is no status of RFC 5731"))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl Serialize for Status {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

//----------- Ds ---------------------------------------------------------------------------------------------------

/// A DS record's data, as RFC 4034, 5.3 writes it: `12345 13 2 49FD…`.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Ds {
    pub key_tag: u16,
    pub algorithm: u8,
    pub digest_type: u8,
    /// Upper-case hexadecimal.
    pub digest: String,
}

impl FromStr for Ds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no DS record: `KEYTAG ALGORITHM DIGESTTYPE HEX` is wanted");
        let parts: Vec<&str> = text.split_whitespace().collect();
        let [key_tag, algorithm, digest_type, digest @ ..] = &parts[..] else { return Err(wrong()) };
        let digest = digest.concat().to_ascii_uppercase();
        let is_hex = digest.bytes().all(|octet| octet.is_ascii_hexdigit());
        if digest.is_empty() || digest.len() % 2 != 0 || digest.len() > DIGEST_HEX_MAX || !is_hex {
            return Err(wrong());
        }
        Ok(Self {
            key_tag: key_tag.parse().map_err(|_| wrong())?,
            algorithm: algorithm.parse().map_err(|_| wrong())?,
            digest_type: digest_type.parse().map_err(|_| wrong())?,
            digest,
        })
    }
}

impl fmt::Display for Ds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.key_tag, self.algorithm, self.digest_type, self.digest)
    }
}

impl Serialize for Ds {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Ds {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
