//! What is kept of a query, whoever received it: we, or a fleet's server that told us.

use std::borrow::Cow;

use model::contact::{Cookie, Edns, Query};
use wire::dns::{self, Fate, Oddities};

use super::RAW_OCTETS_MAX;

pub(crate) fn codes(oddities: Oddities) -> Vec<Cow<'static, str>> {
    oddities.iter().map(|oddity| Cow::Borrowed(oddity.code())).collect()
}

/// Whether the packet itself is the evidence.
fn is_malformed(query: &dns::Query<'_>) -> bool {
    query.fate != Fate::Answer
}

/// Whether less of the packet is kept than there was.
pub(crate) fn is_cut(packet: &[u8], query: &dns::Query<'_>) -> bool {
    is_malformed(query) && packet.len() > RAW_OCTETS_MAX
}

/// The question as it was sent, with the octets where they could not be read. What was answered is for the caller to say.
pub(crate) fn asked<'a>(packet: &'a [u8], query: &dns::Query<'a>, cookie: Cookie) -> Query<'a> {
    let raw = if is_malformed(query) { &packet[..packet.len().min(RAW_OCTETS_MAX)] } else { &[] };
    Query {
        id: query.id,
        flags: query.flags,
        name: query.question.map_or(&[][..], |question| question.name).into(),
        qtype: query.question.map_or(0, |question| question.qtype),
        qclass: query.question.map_or(0, |question| question.qclass),
        edns: query.edns.map(|edns| self::edns(edns, cookie)),
        size: u16::try_from(packet.len()).unwrap_or(u16::MAX),
        rcode: None,
        raw: raw.into(),
        repeats: 0,
    }
}

fn edns(edns: dns::Edns<'_>, cookie: Cookie) -> Edns<'_> {
    Edns {
        udp_size: edns.udp_size,
        version: edns.version,
        dnssec_ok: edns.dnssec_ok,
        cookie,
        client_subnet: edns.client_subnet.into(),
    }
}
