//! A contact's bytes. Tags 1–19 belong to every contact, then each kind has its own twenty.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::*;
use crate::digest::Digest;
use crate::frame::{Fields, FrameError, Value, put_bytes, put_number, put_signed, put_some};
use crate::time::{from_nanos, to_nanos};

mod message;

/// Tags, for ever. A new field takes a new number; a number is never used again for something else.
mod tag {
    pub(super) const KIND: u32 = 1;
    pub(super) const RECEIVED: u32 = 2;
    pub(super) const SOURCE: u32 = 3;
    pub(super) const LOCAL: u32 = 4;
    pub(super) const TRANSPORT: u32 = 5;
    pub(super) const VIA_PROXY: u32 = 6;
    pub(super) const VIA_DNSTAP: u32 = 7;
    pub(super) const OVER: u32 = 8;
    pub(super) const CASE: u32 = 9;
    pub(super) const APEX: u32 = 10;
    pub(super) const NAMED_BY: u32 = 11;
    pub(super) const ODDITY: u32 = 12;
    pub(super) const LIMITS: u32 = 13;

    pub(super) const QUERY_ID: u32 = 20;
    pub(super) const QUERY_FLAGS: u32 = 21;
    pub(super) const QUERY_NAME: u32 = 22;
    pub(super) const QUERY_TYPE: u32 = 23;
    pub(super) const QUERY_CLASS: u32 = 24;
    pub(super) const QUERY_SIZE: u32 = 25;
    pub(super) const QUERY_RCODE: u32 = 26;
    pub(super) const QUERY_RAW: u32 = 27;
    pub(super) const EDNS_SIZE: u32 = 28;
    pub(super) const EDNS_VERSION: u32 = 29;
    pub(super) const EDNS_DO: u32 = 30;
    pub(super) const EDNS_COOKIE: u32 = 31;
    pub(super) const EDNS_SUBNET: u32 = 32;
    pub(super) const QUERY_REPEATS: u32 = 33;

    pub(super) const FIRST_BYTES: u32 = 40;
    pub(super) const LOOKS_LIKE: u32 = 41;
    pub(super) const KEYED_HASH: u32 = 42;
    pub(super) const LEN: u32 = 43;

    pub(super) const SNI: u32 = 60;
    pub(super) const LEGACY_VERSION: u32 = 61;
    pub(super) const VERSIONS: u32 = 62;
    pub(super) const CIPHERS: u32 = 63;
    pub(super) const EXTENSIONS: u32 = 64;
    pub(super) const ALPN: u32 = 65;
    pub(super) const JA3: u32 = 66;
    pub(super) const JA4: u32 = 67;
    pub(super) const HELLO_RAW: u32 = 68;

    pub(super) const METHOD: u32 = 80;
    pub(super) const TARGET: u32 = 81;
    pub(super) const HTTP_VERSION: u32 = 82;
    pub(super) const HOST: u32 = 83;
    pub(super) const USER_AGENT: u32 = 84;
    pub(super) const REFERER: u32 = 85;
    pub(super) const CONTENT_TYPE: u32 = 86;
    pub(super) const FORWARDED: u32 = 87;
    pub(super) const HEAD: u32 = 88;
    pub(super) const REDACTION: u32 = 89;
    pub(super) const H2: u32 = 90;

    pub(super) const HELO: u32 = 100;
    pub(super) const STARTTLS: u32 = 101;
    pub(super) const AUTH_MECHANISM: u32 = 102;
    pub(super) const MAIL_FROM: u32 = 103;
    pub(super) const RECIPIENT: u32 = 104;
    pub(super) const RECIPIENTS_COUNT: u32 = 106;
    pub(super) const MESSAGE_END: u32 = 107;
    pub(super) const MAIL_FINGERPRINT: u32 = 108;
    /// Where this is there is a letter.
    pub(super) const LETTER_OCTETS: u32 = 109;
    pub(super) const LETTER_COMPLETE: u32 = 110;
    pub(super) const LETTER_HEADER: u32 = 111;
    pub(super) const LETTER_PARTS: u32 = 112;
    /// An attachment's hash; its other fields follow it.
    pub(super) const ATTACHMENT: u32 = 113;
    pub(super) const ATTACHMENT_OCTETS: u32 = 114;
    pub(super) const ATTACHMENT_TYPE: u32 = 115;
    pub(super) const ATTACHMENT_EXTENSION: u32 = 116;
    // From the end of the message's twenty: what a letter is made of grows from the front.
    pub(super) const MESSAGE_ACCOUNT: u32 = 119;
}

