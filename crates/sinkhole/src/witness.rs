//! The one place where what a machine saw becomes a Contact: observation, caller, zone and time come together here,
//! and whatever may not be kept ends here.
//!
//! Three things are decided: whom a contact concerns, whether it may be kept at all (the name's mode and the acts that
//! its order covers), and what of it is kept. Secrets are gone already: `wire::secrets` hid them before a head could
//! leave its machine, and the types here have no place for a body.

use std::net::{IpAddr, SocketAddr};

use model::contact::{
    Attachment, Connection, Contact, Hello, HttpVersion, Letter, Limits, Message, NamedBy, Redaction, Request, Secret,
    Subject, Transport, Via, What,
};
use model::id::ContactId;
use model::outcome::Body;
use model::{Digest, DomainName, Timestamp};
use wire::banner::Looks;
use wire::http::{BodyFacts, Head, Version};
use wire::oddity::Oddity;
use wire::proxy::Header;
use wire::secrets::{self, SecretKind};
use wire::smtp;
use wire::tls::{ClientHello, ja3, ja4};

use crate::NamesByAddress;
use crate::thrift::Wanted;
use crate::trap::{First, Mailed};
use crate::zones::{ServedZone, ZoneTable};

/// The most octets of a head that are kept. Markers are longer than most secrets, so a head can outgrow its limit.
pub const HEAD_KEPT_MAX: usize = 96 * 1024;
/// The most redactions of one head that are kept with it.
pub const REDACTIONS_KEPT_MAX: usize = 1024;

//----------- Caller -----------------------------------------------------------------------------------------------

/// Who called, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    pub(crate) source: SocketAddr,
    pub(crate) local: SocketAddr,
    /// Who called for them, and in which version of the PROXY protocol.
    pub(crate) balancer: Option<(u8, IpAddr)>,
}

impl Caller {
    /// The same, as a balancer tells it. What it does not know stays as it was.
    pub(crate) fn told_by(self, header: &Header) -> Self {
        if header.is_local {
            return self;
        }
        let balancer = Some((header.version, self.source.ip()));
        Self { source: header.source.unwrap_or(self.source), local: header.destination.unwrap_or(self.local), balancer }
    }

    fn via(self) -> Via<'static> {
        match self.balancer {
            Some((version, balancer)) => Via::Proxy { version, balancer },
            None => Via::Direct,
        }
    }
}

//----------- Concern ----------------------------------------------------------------------------------------------

/// The seized name that something concerns, if it does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Concern(Option<(ServedZone, NamedBy)>);

impl Concern {
    /// By the server name of a hello, else by a Host header.
    pub(crate) fn find(zones: &ZoneTable, sni: &[u8], host: &[u8]) -> Self {
        let find = |name: &[u8], by| zones.find(&wire_name(name)?).map(|zone| (zone, by));
        Self(find(sni, NamedBy::Sni).or_else(|| find(host, NamedBy::Host)))
    }

    /// By the domain that mail is for.
    pub(crate) fn of_recipient(zones: &ZoneTable, domain: &DomainName) -> Self {
        Self(zones.find(&domain.to_wire()).map(|zone| (zone, NamedBy::Recipient)))
    }

    /// By an address of ours that one name has to itself.
    pub(crate) fn of_address(names: &NamesByAddress, zones: &ZoneTable, called: IpAddr) -> Self {
        let found = names.find(&zones.read(), called).map(|found| found.served.clone());
        Self(found.map(|zone| (zone, NamedBy::Address)))
    }

    pub(crate) fn or_else(self, other: impl FnOnce() -> Self) -> Self {
        if self.0.is_some() { self } else { other() }
    }

    pub(crate) fn zone(&self) -> Option<&ServedZone> {
        self.0.as_ref().map(|(zone, _)| zone)
    }

    /// Whether a contact may be kept, or only counted. What concerns no seized name concerns no order.
    pub(crate) fn may_record(&self, now: Timestamp) -> bool {
        self.zone().is_none_or(|zone| zone.may_record(now))
    }

    /// Whose record is wanted, where room is tight.
    pub(crate) fn wanted(&self, source: IpAddr) -> Wanted<'_> {
        let apex = self.zone().map_or("", |zone| zone.zone.apex().as_str());
        Wanted::new(source, apex, self.zone().is_some_and(ServedZone::is_kill_switch))
    }

    /// Whether what a caller sent may be kept too. What concerns no seized name is covered by no order.
    pub(crate) fn may_record_content(&self, now: Timestamp) -> bool {
        self.zone().is_some_and(|zone| zone.may_record_content(now))
    }

    fn subject(&self) -> Option<Subject<'_>> {
        let (zone, named_by) = self.0.as_ref()?;
        Some(zone.subject(*named_by))
    }
}

