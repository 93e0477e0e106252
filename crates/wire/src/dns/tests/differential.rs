//! Anything at all, against two parsers that others wrote: hickory-proto and NLnet Labs' domain.
//!
//! Three comparisons for each packet. What we read as a question they read as the same one, with the same EDNS (but
//! hickory-proto may give up, for it decodes records that nobody asks about). What
//! either of them takes for a query with one question we answer, or the reason why not stands in [`STRICTER`]. What we
//! send both of them read to its end. The packets are the same on every run; CONTRIBUTING.md says how to ask for more.

use std::collections::BTreeMap;

use domain::base::iana::Opcode;
use domain::base::{Message, ToName};
use hickory_proto::op;
use hickory_proto::serialize::binary::BinEncodable;

use super::*;

/// In each `cargo test`.
const PACKETS: u64 = 100_000;
/// How many instead, and from which seed on.
const PACKETS_VARIABLE: &str = "BAILIWICK_DNS_PACKETS";
const SEED_VARIABLE: &str = "BAILIWICK_DNS_SEED";

/// After so many there is nothing to learn from more.
const FAULTS_MAX: usize = 20;

/// Why we do not answer what `domain` or hickory-proto would. Each must occur in a run, or it does not belong here.
const STRICTER: [(&str, &str); 9] = [
    ("dns.question-pointer", "nothing stands before the question that a pointer could mean"),
    ("dns.record-count", "17 records and more are no query; the parsers have no such limit"),
    ("dns.opt-twice", "RFC 6891, 6.1.1: FORMERR; domain takes the first"),
    ("dns.opt-owner", "RFC 6891, 6.1.2: the owner is the root; domain does not look"),
    ("dns.opt-place", "RFC 6891, 6.1.1: the additional section; domain does not look elsewhere"),
    ("dns.opt-option", "options are read when somebody asks for them; we read them all"),
    ("dns.cookie-length", "RFC 7873, 5.2.2: FORMERR; parsers see octets"),
    ("dns.edns-version", "RFC 6891, 6.1.3: BADVERS is a server's answer, not a parser's"),
    ("type", "OPT, TSIG, NXNAME, TKEY, MAILA and MAILB are no types of records (RFC 6895, 3.1)"),
];

#[test]
fn two_other_parsers_agree_with_us() {
    let (packets, seed) = (number(PACKETS_VARIABLE, PACKETS), number(SEED_VARIABLE, 1));
    let mut seen = BTreeMap::<&str, u64>::new();
    let (judge, mut faults) = (Judge::new(), Vec::new());
    for seed in (0..packets).map(|at| seed.wrapping_add(at)) {
        let mut dice = Dice(seed.wrapping_mul(0xd134_2543_de82_ef95));
        let packet = dice.packet();
        match judge.judge(&packet, &mut dice) {
            Ok(name) => *seen.entry(name).or_default() += 1,
            Err(fault) => faults.push(format!("{SEED_VARIABLE}={seed}: {fault}\n    {packet:02x?}")),
        }
        assert!(faults.len() < FAULTS_MAX, "{}", faults.join("\n"));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    println!("{seen:#?}");
    for name in ["agreed", "unread"].into_iter().chain(STRICTER.map(|(name, _)| name)) {
        assert!(packets < PACKETS || seen.contains_key(name), "{name} never occurred");
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect(variable))
}

//----------- Judge ------------------------------------------------------------------------------------------------

struct Judge {
    answers: Answers,
    jar: CookieJar,
    tokens: [AcmeToken; 2],
}

impl Judge {
    fn new() -> Self {
        let tokens = ["a", "b"].map(|digit| AcmeToken::parse(&digit.repeat(43)).unwrap());
        Self { answers: Answers::new(&records()), jar: jar(), tokens }
    }

    /// How the three of us got along about this packet, or what is wrong.
    fn judge(&self, packet: &[u8], dice: &mut Dice) -> Result<&'static str, String> {
        let query = Query::parse(packet);
        let domain = Message::from_octets(packet).ok().and_then(read_by_domain);
        let hickory = op::Message::from_vec(packet).ok().and_then(read_by_hickory);
        self.compare_replies(&query, dice)?;
        let name = wire(APEX);
        let _ = Ask::new(query.id, &name, rtype::A).check(packet);
        let ours = read_by_us(&query);
        if ours.is_some() && domain.is_none() {
            return Err(format!("domain does not read {ours:?}"));
        }
        for (who, theirs) in [("domain", domain), ("hickory-proto", hickory)] {
            match (&ours, theirs) {
                (Some(ours), Some(theirs)) if *ours != theirs => {
                    return Err(format!("{ours:?}, but {who}: {theirs:?}"));
                }
                (None, Some(theirs)) => return why_stricter(&query).ok_or(format!("only {who} reads {theirs:?}")),
                _ => {}
            }
        }
        Ok(if ours.is_some() { "agreed" } else { "unread" })
    }

    /// What each of our ways of answering writes is bounded, belongs to the query and is read by both.
    fn compare_replies(&self, query: &Query<'_>, dice: &mut Dice) -> Result<(), String> {
        let zone = query.question.and_then(|question| zone_of(question.name, &self.answers));
        let zone = zone.map(|zone| Zone { acme: &self.tokens[..dice.below(3)], is_sealed: dice.one_in(2), ..zone });
        let server_id = dice.one_in(2).then_some(&b"sensor-1"[..]);
        let manners = Manners::new(&self.jar, CLIENT, NOW_SECS);
        let manners = Manners { server_id, requires_cookie: dice.one_in(4), ..manners };
        let mut out = Vec::new();
        let reply = answer(query, zone, Transport::Udp, &manners, &mut out);
        check_reply(query, reply, &out)?;
        let reply = slip(query, &manners, &mut out);
        check_reply(query, reply, &out)
    }
}

