//! A query as it was sent: one question, its EDNS, everything odd about it, and what it deserves.
//!
//! The order in which faults count is the order in which servers in the field look: a response is never answered, an
//! opcode that we do not speak is NOTIMP whatever follows it, then form, then the EDNS version. A [`Query`] borrows
//! from the packet and is `Copy`: parsing allocates nothing.

use super::reader::{Header, RawRecord, Reader};
use super::{CLIENT_COOKIE_OCTETS, Oddities, Oddity, class, flag, option, rcode, rtype};

/// The most records that a query may bring besides its question. Real ones bring an OPT, a TSIG, an IXFR's SOA.
pub const RECORDS_MAX: u32 = 16;

//----------- Query ------------------------------------------------------------------------------------------------

/// What was read of one packet.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    pub id: u16,
    /// The header's second 16 bits as sent.
    pub flags: u16,
    /// The question, if it could be read, also where there were more.
    pub question: Option<Question<'a>>,
    pub edns: Option<Edns<'a>>,
    pub oddities: Oddities,
    pub fate: Fate,
}

/// The question as sent: the name keeps its case (draft-vixie-dnsext-dns0x20).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Question<'a> {
    /// In wire form, with the root label.
    pub name: &'a [u8],
    pub qtype: u16,
    pub qclass: u16,
}

/// What a packet deserves before any zone is looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// An answer from the zone, if there is one.
    Answer,
    /// A response with this code.
    Fail(u16),
    /// No response at all.
    Silence,
}

impl<'a> Query<'a> {
    pub fn parse(packet: &'a [u8]) -> Self {
        let mut reader = Reader::new(packet);
        let Some(header) = Header::read(&mut reader) else {
            return Self::too_short();
        };
        let mut query = Self { id: header.id, flags: header.flags, ..Self::too_short() };
        query.oddities = header_oddities(&header);
        let fault = query.read_sections(&header, &mut reader).err();
        if let Some(fault) = fault {
            query.oddities.add(fault);
        }
        query.fate = query.judge(&header, fault.is_some());
        query
    }

    fn too_short() -> Self {
        let mut oddities = Oddities::default();
        oddities.add(Oddity::Short);
        Self { id: 0, flags: 0, question: None, edns: None, oddities, fate: Fate::Silence }
    }

    fn judge(&self, header: &Header, is_malformed: bool) -> Fate {
        match self.edns {
            _ if header.is_response() => Fate::Silence,
            _ if header.opcode() != 0 => Fate::Fail(rcode::NOTIMP),
            _ if is_malformed => Fate::Fail(rcode::FORMERR),
            Some(edns) if edns.version != 0 => Fate::Fail(rcode::BADVERS),
            // A cookie may be asked for by itself (RFC 7873, 5.4; RFC 9619, 4 leaves that as it was).
            Some(edns) if header.questions == 0 && edns.cookie != CookieSeen::Absent => Fate::Answer,
            _ if header.questions != 1 => Fate::Fail(rcode::FORMERR),
            _ if self.asks_for_no_type() => Fate::Fail(rcode::FORMERR),
            _ if self.asks_for_what_we_lack() => Fate::Fail(rcode::NOTIMP),
            _ => Fate::Answer,
        }
    }

    /// Types that stand in a message and in no zone: a pseudo-record, a signature of messages (RFC 8945, 4.2), the
    /// mark of a name that is not there (RFC 9824, 3.5).
    fn asks_for_no_type(&self) -> bool {
        self.question.is_some_and(|asked| matches!(asked.qtype, rtype::OPT | rtype::TSIG | rtype::NXNAME))
    }

    /// MAILA and MAILB are obsolete (RFC 1035, 3.2.3), and a key is agreed on with nobody (RFC 2930).
    fn asks_for_what_we_lack(&self) -> bool {
        self.question.is_some_and(|asked| matches!(asked.qtype, rtype::MAILA | rtype::MAILB | rtype::TKEY))
    }

    /// Reads as far as the packet makes sense. What follows the question of a response, or a second question, is of no
    /// use to anybody.
    fn read_sections(&mut self, header: &Header, reader: &mut Reader<'a>) -> Result<(), Oddity> {
        let is_query = !header.is_response() && header.opcode() == 0;
        if header.questions > 1 || (is_query && header.questions == 0) {
            self.oddities.add(Oddity::QuestionCount);
        }
        if header.questions > 0 {
            self.read_question(reader)?;
        }
        match header.questions > 1 || header.is_response() {
            true => Ok(()),
            false if is_query => self.read_records(header, reader),
            false => {
                self.look_for_opt(header, reader);
                Ok(())
            }
        }
    }

    /// Under an opcode that we do not speak records mean what we do not know. Only EDNS is looked for: an answer without
    /// it would say that we do not speak EDNS either (RFC 6891, 7).
    fn look_for_opt(&mut self, header: &Header, reader: &mut Reader<'a>) {
        let oddities = self.oddities;
        let _ = self.read_records(header, reader);
        self.oddities = oddities;
    }

    fn read_question(&mut self, reader: &mut Reader<'a>) -> Result<(), Oddity> {
        let name = reader.question_name()?;
        let qtype = reader.u16().ok_or(Oddity::QuestionCut)?;
        let qclass = reader.u16().ok_or(Oddity::QuestionCut)?;
        if qclass != class::IN {
            self.oddities.add(Oddity::Class);
        }
        self.question = Some(Question { name, qtype, qclass });
        Ok(())
    }

