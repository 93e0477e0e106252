//! Whole conversations in one thread: stories, breaches, limits.

use std::time::Duration;

use super::*;
use crate::http::Limits;
use crate::oddity::Oddity;
use crate::session::{Output, Session};

mod breaches;
mod floods;
mod peers;
mod whatever;

//----------- A client ---------------------------------------------------------------------------------------------

/// Frames as a client sends them.
#[derive(Clone, Default)]
struct Said(Vec<u8>);

impl Said {
    /// The preface and a few settings.
    fn hello() -> Self {
        Self(PREFACE.to_vec()).frame(frames::SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100, 0, 4, 0, 0, 255, 255])
    }

    fn frame(mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Self {
        frames::put(&mut self.0, kind, flags, stream, payload);
        self
    }

    fn headers(self, stream: u32, is_end: bool, fields: &[(&str, &str)]) -> Self {
        let flags = frames::END_HEADERS | if is_end { frames::END_STREAM } else { 0 };
        self.frame(frames::HEADERS, flags, stream, &block(fields))
    }

    fn get(self, stream: u32) -> Self {
        self.headers(stream, true, GET)
    }

    fn post(self, stream: u32, more: &[(&str, &str)]) -> Self {
        self.headers(stream, false, &[POST, more].concat())
    }

    fn data(self, stream: u32, is_end: bool, content: &[u8]) -> Self {
        self.frame(frames::DATA, u8::from(is_end), stream, content)
    }

    fn reset(self, stream: u32) -> Self {
        self.frame(frames::RST_STREAM, 0, stream, &[0, 0, 0, 8])
    }

    fn window(self, stream: u32, octets: u32) -> Self {
        self.frame(frames::WINDOW_UPDATE, 0, stream, &octets.to_be_bytes())
    }
}

const GET: &[(&str, &str)] = &[(":method", "GET"), (":scheme", "https"), (":authority", "a.example"), (":path", "/")];
const POST: &[(&str, &str)] =
    &[(":method", "POST"), (":scheme", "https"), (":authority", "a.example"), (":path", "/in?token=hunter2")];

fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    fields.iter().for_each(|(name, value)| hpack::literal(&mut block, name.as_bytes(), value.as_bytes()));
    block
}

//----------- What came of it --------------------------------------------------------------------------------------

/// A conversation with somebody who answers each request with `ok`.
struct Talk {
    http: Http2,
    told: Vec<String>,
    sent: Vec<u8>,
    kept: Vec<u8>,
}

impl Talk {
    fn new(limits: Limits) -> Self {
        Self { http: Http2::new(limits), told: Vec::new(), sent: Vec::new(), kept: Vec::new() }
    }

    fn hear(&mut self, now: Duration, bytes: &[u8]) {
        self.http.on_bytes(now, bytes);
        self.drain(now);
    }

    fn end(mut self) -> Self {
        let now = Duration::from_secs(1);
        self.http.on_end(now);
        self.drain(now);
        self
    }

    fn drain(&mut self, now: Duration) {
        while let Some(output) = self.http.poll(now) {
            match output {
                Output::Send(bytes) => self.sent.extend(bytes),
                Output::Observe(Seen::Head { stream, head }) => {
                    self.kept.extend(&head.kept.redacted.bytes);
                    self.told.push(told_head(stream, &head));
                }
                Output::Observe(Seen::End { stream, exchange }) => {
                    self.told.push(told_end(stream, &exchange));
                    self.http.respond(stream, 200, &[("content-type", "text/plain")], b"ok");
                }
                Output::Wait(_) => self.told.push("wait".to_owned()),
                Output::Close => self.told.push("close".to_owned()),
            }
        }
    }

