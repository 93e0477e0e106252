//! EDNS: sizes, versions, flags, options.

use super::super::packet::{ASK, Ask, Name, OPT, Opt, flag, rtype};
use super::super::send::Way;
use super::super::want::{BADVERS, FORMERR, NOERROR, Want};
use super::{ADDRESSES, Case, WITH_EDNS, Who, udp, with_opt};

const NSID: u16 = 3;
const SUBNET: u16 = 8;
const COOKIE: u16 = 10;
const PADDING: u16 = 12;
/// Experimental use (RFC 6891, 9): nobody knows it.
const UNKNOWN: u16 = 65_001;

const CLIENT: &[u8] = &[0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57];
/// The client's eight octets, then a server's sixteen that no server gave: version 1, a time of long ago.
const STALE: &[u8] =
    &[0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57, 1, 0, 0, 0, 0x5c, 0xf7, 0x9f, 0x11, 1, 2, 3, 4, 5, 6, 7, 8];

/// OPT whose option says that it has nine octets, and has one.
const HALF_AN_OPTION: &[u8] = &[0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 5, 0xfd, 0xe9, 0, 9, b'x'];

/// 251 octets: sixteen addresses under it outgrow 512 octets and fit 1232.
const LONG: Name = Name::Text(
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.\
     aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.\
     aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.\
     aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.seized.test",
);

const fn size(opts: &'static [Opt]) -> Ask {
    Ask { name: LONG, opts, ..ASK }
}

const fn sized(udp_size: u16) -> Opt {
    Opt { udp_size, ..OPT }
}

const fn option(options: &'static [(u16, &'static [u8])]) -> Opt {
    Opt { options, ..OPT }
}

const fn flags(flags: u16) -> Opt {
    Opt { flags, ..OPT }
}

/// It did not fit: no record, and the stream is the way.
const CUT: &[Want] = &[Want::Rcode(NOERROR), Want::Set(flag::TC), Want::OctetsMax(512)];
const WHOLE: &[Want] =
    &[Want::Rcode(NOERROR), Want::Clear(flag::TC), Want::Answers(rtype::A, ADDRESSES), Want::OctetsMax(1232)];
const ANSWERED: &[Want] = &[Want::Rcode(NOERROR), Want::EdnsFlags(0), Want::Answers(rtype::A, ADDRESSES)];
const IS_FORMERR: &[Want] = &[Want::Rcode(FORMERR), Want::NoRecords];
/// Eight octets of the client's, sixteen of the server's (RFC 9018, 4).
const WITH_COOKIE: &[Want] = &[
    Want::Rcode(NOERROR),
    Want::Option(COOKIE, 24, 24),
    Want::OptionBegins(COOKIE, CLIENT),
    Want::Answers(rtype::A, ADDRESSES),
];

