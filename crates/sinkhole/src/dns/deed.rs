//! One packet's way through the house: read it, find its zone, write the reply, judge its rate, record who asked.

use std::net::SocketAddr;

use model::Timestamp;
use model::contact::{Contact, Cookie, Limits, NamedBy, Query, Transport, Via, What};
use model::id::ContactId;
use model::tally::Tally;
use wire::dns::{self, CookieState, Kind, Reply};

use super::evidence;
use super::voice::Saying;
use crate::rate::{Answer, Asked, Rates, Record};
use crate::recorder::Recorder;
use crate::settings::RateLimits;
use crate::thrift::Wanted;
use crate::zones::Found;

/// A packet and all that is known of its way here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival<'a> {
    pub(super) packet: &'a [u8],
    /// More was sent than was read.
    pub(super) is_cut: bool,
    pub(super) received: Timestamp,
    /// By the monotonic clock, since the listener's start: what rates go by.
    pub(super) since_start_nanos: u64,
    pub(super) source: SocketAddr,
    pub(super) local: SocketAddr,
    pub(super) transport: dns::Transport,
    /// The connection that it came over.
    pub(super) over: Option<ContactId>,
}

/// What a packet says, and the zone that it concerns.
#[derive(Clone, Copy)]
pub(super) struct Read<'a> {
    pub(super) query: &'a dns::Query<'a>,
    pub(super) found: Option<Found<'a>>,
}

/// What a thread answers and records with.
pub(super) struct Pen {
    pub(super) recorder: Recorder,
    rates: Rates,
    /// What happened since the last commit, beside the contacts themselves.
    batch: Tally,
}

impl Pen {
    pub(super) fn new(recorder: Recorder, limits: RateLimits) -> Self {
        Self { recorder, rates: Rates::new(limits), batch: Tally::default() }
    }

    /// Writes the reply into `out`, which stays empty if nothing may be sent, and stages the contact or counts it.
    /// Nothing may leave before [`Self::commit`].
    pub(super) fn serve(&mut self, arrival: &Arrival<'_>, read: Read<'_>, saying: &Saying<'_>, out: &mut Vec<u8>) {
        let Read { query, found } = read;
        let zone = found.map(|found| saying.zone(found, arrival.received));
        let manners = saying.manners(arrival.source.ip(), arrival.received);
        let reply = dns::answer(query, zone, arrival.transport, &manners, out);
        let is_kept = found.is_none_or(|found| found.served.may_record(arrival.received));
        let asked = asked_of(arrival, query, found, reply, is_kept);
        let (answer, record) = self.judge(&asked, found, arrival.since_start_nanos);
        match answer {
            Answer::Send => {}
            Answer::Slip => {
                self.batch.answers.rate_slipped += 1;
                dns::slip(query, &manners, out);
            }
            Answer::Drop => {
                self.batch.answers.rate_dropped += 1;
                out.clear();
            }
        }
        match record {
            _ if !is_kept => self.batch.shed.not_covered += 1,
            Record::Write { repeats } if self.has_room(&asked, found, answer, repeats, arrival.received) => {
                let said = Said { reply, answer, repeats };
                self.recorder.contact(contact(arrival, query, found, said, self.recorder.next_id()));
            }
            Record::Write { .. } => {}
            Record::Collapse => self.batch.collapsed += 1,
        }
    }

    /// Whether the journal has room for it; if not it is counted.
    fn has_room(
        &mut self,
        asked: &Asked<'_>,
        found: Option<Found<'_>>,
        answer: Answer,
        repeats: u32,
        now: Timestamp,
    ) -> bool {
        let is_kill_switch = found.is_some_and(|found| found.served.is_kill_switch());
        let (is_repeat, is_limited) = (repeats > 0, answer != Answer::Send);
        let wanted = Wanted { is_repeat, is_limited, ..Wanted::new(asked.source, asked.apex, is_kill_switch) };
        self.recorder.has_room(&wanted, 1, now)
    }

