//! The sentences of which stories are made. One list, so that a writer sees all of them at a glance.

use std::net::Ipv4Addr;

/// One step.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    Given(Given),
    When(When),
    Then(Then),
}

/// What is so from the beginning.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Given {
    /// `NAME is seized`: redirected to us, with the least acts that the law knows.
    Seized(String),
    /// `NAME is seized and may be shared`: the same, and what is learned of it may go to others.
    Shared(String),
    /// `NAME is ordered to be OUTCOME`: another outcome, such as `hold`, which brings no delegation.
    Ordered { name: String, outcome: String },
    /// `NAME is answered for, without record`: the order covers answering, not recording.
    AnsweredOnly(String),
    /// `NAME is a kill switch`: seized, and an answer keeps something from running.
    KillSwitch(String),
    /// `NAME had "RECORD"`: a record of its owner's zone, one line of a master file, kept before anything happens.
    Had { name: String, record: String },
    /// `the case answers with ADDRESS`, in place of the operator's.
    AnswersWith(Ipv4Addr),
    /// `the authority ends after N seconds`, counted from the beginning.
    Ends { secs: u32 },
    /// `the country CC is withheld`
    CountryWithheld(String),
    /// `the network PREFIX is withheld`
    NetworkWithheld(String),
}

/// What happens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum When {
    /// `SOURCE asks TYPE NAME` and `SOURCE asks TYPE NAME over TCP`
    Asks(Ask),
    /// `SOURCE sends the octets HEX`: to the DNS port, over UDP.
    SendsOctets { source: Ipv4Addr, octets: Vec<u8> },
    /// `SOURCE opens /PATH at NAME`, also `… over TLS`; with `following "REFERER"` and `as "USER AGENT"` at the end.
    Opens(Visit),
    /// `SOURCE posts "BODY" to /PATH at NAME`, with the same endings.
    Posts { body: String, visit: Visit },
    /// `SOURCE says "TEXT"`: raw, to the HTTP port; `\r`, `\n` and `\"` are what they are in C.
    Says { source: Ipv4Addr, text: String },
    /// `NAME is put on hold`, `NAME is handed back`, `NAME is switched off`: by one person, at once.
    Narrowed { name: String, mode: &'static str },
    /// `the program is killed and started again`
    Killed,
    /// `the authority has ended`: that is waited for.
    AuthorityEnded,
}

/// A question to the name server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ask {
    pub source: Ipv4Addr,
    pub qtype: String,
    pub name: String,
    pub over_tcp: bool,
}

/// A visit to the trap, by a client that speaks HTTP well.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Visit {
    pub source: Ipv4Addr,
    pub path: String,
    pub name: String,
    pub over_tls: bool,
    pub referer: Option<String>,
    pub agent: Option<String>,
}

/// What must be seen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Then {
    /// `the answer is RCODE`
    Rcode(String),
    /// `there is no answer`
    NoAnswer,
    /// `the answer holds TYPE RDATA`
    Holds { rtype: String, rdata: String },
    /// `the answer holds nothing`: NODATA, with the SOA that says for how long.
    HoldsNothing,
    /// `the status is N`
    Status(u16),
    /// `the page says "TEXT"`
    PageSays(String),
    /// `the page does not say "TEXT"`
    PageLacks(String),
    /// `N KINDs are recorded`, KIND one of query, connection, hello, request, message, datagram, contact.
    Recorded { count: u64, kind: String },
    /// `"TEXT" is nowhere`: in no file of the data folder and in no line of the log.
    Nowhere(String),
    /// `SOURCE is labelled LABEL`
    Labelled { source: Ipv4Addr, label: String },
    /// `the oddity CODE is recorded`
    Oddity(String),
    /// `SOURCE is in the victim report` / `SOURCE is not in the victim report`: the one for network owners.
    Reported { source: Ipv4Addr, is: bool },
    /// `SOURCE is in no output`: no format, no audience.
    InNoOutput(Ipv4Addr),
    /// `NAME is in the FORMAT feed` / `NAME is not in the FORMAT feed`
    InFeed { name: String, format: String, is: bool },
}

impl Then {
    /// Whether a DNS answer alone decides it.
    pub fn is_about_dns(&self) -> bool {
        matches!(self, Self::Rcode(_) | Self::NoAnswer | Self::Holds { .. } | Self::HoldsNothing)
    }
}
