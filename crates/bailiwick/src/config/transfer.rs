//! `[transfer]`: where zones are taken over from us, by whom, and with which key.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use model::DomainName;
use model::address::Prefix;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// The word for every zone that the sinkhole answers for.
const SEIZED: &str = "seized";
/// The most keys, peers, zones of one, and addresses at which one is told.
const KEYS_MAX: usize = 256;
const PEERS_MAX: usize = 1_024;
const ZONES_MAX: usize = 128;
const NOTIFY_MAX: usize = 16;
/// The widest network that is known by its address alone.
const PREFIX_V4_MIN: u8 = 16;
const PREFIX_V6_MIN: u8 = 32;

//----------- Draft ------------------------------------------------------------------------------------------------

/// The table as it is written.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Draft {
    listen: Vec<SocketAddr>,
    key: Vec<Key>,
    peer: Vec<PeerDraft>,
}

/// A key that both sides have (RFC 8945).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    pub(crate) name: DomainName,
    #[serde(default)]
    pub(crate) algorithm: Algorithm,
    pub(crate) secret_file: PathBuf,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Algorithm {
    #[default]
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
    #[serde(rename = "hmac-sha512")]
    HmacSha512,
}

impl Algorithm {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha512 => "hmac-sha512",
        }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct PeerDraft {
    network: Prefix,
    #[serde(default)]
    key: Option<DomainName>,
    zones: Vec<String>,
    #[serde(default)]
    notify: Vec<SocketAddr>,
}

//----------- Transfer ---------------------------------------------------------------------------------------------

/// Where zones are taken over, and by whom.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Transfer {
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) keys: Vec<Key>,
    pub(crate) peers: Vec<Peer>,
}

/// Somebody who takes zones over.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Peer {
    pub(crate) network: Prefix,
    /// The name of one of the keys.
    pub(crate) key: Option<DomainName>,
    /// Every zone that the sinkhole answers for.
    pub(crate) seized: bool,
    /// Policy zones and the catalog.
    pub(crate) named: Vec<DomainName>,
    pub(crate) notify: Vec<SocketAddr>,
}

/// What the table means. `named`: the zones that are published. Files are relative to `base`.
pub(super) fn resolve(draft: Draft, named: &BTreeSet<DomainName>, base: &Path) -> Result<Transfer, Failure> {
    let Draft { listen, key: mut keys, peer: peers } = draft;
    for (what, count, most) in [("key", keys.len(), KEYS_MAX), ("peer", peers.len(), PEERS_MAX)] {
        if count > most {
            return Err(Failure::new(format!("[transfer] names {count} of `{what}`; at most {most}")));
        }
    }
    if listen.is_empty() != peers.is_empty() {
        let what = "[transfer] has `listen` without a `peer`, or peers and nowhere to listen";
        return Err(Failure::new(what).hint("nobody may take a zone who is no peer; give both, or none"));
    }
    let mut names = BTreeSet::new();
    for key in &mut keys {
        key.secret_file = base.join(&key.secret_file);
        if !names.insert(key.name.clone()) {
            return Err(Failure::new(format!("the key `{}` is named twice", key.name.as_str())));
        }
    }
    let peers = peers.into_iter().map(|peer| peer.resolve(&names, named)).collect::<Result<_, _>>()?;
    Ok(Transfer { listen, keys, peers })
}

impl PeerDraft {
    fn resolve(self, keys: &BTreeSet<DomainName>, named: &BTreeSet<DomainName>) -> Result<Peer, Failure> {
        self.check(keys)?;
        let zone = |text: &String| {
            let name = DomainName::parse(text).ok().filter(|name| named.contains(name));
            let known: Vec<&str> = named.iter().map(DomainName::as_str).chain([SEIZED]).collect();
            name.ok_or_else(|| {
                self.refused(&format!("may take `{text}`, which nobody publishes"))
                    .hint(format!("there are {}", known.join(", ")))
            })
        };
        let wanted = self.zones.iter().filter(|text| *text != SEIZED).map(zone).collect::<Result<_, _>>()?;
        let seized = self.zones.iter().any(|text| text == SEIZED);
        Ok(Peer { network: self.network, key: self.key, seized, named: wanted, notify: self.notify })
    }

