//! One knock on our door: what was *received*, immutable, written before the answer leaves.
//!
//! What followed (bytes out, who closed, how TLS ended, how long a body was) is an [`Outcome`](crate::outcome), a
//! later frame that names this one. A secret never gets here: `sinkhole::witness` has replaced it by a marker, and
//! [`Redaction`] says where and of which kind.
//!
//! A contact borrows from the packet when it is written and from the frame when it is read, so the hot path copies
//! each byte once. Text from outside is bytes; it becomes text where a person looks at it.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use crate::digest::Digest;
use crate::id::ContactId;
use crate::time::Timestamp;

mod codec;

pub(crate) use codec::{put_redactions as codec_redactions, redaction as codec_redaction};

//----------- Contact ----------------------------------------------------------------------------------------------

/// Something that called: a query, connection, hello, request, message or datagram.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Contact<'a> {
    pub id: ContactId,
    /// The kernel's time of receipt where there is one.
    pub received: Timestamp,
    pub source: SocketAddr,
    /// Where it was sent to: our address.
    pub local: SocketAddr,
    pub transport: Transport,
    pub via: Via<'a>,
    /// The contact that this one came over: a request's connection or hello.
    pub over: Option<ContactId>,
    /// The seized name that it concerns; `None` for whatever concerns none.
    pub subject: Option<Subject<'a>>,
    /// What was odd about it, as stable codes (`http.bare-lf`).
    pub oddities: Vec<Cow<'a, str>>,
    /// Limits that applied to the answer.
    pub limits: Limits,
    pub what: What<'a>,
}

/// The transport that it came by.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Transport {
    Udp,
    Tcp,
}

/// Through whose hands it came.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Via<'a> {
    #[default]
    Direct,
    /// A listed balancer spoke PROXY v1 or v2; the contact's source is what it said, this is the balancer.
    Proxy { version: u8, balancer: IpAddr },
    /// A fleet server told us by dnstap: at most once.
    Dnstap { sensor: Cow<'a, str> },
}

/// The seized name that a contact concerns, and how we know.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Subject<'a> {
    pub case: Cow<'a, str>,
    pub apex: Cow<'a, str>,
    pub named_by: NamedBy,
}

/// What named the name. A Host header is a claim; a question is what was asked.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum NamedBy {
    Question,
    Sni,
    Host,
    Recipient,
    Address,
}

/// Limits that applied, as bits that never change their meaning.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Limits(pub u32);

impl Limits {
    /// The answer was dropped by response rate limiting; the contact is recorded all the same.
    pub const RATE_DROPPED: Self = Self(1);
    /// The answer was an empty one with TC by response rate limiting.
    pub const RATE_SLIPPED: Self = Self(1 << 1);
    /// The answer was truncated to fit.
    pub const TRUNCATED: Self = Self(1 << 2);
    /// What was received was longer than what is kept.
    pub const CUT: Self = Self(1 << 3);

    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

//----------- What -------------------------------------------------------------------------------------------------

/// What kind of thing it was, with what was known before the answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum What<'a> {
    Query(Query<'a>),
    Connection(Connection<'a>),
    Hello(Hello<'a>),
    Request(Request<'a>),
    Message(Message<'a>),
    Datagram(Datagram<'a>),
}

/// The kinds of contact; what is sent, recorded and counted is counted by these.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Query,
    Connection,
    Hello,
    Request,
    Message,
    Datagram,
}

impl Kind {
    pub const ALL: [Self; 6] =
        [Self::Query, Self::Connection, Self::Hello, Self::Request, Self::Message, Self::Datagram];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Connection => "connection",
            Self::Hello => "hello",
            Self::Request => "request",
            Self::Message => "message",
            Self::Datagram => "datagram",
        }
    }
}

impl What<'_> {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Query(_) => Kind::Query,
            Self::Connection(_) => Kind::Connection,
            Self::Hello(_) => Kind::Hello,
            Self::Request(_) => Kind::Request,
            Self::Message(_) => Kind::Message,
            Self::Datagram(_) => Kind::Datagram,
        }
    }
}

/// A DNS query (RFC 1035, 4.1), also one that cannot be parsed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Query<'a> {
    pub id: u16,
    /// The header's second 16 bits as sent.
    pub flags: u16,
    /// The name in wire form, in the case in which it was sent; empty if there was none to read.
    pub name: Cow<'a, [u8]>,
    pub qtype: u16,
    pub qclass: u16,
    pub edns: Option<Edns<'a>>,
    /// Octets received.
    pub size: u16,
    /// The response code that we answer with, extended by EDNS; `None` if nothing is answered.
    pub rcode: Option<u16>,
    /// The packet itself, where the question could not be read.
    pub raw: Cow<'a, [u8]>,
    /// How many alike came since the last such record and are not in the journal themselves: above a rate, one record
    /// a second carries the count of those it stands for.
    pub repeats: u32,
}

/// What EDNS(0) said (RFC 6891).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Edns<'a> {
    pub udp_size: u16,
    pub version: u8,
    pub dnssec_ok: bool,
    pub cookie: Cookie,
    /// The client-subnet option as sent (RFC 7871): the resolver's word on who asked it.
    pub client_subnet: Cow<'a, [u8]>,
}

/// The state of a DNS cookie (RFC 7873).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Cookie {
    #[default]
    Absent,
    ClientOnly,
    Valid,
    Invalid,
    Malformed,
}

