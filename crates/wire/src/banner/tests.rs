//! Openings of real programs, each at its earliest octet; and what holds for any bytes at all.

use proptest::prelude::*;

use super::*;

/// A look, its octets, and how many of them it takes to be certain.
type Opening = (Looks, &'static [u8], usize);

/// Octets as clients send them (nmap's probes among them).
const OPENINGS: &[Opening] = &[
    (Looks::Tls, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 2),
    (Looks::Ssl2, b"\x80\x1c\x01\x03\x01\x00\x03\x00\x00\x00\x10", 5),
    (Looks::Http, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", 5),
    (Looks::Http, b"POST http://a.example/ HTTP/1.1\r\n", 12),
    (Looks::Http, b"CONNECT a.example:443 HTTP/1.1\r\n", 31),
    (Looks::Http, b"\r\n\r\nGET / HTTP/1.0\r\n", 9),
    (Looks::Http, b"OPTIONS * HTTP/1.0\r\n", 19),
    (Looks::Http, b"M-SEARCH * HTTP/1.1\r\n", 20),
    (Looks::Http, b"BREW /pot HTTP/1.1\n", 19),
    (Looks::Http2, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 12),
    (Looks::Smtp, b"EHLO a.example\r\n", 5),
    (Looks::Smtp, b"helo a\r\n", 5),
    (Looks::Smtp, b"EHLO\r\n", 5),
    (Looks::Ssh, b"SSH-2.0-Go\r\n", 4),
    (Looks::Rdp, b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00", 12),
    (Looks::Rdp, b"\x03\x00\x00\x0b\x06\xe0\x00\x00\x00\x00\x00", 6),
    (Looks::Rdp, b"\x03\x00\x00\x2a\x25\xe0\x00\x00\x00\x00\x00Cookie: mstshash=nmap\r\n", 12),
    (Looks::Smb, b"\x00\x00\x00\xa4\xffSMB\x72\x00", 8),
    (Looks::Smb, b"\x00\x00\x00\xb2\xfeSMB\x40\x00", 8),
    (Looks::Socks, b"\x04\x01\x01\xbb\x00\x00\x00\x01\x00a.example\x00", 2),
    (Looks::Socks, b"\x05\x03\x00\x01\x02", 3),
    (Looks::Proxy, b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", 9),
    (Looks::Proxy, b"\r\n\r\n\x00\r\nQUIT\n\x21\x11", 12),
    (Looks::Irc, b"NICK bot|7\r\nUSER bot 0 * :bot\r\n", 11),
    (Looks::Irc, b"USER bot 0 * :a real name\r\n", 26),
    (Looks::Irc, b"PASS secret\r\nNICK x\r\n", 18),
    (Looks::Irc, b"CAP LS 302\r\n", 11),
    (Looks::Redis, b"*1\r\n$4\r\nPING\r\n", 5),
    (Looks::Redis, b"INFO\r\n", 6),
    (Looks::Mqtt, b"\x10\x1d\x00\x04MQTT\x04\x02\x00\x3c", 8),
    (Looks::Mqtt, b"\x10\x80\x01\x00\x06MQIsdp\x03", 11),
    (
        Looks::Mysql,
        b"\x54\x00\x00\x01\x85\xa6\x3f\x20\x00\x00\x00\x01\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0root\0",
        36,
    ),
    (Looks::Ftp, b"USER anonymous\r\nPASS x\r\n", 15),
    (Looks::Ftp, b"AUTH TLS\r\n", 10),
    (Looks::Telnet, b"\xff\xfb\x1f\xff\xfb\x20", 3),
    (
        Looks::Dns,
        b"\x00\x1e\x00\x06\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07version\x04bind\x00\x00\x10\x00\x03",
        15,
    ),
    (Looks::Dns, b"\x00\x0c\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00", 14),
    (Looks::Sip, b"OPTIONS sip:nm SIP/2.0\r\n", 23),
    (Looks::Sip, b"REGISTER tel:1 SIP/2.0\r\n", 23),
    (Looks::Stun, b"\x00\x01\x00\x00\x21\x12\xa4\x42aaaaaaaaaaaa", 8),
    (Looks::Snmp, b"\x30\x29\x02\x01\x01\x04\x06public", 6),
    (Looks::Snmp, b"\x30\x3a\x02\x01\x03\x30\x0f", 6),
    (Looks::Memcached, b"stats\r\n", 7),
    (Looks::Memcached, b"get a\r\n", 5),
    (Looks::Memcached, b"\x80\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 12),
    (Looks::Ldap, b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00", 6),
    (Looks::Ldap, b"\x30\x84\x00\x00\x00\x2d\x02\x01\x07\x63\x84", 10),
    (Looks::Bittorrent, b"\x13BitTorrent protocol\0\0\0\0\0\0\0\0", 20),
    (Looks::Json, b"  {\"id\": 1, \"method\": \"mining.subscribe\"}\n", 4),
];

/// What datagrams hold, whole.
const DATAGRAMS: &[(Looks, &[u8])] = &[
    (Looks::Dtls, b"\x16\xfe\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x36\x01"),
    (Looks::Quic, b"\xc3\x00\x00\x00\x01\x08abcdefgh\x00\x00\x44\x9e"),
    (Looks::Quic, b"\xd0\x1a\x2a\x3a\x4a\x08abcdefgh\x00"),
    (Looks::Ntp, b"\xe3\x00\x04\xfa\x00\x01\x00\x00\x00\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xc5\x4f\x23\x4b\x71\xb1\x52\xf3"),
    (Looks::Ntp, b"\x17\x00\x03\x2a\x00\x00\x00\x00"),
    (Looks::Ntp, b"\x16\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"),
    (Looks::Dns, b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01\x01a\x07example\x00\x00\x01\x00\x01"),
    (Looks::Dns, b"\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
    (Looks::Memcached, b"\x00\x01\x00\x00\x00\x01\x00\x00stats\r\n"),
    (Looks::Bittorrent, b"d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping1:t2:aa1:y1:qe"),
    (Looks::Bittorrent, b"\x00\x00\x04\x17\x27\x10\x19\x80\x00\x00\x00\x00\x12\x34\x56\x78"),
    (Looks::Http, b"M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\n\r\n"),
    (Looks::Sip, b"OPTIONS sip:100@192.0.2.1 SIP/2.0\r\n"),
    (Looks::Snmp, b"\x30\x26\x02\x01\x00\x04\x06public"),
    (Looks::Stun, b"\x00\x01\x00\x00\x21\x12\xa4\x42aaaaaaaaaaaa"),
    (Looks::Binary, b"\x04\x01"),
    (Looks::Binary, b"\x00"),
    (Looks::Text, b"hello"),
    (Looks::Text, &[b'a'; 48]),
    (Looks::Silent, b""),
];

/// What begins like something and is not it.
const OTHERS: &[(Looks, &[u8])] = &[
    (Looks::Silent, b""),
    (Looks::Text, b"GE"),
    (Looks::Text, b"GET key\r\n"),
    (Looks::Text, b"EHLOX a\r\n"),
    (Looks::Text, b"QUIT\r\n"),
    (Looks::Text, b"[2026-01-01] a line of a log\n"),
    (Looks::Form, b"user=a&password=b"),
    (Looks::Binary, b"\x16"),
    (Looks::Binary, b"\x16\x04\x01"),
    // A controller is called by TPKT too.
    (Looks::Binary, b"\x03\x00\x00\x16\x11\xe0\x00\x00\x00\x01\x00\xc0\x01\x0a\xc1\x02\x01\x00"),
    (Looks::Binary, b"\x05\x00"),
    (Looks::Binary, b"\x30\x03\x02\x01\x02"),
    (Looks::Binary, b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
    // A DNS response is no query.
    (Looks::Binary, b"\x00\x1e\x00\x06\x81\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07version"),
];

#[test]
fn an_opening_is_known_at_its_earliest_octet_and_not_before() {
    let mut wrong = Vec::new();
    for (looks, bytes, earliest) in OPENINGS {
        let found = (0..=bytes.len()).find(|len| glance(&bytes[..*len]).is_certain);
        let seen = look(bytes, Carrier::Stream);
        if (seen, found) != (*looks, Some(*earliest)) {
            wrong.push(format!("{looks:?} {seen:?} {found:?} {}", bytes.escape_ascii()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_datagram_is_judged_whole() {
    for (looks, bytes) in DATAGRAMS {
        assert_eq!(look(bytes, Carrier::Datagram), *looks, "{:?}", bytes.escape_ascii().to_string());
    }
}

#[test]
fn what_only_begins_alike_is_something_else() {
    for (looks, bytes) in OTHERS {
        assert_eq!(look(bytes, Carrier::Stream), *looks, "{:?}", bytes.escape_ascii().to_string());
    }
}

#[test]
fn every_look_that_has_an_opening_is_tried() {
    let tried = OPENINGS.iter().map(|opening| opening.0);
    let tried: Vec<Looks> = tried.chain(super::tests::DATAGRAMS.iter().chain(OTHERS).map(|one| one.0)).collect();
    for looks in Looks::ALL {
        assert!(tried.contains(looks), "{looks:?}");
    }
}

#[test]
fn words_are_the_published_codes() {
    let words: Vec<&str> = Looks::ALL.iter().map(|looks| looks.word()).collect();
    assert!(Looks::ALL.iter().all(|looks| looks.oddity().code() == format!("looks.{}", looks.word())));
    let published = [
        "tls",
        "sslv2",
        "http",
        "http2",
        "smtp",
        "ssh",
        "rdp",
        "smb",
        "socks",
        "proxy",
        "irc",
        "redis",
        "mqtt",
        "mysql",
        "ftp",
        "telnet",
        "dns",
        "ntp",
        "sip",
        "stun",
        "dtls",
        "quic",
        "snmp",
        "memcached",
        "ldap",
        "bittorrent",
        "json",
        "form",
        "text",
        "binary",
        "silent",
    ];
    assert_eq!(words, published);
}

#[test]
fn the_first_bytes_choose_the_machine_and_lose_nothing() {
    let mut first = FirstBytes::default();
    assert_eq!(first.on_bytes(b"GE"), Step::More);
    assert_eq!(first.on_bytes(b"T / HTTP/1.1\r\n"), Step::Taken { machine: Machine::Http, rest: 0 });
    assert_eq!((first.kept(), first.looks()), (&b"GET / HTTP/1.1\r\n"[..], Looks::Http));

    let mut long = vec![0x16, 3, 1];
    long.resize(FIRST_OCTETS_MAX + 7, 0);
    let mut first = FirstBytes::default();
    assert_eq!(first.on_bytes(&long), Step::Taken { machine: Machine::Tls, rest: 7 });
    assert_eq!((first.kept().len(), first.came()), (FIRST_OCTETS_MAX, long.len() as u64));
}

#[test]
fn nobody_is_waited_for_once_no_machine_can_take_over() {
    for bytes in [&b"\x01"[..], b"hello,", b"NICK b", b"\x10", b"\x30", b"*1", b"{"] {
        let glance = glance(bytes);
        assert_eq!((glance.is_certain, glance.machine), (false, Some(Machine::None)), "{bytes:?}");
    }
    for bytes in [&b""[..], b"\x16", b"EHL", b"hello", b"GET ", b"FOO /", b"\x80\x1c", b"\r\n"] {
        assert_eq!(glance(bytes).machine, None, "{bytes:?}");
    }
}

#[test]
fn at_the_limit_everything_is_certain() {
    for opening in [&b"FOO /"[..], b"GET a", b"a", b"{ ", b"\r\n"] {
        let mut bytes = opening.to_vec();
        bytes.resize(FIRST_OCTETS_MAX - 1, b' ');
        let mut first = FirstBytes::default();
        first.on_bytes(&bytes);
        assert!(!glance(&bytes).is_certain, "{opening:?}");
        assert!(matches!(first.on_bytes(b"  "), Step::Taken { .. }), "{opening:?}");
    }
}

/// Bytes that begin like something, so that matchers get past their first octet.
fn some_bytes() -> impl Strategy<Value = Vec<u8>> {
    let opening = prop::sample::select(OPENINGS).prop_map(|(_, bytes, _)| bytes);
    let cut = (opening, any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 0..24));
    let like = cut.prop_map(|(bytes, at, more)| [&bytes[..at.index(bytes.len() + 1)], &more].concat());
    prop_oneof![prop::collection::vec(any::<u8>(), 0..64), like, "[A-Z*]{1,5}[ \r\n/:a-z]{0,12}".prop_map(Into::into)]
}

proptest! {
    #[test]
    fn no_matcher_takes_back_what_it_said(bytes in some_bytes()) {
        for (looks, matcher) in STREAMS {
            let mut before = Match::NotYet;
            for len in 0..=bytes.len() {
                let now = matcher(&bytes[..len]);
                prop_assert!(before == Match::NotYet || before == now, "{looks:?} at {len}");
                before = now;
            }
        }
    }

    #[test]
    fn what_is_certain_stays_and_is_what_the_whole_looks_like(bytes in some_bytes()) {
        let whole = look(&bytes, Carrier::Stream);
        for len in 0..=bytes.len() {
            let glance = glance(&bytes[..len]);
            prop_assert_eq!(glance.looks, look(&bytes[..len], Carrier::Stream));
            prop_assert!(!glance.is_certain || glance.looks == whole);
            prop_assert!(glance.machine.is_none_or(|machine| machine == whole.machine()));
        }
    }

    #[test]
    fn any_datagram_looks_like_something(bytes in some_bytes()) {
        let _ = look(&bytes, Carrier::Datagram);
    }
}