    /// What we sent, as words: type, stream, and what a code or a length says.
    fn answers(&self) -> Vec<String> {
        let (mut rest, mut answers) = (&self.sent[..], Vec::new());
        while let Some(head) = frames::FrameHead::read(rest) {
            let payload = &rest[frames::FRAME_HEAD..][..head.len];
            rest = &rest[frames::FRAME_HEAD + head.len..];
            let last = payload.last().copied().unwrap_or_default();
            answers.push(match head.kind {
                frames::DATA => format!("data {} {}", head.stream, head.len),
                frames::HEADERS => format!("headers {}", head.stream),
                frames::RST_STREAM => format!("reset {} {last}", head.stream),
                frames::SETTINGS if head.has(frames::ACK) => "ack".to_owned(),
                frames::SETTINGS => "settings".to_owned(),
                frames::PING => format!("pong {last}"),
                frames::GOAWAY => format!("goaway {last}"),
                frames::WINDOW_UPDATE => format!("window {}", head.stream),
                kind => format!("{kind}?"),
            });
        }
        assert!(rest.is_empty());
        answers
    }
}

fn told_head(stream: u32, head: &crate::http::Head) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (method, target, host) = (text(head.method()), text(head.target()), text(head.host()));
    let bad = if head.is_bad { " bad" } else { "" };
    format!("{stream}: {method} {target} host={host}{bad}{}", codes(&head.oddities))
}

fn told_end(stream: u32, exchange: &crate::http::Exchange) -> String {
    let body = exchange.body.as_ref().map_or("no body".to_owned(), |body| {
        format!("{} octets {}{:?}", body.len, if body.complete { "" } else { "cut " }, body.fields)
    });
    format!("{stream}. {body}{}{}", if exchange.keep_alive { ", goes on" } else { "" }, codes(&exchange.oddities))
}

fn codes(oddities: &[Oddity]) -> String {
    oddities.iter().map(|oddity| format!(" !{}", oddity.code())).collect()
}

/// Hears everything at once, then octet by octet, and finds both the same.
fn talk(limits: Limits, said: &Said) -> Talk {
    let mut whole = Talk::new(limits);
    whole.hear(Duration::ZERO, &said.0);
    let mut dripped = Talk::new(limits);
    said.0.iter().for_each(|octet| dripped.hear(Duration::ZERO, &[*octet]));
    let (whole, dripped) = (whole.end(), dripped.end());
    assert_eq!(whole.told, dripped.told);
    assert_eq!(whole.sent, dripped.sent);
    whole
}

fn story(said: &Said, told: &[&str], answers: &[&str]) {
    let talk = talk(Limits::default(), said);
    assert_eq!(
        (&talk.told[..], &talk.answers()[..]),
        (
            &told.iter().map(ToString::to_string).collect::<Vec<_>>()[..],
            &answers.iter().map(ToString::to_string).collect::<Vec<_>>()[..]
        )
    );
}

//----------- Stories ----------------------------------------------------------------------------------------------

#[test]
fn requests_of_every_kind() {
    story(
        &Said::hello().get(1).get(3),
        &["1: GET / host=a.example", "1. no body, goes on", "3: GET / host=a.example", "3. no body, goes on", "close"],
        &["settings", "ack", "headers 1", "data 1 2", "headers 3", "data 3 2", "goaway 0"],
    );
    let form = [("content-type", "application/x-www-form-urlencoded")];
    story(
        &Said::hello().post(1, &form).get(3).data(1, false, b"user=bob&pass").data(1, true, b"word=hunter2"),
        &[
            "1: POST /in?token={redacted:query-value} host=a.example",
            "3: GET / host=a.example",
            "3. no body, goes on",
            "1. 25 octets [\"user\", \"password\"], goes on",
            "close",
        ],
        &["settings", "ack", "headers 3", "data 3 2", "headers 1", "data 1 2", "goaway 0"],
    );
    let trailers = Said::hello().post(1, &[]).data(1, false, b"abc").headers(1, true, &[("x-sum", "1")]);
    story(
        &trailers,
        &["1: POST /in?token={redacted:query-value} host=a.example", "1. 3 octets [], goes on", "close"],
        &["settings", "ack", "headers 1", "data 1 2", "goaway 0"],
    );
    story(
        &Said::hello().frame(frames::PING, 0, 0, b"12345678").frame(77, 3, 9, b"unknown").get(1),
        &["1: GET / host=a.example", "1. no body, goes on", "close"],
        &["settings", "ack", "pong 56", "headers 1", "data 1 2", "goaway 0"],
    );
}

