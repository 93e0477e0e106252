//! One table per rule: identity, extended errors, opcodes, classes, types, proofs, certificates, slips, amplification.

use std::time::Duration;

use super::cookies::{ask_with, cookie_option, option_of};
use super::*;

/// A question with EDNS, and the reply's code, kind, extended error and number of records.
fn judged(name: &str, qtype: u16, qclass: u16, flags: u16, transport: Transport) -> (u16, Kind, Option<u16>, usize) {
    let (name, answers) = (wire(name), Answers::new(&records()));
    let edns = Some(AskEdns { udp_size: 1232, dnssec_ok: false, options: &[] });
    let mut packet = Vec::new();
    Ask { qclass, edns, ..Ask::new(7, &name, qtype) }.encode(&mut packet);
    packet[2..4].copy_from_slice(&flags.to_be_bytes());
    let (reply, out) = serve(&packet, &answers, transport);
    let reply = reply.unwrap();
    let asked = Ask { qclass, ..Ask::new(7, &name, qtype) };
    let answered = asked.check(&out).unwrap();
    assert_eq!(out[2] & 0x78, packet[2] & 0x78, "the opcode comes back");
    let error = option_of(&out, option::EXTENDED_ERROR).map(|value| u16::from_be_bytes([value[0], value[1]]));
    assert_eq!(answered.rcode, reply.rcode);
    // Whoever is refused hears of nobody else.
    assert!(reply.kind != Kind::Error || answered.answers.len() + answered.authorities.len() == 0);
    (reply.rcode, reply.kind, error, answered.answers.len())
}

#[test]
fn opcodes_that_we_do_not_speak_are_answered_so() {
    for opcode in 1..16_u16 {
        for name in [APEX, "other.test"] {
            let got = judged(name, rtype::SOA, class::IN, opcode << 11, Transport::Udp);
            assert_eq!(got, (rcode::NOTIMP, Kind::Error, Some(extended_error::NOT_SUPPORTED), 0), "opcode {opcode}");
        }
    }
}

#[test]
fn classes_and_names_that_are_not_ours_are_refused() {
    for (name, qtype, qclass, error) in [
        ("version.bind", rtype::TXT, class::CH, None),
        ("hostname.bind", rtype::TXT, class::CH, None),
        ("id.server", rtype::TXT, class::CH, None),
        ("version.server", rtype::TXT, class::CH, None),
        (APEX, rtype::A, class::CH, None),
        (APEX, rtype::A, class::ANY, None),
        (APEX, rtype::A, class::NONE, None),
        (APEX, rtype::A, 0, None),
        ("other.test", rtype::A, class::IN, Some(extended_error::NOT_AUTHORITATIVE)),
        ("test", rtype::NS, class::IN, Some(extended_error::NOT_AUTHORITATIVE)),
        (".", rtype::NS, class::IN, Some(extended_error::NOT_AUTHORITATIVE)),
    ] {
        let got = judged(name, qtype, qclass, 0, Transport::Udp);
        assert_eq!(got, (rcode::REFUSED, Kind::Error, error, 0), "{name} {qtype} {qclass}");
    }
}

#[test]
fn every_type_has_an_answer() {
    let not_supported = Some(extended_error::NOT_SUPPORTED);
    let no_type = Some(extended_error::INVALID_QUERY_TYPE);
    for (qtype, rcode, kind, error) in [
        (0, rcode::NOERROR, Kind::NoData, None),
        (rtype::A, rcode::NOERROR, Kind::Data, None),
        (5, rcode::NOERROR, Kind::NoData, None),
        (rtype::OPT, rcode::FORMERR, Kind::Error, None),
        (43, rcode::NOERROR, Kind::NoData, None),
        (rtype::SVCB, rcode::NOERROR, Kind::NoData, None),
        (rtype::HTTPS, rcode::NOERROR, Kind::NoData, None),
        (rtype::NXNAME, rcode::FORMERR, Kind::Error, no_type),
        (rtype::TKEY, rcode::NOTIMP, Kind::Error, not_supported),
        (rtype::TSIG, rcode::FORMERR, Kind::Error, None),
        (rtype::IXFR, rcode::REFUSED, Kind::Error, None),
        (rtype::AXFR, rcode::REFUSED, Kind::Error, None),
        (rtype::MAILB, rcode::NOTIMP, Kind::Error, not_supported),
        (rtype::MAILA, rcode::NOTIMP, Kind::Error, not_supported),
        (rtype::ANY, rcode::NOERROR, Kind::Data, None),
        (65_280, rcode::NOERROR, Kind::NoData, None),
        (u16::MAX, rcode::NOERROR, Kind::NoData, None),
    ] {
        for transport in [Transport::Udp, Transport::Tcp] {
            let (got_rcode, got_kind, got_error, count) = judged(APEX, qtype, class::IN, 0, transport);
            assert_eq!((got_rcode, got_kind, got_error), (rcode, kind, error), "type {qtype} {transport:?}");
            assert_eq!(count, usize::from(kind == Kind::Data), "type {qtype}");
        }
    }
}