    fn read_records(&mut self, header: &Header, reader: &mut Reader<'a>) -> Result<(), Oddity> {
        if header.answers > 0 {
            self.oddities.add(Oddity::AnswerSection);
        }
        if header.authorities > 0 && self.question.is_none_or(|asked| asked.qtype != rtype::IXFR) {
            self.oddities.add(Oddity::AuthoritySection);
        }
        let before = u32::from(header.answers) + u32::from(header.authorities);
        let all = before + u32::from(header.additionals);
        if all > RECORDS_MAX {
            return Err(Oddity::RecordCount);
        }
        for at in 0..all {
            let record = reader.record().ok_or(Oddity::RecordCut)?;
            if record.rtype == rtype::OPT {
                self.read_opt(&record, at >= before)?;
            }
        }
        if !reader.is_at_end() {
            self.oddities.add(Oddity::Trailing);
        }
        Ok(())
    }

    fn read_opt(&mut self, record: &RawRecord<'a>, is_additional: bool) -> Result<(), Oddity> {
        if !is_additional {
            return Err(Oddity::OptPlace);
        }
        if self.edns.is_some() {
            return Err(Oddity::OptTwice);
        }
        let mut edns = Edns::of(record);
        let options = edns.read_options(record.rdata, &mut self.oddities);
        if edns.version != 0 {
            self.oddities.add(Oddity::EdnsVersion);
        }
        self.edns = Some(edns);
        if record.owner_is_root { options } else { Err(Oddity::OptOwner) }
    }
}

/// Bits that no query sets.
fn header_oddities(header: &Header) -> Oddities {
    let mut oddities = Oddities::default();
    if header.is_response() {
        oddities.add(Oddity::Response);
    } else if header.opcode() != 0 {
        oddities.add(Oddity::Opcode);
    } else if header.flags & (flag::AA | flag::TC | flag::RA | flag::Z | flag::RCODE) != 0 {
        oddities.add(Oddity::Flags);
    }
    oddities
}

//----------- Edns -------------------------------------------------------------------------------------------------

/// What EDNS(0) said (RFC 6891).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Edns<'a> {
    /// As sent; below 512 it means 512 (6.2.3).
    pub udp_size: u16,
    pub version: u8,
    pub dnssec_ok: bool,
    /// The server's identifier was asked for (RFC 5001).
    pub nsid: bool,
    /// How long a connection may be idle was asked for (RFC 7828).
    pub tcp_keepalive: bool,
    pub cookie: CookieSeen<'a>,
    /// The client subnet option as sent; empty if there was none.
    pub client_subnet: &'a [u8],
}

/// A cookie option, by its form (RFC 7873, 4).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum CookieSeen<'a> {
    #[default]
    Absent,
    ClientOnly(&'a [u8; CLIENT_COOKIE_OCTETS]),
    /// With a server part of 8 to 32 octets, not looked at here.
    WithServer(&'a [u8; CLIENT_COOKIE_OCTETS], &'a [u8]),
    Malformed,
}

impl<'a> Edns<'a> {
    /// OPT puts its fields where other records have class and TTL (RFC 6891, 6.1.2 and 6.1.3).
    fn of(record: &RawRecord<'a>) -> Self {
        Self {
            udp_size: record.class,
            version: (record.ttl >> 16) as u8,
            dnssec_ok: record.ttl & 0x8000 != 0,
            nsid: false,
            tcp_keepalive: false,
            cookie: CookieSeen::Absent,
            client_subnet: &[],
        }
    }

    /// Options that we do not know are none of our business (6.1.2); of two alike the first counts.
    fn read_options(&mut self, rdata: &'a [u8], oddities: &mut Oddities) -> Result<(), Oddity> {
        let mut reader = Reader::new(rdata);
        while !reader.is_at_end() {
            let code = reader.u16().ok_or(Oddity::OptOption)?;
            let len = reader.u16().ok_or(Oddity::OptOption)?;
            let value = reader.take(usize::from(len)).ok_or(Oddity::OptOption)?;
            match code {
                option::NSID => self.nsid = true,
                option::TCP_KEEPALIVE => self.tcp_keepalive = true,
                option::CLIENT_SUBNET if self.client_subnet.is_empty() => {
                    self.client_subnet = value;
                    if !is_client_subnet(value) {
                        oddities.add(Oddity::Subnet);
                    }
                }
                option::COOKIE if self.cookie == CookieSeen::Absent => self.cookie = CookieSeen::of(value),
                _ => {}
            }
        }
        // A cookie of a wrong length is FORMERR (RFC 7873, 5.2.2).
        if self.cookie == CookieSeen::Malformed { Err(Oddity::CookieLength) } else { Ok(()) }
    }
}

impl<'a> CookieSeen<'a> {
    fn of(value: &'a [u8]) -> Self {
        match value.split_first_chunk() {
            Some((client, [])) => Self::ClientOnly(client),
            Some((client, server)) if (8..=32).contains(&server.len()) => Self::WithServer(client, server),
            _ => Self::Malformed,
        }
    }
}

/// Family, source prefix, scope 0, and just as many octets as the prefix needs (RFC 7871, 6).
fn is_client_subnet(value: &[u8]) -> bool {
    let [family_high, family_low, source, scope, address @ ..] = value else { return false };
    let bits_max = match u16::from_be_bytes([*family_high, *family_low]) {
        1 => 32,
        2 => 128,
        _ => return false,
    };
    *scope == 0 && *source <= bits_max && address.len() == usize::from(source.div_ceil(8))
}