/// A host name in DNS wire form; nothing if it cannot be one.
fn wire_name(host: &[u8]) -> Option<Vec<u8>> {
    let host = host.strip_suffix(b".").unwrap_or(host);
    let mut wire = Vec::with_capacity(host.len() + 2);
    for label in host.split(|b| *b == b'.') {
        let len = u8::try_from(label.len()).ok().filter(|len| (1..=63).contains(len))?;
        wire.push(len);
        wire.extend_from_slice(label);
    }
    wire.push(0);
    (wire.len() <= wire::dns::NAME_OCTETS_MAX).then_some(wire)
}

//----------- Contacts ---------------------------------------------------------------------------------------------

/// What the contacts of one connection have in common.
pub(crate) struct Witness<'a> {
    pub(crate) caller: Caller,
    pub(crate) concern: &'a Concern,
}

impl<'a> Witness<'a> {
    pub(crate) fn connection(&self, id: ContactId, accepted: Timestamp) -> Contact<'a> {
        self.contact(id, accepted, None, &[], What::Connection(Connection::default()))
    }

    /// A connection that nobody here reads, with what its first octets are like.
    pub(crate) fn first(&self, id: ContactId, accepted: Timestamp, first: &'a First) -> Contact<'a> {
        let what = Connection {
            looks_like: first.looks.map(Looks::word).unwrap_or_default().into(),
            first_bytes: first.bytes.as_slice().into(),
            keyed_hash: first.keyed_hash,
        };
        let contact = self.contact(id, accepted, None, &first.oddities, What::Connection(what));
        Contact { limits: if first.is_cut { Limits::CUT } else { Limits::default() }, ..contact }
    }

    pub(crate) fn mail(
        &self,
        id: ContactId,
        received: Timestamp,
        over: Option<ContactId>,
        mailed: &'a Mailed,
    ) -> Contact<'a> {
        self.contact(id, received, over, &mailed.transaction.oddities, What::Message(message(mailed)))
    }

    pub(crate) fn hello(
        &self,
        id: ContactId,
        received: Timestamp,
        over: Option<ContactId>,
        hello: &'a ClientHello,
        raw: &'a [u8],
    ) -> Contact<'a> {
        let what = Hello {
            sni: hello.sni.as_slice().into(),
            legacy_version: hello.legacy_version,
            versions: hello.versions.clone(),
            ciphers: hello.ciphers.clone(),
            extensions: hello.extensions.clone(),
            alpn: hello.alpn.iter().map(|protocol| protocol.as_slice().into()).collect(),
            ja3: ja3(hello).into(),
            ja4: ja4(hello).into(),
            raw: raw.into(),
        };
        self.contact(id, received, over, &hello.oddities, What::Hello(what))
    }

    pub(crate) fn request(
        &self,
        id: ContactId,
        received: Timestamp,
        over: Option<ContactId>,
        head: &'a Head,
        body_oddities: &[Oddity],
    ) -> Contact<'a> {
        let oddities = [&head.oddities, body_oddities].concat();
        let mut contact = self.contact(id, received, over, &oddities, What::Request(request(head)));
        let redacted = &head.kept.redacted;
        let is_cut = redacted.bytes.len() > HEAD_KEPT_MAX || redacted.redactions.len() > REDACTIONS_KEPT_MAX;
        if is_cut || oddities.iter().any(|oddity| matches!(oddity, Oddity::HeadTooLong | Oddity::BodyTooLong)) {
            contact.limits = contact.limits.with(Limits::CUT);
        }
        contact
    }

    fn contact(
        &self,
        id: ContactId,
        received: Timestamp,
        over: Option<ContactId>,
        oddities: &[Oddity],
        what: What<'a>,
    ) -> Contact<'a> {
        Contact {
            id,
            received,
            source: self.caller.source,
            local: self.caller.local,
            transport: Transport::Tcp,
            via: self.caller.via(),
            over,
            subject: self.concern.subject(),
            oddities: oddities.iter().map(|oddity| oddity.code().into()).collect(),
            limits: Limits::default(),
            what,
        }
    }
}

