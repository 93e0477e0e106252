use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use model::contact::{Contact, Transport, Via, What};
use model::frame::{put_bytes, put_number};
use model::order::Acts;
use model::seizure::ServiceMode;
use model::tally::Tally;
use store::journal::Frame;
use wire::dns::ask::Ask;
use wire::dns::rtype;
use wire::dnstap::CONTENT_TYPE;

use super::{Door, Gaps, Sensor};
use crate::rehearsal::{Stage, collected, settings, zone};
use crate::settings::DnstapLimits;
use crate::{Listeners, Settings};

const AUTH_QUERY: u64 = 1;
const AUTH_RESPONSE: u64 = 2;
const CLIENT_QUERY: u64 = 5;

//----------- A sender ---------------------------------------------------------------------------------------------

fn control(kind: u32, content_type: &[u8]) -> Vec<u8> {
    let mut body = kind.to_be_bytes().to_vec();
    if !content_type.is_empty() {
        body.extend(1u32.to_be_bytes());
        body.extend(u32::try_from(content_type.len()).unwrap().to_be_bytes());
        body.extend(content_type);
    }
    [&[0; 4][..], &u32::try_from(body.len()).unwrap().to_be_bytes(), &body].concat()
}

fn start() -> Vec<u8> {
    control(2, CONTENT_TYPE)
}

fn stop() -> Vec<u8> {
    control(3, b"")
}

/// A frame that tells of a question for `name` (in wire form) from 192.0.2.7.
fn told(kind: u64, name: &[u8]) -> Vec<u8> {
    let (mut packet, mut message, mut payload) = (Vec::new(), Vec::new(), Vec::new());
    Ask::new(7, name, rtype::A).encode(&mut packet);
    put_number(&mut message, 1, kind);
    put_number(&mut message, 2, 1);
    put_number(&mut message, 3, 2);
    put_bytes(&mut message, 4, &[192, 0, 2, 7]);
    put_bytes(&mut message, 5, &[198, 51, 100, 53]);
    put_number(&mut message, 6, 4_660);
    put_number(&mut message, 7, 53);
    put_number(&mut message, 8, 1_553_345_920);
    put_bytes(&mut message, 10, &packet);
    put_bytes(&mut payload, 14, &message);
    put_number(&mut payload, 15, 1);
    data(&payload)
}

fn data(payload: &[u8]) -> Vec<u8> {
    [&u32::try_from(payload.len()).unwrap().to_be_bytes(), payload].concat()
}

//----------- A sensor ---------------------------------------------------------------------------------------------

/// Lets `send` talk to a sensor over a Unix socket; what was recorded, counted and missed afterwards.
fn rehearse(limits: DnstapLimits, send: impl FnOnce(&dyn Fn() -> UnixStream)) -> (Stage, Tally, Gaps) {
    let zones = vec![collected("evil.test"), zone("held.test", ServiceMode::Hold, Acts::default(), None)];
    let stage = Stage::new(zones, Settings { dnstap: limits, ..settings() });
    let path = stage.folder.path().join("tap");
    let door = Door::Unix(UnixListener::bind(&path).unwrap());
    let (tally, gaps) = serve(&stage, door, || send(&|| UnixStream::connect(&path).unwrap()));
    (stage, tally, gaps)
}

fn serve(stage: &Stage, door: Door, send: impl FnOnce()) -> (Tally, Gaps) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let guard = runtime.enter();
    let sensor = Sensor { name: "ams-1".into(), door };
    let running = stage.start(Listeners { dnstap: vec![sensor], ..Listeners::default() });
    drop(guard);
    send();
    let gaps = running.dnstap_gaps();
    let tallies = runtime.block_on(running.stop());
    let (_, tally) = tallies.into_iter().find(|(name, _)| name == "dnstap ams-1").unwrap();
    (tally, gaps[0].1)
}

/// Sends, and waits until the other side has closed: by then all is recorded and counted.
fn say(mut stream: impl Read + Write, bytes: &[u8]) -> Vec<u8> {
    let mut said = Vec::new();
    // Whoever is refused may be gone before all is written.
    let _ = stream.write_all(bytes);
    let _ = stream.read_to_end(&mut said);
    said
}

