//! Whole conversations in one thread.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::oddity::Oddity;
use crate::session::{Output, Session};

mod accounts;

/// What came of a conversation, one line each.
fn told(limits: Limits, parts: &[&[u8]]) -> Vec<String> {
    let mut http = Http1::new(limits);
    let mut told = Vec::new();
    let mut drain = |http: &mut Http1, now| {
        while let Some(output) = http.poll(now) {
            told.push(line(&output));
        }
    };
    for (at, part) in parts.iter().enumerate() {
        let now = Duration::from_millis(at as u64);
        http.on_bytes(now, part);
        drain(&mut http, now);
    }
    http.on_end(Duration::from_secs(1));
    drain(&mut http, Duration::from_secs(1));
    told
}

fn line(output: &Output<Seen>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output {
        Output::Observe(Seen::Head(head)) => {
            format!(
                "{} {} {:?} host={}{}",
                text(head.method()),
                text(head.target()),
                head.version,
                text(head.host()),
                codes(&head.oddities)
            )
        }
        Output::Observe(Seen::End(end)) => {
            let body = end.body.as_ref().map_or("no body".to_owned(), |body| {
                format!("{} octets {}{:?}", body.len, if body.complete { "" } else { "cut " }, body.fields)
            });
            format!("{body}{}{}", if end.keep_alive { ", goes on" } else { "" }, codes(&end.oddities))
        }
        Output::Send(bytes) => format!("send {}", text(bytes).trim()),
        Output::Wait(until) => format!("wait {until:?}"),
        Output::Close => "close".to_owned(),
    }
}

fn codes(oddities: &[Oddity]) -> String {
    oddities.iter().map(|oddity| format!(" !{}", oddity.code())).collect()
}

fn story(sent: &[u8], expected: &[&str]) {
    assert_eq!(told(Limits::default(), &[sent]), expected, "{:?}", String::from_utf8_lossy(sent));
    let octets: Vec<&[u8]> = sent.chunks(1).collect();
    let dripped = told(Limits::default(), &octets);
    if !expected.iter().any(|line| line.contains("!http.not-http") || line.contains("Http09")) {
        let without_continue: Vec<&String> = dripped.iter().filter(|line| !line.starts_with("send")).collect();
        let expected: Vec<&str> = expected.iter().copied().filter(|line| !line.starts_with("send")).collect();
        assert_eq!(without_continue, expected, "one octet at a time");
    }
}

