//! Everybody who is in, in the order in which they were last heard: a table of seats with two lists through it, one of
//! all and one of each prefix.
//!
//! Whoever is heard goes to the end of both, so that the first is who was idle longest, and finding, moving and
//! removing take the same time however many there are. Times are milliseconds since the gate opened; they wrap after
//! 49 days, so only differences are looked at: nobody stays an hour.

use std::collections::HashMap;
use std::task::Waker;

use foldhash::quality::RandomState;
use model::address::Prefix;

pub(super) type Seat = u32;

/// No seat has this number.
const NOBODY: Seat = u32::MAX;

#[derive(Clone, Copy)]
struct Link {
    older: Seat,
    newer: Seat,
}

/// Both ends of a list.
#[derive(Clone, Copy)]
struct Ends {
    oldest: Seat,
    newest: Seat,
}

const EMPTY: Ends = Ends { oldest: NOBODY, newest: NOBODY };

/// Some 64 octets: a hundred thousand of these are six megabytes.
struct Guest {
    among_all: Link,
    at_home: Link,
    prefix: Option<Prefix>,
    heard: u32,
    octets: u32,
    waker: Option<Waker>,
    is_asked: bool,
}

struct Household {
    count: usize,
    ends: Ends,
}

/// Which list.
type Of = fn(&mut Guest) -> &mut Link;
const AMONG_ALL: Of = |guest| &mut guest.among_all;
const AT_HOME: Of = |guest| &mut guest.at_home;

/// Seats that are set aside at once; more are made as they are needed.
const AT_ONCE_MAX: usize = 65_536;

pub(super) struct Guests {
    seats: Vec<Guest>,
    /// The first seat that is free; the others follow by `newer`.
    free: Seat,
    all: Ends,
    households: HashMap<Prefix, Household, RandomState>,
    /// Who is in and was not asked to go.
    pub(super) staying: usize,
    /// Who was asked and has not gone yet.
    pub(super) leaving: usize,
    /// What those who stay hold.
    pub(super) octets: u64,
}

impl Guests {
    /// A table for as many from the start: one that grows is copied, and leaves its old places to nobody.
    pub(super) fn for_so_many(guests: usize) -> Self {
        let (seats, households) = (Vec::with_capacity(guests.min(AT_ONCE_MAX)), HashMap::default());
        Self { seats, free: NOBODY, all: EMPTY, households, staying: 0, leaving: 0, octets: 0 }
    }

    pub(super) fn sit(&mut self, now: u32) -> Seat {
        let link = Link { older: NOBODY, newer: NOBODY };
        let guest =
            Guest { among_all: link, at_home: link, prefix: None, heard: now, octets: 0, waker: None, is_asked: false };
        let seat = self.place(guest);
        append(&mut self.seats, &mut self.all, seat, AMONG_ALL);
        self.staying += 1;
        seat
    }

    fn place(&mut self, guest: Guest) -> Seat {
        if let Some(free) = self.seats.get_mut(self.free as usize) {
            let seat = self.free;
            self.free = free.among_all.newer;
            *free = guest;
            return seat;
        }
        if self.seats.len() == self.seats.capacity() {
            // By an eighth, where a vector doubles: what is not used yet is memory of every connection's.
            self.seats.reserve_exact(self.seats.len() / 8 + 64);
        }
        self.seats.push(guest);
        Seat::try_from(self.seats.len() - 1).expect("files are fewer than seat numbers")
    }

    /// It is known whose the guest is.
    pub(super) fn settle(&mut self, seat: Seat, prefix: Prefix) {
        let household = self.households.entry(prefix).or_insert(Household { count: 0, ends: EMPTY });
        household.count += 1;
        append(&mut self.seats, &mut household.ends, seat, AT_HOME);
        self.seats[seat as usize].prefix = Some(prefix);
    }

    pub(super) fn count_of(&self, prefix: Prefix) -> usize {
        self.households.get(&prefix).map_or(0, |household| household.count)
    }

    pub(super) fn is_asked(&self, seat: Seat) -> bool {
        self.seats[seat as usize].is_asked
    }

    pub(super) fn has_settled(&self, seat: Seat) -> bool {
        self.seats[seat as usize].prefix.is_some()
    }

    /// Who waits can be woken.
    pub(super) fn waits(&mut self, seat: Seat, waker: &Waker) {
        let known = &mut self.seats[seat as usize].waker;
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
    }

    /// Moves to the end of the lists, unless that was done within `often`.
    pub(super) fn heard(&mut self, seat: Seat, at: u32, often: u32) {
        let guest = &mut self.seats[seat as usize];
        let since = at.wrapping_sub(guest.heard);
        if guest.is_asked || since < often || since > u32::MAX / 2 {
            return;
        }
        guest.heard = at;
        let prefix = guest.prefix;
        self.unlink(seat, prefix);
        append(&mut self.seats, &mut self.all, seat, AMONG_ALL);
        if let Some(household) = prefix.and_then(|prefix| self.households.get_mut(&prefix)) {
            append(&mut self.seats, &mut household.ends, seat, AT_HOME);
        }
    }

    /// Says what a guest holds now.
    pub(super) fn holds(&mut self, seat: Seat, octets: u32) {
        let guest = &mut self.seats[seat as usize];
        if !guest.is_asked {
            self.octets = self.octets - u64::from(guest.octets) + u64::from(octets);
            guest.octets = octets;
        }
    }

    //----- Asking

