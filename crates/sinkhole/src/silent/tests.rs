//! Stories over real sockets: who sends what, what is on disk afterwards, and that nothing ever comes back.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use model::contact::{Kind, Limits, What};
use model::digest::keyed_hash;
use model::order::{Act, Acts};
use model::seizure::ServiceMode;
use model::tally::Tally;
use store::journal::Frame;

use crate::rehearsal::{Stage, collected, name, settings, sum, zone};
use crate::settings::{Rate, RateLimits};
use crate::{Listeners, NamesByAddress, Running, Settings};

/// The longest that UDP carries over IPv4: 65,535 octets less headers of 20 and 8.
const V4_OCTETS_MAX: usize = 65_507;
/// The same over IPv6, whose length does not count its own header.
const V6_OCTETS_MAX: usize = 65_527;

/// Listens on free ports of these addresses.
fn listen(stage: &Stage, addresses: &[&str]) -> (Running, Vec<SocketAddr>) {
    let sockets: Vec<UdpSocket> = addresses.iter().map(|address| UdpSocket::bind((*address, 0)).unwrap()).collect();
    let ports = sockets.iter().map(|socket| socket.local_addr().unwrap()).collect();
    (stage.start(Listeners { silent_udp: sockets, ..Listeners::default() }), ports)
}