fn request(head: &Head) -> Request<'_> {
    let redacted = &head.kept.redacted;
    let kept = &redacted.bytes[..redacted.bytes.len().min(HEAD_KEPT_MAX)];
    let fits = |redaction: &&secrets::Redaction| (redaction.offset as usize) < kept.len();
    Request {
        method: head.method().into(),
        target: cut(head.target()).into(),
        version: version(head.version),
        host: cut(head.host()).into(),
        user_agent: cut(head.header("user-agent")).into(),
        referer: cut(head.header("referer")).into(),
        content_type: cut(head.header("content-type")).into(),
        forwarded: cut(forwarded(head)).into(),
        head: kept.into(),
        redactions: redacted.redactions.iter().filter(fits).take(REDACTIONS_KEPT_MAX).map(redaction).collect(),
        h2: head.h2.as_slice().into(),
    }
}

fn message(mailed: &Mailed) -> Message<'_> {
    let Mailed { transaction, sender, recipients, accounts } = mailed;
    Message {
        helo: transaction.helo.as_ref().map(|helo| helo.name.as_bytes()).unwrap_or_default().into(),
        starttls: transaction.starttls,
        auth_mechanism: transaction.auth.as_ref().map_or("", |attempt| attempt.mechanism.name()).into(),
        mail_from: *sender,
        recipients: recipients.clone(),
        recipients_count: transaction.recipients_count,
        end: transaction.end.word().into(),
        fingerprint: transaction.fingerprint.as_str().into(),
        letter: transaction.letter.as_ref().map(letter),
        accounts: accounts.iter().map(|sealed| sealed.as_slice().into()).collect(),
    }
}

fn letter(letter: &smtp::Letter) -> Letter<'_> {
    let attachment = |attachment: &'_ smtp::Attachment| Attachment {
        keyed_hash: Digest(attachment.hash),
        octets: attachment.octets,
        media_type: attachment.media_type.clone().into(),
        extension: attachment.extension.clone().unwrap_or_default().into(),
    };
    Letter {
        octets: letter.octets,
        complete: letter.complete,
        header_names: letter.header_names.iter().map(|name| name.as_str().into()).collect(),
        parts: letter.parts_count,
        attachments: letter.attachments.iter().map(attachment).collect(),
    }
}

fn cut(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(FIELD_KEPT_MAX)]
}

/// The most octets of one field that stand beside the head, which has them all.
const FIELD_KEPT_MAX: usize = 16 * 1024;

/// X-Forwarded-For or one of its kin: a claim.
fn forwarded(head: &Head) -> &[u8] {
    const NAMES: [&str; 6] = ["x-forwarded-for", "forwarded", "x-real-ip", "true-client-ip", "cf-connecting-ip", "via"];
    NAMES.iter().map(|name| head.header(name)).find(|value| !value.is_empty()).unwrap_or_default()
}

fn version(version: Version) -> HttpVersion {
    match version {
        Version::Unknown => HttpVersion::Unknown,
        Version::Http09 => HttpVersion::Http09,
        Version::Http10 => HttpVersion::Http10,
        Version::Http11 => HttpVersion::Http11,
        Version::Http2 => HttpVersion::Http2,
    }
}

//----------- What followed ----------------------------------------------------------------------------------------

pub(crate) fn body(facts: &BodyFacts) -> Body<'_> {
    Body {
        len: facts.len,
        complete: facts.complete,
        fields: facts.fields.iter().map(|field| field.as_str().into()).collect(),
        redactions: facts.redactions.iter().map(redaction).collect(),
    }
}

fn redaction(redaction: &secrets::Redaction) -> Redaction {
    Redaction { offset: redaction.offset, kind: secret(redaction.kind) }
}

fn secret(kind: SecretKind) -> Secret {
    match kind {
        SecretKind::Credentials => Secret::Credentials,
        SecretKind::Cookie => Secret::Cookie,
        SecretKind::HeaderToken => Secret::HeaderToken,
        SecretKind::QueryValue => Secret::QueryValue,
        SecretKind::UserInfo => Secret::UserInfo,
        SecretKind::BodyValue => Secret::BodyValue,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `wire` may not know `model`, so the markers stand in both.
    #[test]
    fn the_markers_of_both_rooms_are_the_same() {
        for kind in SecretKind::ALL {
            assert_eq!(kind.marker(), secret(kind).marker());
        }
    }

    #[test]
    fn hosts_become_names_where_they_can() {
        assert_eq!(wire_name(b"a.example").as_deref(), Some(&b"\x01a\x07example\x00"[..]));
        assert_eq!(wire_name(b"a.example."), wire_name(b"a.example"));
        for none in [&b""[..], b"a..example", &[b'a'; 64], &b"abc.".repeat(80)] {
            assert_eq!(wire_name(none), None);
        }
    }
}