/// Numbers of closed enums, for ever.
macro_rules! numbered {
    ($name:ident { $($variant:ident = $number:literal,)* }) => {
        impl $name {
            pub(crate) fn number(self) -> u64 {
                match self { $(Self::$variant => $number,)* }
            }

            pub(crate) fn from_number(tag: u32, number: u64) -> Result<Self, FrameError> {
                match number { $($number => Ok(Self::$variant),)* _ => Err(FrameError::Value(tag)) }
            }
        }
    };
}

numbered! { Kind { Query = 1, Connection = 2, Hello = 3, Request = 4, Message = 5, Datagram = 6, } }
numbered! { Transport { Udp = 1, Tcp = 2, } }
numbered! { NamedBy { Question = 1, Sni = 2, Host = 3, Recipient = 4, Address = 5, } }
numbered! { Cookie { Absent = 0, ClientOnly = 1, Valid = 2, Invalid = 3, Malformed = 4, } }
numbered! { HttpVersion { Unknown = 0, Http09 = 1, Http10 = 2, Http11 = 3, Http2 = 4, } }
numbered! { Secret {
    Credentials = 1, Cookie = 2, HeaderToken = 3, QueryValue = 4, UserInfo = 5, BodyValue = 6, MailAuth = 7,
} }

//----------- Writing ----------------------------------------------------------------------------------------------

impl Contact<'_> {
    /// Appends the contact's payload. The id stands in the frame's header, not here.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_number(out, tag::KIND, self.what.kind().number());
        put_signed(out, tag::RECEIVED, to_nanos(self.received));
        put_socket(out, tag::SOURCE, self.source);
        put_socket(out, tag::LOCAL, self.local);
        put_number(out, tag::TRANSPORT, self.transport.number());
        match &self.via {
            Via::Direct => {}
            Via::Proxy { version, balancer } => {
                put_number(out, tag::VIA_PROXY, u64::from(*version));
                put_address(out, tag::VIA_PROXY, *balancer);
            }
            Via::Dnstap { sensor } => put_bytes(out, tag::VIA_DNSTAP, sensor.as_bytes()),
        }
        if let Some(over) = self.over {
            put_bytes(out, tag::OVER, &over.to_bytes());
        }
        if let Some(subject) = &self.subject {
            put_bytes(out, tag::CASE, subject.case.as_bytes());
            put_bytes(out, tag::APEX, subject.apex.as_bytes());
            put_number(out, tag::NAMED_BY, subject.named_by.number());
        }
        for oddity in &self.oddities {
            put_bytes(out, tag::ODDITY, oddity.as_bytes());
        }
        if self.limits != Limits::default() {
            put_number(out, tag::LIMITS, u64::from(self.limits.0));
        }
        match &self.what {
            What::Query(query) => query.encode(out),
            What::Connection(connection) => connection.encode(out),
            What::Hello(hello) => hello.encode(out),
            What::Request(request) => request.encode(out),
            What::Message(message) => message.encode(out),
            What::Datagram(datagram) => datagram.encode(out),
        }
    }
}

fn put_address(out: &mut Vec<u8>, tag: u32, address: IpAddr) {
    match address {
        IpAddr::V4(v4) => put_bytes(out, tag, &v4.octets()),
        IpAddr::V6(v6) => put_bytes(out, tag, &v6.octets()),
    }
}

/// Address and port: 6 octets for IPv4, 18 for IPv6.
fn put_socket(out: &mut Vec<u8>, tag: u32, socket: SocketAddr) {
    let mut bytes = [0; 18];
    let len = match socket.ip() {
        IpAddr::V4(v4) => {
            bytes[..4].copy_from_slice(&v4.octets());
            4
        }
        IpAddr::V6(v6) => {
            bytes[..16].copy_from_slice(&v6.octets());
            16
        }
    };
    bytes[len..len + 2].copy_from_slice(&socket.port().to_be_bytes());
    put_bytes(out, tag, &bytes[..len + 2]);
}

fn put_numbers(out: &mut Vec<u8>, tag: u32, numbers: &[u16]) {
    if !numbers.is_empty() {
        let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
        put_bytes(out, tag, &bytes);
    }
}

pub(crate) fn put_redactions(out: &mut Vec<u8>, tag: u32, redactions: &[Redaction]) {
    for redaction in redactions {
        put_number(out, tag, u64::from(redaction.offset) << 8 | redaction.kind.number());
    }
}

