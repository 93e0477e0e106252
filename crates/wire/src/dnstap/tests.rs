use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::session::{Output, Session};

/// READY, START, STOP and their answers, written by hand from fstrm's control.h.
const READY: &[u8] = b"\0\0\0\0\0\0\0\x22\0\0\0\x04\0\0\0\x01\0\0\0\x16protobuf:dnstap.Dnstap";
const ACCEPT: &[u8] = b"\0\0\0\0\0\0\0\x22\0\0\0\x01\0\0\0\x01\0\0\0\x16protobuf:dnstap.Dnstap";
const START: &[u8] = b"\0\0\0\0\0\0\0\x22\0\0\0\x02\0\0\0\x01\0\0\0\x16protobuf:dnstap.Dnstap";
const STOP: &[u8] = b"\0\0\0\0\0\0\0\x04\0\0\0\x03";
const FINISH: &[u8] = b"\0\0\0\0\0\0\0\x04\0\0\0\x05";

/// A query for `a.test` A from 192.0.2.1 port 4660 to 198.51.100.53 port 53 over UDP, by hand from dnstap.proto.
const QUERY: &[u8] =
    b"\x0a\x03ns1\x12\x03x 1\x72\x3e\x08\x01\x10\x01\x18\x01\x22\x04\xc0\0\x02\x01\x2a\x04\xc6\x33\x64\x35\
    \x30\xb4\x24\x38\x35\x40\x80\xdb\xd8\xe4\x05\x4d\x07\0\0\0\
    \x52\x18\x12\x34\0\0\0\x01\0\0\0\0\0\0\x01a\x04test\0\0\x01\0\x01\x5a\0\x78\x01";

fn data(frame: &[u8]) -> Vec<u8> {
    [&u32::try_from(frame.len()).unwrap().to_be_bytes(), frame].concat()
}

/// All that comes of these parts, and of the peer's end after them.
fn drive<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<Output<Seen>> {
    let (mut streams, mut outputs) = (FrameStreams::default(), Vec::new());
    for part in parts {
        streams.on_bytes(Duration::ZERO, part);
        outputs.extend(std::iter::from_fn(|| streams.poll(Duration::ZERO)));
    }
    streams.on_end(Duration::ZERO);
    outputs.extend(std::iter::from_fn(|| streams.poll(Duration::ZERO)));
    outputs
}

fn end(bytes: &[u8]) -> End {
    match drive([bytes]).pop() {
        Some(Output::Observe(Seen::Ended(end))) => end,
        other => panic!("a connection ends by saying how: {other:?}"),
    }
}

fn frame(bytes: &[u8]) -> Output<Seen> {
    Output::Observe(Seen::Frame(bytes.to_vec()))
}

#[test]
fn a_sender_with_a_handshake_is_answered() {
    let bytes = [READY, START, &data(b"one"), &data(b"two"), STOP].concat();
    let said = [
        Output::Send(ACCEPT.to_vec()),
        Output::Observe(Seen::Started),
        frame(b"one"),
        frame(b"two"),
        Output::Send(FINISH.to_vec()),
        Output::Observe(Seen::Ended(End::Stopped)),
    ];
    assert_eq!(drive([&bytes[..]]), said);
    assert_eq!(drive(bytes.chunks(1)), said, "however it is cut");
}

#[test]
fn a_sender_without_a_handshake_hears_nothing() {
    let said = drive([&[START, &data(b"one"), STOP].concat()[..]]);
    let ended = Output::Observe(Seen::Ended(End::Stopped));
    assert_eq!(said, [Output::Observe(Seen::Started), frame(b"one"), ended]);
}

