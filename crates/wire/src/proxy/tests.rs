//! Headers of balancers and of those who would be one, cut anywhere, and the same read by another parser.

use ppp::{HeaderResult, PartialResult, v1, v2};
use proptest::prelude::*;

use super::*;

/// Source, destination and what else there is, or the reason for the refusal; then the octets that were left.
fn read(parts: &[&[u8]]) -> String {
    let mut reader = HeaderReader::default();
    let mut left = parts.iter().map(|part| part.len()).sum::<usize>();
    for part in parts {
        left -= part.len();
        match reader.on_bytes(part) {
            Step::More => {}
            Step::Refused(oddity) => return oddity.code().to_owned(),
            Step::Done { header, rest } => return format!("{} +{}", told(&header), left + rest),
        }
    }
    format!("more, else {}", reader.on_end().code())
}

fn told(header: &Header) -> String {
    let mut said = format!("v{}", header.version);
    if header.is_local {
        said.push_str(" local");
    }
    for address in [header.source, header.destination] {
        said.push_str(&address.map_or_else(|| " ?".to_owned(), |address| format!(" {address}")));
    }
    for (name, value) in [("alpn", &header.alpn), ("authority", &header.authority), ("id", &header.unique_id)] {
        if !value.is_empty() {
            said.push_str(&format!(" {name}={}", value.escape_ascii()));
        }
    }
    header.oddities.iter().for_each(|oddity| said.push_str(&format!(" !{}", oddity.code())));
    said
}

/// A header of version 2 with its length.
fn octets(ver_cmd: u8, kind: u8, rest: &[u8]) -> Vec<u8> {
    let len = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [octets::SIGNATURE, &[ver_cmd, kind], &len, rest].concat()
}

fn addition(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[kind][..], &u16::try_from(value.len()).unwrap().to_be_bytes(), value].concat()
}

const INET: &[u8] = b"\xc0\x00\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb";
const INET6: &[u8] =
    b"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\xdc\x04\x01\xbb";

#[test]
fn a_line_says_who_called() {
    for (line, told) in [
        ("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\nGET /", "v1 192.0.2.1:56324 198.51.100.2:443 +5"),
        ("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n", "v1 [2001:db8::1]:1 [2001:db8::2]:65535 +0"),
        ("PROXY UNKNOWN\r\n", "v1 ? ? +0"),
        ("PROXY UNKNOWN ffff::1 whatever\r\nx", "v1 ? ? +1"),
        ("", "more, else proxy.missing"),
        ("PROXY TCP4 192.0.2.1", "more, else proxy.incomplete"),
        ("GET / HTTP/1.1\r\n", "proxy.missing"),
        ("PROXYING", "proxy.missing"),
        ("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n", "proxy.line"),
        ("PROXY TCP4  192.0.2.1 198.51.100.2 56324 443\r\n", "proxy.line"),
        ("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 \r\n", "proxy.line"),
        ("PROXY TCP4 192.0.2.01 198.51.100.2 56324 443\r\n", "proxy.line"),
        ("PROXY TCP4 192.0.2.1 198.51.100.2 056324 443\r\n", "proxy.line"),
        ("PROXY TCP4 192.0.2.1 198.51.100.2 +5 443\r\n", "proxy.line"),
        ("PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n", "proxy.line"),
        ("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", "proxy.line"),
        ("PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n", "proxy.line"),
        ("PROXY \r\n", "proxy.line"),
    ] {
        assert_eq!(read(&[line.as_bytes()]), told, "{line:?}");
    }
}