    fn check(&self, keys: &BTreeSet<DomainName>) -> Result<(), Failure> {
        for (what, count, most) in [("zones", self.zones.len(), ZONES_MAX), ("notify", self.notify.len(), NOTIFY_MAX)] {
            if count > most {
                return Err(self.refused(&format!("has {count} of `{what}`; at most {most}")));
            }
        }
        if self.zones.is_empty() {
            return Err(self.refused("may take nothing").hint("zones = [\"seized\", \"rpz.example\"]"));
        }
        match &self.key {
            Some(key) if !keys.contains(key) => {
                let what = format!("signs with `{}`, which is no key", key.as_str());
                Err(self.refused(&what).hint("add a [[transfer.key]] of that name"))
            }
            None if is_too_wide(&self.network) => {
                let hint = format!("at least /{PREFIX_V4_MIN}, for IPv6 /{PREFIX_V6_MIN}; or give a key");
                Err(self.refused("has no key and is half the world").hint(hint))
            }
            _ => Ok(()),
        }
    }

    fn refused(&self, why: &str) -> Failure {
        Failure::new(format!("the peer {} of [transfer] {why}", self.network))
    }
}

fn is_too_wide(network: &Prefix) -> bool {
    network.len() < if network.base().is_ipv4() { PREFIX_V4_MIN } else { PREFIX_V6_MIN }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Transfer, String> {
        let draft: Draft = toml::from_str(text).map_err(|error| error.to_string())?;
        let named = ["rpz.example", "catalog.example"].map(|name| DomainName::parse(name).unwrap());
        resolve(draft, &named.into(), Path::new("/etc/bw")).map_err(|failure| format!("{failure:?}"))
    }

    const WHOLE: &str = "listen = [\"127.52.0.1:53\"]\n[[key]]\nname = \"k1.example\"\nsecret_file = \"k1\"\n\
                         [[peer]]\nnetwork = \"192.0.2.1/32\"\nkey = \"K1.example\"\nzones = [\"seized\", \"RPZ.example.\"]\n\
                         notify = [\"192.0.2.1:53\"]\n";

    #[test]
    fn a_peer_takes_what_it_may_with_the_key_that_it_has() {
        let transfer = read(WHOLE).unwrap();
        let (key, peer) = (&transfer.keys[0], &transfer.peers[0]);
        assert_eq!((key.algorithm.as_str(), key.secret_file.as_path()), ("hmac-sha256", Path::new("/etc/bw/k1")));
        assert_eq!((peer.key.as_ref(), peer.seized, peer.named.len()), (Some(&key.name), true, 1));
        assert!(read("").unwrap().listen.is_empty());
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        for (from, to, why) in [
            ("zones = [\"seized\", \"RPZ.example.\"]", "zones = []", "may take nothing"),
            ("RPZ.example.", "other.example", "may take `other.example`, which nobody publishes"),
            ("key = \"K1.example\"", "key = \"k2.example\"", "`k2.example`, which is no key"),
            ("key = \"K1.example\"\n", "", ""),
            ("192.0.2.1/32\"\nkey = \"K1.example\"", "0.0.0.0/0\"", "half the world"),
            ("listen = [\"127.52.0.1:53\"]\n", "", "nowhere to listen"),
            ("secret_file = \"k1\"\n", "secret_file = \"k1\"\nalgorithm = \"hmac-md5\"\n", "unknown variant"),
            ("[[peer]]", "[[key]]\nname = \"k1.example\"\nsecret_file = \"k2\"\n[[peer]]", "named twice"),
            ("network", "address", "unknown field"),
        ] {
            let text = WHOLE.replacen(from, to, 1);
            match read(&text) {
                Ok(_) => assert!(why.is_empty(), "{text}"),
                Err(failure) => assert!(!why.is_empty() && failure.contains(why), "{text}: {failure}"),
            }
        }
    }
}