impl Query<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        put_number(out, tag::QUERY_ID, u64::from(self.id));
        put_number(out, tag::QUERY_FLAGS, u64::from(self.flags));
        put_some(out, tag::QUERY_NAME, &self.name);
        put_number(out, tag::QUERY_TYPE, u64::from(self.qtype));
        put_number(out, tag::QUERY_CLASS, u64::from(self.qclass));
        put_number(out, tag::QUERY_SIZE, u64::from(self.size));
        if let Some(rcode) = self.rcode {
            put_number(out, tag::QUERY_RCODE, u64::from(rcode));
        }
        put_some(out, tag::QUERY_RAW, &self.raw);
        if self.repeats != 0 {
            put_number(out, tag::QUERY_REPEATS, u64::from(self.repeats));
        }
        if let Some(edns) = &self.edns {
            put_number(out, tag::EDNS_SIZE, u64::from(edns.udp_size));
            put_number(out, tag::EDNS_VERSION, u64::from(edns.version));
            put_number(out, tag::EDNS_DO, u64::from(edns.dnssec_ok));
            put_number(out, tag::EDNS_COOKIE, edns.cookie.number());
            put_some(out, tag::EDNS_SUBNET, &edns.client_subnet);
        }
    }
}

impl Connection<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        put_some(out, tag::FIRST_BYTES, &self.first_bytes);
        put_some(out, tag::LOOKS_LIKE, self.looks_like.as_bytes());
        if let Some(hash) = &self.keyed_hash {
            put_bytes(out, tag::KEYED_HASH, &hash.0);
        }
    }
}

impl Hello<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        put_some(out, tag::SNI, &self.sni);
        put_number(out, tag::LEGACY_VERSION, u64::from(self.legacy_version));
        put_numbers(out, tag::VERSIONS, &self.versions);
        put_numbers(out, tag::CIPHERS, &self.ciphers);
        put_numbers(out, tag::EXTENSIONS, &self.extensions);
        for protocol in &self.alpn {
            put_bytes(out, tag::ALPN, protocol);
        }
        put_some(out, tag::JA3, self.ja3.as_bytes());
        put_some(out, tag::JA4, self.ja4.as_bytes());
        put_some(out, tag::HELLO_RAW, &self.raw);
    }
}

impl Request<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        put_some(out, tag::METHOD, &self.method);
        put_some(out, tag::TARGET, &self.target);
        put_number(out, tag::HTTP_VERSION, self.version.number());
        put_some(out, tag::HOST, &self.host);
        put_some(out, tag::USER_AGENT, &self.user_agent);
        put_some(out, tag::REFERER, &self.referer);
        put_some(out, tag::CONTENT_TYPE, &self.content_type);
        put_some(out, tag::FORWARDED, &self.forwarded);
        put_some(out, tag::HEAD, &self.head);
        put_redactions(out, tag::REDACTION, &self.redactions);
        put_some(out, tag::H2, &self.h2);
    }
}

impl Datagram<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        put_some(out, tag::FIRST_BYTES, &self.first_bytes);
        put_some(out, tag::LOOKS_LIKE, self.looks_like.as_bytes());
        if let Some(hash) = &self.keyed_hash {
            put_bytes(out, tag::KEYED_HASH, &hash.0);
        }
        put_number(out, tag::LEN, u64::from(self.len));
    }
}

//----------- Reading ----------------------------------------------------------------------------------------------

impl<'a> Contact<'a> {
    /// Reads a contact's payload; it borrows from `payload`.
    pub fn decode(id: ContactId, payload: &'a [u8]) -> Result<Self, FrameError> {
        let mut draft = Draft::default();
        for field in Fields::new(payload) {
            let (tag, value) = field?;
            draft.take(tag, value)?;
        }
        draft.finish(id)
    }
}

/// All that fields can say, until the kind decides what is used.
#[derive(Default)]
struct Draft<'a> {
    kind: Option<Kind>,
    received: Option<i64>,
    source: Option<SocketAddr>,
    local: Option<SocketAddr>,
    transport: Option<Transport>,
    proxy_version: u8,
    via: Via<'a>,
    over: Option<ContactId>,
    case: Option<&'a str>,
    apex: Option<&'a str>,
    named_by: Option<NamedBy>,
    oddities: Vec<Cow<'a, str>>,
    limits: Limits,
    query: Query<'a>,
    edns: Edns<'a>,
    has_edns: bool,
    datagram: Datagram<'a>,
    hello: Hello<'a>,
    request: Request<'a>,
    message: Message<'a>,
}

