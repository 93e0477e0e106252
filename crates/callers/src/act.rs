//! What a caller does: the vocabulary of scripts.
//!
//! An act is complete before it starts: octets, door and what they count as. So a script is a value that a test can
//! read, and `run` only carries it out.

use std::net::Ipv4Addr;

use model::DomainName;

use crate::question::Question;

/// One thing that a caller does, from its own address.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    /// A resolver asks over UDP, again on a time-out, over TCP on truncation; it asks from its own address.
    Ask { resolver: Ipv4Addr, question: Question },
    /// Asks several questions over one TCP connection.
    AskOverTcp(Vec<Question>),
    /// Sends a datagram to the DNS port that is no proper question.
    Mutter { octets: Vec<u8>, due: Due },
    /// Connects, speaks HTTP, closes.
    Visit { door: Door, requests: Vec<Request> },
    /// Connects to the TLS port, sends a ClientHello made by hand and goes no further.
    Greet { hello: Vec<u8> },
    /// Connects, says nothing, closes.
    StaySilent(Door),
}

/// Whether a packet deserves an answer. Waiting for one that is not due would only take time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Due {
    Answer,
    Nothing,
}

/// Through which port, and how.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Door {
    Plain,
    Tls { sni: Option<DomainName>, versions: TlsVersions },
}

/// Which versions of TLS a caller offers.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum TlsVersions {
    Both,
    Only12,
    Only13,
}

/// A request as octets, with what was typed into it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Request {
    pub(crate) octets: Vec<u8>,
    /// Passwords that stand in the octets, in whatever encoding.
    pub(crate) typed: Vec<String>,
    /// HEAD: an answer has a length and no body.
    pub(crate) bodiless: bool,
    /// After this nothing more can be said on the connection: what was sent was no proper request.
    pub(crate) hangs_up: bool,
}
