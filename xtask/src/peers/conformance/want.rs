//! What a reply must be, as values: the table says it, the judge checks it, and what differs is said in words.

use super::packet::{APEX, Ask, rtype};
use super::reply::{Record, Reply};

/// One expectation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Want {
    /// The response code, extended by EDNS.
    Rcode(u16),
    OneOf(&'static [u16]),
    /// Header bits that are set.
    Set(u16),
    /// Header bits that are not.
    Clear(u16),
    /// The opcode of the query comes back.
    Opcode,
    /// The question comes back, octet by octet.
    Echo,
    /// So many answers, all of this type, owned by the name that was asked.
    Answers(u16, usize),
    /// One of the answers has these octets as RDATA.
    Rdata(&'static [u8]),
    /// Answers, and all of one type.
    OneSet,
    /// No answers.
    Nothing,
    /// No record at all but OPT.
    NoRecords,
    /// The apex' SOA in the authority section, with the TTL of a negative answer.
    Negative,
    Edns,
    NoEdns,
    /// Version 0 and these flags.
    EdnsFlags(u16),
    /// An option with so many octets.
    Option(u16, usize, usize),
    OptionBegins(u16, &'static [u8]),
    NoOption(u16),
    OctetsMax(usize),
}

pub(super) const NOERROR: u16 = 0;
pub(super) const FORMERR: u16 = 1;
pub(super) const NOTIMP: u16 = 4;
pub(super) const REFUSED: u16 = 5;
pub(super) const NOTAUTH: u16 = 9;
pub(super) const BADVERS: u16 = 16;

/// Judges one reply; what differs is said in words.
pub(super) fn judge(wants: &[Want], ask: &Ask, reply: &Reply) -> Result<(), String> {
    let differs: Vec<String> = wants.iter().filter_map(|want| want.differs(ask, reply)).collect();
    if differs.is_empty() { Ok(()) } else { Err(differs.join(", ")) }
}

impl Want {
    /// What is seen instead; `None` if it is as wanted.
    fn differs(&self, ask: &Ask, reply: &Reply) -> Option<String> {
        match *self {
            Self::Rcode(rcode) => (reply.rcode() != rcode).then(|| said(reply.rcode())),
            Self::OneOf(rcodes) => (!rcodes.contains(&reply.rcode())).then(|| said(reply.rcode())),
            Self::Set(bits) => (reply.flags & bits != bits).then(|| format!("flags {:04x}", reply.flags)),
            Self::Clear(bits) => (reply.flags & bits != 0).then(|| format!("flags {:04x}", reply.flags)),
            Self::Opcode => {
                ((reply.flags ^ ask.flags) & 0x7800 != 0).then(|| format!("opcode {}", reply.flags >> 11 & 0xf))
            }
            Self::Echo => (reply.question != ask.question()).then(|| "another question".to_owned()),
            Self::OctetsMax(max) => (reply.octets > max).then(|| format!("{} octets", reply.octets)),
            Self::Edns => reply.opt().is_none().then(|| "no EDNS".to_owned()),
            Self::NoEdns => reply.opt().map(|_| "EDNS unasked".to_owned()),
            Self::EdnsFlags(flags) => edns_flags(reply, flags),
            Self::Option(code, min, max) => option_length(reply, code, min, max),
            Self::OptionBegins(code, octets) => {
                let begins = reply.option(code).is_some_and(|value| value.starts_with(octets));
                (!begins).then(|| format!("option {code} does not begin with ours"))
            }
            Self::NoOption(code) => reply.option(code).map(|_| format!("option {code}")),
            _ => self.differs_in_records(ask, reply),
        }
    }

    fn differs_in_records(&self, ask: &Ask, reply: &Reply) -> Option<String> {
        let answers = &reply.answers;
        match *self {
            Self::Answers(rtype, count) => {
                let owner = Reply::read(&ask_as_reply(ask)).ok().and_then(|reply| reply.answers.first().cloned());
                let fits = |record: &Record| {
                    record.rtype == rtype
                        && record.class == 1
                        && owner.as_ref().is_some_and(|asked| asked.owner == record.owner)
                };
                let good = answers.len() == count && answers.iter().all(fits);
                (!good).then(|| listed("answers", answers))
            }
            Self::Rdata(octets) => {
                let missing = !answers.iter().any(|record| record.rdata == octets);
                missing.then(|| listed("other answers", answers))
            }
            Self::OneSet => {
                let one = answers.first().is_some_and(|first| answers.iter().all(|other| other.rtype == first.rtype));
                (!one).then(|| listed("answers", answers))
            }
            Self::Nothing => (!answers.is_empty()).then(|| listed("answers", answers)),
            Self::NoRecords => {
                let others = reply.additional.iter().filter(|record| record.rtype != rtype::OPT);
                let all: Vec<Record> = answers.iter().chain(&reply.authority).chain(others).cloned().collect();
                (!all.is_empty()).then(|| listed("records", &all))
            }
            Self::Negative => negative(&reply.authority),
            _ => None,
        }
    }
}

/// The name that was asked, read by the reader that reads the answers: a made-up reply with one empty record.
fn ask_as_reply(ask: &Ask) -> Vec<u8> {
    let record = [&[0xc0, 12][..], &[0; 10]].concat();
    [&[0, 0, 0x80, 0, 0, 1, 0, 1, 0, 0, 0, 0][..], &ask.question(), &record].concat()
}

/// RFC 2308, 3: the SOA of the apex, believed for min(its TTL, MINIMUM).
fn negative(authority: &[Record]) -> Option<String> {
    let [soa] = authority else { return Some(listed("authority", authority)) };
    if soa.rtype != rtype::SOA || soa.owner != format!("{APEX}.") {
        return Some(listed("authority", authority));
    }
    let minimum = soa.rdata.last_chunk::<4>().map_or(0, |octets| u32::from_be_bytes(*octets));
    (soa.ttl > minimum).then(|| format!("the SOA lives for {} s, MINIMUM is {minimum} s", soa.ttl))
}

fn edns_flags(reply: &Reply, wanted: u16) -> Option<String> {
    let Some(opt) = reply.opt() else { return Some("no EDNS".to_owned()) };
    let [_, version, high, low] = opt.ttl.to_be_bytes();
    let flags = u16::from_be_bytes([high, low]);
    ((version, flags) != (0, wanted)).then(|| format!("EDNS version {version}, flags {flags:04x}"))
}

fn option_length(reply: &Reply, code: u16, min: usize, max: usize) -> Option<String> {
    match reply.option(code) {
        None => Some(format!("no option {code}")),
        Some(value) if (min..=max).contains(&value.len()) => None,
        Some(value) => Some(format!("option {code} with {} octets", value.len())),
    }
}

fn listed(what: &str, records: &[Record]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> = records.iter().take(SHOWN).map(|r| format!("{} TYPE{}", r.owner, r.rtype)).collect();
    format!("{} {what}: {}", records.len(), shown.join(" + "))
}

/// The mnemonics of RFC 6895, 2.3.
fn said(rcode: u16) -> String {
    const NAMES: [&str; 6] = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];
    match rcode {
        NOTAUTH => "NOTAUTH".to_owned(),
        BADVERS => "BADVERS".to_owned(),
        23 => "BADCOOKIE".to_owned(),
        _ => NAMES.get(usize::from(rcode)).map_or_else(|| format!("RCODE{rcode}"), |&name| name.to_owned()),
    }
}
