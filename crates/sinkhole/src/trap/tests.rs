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
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use store::journal::{Frame, JournalLimits};
use store::zones::Zone;

use super::Limits;
use crate::rehearsal::{Stage, answering, collected, noticed, settings, sum, zone};
use crate::{Listeners, Running, Settings};

const APEX: &str = "outlook-verify.test";

//----------- The stage --------------------------------------------------------------------------------------------

/// A trap on two loopback ports, and what came of it.
struct Trap {
    stage: Stage,
    running: Running,
    http: SocketAddr,
    https: SocketAddr,
}

impl Trap {
    fn new(zones: Vec<Zone>, limits: Limits) -> Self {
        Self::on(Stage::new(zones, Settings { trap: limits, ..settings() }))
    }

    fn on(stage: Stage) -> Self {
        let socket = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (plain, tls) = (socket(), socket());
        let (http, https) = (plain.local_addr().unwrap(), tls.local_addr().unwrap());
        let running = stage.start(Listeners { http: vec![plain], https: vec![tls], ..Listeners::default() });
        Self { stage, running, http, https }
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
                    " tls {:04x} in {:?} out {:?}",
                    if tls.completed { tls.version } else { 0 },
                    tls.alert_in,
                    tls.alert_out
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
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), ""),
    ] {
        let answer = say(trap.http, sent.clone()).await;
        let first =
            if status.starts_with('<') { &answer[..15.min(answer.len())] } else { answer.lines().next().unwrap_or("") };
        assert_eq!(first, status, "{sent}");
    }
    let head = say(trap.http, format!("HEAD / HTTP/1.1\r\nHost: {APEX}\r\nConnection: close\r\n\r\n")).await;
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n") && !head.contains("Content-Length: 0\r\n"));
    let (told, tally) = trap.told().await;
    assert_eq!(told.iter().filter(|line| line.starts_with("request")).count(), 14);
    assert_eq!(tally.recorded, 28);
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

//----------- TLS --------------------------------------------------------------------------------------------------

/// A client that takes any certificate, as much malware does.
#[derive(Debug)]
struct Careless;

