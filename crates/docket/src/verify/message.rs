//! One DNS question and its reply, as bytes: what we ask, and what may count as an answer to it.
//!
//! A reply counts only if it has our id, says that it is a response, and repeats our question; everything in it is
//! bounded before it is kept. Whoever sent it is checked where it is received.

use std::net::IpAddr;

use domain::base::iana::{Class, Rcode};
use domain::base::opt::ExtendedError;
use domain::base::{Message, MessageBuilder, Name, ParsedName, Rtype};
use domain::rdata::{A, Aaaa, Cname, Ds, Ns};
use model::DomainName;

/// The most that is read of one reply: a message over TCP has no more (RFC 1035, 4.2.2).
pub const REPLY_OCTETS_MAX: usize = 65_535;
/// What we say that we take over UDP: unfragmented everywhere.
pub const UDP_OCTETS: u16 = 1_232;
/// The most records of one reply that are looked at.
pub const RECORDS_MAX: usize = 512;

/// A name as DNS has it; host names of others need not be [`DomainName`]s.
pub type Host = Name<Vec<u8>>;

/// A name of ours as DNS has it.
pub fn host(name: &DomainName) -> Host {
    Name::from_octets(name.to_wire()).unwrap_or_else(|_| Name::root_vec())
}

//----------- Question ---------------------------------------------------------------------------------------------

/// What is asked of one server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Question {
    pub id: u16,
    pub name: Host,
    pub rtype: Rtype,
    /// Whether somebody else shall go and find out: only resolvers are asked so.
    pub recursive: bool,
}

impl Question {
    pub fn octets(&self) -> Vec<u8> {
        let mut builder = MessageBuilder::new_vec();
        builder.header_mut().set_id(self.id);
        builder.header_mut().set_rd(self.recursive);
        let mut question = builder.question();
        // A vector takes any message that is this short.
        let _ = question.push((&self.name, self.rtype));
        let mut additional = question.additional();
        let _ = additional.opt(|opt| {
            opt.set_udp_payload_size(UDP_OCTETS);
            Ok(())
        });
        additional.finish()
    }
}

//----------- Reply ------------------------------------------------------------------------------------------------

/// What one server said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    pub rcode: Rcode,
    pub authoritative: bool,
    pub truncated: bool,
    pub answers: Vec<Record>,
    pub authority: Vec<Record>,
    pub additional: Vec<Record>,
    /// Why, where a resolver says why (RFC 8914).
    pub reason: Option<u16>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    pub owner: Host,
    pub ttl_secs: u32,
    pub content: Content,
}

/// What of a record matters here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Content {
    Address(IpAddr),
    NameServer(Host),
    Alias(Host),
    /// Key tag, algorithm and digest type of a DS.
    Signed(u16, u8, u8, Vec<u8>),
    Start,
    Other(Rtype),
}

/// Why something that came is no reply to our question.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoReply {
    #[error("what came is no DNS message")]
    Malformed,
    #[error("what came has the id of another question")]
    OtherId,
    #[error("what came answers another question")]
    OtherQuestion,
    #[error("what came has more than {RECORDS_MAX} records")]
    TooManyRecords,
}

impl Reply {
    /// Reads a reply to `asked`.
    pub fn read(octets: &[u8], asked: &Question) -> Result<Self, NoReply> {
        let message = Message::from_slice(octets).map_err(|_| NoReply::Malformed)?;
        let header = message.header();
        if header.id() != asked.id {
            return Err(NoReply::OtherId);
        }
        if !header.qr() {
            return Err(NoReply::Malformed);
        }
        check_question(message, asked, header.rcode())?;
        // A truncated message may break off anywhere: only its header counts.
        if header.tc() {
            return Ok(Self { truncated: true, ..Self::bare(header.rcode(), header.aa()) });
        }
        let counts = message.header_counts();
        let records = [counts.ancount(), counts.nscount(), counts.arcount()].map(usize::from);
        if records.iter().sum::<usize>() > RECORDS_MAX {
            return Err(NoReply::TooManyRecords);
        }
        let (_, answer, authority, additional) = message.sections().map_err(|_| NoReply::Malformed)?;
        let reason = message.opt().and_then(|opt| {
            let mut reasons = opt.opt().iter::<ExtendedError<&[u8]>>();
            reasons.find_map(Result::ok).map(|error| error.code().to_int())
        });
        Ok(Self {
            answers: records_of(answer)?,
            authority: records_of(authority)?,
            additional: records_of(additional)?,
            reason,
            ..Self::bare(header.rcode(), header.aa())
        })
    }