#[test]
fn octets_say_who_called() {
    let v4 = "192.0.2.1:56324 198.51.100.2:443";
    let with = |additions: &[Vec<u8>]| octets(0x21, 0x11, &[INET, &additions.concat()].concat());
    let rich = with(&[addition(1, b"h2"), addition(2, b"a.example"), addition(0x20, b"tls"), addition(5, b"\x01\xff")]);
    for (bytes, told) in [
        (octets(0x21, 0x11, INET), format!("v2 {v4} +0")),
        (octets(0x21, 0x21, INET6), "v2 [2001:db8::1]:56324 [2001:db8::2]:443 +0".into()),
        ([octets(0x20, 0, b""), b"hello".to_vec()].concat(), "v2 local ? ? +5".into()),
        (octets(0x20, 0x11, INET), "v2 local ? ? +0".into()),
        (octets(0x21, 0, &addition(5, b"x")), "v2 ? ? id=x +0".into()),
        (rich, format!("v2 {v4} alpn=h2 authority=a.example id=\\x01\\xff +0")),
        (octets(0x21, 0x12, INET), format!("v2 {v4} !proxy.transport +0")),
        (octets(0x21, 0x31, &[0; 216]), "v2 ? ? !proxy.family +0".into()),
        (with(&[vec![5, 0, 9, 1]]), format!("v2 {v4} !proxy.addition +0")),
        (with(&[vec![5]]), format!("v2 {v4} !proxy.addition +0")),
        (with(&[addition(5, b"a"), addition(5, b"b")]), format!("v2 {v4} id=a !proxy.addition +0")),
        (with(&[addition(2, &[b'a'; VALUE_OCTETS_MAX + 1])]), format!("v2 {v4} !proxy.addition +0")),
        (octets(0x11, 0x11, INET), "proxy.version".into()),
        (octets(0x22, 0x11, INET), "proxy.command".into()),
        (octets(0x21, 0x21, INET), "proxy.address".into()),
        (octets(0x21, 0x11, INET)[..20].to_vec(), "more, else proxy.incomplete".into()),
        (b"\r\n\r\nGET / HTTP/1.1\r\n".to_vec(), "proxy.missing".into()),
    ] {
        assert_eq!(read(&[&bytes]), told, "{}", bytes.escape_ascii());
    }
}

#[test]
fn every_limit_is_reached_and_no_octet_beyond_it_is_kept() {
    let line = |octets: usize| format!("PROXY UNKNOWN {}\r\n", "x".repeat(octets - 16));
    assert_eq!(read(&[line(LINE_OCTETS_MAX).as_bytes()]), "v1 ? ? +0");
    assert_eq!(read(&[line(LINE_OCTETS_MAX + 1).as_bytes()]), "proxy.too-long");
    let with = |len: usize| octets(0x21, 0x11, &[INET, &addition(4, &vec![0; len - INET.len() - 3])].concat());
    assert!(read(&[&with(ADDITION_OCTETS_MAX)]).ends_with(":443 +0"));
    assert_eq!(read(&[&with(ADDITION_OCTETS_MAX + 1)]), "proxy.too-long");

    let mut reader = HeaderReader::default();
    assert_eq!(reader.on_bytes(&with(60_000)), Step::Refused(Oddity::ProxyTooLong));
    assert_eq!(reader.raw().len(), octets::FIXED_OCTETS, "what a length claims is not waited for");
}

//----------- Any bytes --------------------------------------------------------------------------------------------

fn words() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just("TCP4".to_owned()),
        Just("TCP6".to_owned()),
        Just("UNKNOWN".to_owned()),
        any::<std::net::IpAddr>().prop_map(|ip| ip.to_string()),
        any::<u16>().prop_map(|port| port.to_string()),
        "[0-9a-f:. ]{0,8}",
    ];
    prop::collection::vec(word, 0..7).prop_map(|words| format!("PROXY {}\r\nrest", words.join(" ")).into_bytes())
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let (v4, v6) = (any::<[std::net::Ipv4Addr; 2]>(), any::<[std::net::Ipv6Addr; 2]>());
    let v4 = v4.prop_map(|[a, b]| format!("TCP4 {a} {b}"));
    let v6 = v6.prop_map(|[a, b]| format!("TCP6 {a} {b}"));
    (prop_oneof![v4, v6], any::<(u16, u16)>())
        .prop_map(|(addresses, (a, b))| format!("PROXY {addresses} {a} {b}\r\nrest").into_bytes())
}