#[test]
fn a_tunnel_is_recorded_and_never_opened() {
    let connect = [(":method", "CONNECT"), (":authority", "bob:hunter2@mail.example:25")];
    story(
        &Said::hello().headers(1, false, &connect).data(1, false, b"EHLO"),
        &[
            "1: CONNECT {redacted:user-info}@mail.example:25 host=mail.example !http.authority-form",
            "1. no body, goes on",
            "close",
        ],
        &["settings", "ack", "headers 1", "data 1 2", "reset 1 0", "goaway 0"],
    );
}

#[test]
fn the_end_of_the_connection_keeps_what_came() {
    let cut = Said::hello().post(1, &[]).data(1, false, b"abc");
    story(
        &cut,
        &[
            "1: POST /in?token={redacted:query-value} host=a.example",
            "1. 3 octets cut [] !http.body-incomplete",
            "close",
        ],
        &["settings", "ack", "goaway 0"],
    );
    let open = Said::hello().frame(frames::HEADERS, frames::END_STREAM, 1, &block(GET));
    story(
        &open,
        &["1: GET / host=a.example bad !http.head-incomplete", "1. no body", "close"],
        &["settings", "ack", "goaway 0"],
    );
    story(
        &Said::hello(),
        &["0:   host= bad !http.head-incomplete", "0. no body", "close"],
        &["settings", "ack", "goaway 0"],
    );
    story(&Said::default(), &["close"], &["goaway 1"]);
}

#[test]
fn another_protocol_is_met_with_a_shape() {
    story(
        &Said(b"GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n".to_vec()),
        &["0: GET /a host=a.example bad !h2.preface", "0. no body", "close"],
        &["goaway 1"],
    );
    assert_eq!(is_preface(b"PRI * HTTP/2.0\r\n"), None);
    assert_eq!(is_preface(b"PRI * HTTP/1.1\r\n"), Some(false));
    assert_eq!(is_preface(&[PREFACE, &b"more"[..]].concat()), Some(true));
}

#[test]
fn what_a_client_shows_is_kept_in_the_published_form() {
    let settings = [0, 1, 0, 1, 0, 0, 0, 3, 0, 0, 3, 232, 0, 4, 0, 96, 0, 0];
    let chrome = Said(PREFACE.to_vec()).frame(frames::SETTINGS, 0, 0, &settings).window(0, 15_663_105);
    let shown = |said: &Said| {
        let mut http = Http2::new(Limits::default());
        http.on_bytes(Duration::ZERO, &said.0);
        let mut shown = Vec::new();
        while let Some(output) = http.poll(Duration::ZERO) {
            if let Output::Observe(Seen::Head { head, .. }) = output {
                shown.push(String::from_utf8(head.h2.clone()).unwrap());
            }
        }
        shown
    };
    let published = "1:65536;3:1000;4:6291456|15663105|0|m,s,a,p";
    // What comes behind the first request changes nothing.
    assert_eq!(shown(&chrome.clone().get(1).window(0, 7).get(3)), [published, published]);
    let with_priority = [&[0x80, 0, 0, 0, 255][..], &block(GET)].concat();
    let flags = frames::END_HEADERS | frames::END_STREAM | frames::WITH_PRIORITY;
    assert_eq!(shown(&chrome.frame(frames::HEADERS, flags, 1, &with_priority)), [format!("{published} 1:0:256")]);
    let firefox = Said::hello().frame(frames::PRIORITY, 0, 3, &[0, 0, 0, 0, 200]);
    let firefox = firefox.frame(frames::PRIORITY, 0, 5, &[0, 0, 0, 3, 100]);
    assert_eq!(shown(&firefox.get(15)), ["3:100;4:65535|00|3:0:0:201,5:0:3:101|m,s,a,p"]);
}

