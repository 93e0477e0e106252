//! Who may take which zone: by address, and by key where the peer has one.
//!
//! Unbound cannot sign, so a peer may be known by its address alone; where a key stands, the address is not enough.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use domain::tsig::{Algorithm, Key, KeyName};
use model::address::Prefix;

/// The shortest secret, in octets: half of what the shorter digest gives (RFC 8945, 10 warns of guessable ones).
pub(super) const SECRET_OCTETS_MIN: usize = 16;

//----------- TransferKey ------------------------------------------------------------------------------------------

/// A key that both sides have. No log shows what it holds.
#[derive(Clone)]
pub struct TransferKey(Arc<Key>);

/// Why there is no such key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadKey {
    #[error("its name is no domain name")]
    Name,
    #[error("its algorithm is neither hmac-sha256 nor hmac-sha512")]
    Algorithm,
    #[error("its secret has fewer than {SECRET_OCTETS_MIN} octets")]
    Short,
}

impl TransferKey {
    pub fn new(name: &str, algorithm: &str, secret: &[u8]) -> Result<Self, BadKey> {
        let name = KeyName::from_str(&name.to_ascii_lowercase()).map_err(|_| BadKey::Name)?;
        let algorithm = match algorithm {
            "hmac-sha256" => Algorithm::Sha256,
            "hmac-sha512" => Algorithm::Sha512,
            _ => return Err(BadKey::Algorithm),
        };
        if secret.len() < SECRET_OCTETS_MIN {
            return Err(BadKey::Short);
        }
        let key = Key::new(algorithm, secret, name, None, None);
        Ok(Self(Arc::new(key.expect("a key that truncates nothing has no lengths to be wrong"))))
    }

    pub(super) fn key(&self) -> &Arc<Key> {
        &self.0
    }

    pub fn name(&self) -> String {
        self.0.name().to_string()
    }
}

impl fmt::Debug for TransferKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransferKey({}, …)", self.name())
    }
}

//----------- Peer -------------------------------------------------------------------------------------------------

/// What a peer may take.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Allowed {
    /// Every zone that the sinkhole answers for.
    Seized,
    /// The named zone of that origin in wire form, lower case.
    Named(Box<[u8]>),
}

/// Somebody who takes zones over.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Where it asks from.
    pub network: Prefix,
    /// What it signs with; without one its address is enough.
    pub key: Option<TransferKey>,
    pub zones: Vec<Allowed>,
    /// Where it is told of what is new.
    pub notify: Vec<SocketAddr>,
}

impl Peer {
    pub(super) fn may_take(&self, zone: &Allowed) -> bool {
        self.zones.contains(zone)
    }

    fn is(&self, source: IpAddr, signed_by: Option<&KeyName>) -> bool {
        let has_signed = match (&self.key, signed_by) {
            (Some(key), Some(name)) => key.0.name() == name,
            (Some(_), None) => false,
            (None, _) => true,
        };
        has_signed && self.network.contains(source.to_canonical())
    }
}

//----------- Access -----------------------------------------------------------------------------------------------

/// The keys by name and algorithm, as requests name them.
pub(super) type Keys = HashMap<(KeyName, Algorithm), Arc<Key>>;

/// All peers and their keys.
#[derive(Clone, Default)]
pub struct Access {
    pub(super) keys: Keys,
    pub(super) peers: Vec<Peer>,
}

impl Access {
    pub fn new(peers: Vec<Peer>) -> Self {
        let keys = peers.iter().filter_map(|peer| peer.key.as_ref());
        let keys = keys.map(|TransferKey(key)| ((key.name().clone(), key.algorithm()), Arc::clone(key)));
        Self { keys: keys.collect(), peers }
    }

    /// Whether whoever asks from there, with that signature, may have the zone.
    pub(super) fn allows(&self, source: IpAddr, signed_by: Option<&KeyName>, zone: &Allowed) -> bool {
        self.peers.iter().any(|peer| peer.is(source, signed_by) && peer.may_take(zone))
    }

    /// Whether anybody at that address may have anything: nobody else needs an explanation.
    pub(super) fn knows(&self, source: IpAddr) -> bool {
        self.peers.iter().any(|peer| peer.network.contains(source.to_canonical()))
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("peers", &self.peers).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_with_a_key_must_sign_and_one_without_must_be_where_it_is() {
        let key = TransferKey::new("k1.example", "hmac-sha256", &[7; 32]).unwrap();
        let peer = |network: &str, key: Option<&TransferKey>, zone: &Allowed| Peer {
            network: network.parse().unwrap(),
            key: key.cloned(),
            zones: vec![zone.clone()],
            notify: vec![],
        };
        let rpz = Allowed::Named(b"\x03rpz\x04test\x00"[..].into());
        let access =
            Access::new(vec![peer("192.0.2.0/24", Some(&key), &rpz), peer("198.51.100.7/32", None, &Allowed::Seized)]);
        let (k1, other) = (KeyName::from_str("K1.example").unwrap(), KeyName::from_str("k2.example").unwrap());
        for (source, signed_by, zone, allowed) in [
            ("192.0.2.9", Some(&k1), &rpz, true),
            ("::ffff:192.0.2.9", Some(&k1), &rpz, true),
            ("192.0.2.9", Some(&other), &rpz, false),
            ("192.0.2.9", None, &rpz, false),
            ("192.0.3.9", Some(&k1), &rpz, false),
            ("192.0.2.9", Some(&k1), &Allowed::Seized, false),
            ("198.51.100.7", None, &Allowed::Seized, true),
            ("198.51.100.7", Some(&k1), &Allowed::Seized, true),
            ("198.51.100.8", None, &Allowed::Seized, false),
            ("198.51.100.7", None, &rpz, false),
        ] {
            assert_eq!(access.allows(source.parse().unwrap(), signed_by, zone), allowed, "{source} {zone:?}");
        }
        assert!(access.knows("192.0.2.1".parse().unwrap()) && !access.knows("192.0.3.1".parse().unwrap()));
    }

    #[test]
    fn a_key_is_strong_enough_or_there_is_none_and_it_is_never_shown() {
        let key = TransferKey::new("k1.example", "hmac-sha512", &[65; 16]).unwrap();
        assert_eq!(format!("{key:?}"), "TransferKey(k1.example, …)");
        for (name, algorithm, secret, wrong) in [
            ("k1.example", "hmac-md5", &[1; 32][..], BadKey::Algorithm),
            ("k1.example", "hmac-sha1", &[1; 32], BadKey::Algorithm),
            ("k1..example", "hmac-sha256", &[1; 32], BadKey::Name),
            ("k1.example", "hmac-sha256", &[1; 15], BadKey::Short),
        ] {
            assert_eq!(TransferKey::new(name, algorithm, secret).unwrap_err(), wrong);
        }
    }
}
