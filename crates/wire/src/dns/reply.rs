//! The reply to one query: header, the question as it was sent, what the zone says, and EDNS if EDNS was spoken.
//!
//! What is not a question to a zone of ours gets a code and no records. Opcodes other than QUERY are NOTIMP, as their
//! RFCs say of a server that does not speak them (1996, 2136, 3425, 8490, 8906): nobody tells us what our zones are.

use super::acme::{ACME_TOKENS_MAX, AcmeToken, is_challenge, write_tokens};
use super::answers::{Answers, RrSet};
use super::captured::{CapturedZone, Written};
use super::opt::{Options, write_opt};
use super::{
    CookieState, Fate, HEADER_OCTETS, MESSAGE_OCTETS_MAX, Manners, Query, Question, UDP_OCTETS_MAX, UDP_OCTETS_MIN,
    class, extended_error, flag, rcode, rtype,
};

/// What a reply was, for the record and for whoever limits the rate of replies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reply {
    /// Extended by EDNS (RFC 6891, 6.1.3).
    pub rcode: u16,
    /// It carries no records, and says that there are some: it did not fit (RFC 2181, 9), or TCP is to be tried.
    pub truncated: bool,
    /// What the query's cookie was worth.
    pub cookie: CookieState,
    pub kind: Kind,
}

/// Replies by what repeating them would mean: a flood of any kind is limited by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Records that were asked for, also where they did not fit.
    Data,
    /// Nothing of that type.
    NoData,
    /// A code other than NOERROR.
    Error,
    /// An invitation to come back over TCP.
    Slipped,
}

/// How the query came, which says how long the reply may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transport {
    Udp,
    Tcp,
}

/// The zone that a question lies in.
#[derive(Clone, Copy, Debug)]
pub struct Zone<'a> {
    pub answers: &'a Answers,
    /// How many octets of the question's name stand before the apex; 0 at the apex.
    pub depth: usize,
    /// What `_acme-challenge` says at this moment. Tokens after [`ACME_TOKENS_MAX`] are not told.
    pub acme: &'a [AcmeToken],
    /// Whoever asks in this zone is not told who we are.
    pub is_sealed: bool,
}

impl<'a> Zone<'a> {
    /// With no proof to give and nothing to hide.
    pub fn new(answers: &'a Answers, depth: usize) -> Self {
        Self { answers, depth, acme: &[], is_sealed: false }
    }
}

/// Writes the reply into `out`, whose old content is dropped. `None`: nothing may be sent.
///
/// With room for the reply in `out` nothing is allocated. `zone` is the zone that the question lies in, or `None`.
pub fn answer(
    query: &Query<'_>,
    zone: Option<Zone<'_>>,
    transport: Transport,
    manners: &Manners<'_>,
    out: &mut Vec<u8>,
) -> Option<Reply> {
    let (state, cookie) = manners.look_at_cookie(query);
    let mut said = match manners.requires_cookie && transport == Transport::Udp {
        true => Said::to_stranger(query, state).unwrap_or_else(|| Said::of(query, zone, state)),
        false => Said::of(query, zone, state),
    };
    let server_id = manners.server_id.filter(|_| zone.is_some_and(|zone| !zone.is_sealed));
    let tcp_idle = manners.tcp_idle.filter(|_| transport == Transport::Tcp);
    let options = Options { cookie, server_id, extended_error: said.extended_error, tcp_idle };
    write(query, &mut said, &options, octets_max(query, transport), out).map(|truncated| said.reply(truncated, state))
}

/// Writes an invitation to ask again over TCP, for a reply that a rate limit holds back: no records, so that it is no
/// longer than the question, and the cookie that will lift the limit (RFC 7873, 5.2.3). A query that deserves an error
/// gets its error, which is as short.
pub fn slip(query: &Query<'_>, manners: &Manners<'_>, out: &mut Vec<u8>) -> Option<Reply> {
    let (state, cookie) = manners.look_at_cookie(query);
    let mut said = match query.fate {
        Fate::Answer => Said::slipped(),
        Fate::Fail(_) | Fate::Silence => Said::of(query, None, state),
    };
    let options = Options { cookie, ..Options::default() };
    write(query, &mut said, &options, UDP_OCTETS_MIN, out).map(|truncated| said.reply(truncated, state))
}