    /// Who was idle longest, and at least for `idle`.
    pub(super) fn longest_idle(&self, now: u32, idle: u32) -> Option<Seat> {
        self.idle(self.all.oldest, now, idle)
    }

    pub(super) fn longest_idle_of(&self, prefix: Prefix, now: u32, idle: u32) -> Option<Seat> {
        self.idle(self.households.get(&prefix)?.ends.oldest, now, idle)
    }

    /// Who was idle longest of those who hold anything, among the first `looked_at` of all and but for `except`.
    pub(super) fn longest_idle_holder(&self, except: Seat, now: u32, idle: u32, looked_at: usize) -> Option<Seat> {
        let next = |seat: &Seat| self.idle(self.seats[*seat as usize].among_all.newer, now, idle);
        let all = std::iter::successors(self.longest_idle(now, idle), next);
        all.take(looked_at).find(|seat| *seat != except && self.seats[*seat as usize].octets > 0)
    }

    fn idle(&self, seat: Seat, now: u32, idle: u32) -> Option<Seat> {
        let guest = self.seats.get(seat as usize)?;
        (now.wrapping_sub(guest.heard) >= idle).then_some(seat)
    }

    /// Gives the place away; whoever has it is to be woken and told.
    pub(super) fn ask(&mut self, seat: Seat) -> Option<Waker> {
        self.depart(seat);
        self.leaving += 1;
        let guest = &mut self.seats[seat as usize];
        guest.is_asked = true;
        guest.waker.take()
    }

    /// Everybody who waits.
    pub(super) fn wakers(&mut self) -> Vec<Waker> {
        self.seats.iter_mut().filter_map(|guest| guest.waker.take()).collect()
    }

    /// The guest has gone.
    pub(super) fn stand(&mut self, seat: Seat) -> Option<Waker> {
        if self.is_asked(seat) {
            self.leaving -= 1;
        } else {
            self.depart(seat);
        }
        let guest = &mut self.seats[seat as usize];
        guest.among_all.newer = self.free;
        self.free = seat;
        guest.waker.take()
    }

    /// Counts no more and is in no list.
    fn depart(&mut self, seat: Seat) {
        let guest = &mut self.seats[seat as usize];
        self.octets -= u64::from(std::mem::take(&mut guest.octets));
        let prefix = guest.prefix.take();
        self.staying -= 1;
        self.unlink(seat, prefix);
        let Some(prefix) = prefix else { return };
        if let Some(household) = self.households.get_mut(&prefix) {
            household.count -= 1;
            if household.count == 0 {
                self.households.remove(&prefix);
            }
        }
    }

    fn unlink(&mut self, seat: Seat, prefix: Option<Prefix>) {
        remove(&mut self.seats, &mut self.all, seat, AMONG_ALL);
        if let Some(household) = prefix.and_then(|prefix| self.households.get_mut(&prefix)) {
            remove(&mut self.seats, &mut household.ends, seat, AT_HOME);
        }
    }

    #[cfg(test)]
    pub(super) fn households(&self) -> usize {
        self.households.len()
    }
}

//----------- Lists ------------------------------------------------------------------------------------------------

fn append(seats: &mut [Guest], ends: &mut Ends, seat: Seat, of: Of) {
    *of(&mut seats[seat as usize]) = Link { older: ends.newest, newer: NOBODY };
    match seats.get_mut(ends.newest as usize) {
        Some(newest) => of(newest).newer = seat,
        None => ends.oldest = seat,
    }
    ends.newest = seat;
}

fn remove(seats: &mut [Guest], ends: &mut Ends, seat: Seat, of: Of) {
    let Link { older, newer } = *of(&mut seats[seat as usize]);
    match seats.get_mut(older as usize) {
        Some(older) => of(older).newer = newer,
        None => ends.oldest = newer,
    }
    match seats.get_mut(newer as usize) {
        Some(newer) => of(newer).older = older,
        None => ends.newest = older,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_is_small() {
        assert!(size_of::<Guest>() <= 64, "{}", size_of::<Guest>());
    }

    /// Against a plain list that is sorted each time, through ten thousand random events.
    #[test]
    fn the_lists_are_those_of_a_sorted_one() {
        let mut dice = 7_u64;
        let mut throw = |sides: usize| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) as usize % sides
        };
        let prefixes = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"].map(|text| text.parse().unwrap());
        let (mut guests, mut plain) = (Guests::for_so_many(0), Vec::<(u32, Seat, Prefix)>::new());
        for now in 0..10_000 {
            match throw(4) {
                0 | 1 if plain.len() < 50 => {
                    let (seat, prefix) = (guests.sit(now), prefixes[throw(3)]);
                    guests.settle(seat, prefix);
                    plain.push((now, seat, prefix));
                }
                2 if !plain.is_empty() => {
                    let at = throw(plain.len());
                    plain[at].0 = now;
                    guests.heard(plain[at].1, now, 0);
                }
                _ if !plain.is_empty() => {
                    let (_, seat, _) = plain.swap_remove(throw(plain.len()));
                    if now % 2 == 0 {
                        guests.ask(seat);
                    }
                    guests.stand(seat);
                }
                _ => {}
            }
            let first = |of: &dyn Fn(&Prefix) -> bool| plain.iter().filter(|one| of(&one.2)).min().map(|one| one.1);
            assert_eq!(guests.longest_idle(now, 0), first(&|_| true));
            for prefix in prefixes {
                assert_eq!(guests.longest_idle_of(prefix, now, 0), first(&|other| *other == prefix));
            }
            assert_eq!((guests.staying, guests.leaving), (plain.len(), 0));
        }
    }
}
