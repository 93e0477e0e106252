//! Header bits, opcodes, counts, and packets that are none.

use super::super::packet::{ASK, Ask, Name, flag, rtype};
use super::super::send::Way;
use super::super::want::{FORMERR, NOERROR, NOTAUTH, NOTIMP, REFUSED, Want};
use super::{ADDRESSES, Case, Who, udp};

const fn flags(flags: u16) -> Ask {
    Ask { flags, ..ASK }
}

const fn opcode(opcode: u16) -> Ask {
    Ask { flags: opcode << flag::OPCODE_SHIFT, qtype: rtype::SOA, ..ASK }
}

const fn wire(octets: &'static [u8]) -> Ask {
    Ask { name: Name::Wire(octets), ..ASK }
}

const PLAIN: &[Want] = &[Want::Rcode(NOERROR), Want::Set(flag::AA), Want::Answers(rtype::A, ADDRESSES)];
const IS_NOTIMP: &[Want] = &[Want::Rcode(NOTIMP), Want::Opcode, Want::Set(flag::QR), Want::NoRecords];
const IS_FORMERR: &[Want] = &[Want::Rcode(FORMERR), Want::Set(flag::QR), Want::NoRecords];

const LONG: &[u8] = b"\x3faaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
    \x3faaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
    \x3faaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
    \x3faaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
    \x06seized\x04test\x00";