/// Says whether records had to be left out.
fn write(
    query: &Query<'_>,
    said: &mut Said<'_>,
    options: &Options<'_>,
    octets_max: usize,
    out: &mut Vec<u8>,
) -> Option<bool> {
    out.clear();
    if query.fate == Fate::Silence {
        return None;
    }
    let question_end = write_head(query, out);
    said.write_records(out);
    said.write_captured(query, out);
    write_opt(query, said.rcode, options, out);
    let is_cut = out.len() > octets_max;
    if is_cut {
        out.truncate(question_end);
        write_opt(query, said.rcode, options, out);
    }
    let truncated = is_cut || said.kind == Kind::Slipped;
    said.write_counts(query, truncated, out);
    Some(truncated)
}

/// RFC 6891, 6.2.3 and 6.2.5: what the asker can take, at least 512 and at most what never fragments.
fn octets_max(query: &Query<'_>, transport: Transport) -> usize {
    match (transport, query.edns) {
        (Transport::Tcp, _) => MESSAGE_OCTETS_MAX,
        (Transport::Udp, None) => UDP_OCTETS_MIN,
        (Transport::Udp, Some(edns)) => usize::from(edns.udp_size).clamp(UDP_OCTETS_MIN, UDP_OCTETS_MAX),
    }
}

/// Leaves room for the header and echoes the question, letter by letter. Returns where the records start.
fn write_head(query: &Query<'_>, out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(&[0; HEADER_OCTETS]);
    if let Some(question) = query.question {
        out.extend_from_slice(question.name);
        out.extend_from_slice(&question.qtype.to_be_bytes());
        out.extend_from_slice(&question.qclass.to_be_bytes());
    }
    out.len()
}

//----------- Said -------------------------------------------------------------------------------------------------