impl ServerCertVerifier for Careless {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

fn tls_client(sni: Option<&str>, versions: &[&'static SupportedProtocolVersion]) -> ClientConnection {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Careless))
        .with_no_client_auth();
    config.enable_sni = sni.is_some();
    let name = ServerName::try_from(sni.unwrap_or("unnamed.example").to_owned()).unwrap();
    ClientConnection::new(Arc::new(config), name).unwrap()
}

/// One request over TLS; what came back and the names in the certificate's octets.
fn exchange(at: SocketAddr, client: &mut ClientConnection, sent: &str) -> (String, Vec<u8>) {
    tokio::task::block_in_place(|| {
        let mut socket = connect(at);
        let mut stream = rustls::Stream::new(client, &mut socket);
        stream.write_all(sent.as_bytes()).unwrap();
        stream.conn.send_close_notify();
        stream.flush().unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let certificate = stream.conn.peer_certificates().unwrap()[0].to_vec();
        (String::from_utf8(answer).unwrap(), certificate)
    })
}

fn holds(bytes: &[u8], name: &str) -> bool {
    bytes.windows(name.len()).any(|part| part == name.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn https_by_server_name_or_by_host() {
    let trap = Trap::new(vec![collected(APEX)], Limits::default());
    let deep = format!("a.b.{APEX}");
    for (sni, version) in [(Some(deep.as_str()), &rustls::version::TLS13), (None, &rustls::version::TLS12)] {
        let mut client = tls_client(sni, &[version]);
        let (answer, certificate) = exchange(trap.https, &mut client, &get("/", APEX));
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(holds(&certificate, &format!("*.{APEX}")), sni.is_some());
        assert_eq!(holds(&certificate, "default.invalid"), sni.is_none());
    }
    let (told, tally) = trap.told().await;
    assert_eq!(tally.recorded, 6);
    assert_eq!(
        told,
        [
            "connection  for outlook-verify.test by sni",
            "hello sni=a.b.outlook-verify.test for outlook-verify.test by sni",
            "request GET / for outlook-verify.test by sni",
            "  us 200",
            "  us tls 0304 in None out None",
            "  us",
            "connection  for nobody",
            "hello sni= for nobody !tls.no-sni",
            "request GET / for outlook-verify.test by host",
            "  us 200",
            "  us tls 0303 in None out None",
            "  us",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_fails_leaves_its_hello_and_alert() {
    let trap = Trap::new(vec![collected(APEX)], Limits::default());
    let at = trap.https;
    let old =
        b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x01aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x00\x00\x02\x00\x2f\x01\x00";
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = connect(at);
        stream.write_all(old).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    });
    let answer = answer.await.unwrap();
    assert_eq!((answer[0], answer[6]), (21, 40), "a fatal alert, handshake_failure");
    say(trap.https, &b"\x80\x1c\x01\x03\x01\x00\x03\x00\x00\x00\x10\x00\x00\x2f0123456789abcdef"[..]).await;
    let (told, _) = trap.told().await;
    let hellos: Vec<&String> = told.iter().filter(|line| line.starts_with("hello") || line.contains("tls")).collect();
    assert_eq!(
        hellos,
        [
            "hello sni= for nobody !tls.old-version !tls.no-sni",
            "  us tls 0000 in None out Some(40)",
            "hello sni= for nobody !tls.sslv2 !tls.old-version !tls.no-sni",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_port_understands_what_belongs_to_the_other() {
    let trap = Trap::new(vec![collected(APEX)], Limits::default());
    assert!(say(trap.https, get("/", APEX)).await.starts_with("HTTP/1.1 200"));
    let mut client = tls_client(Some(APEX), &[&rustls::version::TLS13]);
    assert!(exchange(trap.http, &mut client, &get("/", APEX)).0.starts_with("HTTP/1.1 200"));
    let (told, _) = trap.told().await;
    assert!(told.iter().any(|line| line.starts_with("request") && line.ends_with("!trap.plain-on-tls-port")));
    assert!(told.iter().any(|line| line.starts_with("hello") && line.ends_with("!trap.tls-on-plain-port")));
}

//----------- Limits -----------------------------------------------------------------------------------------------

/// The outcome of the connection, last of all frames.
async fn ended(limits: Limits, tls: bool, sent: &[u8]) -> Vec<String> {
    let trap = Trap::new(vec![collected(APEX)], limits);
    let (at, sent) = (if tls { trap.https } else { trap.http }, sent.to_vec());
    let client = tokio::task::spawn_blocking(move || {
        let mut stream = connect(at);
        let _ = stream.write_all(&sent);
        let _ = stream.read_to_end(&mut Vec::new());
    });
    client.await.unwrap();
    trap.told().await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn every_limit_is_reached() {
    let short = Duration::from_millis(100);
    let usual = Limits::default();
    let half = b"GET / HTTP/1.1\r\nHost: outlook";
    let told = ended(Limits { idle: short, ..usual }, false, half).await;
    assert!(told[1].contains("!http.head-incomplete") && told[3] == "  timed-out", "{told:?}");
    let told = ended(Limits { lifetime: short, ..usual }, false, half).await;
    assert_eq!(told[3], "  limit");
    let told = ended(Limits { handshake: short, ..usual }, true, b"").await;
    assert_eq!(told, ["connection  for nobody", "  timed-out"]);
    let told = ended(Limits { handshake: short, ..usual }, true, b"\x16\x03\x01\x00\x2d\x01\x00").await;
    assert!(told[1].contains("!tls.hello-incomplete") && told.last().unwrap() == "  timed-out", "{told:?}");
    let told = ended(Limits { head_octets_max: 50, ..usual }, false, get(&"a/".repeat(50), APEX).as_bytes()).await;
    assert!(told[1].contains("!http.head-too-long") && told[2] == "  us 400", "{told:?}");
    let post = format!("POST / HTTP/1.1\r\nHost: {APEX}\r\nContent-Length: 100\r\n\r\n{}", "x".repeat(100));
    let told = ended(Limits { body_octets_max: 50, ..usual }, false, post.as_bytes()).await;
    assert!(told[1].contains("!http.body-too-long") && told[2].starts_with("  us 200 body"), "{told:?}");
}

/// Asks very often and reads nothing; returns the open connection.
async fn greedy(at: SocketAddr) -> TcpStream {
    let asking = tokio::task::spawn_blocking(move || {
        let mut stream = connect(at);
        stream.set_nonblocking(true).unwrap();
        let request = format!("GET / HTTP/1.1\r\nHost: {APEX}\r\n\r\n").repeat(900);
        let _ = stream.write(request.as_bytes());
        stream
    });
    asking.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_no_answer_is_given_up() {
    let short = Duration::from_millis(300);
    for (limits, end) in [
        (Limits { idle: short, ..Limits::default() }, "timed-out"),
        (Limits { lifetime: short, ..Limits::default() }, "limit"),
    ] {
        let trap = Trap::new(vec![collected(APEX)], Limits { requests_max: u32::MAX, ..limits });
        let mut stream = greedy(trap.http).await;
        tokio::time::sleep(short * 3).await;
        let (told, _) = trap.told().await;
        assert_eq!(told.last().unwrap().trim(), end);
        assert!(stream.read(&mut [0; 99]).is_ok(), "there were answers to read");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_no_answer_does_not_hold_up_a_stop() {
    let trap = Trap::new(vec![collected(APEX)], Limits::default());
    let _stream = greedy(trap.http).await;
    // Within the drain, or the end would not be on record.
    let (told, tally) = trap.told().await;
    assert_eq!(told.last().unwrap().trim(), "stopped");
    assert_eq!(told.iter().filter(|line| line.starts_with("request ")).count() as u64 + 1, tally.recorded);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_too_many_is_shed_and_counted() {
    for limits in [
        Limits { connections_max: 2, ..Limits::default() },
        Limits { connections_per_prefix_max: 2, ..Limits::default() },
    ] {
        let trap = Trap::new(vec![collected(APEX)], limits);
        let held = [connect(trap.http), connect(trap.https)];
        let at = trap.http;
        let answer = tokio::task::spawn_blocking(move || {
            let mut third = connect(at);
            let mut answer = Vec::new();
            let _ = third.read_to_end(&mut answer);
            answer
        });
        assert_eq!(answer.await.unwrap(), b"");
        drop(held);
        let (_, tally) = trap.told().await;
        assert_eq!((tally.recorded, tally.shed.connections), (2, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_is_what_is_in_the_journal() {
    let trap = Trap::new(
        vec![collected(APEX), zone("held.test", ServiceMode::Hold, Acts::default(), None)],
        Limits::default(),
    );
    let (http, https) = (trap.http, trap.https);
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..40 {
        callers.spawn(async move {
            match number % 4 {
                0 => say(http, get("/", APEX)).await,
                1 => say(http, get("/", "held.test")).await,
                2 => say(https, b"\x16\x03\x01\x00\x04\x02\x00\x00\x00".to_vec()).await,
                _ => say(http, "nonsense").await,
            }
        });
    }
    while callers.join_next().await.is_some() {}
    let stage = trap.stage;
    let tally = sum(&trap.running.stop().await);
    let mut written = Tally::default();
    let contacts = stage.read(|frame| match frame {
        Frame::Contact(contact) => Some(contact.what.kind()),
        Frame::Counts(counts) => {
            written.add(&counts.tally);
            None
        }
        _ => None,
    });
    assert_eq!((tally.offered(), tally.recorded, tally.shed.not_covered), (80, 60, 20));
    assert_eq!(contacts.len(), 60);
    assert_eq!(contacts.iter().filter(|kind| **kind == Kind::Connection).count(), 30);
    assert_eq!(written, tally, "the counts in the journal add up to the totals");
}
