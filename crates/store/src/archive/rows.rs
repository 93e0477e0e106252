//! From what the journal holds to rows: text for people and SQL in the cells, the bytes themselves beside.

use std::borrow::Cow;
use std::fmt::Write as _;

use model::Timestamp;
use model::contact::{Connection, Contact, Datagram, Hello, Message, NamedBy, Query, Redaction, Request, Transport};
use model::contact::{Via, What};
use model::outcome::Outcome;
use model::verdict::Verdict;

use super::tables::{ContactRow, OutcomeRow, RawRow, VerdictRow};

//----------- Contacts ---------------------------------------------------------------------------------------------

impl From<&Contact<'_>> for ContactRow {
    fn from(contact: &Contact<'_>) -> Self {
        let mut row = Self::common(contact);
        match &contact.what {
            What::Query(query) => row.take_query(query),
            What::Connection(connection) => row.take_connection(connection),
            What::Hello(hello) => row.take_hello(hello),
            What::Request(request) => row.take_request(request),
            What::Message(message) => row.take_message(message),
            What::Datagram(datagram) => row.take_datagram(datagram),
        }
        row
    }
}

impl ContactRow {
    fn common(contact: &Contact<'_>) -> Self {
        let subject = contact.subject.as_ref();
        Self {
            id: contact.id,
            received: contact.received,
            source: contact.source.ip().to_canonical(),
            source_port: contact.source.port(),
            local: contact.local.ip().to_canonical(),
            local_port: contact.local.port(),
            transport: transport(contact.transport).into(),
            kind: contact.what.kind(),
            via: via(&contact.via),
            over_id: contact.over,
            case_id: subject.map(|subject| subject.case.to_string()),
            apex: subject.map(|subject| subject.apex.to_string()),
            named_by: subject.map(|subject| named_by(subject.named_by).into()),
            oddities: contact.oddities.iter().map(ToString::to_string).collect(),
            limits: contact.limits.0,
            query_id: None,
            query_flags: None,
            qname: None,
            qtype: None,
            qclass: None,
            rcode: None,
            edns_size: None,
            dnssec_ok: None,
            client_subnet: None,
            octets: None,
            looks_like: None,
            keyed_hash: None,
            sni: None,
            tls_version: None,
            alpn: None,
            ja3: None,
            ja4: None,
            method: None,
            target: None,
            http_version: None,
            host: None,
            user_agent: None,
            referer: None,
            content_type: None,
            forwarded: None,
            redactions: None,
            helo: None,
            mail_from: None,
            recipients: None,
            repeats: None,
            login_accounts_sealed: None,
            raw: Vec::new(),
        }
    }

    fn take_query(&mut self, query: &Query<'_>) {
        self.query_id = Some(query.id);
        self.query_flags = Some(query.flags);
        if !query.name.is_empty() {
            self.qname = Some(name_text(&query.name));
            self.qtype = Some(query.qtype);
            self.qclass = Some(query.qclass);
        }
        self.rcode = query.rcode;
        self.repeats = (query.repeats > 0).then_some(query.repeats);
        self.octets = Some(u32::from(query.size));
        if let Some(edns) = &query.edns {
            self.edns_size = Some(edns.udp_size);
            self.dnssec_ok = Some(edns.dnssec_ok);
            self.client_subnet = (!edns.client_subnet.is_empty()).then(|| edns.client_subnet.to_vec());
        }
        self.keep("query", &query.raw);
    }

    fn take_connection(&mut self, connection: &Connection<'_>) {
        self.looks_like = some(connection.looks_like.as_bytes());
        self.keyed_hash = connection.keyed_hash.map(|hash| hash.to_string());
        self.keep("first-bytes", &connection.first_bytes);
    }

    fn take_hello(&mut self, hello: &Hello<'_>) {
        self.sni = some(&hello.sni);
        self.tls_version = Some(hello.versions.iter().copied().max().unwrap_or(hello.legacy_version));
        self.alpn = Some(hello.alpn.iter().map(|protocol| text(protocol)).collect());
        self.ja3 = some(hello.ja3.as_bytes());
        self.ja4 = some(hello.ja4.as_bytes());
        self.keep("hello", &hello.raw);
    }

    fn take_request(&mut self, request: &Request<'_>) {
        self.method = some(&request.method);
        self.target = some(&request.target);
        self.http_version = Some(request.version.as_str().into());
        self.host = some(&request.host);
        self.user_agent = some(&request.user_agent);
        self.referer = some(&request.referer);
        self.content_type = some(&request.content_type);
        self.forwarded = some(&request.forwarded);
        self.redactions = Some(request.redactions.iter().map(redaction).collect());
        self.keep("head", &request.head);
        self.keep("h2", &request.h2);
    }

    fn take_message(&mut self, message: &Message<'_>) {
        self.helo = some(&message.helo);
        self.mail_from = message.mail_from.map(|hash| hash.to_string());
        self.login_accounts_sealed = count(&message.accounts);
        self.recipients = Some(message.recipients.iter().map(ToString::to_string).collect());
        self.keep("mail-fingerprint", message.fingerprint.as_bytes());
    }

