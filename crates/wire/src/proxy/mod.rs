//! The header that a balancer puts in front of a connection: who really called (the PROXY protocol, versions 1 and 2).
//!
//! Only a listed balancer's word is believed, so whoever drives this has looked at the peer's address first; and a
//! listed balancer must speak, because the protocol forbids to guess (proxy-protocol.txt, 2). What it says is taken as
//! it comes, octet by octet, up to [`LINE_OCTETS_MAX`] for a line and [`HEADER_OCTETS_MAX`] for octets, whatever length
//! it claims. What is wrong with a header is an oddity: one that leaves no doubt about the addresses is noted beside
//! them, any other ends the header, and with it the connection.
//!
//! The page is our own. `ppp` 2.3 parses a slice from its start at each call and says an error where we want the
//! evidence; it serves as judge in the tests. `proxy-protocol-rs` 0.8 wraps a tokio listener, which no machine here may.
//!
//! What is deliberately absent: writing headers, the checksum (TCP has carried it, and a balancer that lies can compute
//! one), and what a balancer saw of TLS: the hello itself is better evidence.

use std::net::SocketAddr;

use crate::oddity::Oddity;

mod line;
mod octets;

/// The longest line of version 1, with its CRLF: `PROXY UNKNOWN`, two addresses of 39 and two ports of 5 octets
/// (proxy-protocol.txt, 2.1).
pub const LINE_OCTETS_MAX: usize = 107;
/// The most that is read of what follows the first sixteen octets of version 2. Its length field could say 65,535;
/// addresses have 36, and what balancers of today add has some hundreds, a client's certificate included two thousand.
pub const ADDITION_OCTETS_MAX: usize = 4_096;
/// The longest header of version 2 that is read.
pub const HEADER_OCTETS_MAX: usize = octets::FIXED_OCTETS + ADDITION_OCTETS_MAX;
/// The most octets of one addition that are kept: a host name's, and an ALPN's; a unique id has 128 (2.2.5).
pub const VALUE_OCTETS_MAX: usize = 255;

/// Version 1 begins with this, version 2 with [`octets::SIGNATURE`].
const WORD: &[u8] = b"PROXY ";

//----------- Header -----------------------------------------------------------------------------------------------

/// What the balancer said.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Header {
    /// 1 or 2.
    pub version: u8,
    /// The balancer speaks for itself, as health checks do: the connection's own addresses hold.
    pub is_local: bool,
    /// Who called; `None` if the balancer does not know, or the address is none of the Internet's.
    pub source: Option<SocketAddr>,
    /// Where it was called.
    pub destination: Option<SocketAddr>,
    /// The protocol agreed on within TLS.
    pub alpn: Vec<u8>,
    /// The name that the client asked for, by SNI for instance: the balancer's word.
    pub authority: Vec<u8>,
    pub unique_id: Vec<u8>,
    /// What was odd and left the addresses beyond doubt.
    pub oddities: Vec<Oddity>,
}

//----------- HeaderReader -----------------------------------------------------------------------------------------

/// Takes octets until the header is whole, or cannot become one.
#[derive(Debug, Default)]
pub struct HeaderReader {
    raw: Vec<u8>,
}

/// How far it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    More,
    /// The header is whole; the last `rest` octets of the input are the conversation's first.
    Done {
        header: Box<Header>,
        rest: usize,
    },
    /// It is none, for this reason: nobody knows who called, so the connection should end. What was taken is kept.
    Refused(Oddity),
}

impl HeaderReader {
    /// Takes octets; what follows the header is left alone. Not to be called again once it is done or refused.
    pub fn on_bytes(&mut self, bytes: &[u8]) -> Step {
        for (at, byte) in bytes.iter().enumerate() {
            self.raw.push(*byte);
            match self.advance() {
                Ok(None) => {}
                Ok(Some(header)) => return Step::Done { header: Box::new(header), rest: bytes.len() - at - 1 },
                Err(oddity) => return Step::Refused(oddity),
            }
        }
        Step::More
    }

    /// The connection ended, or time did, before the header did.
    pub fn on_end(&self) -> Oddity {
        if self.raw.is_empty() { Oddity::ProxyMissing } else { Oddity::ProxyIncomplete }
    }

    /// The octets taken so far: evidence, where they were refused. They may hold anything.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Looks at the octet taken last.
    fn advance(&self) -> Result<Option<Header>, Oddity> {
        let begins = |opening: &[u8]| {
            let common = self.raw.len().min(opening.len());
            self.raw[..common] == opening[..common]
        };
        if begins(octets::SIGNATURE) {
            octets::read(&self.raw)
        } else if begins(WORD) {
            line::read(&self.raw)
        } else {
            Err(Oddity::ProxyMissing)
        }
    }
}

#[cfg(test)]
mod tests;
