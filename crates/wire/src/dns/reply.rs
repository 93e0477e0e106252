//! The reply to one query: header, the question as it was sent, what the zone says, and EDNS if EDNS was spoken.

use super::answers::{Answers, RrSet};
use super::captured::{CapturedZone, Written};
use super::{
    Fate, HEADER_OCTETS, MESSAGE_OCTETS_MAX, Query, Question, UDP_OCTETS_MAX, UDP_OCTETS_MIN, class, flag, rcode, rtype,
};

/// What a reply was, for the record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reply {
    /// Extended by EDNS (RFC 6891, 6.1.3).
    pub rcode: u16,
    /// It did not fit, and carries no records (RFC 2181, 9).
    pub truncated: bool,
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
}

/// Writes the reply into `out`, whose old content is dropped. `None`: nothing may be sent.
///
/// With room for the reply in `out` nothing is allocated. `zone` is the zone that the question lies in, or `None`.
pub fn answer(query: &Query<'_>, zone: Option<Zone<'_>>, transport: Transport, out: &mut Vec<u8>) -> Option<Reply> {
    out.clear();
    let mut said = Said::of(query, zone)?;
    let question_end = said.write_head(query, out);
    said.write_records(out);
    said.write_captured(query, out);
    write_opt(query, said.rcode, out);
    let truncated = out.len() > octets_max(query, transport);
    if truncated {
        out.truncate(question_end);
        write_opt(query, said.rcode, out);
    }
    said.write_counts(query, truncated, out);
    Some(Reply { rcode: said.rcode, truncated })
}

/// RFC 6891, 6.2.3 and 6.2.5: what the asker can take, at least 512 and at most what never fragments.
fn octets_max(query: &Query<'_>, transport: Transport) -> usize {
    match (transport, query.edns) {
        (Transport::Tcp, _) => MESSAGE_OCTETS_MAX,
        (Transport::Udp, None) => UDP_OCTETS_MIN,
        (Transport::Udp, Some(edns)) => usize::from(edns.udp_size).clamp(UDP_OCTETS_MIN, UDP_OCTETS_MAX),
    }
}

//----------- Said -------------------------------------------------------------------------------------------------

/// What the reply says, decided before a byte is written.
struct Said<'a> {
    rcode: u16,
    is_authoritative: bool,
    answer: Option<&'a RrSet>,
    /// The SOA of a negative answer, and where in the question its owner starts.
    negative: Option<(&'a RrSet, usize)>,
    /// An owner's zone that answers in place of ours, and the octets of the question's name before its apex.
    captured: Option<(&'a CapturedZone, usize)>,
    /// What that zone wrote.
    written: Option<Written>,
}

impl<'a> Said<'a> {
    fn of(query: &Query<'_>, zone: Option<Zone<'a>>) -> Option<Self> {
        match (query.fate, query.question) {
            (Fate::Silence, _) => None,
            (Fate::Fail(rcode), _) => Some(Self::only(rcode)),
            (Fate::Answer, None) => Some(Self::only(rcode::FORMERR)),
            (Fate::Answer, Some(question)) => Some(Self::from_zone(question, zone)),
        }
    }

    fn only(rcode: u16) -> Self {
        Self { rcode, is_authoritative: false, answer: None, negative: None, captured: None, written: None }
    }

    /// Outside our zones, in another class, and for whole zones by transfer: REFUSED, and no word on who else to ask.
    fn from_zone(question: Question<'_>, zone: Option<Zone<'a>>) -> Self {
        let is_transfer = matches!(question.qtype, rtype::AXFR | rtype::IXFR);
        let Some(zone) = zone.filter(|_| question.qclass == class::IN && !is_transfer) else {
            return Self::only(rcode::REFUSED);
        };
        if let Some(captured) = zone.answers.captured() {
            return Self { captured: Some((captured, zone.depth)), ..Self::only(rcode::NOERROR) };
        }
        let set = zone.answers.find(question.name, zone.depth, question.qtype);
        let negative = (set.count == 0).then(|| (zone.answers.negative_soa(), zone.depth));
        Self { is_authoritative: true, answer: Some(set), negative, ..Self::only(rcode::NOERROR) }
    }

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

    /// Leaves room for the header and echoes the question, letter by letter. Returns where the records start.
    fn write_head(&self, query: &Query<'_>, out: &mut Vec<u8>) -> usize {
        out.extend_from_slice(&[0; HEADER_OCTETS]);
        if let Some(question) = query.question {
            out.extend_from_slice(question.name);
            out.extend_from_slice(&question.qtype.to_be_bytes());
            out.extend_from_slice(&question.qclass.to_be_bytes());
        }
        out.len()
    }

    fn write_records(&self, out: &mut Vec<u8>) {
        if let Some(set) = self.answer {
            out.extend_from_slice(&set.wire);
        }
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
        self.written = Some(written);
    }

    /// Answers, authorities, additionals, EDNS not counted.
    fn counts(&self) -> (u16, u16, u16) {
        match &self.written {
            Some(Written { answers, authorities, additionals, .. }) => (*answers, *authorities, *additionals),
            None => (self.answer.map_or(0, |set| set.count), self.negative.map_or(0, |(soa, _)| soa.count), 0),
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
}

/// An OPT record for whoever sent one, with the upper bits of the code, and DO as it was (RFC 6891, 6.1.4).
fn write_opt(query: &Query<'_>, rcode: u16, out: &mut Vec<u8>) {
    let Some(edns) = query.edns else { return };
    out.push(0);
    out.extend_from_slice(&rtype::OPT.to_be_bytes());
    out.extend_from_slice(&(UDP_OCTETS_MAX as u16).to_be_bytes());
    out.extend_from_slice(&[(rcode >> 4) as u8, 0, u8::from(edns.dnssec_ok) << 7, 0, 0, 0]);
}
