//! Stories over real sockets: who asks what, what is answered, what is on disk afterwards.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use model::contact::{Kind, What};
use model::order::{Act, Acts};
use model::outcome::End;
use model::seizure::ServiceMode;
use model::tally::Tally;
use store::journal::{Frame, JournalLimits};
use wire::dns::ask::{Ask, name_to_wire};
use wire::dns::{AcmeToken, rcode, rtype};

use crate::rehearsal::{Stage, caller, collected, name, settings, sum, zone};
use crate::settings::DnsTcpLimits;
use crate::{Listeners, Settings};

mod peers;
mod rates;

//----------- Asking -----------------------------------------------------------------------------------------------

fn packet(id: u16, name: &str, qtype: u16) -> Vec<u8> {
    let mut packet = Vec::new();
    Ask::new(id, &name_to_wire(name).unwrap(), qtype).encode(&mut packet);
    packet
}

/// Asks over UDP; the response code and the addresses.
fn ask(caller: &UdpSocket, server: SocketAddr, name: &str) -> (u16, Vec<IpAddr>) {
    caller.send_to(&packet(9, name, rtype::A), server).unwrap();
    let mut reply = [0; 1500];
    let (len, from) = caller.recv_from(&mut reply).unwrap();
    assert_eq!(from, server);
    let answered = Ask::new(9, &name_to_wire(name).unwrap(), rtype::A).check(&reply[..len]).unwrap().clone();
    (answered.rcode, answered.addresses().collect())
}

fn framed(packet: &[u8]) -> Vec<u8> {
    [&(packet.len() as u16).to_be_bytes()[..], packet].concat()
}