pub(super) const CASES: &[Case] = &[
    //------- Form
    udp("no EDNS asked, none given", "RFC 6891, 7", ASK, &[Want::Rcode(NOERROR), Want::NoEdns]),
    udp("EDNS asked, EDNS given", "RFC 6891, 7", WITH_EDNS, ANSWERED),
    udp(
        "version 1 is BADVERS, and version 0 is named",
        "RFC 6891, 6.1.3",
        with_opt(&[Opt { version: 1, ..OPT }]),
        &[Want::Rcode(BADVERS), Want::EdnsFlags(0), Want::NoRecords],
    ),
    udp(
        "version 1 with an unknown option",
        "RFC 6891, 6.1.3; RFC 8906, 3.2.4",
        with_opt(&[Opt { version: 1, ..option(&[(UNKNOWN, b"x")]) }]),
        &[Want::Rcode(BADVERS), Want::NoOption(UNKNOWN), Want::NoRecords],
    ),
    udp("two OPT records are FORMERR", "RFC 6891, 6.1.1", with_opt(&[OPT, OPT]), IS_FORMERR)
        .but(&[(Who::Pdns, "takes the first OPT and looks no further")]),
    udp(
        "OPT that is not the root's is FORMERR",
        "RFC 6891, 6.1.2",
        with_opt(&[Opt { owner: b"\x01a\x00", ..OPT }]),
        IS_FORMERR,
    )
    .but(&[(Who::Knot, "does not look at the owner of OPT"), (Who::Pdns, "does not look at the owner of OPT")]),
    udp(
        "half an option is FORMERR",
        "RFC 6891, 6.1.2",
        Ask { counts: Some([1, 0, 0, 1]), tail: HALF_AN_OPTION, ..ASK },
        IS_FORMERR,
    )
    .but(&[(Who::Pdns, "leaves out options that it cannot read")]),
    udp(
        "a FORMERR has EDNS if the query had",
        "RFC 6891, 6.1.1 and 7",
        with_opt(&[option(&[(COOKIE, b"short")])]),
        &[Want::Rcode(FORMERR), Want::Edns],
    )
    .but(&[(Who::Nsd, "leaves EDNS out of a FORMERR, against RFC 6891, 6.1.1")]),
    udp(
        "a NOTIMP has EDNS if the query had",
        "RFC 6891, 7",
        Ask { flags: 2 << flag::OPCODE_SHIFT, ..WITH_EDNS },
        &[Want::Rcode(4), Want::Edns],
    )
    .but(&[
        (Who::Nsd, "does not look for OPT under an opcode that it does not speak"),
        (Who::Pdns, "drops opcodes that it does not speak, against RFC 8906, 3.1.4"),
    ]),
    //------- Flags
    udp("DO comes back", "RFC 3225, 3", with_opt(&[flags(0x8000)]), &[Want::Rcode(NOERROR), Want::EdnsFlags(0x8000)]),
    udp("unknown flags do not", "RFC 6891, 6.1.4; RFC 8906, 3.2.3", with_opt(&[flags(0x0040)]), ANSWERED),
    //------- Sizes
    udp("without EDNS 512 octets are the limit, with TC", "RFC 1035, 4.2.1; RFC 2181, 9", size(&[]), CUT),
    udp("size 512: the same", "RFC 6891, 6.2.3", size(&[sized(512)]), CUT),
    udp("size 511 means 512", "RFC 6891, 6.2.3", size(&[sized(511)]), CUT),
    udp("size 0 means 512", "RFC 6891, 6.2.3", size(&[sized(0)]), CUT),
    udp("size 1232: whole", "RFC 6891, 6.2.3", size(&[OPT]), WHOLE),
    udp("size 4096: whole, and never a fragment", "RFC 6891, 6.2.3; RFC 9715, 3.1", size(&[sized(4096)]), WHOLE),
    udp("size 65535: the same", "RFC 6891, 6.2.3", size(&[sized(65_535)]), WHOLE),
    Case {
        way: Way::Tcp,
        ..udp(
            "what was cut is whole over TCP",
            "RFC 7766, 5",
            size(&[]),
            &[Want::Rcode(NOERROR), Want::Clear(flag::TC), Want::Answers(rtype::A, ADDRESSES)],
        )
    },
    //------- Options
    udp(
        "an unknown option is ignored",
        "RFC 6891, 6.1.2",
        with_opt(&[option(&[(UNKNOWN, b"anything")])]),
        &[Want::Rcode(NOERROR), Want::NoOption(UNKNOWN), Want::Answers(rtype::A, ADDRESSES)],
    ),
    udp(
        "NSID is told to who asks",
        "RFC 5001, 2.2",
        with_opt(&[option(&[(NSID, b"")])]),
        &[Want::Rcode(NOERROR), Want::Option(NSID, 1, 255)],
    ),
    udp("and to nobody else", "RFC 5001, 2.2", WITH_EDNS, &[Want::Rcode(NOERROR), Want::NoOption(NSID)]),
    udp(
        "a client's cookie gets a server's",
        "RFC 7873, 5.2.3; RFC 9018, 4",
        with_opt(&[option(&[(COOKIE, CLIENT)])]),
        WITH_COOKIE,
    )
    .but(&[(Who::Knot, BADCOOKIE), (Who::Pdns, BADCOOKIE)]),
    Case {
        way: Way::CookieBack,
        ..udp(
            "which is good when it comes back",
            "RFC 7873, 5.2.5",
            with_opt(&[option(&[(COOKIE, CLIENT)])]),
            WITH_COOKIE,
        )
    },
    udp(
        "an old one gets a new one",
        "RFC 7873, 5.2.4",
        with_opt(&[option(&[(COOKIE, STALE)])]),
        &[Want::OneOf(&[NOERROR, 23]), Want::Option(COOKIE, 24, 24), Want::OptionBegins(COOKIE, CLIENT)],
    ),
    udp("a cookie of one octet is FORMERR", "RFC 7873, 5.2.2", with_opt(&[option(&[(COOKIE, b"short")])]), IS_FORMERR),
    udp(
        "so is one between client's and server's",
        "RFC 7873, 5.2.2",
        with_opt(&[option(&[(COOKIE, b"twelve octet")])]),
        IS_FORMERR,
    ),
    udp(
        "no question but a cookie gets a cookie",
        "RFC 7873, 5.4",
        Ask { questions: 0, ..with_opt(&[option(&[(COOKIE, CLIENT)])]) },
        &[Want::Rcode(NOERROR), Want::Option(COOKIE, 24, 24), Want::NoRecords],
    )
    .but(&[
        (Who::Knot, "does not know the question without a question"),
        (Who::Pdns, "drops a message without a question"),
    ]),
    udp("no cookie asked, none given", "RFC 7873, 5.2.1", WITH_EDNS, &[Want::Rcode(NOERROR), Want::NoOption(COOKIE)]),
    udp(
        "a client subnet is not our business and does not come back",
        "RFC 7871, 7.2.1",
        with_opt(&[option(&[(SUBNET, &[0, 1, 24, 0, 192, 0, 2])])]),
        &[Want::Rcode(NOERROR), Want::NoOption(SUBNET), Want::Answers(rtype::A, ADDRESSES)],
    )
    .but(&[(Who::Bind, "says with scope 0 that the answer is the same for everybody, as RFC 7871, 7.2.1, allows")]),
    udp(
        "padding is for encrypted transports",
        "RFC 7830, 6",
        with_opt(&[option(&[(PADDING, &[0; 32])])]),
        &[Want::Rcode(NOERROR), Want::NoOption(PADDING), Want::Answers(rtype::A, ADDRESSES)],
    ),
];

const BADCOOKIE: &str =
    "sends the cookie with BADCOOKIE and without the answer, which RFC 7873, 5.2.3, leaves to the server";
