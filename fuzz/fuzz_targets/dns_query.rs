//! Any packet: it is read without a panic, and answered with bounded octets that the asker's side can read.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use wire::dns::ask::{Ask, name_to_wire};
use wire::dns::{Answers, Query, Records, Transport, UDP_OCTETS_MAX, Zone, answer, rtype};

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
        let zone = Zone { answers: &ANSWERS, depth };
        check(&query, Some(zone), &mut out);
        depth += 1 + usize::from(question.name[depth]);
    }
    check(&query, None, &mut out);
    let _ = Ask::new(0, b"\x01a\x00", rtype::A).check(packet);
});

fn check(query: &Query<'_>, zone: Option<Zone<'_>>, out: &mut Vec<u8>) {
    let reply = answer(query, zone, Transport::Udp, out);
    assert!(out.len() <= UDP_OCTETS_MAX);
    assert_eq!(reply.is_none(), out.is_empty());
    if let (Some(reply), Some(question)) = (reply, query.question) {
        let asked = Ask { qclass: question.qclass, ..Ask::new(query.id, question.name, question.qtype) };
        let answered = asked.check(out).expect("our reply answers our question");
        let whole = if query.edns.is_some() { reply.rcode } else { reply.rcode & 15 };
        assert_eq!(answered.rcode, whole);
    }
}
