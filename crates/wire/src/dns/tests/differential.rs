//! Anything at all, against two parsers that others wrote: hickory-proto and NLnet Labs' domain.
//!
//! We are stricter than either in places (a pointer in a question, two OPT records), so the comparison goes one way:
//! what we read as a question they read as the same one, and what we send they read without complaint.

use domain::base::{Message, ToName};
use hickory_proto::op;
use hickory_proto::serialize::binary::BinEncodable;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Names at, below and beside the apex, of odd octets and of great length.
fn names() -> impl Strategy<Value = Vec<u8>> {
    let labels = vec(vec(any::<u8>(), 1..20), 0..8);
    (labels, any::<bool>()).prop_map(|(labels, below)| {
        let mut name: Vec<u8> = labels.iter().flat_map(|label| [&[label.len() as u8], &label[..]].concat()).collect();
        name.extend(if below { wire(APEX) } else { vec![0] });
        name
    })
}

fn options() -> impl Strategy<Value = Vec<u8>> {
    let option = (prop_oneof![Just(3_u16), Just(8), Just(10), any::<u16>()], vec(any::<u8>(), 0..24));
    vec(option, 0..4).prop_map(|options| {
        let put = |(code, value): (u16, Vec<u8>)| {
            [&code.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), &value].concat()
        };
        options.into_iter().flat_map(put).collect()
    })
}

prop_compose! {
    fn queries()(
        id: u16, name in names(), qtype in prop_oneof![0_u16..300, any::<u16>()], chaos in prop::bool::weighted(0.1),
        recursion_desired: bool, edns in prop::option::of((any::<u16>(), any::<bool>(), options())),
    ) -> Vec<u8> {
        let qclass = if chaos { class::CH } else { class::IN };
        let edns = edns.as_ref().map(|(udp_size, dnssec_ok, options)| {
            AskEdns { udp_size: *udp_size, dnssec_ok: *dnssec_ok, options }
        });
        let mut packet = Vec::new();
        Ask { id, name: &name, qtype, qclass, recursion_desired, edns }.encode(&mut packet);
        packet
    }
}

/// A query with a few octets changed, cut or doubled.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    (queries(), vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 0..6)).prop_map(|(mut packet, changes)| {
        for (at, byte, how) in changes {
            let at = at.index(packet.len().max(1));
            match how {
                0 if !packet.is_empty() => packet[at] = byte,
                1 if !packet.is_empty() => packet[at] ^= 1 << (byte % 8),
                2 => packet.truncate(at.max(1)),
                _ => packet.insert(at, byte),
            }
        }
        packet
    })
}

/// Whatever is sent, the reply is bounded, belongs to it, and is read by everybody.
fn check(packet: &[u8]) -> Result<(), TestCaseError> {
    let answers = Answers::new(&records());
    let query = Query::parse(packet);
    let (reply, out) = serve(packet, &answers, Transport::Udp);
    let Some(reply) = reply else {
        prop_assert!(out.is_empty() && query.fate == Fate::Silence);
        return Ok(());
    };
    prop_assert!(out.len() <= UDP_OCTETS_MAX && (query.edns.is_some() || out.len() <= UDP_OCTETS_MIN));
    let theirs = op::Message::from_vec(&out);
    prop_assert!(theirs.is_ok(), "{:?} of {:02x?}", theirs.err(), out);
    let theirs = theirs.unwrap();
    prop_assert_eq!(theirs.metadata.id, query.id);
    prop_assert_eq!(u16::from(theirs.metadata.response_code), reply.rcode);
    let message = Message::from_octets(&out).unwrap();
    prop_assert_eq!(message.opt_rcode().to_int(), reply.rcode);
    let (_, answer, authority, additional) = message.sections().unwrap();
    for record in answer.chain(authority).chain(additional) {
        prop_assert!(record.is_ok());
    }
    Ok(())
}

/// What we read as a question, they read as the same one.
fn compare_question(packet: &[u8]) -> Result<(), TestCaseError> {
    let query = Query::parse(packet);
    let (Some(ours), Fate::Answer) = (query.question, query.fate) else { return Ok(()) };
    let message = Message::from_octets(packet).unwrap();
    let theirs = message.sole_question();
    prop_assert!(theirs.is_ok(), "{:?}", theirs.err());
    let theirs = theirs.unwrap();
    let name = theirs.qname().to_vec();
    prop_assert_eq!(name.as_slice(), ours.name);
    prop_assert_eq!(theirs.qtype().to_int(), ours.qtype);
    prop_assert_eq!(theirs.qclass().to_int(), ours.qclass);
    prop_assert_eq!(message.opt().map(|opt| opt.udp_payload_size()), query.edns.map(|edns| edns.udp_size));
    if let Ok(theirs) = op::Message::from_vec(packet) {
        prop_assert_eq!(theirs.queries.len(), 1);
        prop_assert_eq!(theirs.queries[0].name().to_bytes().unwrap(), ours.name);
        prop_assert_eq!(u16::from(theirs.queries[0].query_type()), ours.qtype);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn good_queries_are_read_as_others_read_them(packet in queries()) {
        prop_assert!(Query::parse(&packet).question.is_some());
        compare_question(&packet)?;
        check(&packet)?;
    }

    #[test]
    fn broken_queries_are_answered_or_not_but_never_wrongly(packet in mutated()) {
        compare_question(&packet)?;
        check(&packet)?;
    }

    #[test]
    fn noise_does_no_harm(packet in vec(any::<u8>(), 0..600)) {
        compare_question(&packet)?;
        check(&packet)?;
    }

    #[test]
    fn the_asker_bears_any_reply(packet in mutated(), noise in vec(any::<u8>(), 0..600)) {
        let name = wire(APEX);
        let asked = Ask::new(0, &name, rtype::A);
        let _ = asked.check(&packet);
        let _ = asked.check(&noise);
    }
}
