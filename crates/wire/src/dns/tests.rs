//! What is asked and what is answered, as tables; then anything at all, against two other parsers.

use std::net::{IpAddr, Ipv4Addr};

use super::ask::{Answered, Ask, AskEdns, Mismatch, name_to_wire};
use super::*;

mod cookies;
mod differential;
mod listing;
mod rules;

const APEX: &str = "outlook-verify.test";

fn records() -> Records {
    Records {
        name_servers: ["ns1.sinkhole.example", "ns2.sinkhole.example"].map(wire).to_vec(),
        hostmaster: wire("hostmaster.sinkhole.example"),
        serial: 42,
        ttl_secs: 600,
        negative_ttl_secs: 300,
        v4: vec![[192, 0, 2, 1].into()],
        v6: vec!["2001:db8::1".parse().unwrap()],
        refuses_mail: true,
        certifiers: Certifiers::Nobody,
    }
}

fn wire(name: &str) -> Vec<u8> {
    name_to_wire(name).unwrap()
}

/// Sends a packet to a server that has one zone.
fn serve(packet: &[u8], answers: &Answers, transport: Transport) -> (Option<Reply>, Vec<u8>) {
    serve_with(packet, answers, transport, &Manners::new(&jar(), CLIENT, NOW_SECS))
}

fn serve_with(
    packet: &[u8],
    answers: &Answers,
    transport: Transport,
    manners: &Manners<'_>,
) -> (Option<Reply>, Vec<u8>) {
    let query = Query::parse(packet);
    let zone = query.question.and_then(|question| zone_of(question.name, answers));
    let mut out = Vec::new();
    let reply = answer(&query, zone, transport, manners, &mut out);
    (reply, out)
}

/// The secret, the client and the time of RFC 9018, A.1.
const SECRET: [u8; SECRET_OCTETS] = 0xe5e9_73e5_a6b2_a43f_48e7_dc84_9e37_bfcf_u128.to_be_bytes();
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 100));
const NOW_SECS: u32 = 1_559_731_985;

fn jar() -> CookieJar {
    CookieJar::new(&SECRET, None)
}

fn zone_of<'a>(name: &[u8], answers: &'a Answers) -> Option<Zone<'a>> {
    let depth = name.len().checked_sub(wire(APEX).len())?;
    name[depth..].eq_ignore_ascii_case(&wire(APEX)).then_some(Zone::new(answers, depth))
}

/// Asks over UDP with EDNS and returns the checked answer, as text.
fn ask(name: &str, qtype: u16) -> String {
    let (name, answers) = (wire(name), Answers::new(&records()));
    let edns = Some(AskEdns { udp_size: 1232, dnssec_ok: true, options: &[] });
    let asked = Ask { edns, ..Ask::new(7, &name, qtype) };
    let mut packet = Vec::new();
    asked.encode(&mut packet);
    let (reply, out) = serve(&packet, &answers, Transport::Udp);
    let answered = asked.check(&out).unwrap();
    assert_eq!(Some(answered.rcode), reply.map(|reply| reply.rcode));
    assert_eq!(answered.edns_udp_size, Some(1232));
    told(&answered)
}

fn told(answered: &Answered<'_>) -> String {
    let text = |records: &[ask::Record<'_>]| {
        let each = records.iter().map(|record| format!("{} {} {}", record.rtype, record.ttl_secs, rdata(record)));
        each.collect::<Vec<_>>().join(", ")
    };
    let aa = if answered.authoritative { " aa" } else { "" };
    format!("{}{aa} [{}] [{}]", answered.rcode, text(&answered.answers), text(&answered.authorities))
}

fn rdata(record: &ask::Record<'_>) -> String {
    match record.address() {
        Some(address) => address.to_string(),
        None => record.rdata.escape_ascii().to_string(),
    }
}

//----------- Zone semantics ---------------------------------------------------------------------------------------

const SOA: &str = r"\x03ns1\x08sinkhole\x07example\x00\nhostmaster\x08sinkhole\x07example\x00\x00\x00\x00*\x00\x008@\x00\x00\x0e\x10\x00\x12u\x00\x00\x00\x01,";

