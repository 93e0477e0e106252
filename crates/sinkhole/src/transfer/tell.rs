//! Who is to be told of a new serial, and when to tell them again (RFC 1996, 3.6): a queue, without socket or clock.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::tsig::{ClientTransaction, Key};

/// A peer that says nothing is told again after 1, 2, 4 … seconds, at most a minute apart, so many times in all.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(60);
const TRIES_MAX: u32 = 10;
/// The most that are told at once; the rest waits for the next turn.
pub(super) const AT_ONCE_MAX: usize = 256;
/// The most that wait. Whoever is not told looks by himself, every refresh of the SOA.
const WAITING_MAX: usize = 100_000;

/// Whom to tell of what.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Telling {
    pub(super) to: SocketAddr,
    /// In wire form, lower case.
    pub(super) origin: Arc<[u8]>,
}

/// Proof that an answer is the peer's.
pub(super) type Proof = Option<ClientTransaction<Arc<Key>>>;

/// Everything that is not answered yet. Times are since the start.
#[derive(Default)]
pub(super) struct Teller {
    waiting: BTreeMap<Telling, Waiting>,
}

struct Waiting {
    due: Duration,
    tries: u32,
    /// The id of the last message, and how its answer is proven.
    sent: Option<(u16, Proof)>,
}

impl Teller {
    /// Something is new: tell it at once, also if an older word waits for its answer. `false` if too many wait.
    pub(super) fn tell(&mut self, telling: Telling, now: Duration) -> bool {
        let has_room = self.waiting.len() < WAITING_MAX || self.waiting.contains_key(&telling);
        if has_room {
            self.waiting.insert(telling, Waiting { due: now, tries: 0, sent: None });
        }
        has_room
    }

    /// Those whose time has come, and how many were given up.
    pub(super) fn due(&mut self, now: Duration) -> (Vec<Telling>, usize) {
        let before = self.waiting.len();
        self.waiting.retain(|_, waiting| waiting.due > now || waiting.tries < TRIES_MAX);
        let given_up = before - self.waiting.len();
        let due = self.waiting.iter_mut().filter(|(_, waiting)| waiting.due <= now).take(AT_ONCE_MAX);
        let due = due.map(|(telling, waiting)| {
            waiting.due = now + (FIRST_WAIT * 2_u32.pow(waiting.tries)).min(WAIT_MAX);
            waiting.tries += 1;
            telling.clone()
        });
        (due.collect(), given_up)
    }

    /// Notes what was sent.
    pub(super) fn sent(&mut self, telling: &Telling, id: u16, proof: Proof) {
        if let Some(waiting) = self.waiting.get_mut(telling) {
            waiting.sent = Some((id, proof));
        }
    }

    /// Whether that peer answered the message of that id about this zone, as `proves` finds; then it waits no longer.
    pub(super) fn answered(&mut self, telling: &Telling, id: u16, proves: impl FnOnce(&Proof) -> bool) -> bool {
        let Some(waiting) = self.waiting.get(telling) else { return false };
        let is_answer = waiting.sent.as_ref().is_some_and(|(sent, proof)| *sent == id && proves(proof));
        if is_answer {
            self.waiting.remove(telling);
        }
        is_answer
    }

    /// When the next one is due.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.waiting.values().map(|waiting| waiting.due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(zone: &[u8]) -> Telling {
        Telling { to: "127.52.0.1:53".parse().unwrap(), origin: zone.into() }
    }

    #[test]
    fn a_peer_is_told_again_until_it_answers() {
        let (mut teller, secs) = (Teller::default(), Duration::from_secs);
        assert!(teller.tell(about(b"a"), secs(0)));
        assert_eq!(teller.due(secs(0)), (vec![about(b"a")], 0));
        teller.sent(&about(b"a"), 7, None);
        assert_eq!(teller.due(secs(0)), (vec![], 0), "not twice at once");
        assert_eq!(teller.next_due(), Some(secs(1)));
        assert_eq!(teller.due(secs(1)), (vec![about(b"a")], 0));
        teller.sent(&about(b"a"), 8, None);
        assert_eq!(teller.next_due(), Some(secs(3)));
        assert!(!teller.answered(&about(b"a"), 7, |_| true), "an answer to the message before");
        assert!(!teller.answered(&about(b"b"), 8, |_| true), "about another zone");
        assert!(!teller.answered(&about(b"a"), 8, |_| false), "not proven");
        assert!(teller.answered(&about(b"a"), 8, |_| true));
        assert_eq!((teller.due(secs(99)), teller.next_due()), ((vec![], 0), None));
    }

    #[test]
    fn a_peer_that_never_answers_is_given_up_and_news_begins_anew() {
        let mut teller = Teller::default();
        teller.tell(about(b"a"), Duration::ZERO);
        let mut told = 0;
        while let Some(due) = teller.next_due() {
            let (tellings, given_up) = teller.due(due);
            told += tellings.len();
            assert_eq!(given_up == 1, teller.next_due().is_none());
        }
        assert_eq!(told, TRIES_MAX as usize);
        teller.tell(about(b"a"), Duration::ZERO);
        teller.due(Duration::ZERO);
        teller.tell(about(b"a"), Duration::from_millis(1));
        assert_eq!(teller.due(Duration::from_millis(1)).0, [about(b"a")], "news does not wait for the old word's turn");
    }

    #[test]
    fn a_flood_of_news_goes_out_in_turns() {
        let mut teller = Teller::default();
        (0..1_000_u16).for_each(|zone| assert!(teller.tell(about(&zone.to_be_bytes()), Duration::ZERO)));
        let turns: Vec<usize> = (0..5).map(|_| teller.due(Duration::ZERO).0.len()).collect();
        assert_eq!(turns, [256, 256, 256, 232, 0]);
    }
}