/// Connects, and does not wait for ever.
fn connect(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

fn read_framed(stream: &mut TcpStream) -> Vec<u8> {
    let mut len = [0; 2];
    stream.read_exact(&mut len).unwrap();
    let mut reply = vec![0; usize::from(u16::from_be_bytes(len))];
    stream.read_exact(&mut reply).unwrap();
    reply
}

/// One line per query on disk: who, name, code, subject, oddities.
fn queries(stage: &Stage) -> Vec<String> {
    stage.read(|frame| {
        let Frame::Contact(contact) = frame else { return None };
        let What::Query(query) = &contact.what else { return None };
        let rcode = query.rcode.map_or("-".to_owned(), |rcode| rcode.to_string());
        let apex = contact.subject.as_ref().map_or("-", |subject| &subject.apex);
        let (name, odd) = (query.name.escape_ascii(), contact.oddities.join(","));
        Some(format!("{} {name} {rcode} {apex} {odd} raw={}", contact.source.ip(), query.raw.len()))
    })
}

fn ends(stage: &Stage) -> Vec<End> {
    stage.read(|frame| if let Frame::Outcome(outcome) = frame { Some(outcome.end) } else { None })
}

/// The equation as the journal tells it.
fn counted(stage: &Stage) -> Tally {
    let frames = stage.read(|frame| if let Frame::Counts(counts) = frame { Some(counts.tally) } else { None });
    let mut sum = Tally::default();
    frames.iter().for_each(|tally| sum.add(tally));
    sum
}

//----------- UDP --------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn every_question_is_answered_and_what_may_be_kept_is_kept() {
    let silent: Acts = [Act::Answer].into_iter().collect();
    let stage = Stage::new(
        vec![
            collected("evil.test"),
            zone("held.test", ServiceMode::Hold, Acts::default(), None),
            zone("returned.test", ServiceMode::Handback, Acts::default(), None),
            zone("lapsed.test", ServiceMode::Collect, Acts::default(), Some("2019-04-10T00:00:00Z".parse().unwrap())),
            zone("silent.test", ServiceMode::Collect, silent, None),
        ],
        settings(),
    );
    let (running, udp, _) = stage.start_dns();
    let caller = caller("127.0.0.9");
    let ours: Vec<IpAddr> = vec![[127, 0, 0, 1].into()];
    for (name, expected) in [
        ("wWw.Evil.test", (0, ours.clone())),
        ("held.test", (0, ours.clone())),
        ("returned.test", (0, vec![])),
        ("lapsed.test", (0, ours.clone())),
        ("silent.test", (0, ours)),
        ("example.com", (rcode::REFUSED, vec![])),
    ] {
        assert_eq!(ask(&caller, udp, name), expected, "{name}");
    }
    let tally = sum(&running.stop().await);
    assert_eq!((tally.recorded, tally.shed.not_covered, tally.offered()), (2, 4, 6));
    assert_eq!(counted(&stage), tally);
    assert_eq!(
        queries(&stage),
        [r"127.0.0.9 \x03wWw\x04Evil\x04test\x00 0 evil.test  raw=0", r"127.0.0.9 \x07example\x03com\x00 5 -  raw=0"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_for_an_authority_is_told_while_we_run() {
    let stage = Stage::new(vec![collected("evil.test")], settings());
    let (running, udp, _) = stage.start_dns();
    let caller = caller("127.0.0.9");
    let token = "a".repeat(43);
    let is_told = || {
        caller.send_to(&packet(9, "_acme-challenge.evil.test", rtype::TXT), udp).unwrap();
        let mut reply = [0; 1500];
        let (len, _) = caller.recv_from(&mut reply).unwrap();
        reply[..len].windows(43).any(|octets| octets == token.as_bytes())
    };
    let tell = |tokens| running.challenges().set(&name("evil.test"), tokens, crate::run::now());
    assert!(!is_told());
    assert!(tell(vec![AcmeToken::parse(&token).unwrap()]) && is_told());
    assert!(tell(vec![]) && !is_told());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_evidence_and_what_is_no_question_gets_no_answer() {
    let stage = Stage::new(vec![collected("evil.test")], settings());
    let (running, udp, _) = stage.start_dns();
    let caller = caller("127.0.0.9");
    let mut response = packet(1, "evil.test", rtype::A);
    response[2] |= 0x80;
    let mut long = packet(1, "evil.test", rtype::A);
    long[12] = 0xc0;
    long.resize(1000, 0);
    for sent in [&b"GET / HTTP/1.1"[..], b"", &response, &long] {
        caller.send_to(sent, udp).unwrap();
    }
    // The answer to a question behind them says that they have been dealt with.
    ask(&self::caller("127.0.0.10"), udp, "evil.test");
    running.stop().await;
    assert_eq!(
        queries(&stage)[..4],
        [
            "127.0.0.9  4 - dns.opcode,dns.qdcount,dns.question-cut raw=14",
            "127.0.0.9  - - dns.short raw=0",
            r"127.0.0.9 \x04evil\x04test\x00 - evil.test dns.response raw=27",
            "127.0.0.9  1 - dns.question-pointer raw=512",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kernel_says_when_and_where_and_an_answer_comes_from_the_address_that_was_asked() {
    for (everywhere, own, asked) in [
        ("0.0.0.0:0", "127.0.0.9", &["127.0.0.7", "127.0.0.8", "127.0.0.7"][..]),
        ("127.0.0.7:0", "127.0.0.9", &["127.0.0.7"]),
        ("[::]:0", "::1", &["::1"]),
    ] {
        let stage = Stage::new(vec![collected("evil.test")], settings());
        let socket = UdpSocket::bind(everywhere).unwrap();
        let port = socket.local_addr().unwrap().port();
        let before = crate::run::now();
        let caller = caller(own);
        let running = stage.start(Listeners { dns_udp: vec![socket], ..Listeners::default() });
        for address in asked {
            ask(&caller, SocketAddr::new(address.parse().unwrap(), port), "evil.test");
        }
        assert_eq!(sum(&running.stop().await).loss_unknown, 0);
        let seen = stage.read(|frame| match frame {
            Frame::Contact(contact) => Some((contact.local.ip().to_string(), contact.received)),
            _ => None,
        });
        assert_eq!(seen.iter().map(|(local, _)| local.as_str()).collect::<Vec<_>>(), asked);
        assert!(seen.iter().all(|(_, received)| *received >= before && *received <= crate::run::now()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_offered_before_the_stop_is_recorded_or_counted_as_lost() {
    const OFFERED: u64 = 5_000;
    let stage = Stage::new(vec![collected("evil.test")], settings());
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    // The smallest buffer that there is: the kernel must drop, and say so.
    socket2::SockRef::from(&socket).set_recv_buffer_size(1).unwrap();
    let server = socket.local_addr().unwrap();
    let caller = caller("127.0.0.9");
    let offer =
        |count| (0..count).for_each(|id| _ = caller.send_to(&packet(id, "evil.test", rtype::A), server).unwrap());
    offer(OFFERED as u16 / 2);
    let running = stage.start(Listeners { dns_udp: vec![socket], ..Listeners::default() });
    offer(OFFERED as u16 / 2);
    let tally = sum(&running.stop().await);
    assert!(tally.lost_in_kernel > 0 && tally.loss_unknown == 0, "{tally:?}");
    assert_eq!(tally.offered(), OFFERED, "{tally:?}");
    assert_eq!(queries(&stage).len() as u64, tally.recorded);
    assert_eq!(counted(&stage), tally);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_cannot_be_written_costs_the_record_and_not_the_answer() {
    let limits = JournalLimits { segment_bytes: 4_096, ..JournalLimits::default() };
    let stage = Stage::with_limits(vec![collected("evil.test")], settings(), limits);
    let (running, udp, _) = stage.start_dns();
    let caller = caller("127.0.0.9");
    assert_eq!(ask(&caller, udp, "evil.test").0, 0);
    std::fs::remove_dir_all(stage.journal_folder()).unwrap();
    for _ in 0..200 {
        assert_eq!(ask(&caller, udp, "evil.test").0, 0);
    }
    let tally = sum(&running.stop().await);
    assert!(tally.shed.journal > 0, "{tally:?}");
    assert_eq!(tally.offered(), 201, "{tally:?}");
}

//----------- TCP --------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_brings_many_questions_at_once_and_each_names_it() {
    let stage = Stage::new(vec![collected("evil.test")], settings());
    let (running, _, tcp) = stage.start_dns();
    let mut stream = connect(tcp);
    let asked =
        [packet(1, "evil.test", rtype::A), packet(2, "a.evil.test", rtype::TXT), packet(3, "x.example", rtype::A)];
    stream.write_all(&asked.iter().flat_map(|packet| framed(packet)).collect::<Vec<_>>()).unwrap();
    let rcodes: Vec<u8> = asked.iter().map(|_| read_framed(&mut stream)[3] & 15).collect();
    assert_eq!(rcodes, [0, 0, 5]);
    drop(stream);
    let tally = sum(&running.stop().await);
    assert_eq!((tally.recorded, tally.offered()), (4, 4));
    let over = stage.read(|frame| match frame {
        Frame::Contact(contact) => Some((contact.what.kind(), contact.id, contact.over)),
        _ => None,
    });
    let (kind, connection, _) = over[0];
    assert_eq!(kind, Kind::Connection);
    assert!(over[1..].iter().all(|(kind, _, over)| *kind == Kind::Query && *over == Some(connection)));
    let outcomes = stage.read(|frame| match frame {
        Frame::Outcome(outcome) => Some((outcome.of, outcome.end, outcome.octets_in)),
        _ => None,
    });
    assert_eq!(outcomes, [(connection, End::Peer, asked.iter().map(|packet| 2 + packet.len() as u64).sum())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_may_come_octet_by_octet() {
    let stage = Stage::new(vec![collected("evil.test")], settings());
    let (running, _, tcp) = stage.start_dns();
    let mut stream = connect(tcp);
    stream.set_nodelay(true).unwrap();
    for octet in framed(&packet(1, "evil.test", rtype::A)) {
        stream.write_all(&[octet]).unwrap();
    }
    assert_eq!(read_framed(&mut stream)[3] & 15, 0);
    running.stop().await;
    assert_eq!(ends(&stage), [End::Stopped]);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_end_where_their_limits_are() {
    let short = Duration::from_millis(500);
    let limits = DnsTcpLimits { connections_max: 1, idle: short, query_octets_max: 100, ..DnsTcpLimits::default() };
    let impatient = DnsTcpLimits { lifetime: short, ..DnsTcpLimits::default() };
    for (limits, sent, end) in [
        (limits, vec![], End::TimedOut),
        (limits, vec![0, 20, 1, 2, 3], End::TimedOut),
        (limits, vec![0, 101], End::Limit),
        (impatient, vec![0, 20, 1, 2, 3], End::Limit),
    ] {
        let stage = Stage::new(vec![collected("evil.test")], Settings { dns_tcp: limits, ..settings() });
        let (running, _, tcp) = stage.start_dns();
        let mut stream = connect(tcp);
        stream.write_all(&sent).unwrap();
        // Read to the end: we close, and say nothing.
        assert_eq!(tokio::task::spawn_blocking(move || stream.read(&mut [0; 9]).unwrap_or(0)).await.unwrap(), 0);
        running.stop().await;
        assert_eq!(ends(&stage), [end], "{sent:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_too_many_is_closed_and_counted() {
    for limits in [
        DnsTcpLimits { connections_max: 1, ..DnsTcpLimits::default() },
        DnsTcpLimits { connections_per_prefix_max: 1, ..DnsTcpLimits::default() },
    ] {
        let stage = Stage::new(vec![collected("evil.test")], Settings { dns_tcp: limits, ..settings() });
        let (running, _, tcp) = stage.start_dns();
        let mut first = connect(tcp);
        first.write_all(&framed(&packet(1, "evil.test", rtype::A))).unwrap();
        read_framed(&mut first);
        let mut second = connect(tcp);
        assert_eq!(second.read(&mut [0; 9]).unwrap_or(0), 0);
        let tally = sum(&running.stop().await);
        assert_eq!((tally.recorded, tally.shed.connections), (2, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_before_a_message_too_long_is_answered() {
    let stage = Stage::new(vec![collected("evil.test")], settings());
    let (running, _, tcp) = stage.start_dns();
    let mut stream = connect(tcp);
    stream.write_all(&[framed(&packet(1, "evil.test", rtype::A)), vec![0xff, 0xff, 0]].concat()).unwrap();
    assert_eq!(read_framed(&mut stream)[3] & 15, 0);
    assert_eq!(stream.read(&mut [0; 9]).unwrap_or(0), 0);
    running.stop().await;
    assert_eq!((queries(&stage).len(), ends(&stage)), (1, vec![End::Limit]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_before_the_stop_is_answered_over_tcp_too() {
    let stage = Stage::new(vec![collected("evil.test")], settings());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let tcp = listener.local_addr().unwrap();
    // They wait in the kernel's queue before anybody listens.
    let mut streams: Vec<TcpStream> = (0..20).map(|_| connect(tcp)).collect();
    streams.iter_mut().for_each(|stream| stream.write_all(&framed(&packet(1, "evil.test", rtype::A))).unwrap());
    let running = stage.start(Listeners { dns_tcp: vec![listener], ..Listeners::default() });
    let tally = sum(&running.stop().await);
    assert_eq!((tally.recorded, tally.offered()), (40, 40));
    assert!(streams.iter_mut().all(|stream| read_framed(stream)[3] & 15 == 0));
}
