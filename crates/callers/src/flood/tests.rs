use std::net::UdpSocket;
use std::thread;

use super::*;

fn names(count: usize) -> Vec<DomainName> {
    (0..count).map(|n| DomainName::parse(&format!("name-{n}.example")).unwrap()).collect()
}

fn small_flood(target: SocketAddr, stop: Stop) -> Flood {
    let from = Ipv4Addr::new(127, 53, 200, 1);
    Flood { target, from, names: names(5), qtype: 1, in_flight: 16, lanes: 2, stop }
}

/// A server that answers `count` queries as `answer` says, and then ends.
fn server(count: usize, answer: fn(usize, &mut Vec<u8>) -> bool) -> (SocketAddr, thread::JoinHandle<()>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let serve = move || {
        let mut packet = [0; 512];
        for number in 0..count {
            let (len, peer) = socket.recv_from(&mut packet).unwrap();
            let mut reply = packet[..len].to_vec();
            reply[2] |= 0x80;
            if answer(number, &mut reply) {
                socket.send_to(&reply, peer).unwrap();
            }
        }
    };
    (address, thread::spawn(serve))
}

#[test]
fn a_counted_flood_is_answered_to_the_last() {
    let (address, server) = server(1000, |_, _| true);
    let report = flood(&small_flood(address, Stop::Count(1000))).unwrap();
    server.join().unwrap();
    assert_eq!((report.sent, report.answered, report.lost, report.strange), (1000, 1000, 0, 0));
    assert!(report.latency.p50_micros > 0.0 && report.latency.p50_micros <= report.latency.max_micros);
}

#[test]
fn lies_are_strange_and_silence_is_loss() {
    let (address, server) = server(100, |number, reply| {
        match number {
            10 => reply[14] ^= 1,   // another question
            20 => reply[0] ^= 0x80, // another id
            30 => return false,     // nothing
            _ => {}
        }
        true
    });
    let report = flood(&small_flood(address, Stop::Count(100))).unwrap();
    server.join().unwrap();
    assert_eq!((report.sent, report.answered, report.lost, report.strange), (100, 97, 3, 2));
}

#[test]
fn a_timed_flood_ends_in_time() {
    let (address, _server) = server(usize::MAX, |_, _| true);
    let report = flood(&small_flood(address, Stop::After(Duration::from_millis(200)))).unwrap();
    assert!(report.answered > 0);
    assert_eq!(report.sent, report.answered + report.lost);
    assert!((0.2..5.0).contains(&report.elapsed_secs), "{}", report.elapsed_secs);
}

#[test]
fn a_flood_stays_at_home_and_within_its_limits() {
    let good = small_flood("127.0.0.1:53".parse().unwrap(), Stop::Count(1));
    for (bad, why) in [
        (Flood { target: "192.0.2.1:53".parse().unwrap(), ..good.clone() }, "127.0.0.0/8"),
        (Flood { from: Ipv4Addr::new(192, 0, 2, 1), ..good.clone() }, "127.0.0.0/8"),
        (Flood { names: vec![], ..good.clone() }, "at least one name"),
        (Flood { in_flight: IN_FLIGHT_MAX + 1, ..good.clone() }, "in flight"),
        (Flood { lanes: LANES_MAX + 1, ..good.clone() }, "lanes"),
        (Flood { lanes: 0, ..good.clone() }, "lanes"),
    ] {
        let error = flood(&bad).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    assert!(Flood { in_flight: IN_FLIGHT_MAX, lanes: LANES_MAX, ..good }.check().is_ok());
}

#[test]
fn a_place_is_free_again_after_its_answer_and_an_old_answer_does_not_count() {
    let flood = small_flood("127.0.0.1:53".parse().unwrap(), Stop::Count(1));
    let templates = flood.templates();
    let reply = |id: u16, template: usize| {
        let mut packet = templates[template].clone();
        packet[..2].copy_from_slice(&id.to_be_bytes());
        packet[2] |= 0x80;
        packet
    };
    let (start, late) = (Duration::ZERO, LOST_AFTER + Duration::from_millis(1));
    let mut window = Window::new(1);
    let first = window.take(0, start).unwrap();
    assert_eq!(window.take(1, start), None, "one place, one query");
    window.expire(late);
    let second = window.take(1, late).unwrap();
    window.reply(&reply(first, 0), &templates, late);
    window.reply(&reply(second, 1), &templates, late);
    assert_eq!(window.counts, WindowCounts { sent: 2, answered: 1, lost: 1, strange: 1 });
    assert!(window.is_empty());
}