fn check_reply(query: &Query<'_>, reply: Option<Reply>, out: &[u8]) -> Result<(), String> {
    let Some(reply) = reply else {
        return if out.is_empty() && query.fate == Fate::Silence { Ok(()) } else { Err("silence".to_owned()) };
    };
    let octets_max = if query.edns.is_some() { UDP_OCTETS_MAX } else { UDP_OCTETS_MIN };
    let is_read = read_reply(query, reply, out).unwrap_or(false);
    let is_fine = is_read && out.len() <= octets_max;
    if is_fine { Ok(()) } else { Err(format!("{reply:?}: {out:02x?}")) }
}

/// Whether both read every record of a reply, and its code as we meant it. Without EDNS there is room for four bits.
fn read_reply(query: &Query<'_>, reply: Reply, out: &[u8]) -> Option<bool> {
    let rcode = if query.edns.is_some() { reply.rcode } else { reply.rcode & flag::RCODE };
    let hickory = op::Message::from_vec(out).ok()?;
    let message = Message::from_octets(out).ok()?;
    let (_, answer, authority, additional) = message.sections().ok()?;
    let are_read = answer.chain(authority).chain(additional).all(|record| record.is_ok());
    let codes = [message.opt_rcode().to_int(), u16::from(hickory.metadata.response_code)];
    Some(
        are_read
            && codes == [rcode; 2]
            && hickory.metadata.id == query.id
            && hickory.metadata.truncation == reply.truncated,
    )
}

//----------- Read -------------------------------------------------------------------------------------------------

/// A query with one question, as any of us reads it.
#[derive(Debug, Eq, PartialEq)]
struct Read {
    name: Vec<u8>,
    qtype: u16,
    qclass: u16,
    /// Size, of which less than 512 means 512 (RFC 6891, 6.2.3), and DO.
    edns: Option<(u16, bool)>,
}

fn read_by_us(query: &Query<'_>) -> Option<Read> {
    let question = query.question.filter(|_| query.fate == Fate::Answer)?;
    let edns = query.edns.map(|edns| (edns.udp_size.max(512), edns.dnssec_ok));
    Some(Read { name: question.name.to_vec(), qtype: question.qtype, qclass: question.qclass, edns })
}

fn read_by_domain(message: Message<&[u8]>) -> Option<Read> {
    let header = message.header();
    if header.qr() || header.opcode() != Opcode::QUERY {
        return None;
    }
    let question = message.sole_question().ok()?;
    let (_, answer, authority, additional) = message.sections().ok()?;
    if answer.chain(authority).chain(additional).any(|record| record.is_err()) {
        return None;
    }
    let edns = message.opt().map(|opt| (opt.udp_payload_size().max(512), opt.dnssec_ok()));
    Some(Read {
        name: question.qname().to_vec().as_slice().to_vec(),
        qtype: question.qtype().to_int(),
        qclass: question.qclass().to_int(),
        edns,
    })
}

fn read_by_hickory(message: op::Message) -> Option<Read> {
    let metadata = &message.metadata;
    if metadata.message_type != op::MessageType::Query || metadata.op_code != op::OpCode::Query {
        return None;
    }
    let [question] = &message.queries[..] else { return None };
    let edns = message.edns.as_ref().map(|edns| (edns.max_payload(), edns.flags().dnssec_ok));
    Some(Read {
        name: question.name().to_bytes().ok()?,
        qtype: question.query_type().into(),
        qclass: question.query_class().into(),
        edns,
    })
}

