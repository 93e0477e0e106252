//! What is shed as the journal's room ends, in this order: bodies, raw bytes, records of repeats, limited queries, then
//! everything but the first contact of a source with a name. A kill switch is never shed; everything shed is counted.
//!
//! "First" is what a filter of fixed size says (Bloom, 1970): it never takes a stranger's first contact twice, and now
//! and then takes a stranger for an acquaintance. It begins anew with each UTC day and when it is full, belongs to one
//! listener, and has no memory before room is tight.

use std::borrow::Cow;
use std::hash::BuildHasher as _;
use std::net::IpAddr;

use foldhash::quality::RandomState;
use model::Timestamp;
use model::contact::{Contact, Limits, What};
use model::outcome::Outcome;
use model::tally::{Shed, Stripped};
use model::time::{Date, utc_day};
use store::journal::Room;

/// A mebibyte of bits, of which each pair of source and name sets four.
const WORDS: usize = 1 << 17;
const BITS_EACH: u32 = 4;
/// With so many pairs one stranger in forty is taken for an acquaintance; then the filter begins anew.
const PAIRS_MAX: u32 = 1 << 20;

/// Whose record is wanted, as far as it counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) source: IpAddr,
    /// The name's apex; empty where it concerns none of ours.
    pub(crate) apex: &'a str,
    pub(crate) is_kill_switch: bool,
    /// It stands for others that were collapsed before it.
    pub(crate) is_repeat: bool,
    /// Its answer was limited.
    pub(crate) is_limited: bool,
}

impl<'a> Wanted<'a> {
    pub(crate) fn new(source: IpAddr, apex: &'a str, is_kill_switch: bool) -> Self {
        Self { source, apex, is_kill_switch, is_repeat: false, is_limited: false }
    }
}

/// What a listener remembers of whom it has recorded while room is tight.
#[derive(Default)]
pub(crate) struct Thrift {
    known: Option<Acquaintances>,
}

impl Thrift {
    /// Why so many contacts are shed, or nothing if they are kept.
    pub(crate) fn shed(&mut self, room: Room, wanted: &Wanted<'_>, contacts: u64, now: Timestamp) -> Option<Shed> {
        if room == Room::Ample {
            return None;
        }
        let known = self.known.get_or_insert_with(Acquaintances::default);
        let is_first = known.meet(wanted.source, wanted.apex, now);
        match room {
            _ if wanted.is_kill_switch => None,
            Room::Full => Some(Shed { room: contacts, ..Shed::default() }),
            _ if is_first => None,
            Room::FirstOnly => Some(Shed { room: contacts, ..Shed::default() }),
            Room::NoLimited if wanted.is_limited => Some(Shed { limited: contacts, ..Shed::default() }),
            Room::NoRepeats | Room::NoLimited if wanted.is_repeat => {
                Some(Shed { repeats: contacts, ..Shed::default() })
            }
            _ => None,
        }
    }
}

//----------- Acquaintances ----------------------------------------------------------------------------------------

/// The pairs of source and name that were met.
struct Acquaintances {
    bits: Box<[u64]>,
    seed: RandomState,
    day: Option<Date>,
    pairs: u32,
}

impl Default for Acquaintances {
    fn default() -> Self {
        Self { bits: vec![0; WORDS].into(), seed: RandomState::default(), day: None, pairs: 0 }
    }
}

impl Acquaintances {
    /// Whether it is the first time.
    fn meet(&mut self, source: IpAddr, apex: &str, now: Timestamp) -> bool {
        let day = Some(utc_day(now));
        if self.day != day || self.pairs >= PAIRS_MAX {
            self.bits.fill(0);
            (self.day, self.pairs) = (day, 0);
        }
        let hash = self.seed.hash_one((source.to_canonical(), apex));
        let (start, step) = (hash as u32, (hash >> 32) as u32 | 1);
        let mut is_first = false;
        for nth in 0..BITS_EACH {
            let bit = start.wrapping_add(step.wrapping_mul(nth)) as usize % (WORDS * 64);
            let word = &mut self.bits[bit / 64];
            is_first |= *word & 1 << (bit % 64) == 0;
            *word |= 1 << (bit % 64);
        }
        self.pairs += u32::from(is_first);
        is_first
    }
}

