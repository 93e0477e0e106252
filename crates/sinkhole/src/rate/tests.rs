use super::*;

const SEC: u64 = 1_000_000_000;

fn limits() -> RateLimits {
    RateLimits {
        answers: Rate { per_sec: 10, burst: 10 },
        slip: 2,
        source_records: Rate { per_sec: 20, burst: 20 },
        name_records: Rate { per_sec: 100, burst: 100 },
        listener_records: Rate { per_sec: 1_000, burst: 1_000 },
        ..RateLimits::default()
    }
}

fn asked(source: &str) -> Asked<'_> {
    Asked {
        source: source.parse().unwrap(),
        apex: "seized.test",
        positive: Some(1),
        rcode: 0,
        is_proven: false,
        is_kept: true,
    }
}

/// How many of `count` evenly spread over a second were sent, slipped, dropped; written, carried, collapsed.
fn tell(rates: &mut Rates, from_sec: u64, count: u64, each: impl Fn(u64) -> String) -> ([u64; 3], [u64; 3]) {
    let (mut answers, mut records) = ([0; 3], [0; 3]);
    for n in 0..count {
        let source = each(n);
        let (answer, record) = rates.judge(&asked(&source), from_sec * SEC + n * SEC / count);
        answers[answer as usize] += 1;
        match record {
            Record::Write { repeats } => {
                records[0] += 1;
                records[1] += u64::from(repeats);
            }
            Record::Collapse => records[2] += 1,
        }
    }
    (answers, records)
}

#[test]
fn a_flood_from_one_prefix_is_answered_at_the_rate_and_slips_every_second_time() {
    let mut rates = Rates::new(limits());
    let ([sent, slipped, dropped], _) = tell(&mut rates, 1, 1_000, |n| format!("192.0.2.{}", n % 250));
    assert!((19..=21).contains(&sent), "the burst and one second's worth: {sent}");
    assert!(slipped.abs_diff(dropped) <= 1, "{slipped} slipped, {dropped} dropped");
}

#[test]
fn another_prefix_another_apex_and_a_proven_source_are_not_limited_by_it() {
    let mut rates = Rates::new(limits());
    tell(&mut rates, 1, 1_000, |_| "192.0.2.1".into());
    let now = 2 * SEC - 1;
    assert_eq!(rates.judge(&asked("192.0.2.200"), now).0, Answer::Drop, "the same /24");
    for other in [
        asked("198.51.100.1"),
        Asked { apex: "other.test", ..asked("192.0.2.1") },
        Asked { positive: Some(28), ..asked("192.0.2.1") },
        Asked { is_proven: true, ..asked("192.0.2.1") },
    ] {
        assert_eq!(rates.judge(&other, now).0, Answer::Send, "{other:?}");
    }
}

#[test]
fn empty_answers_of_all_types_share_one_rate() {
    let mut rates = Rates::new(limits());
    let empty = Asked { positive: None, ..asked("192.0.2.1") };
    let sent = (0..1_000).filter(|_| rates.judge(&empty, SEC).0 == Answer::Send).count();
    assert_eq!(sent, 10);
}

#[test]
fn over_the_rate_one_record_a_second_carries_the_count_and_nothing_is_counted_twice() {
    let mut rates = Rates::new(limits());
    let (mut written, mut carried, mut collapsed) = (0, 0, 0);
    for sec in 1..=5 {
        let (_, [now_written, now_carried, now_collapsed]) = tell(&mut rates, sec, 1_000, |_| "192.0.2.1".into());
        (written, carried, collapsed) = (written + now_written, carried + now_carried, collapsed + now_collapsed);
    }
    assert_eq!(written + collapsed, 5_000);
    assert!((100..=130).contains(&written), "20 a second, a burst, one that carries each second: {written}");
    // What the last second collapsed waits for the next record.
    assert!(carried <= collapsed && collapsed - carried < 1_000, "{carried} of {collapsed}");
    let (_, record) = rates.judge(&asked("192.0.2.1"), 60 * SEC);
    assert_eq!(record, Record::Write { repeats: u32::try_from(collapsed - carried).unwrap() }, "a quiet minute later");
}

#[test]
fn forged_sources_are_met_by_the_rates_of_the_name_and_of_the_listener() {
    let mut rates = Rates::new(limits());
    let forged = |n: u64| format!("{}.{}.{}.9", 1 + n / 65_536 % 200, n / 256 % 256, n % 256);
    let ([sent, ..], [written, _, collapsed]) = tell(&mut rates, 1, 50_000, forged);
    assert_eq!(sent, 50_000, "no prefix asked twice");
    assert_eq!(written + collapsed, 50_000);
    assert!((195..=205).contains(&written), "the name's burst and one second's worth: {written}");

    let mut rates = Rates::new(RateLimits { name_records: Rate::UNLIMITED, ..limits() });
    let (_, [written, ..]) = tell(&mut rates, 1, 50_000, forged);
    assert!((1_990..=2_010).contains(&written), "the listener's: {written}");
}

#[test]
fn what_may_not_be_recorded_uses_up_nobody_elses_records() {
    let mut rates = Rates::new(limits());
    let held = Asked { apex: "held.test", is_kept: false, ..asked("192.0.2.1") };
    (0..10_000).for_each(|_| _ = rates.judge(&held, SEC));
    assert_eq!(rates.judge(&asked("198.51.100.1"), SEC).1, Record::Write { repeats: 0 });
    assert_eq!(rates.judge(&held, SEC).0, Answer::Drop, "its answers are limited all the same");
}

#[test]
fn a_rate_of_zero_limits_nothing() {
    let none = Rate::UNLIMITED;
    let limits =
        RateLimits { answers: none, source_records: none, name_records: none, listener_records: none, ..limits() };
    let mut rates = Rates::new(limits);
    assert_eq!(tell(&mut rates, 1, 10_000, |_| "2001:db8::1".into()), ([10_000, 0, 0], [10_000, 0, 0]));
}

#[test]
fn a_prefix_is_what_one_network_holds() {
    let limits = RateLimits::default();
    let prefix = |text: &str| prefix(text.parse().unwrap(), &limits);
    assert_eq!(prefix("192.0.2.1"), prefix("::ffff:192.0.2.254"));
    assert_ne!(prefix("192.0.2.1"), prefix("192.0.3.1"));
    assert_eq!(prefix("2001:db8:0:100::1"), prefix("2001:db8:0:1ff::1"), "a /56");
    assert_ne!(prefix("2001:db8:0:100::1"), prefix("2001:db8:0:200::1"));
}