fn why_stricter(query: &Query<'_>) -> Option<&'static str> {
    let named = |name: &str| query.oddities.iter().any(|oddity| oddity.code() == name);
    let has_no_type = query.question.is_some_and(|question| {
        const TYPES: [u16; 6] = [rtype::OPT, rtype::TSIG, rtype::NXNAME, rtype::TKEY, rtype::MAILA, rtype::MAILB];
        TYPES.contains(&question.qtype)
    });
    STRICTER.map(|(name, _)| name).into_iter().find(|name| named(name) || (*name == "type" && has_no_type))
}

//----------- Dice -------------------------------------------------------------------------------------------------

/// splitmix64: the same packets on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn octets(&mut self, limit: usize) -> Vec<u8> {
        (0..self.below(limit)).map(|_| self.next() as u8).collect()
    }

    /// One in sixteen is noise, three in eight are good, the rest were good.
    fn packet(&mut self) -> Vec<u8> {
        if self.one_in(16) {
            return self.octets(600);
        }
        let mut packet = self.query();
        if !self.one_in(3) {
            (0..=self.below(4)).for_each(|_| self.spoil(&mut packet));
        }
        packet
    }

    fn query(&mut self) -> Vec<u8> {
        let (name, options) = (self.name(), self.options());
        let qtype = if self.one_in(8) { self.next() as u16 } else { self.below(300) as u16 };
        let qclass = if self.one_in(16) { self.next() as u16 } else { class::IN };
        let edns = AskEdns { udp_size: self.next() as u16, dnssec_ok: self.one_in(2), options: &options };
        let edns = (!self.one_in(4)).then_some(edns);
        let asked =
            Ask { qclass, recursion_desired: self.one_in(2), edns, ..Ask::new(self.next() as u16, &name, qtype) };
        let mut packet = Vec::new();
        asked.encode(&mut packet);
        packet
    }

    /// At, below and beside the apex, of odd octets and of great length.
    fn name(&mut self) -> Vec<u8> {
        let mut name = Vec::new();
        for _ in 0..self.below(8) {
            let label = [self.octets(20), vec![self.next() as u8]].concat();
            name.push(label.len() as u8);
            name.extend(label);
        }
        let challenge = wire(&format!("_acme-challenge.{APEX}"));
        name.extend(match self.below(8) {
            0 => vec![0],
            1 => challenge,
            _ => wire(APEX),
        });
        name
    }

    fn options(&mut self) -> Vec<u8> {
        let mut options = Vec::new();
        for _ in 0..self.below(4) {
            options.extend(self.option());
        }
        options
    }

    fn option(&mut self) -> Vec<u8> {
        let (code, value) = match self.below(8) {
            0 => (option::NSID, Vec::new()),
            1 | 2 => (option::COOKIE, (0..8).map(|_| self.next() as u8).collect()),
            3 => (option::COOKIE, (0..24).map(|_| self.next() as u8).collect()),
            4 => (option::COOKIE, self.octets(48)),
            5 => (option::CLIENT_SUBNET, vec![0, 1, 24, 0, 203, 0, 113]),
            6 => (option::CLIENT_SUBNET, self.octets(12)),
            _ => (self.next() as u16, self.octets(24)),
        };
        [&code.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), &value].concat()
    }

    /// One fault: a bit, an octet, the end, an option that nobody counted, a count, a whole record.
    fn spoil(&mut self, packet: &mut Vec<u8>) {
        let at = self.below(packet.len().max(1));
        match self.below(8) {
            0 if !packet.is_empty() => packet[at] ^= 1 << self.below(8),
            1 if !packet.is_empty() => packet[at] = self.next() as u8,
            2 if self.one_in(2) => packet.truncate(at),
            3 => packet.insert(at, self.next() as u8),
            4 => packet.extend(self.option()),
            5 if packet.len() > 11 => packet[4 + self.below(8)] = self.below(3) as u8,
            6 => self.add_record(packet),
            7 if packet.len() > 14 && self.one_in(4) => packet[12..14].copy_from_slice(&[0xc0, self.next() as u8 & 15]),
            _ => {}
        }
    }

    /// To any section, as if it were last: an OPT of some version and owner, or many empty TXT.
    fn add_record(&mut self, packet: &mut Vec<u8>) {
        let owner: &[u8] = if self.one_in(4) { b"\x01x\x00" } else { b"\x00" };
        let version = u8::from(self.one_in(4));
        let opt = [owner, &[0, 41, 4, 0xd0, 0, version, 0, 0, 0, 0]].concat();
        let (record, count) = match self.below(4) {
            0 => (b"\x00\x00\x10\x00\x01\x00\x00\x00\x00\x00\x01\x00".to_vec(), 1 + self.below(20)),
            _ => (opt, 1),
        };
        let section = if self.one_in(4) { 6 + 2 * self.below(3) } else { 10 };
        if let Some(counted) = packet.get_mut(section + 1) {
            *counted = counted.wrapping_add(count as u8);
            (0..count).for_each(|_| packet.extend_from_slice(&record));
        }
    }
}
