//! The asker's side: writes a query, and says whether a packet is the reply to it.
//!
//! For callers, stories and checks. A reply that does not belong to the question, or whose sections end too early, is a
//! [`Mismatch`]; what it says is [`Answered`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::reader::{Header, Reader};
use super::{NAME_OCTETS_MAX, class, flag, rtype};

/// The most records that we look at in a reply.
pub const RECORDS_MAX: u32 = 1_024;

//----------- Ask --------------------------------------------------------------------------------------------------

/// One question to a server.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    pub id: u16,
    /// In wire form, in the case in which it is to be sent.
    pub name: &'a [u8],
    pub qtype: u16,
    pub qclass: u16,
    /// Set by stubs that ask a resolver; a resolver that asks us leaves it out.
    pub recursion_desired: bool,
    pub edns: Option<AskEdns<'a>>,
}

/// The EDNS that goes with it.
#[derive(Clone, Copy, Debug)]
pub struct AskEdns<'a> {
    pub udp_size: u16,
    pub dnssec_ok: bool,
    /// Options in wire form, each with code and length.
    pub options: &'a [u8],
}

impl<'a> Ask<'a> {
    /// A resolver's plain question in class IN.
    pub fn new(id: u16, name: &'a [u8], qtype: u16) -> Self {
        Self { id, name, qtype, qclass: class::IN, recursion_desired: false, edns: None }
    }

    /// Writes the query into `out`, whose old content is dropped.
    ///
    /// # Panics
    /// If the EDNS options are longer than a record can be.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.clear();
        let flags = if self.recursion_desired { flag::RD } else { 0 };
        for number in [self.id, flags, 1, 0, 0, u16::from(self.edns.is_some())] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        self.put_question(out);
        if let Some(edns) = self.edns {
            out.push(0);
            out.extend_from_slice(&rtype::OPT.to_be_bytes());
            out.extend_from_slice(&edns.udp_size.to_be_bytes());
            out.extend_from_slice(&[0, 0, u8::from(edns.dnssec_ok) << 7, 0]);
            let len = u16::try_from(edns.options.len()).expect("EDNS options fit a record");
            out.extend_from_slice(&len.to_be_bytes());
            out.extend_from_slice(edns.options);
        }
    }

    fn put_question(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.name);
        out.extend_from_slice(&self.qtype.to_be_bytes());
        out.extend_from_slice(&self.qclass.to_be_bytes());
    }

    /// What `packet` answers to this question, if it answers it: id and question are ours, letter by letter.
    pub fn check<'p>(&self, packet: &'p [u8]) -> Result<Answered<'p>, Mismatch> {
        let mut reader = Reader::new(packet);
        let head = Header::read(&mut reader).ok_or(Mismatch::Cut)?;
        if !head.is_response() {
            return Err(Mismatch::NoResponse);
        }
        if head.id != self.id {
            return Err(Mismatch::Id);
        }
        if head.questions == 1 && !self.is_echoed(&mut reader) {
            return Err(Mismatch::Question);
        }
        // A server that could not read the question cannot echo it, and says so.
        if head.questions != 1 && (head.questions > 1 || head.flags & flag::RCODE == 0) {
            return Err(Mismatch::Question);
        }
        Answered::read(&head, reader)
    }

    fn is_echoed(&self, reader: &mut Reader<'_>) -> bool {
        reader.question_name() == Ok(self.name) && reader.u16() == Some(self.qtype) && reader.u16() == Some(self.qclass)
    }
}

/// Writes a name in wire form, in the case in which it stands. `None` for what no wire can carry.
pub fn name_to_wire(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let mut wire = Vec::with_capacity(text.len() + 2);
    for label in text.split('.').filter(|_| !text.is_empty()) {
        let len = u8::try_from(label.len()).ok().filter(|len| (1..=63).contains(len))?;
        wire.push(len);
        wire.extend_from_slice(label.as_bytes());
    }
    wire.push(0);
    (wire.len() <= NAME_OCTETS_MAX).then_some(wire)
}

/// The data of the cookie option among these options.
fn find_cookie(options: &[u8]) -> Option<&[u8]> {
    const COOKIE: u16 = 10;
    let mut reader = Reader::new(options);
    loop {
        let (code, len) = (reader.u16()?, reader.u16()?);
        let data = reader.take(len.into())?;
        if code == COOKIE {
            return Some(data);
        }
    }
}

//----------- Answered ---------------------------------------------------------------------------------------------

/// Why a packet is not the reply to a question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mismatch {
    /// Shorter than it says it is.
    Cut,
    Id,
    /// Another question, or another case of it.
    Question,
    /// A query.
    NoResponse,
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answered<'p> {
    /// Extended by EDNS where there was any.
    pub rcode: u16,
    pub authoritative: bool,
    pub truncated: bool,
    pub recursion_available: bool,
    /// The size that the server's OPT offers, if it sent one.
    pub edns_udp_size: Option<u16>,
    /// The cookie that the server sent: the client's part and its own (RFC 7873).
    pub cookie: Option<&'p [u8]>,
    pub answers: Vec<Record<'p>>,
    pub authorities: Vec<Record<'p>>,
}

/// A record of a reply, without its owner.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Record<'p> {
    pub rtype: u16,
    pub class: u16,
    pub ttl_secs: u32,
    pub rdata: &'p [u8],
}

impl<'p> Answered<'p> {
    fn read(head: &Header, mut reader: Reader<'p>) -> Result<Self, Mismatch> {
        let mut answered = Self {
            rcode: head.flags & flag::RCODE,
            authoritative: head.flags & flag::AA != 0,
            truncated: head.flags & flag::TC != 0,
            recursion_available: head.flags & flag::RA != 0,
            edns_udp_size: None,
            cookie: None,
            answers: Vec::new(),
            authorities: Vec::new(),
        };
        let (answers, authorities) = (u32::from(head.answers), u32::from(head.authorities));
        let all = answers + authorities + u32::from(head.additionals);
        for at in 0..all.min(RECORDS_MAX) {
            let raw = reader.record().ok_or(Mismatch::Cut)?;
            let record = Record { rtype: raw.rtype, class: raw.class, ttl_secs: raw.ttl, rdata: raw.rdata };
            match at {
                _ if at < answers => answered.answers.push(record),
                _ if at < answers + authorities => answered.authorities.push(record),
                _ if record.rtype == rtype::OPT => {
                    answered.rcode |= (record.ttl_secs >> 24) as u16 * 16;
                    answered.edns_udp_size = Some(record.class);
                    answered.cookie = find_cookie(record.rdata);
                }
                _ => {}
            }
        }
        Ok(answered)
    }

    /// The addresses among the answers.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.answers.iter().filter_map(Record::address)
    }
}

impl Record<'_> {
    pub fn address(&self) -> Option<IpAddr> {
        match self.rtype {
            rtype::A => <[u8; 4]>::try_from(self.rdata).ok().map(|octets| Ipv4Addr::from(octets).into()),
            rtype::AAAA => <[u8; 16]>::try_from(self.rdata).ok().map(|octets| Ipv6Addr::from(octets).into()),
            _ => None,
        }
    }
}
