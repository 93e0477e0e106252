//! From a packet to what is sent back, without a socket.

use std::net::IpAddr;
use std::sync::Arc;

use domain::base::Message;
use domain::base::iana::{Rcode, TsigRcode};
use domain::base::message_builder::MessageBuilder;
use domain::rdata::tsig::Time48;
use domain::tsig::{Key, ServerError, ServerSequence};
use store::zones::Published;
use wire::dns::Transport;

use super::MESSAGE_OCTETS_MAX;
use super::access::Access;
use super::counts::{Counting, Kind};
use super::messages::{self, Signer};
use super::question::{Question, Wanted};
use super::stream::{Shape, Stream};
use super::zone::Zone;
use crate::ZoneTable;

/// What a peer that says nothing of EDNS takes over UDP, and the most that is sent to one that does.
const UDP_OCTETS_MIN: usize = 512;
const UDP_OCTETS_MAX: usize = 1_232;
/// Where a TSIG's error stands, from the message's end: before the length of its empty other data.
const TSIG_ERROR_FROM_END: usize = 4;

/// What all requests are answered from.
pub(super) struct Desk<'a> {
    pub(super) access: &'a Access,
    pub(super) published: &'a Published,
    pub(super) seized: &'a ZoneTable,
    pub(super) counting: &'a Counting,
}

/// What is sent back.
pub(super) enum Reply {
    Nothing,
    Message(Vec<u8>),
    /// Message by message.
    Transfer(Box<Transferring>),
}

/// A transfer under way.
pub(super) struct Transferring {
    question: Question,
    stream: Stream,
    signer: Signer,
    is_first: bool,
}

impl Transferring {
    /// The next message. `None` once it is over, or if a record fits no message: [`Self::is_whole`] tells them apart.
    pub(super) fn next(&mut self, now: Time48) -> Option<Vec<u8>> {
        if self.is_whole() {
            return None;
        }
        let is_first = std::mem::replace(&mut self.is_first, false);
        messages::next(&self.question, &mut self.stream, &mut self.signer, is_first, MESSAGE_OCTETS_MAX, now)
    }

    pub(super) fn is_whole(&self) -> bool {
        self.stream.is_over()
    }

    pub(super) fn zone(&self) -> &[u8] {
        &self.question.origin
    }

    pub(super) fn kind(&self) -> Kind {
        match self.question.wanted {
            Wanted::Soa => Kind::Look,
            Wanted::Axfr => Kind::Axfr,
            Wanted::Ixfr { .. } => Kind::Ixfr,
        }
    }
}

impl Desk<'_> {
    pub(super) fn answer(&self, packet: Vec<u8>, source: IpAddr, over: Transport, now: Time48) -> Reply {
        let Ok(mut message) = Message::from_octets(packet) else {
            self.counting.add(Kind::Malformed);
            return Reply::Nothing;
        };
        if message.header().qr() {
            return Reply::Nothing;
        }
        let id = message.header().id();
        let signer = match ServerSequence::request(&self.access.keys, &mut message, now) {
            Ok(signer) => signer,
            Err(error) => return self.badly_signed(error, &message, source, now),
        };
        // Taking the signature off brings back the id under which it was signed; the answer has the one that was sent.
        message.header_mut().set_id(id);
        match Question::read(message.for_slice()) {
            Ok(question) => self.about(question, signer, source, over, now),
            Err(rcode) => self.malformed(rcode, &message),
        }
    }

    fn about(&self, question: Question, mut signer: Signer, source: IpAddr, over: Transport, now: Time48) -> Reply {
        let signed_by = signer.as_ref().map(|signer| signer.key().name());
        // Nobody else makes us look for anything.
        let is_known = self.access.knows(source);
        let zone = if is_known { Zone::find(&question.origin, self.published, self.seized) } else { None };
        let zone = zone.filter(|zone| self.access.allows(source, signed_by, &zone.kind));
        let Some(zone) = zone else {
            self.counting.add(Kind::Refused);
            if self.counting.may_tell(now.into()) {
                let zone = question.name.to_string();
                tracing::warn!(%source, %zone, is_known, "a transfer is refused: no such zone for this peer");
            }
            return Reply::Message(messages::refusal(&question, Rcode::REFUSED, &mut signer, now));
        };
        if over == Transport::Udp && question.wanted == Wanted::Axfr {
            // There is no AXFR over UDP (RFC 5936, 4.2).
            self.counting.add(Kind::Malformed);
            return Reply::Message(messages::refusal(&question, Rcode::FORMERR, &mut signer, now));
        }
        match over {
            Transport::Tcp => {
                let shape = Shape::of(question.wanted, &zone);
                let stream = Stream::new(zone, shape);
                Reply::Transfer(Box::new(Transferring { question, stream, signer, is_first: true }))
            }
            Transport::Udp => self.over_udp(&question, &zone, &mut signer, now),
        }
    }

    /// All of it in one message, or the SOA alone: then the peer comes over TCP (RFC 1995, 2). One that does not sign gets
    /// no more in any case, because its address may be forged, and an answer must not be much longer than its question.
    fn over_udp(&self, question: &Question, zone: &Zone, signer: &mut Signer, now: Time48) -> Reply {
        self.counting.add(if question.wanted == Wanted::Soa { Kind::Look } else { Kind::Ixfr });
        let octets_max = question.edns.map_or(UDP_OCTETS_MIN, |edns| usize::from(edns.udp_octets));
        let octets_max = octets_max.clamp(UDP_OCTETS_MIN, UDP_OCTETS_MAX);
        let wanted = if signer.is_some() { Shape::of(question.wanted, zone) } else { Shape::Soa };
        let shapes = [wanted, Shape::Soa];
        let whole = shapes.into_iter().find_map(|shape| {
            let (mut stream, mut signer) = (Stream::new(zone.clone(), shape), signer.clone());
            let message = messages::next(question, &mut stream, &mut signer, true, octets_max, now)?;
            stream.is_over().then_some(message)
        });
        whole.map_or_else(|| Reply::Message(messages::refusal(question, Rcode::SERVFAIL, signer, now)), Reply::Message)
    }

    fn malformed(&self, rcode: Rcode, message: &Message<Vec<u8>>) -> Reply {
        self.counting.add(Kind::Malformed);
        let answer = MessageBuilder::new_vec().start_answer(message, rcode);
        answer.map_or(Reply::Nothing, |answer| Reply::Message(answer.finish()))
    }

    fn badly_signed(
        &self,
        error: ServerError<Arc<Key>>,
        message: &Message<Vec<u8>>,
        source: IpAddr,
        now: Time48,
    ) -> Reply {
        self.counting.add(Kind::BadlySigned);
        let code = error.error();
        if self.counting.may_tell(now.into()) {
            tracing::warn!(%source, error = %code, "a request to the primary is badly signed");
        }
        let Ok(answer) = error.build_message(message, MessageBuilder::new_vec()) else { return Reply::Nothing };
        let is_unsigned = answer.header().rcode() == Rcode::NOTAUTH && code == TsigRcode::FORMERR;
        let mut answer = answer.finish();
        // The library says FORMERR within the TSIG where a signature is wrong; it is BADSIG (RFC 8945, 5.2.2).
        if is_unsigned && let Some(at) = answer.len().checked_sub(TSIG_ERROR_FROM_END) {
            answer[at..at + 2].copy_from_slice(&TsigRcode::BADSIG.to_int().to_be_bytes());
        }
        Reply::Message(answer)
    }
}
