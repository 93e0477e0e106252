//! The trap over real sockets on loopback, against what stands in the journal afterwards.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use model::case::{AnswerPolicy, NoticeStatus, NoticeTerms};
use model::contact::{Kind, NamedBy, What};
use model::order::{Act, Acts, Instrument};
use model::outcome::End;
use model::seizure::ServiceMode;
use model::tally::Tally;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, HandshakeKind, SignatureScheme, SupportedProtocolVersion,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use store::journal::{Frame, JournalLimits};
use store::zones::Zone;

use super::Limits;
use crate::rehearsal::{Stage, answering, collected, noticed, settings, sum, zone};
use crate::{Listeners, Running, Settings};

const APEX: &str = "outlook-verify.test";

mod accounts;
mod front;
mod hellos;
mod http2;
mod limits;
mod mail;
mod tls;
mod turnover;

use tls::{exchange, exchange_over, holds, tls_client, tls_setup};

//----------- The stage --------------------------------------------------------------------------------------------

/// A trap on four loopback ports, and what came of it.
struct Trap {
    stage: Stage,
    running: Running,
    http: SocketAddr,
    https: SocketAddr,
    smtp: SocketAddr,
    any: SocketAddr,
}

impl Trap {
    fn new(zones: Vec<Zone>, limits: Limits) -> Self {
        Self::on(Stage::new(zones, Settings { trap: limits, ..settings() }))
    }

    fn on(stage: Stage) -> Self {
        let socket = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let sockets = [socket(), socket(), socket(), socket()];
        let [http, https, smtp, any] = sockets.each_ref().map(|socket| socket.local_addr().unwrap());
        let [plain, tls, mail, unnamed] = sockets.map(|socket| vec![socket]);
        let listeners = Listeners { http: plain, https: tls, smtp: mail, any_tcp: unnamed, ..Listeners::default() };
        let running = stage.start(listeners);
        Self { stage, running, http, https, smtp, any }
    }

    /// Stops it and tells what is in the journal, a line per frame, and what was counted.
    async fn told(self) -> (Vec<String>, Tally) {
        let tally = sum(&self.running.stop().await);
        (self.stage.read(line), tally)
    }
}

fn line(frame: &Frame<'_>) -> Option<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(match frame {
        Frame::Contact(contact) => {
            let what = match &contact.what {
                What::Request(request) => format!("{} {}", text(&request.method), text(&request.target)),
                What::Hello(hello) => format!("sni={}", text(&hello.sni)),
                _ => String::new(),
            };
            let subject = contact.subject.as_ref().map_or("nobody".into(), |subject| {
                let by = if subject.named_by == NamedBy::Sni { "sni" } else { "host" };
                format!("{} by {by}", subject.apex)
            });
            let oddities: String = contact.oddities.iter().map(|oddity| format!(" !{oddity}")).collect();
            format!("{} {what} for {subject}{oddities}", contact.what.kind().as_str())
        }
        Frame::Outcome(outcome) => {
            let body =
                outcome.body.as_ref().map_or(String::new(), |body| format!(" body {} {:?}", body.len, body.fields));
            let status = outcome.status.map_or(String::new(), |status| format!(" {status}"));
            let tls = outcome.tls.map_or(String::new(), |tls| {
                format!(
                    " tls {:04x} in {:?} out {:?}{}",
                    if tls.completed { tls.version } else { 0 },
                    tls.alert_in,
                    tls.alert_out,
                    if tls.resumed { " resumed" } else { "" }
                )
            });
            format!("  {}{status}{body}{tls}", outcome.end.as_str())
        }
        _ => return None,
    })
}

/// Sends, ends, and reads to the end.
async fn say(at: SocketAddr, sent: impl Into<Vec<u8>>) -> String {
    let sent = sent.into();
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = connect(at);
        stream.write_all(&sent).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    });
    String::from_utf8(answer.await.unwrap()).unwrap()
}

