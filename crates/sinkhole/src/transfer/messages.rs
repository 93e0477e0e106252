//! Messages from a stream of records: as many as fit, each signed.
//!
//! Owners are written as their labels and a pointer to the question, which therefore stands in every message (RFC 5936,
//! 2.2.1 lets it).

use std::sync::Arc;

use domain::base::iana::{Opcode, Rcode};
use domain::base::message_builder::{AdditionalBuilder, AnswerBuilder, MessageBuilder};
use domain::base::opt::Expire;
use domain::base::record::ComposeRecord;
use domain::base::wire::Composer;
use domain::rdata::tsig::Time48;
use domain::tsig::{Key, ServerSequence};
use store::zones::Record;

use super::question::Question;
use super::stream::Stream;

/// A pointer to the question's name, which starts right behind the header.
const QUESTION_NAME: [u8; 2] = [0xc0, 12];
const CLASS_IN: u16 = 1;
/// What an OPT with EXPIRE needs.
const OPT_OCTETS: usize = 19;
/// What we take over UDP ourselves.
const UDP_OCTETS: u16 = 1_232;

/// Who signs, if anybody does.
pub(super) type Signer = Option<ServerSequence<Arc<Key>>>;

/// A record as it goes out.
struct Outgoing<'a>(&'a Record);

impl ComposeRecord for Outgoing<'_> {
    fn compose_record<Target: Composer + ?Sized>(&self, target: &mut Target) -> Result<(), Target::AppendError> {
        let Record { owner, kind, data, ttl_secs } = self.0;
        target.append_slice(owner)?;
        target.append_slice(&QUESTION_NAME)?;
        target.append_slice(&kind.to_be_bytes())?;
        target.append_slice(&CLASS_IN.to_be_bytes())?;
        target.append_slice(&ttl_secs.to_be_bytes())?;
        let len = u16::try_from(data.len()).expect("a record's data was read from 16 bits of length");
        target.append_slice(&len.to_be_bytes())?;
        target.append_slice(data)
    }
}

/// The next message of a transfer, with at most so many octets. `None`: not even one record fits.
pub(super) fn next(
    question: &Question,
    stream: &mut Stream,
    signer: &mut Signer,
    is_first: bool,
    octets_max: usize,
    now: Time48,
) -> Option<Vec<u8>> {
    let mut answer = head(question, Rcode::NOERROR, octets_max);
    let signature = signer.as_ref().map_or(0, |signer| usize::from(signer.key().compose_len()));
    answer.set_push_limit((octets_max + 1).saturating_sub(signature + OPT_OCTETS));
    let mut count = 0_usize;
    while let Some(record) = stream.next()
        && answer.push(Outgoing(record)).is_ok()
    {
        count += 1;
        stream.advance();
    }
    answer.clear_push_limit();
    let mut message = answer.additional();
    if let Some(edns) = question.edns.filter(|_| is_first) {
        put_opt(&mut message, edns.wants_expire.then(|| stream.zone.expire_secs()));
    }
    (count > 0).then(|| sign(message, signer, now))
}

/// A reply without records.
pub(super) fn refusal(question: &Question, rcode: Rcode, signer: &mut Signer, now: Time48) -> Vec<u8> {
    let mut answer = head(question, rcode, 0);
    answer.header_mut().set_aa(false);
    let mut message = answer.additional();
    if question.edns.is_some() {
        put_opt(&mut message, None);
    }
    sign(message, signer, now)
}

fn head(question: &Question, rcode: Rcode, octets: usize) -> AnswerBuilder<Vec<u8>> {
    let Ok(mut builder) = MessageBuilder::from_target(Vec::with_capacity(octets));
    let header = builder.header_mut();
    header.set_id(question.id);
    header.set_qr(true);
    header.set_opcode(Opcode::QUERY);
    header.set_aa(true);
    header.set_rcode(rcode);
    let mut builder = builder.question();
    builder.push((&question.name, question.wanted.rtype())).expect("a question fits where nothing is yet");
    builder.answer()
}

fn put_opt(message: &mut AdditionalBuilder<Vec<u8>>, expire: Option<u32>) {
    let opt = message.opt(|opt| {
        opt.set_udp_payload_size(UDP_OCTETS);
        if expire.is_some() { opt.push(&Expire::new(expire)) } else { Ok(()) }
    });
    opt.expect("room is kept for EDNS");
}

fn sign(mut message: AdditionalBuilder<Vec<u8>>, signer: &mut Signer, now: Time48) -> Vec<u8> {
    if let Some(signer) = signer {
        signer.answer(&mut message, now).expect("room is kept for the signature");
    }
    message.finish()
}

/// A name in wire form, for a log.
pub(super) fn shown(wire: &[u8]) -> String {
    domain::base::Name::from_slice(wire).map_or_else(|_| "?".to_owned(), ToString::to_string)
}