/// A TCP connection, at accept.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Connection<'a> {
    /// What the first bytes look like, where we waited for them.
    pub looks_like: Cow<'a, str>,
    pub first_bytes: Cow<'a, [u8]>,
    /// HMAC of the first bytes under the case's key.
    pub keyed_hash: Option<Digest>,
}

/// A TLS ClientHello (RFC 8446, 4.1.2, and older), before any handshake.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Hello<'a> {
    pub sni: Cow<'a, [u8]>,
    /// The version field of the hello itself.
    pub legacy_version: u16,
    /// From supported_versions, as sent.
    pub versions: Vec<u16>,
    pub ciphers: Vec<u16>,
    pub extensions: Vec<u16>,
    pub alpn: Vec<Cow<'a, [u8]>>,
    pub ja3: Cow<'a, str>,
    pub ja4: Cow<'a, str>,
    /// The hello's bytes as received.
    pub raw: Cow<'a, [u8]>,
}

/// An HTTP request's head.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Request<'a> {
    pub method: Cow<'a, [u8]>,
    /// The request target as sent, outside redacted spans.
    pub target: Cow<'a, [u8]>,
    pub version: HttpVersion,
    pub host: Cow<'a, [u8]>,
    pub user_agent: Cow<'a, [u8]>,
    pub referer: Cow<'a, [u8]>,
    pub content_type: Cow<'a, [u8]>,
    /// X-Forwarded-For and its kin: a claim, never trusted.
    pub forwarded: Cow<'a, [u8]>,
    /// The head as received, outside redacted spans.
    pub head: Cow<'a, [u8]>,
    /// Where the head was redacted.
    pub redactions: Vec<Redaction>,
    /// HTTP/2: SETTINGS, priorities and header order as sent.
    pub h2: Cow<'a, [u8]>,
}

/// The version that a request claims.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum HttpVersion {
    #[default]
    Unknown,
    Http09,
    Http10,
    Http11,
    Http2,
}

impl HttpVersion {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Http09 => "HTTP/0.9",
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        }
    }
}

/// An SMTP transaction: the envelope under a key, and the form of the letter.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Message<'a> {
    pub helo: Cow<'a, [u8]>,
    pub starttls: bool,
    pub auth_mechanism: Cow<'a, str>,
    pub mail_from: Option<Digest>,
    pub recipients: Vec<Digest>,
    /// All of them, also those whose hashes are not kept.
    pub recipients_count: u32,
    /// Why the record was made: `letter`, `refused`, `auth`, `reset`, `starttls`, `quit`, `cut`, `closed`.
    pub end: Cow<'a, str>,
    /// How the client speaks: verbs in order and case, line ends, whether it waits.
    pub fingerprint: Cow<'a, str>,
    pub letter: Option<Letter<'a>>,
    /// Whom somebody tried to log in as, sealed to a key that this machine does not have. Only where the order covers
    /// what callers send.
    pub accounts: Vec<Cow<'a, [u8]>>,
}

/// The form of a letter: nothing that somebody wrote.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Letter<'a> {
    pub octets: u64,
    /// Whether its end was seen.
    pub complete: bool,
    /// The names of its headers, in order and case.
    pub header_names: Vec<Cow<'a, str>>,
    pub parts: u32,
    pub attachments: Vec<Attachment<'a>>,
}

/// Something attached.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attachment<'a> {
    /// HMAC of the content under the case's key.
    pub keyed_hash: Digest,
    pub octets: u64,
    /// As declared.
    pub media_type: Cow<'a, str>,
    /// Of the declared file name; empty if there is none.
    pub extension: Cow<'a, str>,
}

/// A datagram on a port that speaks nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Datagram<'a> {
    pub looks_like: Cow<'a, str>,
    pub first_bytes: Cow<'a, [u8]>,
    pub keyed_hash: Option<Digest>,
    /// Octets received.
    pub len: u32,
}

//----------- Redaction --------------------------------------------------------------------------------------------

/// A span that held, or may have held, a secret. Its length is not kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Redaction {
    /// Where the marker stands in the bytes as kept.
    pub offset: u32,
    pub kind: Secret,
}

/// What kind of secret a span was taken for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Secret {
    /// Authorization and Proxy-Authorization.
    Credentials,
    Cookie,
    /// A header whose name speaks of a key or token.
    HeaderToken,
    /// The value of a query parameter.
    QueryValue,
    /// The part before `@` in an authority.
    UserInfo,
    /// A value in a body.
    BodyValue,
    /// SMTP AUTH.
    MailAuth,
}

impl Secret {
    pub const ALL: [Self; 7] = [
        Self::Credentials,
        Self::Cookie,
        Self::HeaderToken,
        Self::QueryValue,
        Self::UserInfo,
        Self::BodyValue,
        Self::MailAuth,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Cookie => "cookie",
            Self::HeaderToken => "header-token",
            Self::QueryValue => "query-value",
            Self::UserInfo => "user-info",
            Self::BodyValue => "body-value",
            Self::MailAuth => "mail-auth",
        }
    }

    /// What stands in the bytes instead of the secret.
    pub fn marker(self) -> &'static [u8] {
        match self {
            Self::Credentials => b"{redacted:credentials}",
            Self::Cookie => b"{redacted:cookie}",
            Self::HeaderToken => b"{redacted:header-token}",
            Self::QueryValue => b"{redacted:query-value}",
            Self::UserInfo => b"{redacted:user-info}",
            Self::BodyValue => b"{redacted:body-value}",
            Self::MailAuth => b"{redacted:mail-auth}",
        }
    }
}
