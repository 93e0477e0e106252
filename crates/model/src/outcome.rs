//! What followed a contact: a later frame that names it.

use std::borrow::Cow;

use crate::contact::Redaction;
use crate::id::ContactId;
use crate::time::Timestamp;

mod codec;

/// What became of a contact.
///
/// A request's outcome is written with its contact, before the answer leaves, and carries what the body was; a
/// connection's or hello's is written when it ends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outcome<'a> {
    /// The frame's own id, from the same dense sequence as contacts.
    pub id: ContactId,
    pub of: ContactId,
    pub at: Timestamp,
    pub octets_in: u64,
    pub octets_out: u64,
    pub duration_nanos: u64,
    pub end: End,
    /// The HTTP status, or SMTP reply, that we answered with.
    pub status: Option<u16>,
    pub tls: Option<Tls>,
    pub body: Option<Body<'a>>,
    /// Account names that the caller gave, each sealed to a key that this machine does not have. Only where the order
    /// covers what callers send, and in the order in which they came.
    pub accounts: Vec<Cow<'a, [u8]>>,
}

/// Who ended it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum End {
    /// It was answered and goes on, or was answered and done.
    #[default]
    Answered,
    /// We closed, by policy.
    Us,
    Peer,
    /// The peer reset.
    Reset,
    TimedOut,
    /// A limit of ours was reached.
    Limit,
    /// We stopped.
    Stopped,
}

impl End {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Us => "us",
            Self::Peer => "peer",
            Self::Reset => "reset",
            Self::TimedOut => "timed-out",
            Self::Limit => "limit",
            Self::Stopped => "stopped",
        }
    }
}

/// How a TLS handshake ended (RFC 8446, 6).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tls {
    pub completed: bool,
    /// Whether the peer came back with a ticket of ours (RFC 8446, 2.2; RFC 5077): then it has been here before.
    pub resumed: bool,
    pub version: u16,
    pub cipher: u16,
    /// The alert that the peer sent.
    pub alert_in: Option<u8>,
    /// The alert that we sent.
    pub alert_out: Option<u8>,
}

/// A body, without its values.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Body<'a> {
    /// Octets received.
    pub len: u64,
    /// Whether its end was seen.
    pub complete: bool,
    /// The names of its fields, as far as they are names (bounded in number and length).
    pub fields: Vec<Cow<'a, str>>,
    /// Which kinds of values were dropped, and after how many octets of the body.
    pub redactions: Vec<Redaction>,
}

impl Body<'_> {
    /// Whether a field's name asks for a password: somebody typed one.
    pub fn asks_for_password(&self) -> bool {
        const WORDS: [&str; 6] = ["pass", "pwd", "pin", "otp", "secret", "kennwort"];
        self.fields.iter().any(|field| {
            let field = field.to_ascii_lowercase();
            WORDS.iter().any(|word| field.contains(word))
        })
    }
}