/// What the reply says, decided before a byte is written.
struct Said<'a> {
    rcode: u16,
    kind: Kind,
    is_authoritative: bool,
    answer: Option<&'a RrSet>,
    tokens: &'a [AcmeToken],
    /// The SOA of a negative answer, and where in the question its owner starts.
    negative: Option<(&'a RrSet, usize)>,
    extended_error: Option<u16>,
    /// An owner's zone that answers in place of ours, and the octets of the question's name before its apex.
    captured: Option<(&'a CapturedZone, usize)>,
    /// What that zone wrote.
    written: Option<Written>,
}

impl<'a> Said<'a> {
    fn of(query: &Query<'_>, zone: Option<Zone<'a>>, cookie: CookieState) -> Self {
        match (query.fate, query.question) {
            (Fate::Fail(rcode), _) => Self::failed(query, rcode),
            (Fate::Answer, Some(question)) => Self::from_zone(question, zone),
            // Nothing was asked but whether the cookie is good (RFC 7873, 5.4).
            (Fate::Answer | Fate::Silence, _) if cookie == CookieState::Invalid => Self::only(rcode::BADCOOKIE),
            (Fate::Answer | Fate::Silence, _) => Self { kind: Kind::NoData, ..Self::only(rcode::NOERROR) },
        }
    }

    /// What somebody hears who must show a good cookie and has not. Errors are short, and need none.
    fn to_stranger(query: &Query<'_>, cookie: CookieState) -> Option<Self> {
        match (query.fate, cookie) {
            (Fate::Fail(_) | Fate::Silence, _) | (_, CookieState::Valid) => None,
            (_, CookieState::Absent | CookieState::Malformed) => Some(Self::slipped()),
            (_, CookieState::ClientOnly | CookieState::Invalid) => Some(Self::only(rcode::BADCOOKIE)),
        }
    }

    fn only(rcode: u16) -> Self {
        Self {
            rcode,
            kind: Kind::Error,
            is_authoritative: false,
            answer: None,
            tokens: &[],
            negative: None,
            extended_error: None,
            captured: None,
            written: None,
        }
    }

    fn slipped() -> Self {
        Self { kind: Kind::Slipped, ..Self::only(rcode::NOERROR) }
    }

    fn failed(query: &Query<'_>, rcode: u16) -> Self {
        let is_nxname = query.question.is_some_and(|question| question.qtype == rtype::NXNAME);
        let extended_error = match rcode {
            rcode::NOTIMP => Some(extended_error::NOT_SUPPORTED),
            rcode::FORMERR if is_nxname => Some(extended_error::INVALID_QUERY_TYPE),
            _ => None,
        };
        Self { extended_error, ..Self::only(rcode) }
    }

    /// Outside our zones, in another class, and for whole zones by transfer: REFUSED, and no word on who else to ask.
    fn from_zone(question: Question<'_>, zone: Option<Zone<'a>>) -> Self {
        if question.qclass != class::IN || matches!(question.qtype, rtype::AXFR | rtype::IXFR) {
            return Self::only(rcode::REFUSED);
        }
        let Some(zone) = zone else {
            let extended_error = Some(extended_error::NOT_AUTHORITATIVE);
            return Self { extended_error, ..Self::only(rcode::REFUSED) };
        };
        if let Some(captured) = zone.answers.captured() {
            return Self { captured: Some((captured, zone.depth)), ..Self::only(rcode::NOERROR) };
        }
        let noerror = Self { is_authoritative: true, ..Self::only(rcode::NOERROR) };
        if !zone.acme.is_empty() && is_challenge(&question.name[..zone.depth], question.qtype) {
            let tokens = &zone.acme[..zone.acme.len().min(ACME_TOKENS_MAX)];
            return Self { kind: Kind::Data, tokens, ..noerror };
        }
        match zone.answers.find(question.name, zone.depth, question.qtype) {
            set if set.is_empty() => {
                let negative = Some((zone.answers.negative_soa(), zone.depth));
                Self { kind: Kind::NoData, negative, ..noerror }
            }
            set => Self { kind: Kind::Data, answer: Some(set), ..noerror },
        }
    }

    fn reply(&self, truncated: bool, cookie: CookieState) -> Reply {
        Reply { rcode: self.rcode, truncated, cookie, kind: self.kind }
    }

    /// AD and CD stay clear (RFC 4035, 3.1.6), RA too: we never resolve.
    fn flags(&self, query: &Query<'_>, truncated: bool) -> u16 {
        let mut flags = flag::QR | query.flags & (flag::OPCODE | flag::RD) | self.rcode & flag::RCODE;
        if self.is_authoritative {
            flags |= flag::AA;
        }
        if truncated {
            flags |= flag::TC;
        }
        flags
    }

    fn write_records(&self, out: &mut Vec<u8>) {
        if let Some(set) = self.answer {
            out.extend_from_slice(&set.wire);
        }
        write_tokens(self.tokens, out);
        if let Some((soa, depth)) = self.negative {
            let owner = out.len();
            out.extend_from_slice(&soa.wire);
            let pointer = 0xc000 | u16::try_from(HEADER_OCTETS + depth).expect("a name has at most 255 octets");
            out[owner..owner + 2].copy_from_slice(&pointer.to_be_bytes());
        }
    }

    /// The owner's zone decides while it writes: code and counts are known when its aliases end.
    fn write_captured(&mut self, query: &Query<'_>, out: &mut Vec<u8>) {
        let (Some((captured, depth)), Some(question)) = (self.captured, query.question) else { return };
        let written = captured.write(question, depth, out);
        (self.rcode, self.is_authoritative) = (written.rcode, written.is_authoritative);
        self.kind = match (written.rcode, written.answers) {
            (rcode::NOERROR, 1..) => Kind::Data,
            (rcode::NOERROR, 0) => Kind::NoData,
            _ => Kind::Error,
        };
        self.written = Some(written);
    }

    /// Answers, authorities, additionals, EDNS not counted.
    fn counts(&self) -> (u16, u16, u16) {
        match &self.written {
            Some(Written { answers, authorities, additionals, .. }) => (*answers, *authorities, *additionals),
            None => (self.answer_count(), self.negative.map_or(0, |(soa, _)| soa.count), 0),
        }
    }

    fn write_counts(&self, query: &Query<'_>, truncated: bool, out: &mut [u8]) {
        let (answers, authorities, additionals) = if truncated { (0, 0, 0) } else { self.counts() };
        let counts = [
            query.id,
            self.flags(query, truncated),
            u16::from(query.question.is_some()),
            answers,
            authorities,
            additionals + u16::from(query.edns.is_some()),
        ];
        for (place, count) in out.chunks_exact_mut(2).zip(counts) {
            place.copy_from_slice(&count.to_be_bytes());
        }
    }

    fn answer_count(&self) -> u16 {
        self.answer.map_or(0, |set| set.count) + self.tokens.len() as u16
    }
}
