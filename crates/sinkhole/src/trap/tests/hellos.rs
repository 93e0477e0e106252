//! Every kind of hello over a real socket: each is a contact, whatever becomes of the handshake.

use std::io;
use std::net::Shutdown;

use super::*;

const SSL_30: u16 = 0x0300;
const TLS_10: u16 = 0x0301;
const TLS_11: u16 = 0x0302;
const TLS_12: u16 = 0x0303;
const ECH: u16 = 0xfe0d;
const PADDING: u16 = 21;

//----------- Hellos made by hand ----------------------------------------------------------------------------------

/// The message. Its only cipher is RC4, so that no handshake follows.
fn message(version: u16, extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0, 5, 1, 0]);
    let content = extensions.iter().flat_map(|(kind, content)| [&kind.to_be_bytes(), &sized(content)[..]].concat());
    let content: Vec<u8> = content.collect();
    if !content.is_empty() {
        body.extend(sized(&content));
    }
    [vec![1, 0], sized(&body)].concat()
}

fn records(message: &[u8], version: u16, octets_each: usize) -> Vec<u8> {
    let record = |part: &[u8]| [vec![22], version.to_be_bytes().to_vec(), sized(part)].concat();
    message.chunks(octets_each).flat_map(record).collect()
}

fn hello(version: u16, extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
    records(&message(version, extensions), TLS_10, 16_384)
}

fn names(names: &[&[u8]]) -> (u16, Vec<u8>) {
    let list: Vec<u8> = names.iter().flat_map(|name| [vec![0], sized(name)].concat()).collect();
    (0, sized(&list))
}

fn sized(content: &[u8]) -> Vec<u8> {
    [&u16::try_from(content.len()).unwrap().to_be_bytes(), content].concat()
}

/// Sends, says that no more comes, and waits for the end. Whoever has heard enough may close while we speak.
async fn knock(at: SocketAddr, sent: Vec<u8>) {
    let knock = tokio::task::spawn_blocking(move || {
        let mut stream = connect(at);
        let _ = stream.write_all(&sent);
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    });
    knock.await.unwrap();
}

async fn hellos_told(trap: Trap) -> Vec<String> {
    trap.told().await.0.into_iter().filter(|line| line.starts_with("hello")).collect()
}