#[test]
fn a_seized_zone_says_this_and_nothing_else() {
    let nothing = format!("0 aa [] [6 300 {SOA}]");
    let no_mail = r"0 aa [16 600 \x0bv=spf1 -all] []";
    let reject = r"0 aa [16 600 .v=DMARC1; p=reject; sp=reject; adkim=s; aspf=s] []";
    for (name, qtype, expected) in [
        ("outlook-verify.test", rtype::A, "0 aa [1 600 192.0.2.1] []"),
        ("a.b.c.outlook-verify.test", rtype::A, "0 aa [1 600 192.0.2.1] []"),
        ("www.outlook-verify.test", rtype::AAAA, "0 aa [28 600 2001:db8::1] []"),
        ("outlook-verify.test", rtype::SOA, &format!("0 aa [6 600 {SOA}] []")),
        (
            "outlook-verify.test",
            rtype::NS,
            r"0 aa [2 600 \x03ns1\x08sinkhole\x07example\x00, 2 600 \x03ns2\x08sinkhole\x07example\x00] []",
        ),
        ("www.outlook-verify.test", rtype::NS, &nothing),
        ("www.outlook-verify.test", rtype::SOA, &nothing),
        ("outlook-verify.test", rtype::MX, r"0 aa [15 600 \x00\x00\x00] []"),
        ("mail.outlook-verify.test", rtype::MX, r"0 aa [15 600 \x00\x00\x00] []"),
        ("outlook-verify.test", rtype::TXT, no_mail),
        ("mail.outlook-verify.test", rtype::TXT, no_mail),
        ("_dmarc.outlook-verify.test", rtype::TXT, reject),
        ("_DMARC.mail.outlook-verify.test", rtype::TXT, reject),
        ("s1._domainkey.outlook-verify.test", rtype::TXT, r"0 aa [16 600 \x0bv=DKIM1; p=] []"),
        ("_acme-challenge.outlook-verify.test", rtype::TXT, &nothing),
        ("outlook-verify.test", rtype::CAA, r#"0 aa [257 600 \x00\x05issue;] []"#),
        ("www.outlook-verify.test", rtype::CAA, &nothing),
        ("outlook-verify.test", rtype::ANY, "0 aa [1 600 192.0.2.1] []"),
        ("outlook-verify.test", 65_280, &nothing),
        ("outlook-verify.test", rtype::AXFR, "5 [] []"),
        ("other.test", rtype::A, "5 [] []"),
        ("notoutlook-verify.test", rtype::A, "5 [] []"),
        (".", rtype::NS, "5 [] []"),
    ] {
        assert_eq!(ask(name, qtype), expected, "{name} {qtype}");
    }
}

#[test]
fn a_zone_that_was_returned_says_who_serves_it_and_no_more() {
    let mut records = records();
    (records.v4, records.v6) = (Vec::new(), Vec::new());
    (records.refuses_mail, records.certifiers) = (false, Certifiers::Unsaid);
    let answers = Answers::new(&records);
    for (qtype, count) in
        [(rtype::NS, 2), (rtype::A, 0), (rtype::MX, 0), (rtype::TXT, 0), (rtype::CAA, 0), (rtype::ANY, 1)]
    {
        let name = wire(APEX);
        let mut packet = Vec::new();
        Ask::new(1, &name, qtype).encode(&mut packet);
        let (_, out) = serve(&packet, &answers, Transport::Udp);
        assert_eq!(Ask::new(1, &name, qtype).check(&out).unwrap().answers.len(), count, "{qtype}");
    }
}

#[test]
fn the_question_comes_back_letter_by_letter() {
    let (name, answers) = (wire("wWw.OUTlook-VERIFY.tEsT"), Answers::new(&records()));
    let mut packet = Vec::new();
    Ask::new(9, &name, rtype::TXT).encode(&mut packet);
    let (_, out) = serve(&packet, &answers, Transport::Udp);
    assert_eq!(out[12..12 + name.len()], name);
    let lower = wire("www.outlook-verify.test");
    assert_eq!(Ask::new(9, &lower, rtype::TXT).check(&out).err(), Some(Mismatch::Question));
    assert_eq!(Ask::new(8, &name, rtype::TXT).check(&out).err(), Some(Mismatch::Id));
    assert_eq!(Ask::new(9, &name, rtype::TXT).check(&packet).err(), Some(Mismatch::NoResponse));
}

#[test]
fn what_does_not_fit_is_truncated_over_udp_and_whole_over_tcp() {
    let v6 = (0..44_u16).map(|n| [0x2001, 0xdb8, 0, 0, 0, 0, 0, n].into()).collect();
    let (name, answers) = (wire(APEX), Answers::new(&Records { v6, ..records() }));
    let edns = |udp_size| Some(AskEdns { udp_size, dnssec_ok: false, options: &[] });
    for (edns, transport, octets_max) in [
        (None, Transport::Udp, 512),
        (edns(100), Transport::Udp, 512),
        (edns(600), Transport::Udp, 600),
        (edns(65_535), Transport::Udp, 1_232),
        (None, Transport::Tcp, 65_535),
    ] {
        let asked = Ask { edns, ..Ask::new(3, &name, rtype::AAAA) };
        let mut packet = Vec::new();
        asked.encode(&mut packet);
        let (reply, out) = serve(&packet, &answers, transport);
        let answered = asked.check(&out).unwrap();
        assert!(out.len() <= octets_max);
        assert_eq!(answered.truncated, octets_max < 1_300);
        assert_eq!(reply.unwrap().truncated, answered.truncated);
        assert_eq!(answered.answers.len(), if answered.truncated { 0 } else { 44 });
        assert_eq!(answered.edns_udp_size.is_some(), edns.is_some());
    }
}

//----------- Packets that nobody should send ----------------------------------------------------------------------

/// A query for A at the apex, changed by `change`, then what is answered and what was odd.
fn odd(change: impl FnOnce(&mut Vec<u8>)) -> (Option<u16>, Vec<&'static str>) {
    let (name, answers) = (wire(APEX), Answers::new(&records()));
    let mut packet = Vec::new();
    Ask::new(5, &name, rtype::A).encode(&mut packet);
    change(&mut packet);
    let (reply, out) = serve(&packet, &answers, Transport::Udp);
    assert_eq!(out.is_empty(), reply.is_none());
    let codes = Query::parse(&packet).oddities.iter().map(Oddity::code).collect();
    (reply.map(|reply| reply.rcode), codes)
}

fn with_records(packet: &mut Vec<u8>, section: usize, records: &[&[u8]]) {
    packet[4 + 2 * section + 1] += records.len() as u8;
    records.iter().for_each(|record| packet.extend_from_slice(record));
}

const OPT: &[u8] = &[0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0];
const OPT_VERSION_1: &[u8] = &[0, 0, 41, 4, 0xd0, 0, 1, 0, 0, 0, 0];
const OPT_OWNED: &[u8] = &[1, b'x', 0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0];
const OPT_CUT_OPTION: &[u8] = &[0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 4, 0, 3, 0, 9];
const OPT_SHORT_COOKIE: &[u8] = &[0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 6, 0, 10, 0, 2, 1, 2];
const OPT_BAD_SUBNET: &[u8] = &[0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 8, 0, 8, 0, 4, 0, 1, 33, 0];
const OWNER_IS_QUESTION: &[u8] = &[1, b'x', 0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0];
const OWNER_POINTS_AHEAD: &[u8] = &[0xc1, 12, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0];
/// Behind the header and 25 octets of question.
const OWNER_IS_ITSELF: &[u8] = &[0xc0, 37, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0];
const TXT_RECORD: &[u8] = &[0, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0];

/// 240 octets of labels and a pointer to the question's 21: more than a name has.
fn long_owner() -> Vec<u8> {
    [&b"\x01a".repeat(120)[..], OWNER_IS_QUESTION.split_at(2).1].concat()
}

#[test]
fn odd_packets_are_answered_as_the_rfcs_say_and_named() {
    type Change = fn(&mut Vec<u8>);
    let table: &[(Change, Option<u16>, &[&str])] = &[
        (|_| {}, Some(0), &[]),
        (|packet| packet.truncate(11), None, &["dns.short"]),
        (|packet| packet[2] |= 0x80, None, &["dns.response"]),
        (|packet| packet[2] |= 0x20, Some(rcode::NOTIMP), &["dns.opcode"]),
        (|packet| packet[2] |= 0x28, Some(rcode::NOTIMP), &["dns.opcode"]),
        (|packet| packet[2] |= 0x02, Some(0), &["dns.flags"]),
        (|packet| packet[3] |= 0x30, Some(0), &[]),
        (|packet| packet[5] = 0, Some(rcode::FORMERR), &["dns.qdcount", "dns.trailing"]),
        (|packet| packet[5] = 2, Some(rcode::FORMERR), &["dns.qdcount"]),
        (|packet| packet[12] = 0xc0, Some(rcode::FORMERR), &["dns.question-pointer"]),
        (|packet| packet[12] = 0x41, Some(rcode::FORMERR), &["dns.question-label"]),
        (|packet| packet.truncate(20), Some(rcode::FORMERR), &["dns.question-cut"]),
        (|packet| _ = packet.pop(), Some(rcode::FORMERR), &["dns.question-cut"]),
        (
            |packet| packet.splice(12..12, [b'\x01', b'a'].repeat(130)).for_each(drop),
            Some(rcode::FORMERR),
            &["dns.question-long"],
        ),
        (|packet| *packet.last_mut().unwrap() = 3, Some(rcode::REFUSED), &["dns.class"]),
        (|packet| packet.push(0), Some(0), &["dns.trailing"]),
        (|packet| packet[11] = 1, Some(rcode::FORMERR), &["dns.record-cut"]),
        (|packet| packet[10] = 1, Some(rcode::FORMERR), &["dns.record-count"]),
        (|packet| with_records(packet, 3, &[OWNER_IS_QUESTION]), Some(0), &[]),
        (|packet| with_records(packet, 3, &[OWNER_POINTS_AHEAD]), Some(rcode::FORMERR), &["dns.record-cut"]),
        (|packet| with_records(packet, 3, &[OWNER_IS_ITSELF]), Some(rcode::FORMERR), &["dns.record-cut"]),
        (|packet| with_records(packet, 3, &[&long_owner()]), Some(rcode::FORMERR), &["dns.record-cut"]),
        (|packet| with_records(packet, 1, &[TXT_RECORD]), Some(0), &["dns.answer-section"]),
        (|packet| with_records(packet, 2, &[TXT_RECORD]), Some(0), &["dns.authority-section"]),
        (|packet| with_records(packet, 3, &[OPT]), Some(0), &[]),
        (|packet| with_records(packet, 3, &[OPT, OPT]), Some(rcode::FORMERR), &["dns.opt-twice"]),
        (|packet| with_records(packet, 3, &[OPT_OWNED]), Some(rcode::FORMERR), &["dns.opt-owner"]),
        (|packet| with_records(packet, 1, &[OPT]), Some(rcode::FORMERR), &["dns.answer-section", "dns.opt-place"]),
        (|packet| with_records(packet, 3, &[OPT_VERSION_1]), Some(rcode::BADVERS), &["dns.edns-version"]),
        (|packet| with_records(packet, 3, &[OPT_CUT_OPTION]), Some(rcode::FORMERR), &["dns.opt-option"]),
        (|packet| with_records(packet, 3, &[OPT_SHORT_COOKIE]), Some(rcode::FORMERR), &["dns.cookie-length"]),
        (|packet| with_records(packet, 3, &[OPT_BAD_SUBNET]), Some(0), &["dns.subnet"]),
        (|packet| with_records(packet, 3, &[TXT_RECORD; RECORDS_MAX as usize]), Some(0), &[]),
        (|packet| with_records(packet, 3, &[TXT_RECORD; RECORDS_MAX as usize + 1]), Some(1), &["dns.record-count"]),
    ];
    for (at, (change, rcode, codes)) in table.iter().enumerate() {
        assert_eq!(odd(change), (*rcode, codes.to_vec()), "row {at}");
    }
}

#[test]
fn options_are_seen_and_kept() {
    let subnet = [0, 1, 24, 0, 203, 0, 113];
    let mut options = vec![0, 3, 0, 0, 0, 8, 0, 7];
    options.extend_from_slice(&subnet);
    options.extend_from_slice(&[0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
    let name = wire(APEX);
    let edns = Some(AskEdns { udp_size: 4096, dnssec_ok: true, options: &options });
    let mut packet = Vec::new();
    Ask { edns, ..Ask::new(5, &name, rtype::A) }.encode(&mut packet);
    let query = Query::parse(&packet);
    let edns = query.edns.unwrap();
    assert!(edns.nsid && edns.dnssec_ok && query.oddities.is_empty());
    assert_eq!((edns.udp_size, edns.client_subnet), (4096, &subnet[..]));
    assert_eq!(edns.cookie, CookieSeen::ClientOnly(&[1, 2, 3, 4, 5, 6, 7, 8]));
}

//----------- Promises ---------------------------------------------------------------------------------------------

#[test]
fn a_query_owns_nothing_and_a_reply_fits_the_room_that_it_is_given() {
    fn is_copy<T: Copy>() {}
    is_copy::<Query<'_>>();
    let (name, answers) = (wire(APEX), Answers::new(&records()));
    let (jar, mut out) = (jar(), Vec::with_capacity(UDP_OCTETS_MAX));
    for qtype in 0..300 {
        let mut packet = Vec::new();
        Ask::new(5, &name, qtype).encode(&mut packet);
        let query = Query::parse(&packet);
        let manners = Manners::new(&jar, CLIENT, NOW_SECS);
        answer(&query, Some(Zone::new(&answers, 0)), Transport::Udp, &manners, &mut out);
        assert_eq!(out.capacity(), UDP_OCTETS_MAX);
    }
}

#[test]
fn every_oddity_has_its_own_code_and_place() {
    let codes: std::collections::BTreeSet<_> = Oddity::ALL.into_iter().map(Oddity::code).collect();
    assert_eq!(codes.len(), Oddity::ALL.len());
    assert!(codes.iter().all(|code| code.starts_with("dns.")));
    assert!(Oddity::ALL.iter().enumerate().all(|(at, oddity)| *oddity as usize == at));
}

#[test]
fn names_become_wire_or_nothing() {
    assert_eq!(wire("a.Bc."), b"\x01a\x02Bc\x00");
    assert_eq!(wire("."), b"\x00");
    for bad in ["a..b", &"a".repeat(64), &"abcdefg.".repeat(32)] {
        assert_eq!(name_to_wire(bad), None, "{bad}");
    }
}
