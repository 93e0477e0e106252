//! What a seized name and the names below it say, and what is said about names that are not ours.

use super::super::packet::{ASK, Ask, Name, flag, rtype};
use super::super::send::Way;
use super::super::want::{FORMERR, NOERROR, NOTIMP, REFUSED, Want};
use super::{ADDRESSES, Case, WITH_EDNS, Who, udp};

const BELOW: Name = Name::Text("www.seized.test");
const DEEP: Name = Name::Text("a.b.c.seized.test");

const ADDRESS: &[Want] = &[
    Want::Rcode(NOERROR),
    Want::Set(flag::QR | flag::AA),
    Want::Clear(flag::TC),
    Want::Echo,
    Want::Answers(rtype::A, ADDRESSES),
];
/// There is nothing of this type, and the name exists.
const NODATA: &[Want] =
    &[Want::Rcode(NOERROR), Want::Set(flag::QR | flag::AA), Want::Echo, Want::Nothing, Want::Negative];
const REFUSAL: &[Want] =
    &[Want::Rcode(REFUSED), Want::Set(flag::QR), Want::Clear(flag::AA | flag::RA), Want::NoRecords];

const fn at(name: Name, qtype: u16) -> Ask {
    Ask { name, qtype, ..ASK }
}

const fn apex(qtype: u16) -> Ask {
    Ask { qtype, ..ASK }
}

const fn text(name: &'static str, qtype: u16) -> Ask {
    Ask { name: Name::Text(name), qtype, ..ASK }
}

const fn in_class(qclass: u16) -> Ask {
    Ask { qclass, ..ASK }
}

const VERSION: Ask = Ask { name: Name::Text("version.bind"), qtype: rtype::TXT, qclass: 3, ..ASK };