//----------- Stories ----------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_hello_is_a_contact() {
    let apex = || names(&[APEX.as_bytes()]);
    let deep = format!("{}{APEX}", "a.".repeat(117));
    let long = "a".repeat(255);
    let is_apex = format!("sni={APEX} for {APEX} by sni");
    let ours = message(TLS_12, &[apex()]);
    let cases: Vec<(&str, Vec<u8>, String)> = vec![
        ("SSL 3.0", hello(SSL_30, &[]), "sni= for nobody !tls.old-version !tls.no-sni".into()),
        ("TLS 1.0", hello(TLS_10, &[apex()]), format!("{is_apex} !tls.old-version")),
        ("TLS 1.1", hello(TLS_11, &[apex()]), format!("{is_apex} !tls.old-version")),
        ("TLS 1.2", hello(TLS_12, &[apex()]), is_apex.clone()),
        ("no name", hello(TLS_12, &[(10, vec![0, 2, 0, 29])]), "sni= for nobody !tls.no-sni".into()),
        ("an empty list of names", hello(TLS_12, &[names(&[])]), "sni= for nobody !tls.no-sni".into()),
        (
            "several names",
            hello(TLS_12, &[names(&[APEX.as_bytes(), b"other.example"])]),
            format!("{is_apex} !tls.sni-several"),
        ),
        ("an address", hello(TLS_12, &[names(&[b"192.0.2.7"])]), "sni=192.0.2.7 for nobody !tls.sni-address".into()),
        (
            "an address of IPv6",
            hello(TLS_12, &[names(&[b"[2001:db8::7]"])]),
            "sni=[2001:db8::7] for nobody !tls.sni-address".into(),
        ),
        (
            "a name that is no text",
            hello(TLS_12, &[names(&[b"\xffz.test"])]),
            "sni=\u{fffd}z.test for nobody !tls.sni-form".into(),
        ),
        ("253 octets", hello(TLS_12, &[names(&[deep.as_bytes()])]), format!("sni={deep} for {APEX} by sni")),
        ("255 octets", hello(TLS_12, &[names(&[long.as_bytes()])]), format!("sni={long} for nobody !tls.sni-form")),
        ("ECH", hello(TLS_12, &[apex(), (ECH, vec![0; 40])]), format!("{is_apex} !tls.ech")),
        ("an octet a record", records(&ours, TLS_10, 1), format!("{is_apex} !tls.fragmented")),
        ("a record of TLS 1.9", records(&ours, 0x030a, 16_384), format!("{is_apex} !tls.record-version")),
        ("a record of 5.0", records(&ours, 0x0500, 16_384), format!("{is_apex} !tls.record-version")),
        (
            "longer than is read",
            hello(TLS_12, &[apex(), (PADDING, vec![0; 15_000]), (PADDING + 1, vec![0; 3_000])]),
            format!("{is_apex} !tls.fragmented !tls.hello-too-long"),
        ),
        (
            "SSL 2.0",
            b"\x80\x1c\x01\x03\x01\x00\x03\x00\x00\x00\x10\x00\x00\x2f0123456789abcdef".to_vec(),
            "sni= for nobody !tls.sslv2 !tls.old-version !tls.no-sni".into(),
        ),
        ("half of one", ours_half(&ours), "sni= for nobody !tls.no-sni !tls.hello-incomplete".into()),
        ("an alert", b"\x15\x03\x01\x00\x02\x02\x28".to_vec(), no_hello()),
        ("a heartbeat", b"\x18\x03\x02\x00\x03\x01\x40\x00".to_vec(), no_hello()),
        ("data", b"\x17\x03\x03\x00\x01a".to_vec(), no_hello()),
        ("a server's hello", b"\x16\x03\x03\x00\x04\x02\x00\x00\x00".to_vec(), no_hello()),
    ];
    for via_web in [true, false] {
        let trap = Trap::new(vec![collected(APEX)], Limits::default());
        for (_, sent, _) in &cases {
            knock(if via_web { trap.https } else { trap.any }, sent.clone()).await;
        }
        let told = hellos_told(trap).await;
        // A port for anything takes only what says plainly that it is TLS.
        let expected = cases.iter().filter(|(_, sent, _)| via_web || sent[1] == 3 || sent[0] == 0x80);
        let expected: Vec<String> = expected.map(|(_, _, line)| format!("hello {line}")).collect();
        assert_eq!(told, expected);
    }
}

fn ours_half(message: &[u8]) -> Vec<u8> {
    let mut record = records(message, TLS_10, 16_384);
    record.truncate(46);
    record
}

/// `tls.old-version`: it names no version at all.
fn no_hello() -> String {
    "sni= for nobody !tls.old-version !tls.no-sni !tls.not-hello".to_owned()
}

/// Hands the socket one octet at a time.
struct Dribble(TcpStream);

impl Read for Dribble {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl Write for Dribble {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.write(&octets[..1.min(octets.len())])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_in_pieces_still_leads_to_a_handshake() {
    const LEAST: usize = 32;
    let trap = Trap::new(vec![collected(APEX)], Limits::default());
    let mut config = Arc::unwrap_or_clone(tls_setup(true, &[&rustls::version::TLS13]));
    config.max_fragment_size = Some(LEAST);
    let mut client = ClientConnection::new(Arc::new(config), APEX.try_into().unwrap()).unwrap();
    let socket = connect(trap.https);
    socket.set_nodelay(true).unwrap();
    let (answer, _) = exchange_over(Dribble(socket), &mut client, &get("/", APEX));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(hellos_told(trap).await, [format!("hello sni={APEX} for {APEX} by sni !tls.fragmented")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn deeper_names_share_the_certificate_of_their_apex_and_strangers_share_another() {
    let trap = Trap::new(vec![collected(APEX)], Limits::default());
    let deep = format!("a.b.c.{APEX}");
    let shown = |sni| exchange(trap.https, &mut tls_client(sni, &[&rustls::version::TLS13]), &get("/", APEX)).1;
    let [apex, deeper] = [APEX, deep.as_str()].map(|sni| shown(Some(sni)));
    assert!(apex == deeper && holds(&apex, &format!("*.{APEX}")));
    let [stranger, nobody] = [Some("notoutlook-verify.test"), None].map(shown);
    assert!(stranger == nobody && holds(&stranger, "default.invalid"));
}
