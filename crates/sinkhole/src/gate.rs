//! Who may come in: connections counted in total and per prefix; and who has to go for them.
//!
//! At a limit a gate that was told how ([`Gate::with_turnover`]) asks whoever was idle longest to go, at a prefix's
//! limit somebody of that prefix, so that nobody pushes strangers out. Its place is the newcomer's at once; it is woken,
//! writes its outcome and closes. Whoever was heard a moment ago is busy and stays: where all are, the newcomer is
//! refused. The same for octets that are held: whoever holds some and was idle longest goes first.
//!
//! The stop comes the same way ([`Gate::stop`]): a connection that waits has one place to be called from, not two.
//!
//! Nothing here asks a clock: times are durations since the gate opened.

use std::mem;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use model::address::Prefix;

mod guests;

use guests::{Guests, Seat};

/// Whose connections are counted together: an IPv4 /24, an IPv6 /56, which is what one household or small site gets.
const PREFIX_V4: u8 = 24;
const PREFIX_V6: u8 = 56;
/// How many who were asked may still be on their way out: each has a file beyond the limit, and is gone as soon as a
/// thread gets to it. They fit into the files that are kept for others.
const LEAVING_MAX: usize = 128;
/// How many of those who were idle longest are looked at for one who holds octets.
const LOOKED_AT_MAX: usize = 64;
/// Who was heard is moved in the lists so many times at most while it counts as busy: a client with a thousand requests
/// a second costs eight of these. What that is inexact by is added to the time after which somebody is idle.
const MOVES_WHILE_BUSY: u32 = 8;

pub(crate) struct Gate {
    total_max: usize,
    per_prefix_max: usize,
    turnover: Option<Turnover>,
    is_stopped: AtomicBool,
    guests: Mutex<Guests>,
}

/// What whoever is in may be asked to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Asked {
    /// Come to an end: everything stops.
    Stop,
    /// Go at once: the place is somebody else's.
    Leave,
}

/// How a gate makes room.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turnover {
    /// Who was not heard for so long may be asked to go.
    pub(crate) idle: Duration,
    /// What all may hold together.
    pub(crate) octets_max: u64,
}

impl Gate {
    /// One that asks nobody to go.
    pub(crate) fn new(total_max: usize, per_prefix_max: usize) -> Arc<Self> {
        Self::open(total_max, per_prefix_max, None)
    }

    pub(crate) fn with_turnover(total_max: usize, per_prefix_max: usize, turnover: Turnover) -> Arc<Self> {
        Self::open(total_max, per_prefix_max, Some(turnover))
    }

    fn open(total_max: usize, per_prefix_max: usize, turnover: Option<Turnover>) -> Arc<Self> {
        let guests = Mutex::new(Guests::for_so_many(total_max));
        Arc::new(Self { total_max, per_prefix_max, turnover, is_stopped: AtomicBool::new(false), guests })
    }

    /// Asks all who are in, and whoever still comes, to stop.
    pub(crate) fn stop(&self) {
        let mut guests = self.guests();
        // Under the lock: whoever looks just before is woken, whoever looks just after sees it.
        self.is_stopped.store(true, Ordering::Release);
        let asked = guests.wakers();
        drop(guests);
        wake(asked);
    }

    /// Lets one connection in, or not. It counts as open until the pass is dropped.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Pass> {
        self.enter_at(address, Duration::ZERO)
    }

    /// The same, where somebody may have to go for it.
    pub(crate) fn enter_at(self: &Arc<Self>, address: IpAddr, now: Duration) -> Option<Pass> {
        self.let_in(Some(prefix_of(address)), millis(now))
    }

    /// Lets a balancer's connection in: it counts among all, and among a prefix's once the balancer has said whose it is.
    pub(crate) fn enter_for_another(self: &Arc<Self>, now: Duration) -> Option<Pass> {
        self.let_in(None, millis(now))
    }

    fn let_in(self: &Arc<Self>, prefix: Option<Prefix>, now: u32) -> Option<Pass> {
        let mut guests = self.guests();
        let asked = self.room(&mut guests, prefix, now)?;
        let seat = guests.sit(now);
        if let Some(prefix) = prefix {
            guests.settle(seat, prefix);
        }
        drop(guests);
        wake(asked);
        Some(Pass { gate: Arc::clone(self), seat, entered: now, heard: now, octets: 0, was_stopped: false })
    }

    /// Sees to room for one more; whoever had to go for it is to be woken. `None` if there is none.
    fn room(&self, guests: &mut Guests, prefix: Option<Prefix>, now: u32) -> Option<Option<Waker>> {
        let is_full = prefix.is_some_and(|prefix| guests.count_of(prefix) >= self.per_prefix_max);
        if !is_full && guests.staying < self.total_max {
            return Some(None);
        }
        let idle = self.idle(guests)?;
        let seat = match prefix {
            Some(prefix) if is_full => guests.longest_idle_of(prefix, now, idle),
            _ => guests.longest_idle(now, idle),
        };
        Some(guests.ask(seat?))
    }

    /// After how long somebody may be asked; `None` if nobody may.
    fn idle(&self, guests: &Guests) -> Option<u32> {
        let idle = millis(self.turnover?.idle);
        (guests.leaving < LEAVING_MAX).then(|| idle.saturating_add(idle / MOVES_WHILE_BUSY))
    }

    fn guests(&self) -> MutexGuard<'_, Guests> {
        self.guests.lock().expect("nothing panics while it counts")
    }
}