impl<'a> Draft<'a> {
    fn take(&mut self, tag: u32, value: Value<'a>) -> Result<(), FrameError> {
        match tag {
            1..=19 => self.take_common(tag, value),
            20..=39 => self.take_query(tag, value),
            40..=59 => self.take_first_bytes(tag, value),
            60..=79 => self.take_hello(tag, value),
            80..=99 => self.take_request(tag, value),
            100..=119 => self.message.take(tag, value),
            _ => Ok(()),
        }
    }

    fn take_common(&mut self, tag: u32, value: Value<'a>) -> Result<(), FrameError> {
        match (tag, value) {
            (tag::KIND, _) => self.kind = Some(Kind::from_number(tag, value.number(tag)?)?),
            (tag::RECEIVED, _) => self.received = Some(value.signed(tag)?),
            (tag::SOURCE, _) => self.source = Some(socket(tag, value)?),
            (tag::LOCAL, _) => self.local = Some(socket(tag, value)?),
            (tag::TRANSPORT, _) => self.transport = Some(Transport::from_number(tag, value.number(tag)?)?),
            (tag::VIA_PROXY, Value::Number(_)) => self.proxy_version = value.small(tag)?,
            (tag::VIA_PROXY, Value::Bytes(bytes)) => {
                self.via = Via::Proxy { version: self.proxy_version, balancer: address(tag, bytes)? };
            }
            (tag::VIA_DNSTAP, _) => self.via = Via::Dnstap { sensor: value.text(tag)?.into() },
            (tag::OVER, _) => {
                let bytes = value.bytes(tag)?.try_into().map_err(|_| FrameError::Value(tag))?;
                self.over = Some(ContactId::from_bytes(bytes));
            }
            (tag::CASE, _) => self.case = Some(value.text(tag)?),
            (tag::APEX, _) => self.apex = Some(value.text(tag)?),
            (tag::NAMED_BY, _) => self.named_by = Some(NamedBy::from_number(tag, value.number(tag)?)?),
            (tag::ODDITY, _) => self.oddities.push(value.text(tag)?.into()),
            (tag::LIMITS, _) => self.limits = Limits(value.small(tag)?),
            _ => {}
        }
        Ok(())
    }

    fn take_query(&mut self, tag: u32, value: Value<'a>) -> Result<(), FrameError> {
        self.has_edns |= tag == tag::EDNS_SIZE;
        match tag {
            tag::QUERY_ID => self.query.id = value.small(tag)?,
            tag::QUERY_FLAGS => self.query.flags = value.small(tag)?,
            tag::QUERY_NAME => self.query.name = value.bytes(tag)?.into(),
            tag::QUERY_TYPE => self.query.qtype = value.small(tag)?,
            tag::QUERY_CLASS => self.query.qclass = value.small(tag)?,
            tag::QUERY_SIZE => self.query.size = value.small(tag)?,
            tag::QUERY_RCODE => self.query.rcode = Some(value.small(tag)?),
            tag::QUERY_RAW => self.query.raw = value.bytes(tag)?.into(),
            tag::QUERY_REPEATS => self.query.repeats = value.small(tag)?,
            tag::EDNS_SIZE => self.edns.udp_size = value.small(tag)?,
            tag::EDNS_VERSION => self.edns.version = value.small(tag)?,
            tag::EDNS_DO => self.edns.dnssec_ok = value.number(tag)? != 0,
            tag::EDNS_COOKIE => self.edns.cookie = Cookie::from_number(tag, value.number(tag)?)?,
            tag::EDNS_SUBNET => self.edns.client_subnet = value.bytes(tag)?.into(),
            _ => {}
        }
        Ok(())
    }

    fn take_first_bytes(&mut self, tag: u32, value: Value<'a>) -> Result<(), FrameError> {
        match tag {
            tag::FIRST_BYTES => self.datagram.first_bytes = value.bytes(tag)?.into(),
            tag::LOOKS_LIKE => self.datagram.looks_like = value.text(tag)?.into(),
            tag::KEYED_HASH => self.datagram.keyed_hash = Some(digest(tag, value)?),
            tag::LEN => self.datagram.len = value.small(tag)?,
            _ => {}
        }
        Ok(())
    }