#[test]
fn nothing_below_an_apex_is_nxdomain() {
    for name in ["a", "_tcp", "*", "b.a", "_25._tcp", "_acme-challenge", "x._acme-challenge"] {
        for qtype in 0..260 {
            let (rcode, ..) = judged(&format!("{name}.{APEX}"), qtype, class::IN, 0, Transport::Udp);
            assert_ne!(rcode, rcode::NXDOMAIN, "{name} {qtype}");
        }
    }
}

#[test]
fn who_we_are_is_told_to_whoever_asks_and_never_from_a_sealed_zone() {
    let jar = jar();
    let long = [b'x'; SERVER_ID_OCTETS_MAX + 1];
    let asked = |zone: fn(Zone<'_>) -> Option<Zone<'_>>, server_id, options: &[u8]| {
        let (name, answers) = (wire(APEX), Answers::new(&records()));
        let edns = Some(AskEdns { udp_size: 1232, dnssec_ok: false, options });
        let (mut packet, mut out) = (Vec::new(), Vec::new());
        Ask { edns, ..Ask::new(7, &name, rtype::A) }.encode(&mut packet);
        let manners = Manners { server_id, ..Manners::new(&jar, CLIENT, NOW_SECS) };
        answer(&Query::parse(&packet), zone(Zone::new(&answers, 0)), Transport::Udp, &manners, &mut out).unwrap();
        option_of(&out, option::NSID)
    };
    let nsid = [0, 3, 0, 0];
    assert_eq!(asked(|zone| Some(zone), Some(b"sensor-1"), &nsid), Some(b"sensor-1".to_vec()));
    assert_eq!(asked(|zone| Some(zone), Some(&long), &nsid), Some(long[1..].to_vec()));
    assert_eq!(asked(|zone| Some(zone), Some(b"sensor-1"), &[]), None);
    assert_eq!(asked(|zone| Some(zone), None, &nsid), None);
    assert_eq!(asked(|zone| Some(Zone { is_sealed: true, ..zone }), Some(b"sensor-1"), &nsid), None);
    assert_eq!(asked(|_| None, Some(b"sensor-1"), &nsid), None);
}

#[test]
fn how_long_a_connection_may_be_silent_is_told_over_tcp_to_whoever_asks() {
    let (name, answers, jar) = (wire(APEX), Answers::new(&records()), jar());
    let asked = |transport, tcp_idle, options: &[u8]| {
        let edns = Some(AskEdns { udp_size: 1232, dnssec_ok: false, options });
        let mut packet = Vec::new();
        Ask { edns, ..Ask::new(7, &name, rtype::A) }.encode(&mut packet);
        let manners = Manners { tcp_idle, ..Manners::new(&jar, CLIENT, NOW_SECS) };
        let (_, out) = serve_with(&packet, &answers, transport, &manners);
        option_of(&out, option::TCP_KEEPALIVE)
    };
    let (ten_secs, a_day) = (Some(Duration::from_secs(10)), Some(Duration::from_secs(86_400)));
    let keepalive = [0, 11, 0, 0];
    assert_eq!(asked(Transport::Tcp, ten_secs, &keepalive), Some(vec![0, 100]), "in units of 100 ms");
    assert_eq!(asked(Transport::Tcp, a_day, &keepalive), Some(vec![0xff, 0xff]), "the longest that can be said");
    assert_eq!(asked(Transport::Tcp, ten_secs, &[0, 11, 0, 2, 0xff, 0xff]), Some(vec![0, 100]), "ours, not theirs");
    assert_eq!(asked(Transport::Tcp, ten_secs, &[]), None);
    assert_eq!(asked(Transport::Udp, ten_secs, &keepalive), None);
    assert_eq!(asked(Transport::Tcp, None, &keepalive), None);
}

#[test]
fn a_version_that_does_not_exist_is_told_so_and_its_options_are_not_answered() {
    let (name, answers, jar) = (wire(APEX), Answers::new(&records()), jar());
    let options = cookie_option(&[7; 8]);
    let edns = Some(AskEdns { udp_size: 1232, dnssec_ok: true, options: &options });
    let mut packet = Vec::new();
    Ask { edns, ..Ask::new(7, &name, rtype::A) }.encode(&mut packet);
    let opt = 12 + name.len() + 4;
    packet[opt + 6] = 1;
    let manners = Manners { server_id: Some(b"x"), ..Manners::new(&jar, CLIENT, NOW_SECS) };
    let (reply, out) = serve_with(&packet, &answers, Transport::Udp, &manners);
    assert_eq!(reply.unwrap().rcode, rcode::BADVERS);
    // The root, OPT, our size, the upper bits of 16, version 0, DO as it was, no options.
    assert_eq!(out[opt..], [0, 0, 41, 4, 0xd0, 1, 0, 0x80, 0, 0, 0]);
}

//----------- Proofs and certificates ------------------------------------------------------------------------------

fn proofs(name: &str, qtype: u16, tokens: &[AcmeToken]) -> Vec<String> {
    let (full, answers, jar) = (wire(name), Answers::new(&records()), jar());
    let (mut packet, mut out) = (Vec::new(), Vec::new());
    let edns = Some(AskEdns { udp_size: 1232, dnssec_ok: false, options: &[] });
    let asked = Ask { edns, ..Ask::new(7, &full, qtype) };
    asked.encode(&mut packet);
    let zone = Zone { acme: tokens, ..zone_of(&full, &answers).unwrap() };
    let manners = Manners::new(&jar, CLIENT, NOW_SECS);
    answer(&Query::parse(&packet), Some(zone), Transport::Udp, &manners, &mut out).unwrap();
    let answered = asked.check(&out).unwrap();
    assert!(answered.authoritative && !answered.truncated);
    answered.answers.iter().map(|record| format!("{} {}", record.ttl_secs, rdata(record))).collect()
}

#[test]
fn a_proof_is_told_at_its_name_while_it_is_needed() {
    let token = |digit: &str| AcmeToken::parse(&digit.repeat(43)).unwrap();
    let two = [token("a"), token("B")];
    let said = |digit: &str| format!("30 +{}", digit.repeat(43));
    let challenge = format!("_acme-challenge.{APEX}");
    assert_eq!(proofs(&challenge, rtype::TXT, &two), [said("a"), said("B")]);
    assert_eq!(proofs(&challenge.to_uppercase(), rtype::TXT, &two[..1]), [said("a")]);
    assert_eq!(proofs(&challenge, rtype::TXT, &[]), [""; 0]);
    assert_eq!(proofs(&challenge, rtype::AAAA, &two).len(), 1);
    assert_eq!(proofs(&format!("_acme-challenge.www.{APEX}"), rtype::TXT, &two), [""; 0]);
    assert_eq!(proofs(APEX, rtype::TXT, &two), [r"600 \x0bv=spf1 -all"]);
    assert_eq!(proofs(&challenge, rtype::TXT, &[token("c"); ACME_TOKENS_MAX + 1]).len(), ACME_TOKENS_MAX);
}

#[test]
fn a_token_is_a_digest_in_base64url() {
    assert!(AcmeToken::parse("LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0").is_some());
    for bad in ["", "short", &"a".repeat(42), &"a".repeat(44), &format!("{}=", "a".repeat(42)), &"+".repeat(43)] {
        assert_eq!(AcmeToken::parse(bad), None, "{bad}");
    }
}

#[test]
fn caa_names_those_who_may_certify_or_nobody() {
    let only = |issuers: &[&str]| Certifiers::Only(issuers.iter().map(|issuer| (*issuer).to_owned()).collect());
    for (certifiers, expected) in [
        (Certifiers::Unsaid, vec![]),
        (Certifiers::Nobody, vec![r"\x00\x05issue;"]),
        (only(&[]), vec![r"\x00\x05issue;"]),
        (only(&["ca.example", "b.example"]), vec![r"\x00\x05issueca.example", r"\x00\x05issueb.example"]),
    ] {
        let (name, answers) = (wire(APEX), Answers::new(&Records { certifiers, ..records() }));
        let asked = Ask::new(7, &name, rtype::CAA);
        let mut packet = Vec::new();
        asked.encode(&mut packet);
        let (_, out) = serve(&packet, &answers, Transport::Udp);
        let answered = asked.check(&out).unwrap();
        assert_eq!(answered.answers.iter().map(rdata).collect::<Vec<_>>(), expected);
    }
}

//----------- Not a weapon -----------------------------------------------------------------------------------------

#[test]
fn a_slip_has_no_records_and_the_cookie_that_lifts_the_limit() {
    let (name, jar) = (wire(APEX), jar());
    let manners = Manners::new(&jar, CLIENT, NOW_SECS);
    let mut packet = Vec::new();
    let options = cookie_option(&[7; 8]);
    for edns in [None, Some(AskEdns { udp_size: 1232, dnssec_ok: true, options: &options })] {
        let asked = Ask { edns, ..Ask::new(7, &name, rtype::AAAA) };
        asked.encode(&mut packet);
        let mut out = vec![1; 9];
        let reply = slip(&Query::parse(&packet), &manners, &mut out).unwrap();
        assert_eq!((reply.kind, reply.rcode, reply.truncated), (Kind::Slipped, rcode::NOERROR, true));
        let answered = asked.check(&out).unwrap();
        assert!(answered.truncated && answered.answers.is_empty() && answered.authorities.is_empty());
        assert_eq!(answered.edns_udp_size.is_some(), edns.is_some());
        // As long as the question, but for the 16 octets of our half of the cookie.
        assert_eq!(out.len(), packet.len() + if edns.is_some() { 16 } else { 0 });
        let back = option_of(&out, option::COOKIE);
        assert!(back.is_none_or(|cookie| {
            ask_with(&cookie_option(&cookie), &manners, Transport::Udp).0.cookie == CookieState::Valid
        }));
    }
}

#[test]
fn a_slip_keeps_errors_and_silence() {
    let (name, jar) = (wire(APEX), jar());
    let manners = Manners::new(&jar, CLIENT, NOW_SECS);
    let (mut packet, mut out) = (Vec::new(), Vec::new());
    Ask::new(7, &name, rtype::OPT).encode(&mut packet);
    let reply = slip(&Query::parse(&packet), &manners, &mut out).unwrap();
    assert_eq!((reply.rcode, reply.kind, reply.truncated), (rcode::FORMERR, Kind::Error, false));
    packet[2] |= 0x80;
    assert_eq!(slip(&Query::parse(&packet), &manners, &mut out), None);
    assert!(out.is_empty());
}

/// A forged source makes every answer somebody else's burden. Octets out for octets in, the shortest question and the
/// most addresses that the sinkhole lets an operator set; `cargo test -- --nocapture` prints the table.
#[test]
fn no_answer_is_much_longer_than_its_question() {
    let most =
        Records { v4: vec![[192, 0, 2, 1].into(); 16], v6: vec!["2001:db8::1".parse().unwrap(); 16], ..records() };
    for (setting, records, factor_max) in [("usual", records(), 6.0), ("most", most, 22.0)] {
        for row in amplification(&Answers::new(&records)) {
            let factor = row.factor();
            println!(
                "{setting:5} {:7} edns {:7} {:3} -> {:4}  x{factor:.1}",
                row.qtype, row.edns, row.asked_octets, row.answered_octets
            );
            assert!(row.answered_octets <= UDP_OCTETS_MAX && factor <= factor_max, "{setting} {row:?}: x{factor:.1}");
        }
    }
}