    /// What a header alone says.
    fn bare(rcode: Rcode, authoritative: bool) -> Self {
        let (answers, authority, additional) = Default::default();
        Self { rcode, authoritative, truncated: false, answers, authority, additional, reason: None }
    }

    /// The addresses that `name` has in the answer, through aliases that the answer holds itself.
    pub fn addresses(&self, name: &Host) -> Vec<IpAddr> {
        let mut at = name.clone();
        // Each step needs a record of its own, so that a circle ends with them.
        for _ in 0..=self.answers.len() {
            let alias = self.answers.iter().find_map(|record| match &record.content {
                Content::Alias(to) if record.owner == at => Some(to.clone()),
                _ => None,
            });
            match alias {
                Some(to) => at = to,
                None => break,
            }
        }
        let address = |record: &Record| match record.content {
            Content::Address(address) if record.owner == at => Some(address),
            _ => None,
        };
        let mut addresses: Vec<IpAddr> = self.answers.iter().filter_map(address).collect();
        addresses.sort_unstable();
        addresses.dedup();
        addresses
    }
}

/// An error may come without the question (RFC 1035 does not ask for it); an answer may not.
fn check_question(message: &Message<[u8]>, asked: &Question, rcode: Rcode) -> Result<(), NoReply> {
    if message.header_counts().qdcount() == 0 && !matches!(rcode, Rcode::NOERROR | Rcode::NXDOMAIN) {
        return Ok(());
    }
    let question = message.sole_question().map_err(|_| NoReply::OtherQuestion)?;
    let is_ours = question.qname() == &asked.name && question.qtype() == asked.rtype && question.qclass() == Class::IN;
    if is_ours { Ok(()) } else { Err(NoReply::OtherQuestion) }
}

fn records_of(section: domain::base::message::RecordSection<'_, [u8]>) -> Result<Vec<Record>, NoReply> {
    let mut records = Vec::new();
    for record in section {
        let record = record.map_err(|_| NoReply::Malformed)?;
        if record.rtype() == Rtype::OPT {
            continue;
        }
        let content = match record.rtype() {
            Rtype::A => record.to_record::<A>().map(|found| found.map(|a| Content::Address(a.data().addr().into()))),
            Rtype::AAAA => {
                record.to_record::<Aaaa>().map(|found| found.map(|a| Content::Address(a.data().addr().into())))
            }
            Rtype::NS => record
                .to_record::<Ns<ParsedName<&[u8]>>>()
                .map(|found| found.map(|ns| Content::NameServer(ns.data().nsdname().to_vec_name()))),
            Rtype::CNAME => record
                .to_record::<Cname<ParsedName<&[u8]>>>()
                .map(|found| found.map(|to| Content::Alias(to.data().cname().to_vec_name()))),
            Rtype::DS => record.to_record::<Ds<&[u8]>>().map(|found| {
                found.map(|ds| {
                    let ds = ds.data();
                    let digest = ds.digest().to_vec();
                    Content::Signed(ds.key_tag(), ds.algorithm().to_int(), ds.digest_type().to_int(), digest)
                })
            }),
            Rtype::SOA => Ok(Some(Content::Start)),
            other => Ok(Some(Content::Other(other))),
        };
        let content = content.map_err(|_| NoReply::Malformed)?.ok_or(NoReply::Malformed)?;
        records.push(Record { owner: record.owner().to_vec_name(), ttl_secs: record.ttl().as_secs(), content });
    }
    Ok(records)
}