//----------- Stripping --------------------------------------------------------------------------------------------

/// Takes from a contact what there is no room for, and marks it as cut.
pub(crate) fn strip(contact: &mut Contact<'_>, room: Room) -> Stripped {
    let mut stripped = Stripped::default();
    if let What::Message(message) = &mut contact.what
        && room >= Room::NoBodies
        && (message.letter.is_some() || !message.accounts.is_empty())
    {
        (message.letter, message.accounts) = (None, Vec::new());
        stripped.bodies = 1;
    }
    if room >= Room::NoRaw {
        stripped.raw = u64::from(take_raw(&mut contact.what));
    }
    if stripped != Stripped::default() {
        contact.limits = contact.limits.with(Limits::CUT);
    }
    stripped
}

fn take_raw(what: &mut What<'_>) -> bool {
    let raw = match what {
        What::Query(query) => &mut query.raw,
        What::Connection(connection) => &mut connection.first_bytes,
        What::Hello(hello) => &mut hello.raw,
        What::Request(request) => {
            request.redactions.clear();
            &mut request.head
        }
        What::Datagram(datagram) => &mut datagram.first_bytes,
        What::Message(_) => return false,
    };
    !std::mem::replace(raw, Cow::Borrowed(&[])).is_empty()
}

/// Takes from an outcome what there is no room for.
pub(crate) fn strip_outcome(outcome: &mut Outcome<'_>, room: Room) -> Stripped {
    if room < Room::NoBodies || (outcome.body.is_none() && outcome.accounts.is_empty()) {
        return Stripped::default();
    }
    (outcome.body, outcome.accounts) = (None, Vec::new());
    Stripped { bodies: 1, ..Stripped::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        "2019-03-27T12:00:00Z".parse().unwrap()
    }

    fn source(last: u8) -> IpAddr {
        [203, 0, 113, last].into()
    }

    #[test]
    fn what_is_shed_where() {
        let usual = Wanted::new(source(1), "seized.test", false);
        let (repeat, limited) = (Wanted { is_repeat: true, ..usual }, Wanted { is_limited: true, ..usual });
        let switch = Wanted { is_kill_switch: true, is_repeat: true, is_limited: true, ..usual };
        let first = Wanted { source: source(2), ..limited };
        for (room, expected) in [
            (Room::Ample, [false; 5]),
            (Room::NoBodies, [false; 5]),
            (Room::NoRaw, [false; 5]),
            (Room::NoRepeats, [false, true, false, false, false]),
            (Room::NoLimited, [false, true, true, false, false]),
            (Room::FirstOnly, [true, true, true, false, false]),
            (Room::Full, [true, true, true, true, false]),
        ] {
            let mut thrift = Thrift::default();
            assert!(thrift.shed(Room::NoBodies, &usual, 1, noon()).is_none());
            let shed = [usual, repeat, limited, first, switch].map(|wanted| thrift.shed(room, &wanted, 3, noon()));
            assert_eq!(shed.map(|shed| shed.is_some()), expected, "{room:?}");
            assert!(shed.iter().flatten().all(|shed| shed.total() == 3));
        }
    }

    #[test]
    fn the_filter_is_bounded_and_begins_anew_each_day_and_when_it_is_full() {
        let mut known = Acquaintances::default();
        assert!(known.meet(source(1), "a.test", noon()) && known.meet(source(1), "b.test", noon()));
        assert!(!known.meet(source(1), "a.test", noon()));
        let tomorrow = noon().checked_add(std::time::Duration::from_secs(86_400)).unwrap();
        assert!(known.meet(source(1), "a.test", tomorrow));
        let strangers = (0..PAIRS_MAX).filter(|n| known.meet(n.to_be_bytes().into(), "a.test", tomorrow)).count();
        assert!(strangers > PAIRS_MAX as usize / 100 * 97, "{strangers}");
        known.pairs = PAIRS_MAX;
        assert!(known.meet(source(1), "a.test", tomorrow), "it was full");
    }
}
