//! Floods, told over real sockets: what is answered, what is recorded, and that the equation holds.

use model::contact::{Contact, Cookie, Limits};
use wire::dns::ask::AskEdns;

use super::*;
use crate::settings::{Rate, RateLimits};

const FLOOD: u64 = 400;

fn limited(rates: RateLimits) -> Stage {
    Stage::new(vec![collected("evil.test")], Settings { rates, ..settings() })
}

/// Whole answers and slipped ones. Nobody waits for answers that may not come, so the kernel may drop some, and says so.
fn flood(server: SocketAddr, from: &str, options: &[u8]) -> (u64, u64) {
    let caller = caller(from);
    let name = name_to_wire("evil.test").unwrap();
    let (mut whole, mut slipped) = (0, 0);
    for id in 0..FLOOD as u16 {
        let mut packet = Vec::new();
        let edns = Some(AskEdns { udp_size: 1232, dnssec_ok: false, options });
        Ask { edns, ..Ask::new(id, &name, rtype::A) }.encode(&mut packet);
        caller.send_to(&packet, server).unwrap();
        caller.set_nonblocking(true).unwrap();
        let mut reply = [0; 1500];
        while let Ok(len) = caller.recv(&mut reply) {
            if reply[..len][2] & 0x02 == 0 { whole += 1 } else { slipped += 1 }
        }
    }
    (whole, slipped)
}

fn contacts<T>(stage: &Stage, look: impl Fn(&Contact<'_>) -> T) -> Vec<T> {
    stage.read(|frame| if let Frame::Contact(contact) = frame { Some(look(contact)) } else { None })
}

#[tokio::test(flavor = "multi_thread")]
async fn over_the_rate_answers_are_dropped_or_slipped_and_every_query_is_recorded() {
    let stage = limited(RateLimits { answers: Rate { per_sec: 1, burst: 20 }, ..RateLimits::default() });
    let (running, udp, _) = stage.start_dns();
    let (whole, _) = flood(udp, "127.0.0.9", &[]);
    let tally = sum(&running.stop().await);
    assert!(whole <= 40, "the burst, and one a second: {whole}");
    assert_eq!((tally.recorded + tally.lost_in_kernel, tally.offered()), (FLOOD, FLOOD));
    let answers = tally.answers;
    assert!(answers.rate_slipped.abs_diff(answers.rate_dropped) <= 1, "{answers:?}");
    assert_eq!(answers.sent + answers.rate_dropped, tally.recorded, "what was slipped was sent");
    let marked = |limit| contacts(&stage, |contact| contact.limits.contains(limit)).iter().filter(|is| **is).count();
    assert_eq!(marked(Limits::RATE_DROPPED) as u64, answers.rate_dropped);
    assert_eq!(marked(Limits::RATE_SLIPPED) as u64, answers.rate_slipped);
    assert_eq!(counted(&stage), tally);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_brings_our_cookie_is_no_forged_source_and_not_limited() {
    let stage = limited(RateLimits { answers: Rate { per_sec: 1, burst: 5 }, ..RateLimits::default() });
    let (running, udp, _) = stage.start_dns();
    let cookie = learn_cookie(udp);
    flood(udp, "127.0.0.9", &cookie);
    let tally = sum(&running.stop().await);
    assert_eq!((tally.answers.rate_dropped, tally.answers.rate_slipped), (0, 0), "{tally:?}");
    let states = contacts(&stage, |contact| match &contact.what {
        What::Query(query) => query.edns.as_ref().unwrap().cookie,
        _ => Cookie::Absent,
    });
    assert_eq!(states[0], Cookie::ClientOnly);
    assert!(states[1..].iter().all(|state| *state == Cookie::Valid));
}

/// A cookie option with the server's part, as the server hands it out.
fn learn_cookie(server: SocketAddr) -> Vec<u8> {
    let caller = caller("127.0.0.9");
    let name = name_to_wire("evil.test").unwrap();
    let mut packet = Vec::new();
    let edns = Some(AskEdns { udp_size: 1232, dnssec_ok: false, options: b"\x00\x0a\x00\x08clientid" });
    Ask { edns, ..Ask::new(1, &name, rtype::A) }.encode(&mut packet);
    caller.send_to(&packet, server).unwrap();
    let mut reply = [0; 1500];
    let len = caller.recv(&mut reply).unwrap();
    let at = reply[..len].windows(8).rposition(|octets| octets == b"clientid").expect("our cookie comes back");
    reply[at - 4..at + 24].to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_costs_a_few_records_that_carry_the_count_and_none_is_forgotten() {
    let few = Rate { per_sec: 1, burst: 10 };
    let stage = limited(RateLimits { source_records: few, ..RateLimits::default() });
    let (running, udp, _) = stage.start_dns();
    flood(udp, "127.0.0.9", &[]);
    let tally = sum(&running.stop().await);
    assert_eq!(tally.offered(), FLOOD, "{tally:?}");
    assert!(tally.collapsed > FLOOD / 2 && tally.recorded < 50, "{tally:?}");
    let repeats: u64 = contacts(&stage, |contact| match &contact.what {
        What::Query(query) => u64::from(query.repeats),
        _ => 0,
    })
    .iter()
    .sum();
    assert!(repeats <= tally.collapsed);
    assert_eq!(counted(&stage), tally);
}

/// What kill -9 leaves is what was written before each answer: contacts, and the counts of the collapsed.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_collapsed_is_on_disk_before_its_answer_leaves() {
    let stage = limited(RateLimits { source_records: Rate { per_sec: 1, burst: 10 }, ..RateLimits::default() });
    let (_running, udp, _) = stage.start_dns();
    let caller = caller("127.0.0.9");
    for answered in 1..=200_u64 {
        ask(&caller, udp, "evil.test");
        let recorded = contacts(&stage, |_| ()).len() as u64;
        assert!(recorded + counted(&stage).collapsed >= answered, "after answer {answered}");
    }
}
