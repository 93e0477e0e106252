//! DNS as a pure machine: a query packet and a zone's answers in, a reply packet out.
//!
//! [`Query::parse`] reads one question with its EDNS and turns whatever is wrong into [`Oddities`]: a packet that
//! cannot be read is evidence, not an error. [`Answers`] holds a zone's RRsets in wire form, written once and shared by
//! every zone with the same content, and [`answer`] copies the right one behind the question. Nothing on that way
//! allocates. [`ask`] is the other side, for those who call.
//!
//! What is deliberately absent: recursion, zone files and signatures; a transfer is made from [`Answers::listing`]. A seized name needs no zone tree: every
//! name below the apex exists and answers alike, so nothing is ever NXDOMAIN (RFC 8020 would take the rest with it).
//! Only a name on its way back has one: [`captured`].

pub mod ask;
pub mod captured;

mod acme;
mod amplification;
mod answers;
mod cookies;
mod listing;
mod manners;
mod oddity;
mod opt;
mod query;
mod reader;
mod reply;

pub use acme::{ACME_TOKENS_MAX, ACME_TTL_SECS, AcmeToken};
pub use amplification::{Amplified, amplification};
pub use answers::{Answers, Certifiers, Records, SOA_EXPIRE_SECS, SOA_REFRESH_SECS, SOA_RETRY_SECS};
pub use cookies::{CLIENT_COOKIE_OCTETS, CookieJar, CookieState, SECRET_OCTETS};
pub use manners::Manners;
pub use oddity::{Oddities, Oddity};
pub use opt::SERVER_ID_OCTETS_MAX;
pub use query::{CookieSeen, Edns, Fate, Query, Question, RECORDS_MAX};
pub use reply::{Kind, Reply, Transport, Zone, answer, slip};

/// The longest name in wire form (RFC 1035, 2.3.4).
pub const NAME_OCTETS_MAX: usize = 255;
/// The largest message that TCP can frame (RFC 1035, 4.2.2).
pub const MESSAGE_OCTETS_MAX: usize = 65_535;
/// The UDP payload that every DNS program accepts (RFC 1035, 2.3.4).
pub const UDP_OCTETS_MIN: usize = 512;
/// The largest UDP payload that we send or ask for: 1280 octets of IPv6 minimum MTU less 48 of headers, so that
/// nothing fragments.
pub const UDP_OCTETS_MAX: usize = 1232;

/// The octets of a message's header.
pub(crate) const HEADER_OCTETS: usize = 12;

/// Record types that we speak of by name.
pub mod rtype {
    pub const A: u16 = 1;
    pub const NS: u16 = 2;
    pub const CNAME: u16 = 5;
    pub const SOA: u16 = 6;
    pub const HINFO: u16 = 13;
    pub const MX: u16 = 15;
    pub const TXT: u16 = 16;
    pub const AAAA: u16 = 28;
    pub const DNAME: u16 = 39;
    pub const OPT: u16 = 41;
    pub const DS: u16 = 43;
    pub const SVCB: u16 = 64;
    pub const HTTPS: u16 = 65;
    pub const NXNAME: u16 = 128;
    pub const TKEY: u16 = 249;
    pub const TSIG: u16 = 250;
    pub const IXFR: u16 = 251;
    pub const AXFR: u16 = 252;
    pub const MAILB: u16 = 253;
    pub const MAILA: u16 = 254;
    pub const ANY: u16 = 255;
    pub const CAA: u16 = 257;
}

/// Classes that we speak of by name.
pub mod class {
    pub const IN: u16 = 1;
    pub const CH: u16 = 3;
    pub const NONE: u16 = 254;
    pub const ANY: u16 = 255;
}

/// Response codes, with EDNS's extension (RFC 6895, 2.3).
pub mod rcode {
    pub const NOERROR: u16 = 0;
    pub const FORMERR: u16 = 1;
    pub const SERVFAIL: u16 = 2;
    pub const NXDOMAIN: u16 = 3;
    pub const NOTIMP: u16 = 4;
    pub const REFUSED: u16 = 5;
    pub const YXDOMAIN: u16 = 6;
    pub const BADVERS: u16 = 16;
    pub const BADCOOKIE: u16 = 23;
}

/// EDNS option codes (RFC 5001, 7828, 7871, 7873, 8914).
pub mod option {
    pub const NSID: u16 = 3;
    pub const CLIENT_SUBNET: u16 = 8;
    pub const COOKIE: u16 = 10;
    pub const TCP_KEEPALIVE: u16 = 11;
    pub const EXTENDED_ERROR: u16 = 15;
}

/// Extended errors that are true of us (RFC 8914, 4; RFC 9824, 3.5). One who answers has none.
pub mod extended_error {
    pub const NOT_AUTHORITATIVE: u16 = 20;
    pub const NOT_SUPPORTED: u16 = 21;
    pub const INVALID_QUERY_TYPE: u16 = 30;
}

/// Bits of a header's second 16 bits (RFC 1035, 4.1.1; RFC 4035, 3).
pub mod flag {
    pub const QR: u16 = 0x8000;
    pub const OPCODE: u16 = 0x7800;
    pub const AA: u16 = 0x0400;
    pub const TC: u16 = 0x0200;
    pub const RD: u16 = 0x0100;
    pub const RA: u16 = 0x0080;
    pub const Z: u16 = 0x0040;
    pub const AD: u16 = 0x0020;
    pub const CD: u16 = 0x0010;
    pub const RCODE: u16 = 0x000f;
}

#[cfg(test)]
mod tests;
