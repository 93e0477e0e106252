//! Any packet: it is read without a panic, and answered with bounded octets that the asker's side can read.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use wire::dns::ask::{Ask, name_to_wire};
use wire::dns::{
    AcmeToken, Answers, Certifiers, CookieJar, Fate, Manners, Query, Records, Reply, Transport, UDP_OCTETS_MAX, Zone,
    answer, rtype, slip,
};

static COOKIES: LazyLock<CookieJar> = LazyLock::new(|| CookieJar::new(&[1; 16], Some(&[2; 16])));
static ACME: LazyLock<[AcmeToken; 2]> =
    LazyLock::new(|| ["a", "b"].map(|digit| AcmeToken::parse(&digit.repeat(43)).expect("a token")));
static ANSWERS: LazyLock<Answers> = LazyLock::new(|| {
    let name = |text| name_to_wire(text).expect("a name");
    Answers::new(&Records {
        name_servers: vec![name("ns1.sinkhole.example"), name("ns2.sinkhole.example")],
        hostmaster: name("hostmaster.sinkhole.example"),
        serial: 1,
        ttl_secs: 300,
        negative_ttl_secs: 300,
        v4: vec![[192, 0, 2, 1].into()],
        v6: (0..16).map(|n| [0x2001, 0xdb8, 0, 0, 0, 0, 0, n].into()).collect(),
        refuses_mail: true,
        certifiers: Certifiers::Nobody,
    })
});

fuzz_target!(|packet: &[u8]| {
    let query = Query::parse(packet);
    // Every label of the question is an apex once.
    let mut depth = 0;
    let mut out = Vec::new();
    while let Some(question) = query.question.filter(|question| depth < question.name.len()) {
        check(&query, Some(Zone { acme: &*ACME, is_sealed: depth % 2 == 1, ..Zone::new(&ANSWERS, depth) }), &mut out);
        depth += 1 + usize::from(question.name[depth]);
    }
    check(&query, None, &mut out);
    let _ = Ask::new(0, b"\x01a\x00", rtype::A).check(packet);
});

fn check(query: &Query<'_>, zone: Option<Zone<'_>>, out: &mut Vec<u8>) {
    for requires_cookie in [false, true] {
        let manners = Manners::new(&COOKIES, IpAddr::V4(Ipv4Addr::LOCALHOST), 1_800_000_000);
        let manners = Manners { server_id: Some(b"sensor-1"), requires_cookie, ..manners };
        let reply = answer(query, zone, Transport::Udp, &manners, out);
        check_reply(query, reply, out);
        let reply = slip(query, &manners, out);
        check_reply(query, reply, out);
    }
}

fn check_reply(query: &Query<'_>, reply: Option<Reply>, out: &[u8]) {
    assert!(out.len() <= UDP_OCTETS_MAX);
    assert_eq!(reply.is_none(), out.is_empty());
    assert_eq!(reply.is_none(), query.fate == Fate::Silence);
    if let (Some(reply), Some(question)) = (reply, query.question) {
        let asked = Ask { qclass: question.qclass, ..Ask::new(query.id, question.name, question.qtype) };
        let answered = asked.check(out).expect("our reply answers our question");
        let whole = if query.edns.is_some() { reply.rcode } else { reply.rcode & 15 };
        assert_eq!(answered.rcode, whole);
    }
}