#[test]
fn requests_of_every_kind() {
    story(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", &["GET / Http11 host=a.example", "no body, goes on", "close"]);
    story(b"GET / HTTP/1.0\r\n\r\n", &["GET / Http10 host=", "no body", "close"]);
    story(b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", &["GET / Http10 host=", "no body, goes on", "close"]);
    story(b"GET /\r\n", &["GET / Http09 host=", "no body", "close"]);
    story(
        b"BREW /pot HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n",
        &["BREW /pot Http11 host=a.example !http.method", "no body", "close"],
    );
    story(
        b"GET http://b.example:8080/x HTTP/1.1\r\nHost: a.example\r\n\r\n",
        &["GET http://b.example:8080/x Http11 host=b.example !http.absolute-form", "no body, goes on", "close"],
    );
    story(
        b"CONNECT b.example:443 HTTP/1.1\r\nHost: b.example\r\n\r\n",
        &["CONNECT b.example:443 Http11 host=b.example !http.authority-form", "no body, goes on", "close"],
    );
    story(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &["PRI * Http2 host= !http.h2-preface", "no body", "close"]);
    story(b"", &["close"]);
    story(b"\r\n\r\n", &["close"]);
}

#[test]
fn requests_come_one_behind_another() {
    story(
        b"POST /a HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 16\r\n\r\npassword=hunter2GET /b HTTP/1.1\r\nHost: a.example\r\n\r\n",
        &["POST /a Http11 host=a.example", "16 octets [\"password\"], goes on", "GET /b Http11 host=a.example", "no body, goes on", "close"],
    );
}

#[test]
fn a_body_in_chunks_with_extensions_and_trailers() {
    story(
        b"POST /a HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n8;x=y\r\n{\"user\":\r\nD\r\n{\"pw\":\"x\"}}  \r\n0\r\nX-Trailer: hunter2\r\n\r\nGET /b HTTP/1.1\r\nHost: a.example\r\n\r\n",
        &["POST /a Http11 host=a.example", "21 octets [\"user\", \"user.pw\"], goes on", "GET /b Http11 host=a.example", "no body, goes on", "close"],
    );
}

#[test]
fn whoever_asks_may_go_on() {
    let head = b"POST / HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    let told = told(Limits::default(), &[head, b"hi"]);
    assert_eq!(told, ["POST / Http11 host=a.example", "send HTTP/1.1 100 Continue", "2 octets [], goes on", "close"]);
}

#[test]
fn bad_heads_are_evidence_and_the_end() {
    let many = format!("GET / HTTP/1.1\r\nHost: a.example\r\n{}\r\n", "A: b\r\n".repeat(HEADERS_MAX));
    for (sent, oddity) in [
        (&b"GET / HTTP/1.1\nHost: a.example\n\n"[..], "http.bare-lf"),
        (b"GET / HTTP/1.1\r\n\r\n", "http.missing-host"),
        (b"GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n", "http.repeated-host"),
        (b"GET / HTTP/1.1\r\nHost: a.example\r\n b\r\n\r\n", "http.obs-fold"),
        (b"GET / HTTP/1.1\r\nHost : a.example\r\n\r\n", "http.space-before-colon"),
        (b"GET / HTTP/1.1\r\nHost a.example\r\n\r\n", "http.no-colon"),
        (b"GET / HTTP/1.1\r\nHo\x00st: a.example\r\n\r\n", "http.header-name"),
        (b"GET / HTTP/1.1\r\nHost: a\x00.example\r\n\r\n", "http.control-byte"),
        (b"GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n", "http.bare-cr"),
        (b"GET /a b HTTP/1.1\r\nHost: a.example\r\n\r\n", "http.target-space"),
        (b"GET index.html HTTP/1.1\r\nHost: a.example\r\n\r\n", "http.target-form"),
        (b"GET / HTTP/3.7\r\nHost: a.example\r\n\r\n", "http.version"),
        (b"OPTIONS sip:nm SIP/2.0\r\n\r\n", "http.version"),
        (b"\r\n\r\nGET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "http.blank-first"),
        (b"GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n\r\n", "http.upgrade"),
        (b"GET / HTTP/1.1\r\nHost: a.example\r\nExpect: miracles\r\n\r\n", "http.expectation"),
        (
            b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "http.length-and-encoding",
        ),
        (b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: -5\r\n\r\n", "http.length"),
        (b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 99999999999999999999\r\n\r\n", "http.length"),
        (
            b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
            "http.length-repeated",
        ),
        (b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi", "http.length"),
        (b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "http.transfer-encoding"),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "http.transfer-encoding-version"),
        (b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "http.chunk"),
        (
            b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n11111111111111111\r\n",
            "http.chunk",
        ),
        (
            b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 9223372036854775808\r\n\r\nhi",
            "http.body-incomplete",
        ),
        (b"GET / HTTP/1.1\r\nHost: a.ex", "http.head-incomplete"),
        (b"nonsense", "http.not-http"),
        (b"\x16\x03\x01\x00\x05hello", "looks.tls"),
        (many.as_bytes(), "http.too-many-headers"),
    ] {
        let told = told(Limits::default(), &[sent]);
        let found = told.iter().any(|line| line.contains(&format!("!{oddity}")));
        assert!(found, "{oddity} for {:?}: {told:?}", String::from_utf8_lossy(sent));
        assert!(told.len() >= 3 && told.last().unwrap() == "close", "{told:?}");
    }
}

#[test]
fn every_limit_is_reached() {
    let limits = Limits { head_octets_max: 100, body_octets_max: 10 };
    let endless = format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(200));
    assert!(told(limits, &[endless.as_bytes()])[0].ends_with("!http.head-too-long"));
    let line = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(200));
    assert!(told(limits, &[line.as_bytes()])[0].contains("!http.head-too-long"));
    let head = &b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 50\r\n\r\n"[..];
    let cut = told(limits, &[head, b"0123456789", b"0123456789", b"more"]);
    assert_eq!(cut[1..], ["20 octets cut [] !http.body-too-long", "close"]);
    let chunked = &b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"[..];
    let extension = format!("1;{}", "x".repeat(5000));
    assert!(told(Limits::default(), &[chunked, extension.as_bytes()])[1].contains("!http.chunk"));
    let trailers = format!("0\r\n{}", "X: y\r\n".repeat(2000));
    assert!(told(Limits::default(), &[chunked, trailers.as_bytes()])[1].contains("!http.trailers-too-long"));
}

#[test]
fn names_of_fields_and_never_values() {
    let deep = format!("{}\"x\":1{}", "{\"a\":".repeat(40), "}".repeat(40));
    for (content_type, body, fields) in [
        (
            "application/x-www-form-urlencoded",
            "user=bob&password=hunter2&empty=&a%5B%5D=1",
            &["user", "password", "a%5B%5D"][..],
        ),
        ("application/x-www-form-urlencoded", "hunter2", &[]),
        ("application/x-www-form-urlencoded", "aHVudGVyMg==", &[]),
        ("application/x-www-form-urlencoded", "{\"password\":\"a=b\"}", &[]),
        (
            "multipart/form-data; boundary=\"XX\"",
            "--XX\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nContent-Disposition: form-data; name=\"hunter2\"\r\n--XX\r\ncontent-disposition: form-data; name=\"f\"; filename=\"hunter2.txt\"\r\n\r\nhunter2\r\n--XX--\r\n",
            &["user", "f"],
        ),
        (
            "application/json",
            "{\"user\":\"bob\",\"auth\":{\"pw\":\"hun\\\"ter2\",\"n\":[1,{\"k\":true}]},\"hunter 2\":1}",
            &["user", "auth", "auth.pw", "auth.n", "auth.n.k"],
        ),
        ("application/json", "[\"hunter2\", {\"a\":\"b\"}]", &["a"]),
        ("application/json", "{hunter2:1,\"a\":2}", &[]),
        ("text/plain", "password=hunter2", &[]),
    ] {
        let request = format!(
            "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let expected = format!("{} octets {fields:?}, goes on", body.len());
        assert_eq!(told(Limits::default(), &[request.as_bytes()])[1], expected, "{body}");
    }
    let request = format!(
        "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{deep}",
        deep.len()
    );
    assert!(told(Limits::default(), &[request.as_bytes()])[1].contains(&["a"; JSON_DEPTH_MAX].join(".")));
}

#[test]
fn a_body_of_a_thousand_fields_has_its_first_names() {
    let body: Vec<String> = (0..1000).map(|n| format!("f{n}=x")).collect();
    let body = body.join("&");
    let request = format!(
        "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let told = told(Limits::default(), &[request.as_bytes()]);
    assert!(told[1].contains(&format!("\"f{}\"]", FIELD_NAMES_MAX - 1)), "{}", told[1]);
}

//----------- Secrets ----------------------------------------------------------------------------------------------

/// Every way in which a secret comes to us. `{}` is where it stands.
const CHANNELS: &[&str] = &[
    "GET /?p={} HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "GET /?{} HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "GET /?%70={}&x=1 HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "GET /a#token={} HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "GET /a;sid={} HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "GET /?p={}\r\n",
    "GET http://bob:{}@a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "GET http://a.example/?p={} HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "CONNECT bob:{}@a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "GET / {} HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: bob:{}@a.example\r\n\r\n",
    "GET / HTTP/1.1\r\nAuthorization: Basic {}\r\n\r\n",
    "GET / HTTP/1.1\r\nAuthorization : {}\r\n\r\n",
    "GET / HTTP/1.1\r\nAuthorization:\r\n {}\r\n\r\n",
    "GET / HTTP/1.1\nauthorization: Bearer {}\n\n",
    "GET / HTTP/1.1\r\nProxy-Authorization: Digest {}\r\n\r\n",
    "GET / HTTP/1.1\r\nCookie: sid={}\r\n\r\n",
    "GET / HTTP/1.1\r\nCookie: {}\r\n\r\n",
    "GET / HTTP/1.1\r\nCookie: a=b;\r\n\t{}\r\n\r\n",
    "GET / HTTP/1.1\r\nCookie: a=\"b; {}\"\r\n\r\n",
    "GET / HTTP/1.1\r\nSet-Cookie: sid={}; Path=/\r\n\r\n",
    "GET / HTTP/1.1\r\nX-Auth-Token: {}\r\n\r\n",
    "GET / HTTP/1.1\r\nX-API-KEY: {}\r\n\r\n",
    "GET / HTTP/1.1\r\nX-Session_Id: {}\r\n\r\n",
    "GET / HTTP/1.1\r\nX-User-Password: {}\r\n\r\n",
    "GET / HTTP/1.1\r\nX-Foo: Bearer {}\r\n\r\n",
    "GET / HTTP/1.1\r\nX-Foo: password={}\r\n\r\n",
    "GET / HTTP/1.1\r\nX-Foo: {\"password\":\"{}\"}\r\n\r\n",
    "GET / HTTP/1.1\r\nReferer: https://b.example/login?user=bob&password={}\r\n\r\n",
    "GET / HTTP/1.1\r\nReferer: https://b.example/x%3Fpassword%3D{}\r\n\r\n",
    "GET / HTTP/1.1\r\nReferer: https://bob:{}@b.example/\r\n\r\n",
    "GET / HTTP/1.1\r\nX-Original-URL: /login?password={}\r\n\r\n",
    "GET / HTTP/1.1\r\nUser-Agent: bot (+http://b.example/?key={})\r\n\r\n",
    "GET / HTTP/1.1\r\n{}\r\n\r\n",
    "GET / HTTP/1.1\r\n{} secret: x\r\n\r\n",
    "GET / HTTP/1.1\r\nAuthorization\0: {}\r\n\r\n",
    "GET / HTTP/1.1\r\nA: b\rCookie: {}\r\n\r\n",
    "{}",
    "{}\r\n\r\n",
    "password={}",
    "PASS {}\r\n",
    "POST / HTTP/1.1\r\nHost: a.example\r\n\r\npassword={}",
    "POST / HTTP/1.1\r\nHost: a.example\r\n\r\n{}GET / HTTP/1.1\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\npw={}",
    "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\npw={} / HTTP/1.1\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\npw={}GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\npw=\r\n{}: x\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: -3\r\n\r\npw={}",
    "POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\npw={}",
    "POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\n{}",
    "POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\npw=x={}&y=1",
    "POST / HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"pw\":\"{}\"}",
    "POST / HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n[\"{}\",\"{}\"]",
    "POST / HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{}",
    "POST / HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 5000\r\n\r\n{}",
    "POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: 5000\r\n\r\n--B\r\nContent-Disposition: form-data; name=\"pw\"\r\n\r\n{}\r\n--B--\r\n",
    "POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: 5000\r\n\r\n--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{}\"\r\n\r\nx\r\n--B--\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;{}\r\nab\r\n0\r\nX-T: {}\r\n\r\n",
];

/// All that an observer keeps.
fn kept(http: &mut Http1) -> Vec<u8> {
    let mut kept = Vec::new();
    while let Some(output) = http.poll(Duration::ZERO) {
        match output {
            Output::Observe(Seen::Head(head)) => {
                kept.extend(&head.kept.redacted.bytes);
                kept.push(0);
                kept.extend(head.host());
            }
            Output::Observe(Seen::End(end)) => kept.extend(end.body.unwrap_or_default().fields.join(" ").bytes()),
            _ => {}
        }
    }
    kept
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            text.push(ALPHABET[(bits >> (18 - 6 * place) & 63) as usize] as char);
        }
    }
    text + &"=".repeat((3 - bytes.len() % 3) % 3)
}

fn written(secret: &str) -> [String; 5] {
    let percent = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    [secret.to_owned(), percent, base64(secret.as_bytes()), base64(format!("bob:{secret}").as_bytes()), hex]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn no_secret_is_kept_by_any_channel(secret in "[A-Za-z0-9!$_-]{6,24}", step in 1usize..40) {
        for channel in CHANNELS {
            for form in written(&secret) {
                let sent = channel.replace("{}", &form);
                let mut http = Http1::new(Limits::default());
                let mut seen = Vec::new();
                for part in sent.as_bytes().chunks(step) {
                    http.on_bytes(Duration::ZERO, part);
                    seen.extend(kept(&mut http));
                }
                http.on_end(Duration::ZERO);
                seen.extend(kept(&mut http));
                prop_assert!(!seen.is_empty(), "{channel}");
                let seen = String::from_utf8_lossy(&seen).to_lowercase();
                for form in written(&secret) {
                    prop_assert!(!seen.contains(&form.to_lowercase()), "{channel} kept {form}: {seen}");
                }
            }
        }
    }

    #[test]
    fn any_bytes_come_to_an_end(parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..6)) {
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let told = told(Limits::default(), &parts);
        prop_assert!(told.len() < 1000);
    }
}
