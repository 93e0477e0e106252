//! Visits of our own verifier: who shows a fresh nonce, once, is told by us that he has reached our trap.
//!
//! Anybody may send the header. Only a nonce that the key made for that name, in the last minute, and that nobody has shown
//! before is believed; every other is a header like any, and odd. Nothing else that the trap says depends on it, so that
//! an outsider who has seen none of our visits cannot elicit a mark. Whoever sees one on its way, or controls an address
//! that we visit, can: he has a minute to show its nonce to a trap that holds the key and has not seen it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use model::visit::{FRESH_SECS, Fault, HEADER, Salt, VisitKey};
use model::{DomainName, Timestamp};
use wire::http::Head;
use wire::oddity::Oddity;

/// The most nonces that are remembered. Only the key makes one, so that only our own verifier fills it.
const SHOWN_MAX: usize = 1 << 16;

#[derive(Debug, Default)]
pub(super) struct OwnVisits {
    /// `None`: nobody is believed.
    key: Option<VisitKey>,
    /// When each nonce was shown, until it is stale.
    shown: Mutex<BTreeMap<Salt, i64>>,
}

impl OwnVisits {
    pub(super) fn new(key: Option<VisitKey>) -> Self {
        Self { key, shown: Mutex::default() }
    }

    /// Notes in the head what its nonce is worth, and gives the proof for one that is believed.
    pub(super) fn meet(&self, head: &mut Head, now: Timestamp) -> Option<String> {
        let key = self.key?;
        let nonce = head.header(HEADER);
        if nonce.is_empty() || head.is_bad {
            return None;
        }
        let host = std::str::from_utf8(head.host()).ok().and_then(|host| DomainName::parse(host).ok());
        let read = host.ok_or(Fault::Forged).and_then(|name| key.read(nonce, &name, now));
        let (oddity, proof) = match read {
            Ok(salt) if self.is_first(salt, now) => (Oddity::OwnVisit, Some(key.prove(nonce))),
            Ok(_) => (Oddity::VisitReplayed, None),
            Err(Fault::Stale) => (Oddity::VisitStale, None),
            Err(Fault::Forged) => (Oddity::VisitForged, None),
        };
        head.oddities.push(oddity);
        proof
    }

    /// Where there are more than may be remembered the one that was shown longest ago is forgotten.
    fn is_first(&self, salt: Salt, now: Timestamp) -> bool {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now.as_second();
        if shown.contains_key(&salt) {
            return false;
        }
        if shown.len() >= SHOWN_MAX {
            // A nonce is believed from a minute before its moment to a minute after.
            shown.retain(|_, at| now.saturating_sub(*at) <= 2 * FRESH_SECS);
        }
        if shown.len() >= SHOWN_MAX {
            let oldest = shown.iter().min_by_key(|(_, at)| **at).map(|(salt, _)| *salt);
            oldest.map(|oldest| shown.remove(&oldest));
        }
        shown.insert(salt, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_believed_once_and_the_oldest_is_forgotten_first() {
        let own = OwnVisits::new(Some(VisitKey::new([1; 32])));
        let at = |secs| Timestamp::from_second(secs).unwrap();
        let salt = |number: usize| (number as u64).to_be_bytes();
        assert!(own.is_first(salt(0), at(1_000)));
        assert!(!own.is_first(salt(0), at(1_030)));
        for number in 1..SHOWN_MAX {
            assert!(own.is_first(salt(number), at(1_001)));
        }
        assert!(own.is_first(salt(SHOWN_MAX), at(1_002)));
        assert!(!own.is_first(salt(1), at(1_002)), "those that are fresh are remembered");
        assert!(own.is_first(salt(SHOWN_MAX + 1), at(1_200)));
        assert_eq!(own.shown.lock().unwrap().len(), 1, "the stale ones are gone");
    }
}