    fn take_datagram(&mut self, datagram: &Datagram<'_>) {
        self.looks_like = some(datagram.looks_like.as_bytes());
        self.keyed_hash = datagram.keyed_hash.map(|hash| hash.to_string());
        self.octets = Some(datagram.len);
        self.keep("first-bytes", &datagram.first_bytes);
    }

    fn keep(&mut self, part: &str, bytes: &[u8]) {
        if !bytes.is_empty() {
            let (id, received) = (self.id, self.received);
            self.raw.push(RawRow { id, received, part: part.into(), bytes: bytes.to_vec() });
        }
    }
}

fn transport(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
    }
}

fn via(via: &Via<'_>) -> Option<String> {
    match via {
        Via::Direct => None,
        Via::Proxy { version, balancer } => Some(format!("proxy v{version} {balancer}")),
        Via::Dnstap { sensor } => Some(format!("dnstap {sensor}")),
    }
}

fn named_by(by: NamedBy) -> &'static str {
    match by {
        NamedBy::Question => "question",
        NamedBy::Sni => "sni",
        NamedBy::Host => "host",
        NamedBy::Recipient => "recipient",
        NamedBy::Address => "address",
    }
}

fn redaction(redaction: &Redaction) -> String {
    format!("{} {}", redaction.offset, redaction.kind.as_str())
}

/// What is sealed stays where it is; that it is there may be known.
fn count(sealed: &[Cow<'_, [u8]>]) -> Option<u32> {
    u32::try_from(sealed.len()).ok().filter(|count| *count > 0)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn some(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty()).then(|| text(bytes))
}

/// A wire name in presentation form, without the final dot; `.` for the root. What is no name ends where it stops
/// being one: the bytes lie in `raw`.
pub fn name_text(wire: &[u8]) -> String {
    let (mut name, mut rest) = (String::new(), wire);
    while let Some((&len, tail)) = rest.split_first() {
        let Some((label, tail)) = tail.split_at_checked(usize::from(len)) else { break };
        if label.is_empty() {
            break;
        }
        if !name.is_empty() {
            name.push('.');
        }
        label.iter().for_each(|&byte| push_octet(&mut name, byte));
        rest = tail;
    }
    if name.is_empty() { ".".into() } else { name }
}

fn push_octet(name: &mut String, byte: u8) {
    match byte {
        b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$' => name.extend(['\\', char::from(byte)]),
        b'!'..=b'~' => name.push(char::from(byte)),
        _ => write!(name, "\\{byte:03}").expect("a String takes everything"),
    }
}

//----------- Outcomes and verdicts --------------------------------------------------------------------------------

impl From<&Outcome<'_>> for OutcomeRow {
    fn from(outcome: &Outcome<'_>) -> Self {
        let (tls, body) = (outcome.tls.as_ref(), outcome.body.as_ref());
        Self {
            id: outcome.id,
            contact_id: outcome.of,
            ended: outcome.at,
            octets_in: outcome.octets_in,
            octets_out: outcome.octets_out,
            duration_nanos: outcome.duration_nanos,
            ended_by: outcome.end.as_str().into(),
            status: outcome.status,
            tls_completed: tls.map(|tls| tls.completed),
            tls_resumed: tls.map(|tls| tls.resumed),
            tls_version: tls.map(|tls| tls.version),
            tls_cipher: tls.map(|tls| tls.cipher),
            tls_alert_in: tls.and_then(|tls| tls.alert_in),
            tls_alert_out: tls.and_then(|tls| tls.alert_out),
            body_len: body.map(|body| body.len),
            body_complete: body.map(|body| body.complete),
            body_fields: body.map(|body| body.fields.iter().map(ToString::to_string).collect()),
            accounts_sealed: count(&outcome.accounts),
        }
    }
}

impl VerdictRow {
    /// A verdict on a contact received at `received`, by the generation of rules named.
    pub fn new(verdict: Verdict, received: Timestamp, generation: &str) -> Self {
        Self {
            contact_id: verdict.of,
            received,
            generation: generation.to_owned(),
            // The archive says when, as it commits.
            judged: received,
            label: verdict.label,
            score: verdict.score,
            reasons: verdict.reasons,
            asn: verdict.asn.map(|asn| asn.0),
            as_name: verdict.as_name,
            country: verdict.country.map(|country| country.to_string()),
            withheld: verdict.withheld,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wire_name_is_written_as_zone_files_write_it() {
        for (wire, name) in [
            (b"\x03wWw\x07example\x00".as_slice(), "wWw.example"),
            (b"\x00", "."),
            (b"\x04a.b\\\x01\xff\x00", "a\\.b\\\\.\\255"),
            (b"\x03ab", "."),
        ] {
            assert_eq!(name_text(wire), name);
        }
    }
}