/// A name out of a message, by itself.
trait ToVecName {
    fn to_vec_name(&self) -> Host;
}

impl<Octs: domain::dep::octseq::Octets + ?Sized> ToVecName for ParsedName<&Octs> {
    fn to_vec_name(&self) -> Host {
        use domain::base::name::ToName;
        self.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::base::message_builder::MessageBuilder;
    use proptest::prelude::*;

    fn asked() -> Question {
        let name = host(&DomainName::parse("seized.alfa").unwrap());
        Question { id: 7, name, rtype: Rtype::NS, recursive: false }
    }

    /// A referral to `ns1.sink.alfa` with its address.
    fn referral(id: u16, name: &Host) -> Vec<u8> {
        let mut builder = MessageBuilder::new_vec();
        builder.header_mut().set_id(id);
        builder.header_mut().set_qr(true);
        let mut question = builder.question();
        question.push((name, Rtype::NS)).unwrap();
        let mut authority = question.authority();
        let server: Host = "ns1.sink.alfa".parse().unwrap();
        authority.push((name, 300, Ns::new(server.clone()))).unwrap();
        let mut additional = authority.additional();
        additional.push((server, 300, A::from_octets(127, 0, 0, 1))).unwrap();
        additional.finish()
    }

    #[test]
    fn a_reply_has_our_id_and_our_question_or_is_none() {
        let asked = asked();
        let reply = Reply::read(&referral(7, &asked.name), &asked).unwrap();
        assert_eq!(reply.authority[0].content, Content::NameServer("ns1.sink.alfa".parse().unwrap()));
        assert_eq!(reply.additional[0].content, Content::Address("127.0.0.1".parse().unwrap()));
        assert_eq!(Reply::read(&referral(8, &asked.name), &asked), Err(NoReply::OtherId));
        let other = "other.alfa".parse().unwrap();
        assert_eq!(Reply::read(&referral(7, &other), &asked), Err(NoReply::OtherQuestion));
        assert_eq!(Reply::read(&asked.octets(), &asked), Err(NoReply::Malformed), "an echo is no reply");
    }

    #[test]
    fn a_reply_of_64_kilobytes_full_of_records_is_refused_before_they_are_kept() {
        let asked = asked();
        let mut builder = MessageBuilder::new_vec();
        builder.header_mut().set_id(7);
        builder.header_mut().set_qr(true);
        let mut question = builder.question();
        question.push((&asked.name, Rtype::NS)).unwrap();
        let mut answer = question.answer();
        while answer.as_slice().len() < REPLY_OCTETS_MAX - 64 {
            answer.push((&asked.name, 300, A::from_octets(127, 0, 0, 1))).unwrap();
        }
        assert_eq!(Reply::read(&answer.finish(), &asked), Err(NoReply::TooManyRecords));
    }

    #[test]
    fn a_reply_that_was_cut_says_so_wherever_it_breaks_off() {
        let asked = asked();
        let mut octets = referral(7, &asked.name);
        octets[2] |= 2;
        let question = 12 + asked.name.len() + 4;
        for end in question..octets.len() {
            let reply = Reply::read(&octets[..end], &asked).unwrap();
            assert!(reply.truncated && reply.authority.is_empty(), "{end}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..700)) {
            let _ = Reply::read(&octets, &asked());
        }

        #[test]
        fn a_spoiled_reply_is_read_or_refused(at in 0_usize..70, with in any::<u8>()) {
            let mut octets = referral(7, &asked().name);
            let place = at % octets.len();
            octets[place] = with;
            let _ = Reply::read(&octets, &asked());
        }
    }
}
