//! Every breach of the protocol: what it is called, and what it is answered with.

use super::*;

/// What is said after the hello, what it is called, and with what it is answered at last.
#[test]
fn every_breach_is_named_and_answered() {
    let hello = Said::hello;
    let raw = |said: Said, kind, flags, stream, payload: &[u8]| said.frame(kind, flags, stream, payload);
    let open = || hello().post(1, &[]);
    let huge = |said: Said| Said([said.0, vec![0, 0x40, 1, 0, 0, 0, 0, 0, 1]].concat());
    let headers = frames::END_HEADERS | frames::END_STREAM;
    for (said, oddity, answer) in [
        (Said(PREFACE.to_vec()).get(1), "h2.no-settings", "goaway 1"),
        (huge(open()), "h2.frame-size", "goaway 6"),
        (raw(hello(), frames::PING, 0, 0, b"1234567"), "h2.frame-size", "goaway 6"),
        (raw(hello(), frames::SETTINGS, 0, 0, b"12345"), "h2.frame-size", "goaway 6"),
        (raw(hello(), frames::SETTINGS, frames::ACK, 0, b"123456"), "h2.frame-size", "goaway 6"),
        (raw(open(), frames::RST_STREAM, 0, 1, b"123"), "h2.frame-size", "goaway 6"),
        (raw(open(), frames::PRIORITY, 0, 1, b"123"), "h2.frame-size", "goaway 6"),
        (raw(hello(), frames::HEADERS, headers | frames::WITH_PRIORITY, 1, b"12"), "h2.frame-size", "goaway 6"),
        (raw(hello(), frames::SETTINGS, 0, 1, b"123456"), "h2.frame-stream", "goaway 1"),
        (raw(hello(), frames::PING, 0, 1, b"12345678"), "h2.frame-stream", "goaway 1"),
        (raw(hello(), frames::DATA, 0, 0, b"1"), "h2.frame-stream", "goaway 1"),
        (raw(hello(), frames::HEADERS, headers, 0, &block(GET)), "h2.frame-stream", "goaway 1"),
        (raw(open(), frames::PUSH_PROMISE, 0, 1, b"1234"), "h2.push-promise", "goaway 1"),
        (raw(open(), frames::DATA, frames::PADDED, 1, &[5, 1, 2, 3, 4]), "h2.padding", "goaway 1"),
        (raw(open(), frames::DATA, frames::PADDED, 1, &[]), "h2.padding", "goaway 1"),
        (raw(hello(), frames::HEADERS, headers | frames::PADDED, 1, &[9, 0x82]), "h2.padding", "goaway 1"),
        (raw(hello(), frames::SETTINGS, 0, 0, &[0, 2, 0, 0, 0, 2]), "h2.setting", "goaway 1"),
        (raw(hello(), frames::SETTINGS, 0, 0, &[0, 4, 128, 0, 0, 0]), "h2.setting", "goaway 3"),
        (raw(hello(), frames::SETTINGS, 0, 0, &[0, 5, 0, 0, 0, 1]), "h2.setting", "goaway 1"),
        (hello().get(2), "h2.stream-id", "goaway 1"),
        (hello().get(5).get(3), "h2.stream-id", "goaway 1"),
        (hello().get(1).get(1), "h2.closed-stream", "goaway 5"),
        (hello().data(1, true, b"x"), "h2.idle-stream", "goaway 1"),
        (hello().reset(1), "h2.idle-stream", "goaway 1"),
        (hello().window(1, 1), "h2.idle-stream", "goaway 1"),
        (hello().get(1).data(1, true, b"x"), "h2.closed-stream", "reset 1 5"),
        (open().window(1, 0), "h2.window-zero", "reset 1 1"),
        (open().window(0, 0), "h2.window-zero", "goaway 1"),
        (open().window(1, 0x7fff_ffff), "h2.window-overflow", "reset 1 3"),
        (open().window(0, 0x7fff_ffff), "h2.window-overflow", "goaway 3"),
        (hello().get(1).frame(frames::PRIORITY, 0, 3, &[0, 0, 0, 3, 1]).get(5), "h2.self-priority", "goaway 0"),
        (raw(hello(), frames::HEADERS, 0, 1, &block(GET)).get(3), "h2.continuation", "goaway 1"),
        (raw(open(), frames::CONTINUATION, 0, 1, &[]), "h2.continuation", "goaway 1"),
        (raw(hello(), frames::HEADERS, headers, 1, &[0x82, 0x80]), "h2.compression", "goaway 9"),
        (raw(open(), frames::HEADERS, headers, 1, &[0x80]), "h2.compression", "goaway 9"),
        (open().reset(1), "h2.reset", "goaway 0"),
        (open().headers(1, false, &[("x", "y")]), "h2.trailers", "reset 1 1"),
        (open().headers(1, true, &[(":path", "/")]), "h2.pseudo-unknown", "reset 1 1"),
        (hello().post(1, &[("content-length", "2")]).data(1, false, b"abc"), "h2.length", "reset 1 1"),
        (hello().post(1, &[("content-length", "4")]).data(1, true, b"abc"), "h2.length", "reset 1 1"),
        (hello().headers(1, true, &[GET, &[("content-length", "4")]].concat()), "h2.length", "reset 1 1"),
    ] {
        let talk = talk(Limits::default(), &said);
        assert!(talk.told.iter().any(|line| line.contains(&format!("!{oddity}"))), "{oddity}: {:?}", talk.told);
        assert!(talk.answers().iter().any(|it| it == answer), "{oddity} {answer}: {:?}", talk.answers());
        assert_eq!(talk.told.last().unwrap(), "close");
    }
}

