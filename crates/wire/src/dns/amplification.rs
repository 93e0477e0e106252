//! How many octets an answer has for each octet of its question: what a forged source could make of us.

use std::net::{IpAddr, Ipv4Addr};

use super::ask::{Ask, AskEdns};
use super::{Answers, CookieJar, Manners, Query, SERVER_ID_OCTETS_MAX, Transport, UDP_OCTETS_MAX, Zone, answer, rtype};

/// As short as a registered name gets: what costs a liar least.
const SHORTEST_APEX: &[u8] = b"\x01a\x02bc\x00";

/// NSID, and a client's cookie.
const ALL_OPTIONS: &[u8] = &[0, 3, 0, 0, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];

const TYPES: [(u16, &str); 14] = [
    (rtype::A, "A"),
    (rtype::AAAA, "AAAA"),
    (rtype::NS, "NS"),
    (rtype::SOA, "SOA"),
    (rtype::MX, "MX"),
    (rtype::TXT, "TXT"),
    (rtype::CAA, "CAA"),
    (rtype::HTTPS, "HTTPS"),
    (rtype::ANY, "ANY"),
    (rtype::AXFR, "AXFR"),
    (rtype::IXFR, "IXFR"),
    (rtype::OPT, "OPT"),
    (rtype::MAILA, "MAILA"),
    (65_280, "unknown"),
];

/// One question over UDP and the length of its answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Amplified {
    pub qtype: &'static str,
    /// What of EDNS went along: nothing, a size, or every option that we answer.
    pub edns: &'static str,
    pub asked_octets: usize,
    pub answered_octets: usize,
}

impl Amplified {
    /// Octets out for octets in. UDP and IP headers, which both carry, would make it less.
    pub fn factor(&self) -> f64 {
        self.answered_octets as f64 / self.asked_octets as f64
    }
}

/// Asks the shortest apex for every type that we treat differently, in every way that lengthens the answer.
pub fn amplification(answers: &Answers) -> Vec<Amplified> {
    let edns = |options| Some(AskEdns { udp_size: u16::MAX, dnssec_ok: true, options });
    let ways = [("none", None), ("size", edns(&[])), ("options", edns(ALL_OPTIONS))];
    let rows = TYPES.iter().flat_map(|kind| ways.map(|way| (*kind, way)));
    rows.map(|((qtype, name), (way, edns))| {
        let (asked_octets, answered_octets) = measure(answers, qtype, edns);
        Amplified { qtype: name, edns: way, asked_octets, answered_octets }
    })
    .collect()
}

fn measure(answers: &Answers, qtype: u16, edns: Option<AskEdns<'_>>) -> (usize, usize) {
    let jar = CookieJar::new(&[0; 16], None);
    let server_id = [b'x'; SERVER_ID_OCTETS_MAX];
    let manners = Manners::new(&jar, IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    let manners = Manners { server_id: Some(&server_id), ..manners };
    let (mut packet, mut out) = (Vec::new(), Vec::with_capacity(UDP_OCTETS_MAX));
    Ask { edns, ..Ask::new(0, SHORTEST_APEX, qtype) }.encode(&mut packet);
    let zone = Some(Zone::new(answers, 0));
    answer(&Query::parse(&packet), zone, Transport::Udp, &manners, &mut out);
    (packet.len(), out.len())
}
