//! One frame's way through the house: read it, find its zone, record who asked.
//!
//! A name that may not be recorded is only counted, by our own clock and not by the sender's. A *client* query (BIND calls
//! a query so that asks for recursion; resolvers call all of theirs so) is kept only for names of ours: what the clients
//! of a resolver ask besides is nobody's business.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use model::Timestamp;
use model::contact::{Contact, Cookie, Limits, NamedBy, Query, Transport, Via, What};
use model::id::ContactId;
use model::tally::{Shed, Tally};
use wire::dns::{self, CookieSeen};
use wire::dnstap::{Kind, Message, Payload, Protocol, Unreadable};

use crate::dns::evidence;
use crate::recorder::Recorder;
use crate::thrift::Wanted;
use crate::zones::{ServedZone, Zones};

/// How far a sender's clock may be before ours. What claims to come from later is stamped with our own time.
const AHEAD_MAX: Duration = Duration::from_secs(300);

/// What became of a frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kept {
    Staged,
    /// The name may not be recorded, or there is no room: counted.
    OnlyCounted,
    /// A response, or what is no query of ours to keep.
    PassedOver,
}

/// Stages the frame's contact, or counts that it may not be kept.
pub(super) fn keep(
    frame: &[u8],
    sensor: &str,
    now: Timestamp,
    zones: &Zones,
    recorder: &mut Recorder,
) -> Result<Kept, Unreadable> {
    let Some(message) = Payload::parse(frame)?.message else { return Ok(Kept::PassedOver) };
    if !matches!(message.kind, Kind::AuthQuery | Kind::ClientQuery) {
        return Ok(Kept::PassedOver);
    }
    let source = message.source().ok_or(Unreadable)?;
    if message.query.is_empty() {
        return Err(Unreadable);
    }
    let query = dns::Query::parse(message.query);
    let served = query.question.and_then(|question| zones.find(question.name)).map(|found| found.served);
    if !may_record(served, message.kind, now) {
        recorder.count(&Tally { shed: Shed { not_covered: 1, ..Shed::default() }, ..Tally::default() });
        return Ok(Kept::OnlyCounted);
    }
    let apex = served.map_or("", |served| served.zone.apex().as_str());
    let wanted = Wanted::new(source.ip(), apex, served.is_some_and(ServedZone::is_kill_switch));
    if !recorder.has_room(&wanted, 1, now) {
        return Ok(Kept::OnlyCounted);
    }
    let told = Told { message: &message, sensor, source, received: received(&message, now) };
    recorder.contact(told.contact(&query, served, recorder.next_id()));
    Ok(Kept::Staged)
}

fn may_record(served: Option<&ServedZone>, kind: Kind, now: Timestamp) -> bool {
    served.map_or(kind == Kind::AuthQuery, |served| served.may_record(now))
}

/// The sender's time of receipt, as far as it can be one.
fn received(message: &Message<'_>, now: Timestamp) -> Timestamp {
    let claimed = message
        .query_time
        .and_then(|(secs, nanos)| Timestamp::new(i64::try_from(secs).ok()?, i32::try_from(nanos).ok()?).ok());
    let latest = now.checked_add(AHEAD_MAX).unwrap_or(Timestamp::MAX);
    claimed.filter(|claimed| *claimed <= latest).unwrap_or(now)
}

//----------- Told -------------------------------------------------------------------------------------------------

/// A query as a fleet server told it.
struct Told<'a> {
    message: &'a Message<'a>,
    sensor: &'a str,
    source: SocketAddr,
    received: Timestamp,
}

impl<'a> Told<'a> {
    fn contact(&self, query: &dns::Query<'a>, served: Option<&'a ServedZone>, id: ContactId) -> Contact<'a> {
        Contact {
            id,
            received: self.received,
            source: self.source,
            local: self.message.local().unwrap_or_else(|| nowhere(self.source.ip())),
            transport: transport(self.message.protocol),
            via: Via::Dnstap { sensor: self.sensor.into() },
            over: None,
            subject: served.map(|served| served.subject(NamedBy::Question)),
            oddities: evidence::codes(query.oddities),
            limits: self.limits(query),
            what: What::Query(self.asked(query)),
        }
    }

    fn limits(&self, query: &dns::Query<'_>) -> Limits {
        if evidence::is_cut(self.message.query, query) { Limits::CUT } else { Limits::default() }
    }

    /// The response code is not known: the record of a query is written before there is one.
    fn asked(&self, query: &dns::Query<'a>) -> Query<'a> {
        evidence::asked(self.message.query, query, cookie(query))
    }
}

/// The server did not say at which of its addresses it was asked.
fn nowhere(like: IpAddr) -> SocketAddr {
    let unspecified = if like.is_ipv4() { IpAddr::from([0; 4]) } else { IpAddr::from([0; 16]) };
    SocketAddr::new(unspecified, 0)
}

/// TLS, HTTPS and QUIC carry DNS as a stream does.
fn transport(protocol: Option<Protocol>) -> Transport {
    match protocol {
        Some(Protocol::Udp) | None => Transport::Udp,
        Some(Protocol::Tcp | Protocol::Other) => Transport::Tcp,
    }
}

fn cookie(query: &dns::Query<'_>) -> Cookie {
    match query.edns.map_or(CookieSeen::Absent, |edns| edns.cookie) {
        CookieSeen::Absent => Cookie::Absent,
        CookieSeen::ClientOnly(_) => Cookie::ClientOnly,
        // A server's part is the fleet server's own: we cannot tell whether it holds.
        CookieSeen::WithServer(..) => Cookie::Invalid,
        CookieSeen::Malformed => Cookie::Malformed,
    }
}
