use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn at(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn turning(total_max: usize, per_prefix_max: usize, octets_max: u64) -> Arc<Gate> {
    Gate::with_turnover(total_max, per_prefix_max, Turnover { idle: SECOND, octets_max })
}

/// Counts how often it is woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Waits, last heard then; whether it was asked to go.
fn is_asked(pass: &mut Pass, heard: Duration) -> bool {
    let waker = Waker::noop();
    pass.was_heard(heard);
    pass.poll_asked(&Context::from_waker(waker)).is_ready()
}

#[test]
fn both_limits_hold_and_passes_come_back() {
    let gate = Gate::new(3, 2);
    let enter = |text: &str| gate.enter(at(text));
    let (first, _second) = (enter("192.0.2.1"), enter("::ffff:192.0.2.9"));
    assert!(enter("192.0.2.200").is_none(), "the prefix is full");
    let third = enter("2001:db8::1");
    assert!(third.is_some());
    assert!(enter("198.51.100.1").is_none(), "all are taken");
    drop(first);
    assert!(enter("192.0.2.200").is_some());
    drop(third);
    assert_eq!(gate.guests().households(), 1, "nobody is remembered who has left");
}

#[test]
fn whoever_was_idle_longest_goes_and_nobody_who_is_busy() {
    let gate = turning(2, 2, 0);
    let mut first = gate.enter_at(at("192.0.2.1"), Duration::ZERO).unwrap();
    let mut second = gate.enter_at(at("198.51.100.1"), Duration::ZERO).unwrap();
    assert!(!is_asked(&mut first, SECOND), "it was heard after a second");
    assert!(gate.enter_at(at("203.0.113.1"), SECOND).is_none(), "nobody was idle for a second and an eighth");
    let mut third = gate.enter_at(at("203.0.113.1"), SECOND * 2).unwrap();
    assert!(
        is_asked(&mut second, Duration::ZERO) && !is_asked(&mut first, SECOND) && !is_asked(&mut third, Duration::ZERO)
    );
    assert!(gate.enter_at(at("203.0.113.1"), SECOND * 2).is_none(), "all the others are busy");
    drop(second);
    assert!(gate.enter_at(at("203.0.113.1"), SECOND * 2).is_none(), "its place was given away already");
    drop(first);
    assert!(gate.enter_at(at("203.0.113.1"), SECOND * 2).is_some());
}

#[test]
fn a_full_prefix_pushes_nobody_else_out() {
    let gate = turning(9, 2, 0);
    let mut stranger = gate.enter_at(at("198.51.100.1"), Duration::ZERO).unwrap();
    let mut own = ["192.0.2.1", "192.0.2.2"].map(|own| gate.enter_at(at(own), SECOND).unwrap());
    let mut third = gate.enter_at(at("192.0.2.3"), SECOND * 3).unwrap();
    assert!(is_asked(&mut own[0], Duration::ZERO) && !is_asked(&mut own[1], Duration::ZERO));
    assert!(!is_asked(&mut stranger, Duration::ZERO) && !is_asked(&mut third, Duration::ZERO));
}

#[test]
fn a_balancers_connection_counts_with_whoever_it_is_for() {
    let gate = turning(9, 1, 0);
    let mut first = gate.enter_at(at("192.0.2.1"), Duration::ZERO).unwrap();
    let mut behind = gate.enter_for_another(SECOND).unwrap();
    assert!(!behind.is_for(at("192.0.2.2"), Duration::ZERO), "its prefix is full, and busy");
    assert!(behind.is_for(at("192.0.2.2"), SECOND) && is_asked(&mut first, Duration::ZERO));
    assert!(behind.is_for(at("198.51.100.1"), SECOND), "it is known once");
    assert_eq!(gate.guests().households(), 1);
}

#[test]
fn who_is_asked_is_woken_once_and_few_are_asked_at_a_time() {
    let gate = turning(LEAVING_MAX + 9, usize::MAX, 0);
    let bell = Arc::new(Bell::default());
    let (waker, own) = (Waker::from(Arc::clone(&bell)), at("192.0.2.1"));
    let mut all: Vec<Pass> = (0..gate.total_max).map(|_| gate.enter_at(own, Duration::ZERO).unwrap()).collect();
    for pass in &mut all {
        assert!(pass.poll_asked(&Context::from_waker(&waker)).is_pending());
    }
    let came = (0..gate.total_max).filter_map(|_| gate.enter_at(own, SECOND * 2)).collect::<Vec<_>>();
    assert_eq!((came.len(), bell.0.load(Ordering::Relaxed)), (LEAVING_MAX, LEAVING_MAX));
    drop(all);
    let counts = |guests: MutexGuard<'_, Guests>| (guests.staying, guests.leaving);
    assert_eq!(counts(gate.guests()), (LEAVING_MAX, 0));
    drop((came, waker));
    assert_eq!(Arc::strong_count(&bell), 1, "no waker is kept of anybody who has gone");
}

#[test]
fn a_stop_wakes_whoever_waits_and_is_told_once() {
    let gate = turning(1, 1, 0);
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    let context = Context::from_waker(&waker);
    let mut pass = gate.enter_at(at("192.0.2.1"), Duration::ZERO).unwrap();
    assert!(!pass.is_stopped() && pass.poll_asked(&context).is_pending());
    gate.stop();
    assert_eq!(bell.0.load(Ordering::Relaxed), 1);
    assert!(pass.is_stopped());
    assert_eq!(pass.poll_asked(&context), Poll::Ready(Asked::Stop));
    assert!(pass.poll_asked(&context).is_pending(), "it may still wait for its last answer to be taken");
    let mut late = gate.enter_at(at("192.0.2.1"), SECOND * 9).unwrap();
    assert_eq!(pass.poll_asked(&context), Poll::Ready(Asked::Leave), "and has to go for others even then");
    assert_eq!(late.poll_asked(&context), Poll::Ready(Asked::Stop));
}

#[test]
fn octets_are_held_up_to_their_limit_and_idle_holders_go_first() {
    let gate = turning(9, 9, 100);
    let mut all =
        ["192.0.2.1", "198.51.100.1", "203.0.113.1"].map(|one| gate.enter_at(at(one), Duration::ZERO).unwrap());
    let [silent, first, second] = &mut all;
    assert!(first.holds(60, Duration::ZERO) && second.holds(40, Duration::ZERO));
    assert!(!second.holds(41, SECOND), "nobody is idle");
    assert!(second.holds(40, SECOND), "less is always possible");
    assert!(second.holds(90, SECOND * 2), "the first goes");
    assert!(is_asked(first, Duration::ZERO) && !is_asked(silent, Duration::ZERO), "who holds nothing stays");
    assert!(!second.holds(101, SECOND * 2), "who is left cannot make room for itself");
    assert!(first.holds(70, SECOND * 2), "who goes counts no more");
    drop(all);
    assert_eq!(gate.guests().octets, 0);
}