    fn take_hello(&mut self, tag: u32, value: Value<'a>) -> Result<(), FrameError> {
        match tag {
            tag::SNI => self.hello.sni = value.bytes(tag)?.into(),
            tag::LEGACY_VERSION => self.hello.legacy_version = value.small(tag)?,
            tag::VERSIONS => self.hello.versions = numbers(tag, value)?,
            tag::CIPHERS => self.hello.ciphers = numbers(tag, value)?,
            tag::EXTENSIONS => self.hello.extensions = numbers(tag, value)?,
            tag::ALPN => self.hello.alpn.push(value.bytes(tag)?.into()),
            tag::JA3 => self.hello.ja3 = value.text(tag)?.into(),
            tag::JA4 => self.hello.ja4 = value.text(tag)?.into(),
            tag::HELLO_RAW => self.hello.raw = value.bytes(tag)?.into(),
            _ => {}
        }
        Ok(())
    }

    fn take_request(&mut self, tag: u32, value: Value<'a>) -> Result<(), FrameError> {
        match tag {
            tag::METHOD => self.request.method = value.bytes(tag)?.into(),
            tag::TARGET => self.request.target = value.bytes(tag)?.into(),
            tag::HTTP_VERSION => self.request.version = HttpVersion::from_number(tag, value.number(tag)?)?,
            tag::HOST => self.request.host = value.bytes(tag)?.into(),
            tag::USER_AGENT => self.request.user_agent = value.bytes(tag)?.into(),
            tag::REFERER => self.request.referer = value.bytes(tag)?.into(),
            tag::CONTENT_TYPE => self.request.content_type = value.bytes(tag)?.into(),
            tag::FORWARDED => self.request.forwarded = value.bytes(tag)?.into(),
            tag::HEAD => self.request.head = value.bytes(tag)?.into(),
            tag::REDACTION => self.request.redactions.push(redaction(tag, value)?),
            tag::H2 => self.request.h2 = value.bytes(tag)?.into(),
            _ => {}
        }
        Ok(())
    }

    fn finish(self, id: ContactId) -> Result<Contact<'a>, FrameError> {
        let what = match self.kind.ok_or(FrameError::Missing(tag::KIND))? {
            Kind::Query => What::Query(Query { edns: self.has_edns.then_some(self.edns), ..self.query }),
            Kind::Connection => What::Connection(Connection {
                looks_like: self.datagram.looks_like,
                first_bytes: self.datagram.first_bytes,
                keyed_hash: self.datagram.keyed_hash,
            }),
            Kind::Hello => What::Hello(self.hello),
            Kind::Request => What::Request(self.request),
            Kind::Message => What::Message(self.message),
            Kind::Datagram => What::Datagram(self.datagram),
        };
        let subject = match (self.case, self.apex, self.named_by) {
            (Some(case), Some(apex), Some(named_by)) => {
                Some(Subject { case: case.into(), apex: apex.into(), named_by })
            }
            _ => None,
        };
        Ok(Contact {
            id,
            received: from_nanos(self.received.ok_or(FrameError::Missing(tag::RECEIVED))?),
            source: self.source.ok_or(FrameError::Missing(tag::SOURCE))?,
            local: self.local.ok_or(FrameError::Missing(tag::LOCAL))?,
            transport: self.transport.ok_or(FrameError::Missing(tag::TRANSPORT))?,
            via: self.via,
            over: self.over,
            subject,
            oddities: self.oddities,
            limits: self.limits,
            what,
        })
    }
}

fn address(tag: u32, bytes: &[u8]) -> Result<IpAddr, FrameError> {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        return Ok(Ipv4Addr::from(octets).into());
    }
    let octets = <[u8; 16]>::try_from(bytes).map_err(|_| FrameError::Value(tag))?;
    Ok(Ipv6Addr::from(octets).into())
}

fn socket(tag: u32, value: Value<'_>) -> Result<SocketAddr, FrameError> {
    let (ip, port) = value.bytes(tag)?.split_last_chunk::<2>().ok_or(FrameError::Value(tag))?;
    Ok(SocketAddr::new(address(tag, ip)?, u16::from_be_bytes(*port)))
}

fn digest(tag: u32, value: Value<'_>) -> Result<Digest, FrameError> {
    value.bytes(tag)?.try_into().map(Digest).map_err(|_| FrameError::Value(tag))
}

fn numbers(tag: u32, value: Value<'_>) -> Result<Vec<u16>, FrameError> {
    let (pairs, rest) = value.bytes(tag)?.as_chunks::<2>();
    if rest.is_empty() {
        Ok(pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect())
    } else {
        Err(FrameError::Value(tag))
    }
}

pub(crate) fn redaction(tag: u32, value: Value<'_>) -> Result<Redaction, FrameError> {
    let number = value.number(tag)?;
    let offset = u32::try_from(number >> 8).map_err(|_| FrameError::Value(tag))?;
    Ok(Redaction { offset, kind: Secret::from_number(tag, number & 0xff)? })
}
