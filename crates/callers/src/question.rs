//! DNS questions as resolvers ask them: letter case at random, EDNS, now and then a cookie.
//!
//! The octets are written and the answers checked by [`wire::dns::ask`], which believes an answer only if id and
//! question come back exactly, letter case included (draft-vixie-dnsext-dns0x20).

use model::DomainName;
use wire::dns::UDP_OCTETS_MAX;
use wire::dns::ask::{Answered, Ask, AskEdns, Mismatch};

use crate::dice::Dice;

/// Service bindings (RFC 9460): what every browser asks for since 2020.
pub(crate) const HTTPS: u16 = 65;
/// EDNS option 10 (RFC 7873): code, length, and the client's part of a cookie.
const COOKIE_HEAD: [u8; 4] = [0, 10, 0, 8];

/// What a resolver wants to know, and how it asks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Question {
    pub(crate) id: u16,
    /// Wire form, in the letter case in which it is sent.
    pub(crate) name: Vec<u8>,
    pub(crate) qtype: u16,
    pub(crate) qclass: u16,
    pub(crate) edns: Option<Edns>,
}

/// What the OPT record says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Edns {
    pub(crate) dnssec_ok: bool,
    pub(crate) options: Vec<u8>,
}

impl Question {
    /// As an old resolver asks.
    pub(crate) fn plain(name: &DomainName, qtype: u16, dice: &mut Dice) -> Self {
        let id = (dice.roll() & 0xffff) as u16;
        Self { id, name: name.to_wire(), qtype, qclass: wire::dns::class::IN, edns: None }
    }

    /// As a modern resolver asks: random letter case, EDNS, often DNSSEC OK, sometimes a cookie.
    pub(crate) fn modern(name: &DomainName, qtype: u16, dice: &mut Dice) -> Self {
        let mut question = Self::plain(name, qtype, dice);
        mix_case(&mut question.name, dice);
        let options = if dice.one_in(4) { cookie(dice) } else { Vec::new() };
        question.edns = Some(Edns { dnssec_ok: !dice.one_in(3), options });
        question
    }

    /// The message without TCP's length.
    pub(crate) fn to_octets(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(64);
        self.ask().encode(&mut octets);
        octets
    }

    pub(crate) fn check<'p>(&self, packet: &'p [u8]) -> Result<Answered<'p>, Mismatch> {
        self.ask().check(packet)
    }

    fn ask(&self) -> Ask<'_> {
        let udp_size = UDP_OCTETS_MAX as u16;
        let edns = self.edns.as_ref();
        let edns = edns.map(|edns| AskEdns { udp_size, dnssec_ok: edns.dnssec_ok, options: &edns.options });
        Ask { qclass: self.qclass, edns, ..Ask::new(self.id, &self.name, self.qtype) }
    }
}

fn cookie(dice: &mut Dice) -> Vec<u8> {
    COOKIE_HEAD.into_iter().chain(dice.roll().to_be_bytes()).collect()
}

/// Letter case at random; length octets are below 64 and so never letters.
fn mix_case(name: &mut [u8], dice: &mut Dice) {
    for octet in name {
        if octet.is_ascii_lowercase() && dice.one_in(2) {
            *octet = octet.to_ascii_uppercase();
        }
    }
}

/// A message header; the counts are those of the four sections.
pub(crate) fn header(id: u16, flags: u16, counts: [u16; 4]) -> Vec<u8> {
    [id, flags].into_iter().chain(counts).flat_map(u16::to_be_bytes).collect()
}

/// Whether a packet claims to answer the message with this id: all that can be asked where there was no question.
pub(crate) fn is_response_to(octets: &[u8], packet: &[u8]) -> bool {
    packet.len() > 2 && octets.len() > 2 && packet[..2] == octets[..2] && packet[2] & 0x80 != 0
}

#[cfg(test)]
mod tests {
    use domain::base::Message;
    use wire::dns::rtype;

    use super::*;

    #[test]
    fn a_question_is_what_an_independent_parser_reads() {
        let name = DomainName::parse("outlook-verify.net").unwrap();
        let question = Question::modern(&name, rtype::A, &mut Dice::new(3, 3));
        let octets = question.to_octets();
        let message = Message::from_octets(octets.as_slice()).unwrap();
        let asked = message.first_question().unwrap();
        assert_eq!(asked.qname().to_string().to_lowercase(), "outlook-verify.net");
        assert_ne!(asked.qname().to_string(), "outlook-verify.net", "the letter case is mixed");
        assert_eq!(message.opt().unwrap().udp_payload_size(), 1232);
        assert_eq!(message.header().id(), question.id);
    }

    #[test]
    fn an_answer_in_another_letter_case_is_not_believed() {
        let name = DomainName::parse("outlook-verify.net").unwrap();
        let question = Question::modern(&name, rtype::A, &mut Dice::new(3, 3));
        let echo = |name: &[u8]| [header(question.id, 0x8400, [1, 0, 0, 0]), name.to_vec(), vec![0, 1, 0, 1]].concat();
        assert!(question.check(&echo(&question.name)).is_ok());
        assert_eq!(question.check(&echo(&question.name.to_ascii_lowercase())).unwrap_err(), Mismatch::Question);
    }
}
