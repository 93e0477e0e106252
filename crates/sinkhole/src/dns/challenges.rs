//! What `_acme-challenge` says below an apex at this moment (RFC 8555, 8.4): set and cleared while we run.
//!
//! Tokens are no part of a zone: they are read once by an authority and are of no use afterwards. One that nobody clears
//! is forgotten after [`LIFE`]. Whether the order permits a certificate is asked by whoever sets them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use foldhash::quality::RandomState;
use model::{DomainName, Timestamp};
use wire::dns::AcmeToken;

/// How long a token is told. An authority looks within minutes.
pub const LIFE: Duration = Duration::from_secs(3_600);
/// The most names with tokens at once: more orders than any authority takes in an hour from one account.
pub const CHALLENGES_MAX: usize = 1_024;

type ByApex = HashMap<DomainName, Challenge, RandomState>;

/// The tokens of all names; readers never wait.
#[derive(Default)]
pub struct Challenges {
    by_apex: ArcSwap<ByApex>,
}

#[derive(Clone)]
struct Challenge {
    tokens: Vec<AcmeToken>,
    until: Timestamp,
}

impl Challenges {
    /// Tells these tokens below the apex from now on, and no others; with none, nothing. `false` if too many other names
    /// have some.
    #[must_use]
    pub fn set(&self, apex: &DomainName, tokens: Vec<AcmeToken>, now: Timestamp) -> bool {
        let until = now + LIFE;
        let mut has_room = true;
        self.by_apex.rcu(|before| {
            let mut after = ByApex::clone(before);
            after.retain(|name, challenge| name != apex && now < challenge.until);
            has_room = tokens.is_empty() || after.len() < CHALLENGES_MAX;
            if has_room && !tokens.is_empty() {
                after.insert(apex.clone(), Challenge { tokens: tokens.clone(), until });
            }
            after
        });
        has_room
    }

    pub(super) fn read(&self) -> Told {
        Told(self.by_apex.load())
    }
}

/// The tokens while a batch is answered.
pub(super) struct Told(Guard<Arc<ByApex>>);

impl Told {
    pub(super) fn of(&self, apex: &DomainName, now: Timestamp) -> &[AcmeToken] {
        // Nearly always there are none, and nothing is hashed.
        let challenge = if self.0.is_empty() { None } else { self.0.get(apex) };
        challenge.filter(|challenge| now < challenge.until).map_or(&[], |challenge| &challenge.tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_until_they_are_replaced_cleared_or_old() {
        let token = |letter: &str| AcmeToken::parse(&letter.repeat(43)).unwrap();
        let name = |at: usize| DomainName::parse(&format!("seized-{at}.test")).unwrap();
        let (now, challenges) = (Timestamp::UNIX_EPOCH, Challenges::default());
        let told = |at: usize, when| challenges.read().of(&name(at), when).to_vec();
        assert!(challenges.set(&name(0), vec![token("a")], now));
        assert_eq!((told(0, now), told(1, now)), (vec![token("a")], vec![]));
        assert!(challenges.set(&name(0), vec![token("b"), token("c")], now));
        assert_eq!(told(0, now), [token("b"), token("c")]);
        assert_eq!(told(0, now + LIFE), [], "after an hour");
        assert!(challenges.set(&name(0), vec![], now));
        assert_eq!(told(0, now), []);
        assert!((0..CHALLENGES_MAX).all(|at| challenges.set(&name(at), vec![token("a")], now)));
        assert!(!challenges.set(&name(CHALLENGES_MAX), vec![token("a")], now), "there is no room");
        assert!(challenges.set(&name(7), vec![token("b")], now), "but for a name that has one");
        assert!(challenges.set(&name(CHALLENGES_MAX), vec![token("a")], now + LIFE), "the old ones are forgotten");
    }
}
