//! A visit of our own to the trap: how the verifier shows that it is ours, and how the trap shows that it is.
//!
//! Both hold one key, kept outside the data folder. The visit carries a nonce, `SECONDS.SALT.MAC`; whoever else sees it can
//! make no other, and it is believed for a minute, for one name, once (who has shown it already is for the trap to
//! remember). The trap answers with a MAC over the nonce, which nobody without the key can make; who has seen a nonce that
//! the trap has not can elicit it. What is absent: whether somebody stands in between and hands both on.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::name::DomainName;
use crate::time::Timestamp;

/// The header of the visit, and that of the answer.
pub const HEADER: &str = "bailiwick-verify";
/// A nonce is believed for so long before and after its moment: clocks differ.
pub const FRESH_SECS: i64 = 60;
/// Octets of the key.
pub const KEY_OCTETS: usize = 32;
/// What tells two visits of one second apart.
pub type Salt = [u8; 8];

/// The longest nonce: seconds, salt and MAC, with two full stops.
const NONCE_OCTETS_MAX: usize = 20 + 2 * size_of::<Salt>() + 2 * 32 + 2;

/// The key that verifier and traps share. No log shows it.
#[derive(Clone, Copy)]
pub struct VisitKey([u8; KEY_OCTETS]);

impl fmt::Debug for VisitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VisitKey(…)")
    }
}

/// Why a nonce is not believed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// Nobody with the key made it, for that name.
    Forged,
    /// It was made with the key, and not in the last minute.
    Stale,
}

impl VisitKey {
    pub fn new(octets: [u8; KEY_OCTETS]) -> Self {
        Self(octets)
    }

    /// The nonce of a visit.
    pub fn sign(&self, name: &DomainName, at: Timestamp, salt: Salt) -> String {
        let (secs, salt) = (at.as_second(), in_hex(&salt));
        let mac = self.visit(name, secs, &salt).finalize().into_bytes();
        format!("{secs}.{salt}.{}", in_hex(&mac))
    }

    /// Whether that is a nonce of ours for that name and moment; its salt tells it from all others.
    pub fn read(&self, nonce: &[u8], name: &DomainName, now: Timestamp) -> Result<Salt, Fault> {
        let (secs, salt, mac) = parts(nonce).ok_or(Fault::Forged)?;
        // Compared in constant time.
        self.visit(name, secs, &in_hex(&salt)).verify_slice(&mac).map_err(|_| Fault::Forged)?;
        let age = now.as_second().saturating_sub(secs);
        if age.saturating_abs() > FRESH_SECS { Err(Fault::Stale) } else { Ok(salt) }
    }

    /// What the trap answers to a nonce that it believes.
    pub fn prove(&self, nonce: &[u8]) -> String {
        in_hex(&self.proof(nonce).finalize().into_bytes())
    }

    /// Whether that is our trap's answer to the nonce; compared in constant time.
    pub fn is_proof(&self, nonce: &str, proof: &[u8]) -> bool {
        from_hex::<32>(proof).is_some_and(|proof| self.proof(nonce.as_bytes()).verify_slice(&proof).is_ok())
    }

    fn visit(&self, name: &DomainName, secs: i64, salt: &str) -> Hmac<Sha256> {
        self.mac(format!("bailiwick visit v2\0{}\0{secs}\0{salt}", name.as_str()).as_bytes())
    }

    fn proof(&self, nonce: &[u8]) -> Hmac<Sha256> {
        self.mac(&[b"bailiwick trap v2\0", nonce].concat())
    }

    fn mac(&self, octets: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes any key");
        mac.update(octets);
        mac
    }
}

fn parts(nonce: &[u8]) -> Option<(i64, Salt, [u8; 32])> {
    let text = std::str::from_utf8(nonce).ok().filter(|text| text.len() <= NONCE_OCTETS_MAX)?;
    let (secs, rest) = text.split_once('.')?;
    let (salt, mac) = rest.split_once('.')?;
    Some((secs.parse().ok()?, from_hex(salt.as_bytes())?, from_hex(mac.as_bytes())?))
}

fn in_hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn from_hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let digit = |octet: u8| char::from(octet).to_digit(16).map(|digit| digit as u8);
    let mut octets = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (octet, pair) in octets.iter_mut().zip(text.chunks_exact(2)) {
        *octet = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(secs).unwrap()
    }

    fn name(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    const SALT: Salt = [7; 8];

    #[test]
    fn a_nonce_is_of_its_key_name_and_minute() {
        let (key, seized) = (VisitKey::new([1; 32]), name("seized.alfa"));
        let nonce = key.sign(&seized, at(1_000), SALT);
        let read = |key: VisitKey, name: &DomainName, secs| key.read(nonce.as_bytes(), name, at(secs));
        assert_eq!(read(key, &seized, 1_000), Ok(SALT));
        assert_eq!(read(key, &seized, 1_060), Ok(SALT));
        assert_eq!(read(key, &seized, 940), Ok(SALT));
        assert_eq!(read(key, &seized, 1_061), Err(Fault::Stale));
        assert_eq!(read(key, &seized, 939), Err(Fault::Stale));
        assert_eq!(read(key, &name("other.alfa"), 1_000), Err(Fault::Forged));
        assert_eq!(read(VisitKey::new([2; 32]), &seized, 1_000), Err(Fault::Forged));
        assert_ne!(nonce, key.sign(&seized, at(1_000), [8; 8]));
    }

    #[test]
    fn a_nonce_with_one_octet_changed_is_forged() {
        let (key, seized) = (VisitKey::new([1; 32]), name("seized.alfa"));
        let nonce = key.sign(&seized, at(1_000), SALT).into_bytes();
        for place in 0..nonce.len() {
            let mut spoiled = nonce.clone();
            spoiled[place] = if spoiled[place] == b'1' { b'2' } else { b'1' };
            assert_eq!(key.read(&spoiled, &seized, at(1_000)), Err(Fault::Forged), "{place}");
        }
    }

    #[test]
    fn only_the_key_proves_and_a_nonce_is_no_proof() {
        let (key, other) = (VisitKey::new([1; 32]), VisitKey::new([2; 32]));
        let nonce = key.sign(&name("seized.alfa"), at(1_000), SALT);
        let proof = key.prove(nonce.as_bytes());
        assert!(key.is_proof(&nonce, proof.as_bytes()));
        assert!(!other.is_proof(&nonce, proof.as_bytes()));
        let mac = nonce.rsplit('.').next().unwrap();
        assert!(!key.is_proof(&nonce, mac.as_bytes()) && !key.is_proof(&nonce, b""));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_forged(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let read = VisitKey::new([1; 32]).read(&octets, &name("seized.alfa"), at(0));
            prop_assert_eq!(read, Err(Fault::Forged));
        }
    }
}