    /// Writes what was staged and counted, and then the answers may leave. Whether it reached the journal.
    pub(super) fn commit(&mut self, now: Timestamp) -> bool {
        self.recorder.count(&std::mem::take(&mut self.batch));
        self.recorder.commit(now)
    }

    pub(super) fn write_counts_if_due(&mut self, now: Timestamp) {
        self.recorder.count(&std::mem::take(&mut self.batch));
        self.recorder.write_counts_if_due(now);
    }

    pub(super) fn write_counts(&mut self, now: Timestamp) {
        self.recorder.count(&std::mem::take(&mut self.batch));
        self.recorder.write_counts(now);
    }

    pub(super) fn count_sent(&mut self, count: usize) {
        self.batch.answers.sent += count as u64;
    }

    /// A kill switch that is not heard sets off what it holds back: nothing limits it.
    fn judge(&mut self, asked: &Asked<'_>, found: Option<Found<'_>>, now_nanos: u64) -> (Answer, Record) {
        match found.is_some_and(|found| found.served.is_kill_switch()) {
            true => (Answer::Send, Record::Write { repeats: 0 }),
            false => self.rates.judge(asked, now_nanos),
        }
    }
}

/// What rates go by.
fn asked_of<'a>(
    arrival: &Arrival<'_>,
    query: &dns::Query<'_>,
    found: Option<Found<'a>>,
    reply: Option<Reply>,
    is_kept: bool,
) -> Asked<'a> {
    let is_positive = reply.is_some_and(|reply| reply.kind == Kind::Data);
    let has_cookie = reply.is_some_and(|reply| reply.cookie == CookieState::Valid);
    Asked {
        source: arrival.source.ip(),
        apex: found.map_or("", |found| found.served.zone.apex().as_str()),
        positive: query.question.filter(|_| is_positive).map(|question| question.qtype),
        rcode: reply.map_or(0, |reply| reply.rcode),
        is_proven: has_cookie || reply.is_none() || arrival.transport == dns::Transport::Tcp,
        is_kept,
    }
}

impl AsMut<Recorder> for Pen {
    fn as_mut(&mut self) -> &mut Recorder {
        &mut self.recorder
    }
}

/// What was answered, for the record.
struct Said {
    reply: Option<Reply>,
    answer: Answer,
    repeats: u32,
}

fn contact<'a>(
    arrival: &Arrival<'a>,
    query: &dns::Query<'a>,
    found: Option<Found<'a>>,
    said: Said,
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
        subject: found.map(|found| found.served.subject(NamedBy::Question)),
        oddities: evidence::codes(query.oddities),
        limits: limits(arrival, query, &said),
        what: What::Query(asked(arrival, query, &said)),
    }
}

fn limits(arrival: &Arrival<'_>, query: &dns::Query<'_>, said: &Said) -> Limits {
    let mut limits = match said.answer {
        Answer::Send => Limits::default(),
        Answer::Slip => Limits::RATE_SLIPPED,
        Answer::Drop => Limits::RATE_DROPPED,
    };
    if said.reply.is_some_and(|reply| reply.truncated) {
        limits = limits.with(Limits::TRUNCATED);
    }
    if arrival.is_cut || evidence::is_cut(arrival.packet, query) {
        limits = limits.with(Limits::CUT);
    }
    limits
}

fn asked<'a>(arrival: &Arrival<'a>, query: &dns::Query<'a>, said: &Said) -> Query<'a> {
    let state = said.reply.map_or(CookieState::Absent, |reply| reply.cookie);
    Query {
        rcode: said.reply.map(|reply| reply.rcode),
        repeats: said.repeats,
        ..evidence::asked(arrival.packet, query, cookie(state))
    }
}

fn cookie(state: CookieState) -> Cookie {
    match state {
        CookieState::Absent => Cookie::Absent,
        CookieState::ClientOnly => Cookie::ClientOnly,
        CookieState::Valid => Cookie::Valid,
        CookieState::Invalid => Cookie::Invalid,
        CookieState::Malformed => Cookie::Malformed,
    }
}