fn prefix_of(address: IpAddr) -> Prefix {
    let address = address.to_canonical();
    Prefix::of(address, if address.is_ipv4() { PREFIX_V4 } else { PREFIX_V6 })
}

fn millis(duration: Duration) -> u32 {
    // Wraps after 49 days, as the guests expect.
    duration.as_millis() as u32
}

/// Without the lock: whoever wakes may run at once.
fn wake(asked: impl IntoIterator<Item = Waker>) {
    asked.into_iter().for_each(Waker::wake);
}

//----------- Pass -------------------------------------------------------------------------------------------------

/// One open connection. Its times are since it entered.
pub(crate) struct Pass {
    gate: Arc<Gate>,
    seat: Seat,
    entered: u32,
    heard: u32,
    octets: u32,
    /// Whether it was asked to stop already.
    was_stopped: bool,
}

impl Pass {
    /// A balancer has said who called. Whether its prefix has room for one more.
    pub(crate) fn is_for(&mut self, address: IpAddr, since: Duration) -> bool {
        let (prefix, now) = (prefix_of(address), self.now(since));
        let mut guests = self.gate.guests();
        if guests.is_asked(self.seat) || guests.has_settled(self.seat) {
            return true;
        }
        let mut asked = None;
        if guests.count_of(prefix) >= self.gate.per_prefix_max {
            let longest = self.gate.idle(&guests).and_then(|idle| guests.longest_idle_of(prefix, now, idle));
            let Some(seat) = longest else { return false };
            asked = guests.ask(seat);
        }
        guests.settle(self.seat, prefix);
        drop(guests);
        wake(asked);
        true
    }

    /// Says when this connection was last heard, or took some of an answer.
    pub(crate) fn was_heard(&mut self, since: Duration) {
        self.heard = self.now(since);
    }

    /// Whether all were asked to stop. Wakes nobody; costs next to nothing.
    pub(crate) fn is_stopped(&self) -> bool {
        self.gate.is_stopped.load(Ordering::Acquire)
    }

    /// Ready once something is asked of this connection; the stop once only. Whoever waits asks this.
    pub(crate) fn poll_asked(&mut self, context: &Context<'_>) -> Poll<Asked> {
        let mut guests = self.gate.guests();
        if guests.is_asked(self.seat) {
            return Poll::Ready(Asked::Leave);
        }
        if self.is_stopped() && !mem::replace(&mut self.was_stopped, true) {
            return Poll::Ready(Asked::Stop);
        }
        guests.waits(self.seat, context.waker());
        if let Some(turnover) = self.gate.turnover {
            guests.heard(self.seat, self.heard, millis(turnover.idle) / MOVES_WHILE_BUSY);
        }
        Poll::Pending
    }

    /// Says how many octets are held for this connection now. Whether there is room for them, made if need be by those
    /// who hold some and were idle longest.
    pub(crate) fn holds(&mut self, octets: usize, since: Duration) -> bool {
        let octets = u32::try_from(octets).unwrap_or(u32::MAX);
        let grows = octets > self.octets;
        if octets == self.octets {
            return true;
        }
        self.octets = octets;
        let Some(Turnover { octets_max, .. }) = self.gate.turnover else { return true };
        let (mut asked, now) = (Vec::new(), self.now(since));
        let mut guests = self.gate.guests();
        if guests.is_asked(self.seat) {
            return true;
        }
        guests.holds(self.seat, octets);
        while grows && guests.octets > octets_max {
            let idle = self.gate.idle(&guests);
            let longest = idle.and_then(|idle| guests.longest_idle_holder(self.seat, now, idle, LOOKED_AT_MAX));
            let Some(seat) = longest else { break };
            asked.extend(guests.ask(seat));
        }
        let fits = !grows || guests.octets <= octets_max;
        drop(guests);
        wake(asked);
        fits
    }

    fn now(&self, since: Duration) -> u32 {
        self.entered.wrapping_add(millis(since))
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let waker = self.gate.guests().stand(self.seat);
        // It may be the last that knows of its task.
        drop(waker);
    }
}

#[cfg(test)]
mod tests;
