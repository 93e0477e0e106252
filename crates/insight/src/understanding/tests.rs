use model::verdict::Label;

use super::*;
use crate::fixtures::*;

const NOTHING_WITHHELD: BTreeMap<CaseId, Withheld> = BTreeMap::new();
const NOBODY: BTreeSet<IpAddr> = BTreeSet::new();

fn judge(understanding: &mut Understanding, until: Until) -> Vec<(u64, Label)> {
    let world = World { tables: &Tables::demo(), withheld: &NOTHING_WITHHELD, own: &NOBODY };
    let judged = understanding.judge(until, world);
    judged.verdicts.iter().map(|(verdict, _)| (verdict.of.seq(), verdict.label)).collect()
}

fn patient(wait_secs: i64, waiting_max: usize) -> Understanding {
    Understanding::new(Patience { wait_secs, waiting_max }, MemoryLimits::default(), Thresholds::default())
}

const LONG_AGO: Until = Until::Before(Timestamp::UNIX_EPOCH);

#[test]
fn a_request_waits_for_its_outcome_and_is_judged_once() {
    let mut understanding = patient(60, 10);
    understanding.take_contact(&request(1, 0, "127.10.0.7", "POST /owa/", EDGE, ""));
    assert_eq!(judge(&mut understanding, LONG_AGO), []);
    assert_eq!(understanding.waiting(), 1);
    understanding.take_outcome(&outcome(1, &["passwd"], None, 80));
    assert_eq!(judge(&mut understanding, LONG_AGO), [(1, Label::Victim)]);
    understanding.take_outcome(&outcome(1, &["passwd"], None, 80));
    assert_eq!(judge(&mut understanding, Until::Now), [], "an outcome that comes twice changes nothing");
}

#[test]
fn a_query_waits_for_nothing() {
    let mut understanding = patient(60, 10);
    understanding.take_contact(&query("127.53.0.1", 1, 1, &[]));
    assert_eq!(judge(&mut understanding, LONG_AGO), [(1, Label::Resolver)]);
}

#[test]
fn nobody_waits_for_ever() {
    let mut understanding = patient(60, 10);
    understanding.take_contact(&request(1, 0, "127.10.0.7", "GET /.env", EDGE, ""));
    let after_59_secs = understanding.patience_from(at(59));
    assert_eq!(judge(&mut understanding, after_59_secs), []);
    let after_61_secs = understanding.patience_from(at(61));
    assert_eq!(judge(&mut understanding, after_61_secs), [(1, Label::Scanner)]);

    understanding.take_contact(&request(2, 70, "127.10.0.7", "GET /.env", EDGE, ""));
    assert_eq!(judge(&mut understanding, Until::Now), [(2, Label::Scanner)], "we stop");
}

#[test]
fn where_there_is_no_room_the_oldest_stops_waiting() {
    let mut understanding = patient(60, 2);
    for seq in 1..=3 {
        understanding.take_contact(&request(seq, 0, "127.10.0.7", "GET /.env", EDGE, ""));
    }
    assert_eq!(judge(&mut understanding, LONG_AGO), [(1, Label::Scanner)]);
    assert_eq!(understanding.waiting(), 2);
}

#[test]
fn a_connection_that_ends_later_is_what_came_over_it_before() {
    use model::contact::{Connection, What};
    let mut understanding = patient(60, 10);
    understanding.take_contact(&contact(1, 0, "127.10.0.7", None, What::Connection(Connection::default())));
    let mut form = request(2, 1, "127.10.0.7", "POST /owa/", EDGE, "");
    form.over = Some(id(1));
    understanding.take_contact(&form);
    understanding.take_outcome(&outcome(2, &["passwd"], None, 80));
    assert_eq!(judge(&mut understanding, LONG_AGO), [(2, Label::Victim)]);
    understanding.take_outcome(&outcome(1, &[], None, 200));
    assert_eq!(judge(&mut understanding, LONG_AGO), [(1, Label::Victim)]);
}

#[test]
fn the_icon_belongs_to_the_form_that_follows() {
    let mut understanding = patient(60, 10);
    understanding.take_contact(&request(1, 0, "127.10.0.7", "GET /favicon.ico", EDGE, ""));
    understanding.take_contact(&request(2, 1, "127.10.0.7", "POST /owa/", EDGE, ""));
    understanding.take_contact(&request(3, 1, "127.10.0.8", "GET /favicon.ico", EDGE, ""));
    understanding.take_outcome(&outcome(2, &["passwd"], None, 80));
    let expected = [(1, Label::Victim), (2, Label::Victim), (3, Label::Unknown)];
    assert_eq!(judge(&mut understanding, Until::Now), expected);
}

#[test]
fn indicators_come_out_once_and_not_again_after_a_restart() {
    let calls = |understanding: &mut Understanding| {
        for n in 1..=3_u8 {
            let from = format!("127.10.0.{n}");
            understanding.take_contact(&request(u64::from(n), 0, &from, "POST /gate.php", OLD_IE, ""));
        }
        let world = World { tables: &Tables::demo(), withheld: &NOTHING_WITHHELD, own: &NOBODY };
        understanding.judge(Until::Now, world).learned
    };
    let mut first = patient(60, 10);
    let learned = calls(&mut first);
    let values: Vec<_> = learned.iter().map(|(_, indicator)| indicator.value.as_str()).collect();
    assert_eq!(values, ["/gate.php", OLD_IE]);
    assert_eq!(calls(&mut first), []);

    let mut second = patient(60, 10);
    second.know(learned.iter().map(|(case, indicator)| (case, indicator)));
    assert_eq!(calls(&mut second), []);
}