pub(super) const CASES: &[Case] = &[
    //------- Bits
    udp(
        "RD comes back, RA does not",
        "RFC 1035, 4.1.1",
        flags(flag::RD),
        &[Want::Rcode(NOERROR), Want::Set(flag::RD), Want::Clear(flag::RA)],
    ),
    udp("no RD, no RD", "RFC 1035, 4.1.1", ASK, &[Want::Rcode(NOERROR), Want::Clear(flag::RD | flag::RA)]),
    udp(
        "AD in a query is no promise in the answer",
        "RFC 6840, 5.7 and 5.8",
        flags(flag::AD),
        &[Want::Rcode(NOERROR), Want::Clear(flag::AD)],
    ),
    udp(
        "CD is cleared by who does not validate",
        "RFC 4035, 3.1.6",
        flags(flag::CD),
        &[Want::Rcode(NOERROR), Want::Clear(flag::CD)],
    )
    .but(&[(Who::Bind, "copies CD, as a resolver does; RFC 4035, 3.1.6, says only SHOULD")]),
    udp(
        "the reserved bit does not come back",
        "RFC 1035, 4.1.1; RFC 8906, 3.1.3",
        flags(flag::Z),
        &[Want::Rcode(NOERROR), Want::Clear(flag::Z), Want::Answers(rtype::A, ADDRESSES)],
    ),
    udp(
        "AA, TC, RA in a query say nothing",
        "RFC 1035, 4.1.1",
        flags(flag::AA | flag::RA),
        &[Want::Rcode(NOERROR), Want::Clear(flag::RA), Want::Answers(rtype::A, ADDRESSES)],
    ),
    udp("nor does TC", "RFC 1035, 4.1.1", flags(flag::TC), &[Want::OneOf(&[NOERROR, FORMERR]), Want::Clear(flag::TC)])
        .but(&[(Who::Pdns, DROPS)]),
    udp("nor does a response code", "RFC 1035, 4.1.1", flags(3), PLAIN)
        .but(&[(Who::Nsd, "takes a query with a response code for malformed; no RFC says either")]),
    //------- Opcodes
    udp("IQUERY is NOTIMP", "RFC 3425, 3", opcode(1), IS_NOTIMP)
        .but(&[(Who::Pdns, "drops opcodes that it does not speak, against RFC 8906, 3.1.4")]),
    udp("STATUS is NOTIMP", "RFC 1035, 4.1.1; RFC 8906, 3.1.4", opcode(2), IS_NOTIMP)
        .but(&[(Who::Pdns, "drops opcodes that it does not speak, against RFC 8906, 3.1.4")]),
    udp("opcode 7 is NOTIMP", "RFC 8906, 3.1.4", opcode(7), IS_NOTIMP)
        .but(&[(Who::Pdns, "drops opcodes that it does not speak, against RFC 8906, 3.1.4")]),
    udp("opcode 15 is NOTIMP", "RFC 8906, 3.1.4", opcode(15), IS_NOTIMP)
        .but(&[(Who::Pdns, "drops opcodes that it does not speak, against RFC 8906, 3.1.4")]),
    udp(
        "NOTIFY from a stranger gets a no",
        "RFC 1996, 3.10; RFC 8906, 3.1.4",
        opcode(4),
        &[Want::OneOf(&[REFUSED, NOTIMP, NOTAUTH]), Want::Opcode, Want::NoRecords],
    )
    .but(&[(Who::Bind, "says NOERROR as the primary of the zone, and does nothing")]),
    udp(
        "UPDATE from a stranger gets a no",
        "RFC 2136, 3.3; RFC 8906, 3.1.4",
        opcode(5),
        &[Want::OneOf(&[REFUSED, NOTIMP, NOTAUTH]), Want::Opcode, Want::NoRecords],
    ),
    //------- Silence
    Case {
        way: Way::Unanswered,
        ..udp("a response is never answered", "RFC 1035, 7.3; RFC 8906, 1", flags(flag::QR), &[])
    },
    Case {
        way: Way::Unanswered,
        ..udp("nor is what is shorter than a header", "RFC 1035, 4.1.1", Ask { cut: Some(11), ..ASK }, &[])
    },
    //------- Counts
    udp("no question is FORMERR", "RFC 9619, 3", Ask { questions: 0, ..ASK }, IS_FORMERR).but(&[(Who::Pdns, DROPS)]),
    udp("two questions are FORMERR", "RFC 9619, 3", Ask { questions: 2, ..ASK }, IS_FORMERR)
        .but(&[(Who::Knot, DROPS), (Who::Pdns, DROPS)]),
    udp(
        "a header alone that announces a question is FORMERR",
        "RFC 1035, 4.1.1",
        Ask { cut: Some(12), ..ASK },
        IS_FORMERR,
    )
    .but(&[(Who::Knot, DROPS), (Who::Pdns, DROPS)]),
    udp("half a question is FORMERR", "RFC 1035, 4.1.1", Ask { cut: Some(20), ..ASK }, IS_FORMERR)
        .but(&[(Who::Knot, DROPS), (Who::Pdns, DROPS)]),
    udp(
        "a record that is announced and absent is FORMERR",
        "RFC 1035, 4.1.1",
        Ask { counts: Some([1, 0, 0, 1]), ..ASK },
        IS_FORMERR,
    )
    .but(&[(Who::Pdns, DROPS)]),
    udp(
        "octets behind the message get a word, not silence",
        "RFC 1035, 4.1; RFC 8906, 1",
        Ask { tail: b"behind", ..ASK },
        &[Want::OneOf(&[NOERROR, FORMERR])],
    ),
    //------- Names that are none
    udp("a name that points at itself is FORMERR", "RFC 1035, 4.1.4", wire(&[0xc0, 12]), IS_FORMERR)
        .but(&[(Who::Knot, DROPS), (Who::Pdns, DROPS)]),
    udp("a name that points forward is FORMERR", "RFC 1035, 4.1.4", wire(&[3, b'w', b'w', b'w', 0xc0, 40]), IS_FORMERR)
        .but(&[(Who::Knot, DROPS), (Who::Pdns, DROPS)]),
    udp("a label of another kind is FORMERR", "RFC 1035, 4.1.4; RFC 6891, 5", wire(&[0x41, 0, 0]), IS_FORMERR)
        .but(&[(Who::Knot, DROPS), (Who::Pdns, DROPS)]),
    udp("a name of more than 255 octets is FORMERR", "RFC 1035, 3.1", wire(LONG), IS_FORMERR)
        .but(&[(Who::Knot, DROPS), (Who::Pdns, DROPS)]),
];

const DROPS: &str = "drops what its parser does not take, against RFC 8906, 3: the asker waits in vain";
