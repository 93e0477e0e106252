//! Hellos, whole and broken, against published fingerprints and an independent parser.

use proptest::prelude::*;

use super::fingerprint::{ja3_text, ja4_parts};
use super::*;
use crate::oddity::Oddity;

mod published;

/// What a test's client says.
#[derive(Clone, Debug)]
struct Said {
    version: u16,
    ciphers: Vec<u16>,
    extensions: Vec<(u16, Vec<u8>)>,
}

impl Said {
    fn message(&self) -> Vec<u8> {
        let mut body = self.version.to_be_bytes().to_vec();
        body.extend([7; 32]);
        body.push(0);
        vector16(&mut body, &numbers(&self.ciphers));
        body.extend([1, 0]);
        if !self.extensions.is_empty() {
            let mut extensions = Vec::new();
            for (kind, content) in &self.extensions {
                extensions.extend(kind.to_be_bytes());
                vector16(&mut extensions, content);
            }
            vector16(&mut body, &extensions);
        }
        let len = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&[1, len[1], len[2], len[3]], &body[..]].concat()
    }

    fn records(&self, octets_each: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in self.message().chunks(octets_each) {
            bytes.extend([22, 3, 1]);
            vector16(&mut bytes, part);
        }
        bytes
    }
}

fn numbers(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

fn vector16(out: &mut Vec<u8>, content: &[u8]) {
    out.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
    out.extend(content);
}

fn list16(values: &[u16]) -> Vec<u8> {
    let mut out = Vec::new();
    vector16(&mut out, &numbers(values));
    out
}

fn sni(name: &str) -> Vec<u8> {
    let mut entry = vec![0];
    vector16(&mut entry, name.as_bytes());
    let mut list = Vec::new();
    vector16(&mut list, &entry);
    list
}

fn alpn(protocols: &[&[u8]]) -> Vec<u8> {
    let mut list = Vec::new();
    for protocol in protocols {
        list.push(u8::try_from(protocol.len()).unwrap());
        list.extend(*protocol);
    }
    let mut out = Vec::new();
    vector16(&mut out, &list);
    out
}

fn read(bytes: &[u8]) -> ClientHello {
    match HelloReader::default().on_bytes(bytes) {
        Step::Done { hello, .. } => *hello,
        Step::More => panic!("the hello is whole"),
    }
}

/// The browser of the example in FoxIO's JA4.md, with GREASE where such a browser puts it.
fn browser() -> Said {
    let ciphers = [
        0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d,
        0x002f, 0x0035,
    ];
    let algorithms = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
    let extensions = vec![
        (0x2a2a, vec![]),
        (0x001b, vec![2, 0, 2]),
        (0x0000, sni("mail.example.com")),
        (0x0033, vec![0, 0]),
        (0x0010, alpn(&[b"h2", b"http/1.1"])),
        (0x4469, vec![]),
        (0x0017, vec![]),
        (0x002d, vec![1, 1]),
        (0x000d, list16(&algorithms)),
        (0x0005, vec![1, 0, 0, 0, 0]),
        (0x0023, vec![]),
        (0x0012, vec![]),
        (0x002b, vec![6, 0x3a, 0x3a, 3, 4, 3, 3]),
        (0xff01, vec![0]),
        (0x000b, vec![1, 0]),
        (0x000a, list16(&[0x4a4a, 0x001d, 0x0017, 0x0018])),
        (0x0015, vec![0; 40]),
    ];
    Said { version: 0x0303, ciphers: ciphers.to_vec(), extensions }
}

//----------- Fingerprints -----------------------------------------------------------------------------------------

#[test]
fn ja4_is_the_published_one() {
    let hello = read(&browser().records(16_384));
    assert_eq!(ja4(&hello), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    let [_, b, c] = ja4_parts(&hello);
    assert_eq!(b, "002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9");
    assert_eq!(
        c,
        "0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01_\
         0403,0804,0401,0503,0805,0501,0806,0601"
    );
    // JA4.md: without signature algorithms the string ends without an underscore.
    let without = ClientHello { signature_algorithms: vec![], ..hello };
    assert!(ja4(&without).ends_with("_6d807ffa2a79"));
}

#[test]
fn ja4_counts_and_versions_as_its_text_says() {
    let nothing = ClientHello { legacy_version: 0x0301, ..ClientHello::default() };
    assert_eq!(ja4(&nothing), "t10i000000_000000000000_000000000000");
    let many = ClientHello { ciphers: (1..200).collect(), ..nothing.clone() };
    assert!(ja4(&many).starts_with("t10i990000_"));
    for (version, code) in [(0x0304, "13"), (0x0303, "12"), (0x0302, "11"), (0x0300, "s3"), (2, "s2"), (0x7f1c, "00")] {
        assert!(ja4(&ClientHello { versions: vec![version], ..nothing.clone() }).starts_with(&format!("t{code}i")));
    }
    // The table in JA4.md, "ALPN Extension Value".
    for (protocol, ends) in [
        (&b""[..], "00"),
        (b"h2", "h2"),
        (b"http/1.1", "h1"),
        (b"h", "hh"),
        (b"\xab", "ab"),
        (b"\xab\xcd", "ad"),
        (b"\x30\xab", "3b"),
        (b"\x30\x31\xab\xcd", "3d"),
        (b"\x30\xab\xcd\x31", "01"),
    ] {
        let hello = ClientHello { alpn: vec![protocol.to_vec()], ..nothing.clone() };
        assert_eq!(&ja4(&hello)[8..10], ends, "{protocol:?}");
    }
}

/// The two examples of the JA3 README.
#[test]
fn ja3_is_the_published_one() {
    let first = ClientHello {
        legacy_version: 769,
        ciphers: vec![47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4],
        extensions: vec![0, 10, 11],
        groups: vec![23, 24, 25],
        point_formats: vec![0],
        ..ClientHello::default()
    };
    assert_eq!(ja3(&first), "ada70206e40642a3e4461f35503241d5");
    let second = ClientHello {
        legacy_version: 769,
        ciphers: vec![4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99],
        ..ClientHello::default()
    };
    assert_eq!(ja3_text(&second), "769,4-5-10-9-100-98-3-6-19-18-99,,,");
    assert_eq!(ja3(&second), "de350869b8c85de67a350c8d186f11e6");
}

#[test]
fn grease_is_sixteen_values() {
    let grease: Vec<u16> = (0..=u16::MAX).filter(|value| is_grease(*value)).collect();
    assert_eq!(grease.len(), 16);
    assert_eq!((grease[0], grease[15]), (0x0a0a, 0xfafa));
}

//----------- Records ----------------------------------------------------------------------------------------------

#[test]
fn a_hello_is_the_same_however_it_is_cut() {
    let whole = read(&browser().records(16_384));
    assert_eq!(whole.sni, b"mail.example.com");
    assert_eq!(whole.newest_version(), 0x0304);
    assert!(whole.oddities.is_empty(), "{:?}", whole.oddities);
    for octets in [1, 3, 4, 5, 100] {
        let bytes = browser().records(octets);
        let cut = read(&bytes);
        assert_eq!(cut.oddities, [Oddity::Fragmented]);
        assert_eq!(ja4(&cut), ja4(&whole), "{octets} octets a record");
    }
}

#[test]
fn what_follows_a_hello_is_left_alone() {
    let mut bytes = browser().records(16_384);
    let len = bytes.len();
    bytes.extend(b"\x14\x03\x03\x00\x01\x01");
    let mut reader = HelloReader::default();
    assert!(matches!(reader.on_bytes(&bytes), Step::Done { rest: 6, .. }));
    assert_eq!(reader.raw(), &bytes[..len]);
}

#[test]
fn what_is_no_hello_says_so() {
    let mut too_long = vec![];
    for _ in 0..40 {
        too_long.extend([22, 3, 1, 2, 0]);
        too_long.extend(if too_long.len() == 5 { [1, 0, 0xff, 0xff] } else { [0; 4] });
        too_long.extend([0; 508]);
    }
    for (bytes, oddity) in [
        (&b"\x16\x03\x01\x00\x04\x02\x00\x00\x00"[..], Oddity::NotHello),
        (b"\x15\x03\x01\x00\x02\x02\x28", Oddity::NotHello),
        (b"\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03", Oddity::HelloGarbage),
        (&too_long, Oddity::HelloTooLong),
    ] {
        assert!(read(bytes).oddities.contains(&oddity), "{oddity:?}: {:?}", read(bytes).oddities);
    }
}

#[test]
fn a_hello_of_ssl2_is_recognised() {
    let hello = b"\x80\x1c\x01\x03\x01\x00\x03\x00\x00\x00\x10\x00\x00\x2f0123456789abcdef";
    assert!(looks_like_ssl2(hello) && !looks_like_tls(hello));
    let read = read(&hello[..]);
    assert_eq!(read.oddities, [Oddity::Ssl2, Oddity::OldVersion, Oddity::NoSni]);
    assert_eq!((read.legacy_version, &read.ciphers[..]), (0x0301, &[0x002f][..]));
}

#[test]
fn the_end_within_a_hello_keeps_what_came() {
    let bytes = browser().records(16_384);
    let mut reader = HelloReader::default();
    assert_eq!(reader.on_bytes(&bytes[..120]), Step::More);
    let hello = reader.on_end();
    assert_eq!((hello.ciphers.len(), hello.sni.as_slice()), (16, &b"mail.example.com"[..]));
    assert!(hello.oddities.contains(&Oddity::HelloIncomplete));
}

//----------- Against tls-parser -----------------------------------------------------------------------------------

/// Drafts that became no standard: NPN and ESNI.
const NEXT_PROTOCOL: u16 = 13_172;
const ENCRYPTED_SERVER_NAME: u16 = 65_486;

fn said() -> impl Strategy<Value = Said> {
    let content = proptest::collection::vec(any::<u8>(), 0..40);
    let known = prop_oneof![
        "[a-z]{1,20}\\.example".prop_map(|name| (0u16, sni(&name))),
        proptest::collection::vec(any::<u16>(), 1..9).prop_map(|groups| (10, list16(&groups))),
        proptest::collection::vec(any::<u16>(), 1..9).prop_map(|algorithms| (13, list16(&algorithms))),
        Just((16, alpn(&[b"h2", b"http/1.1"]))),
        Just((43, vec![4, 3, 4, 3, 3])),
        (1000u16.., content).prop_filter("the judge reads these, and refuses what they hold", |(kind, _)| {
            ![NEXT_PROTOCOL, ENCRYPTED_SERVER_NAME].contains(kind)
        }),
    ];
    let ciphers = proptest::collection::vec(any::<u16>(), 0..40);
    (prop_oneof![Just(0x0301), Just(0x0303)], ciphers, proptest::collection::vec(known, 0..8))
        .prop_map(|(version, ciphers, extensions)| Said { version, ciphers, extensions })
}

proptest! {
    #[test]
    fn we_read_what_another_parser_reads(said in said()) {
        let bytes = said.records(16_384);
        let ours = read(&bytes);
        let (_, record) = tls_parser::parse_tls_plaintext(&bytes).unwrap();
        let tls_parser::TlsMessage::Handshake(tls_parser::TlsMessageHandshake::ClientHello(theirs)) = &record.msg[0]
        else { panic!("a hello is a hello") };
        prop_assert_eq!(ours.legacy_version, theirs.version.0);
        prop_assert_eq!(&ours.ciphers, &theirs.ciphers.iter().map(|cipher| cipher.0).collect::<Vec<_>>());
        let (_, extensions) = tls_parser::parse_tls_extensions(theirs.ext.unwrap_or_default()).unwrap();
        prop_assert_eq!(ours.extensions.len(), extensions.len());
        for extension in &extensions {
            match extension {
                tls_parser::TlsExtension::SNI(names) => {
                    let theirs: Vec<&[u8]> = names.iter().map(|(_, name)| *name).collect();
                    let last = extensions.iter().rposition(|other| matches!(other, tls_parser::TlsExtension::SNI(_)));
                    if last == extensions.iter().position(|other| other == extension) {
                        prop_assert_eq!(&[&ours.sni[..]][..], &theirs);
                    }
                }
                tls_parser::TlsExtension::ALPN(protocols) => prop_assert_eq!(ours.alpn.len(), protocols.len()),
                _ => {}
            }
        }
    }

    #[test]
    fn any_bytes_are_read_to_an_end(bytes: Vec<u8>, flips in proptest::collection::vec((0usize..400, any::<u8>()), 0..20)) {
        let mut reader = HelloReader::default();
        let _ = reader.on_bytes(&bytes);
        let _ = ja4(&reader.on_end());
        let mut bent = browser().records(200);
        for (at, byte) in flips {
            let len = bent.len();
            bent[at % len] = byte;
        }
        let mut reader = HelloReader::default();
        if reader.on_bytes(&bent) == Step::More {
            let _ = (ja3(&reader.on_end()), ja4(&reader.on_end()));
        }
    }
}