/// What a look at every query on disk gives.
fn queries<T>(stage: &Stage, mut look: impl FnMut(&Contact<'_>) -> T) -> Vec<T> {
    stage.read(|frame| match frame {
        Frame::Contact(contact) if matches!(contact.what, What::Query(_)) => Some(look(contact)),
        _ => None,
    })
}

//----------- Stories ----------------------------------------------------------------------------------------------

#[test]
fn a_query_at_another_server_becomes_a_contact_with_the_sensors_name() {
    let sent = [control(4, CONTENT_TYPE), start(), told(AUTH_QUERY, b"\x03wWw\x04evil\x04test\0"), stop()].concat();
    let (stage, tally, gaps) = rehearse(DnstapLimits::default(), |connect| {
        assert_eq!(say(connect(), &sent), [control(1, CONTENT_TYPE), control(5, b"")].concat());
    });
    assert_eq!((tally.recorded, tally.offered(), tally.loss_unknown, gaps), (1, 1, 0, Gaps::default()));
    queries(&stage, |contact| {
        assert_eq!(contact.via, Via::Dnstap { sensor: "ams-1".into() });
        assert_eq!(contact.source, "192.0.2.7:4660".parse().unwrap());
        assert_eq!(contact.local, "198.51.100.53:53".parse().unwrap());
        assert_eq!((contact.transport, contact.received.as_second()), (Transport::Tcp, 1_553_345_920));
        assert_eq!(contact.subject.as_ref().unwrap().apex, "evil.test");
        let What::Query(query) = &contact.what else { unreachable!("only queries are looked at") };
        assert_eq!((&query.name[..], query.rcode), (&b"\x03wWw\x04evil\x04test\0"[..], None));
    });
}

#[test]
fn one_contact_per_query_and_none_that_no_order_covers() {
    let frames = [
        told(AUTH_QUERY, b"\x04evil\x04test\0"),
        told(AUTH_RESPONSE, b"\x04evil\x04test\0"),
        told(CLIENT_QUERY, b"\x04evil\x04test\0"),
        told(AUTH_QUERY, b"\x04held\x04test\0"),
        told(AUTH_QUERY, b"\x05other\x04test\0"),
        told(CLIENT_QUERY, b"\x05other\x04test\0"),
    ];
    let sent = [start(), frames.concat(), stop()].concat();
    let (stage, tally, _) = rehearse(DnstapLimits::default(), |connect| assert!(say(connect(), &sent).is_empty()));
    assert_eq!((tally.recorded, tally.shed.not_covered), (3, 2));
    let apexes = queries(&stage, |contact| contact.subject.as_ref().map(|subject| subject.apex.to_string()));
    assert_eq!(apexes, [Some("evil.test".into()), Some("evil.test".into()), None]);
}

#[test]
fn every_gap_that_can_be_seen_is_counted() {
    let query = told(AUTH_QUERY, b"\x04evil\x04test\0");
    let (_, tally, gaps) = rehearse(DnstapLimits::default(), |connect| {
        say(connect(), &[&start()[..], &query, &stop()].concat());
        say(connect(), &[start(), data(b"\xff"), stop()].concat());
        say(connect(), &[start(), u32::MAX.to_be_bytes().to_vec()].concat());
        say(connect(), &control(4, b"protobuf:else"));
        for sent in [[&start()[..], &query].concat(), [&start()[..], &query[..9]].concat()] {
            let stream = connect();
            stream.try_clone().unwrap().write_all(&sent).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            say(stream, b"");
        }
    });
    assert_eq!(gaps, Gaps { reconnects: 4, cut: 1, without_stop: 1, faults: 2, unreadable: 1 });
    assert_eq!((tally.recorded, tally.loss_unknown), (2, gaps.total()));
}

#[test]
fn who_is_silent_too_long_or_one_too_many_is_closed() {
    let limits = DnstapLimits { frame: Duration::from_millis(500), ..DnstapLimits::default() };
    let (_, _, gaps) = rehearse(limits, |connect| {
        say(connect(), b"");
        say(connect(), &[start(), vec![0, 0]].concat());
        say(connect(), &[&start()[..], b"\0\0\0\x09"].concat());
    });
    assert_eq!((gaps.without_stop, gaps.cut), (1, 2));
    let limits = DnstapLimits { idle: Duration::from_millis(500), ..DnstapLimits::default() };
    let (_, _, gaps) = rehearse(limits, |connect| assert!(say(connect(), &start()).is_empty()));
    assert_eq!(gaps.without_stop, 1);
    let limits = DnstapLimits { connections_max: 1, ..DnstapLimits::default() };
    let (_, tally, _) = rehearse(limits, |connect| {
        let mut first = connect();
        first.write_all(&control(4, CONTENT_TYPE)).unwrap();
        first.read_exact(&mut [0; 42]).unwrap();
        assert!(say(connect(), b"").is_empty());
    });
    assert_eq!(tally.shed.connections, 1);
}

#[test]
fn over_tcp_only_those_on_the_list_are_heard() {
    let sent = [start(), told(AUTH_QUERY, b"\x04evil\x04test\0"), stop()].concat();
    for (allow, recorded) in [("127.0.0.1", 1), ("192.0.2.1", 0)] {
        let stage = Stage::new(vec![collected("evil.test")], settings());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let door = Door::Tcp { listener, allow: vec![allow.parse().unwrap()] };
        let (tally, _) = serve(&stage, door, || {
            say(TcpStream::connect(at).unwrap(), &sent);
        });
        assert_eq!((tally.recorded, tally.shed.connections), (recorded, 1 - recorded), "{allow}");
    }
}
