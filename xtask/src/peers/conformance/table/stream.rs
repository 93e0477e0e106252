//! TCP: one query or many, in any pieces, and what ends a connection.

use super::super::packet::{ASK, Ask, Name, flag, rtype};
use super::super::send::Way;
use super::super::want::{NOERROR, REFUSED, Want};
use super::{ADDRESSES, Case, WITH_EDNS, udp};

const WHOLE: &[Want] = &[Want::Rcode(NOERROR), Want::Set(flag::AA), Want::Echo, Want::Answers(rtype::A, ADDRESSES)];

const fn tcp(way: Way, name: &'static str, rfc: &'static str, ask: Ask) -> Case {
    Case { way, ..udp(name, rfc, ask, WHOLE) }
}

pub(super) const CASES: &[Case] = &[
    tcp(Way::Tcp, "TCP answers as UDP does", "RFC 7766, 5", WITH_EDNS),
    Case {
        want: &[Want::Rcode(REFUSED), Want::NoRecords],
        ..tcp(Way::Tcp, "TCP refuses as UDP does", "RFC 7766, 5", Ask { name: Name::Text("example.test"), ..ASK })
    },
    tcp(Way::Pipelined, "five queries in one write, five answers", "RFC 7766, 6.2.1.1 and 7", WITH_EDNS),
    tcp(Way::ByteByByte, "two queries octet by octet", "RFC 7766, 8", ASK),
    tcp(Way::After(&[0, 0]), "an empty message harms nobody else", "RFC 7766, 8; RFC 1035, 4.2.2", ASK),
    tcp(Way::After(&[0, 5, 1, 2, 3, 4, 5]), "a message shorter than a header neither", "RFC 1035, 4.2.2", ASK),
    tcp(Way::Idle, "an idle connection is closed", "RFC 7766, 6.2.3", ASK),
];