#[test]
fn every_other_end_has_its_name() {
    let other = b"\0\0\0\0\0\0\0\x0d\0\0\0\x04\0\0\0\x01\0\0\0\x01x";
    for (bytes, expected) in [
        (vec![], End::Silent),
        (START.to_vec(), End::Silent),
        ([START, b"\0\0"].concat(), End::Cut),
        ([START, &data(b"one")[..5]].concat(), End::Cut),
        (READY[..20].to_vec(), End::Cut),
        (other.to_vec(), End::Fault(Fault::ContentType)),
        ([READY, b"\0\0\0\0\0\0\0\x0d\0\0\0\x02\0\0\0\x01\0\0\0\x01x"].concat(), End::Fault(Fault::ContentType)),
        (b"\0\0\0\0\0\0\0\x0c\0\0\0\x04\0\0\0\x02\0\0\0\0".to_vec(), End::Fault(Fault::ControlForm)),
        (data(b"one"), End::Fault(Fault::Order)),
        ([READY, READY].concat(), End::Fault(Fault::Order)),
        ([START, START].concat(), End::Fault(Fault::Order)),
        (STOP.to_vec(), End::Fault(Fault::Order)),
        (b"\0\0\0\0\0\0\0\x03\0\0\0".to_vec(), End::Fault(Fault::ControlForm)),
    ] {
        assert_eq!(end(&bytes), expected, "{bytes:02x?}");
    }
}

#[test]
fn no_length_beyond_the_limits_is_believed() {
    let length = |octets: usize| u32::try_from(octets).unwrap().to_be_bytes();
    let long = [START, &length(FRAME_OCTETS_MAX + 1)].concat();
    assert_eq!(end(&long), End::Fault(Fault::FrameLong), "before one octet of it came");
    let control = [&[0; 4][..], &length(CONTROL_OCTETS_MAX + 1)].concat();
    assert_eq!(end(&control), End::Fault(Fault::ControlLong));
    let longest = [START, &data(&vec![7; FRAME_OCTETS_MAX])].concat();
    assert_eq!(drive(longest.chunks(4_096))[1], frame(&vec![7; FRAME_OCTETS_MAX]));
}

#[test]
fn the_golden_query_is_read() {
    let payload = Payload::parse(QUERY).unwrap();
    assert_eq!((payload.identity, payload.version), (&b"ns1"[..], &b"x 1"[..]));
    let message = payload.message.unwrap();
    assert_eq!((message.kind, message.protocol), (Kind::AuthQuery, Some(Protocol::Udp)));
    assert_eq!(message.source(), Some("192.0.2.1:4660".parse().unwrap()));
    assert_eq!(message.local(), Some("198.51.100.53:53".parse().unwrap()));
    assert_eq!(message.query_time, Some((1_553_345_920, 7)));
    let question = crate::dns::Query::parse(message.query).question.unwrap();
    assert_eq!((question.name, question.qtype), (&b"\x01a\x04test\0"[..], crate::dns::rtype::A));
}

#[test]
fn what_no_server_sends_is_unreadable() {
    for bytes in [
        &b""[..],
        b"\x72\x02\x08\x01",
        b"\x72\x00\x78\x01",
        b"\x72\x05\x08\x01\x22\x01\x7f\x78\x01",
        b"\x72\x06\x08\x01\x30\x80\x80\x04\x78\x01",
        b"\x72\x07\x08\x01\x4d\xff\xff\xff\xff\x78\x01",
        b"\x7b\x78\x01",
        b"\x78\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    ] {
        assert_eq!(Payload::parse(bytes), Err(Unreadable), "{bytes:02x?}");
    }
    assert_eq!(Payload::parse(b"\x78\x02").unwrap().message, None, "another type of payload is nobody's question");
}

proptest! {
    #[test]
    fn any_bytes_cut_anywhere_end_alike(bytes in any_stream(), cut in 1usize..64) {
        prop_assert_eq!(drive(bytes.chunks(cut)), drive([&bytes[..]]));
    }

    #[test]
    fn frames_come_out_as_they_went_in(frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..50), 0..9)) {
        let mut bytes = START.to_vec();
        frames.iter().for_each(|frame| bytes.extend(data(frame)));
        bytes.extend(STOP);
        let said = drive(bytes.chunks(7));
        prop_assert_eq!(said.len(), frames.len() + 2);
        for (said, sent) in said[1..].iter().zip(&frames) {
            prop_assert_eq!(said, &frame(sent));
        }
    }

    #[test]
    fn a_changed_octet_is_read_to_an_end(at in 0..QUERY.len(), octet: u8) {
        let mut bytes = QUERY.to_vec();
        bytes[at] = octet;
        if let Ok(Payload { message: Some(message), .. }) = Payload::parse(&bytes) {
            prop_assert!(message.query.len() < bytes.len());
        }
    }
}

fn any_stream() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just(READY.to_vec()),
        Just(START.to_vec()),
        Just(STOP.to_vec()),
        Just(data(QUERY)),
        prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}
