//! One contact with what followed it, as far as rules and counts look at it.
//!
//! Owned, because it outlives the journal's frame. Text from outside is made readable here once, lossily; nothing
//! that a caller typed is in it, because the journal has none.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::DomainName;
use model::Timestamp;
use model::contact::{Contact, Hello, Kind, Query, Request, Via, What};
use model::id::ContactId;
use model::outcome::{Body, Outcome};
use store::archive::Sighting;

use super::agents::{Agent, is_probe};

/// How many addresses of an X-Forwarded-For are looked at.
const FORWARDED_MAX: usize = 16;

/// How many names of a query are looked at.
const FIELDS_MAX: usize = 64;

/// What the rules see.
#[derive(Clone, Debug)]
pub struct Seen {
    pub id: ContactId,
    pub over: Option<ContactId>,
    pub at: Timestamp,
    pub address: IpAddr,
    pub kind: Kind,
    pub case: Option<String>,
    pub apex: Option<String>,
    pub oddities: Vec<String>,
    /// Addresses that it claims to speak for: client subnet, X-Forwarded-For, the balancer's word.
    pub speaks_for: Vec<IpAddr>,
    /// The prefix length of a client subnet (RFC 7871).
    pub subnet_len: Option<u8>,
    /// DNS: the name asked, as text; the type; the class.
    pub asked: String,
    pub qtype: u16,
    pub qclass: u16,
    /// HTTP: as sent, without what was redacted.
    pub method: String,
    pub target: String,
    pub host: String,
    pub user_agent: String,
    pub referer: String,
    /// TLS.
    pub sni: String,
    pub ja4: String,
    pub has_credentials: bool,
    /// What followed, once it is known.
    pub outcome: Option<Followed>,
    /// It comes from the archive, which does not say for whom it spoke: to be safe it is withheld.
    pub is_partly_known: bool,
}

/// What followed, as far as the rules look at it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Followed {
    pub octets_in: u64,
    pub body_len: u64,
    /// The body had a field for a password.
    pub typed_password: bool,
    pub handshake_failed: bool,
}

impl Seen {
    pub fn of(contact: &Contact<'_>) -> Self {
        let mut seen =
            Self::bare(contact.id, contact.received, contact.source.ip().to_canonical(), contact.what.kind());
        seen.over = contact.over;
        if let Some(subject) = &contact.subject {
            seen.case = Some(subject.case.to_string());
            seen.apex = Some(subject.apex.to_string());
        }
        seen.oddities = contact.oddities.iter().map(ToString::to_string).collect();
        if let Via::Proxy { balancer, .. } = contact.via {
            seen.speaks_for.push(balancer);
        }
        match &contact.what {
            What::Query(query) => seen.ask(query),
            What::Hello(hello) => seen.greet(hello),
            What::Request(request) => seen.request(request),
            What::Connection(_) | What::Message(_) | What::Datagram(_) => {}
        }
        seen
    }

    /// Only who, when and what kind.
    pub fn bare(id: ContactId, at: Timestamp, address: IpAddr, kind: Kind) -> Self {
        let text = String::new;
        Self {
            id,
            over: None,
            at,
            address,
            kind,
            case: None,
            apex: None,
            oddities: Vec::new(),
            speaks_for: Vec::new(),
            subnet_len: None,
            asked: text(),
            qtype: 0,
            qclass: 1,
            method: text(),
            target: text(),
            host: text(),
            user_agent: text(),
            referer: text(),
            sni: text(),
            ja4: text(),
            has_credentials: false,
            outcome: None,
            is_partly_known: false,
        }
    }