fn connect(at: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

fn get(path: &str, host: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
}

//----------- Stories ----------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_recorded_with_its_connection_and_outcome() {
    let trap = Trap::new(vec![collected(APEX)], Limits::default());
    let body = "user=bob&password=hunter2";
    let sent = format!(
        "POST /owa/?id=7 HTTP/1.1\r\nHost: login.{APEX}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = say(trap.http, sent).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("EXERCISE") && answer.contains("outlook-verify[.]test") && answer.contains("A rehearsal"));
    assert!(answer.contains("Content-Security-Policy: default-src 'none'") && !answer.contains("Server:"));
    let (told, tally) = trap.told().await;
    assert_eq!(
        told,
        [
            "connection  for outlook-verify.test by host",
            "request POST /owa/?id={redacted:query-value} for outlook-verify.test by host",
            "  answered 200 body 25 [\"user\", \"password\"]",
            "  peer",
        ]
    );
    assert_eq!((tally.recorded, tally.shed.total()), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_point_to_what_they_came_over() {
    let trap = Trap::new(vec![collected(APEX)], Limits::default());
    say(trap.http, get("/", APEX)).await;
    let stage = trap.stage;
    trap.running.stop().await;
    let contacts = stage.read(|frame| match frame {
        Frame::Contact(contact) => Some((contact.id, contact.over)),
        _ => None,
    });
    let outcomes = stage.read(|frame| match frame {
        Frame::Outcome(outcome) => Some((outcome.of, outcome.end, outcome.octets_in, outcome.octets_out)),
        _ => None,
    });
    assert_eq!(contacts[1].1, Some(contacts[0].0));
    assert_eq!([outcomes[0].0, outcomes[1].0], [contacts[1].0, contacts[0].0]);
    assert_eq!((outcomes[0].1, outcomes[1].1), (End::Us, End::Us));
    assert_eq!((outcomes[0].2, outcomes[0].3), (outcomes[1].2, outcomes[1].3), "one request is all there was");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_come_from_a_closed_set() {
    let trap = Trap::new(
        vec![
            collected(APEX),
            answering("empty.test", AnswerPolicy::Empty, None),
            answering("close.test", AnswerPolicy::Close, None),
        ],
        Limits::default(),
    );
    for (sent, status) in [
        (get("/a.exe", APEX), "HTTP/1.1 200 OK"),
        (get("/", "empty.test"), "HTTP/1.1 200 OK"),
        (get("/", "elsewhere.example"), "HTTP/1.1 404 Not Found"),
        (get("/", "127.0.0.1"), "HTTP/1.1 404 Not Found"),
        (format!("CONNECT {APEX}:443 HTTP/1.1\r\nHost: {APEX}\r\n\r\n"), "HTTP/1.1 404 Not Found"),
        (format!("GET http://{APEX}/ HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 200 OK"),
        (format!("TRACE / HTTP/1.1\r\nHost: {APEX}\r\n\r\n"), "HTTP/1.1 200 OK"),
        (format!("GET / HTTP/1.0\r\nHost: {APEX}\r\n\r\n"), "HTTP/1.1 200 OK"),
        (format!("POST / HTTP/1.1\r\nHost: {APEX}\r\nContent-Length: -5\r\n\r\n"), "HTTP/1.1 400 Bad Request"),
        ("GET /\r\n".into(), "<!DOCTYPE html>"),
        (get("/", "close.test"), ""),
        ("password=hunter2\r\n".into(), ""),
    ] {
        let answer = say(trap.http, sent.clone()).await;
        let first =
            if status.starts_with('<') { &answer[..15.min(answer.len())] } else { answer.lines().next().unwrap_or("") };
        assert_eq!(first, status, "{sent}");
    }
    let head = say(trap.http, format!("HEAD / HTTP/1.1\r\nHost: {APEX}\r\nConnection: close\r\n\r\n")).await;
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n") && !head.contains("Content-Length: 0\r\n"));
    let (told, tally) = trap.told().await;
    assert_eq!(told.iter().filter(|line| line.starts_with("request")).count(), 13);
    assert_eq!(tally.recorded, 26);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_case_shows_neither_title_nor_authority() {
    let sealed = answering(APEX, AnswerPolicy::Notice, Some("9999-01-01".parse().unwrap()));
    let trap = Trap::new(vec![sealed], Limits::default());
    let answer = say(trap.http, get("/", APEX)).await;
    assert!(!answer.contains("A rehearsal") && !answer.contains("<dt>"), "{answer}");
    assert!(!answer.to_lowercase().contains("sinkhole"), "{answer}");
    trap.told().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_in_the_visitors_language_and_has_its_cases_status() {
    let gone = NoticeTerms { status: NoticeStatus::Gone, ..NoticeTerms::default() };
    let zones = vec![collected(APEX), noticed("gone.test", gone, Instrument::Exercise, None)];
    let trap = Trap::new(zones, Limits::default());
    let asked = |host: &str, more: &str| get("/", host).replacen("\r\n", &format!("\r\n{more}\r\n"), 1);
    let answer = say(trap.http, asked(APEX, "Accept-Language: he-IL, en;q=0.5")).await;
    for expected in [
        "Content-Language: he\r\n",
        "Vary: Accept-Language\r\n",
        "X-Sinkhole: bailiwick\r\n",
        "<html lang=\"he\" dir=\"rtl\">",
    ] {
        assert!(answer.contains(expected), "{expected}: {answer}");
    }
    let answer = say(trap.http, get("/", "gone.test")).await;
    assert!(answer.starts_with("HTTP/1.1 410 Gone\r\n") && answer.contains("Content-Language: en\r\n"), "{answer}");
    let (told, _) = trap.told().await;
    assert!(told.contains(&"  us 410".to_owned()), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_kept_is_only_counted() {
    let without_metadata = [Act::Delegate, Act::Answer].into_iter().collect();
    for served in [
        zone(APEX, ServiceMode::Hold, Acts::default(), None),
        zone(APEX, ServiceMode::Handback, Acts::default(), None),
        zone(APEX, ServiceMode::Collect, without_metadata, None),
    ] {
        let trap = Trap::new(vec![served], Limits::default());
        let answer = say(trap.http, get("/", APEX)).await;
        assert!(answer.starts_with("HTTP/1.1 204 No Content\r\n"), "{answer}");
        let folder = trap.stage.journal_folder();
        let (told, tally) = trap.told().await;
        assert_eq!(told, Vec::<String>::new());
        assert_eq!((tally.recorded, tally.shed.not_covered), (0, 2), "the connection and the request");
        drop(folder);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn leave_to_go_on_is_given_after_the_head_is_on_record() {
    let trap = Trap::new(vec![collected(APEX)], Limits::default());
    let at = trap.http;
    let client = tokio::task::spawn_blocking(move || {
        let mut stream = connect(at);
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {APEX}\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut leave = [0; 25];
        stream.read_exact(&mut leave).unwrap();
        assert_eq!(&leave, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream
    });
    let mut stream = client.await.unwrap();
    let before = trap.stage.read(line);
    assert_eq!(before.last().unwrap(), "request POST / for outlook-verify.test by host");
    let rest = tokio::task::spawn_blocking(move || {
        stream.write_all(b"hi").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    assert!(rest.await.unwrap().starts_with("HTTP/1.1 200"));
    let (told, _) = trap.told().await;
    assert_eq!(told[2..], ["  us 200 body 2 []", "  us"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_one_behind_another_are_answered_in_order() {
    let trap = Trap::new(vec![collected(APEX)], Limits { requests_max: 3, ..Limits::default() });
    let one = |path| format!("GET {path} HTTP/1.1\r\nHost: {APEX}\r\n\r\n");
    let answer = say(trap.http, [one("/1"), one("/2"), one("/3"), one("/4")].concat()).await;
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 3, "the third is the last that the limit allows");
    assert_eq!(answer.matches("Connection: close").count(), 1);
    let (told, tally) = trap.told().await;
    assert_eq!(tally.recorded, 4);
    assert_eq!(told.last().unwrap(), "  us");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_nothing_is_recorded_too() {
    let trap = Trap::new(vec![], Limits::default());
    say(trap.http, "").await;
    say(trap.https, "").await;
    let silent = connect(trap.http);
    let (told, tally) = trap.told().await;
    assert_eq!(tally.recorded, 3);
    assert_eq!(told.iter().filter(|line| *line == "connection  for nobody").count(), 3);
    assert!(told.contains(&"  stopped".to_owned()), "{told:?}");
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_cannot_be_written_costs_nobody_an_answer() {
    let limits = JournalLimits { segment_bytes: 1, ..JournalLimits::default() };
    let trap = Trap::on(Stage::with_limits(vec![collected(APEX)], settings(), limits));
    std::fs::remove_dir_all(trap.stage.journal_folder()).unwrap();
    let answer = say(trap.http, get("/", APEX)).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let tally = sum(&trap.running.stop().await);
    assert_eq!((tally.recorded, tally.shed.journal), (0, 2));
}

//----------- Secrets ----------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn no_password_reaches_the_disk() {
    let trap = Trap::new(vec![collected(APEX)], Limits::default());
    let body = "{\"user\":\"bob\",\"password\":\"hunter2-b\"}";
    let sent = format!(
        "POST /?p=hunter2-q HTTP/1.1\r\nHost: {APEX}\r\nAuthorization: Basic hunter2-a\r\nCookie: s=hunter2-c\r\nX-Token:\r\n hunter2-f\r\nReferer: http://u:hunter2-u@x.example/?k=hunter2-r\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    say(trap.http, sent.clone()).await;
    say(trap.http, sent.replace("\r\n hunter2-f", " hunter2-t")).await;
    let mut client = tls_client(Some(APEX), &[&rustls::version::TLS13]);
    exchange(trap.https, &mut client, &sent.replace("\r\n hunter2-f", " hunter2-t"));
    let folder = trap.stage.journal_folder();
    trap.running.stop().await;
    for file in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(7).any(|part| part == b"hunter2"));
    }
}