/// A sender that finds out whether anything comes back.
fn sender(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind((address, 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    socket
}

fn assert_heard_nothing(sender: &UdpSocket) {
    let heard = sender.recv_from(&mut [0; 64]);
    assert!(heard.is_err(), "nothing is ever answered: {heard:?}");
}

/// One line per datagram on disk: from, to, look, length, octets kept, subject.
fn datagrams(stage: &Stage) -> Vec<String> {
    stage.read(|frame| {
        let Frame::Contact(contact) = frame else { return None };
        let What::Datagram(datagram) = &contact.what else { return None };
        let apex = contact.subject.as_ref().map_or("-", |subject| &subject.apex);
        let (cut, hash) = (contact.limits.contains(Limits::CUT), datagram.keyed_hash.is_some());
        let (looks, len, kept) = (&datagram.looks_like, datagram.len, datagram.first_bytes.len());
        Some(format!("{} {} {looks} {len} kept={kept} cut={cut} hash={hash} {apex}", contact.source, contact.local))
    })
}

fn counted(stage: &Stage) -> Tally {
    let frames = stage.read(|frame| if let Frame::Counts(counts) = frame { Some(counts.tally) } else { None });
    let mut sum = Tally::default();
    frames.iter().for_each(|tally| sum.add(tally));
    sum
}

/// Waits until so many were offered: UDP has no end to wait for.
async fn wait_for(running: &Running, offered: u64) {
    for _ in 0..1_000 {
        if sum(&running.tallies()).offered() >= offered {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?} is less than the {offered} that were sent", sum(&running.tallies()));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_length_of_both_families_is_recorded_and_nothing_comes_back() {
    let stage = Stage::new(vec![], settings());
    let (running, at) = listen(&stage, &["0.0.0.0", "::1"]);
    let (v4, v6) = (sender("127.0.0.9"), sender("::1"));
    let mut expected = Vec::new();
    for (sender, ip, at, longest) in [(&v4, "127.0.0.77", at[0], V4_OCTETS_MAX), (&v6, "::1", at[1], V6_OCTETS_MAX)] {
        let called = SocketAddr::new(ip.parse().unwrap(), at.port());
        for len in [0, 1, 4_096, 4_097, longest] {
            sender.send_to(&vec![1; len], called).unwrap();
            let looks = if len == 0 { "silent" } else { "binary" };
            let from = sender.local_addr().unwrap();
            expected.push(format!("{from} {called} {looks} {len} kept=0 cut=false hash=false -"));
        }
    }
    wait_for(&running, 10).await;
    assert_heard_nothing(&v4);
    assert_heard_nothing(&v6);
    let tallies = running.stop().await;
    let tally = sum(&tallies);
    assert_eq!((tally.recorded, tally.offered(), tally.loss_unknown), (10, 10, 0));
    assert!(tallies[0].0.starts_with("silent-udp 0.0.0.0:") && tallies[0].0.ends_with(" and 1 more"), "{tallies:?}");
    assert_eq!(counted(&stage), tally);
    let mut seen = datagrams(&stage);
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_caller_sent_is_kept_where_the_order_covers_it() {
    let covered: Acts = [Act::Answer, Act::RecordMetadata, Act::RecordContent].into_iter().collect();
    let zones = vec![
        zone("whole.test", ServiceMode::Collect, covered, None),
        collected("form.test"),
        zone("held.test", ServiceMode::Hold, covered, None),
    ];
    let addresses = [("127.0.0.71", "whole.test"), ("127.0.0.72", "form.test"), ("127.0.0.73", "held.test")];
    let named = addresses.map(|(address, apex)| (address.parse::<IpAddr>().unwrap(), name(apex)));
    let stage = Stage::new(zones, Settings { names_by_address: NamesByAddress::new(named), ..settings() });
    let (running, at) = listen(&stage, &["0.0.0.0"]);
    let sender = sender("127.0.0.9");
    let long = [b'a'; 5_000];
    for (address, sent) in [
        ("127.0.0.71", &b"user=bob&password=hunter2"[..]),
        ("127.0.0.71", &long),
        ("127.0.0.72", b"password=hunter2"),
        ("127.0.0.73", b"password=hunter2"),
        ("127.0.0.74", b"password=hunter2"),
    ] {
        sender.send_to(sent, (address, at[0].port())).unwrap();
    }
    wait_for(&running, 5).await;
    let tally = sum(&running.stop().await);
    assert_eq!((tally.recorded, tally.shed.not_covered), (4, 1));
    let (from, port) = (sender.local_addr().unwrap(), at[0].port());
    assert_eq!(
        datagrams(&stage),
        [
            format!("{from} 127.0.0.71:{port} form 25 kept=25 cut=false hash=true whole.test"),
            format!("{from} 127.0.0.71:{port} text 5000 kept=4096 cut=true hash=true whole.test"),
            format!("{from} 127.0.0.72:{port} form 16 kept=0 cut=false hash=false form.test"),
            format!("{from} 127.0.0.74:{port} form 16 kept=0 cut=false hash=false -"),
        ]
    );
    let hashes = stage.read(|frame| match frame {
        Frame::Contact(contact) => match &contact.what {
            What::Datagram(datagram) => datagram.keyed_hash,
            _ => None,
        },
        _ => None,
    });
    let key = std::fs::read(stage.folder.path().join("keys/cases/rehearsal.key")).unwrap().try_into().unwrap();
    assert_eq!(hashes[0], keyed_hash(&key, b"user=bob&password=hunter2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_recorded_collapsed_or_counted_as_lost_and_the_sum_is_what_was_sent() {
    const SENT: u64 = 20_000;
    const PACED: u64 = 1_500;
    let rates = RateLimits { source_records: Rate { per_sec: 50, burst: 500 }, ..RateLimits::default() };
    let stage = Stage::new(vec![], Settings { rates, ..settings() });
    let (running, at) = listen(&stage, &["127.0.0.1", "127.0.0.1", "::1"]);
    let (v4, v6) = (sender("127.0.0.9"), sender("::1"));
    for n in 0..SENT {
        let (sender, at) = match n % 3 {
            2 => (&v6, at[2]),
            one => (&v4, at[one as usize]),
        };
        sender.send_to(&n.to_be_bytes(), at).unwrap();
        // The kernel loses none of those that each family's burst is made of; of the rest it may lose what it will.
        if n < PACED && n % 50 == 49 {
            wait_for(&running, n + 1).await;
        }
    }
    let tally = sum(&running.stop().await);
    assert_eq!((tally.offered(), tally.loss_unknown), (SENT, 0), "{tally:?}");
    assert!(tally.recorded >= 1_000 && tally.collapsed > 0, "both families have a rate of their own: {tally:?}");
    assert_eq!(stage.read(kind).len() as u64, tally.recorded);
    assert_eq!(counted(&stage), tally);
    assert_heard_nothing(&v4);
    assert_heard_nothing(&v6);
}

fn kind(frame: &Frame<'_>) -> Option<Kind> {
    if let Frame::Contact(contact) = frame { Some(contact.what.kind()) } else { None }
}