    /// What the archive still knows of a contact, for warming a memory and for what a crash left without a verdict.
    pub fn again(sighting: &Sighting) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let body = Body { fields: sighting.body_fields.iter().map(Into::into).collect(), ..Body::default() };
        let body_len = sighting.body_len.unwrap_or_default();
        let typed_password = body.asks_for_password();
        Self {
            case: sighting.case.as_ref().map(ToString::to_string),
            apex: sighting.apex.as_ref().map(|apex| apex.as_str().to_owned()),
            oddities: sighting.oddities.clone(),
            asked: text(&sighting.qname),
            qtype: sighting.qtype.unwrap_or_default(),
            method: text(&sighting.method),
            target: text(&sighting.target),
            host: text(&sighting.host),
            user_agent: text(&sighting.user_agent),
            referer: text(&sighting.referer),
            sni: text(&sighting.sni),
            ja4: text(&sighting.ja4),
            outcome: Some(Followed { octets_in: body_len.max(1), body_len, typed_password, handshake_failed: false }),
            is_partly_known: true,
            ..Self::bare(sighting.id, sighting.received, sighting.source, sighting.kind)
        }
    }

    pub fn follow(&mut self, outcome: &Outcome<'_>) {
        let body = outcome.body.as_ref();
        self.outcome = Some(Followed {
            octets_in: outcome.octets_in,
            body_len: body.map_or(0, |body| body.len),
            typed_password: body.is_some_and(Body::asks_for_password),
            handshake_failed: outcome.tls.is_some_and(|tls| !tls.completed),
        });
    }

    fn ask(&mut self, query: &Query<'_>) {
        // A name such as `_dmarc` is no domain name and still a question; only no name at all is none.
        self.asked = DomainName::from_wire(&query.name).map_or_else(|_| text(&query.name), |name| name.as_str().into());
        self.qtype = query.qtype;
        self.qclass = query.qclass;
        let subnet = query.edns.as_ref().and_then(|edns| client_subnet(&edns.client_subnet));
        if let Some((address, len)) = subnet {
            self.speaks_for.push(address);
            self.subnet_len = Some(len);
        }
    }

    fn greet(&mut self, hello: &Hello<'_>) {
        self.sni = text(&hello.sni);
        self.ja4 = hello.ja4.to_string();
    }

    fn request(&mut self, request: &Request<'_>) {
        self.method = text(&request.method);
        self.target = text(&request.target);
        self.host = text(&request.host);
        self.user_agent = text(&request.user_agent);
        self.referer = text(&request.referer);
        self.has_credentials =
            request.redactions.iter().any(|redaction| redaction.kind == model::contact::Secret::Credentials);
        self.speaks_for.extend(forwarded(&text(&request.forwarded)));
    }

    //----- What rules ask of it

    /// The path, without scheme, host and query: nothing that a caller filled in.
    pub fn path(&self) -> &str {
        let target = match self.target.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
            None => &self.target,
        };
        target.split(['?', '#']).next().unwrap_or_default()
    }

    pub fn agent(&self) -> Agent {
        Agent::of(&self.user_agent)
    }

    /// The host of the Referer, if that is another site than the seized one.
    pub fn other_site(&self) -> Option<&str> {
        let (_, rest) = self.referer.split_once("://")?;
        let host = rest.split(['/', '?', '#', ':']).next().filter(|host| !host.is_empty())?;
        let is_below = |apex: &str| host.strip_suffix(apex).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        (!self.apex.as_deref().is_some_and(is_below)).then_some(host)
    }

    /// Whether a query's client subnet is the querier's own address: it asks for itself, so it is no resolver.
    pub fn asks_for_itself(&self) -> bool {
        let whole = if self.address.is_ipv4() { 32 } else { 128 };
        self.subnet_len == Some(whole) && self.speaks_for.contains(&self.address)
    }

    /// What is the same in every call of one beacon. A query string often differs, so it is left out.
    pub fn beat(&self) -> Option<String> {
        let apex = self.apex.as_deref()?;
        match self.kind {
            Kind::Request => Some(format!("{} {apex} {}", self.method, self.path())),
            Kind::Hello if self.failed_handshake() => Some(format!("hello {apex} {}", self.ja4)),
            _ => None,
        }
    }

    /// What is the same in the calls of one family: method, program, and the path with each machine's own part struck
    /// out. A browser's calls, and those of programs that say what they are, make no family; nor does the front page.
    pub(super) fn call_of_a_fleet(&self) -> Option<String> {
        let is_program = matches!(self.agent(), Agent::Program | Agent::ByHand) && self.kind == Kind::Request;
        let path = self.path();
        (is_program && self.apex.is_some() && path.len() > 1 && path != "/favicon.ico" && !is_probe(path)).then(|| {
            let parts = path.split('/').map(|part| if is_ones_own(part) { "*" } else { part });
            format!("{} {} {}", self.method, parts.collect::<Vec<_>>().join("/"), self.user_agent)
        })
    }

    pub fn failed_handshake(&self) -> bool {
        self.kind == Kind::Hello && self.outcome.is_some_and(|outcome| outcome.handshake_failed)
    }

    /// In the body, or, where a form sends itself by GET, in the query.
    pub fn typed_password(&self) -> bool {
        self.outcome.is_some_and(|outcome| outcome.typed_password) || self.asks_in_query()
    }

    fn asks_in_query(&self) -> bool {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let names = query.split('&').filter_map(|pair| pair.split_once('=')).filter(|(_, value)| !value.is_empty());
        let fields = names.map(|(name, _)| name.into()).take(FIELDS_MAX).collect();
        Body { fields, ..Body::default() }.asks_for_password()
    }
}

/// A part of a path that looks like one machine's number: six or more hexadecimal digits, or very long.
fn is_ones_own(part: &str) -> bool {
    let is_number = part.len() >= 6 && part.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    part.len() >= 24 || is_number && part.bytes().any(|byte| byte.is_ascii_digit())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The address and source prefix length of a client-subnet option (RFC 7871, 6).
fn client_subnet(option: &[u8]) -> Option<(IpAddr, u8)> {
    let [family_high, family_low, len, _scope, octets @ ..] = option else { return None };
    let address = match (u16::from_be_bytes([*family_high, *family_low]), octets.len()) {
        (1, 0..=4) => Ipv4Addr::from(padded(octets)).into(),
        (2, 0..=16) => Ipv6Addr::from(padded(octets)).into(),
        _ => return None,
    };
    (*len > 0).then_some((address, *len))
}

fn padded<const N: usize>(octets: &[u8]) -> [u8; N] {
    let mut whole = [0; N];
    whole[..octets.len()].copy_from_slice(octets);
    whole
}

fn forwarded(claim: &str) -> impl Iterator<Item = IpAddr> {
    claim.split([',', ' ', ';', '=', '"', '[', ']']).filter_map(|part| part.parse().ok()).take(FORWARDED_MAX)
}
