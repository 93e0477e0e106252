//! Callers who speak TLS, or try to.

use super::*;

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

pub(super) fn tls_client(sni: Option<&str>, versions: &[&'static SupportedProtocolVersion]) -> ClientConnection {
    let name = ServerName::try_from(sni.unwrap_or("unnamed.example").to_owned()).unwrap();
    ClientConnection::new(tls_setup(sni.is_some(), versions), name).unwrap()
}

pub(super) fn tls_setup(has_sni: bool, versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Careless))
        .with_no_client_auth();
    config.enable_sni = has_sni;
    Arc::new(config)
}

/// One request over TLS; what came back and the names in the certificate's octets. Ends when the other side has closed:
/// by then all of it is on record, and whatever comes next stands behind it.
pub(super) fn exchange(at: SocketAddr, client: &mut ClientConnection, sent: &str) -> (String, Vec<u8>) {
    exchange_over(connect(at), client, sent)
}

pub(super) fn exchange_over(
    mut socket: impl Read + Write,
    client: &mut ClientConnection,
    sent: &str,
) -> (String, Vec<u8>) {
    tokio::task::block_in_place(|| {
        let mut stream = rustls::Stream::new(client, &mut socket);
        stream.write_all(sent.as_bytes()).unwrap();
        stream.conn.send_close_notify();
        stream.flush().unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let certificate = stream.conn.peer_certificates().unwrap()[0].to_vec();
        let _ = socket.read_to_end(&mut Vec::new());
        (String::from_utf8(answer).unwrap(), certificate)
    })
}

pub(super) fn holds(bytes: &[u8], name: &str) -> bool {
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
async fn who_comes_back_with_a_ticket_is_known_by_it() {
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let trap = Trap::new(vec![collected(APEX)], Limits::default());
        let setup = tls_setup(true, &[version]);
        for (name, kind) in [
            (APEX.to_owned(), HandshakeKind::Full),
            (APEX.to_owned(), HandshakeKind::Resumed),
            (format!("a.{APEX}"), HandshakeKind::Full),
        ] {
            let mut client = ClientConnection::new(Arc::clone(&setup), name.clone().try_into().unwrap()).unwrap();
            assert!(exchange(trap.https, &mut client, &get("/", &name)).0.starts_with("HTTP/1.1 200"));
            assert_eq!(client.handshake_kind(), Some(kind), "{name}");
        }
        let (told, _) = trap.told().await;
        let mut resumed: Vec<bool> =
            told.iter().filter(|line| line.contains(" tls ")).map(|line| line.ends_with(" resumed")).collect();
        // Which of them it was the client says; the end of one may be written after that of the next.
        resumed.sort_unstable();
        assert_eq!(resumed, [false, false, true]);
        assert_eq!(told.iter().filter(|line| line.starts_with("hello")).count(), 3, "each says hello");
    }
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
