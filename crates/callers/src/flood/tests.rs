use std::net::UdpSocket;
use std::thread;

use super::*;

fn names(count: usize) -> Vec<DomainName> {
    (0..count).map(|n| DomainName::parse(&format!("name-{n}.example")).unwrap()).collect()
}

fn small_flood(target: SocketAddr, stop: Stop) -> Flood {
    let from = Ipv4Addr::new(127, 53, 200, 1);
    Flood {
        target,
        from,
        sources: 3,
        names: names(5),
        asks: Asks::Plain(1),
        in_flight: 16,
        lanes: 2,
        per_sec: None,
        stop,
    }
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
        (Flood { sources: SOURCES_MAX + 1, ..good.clone() }, "sources"),
        (Flood { from: Ipv4Addr::new(127, 255, 255, 1), ..good.clone() }, "leave 127.0.0.0/8"),
        (Flood { per_sec: Some(0), ..good.clone() }, "never ends"),
    ] {
        let error = flood(&bad).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    assert!(Flood { in_flight: IN_FLIGHT_MAX, lanes: LANES_MAX, ..good }.check().is_ok());
}

#[test]
fn a_place_is_free_again_after_its_answer_and_an_old_answer_does_not_count() {
    let query = |name: u8, id: u16| {
        let mut octets = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, name, 0, 0, 1, 0, 1];
        octets[..2].copy_from_slice(&id.to_be_bytes());
        octets
    };
    let write = |name: u8| {
        move |id: u16, out: &mut Vec<u8>| {
            *out = query(name, id);
            out.len()
        }
    };
    let reply = |window: &Window, place: usize| {
        let mut packet = window.places[place].query.clone();
        packet[2] |= 0x80;
        packet
    };
    let (start, late) = (Duration::ZERO, LOST_AFTER + Duration::from_millis(1));
    let mut window = Window::new(1);
    let place = window.take(0, start, write(b'a')).unwrap();
    assert_eq!(window.take(0, start, write(b'b')), None, "one place, one query");
    let first = reply(&window, place);
    window.expire(late);
    let place = window.take(0, late, write(b'b')).unwrap();
    let mut second = reply(&window, place);
    second[3] |= 5;
    assert!(window.reply(&first, late).is_none());
    assert!(window.reply(&second, late).is_some());
    assert_eq!(
        window.counts,
        WindowCounts { sent: 2, answered: 1, lost: 1, strange: 1, errors: 1, ..Default::default() }
    );
    assert!(window.is_empty());
}

#[test]
fn a_mixture_comes_from_many_networks_and_no_faster_than_its_rate() {
    let (address, _server) = server(usize::MAX, |_, _| true);
    let flood_of = Flood {
        asks: Asks::Mixed(1),
        per_sec: Some(2_000),
        ..small_flood(address, Stop::After(Duration::from_millis(500)))
    };
    let networks: std::collections::HashSet<_> = (0..2).flat_map(|lane| flood_of.sources(lane)).collect();
    assert_eq!(networks.len(), 6);
    let report = flood(&flood_of).unwrap();
    assert!((1..=1_002).contains(&report.sent), "{report:?}");
    assert_eq!((report.strange, report.with_cookie), (0, 0));
}