#[test]
fn malformed_requests_are_kept_and_reset() {
    let with = |more: &[(&'static str, &'static str)]| [GET, more].concat();
    for (fields, oddity) in [
        (with(&[("X-Upper", "1")]), "h2.uppercase-name"),
        (with(&[("x", "a\r\nset-cookie: b")]), "h2.field-octet"),
        (with(&[("x", "a\0b")]), "h2.field-octet"),
        (with(&[("x", " a")]), "h2.field-octet"),
        (with(&[("x y", "a")]), "http.header-name"),
        (with(&[("", "a")]), "http.header-name"),
        (with(&[("connection", "close")]), "h2.connection-header"),
        (with(&[("te", "gzip")]), "h2.connection-header"),
        (with(&[("transfer-encoding", "chunked")]), "h2.connection-header"),
        (with(&[(":status", "200")]), "h2.pseudo-unknown"),
        (with(&[(":path", "/b")]), "h2.pseudo-repeated"),
        (with(&[("x", "y"), (":protocol", "z")]), "h2.pseudo-late"),
        (with(&[("host", "b.example")]), "h2.host-differs"),
        (with(&[("content-length", "1x")]), "http.length"),
        (GET[..3].to_vec(), "h2.pseudo-missing"),
        (GET[1..].to_vec(), "h2.pseudo-missing"),
        (vec![], "h2.pseudo-missing"),
        ([&GET[..3], &[(":path", "")]].concat(), "h2.pseudo-missing"),
        (vec![(":method", "CONNECT")], "h2.pseudo-missing"),
        (vec![(":method", "CONNECT"), (":authority", "a"), (":path", "/")], "h2.pseudo-unknown"),
        ([&[(":method", "CONNECT"), (":protocol", "websocket")], &GET[1..]].concat(), "h2.extended-connect"),
    ] {
        let talk = talk(Limits::default(), &Said::hello().headers(1, true, &fields).get(3));
        assert!(talk.told[0].contains(" bad") && talk.told[0].contains(&format!("!{oddity}")), "{:?}", talk.told);
        assert_eq!(talk.told[2], "3: GET / host=a.example", "the connection goes on");
        assert_eq!(talk.answers()[2], "reset 1 1", "{oddity}");
        let kept = String::from_utf8(talk.kept).unwrap();
        assert!(!kept.contains("\nset-cookie"), "{kept:?}");
    }
}

#[test]
fn a_breach_within_a_header_block_keeps_the_head() {
    let cut = Said::hello().frame(frames::HEADERS, frames::END_STREAM, 1, &block(GET)).get(3);
    story(
        &cut,
        &["1: GET / host=a.example bad !http.head-incomplete !h2.continuation", "1. no body", "close"],
        &["settings", "ack", "goaway 1"],
    );
    story(
        &Said(PREFACE.to_vec()).get(1),
        &["1: GET / host=a.example !h2.no-settings", "1. no body, goes on", "close"],
        &["settings", "goaway 1"],
    );
    story(
        &Said(PREFACE.to_vec()).frame(frames::PING, 0, 0, b"12345678"),
        &["0:   host= bad !h2.no-settings", "0. no body", "close"],
        &["settings", "goaway 1"],
    );
}