pub(super) const CASES: &[Case] = &[
    //------- What is there
    udp("the apex has its addresses, with AA", "RFC 1035, 4.1.1", apex(rtype::A), ADDRESS),
    udp("so has a name below it", "RFC 4592, 3.3.1", at(BELOW, rtype::A), ADDRESS),
    udp("and one far below it", "RFC 4592, 3.3.1", at(DEEP, rtype::A), ADDRESS),
    udp(
        "IPv6",
        "RFC 3596, 2.2",
        apex(rtype::AAAA),
        &[
            Want::Rcode(NOERROR),
            Want::Answers(rtype::AAAA, 1),
            Want::Rdata(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        ],
    ),
    udp(
        "NS at the apex as ordered",
        "RFC 1034, 4.2.1",
        apex(rtype::NS),
        &[Want::Answers(rtype::NS, 2), Want::Set(flag::AA)],
    ),
    udp("SOA at the apex", "RFC 1035, 3.3.13", apex(rtype::SOA), &[Want::Answers(rtype::SOA, 1), Want::Set(flag::AA)]),
    udp("null MX", "RFC 7505, 3", apex(rtype::MX), &[Want::Answers(rtype::MX, 1), Want::Rdata(&[0, 0, 0])]),
    udp("null MX below", "RFC 7505, 3", at(BELOW, rtype::MX), &[Want::Answers(rtype::MX, 1), Want::Rdata(&[0, 0, 0])]),
    udp(
        "SPF says no",
        "RFC 7208, 4.5",
        apex(rtype::TXT),
        &[Want::Answers(rtype::TXT, 1), Want::Rdata(b"\x0bv=spf1 -all")],
    ),
    udp("DMARC", "RFC 7489, 6.1", text("_dmarc.seized.test", rtype::TXT), &[Want::Answers(rtype::TXT, 1)]),
    udp(
        "a DKIM key is revoked",
        "RFC 6376, 3.6.1",
        text("s1._domainkey.seized.test", rtype::TXT),
        &[Want::Answers(rtype::TXT, 1), Want::Rdata(b"\x0bv=DKIM1; p=")],
    ),
    udp(
        "CAA: nobody may certify it",
        "RFC 8659, 4.2",
        apex(rtype::CAA),
        &[Want::Answers(rtype::CAA, 1), Want::Rdata(b"\x00\x05issue;")],
    ),
    udp(
        "the case of the question comes back (0x20)",
        "RFC 5452, 9.2; RFC 4343, 4.1",
        text("wWw.SeIzEd.TeSt", rtype::A),
        ADDRESS,
    ),
    udp(
        "a label of any octets",
        "RFC 2181, 11",
        at(Name::Wire(b"\x04\x00.\xff \x06seized\x04test\x00"), rtype::A),
        &[Want::Rcode(NOERROR), Want::Echo, Want::Set(flag::AA)],
    ),
    udp(
        "a name of 255 octets, the longest that there is",
        "RFC 1035, 3.1",
        at(Name::Wire(LONGEST), rtype::MX),
        &[Want::Rcode(NOERROR), Want::Echo, Want::Answers(rtype::MX, 1)],
    ),
    //------- What is not there
    udp("another type is NODATA, never NXDOMAIN", "RFC 2308, 2.2; RFC 8020, 2", at(DEEP, rtype::SRV), NODATA),
    udp("a type that nobody knows is NODATA", "RFC 3597, 3; RFC 8906, 3.1.2", at(BELOW, rtype::PRIVATE), NODATA),
    udp("HTTPS is NODATA", "RFC 9460, 2.4.1", apex(rtype::HTTPS), NODATA),
    udp("SVCB is NODATA", "RFC 9460, 2.4.1", at(BELOW, rtype::SVCB), NODATA),
    udp("NS exist at the apex only", "RFC 2308, 2.2", at(BELOW, rtype::NS), NODATA),
    udp("the SOA exists at the apex only", "RFC 2308, 2.2", at(DEEP, rtype::SOA), NODATA),
    udp("CAA below is found by climbing", "RFC 8659, 3", at(BELOW, rtype::CAA), NODATA),
    udp("DS, which is the parent's, is NODATA", "RFC 4035, 3.1.4.1", apex(rtype::DS), NODATA),
    udp("DNSKEY is NODATA: no signatures", "RFC 4035, 3.1", apex(rtype::DNSKEY), NODATA),
    udp(
        "an empty non-terminal is NODATA",
        "RFC 4592, 2.2.2; RFC 8020, 2",
        text("_domainkey.seized.test", rtype::TXT),
        NODATA,
    ),
    udp("an address below an empty non-terminal", "RFC 4592, 2.2.2", text("_domainkey.seized.test", rtype::A), ADDRESS)
        .but(&[(Who::Nsd, ENT), (Who::Knot, ENT), (Who::Bind, ENT), (Who::Pdns, ENT)]),
    udp(
        "TYPE0 gets a word, not silence",
        "RFC 6895, 3.1; RFC 8906, 3.1.2",
        apex(0),
        &[Want::OneOf(&[NOERROR, FORMERR, NOTIMP, REFUSED]), Want::Nothing],
    ),
    udp(
        "OPT as a question gets a word, not silence",
        "RFC 6891, 6.1.1",
        apex(rtype::OPT),
        &[Want::OneOf(&[NOERROR, FORMERR, NOTIMP, REFUSED]), Want::Nothing],
    ),
    udp(
        "ANY gets one set",
        "RFC 8482, 4.1",
        apex(rtype::ANY),
        &[Want::Rcode(NOERROR), Want::OneSet, Want::OctetsMax(512)],
    )
    .but(&[
        (Who::Nsd, "cuts the answer with TC and tells all over TCP, which RFC 8482, 4.4, allows"),
        (Who::Pdns, "cuts the answer with TC and tells all over TCP, which RFC 8482, 4.4, allows"),
    ]),
    //------- What is not ours
    udp(
        "another name is REFUSED, without a referral",
        "RFC 9499, 7; RFC 1035, 4.1.1",
        text("example.test", rtype::A),
        REFUSAL,
    ),
    udp("a name that only ends alike is REFUSED", "RFC 1034, 3.1", text("notseized.test", rtype::A), REFUSAL),
    udp("so is the parent", "RFC 1034, 4.2.1", text("test", rtype::NS), REFUSAL),
    udp("and the root", "RFC 1034, 4.2.1", text("", rtype::NS), REFUSAL),
    udp("class CH is REFUSED for our name", "RFC 1035, 3.2.4", in_class(3), REFUSAL)
        .but(&[(Who::Pdns, "says NOTIMP, with AA, to every class but IN")]),
    udp("class ANY is REFUSED", "RFC 1035, 3.2.5 and 6.2", in_class(255), REFUSAL).but(&[
        (Who::Nsd, ANY_CLASS),
        (Who::Knot, ANY_CLASS_AA),
        (Who::Bind, "says FORMERR to a class that no zone can have"),
        (Who::Pdns, ANY_CLASS),
    ]),
    udp(
        "class NONE is REFUSED",
        "RFC 2136, 1.1; RFC 8906, 3.1",
        in_class(254),
        &[Want::OneOf(&[REFUSED, FORMERR]), Want::NoRecords],
    ),
    udp("version.bind is not told", "RFC 4892, 2", VERSION, &[Want::OneOf(&[REFUSED, NOTIMP]), Want::NoRecords]).but(
        &[
            (Who::Bind, "with `version none` the view _bind says NODATA, with its own SOA"),
            (Who::Pdns, "with `version-string=anonymous` it says SERVFAIL"),
        ],
    ),
    //------- Whole zones
    udp(
        "AXFR over UDP is not served",
        "RFC 5936, 4.2",
        apex(rtype::AXFR),
        &[Want::OneOf(&[REFUSED, FORMERR, NOTIMP]), Want::NoRecords],
    )
    .but(&[(Who::Pdns, "answers with the SOA alone, as for an IXFR that does not fit")]),
    Case {
        way: Way::Tcp,
        ..udp(
            "AXFR over TCP is REFUSED",
            "RFC 5936, 2.2.1",
            apex(rtype::AXFR),
            &[Want::Rcode(REFUSED), Want::NoRecords],
        )
        .but(&[(Who::Knot, TRANSFER), (Who::Pdns, TRANSFER)])
    },
    udp(
        "IXFR is REFUSED",
        "RFC 1995, 2",
        Ask { counts: Some([1, 0, 1, 0]), tail: SERIAL, ..apex(rtype::IXFR) },
        &[Want::Rcode(REFUSED), Want::NoRecords],
    )
    .but(&[(Who::Knot, TRANSFER)]),
    udp(
        "the same with EDNS",
        "RFC 6891, 7",
        Ask { name: Name::Text("example.test"), ..WITH_EDNS },
        &[Want::Rcode(REFUSED), Want::Edns, Want::NoRecords],
    ),
];

/// Three labels of 63 octets, one of 49, and the apex.
const LONGEST: &[u8] = b"\x3faaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
    \x3faaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
    \x3faaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
    \x31aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x06seized\x04test\x00";

/// The SOA of an IXFR: serial 1, everything else empty.
const SERIAL: &[u8] = b"\xc0\x0c\x00\x06\x00\x01\x00\x00\x00\x00\x00\x16\x00\x00\
    \x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00";

const ENT: &str =
    "a zone file's wildcard stops at a name with something below it; with us every name has the addresses";

const ANY_CLASS: &str = "answers with the data of class IN, without AA, as RFC 1035, 6.2, allows";
const ANY_CLASS_AA: &str = "answers with the data of class IN, and with AA, which RFC 1035, 6.2, does not want";
const TRANSFER: &str = "says NOTAUTH to who may not have the zone, where RFC 5936, 2.2.1, has REFUSED";
