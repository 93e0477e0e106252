//! One packet's way through the house: read it, find its zone, write the reply, record who asked.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::LazyLock;

use model::Timestamp;
use model::contact::{Contact, Cookie, Edns, Limits, NamedBy, Query, Subject, Transport, Via, What};
use model::id::ContactId;
use model::tally::{Shed, Tally};
use wire::dns::{self, CookieJar, CookieState, Fate, Manners, Oddities, Reply, Zone};

use super::RAW_OCTETS_MAX;
use crate::recorder::Recorder;
use crate::zones::{Found, ServedZone, Zones};

/// Until settings carry the secrets of a whole anycast set, each process has its own.
static COOKIES: LazyLock<CookieJar> = LazyLock::new(|| {
    let mut secret = [0; dns::SECRET_OCTETS];
    getrandom::fill(&mut secret).expect("the kernel gives random octets");
    CookieJar::new(&secret, None)
});

/// A packet and all that is known of its way here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival<'a> {
    pub(super) packet: &'a [u8],
    /// More was sent than was read.
    pub(super) is_cut: bool,
    pub(super) received: Timestamp,
    pub(super) source: SocketAddr,
    pub(super) local: SocketAddr,
    pub(super) transport: dns::Transport,
    /// The connection that it came over.
    pub(super) over: Option<ContactId>,
}

/// Writes the reply into `out`, which stays empty if nothing may be sent, and stages the contact or counts that it may
/// not be kept. Nothing may leave before the recorder has committed.
pub(super) fn serve(arrival: &Arrival<'_>, zones: &Zones, recorder: &mut Recorder, out: &mut Vec<u8>) {
    let query = dns::Query::parse(arrival.packet);
    let found = query.question.and_then(|question| zones.find(question.name));
    let zone = found.map(|found| Zone::new(&found.served.answers, found.depth));
    let now_secs = arrival.received.as_second() as u32;
    let manners = Manners::new(&COOKIES, arrival.source.ip(), now_secs);
    let reply = dns::answer(&query, zone, arrival.transport, &manners, out);
    if found.is_none_or(|found| found.served.may_record(arrival.received)) {
        recorder.contact(contact(arrival, &query, found, reply, recorder.next_id()));
    } else {
        recorder.count(&Tally { shed: Shed { not_covered: 1, ..Shed::default() }, ..Tally::default() });
    }
}

fn contact<'a>(
    arrival: &Arrival<'a>,
    query: &dns::Query<'a>,
    found: Option<Found<'a>>,
    reply: Option<Reply>,
    id: ContactId,
) -> Contact<'a> {
    Contact {
        id,
        received: arrival.received,
        source: arrival.source,
        local: arrival.local,
        transport: match arrival.transport {
            dns::Transport::Udp => Transport::Udp,
            dns::Transport::Tcp => Transport::Tcp,
        },
        via: Via::Direct,
        over: arrival.over,
        subject: found.map(|found| subject(found.served)),
        oddities: codes(query.oddities),
        limits: limits(arrival, query, reply),
        what: What::Query(asked(arrival, query, reply)),
    }
}

fn subject(served: &ServedZone) -> Subject<'_> {
    Subject {
        case: served.zone.coverage().case().as_str().into(),
        apex: served.zone.apex().as_str().into(),
        named_by: NamedBy::Question,
    }
}

fn codes(oddities: Oddities) -> Vec<Cow<'static, str>> {
    oddities.iter().map(|oddity| Cow::Borrowed(oddity.code())).collect()
}

fn limits(arrival: &Arrival<'_>, query: &dns::Query<'_>, reply: Option<Reply>) -> Limits {
    let mut limits = Limits::default();
    if reply.is_some_and(|reply| reply.truncated) {
        limits = limits.with(Limits::TRUNCATED);
    }
    if arrival.is_cut || (is_malformed(query) && arrival.packet.len() > RAW_OCTETS_MAX) {
        limits = limits.with(Limits::CUT);
    }
    limits
}

/// Whether the packet itself is the evidence.
fn is_malformed(query: &dns::Query<'_>) -> bool {
    query.fate != Fate::Answer
}

fn asked<'a>(arrival: &Arrival<'a>, query: &dns::Query<'a>, reply: Option<Reply>) -> Query<'a> {
    let packet = arrival.packet;
    let raw = if is_malformed(query) { &packet[..packet.len().min(RAW_OCTETS_MAX)] } else { &[] };
    Query {
        id: query.id,
        flags: query.flags,
        name: query.question.map_or(&[][..], |question| question.name).into(),
        qtype: query.question.map_or(0, |question| question.qtype),
        qclass: query.question.map_or(0, |question| question.qclass),
        edns: query.edns.map(|asked| edns(asked, reply)),
        size: u16::try_from(packet.len()).unwrap_or(u16::MAX),
        rcode: reply.map(|reply| reply.rcode),
        raw: raw.into(),
    }
}

fn edns<'a>(edns: dns::Edns<'a>, reply: Option<Reply>) -> Edns<'a> {
    Edns {
        udp_size: edns.udp_size,
        version: edns.version,
        dnssec_ok: edns.dnssec_ok,
        cookie: match reply.map(|reply| reply.cookie) {
            None | Some(CookieState::Absent) => Cookie::Absent,
            Some(CookieState::ClientOnly) => Cookie::ClientOnly,
            Some(CookieState::Valid) => Cookie::Valid,
            Some(CookieState::Invalid) => Cookie::Invalid,
            Some(CookieState::Malformed) => Cookie::Malformed,
        },
        client_subnet: edns.client_subnet.into(),
    }
}