fn header_octets() -> impl Strategy<Value = Vec<u8>> {
    let additions = prop::collection::vec((0u8..6, prop::collection::vec(any::<u8>(), 0..12)), 0..4);
    let kinds = prop::sample::select(vec![0x00, 0x11, 0x21, 0x12, 0x31, 0x41, 0x13]);
    let commands = prop::sample::select(vec![0x20, 0x21, 0x21, 0x22, 0x11]);
    (commands, kinds, any::<[u8; 36]>(), 0..=36usize, additions).prop_map(
        |(command, kind, addresses, len, additions)| {
            let additions: Vec<u8> = additions.iter().flat_map(|(kind, value)| addition(*kind, value)).collect();
            let exact = match kind >> 4 {
                1 => 12,
                2 => 36,
                _ => len,
            };
            [octets(command, kind, &[&addresses[..exact], &additions].concat()), b"rest".to_vec()].concat()
        },
    )
}

fn some_bytes() -> impl Strategy<Value = Vec<u8>> {
    let like = prop_oneof![words(), line(), header_octets()];
    let cut = (like, any::<prop::sample::Index>()).prop_map(|(bytes, at)| bytes[..at.index(bytes.len() + 1)].to_vec());
    prop_oneof![words(), line(), header_octets(), cut, prop::collection::vec(any::<u8>(), 0..40)]
}

/// What the other parser makes of it, where both mean the same by it.
fn by_another(bytes: &[u8]) -> Option<String> {
    let parsed = HeaderResult::parse(bytes);
    if parsed.is_incomplete() {
        return None;
    }
    let pair = |version, source: SocketAddr, destination: SocketAddr| format!("v{version} {source} {destination}");
    match parsed {
        HeaderResult::V1(Ok(header)) => Some(match header.addresses {
            v1::Addresses::Unknown => "v1 ? ?".to_owned(),
            v1::Addresses::Tcp4(tcp) => pair(
                1,
                (tcp.source_address, tcp.source_port).into(),
                (tcp.destination_address, tcp.destination_port).into(),
            ),
            v1::Addresses::Tcp6(tcp) => pair(
                1,
                (tcp.source_address, tcp.source_port).into(),
                (tcp.destination_address, tcp.destination_port).into(),
            ),
        }),
        HeaderResult::V2(Ok(header)) if header.command == v2::Command::Local => Some("v2 local ? ?".to_owned()),
        HeaderResult::V2(Ok(header)) => Some(match header.addresses {
            v2::Addresses::IPv4(ip) => pair(
                2,
                (ip.source_address, ip.source_port).into(),
                (ip.destination_address, ip.destination_port).into(),
            ),
            v2::Addresses::IPv6(ip) => pair(
                2,
                (ip.source_address, ip.source_port).into(),
                (ip.destination_address, ip.destination_port).into(),
            ),
            _ => "v2 ? ?".to_owned(),
        }),
        HeaderResult::V1(Err(_)) | HeaderResult::V2(Err(_)) => Some("refused".to_owned()),
    }
}

proptest! {
    #[test]
    fn where_it_was_cut_changes_nothing(bytes in some_bytes(), at: prop::sample::Index) {
        let (first, rest) = bytes.split_at(at.index(bytes.len() + 1));
        prop_assert_eq!(read(&[first, rest]), read(&[&bytes]));
        let singly: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(read(&singly), read(&[&bytes]));
    }

    /// We are the stricter one about version 1. The other one refuses what we are told to take: any family with LOCAL
    /// (proxy-protocol.txt, 2.2), the families that we note, and two blanks behind UNKNOWN.
    #[test]
    fn what_we_take_another_parser_takes_alike(bytes in some_bytes()) {
        let ours = read(&[&bytes]);
        let is_told = |word: &&str| ours.contains(*word);
        let is_ours_alone = ["local", "!proxy.family", "!proxy.transport", "v1 ? ?"].iter().any(is_told);
        let is_alike = ours.starts_with('v') && (!is_ours_alone || bytes.starts_with(b"PROXY UNKNOWN\r\n"));
        if let Some((ours, _)) = is_alike.then(|| ours.split_once(" +")).flatten() {
            let is_address = |word: &&str| !word.contains('=') && !word.starts_with('!');
            let addresses: Vec<&str> = ours.split(' ').take_while(is_address).collect();
            prop_assert_eq!(Some(addresses.join(" ")), by_another(&bytes));
        }
    }

    #[test]
    fn every_canonical_line_is_taken(bytes in line()) {
        prop_assert_eq!(Some(read(&[&bytes])), by_another(&bytes).map(|told| format!("{told} +4")));
    }
}