#[test]
fn leave_is_given_when_the_driver_gives_it() {
    let mut talk = Talk::new(Limits::default());
    talk.hear(Duration::ZERO, &Said::hello().post(1, &[("expect", "100-continue")]).0);
    assert!(talk.http.give_leave(1) > 0 && talk.http.give_leave(3) == 0);
    talk.hear(Duration::ZERO, &Said::default().data(1, true, b"abc").0);
    assert_eq!(talk.answers(), ["settings", "ack", "headers 1", "headers 1", "data 1 2"]);
}

#[test]
fn a_connection_that_leaves_answers_what_has_begun() {
    let mut talk = Talk::new(Limits::default());
    talk.hear(Duration::ZERO, &Said::hello().post(1, &[]).0);
    talk.http.close();
    talk.hear(Duration::ZERO, &Said::default().post(3, &[]).data(3, true, b"abc").data(1, true, b"abc").get(5).0);
    assert_eq!(talk.told[1..], ["1. 3 octets [], goes on", "close"]);
    assert_eq!(talk.answers()[2..], ["goaway 0", "headers 1", "data 1 2", "goaway 0"]);
    assert!(!talk.http.is_busy());
}

#[test]
fn a_head_reads_like_one_of_http1() {
    let fields = [GET, &[("cookie", "sid=hunter2"), ("user-agent", "x"), ("te", "trailers")]].concat();
    let talk = talk(Limits::default(), &Said::hello().headers(1, true, &fields));
    let kept =
        "GET / HTTP/2.0\r\nhost: a.example\r\ncookie: sid={redacted:cookie}\r\nuser-agent: x\r\nte: trailers\r\n\r\n";
    assert_eq!(String::from_utf8(talk.kept).unwrap(), kept);
}

//----------- Accounts ---------------------------------------------------------------------------------------------

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// The accounts of each request, where those on `forgotten` may not be known.
fn accounts(mut http: Http2, said: &Said, forgotten: u32) -> Vec<String> {
    let mut told = Vec::new();
    http.on_bytes(Duration::ZERO, &said.0);
    http.on_end(Duration::ZERO);
    while let Some(output) = http.poll(Duration::ZERO) {
        let (stream, accounts) = match output {
            Output::Observe(Seen::Head { stream, mut head }) => {
                if stream == forgotten {
                    http.forget_accounts(stream);
                }
                (stream, head.take_accounts())
            }
            Output::Observe(Seen::End { stream, exchange }) => (stream, exchange.accounts),
            _ => continue,
        };
        let text = |account: &crate::secrets::Account| String::from_utf8_lossy(account.octets()).into_owned();
        told.extend(accounts.iter().map(|account| format!("{stream} {}", text(account))));
    }
    told
}

#[test]
fn accounts_are_handed_out_to_whoever_asks() {
    let basic = ("authorization", "Basic Ym9iOmh1bnRlcjI=");
    let said = Said::hello()
        .post(1, &[FORM, basic])
        .post(3, &[FORM])
        .data(1, false, b"password=hunter2&lo")
        .data(3, true, b"user=mallory")
        .data(1, true, b"gin=eve")
        .headers(5, true, &[GET, &[basic]].concat());
    let asked = || Http2::new(Limits::default()).with_accounts();
    assert_eq!(accounts(asked(), &said, 0), ["1 bob", "3 mallory", "1 eve", "5 bob"]);
    assert_eq!(accounts(asked(), &said, 3), ["1 bob", "1 eve", "5 bob"]);
    assert!(accounts(Http2::new(Limits::default()), &said, 0).is_empty(), "nobody has asked");
}
