//! Contacts as this room's tests write them: short, on documentation names, at whole seconds.

use std::borrow::Cow;

use model::contact::*;
use model::id::{Boot, ContactId, Lane, SensorId};
use model::outcome::{Body, End, Outcome, Tls};
use model::time::{Timestamp, from_nanos};

pub(crate) const EDGE: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131 Safari/537.36";
pub(crate) const OLD_IE: &str = "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.0)";

pub(crate) fn id(seq: u64) -> ContactId {
    ContactId::new(SensorId(1), Boot(1), Lane(0), seq)
}

pub(crate) fn at(secs: i64) -> Timestamp {
    from_nanos(1_553_472_000_000_000_000 + secs * 1_000_000_000)
}

pub(crate) fn contact(
    seq: u64,
    secs: i64,
    from: &str,
    apex: Option<&'static str>,
    what: What<'static>,
) -> Contact<'static> {
    let named = |apex| Subject { case: "phosphorus-2019".into(), apex: Cow::Borrowed(apex), named_by: NamedBy::Host };
    Contact {
        id: id(seq),
        received: at(secs),
        source: format!("{from}:40000").parse().unwrap(),
        local: "127.0.0.1:80".parse().unwrap(),
        transport: Transport::Tcp,
        via: Via::Direct,
        over: None,
        subject: apex.map(named),
        oddities: vec![],
        limits: Limits::default(),
        what,
    }
}

/// A request as a line of the table writes it: `METHOD target`, User-Agent, Referer.
pub(crate) fn request(
    seq: u64,
    secs: i64,
    from: &str,
    line: &'static str,
    agent: &'static str,
    referer: &'static str,
) -> Contact<'static> {
    let (method, target) = line.split_once(' ').unwrap();
    let what = Request {
        method: method.as_bytes().into(),
        target: target.as_bytes().into(),
        user_agent: agent.as_bytes().into(),
        referer: referer.as_bytes().into(),
        host: b"outlook-verify.net".into(),
        ..Request::default()
    };
    contact(seq, secs, from, Some("outlook-verify.net"), What::Request(what))
}

pub(crate) fn query(from: &str, qtype: u16, qclass: u16, subnet: &'static [u8]) -> Contact<'static> {
    let edns = (!subnet.is_empty()).then(|| Edns { client_subnet: subnet.into(), ..Edns::default() });
    let name = b"\x0eoutlook-verify\x03net\0".into();
    contact(
        1,
        0,
        from,
        Some("outlook-verify.net"),
        What::Query(Query { name, qtype, qclass, edns, ..Query::default() }),
    )
}

pub(crate) fn outcome(of: u64, fields: &[&'static str], completed: Option<bool>, octets_in: u64) -> Outcome<'static> {
    let body = Body {
        len: 40,
        complete: true,
        fields: fields.iter().map(|f| Cow::Borrowed(*f)).collect(),
        redactions: vec![],
    };
    Outcome {
        id: id(of + 1000),
        of: id(of),
        at: at(0),
        octets_in,
        octets_out: 0,
        duration_nanos: 0,
        end: End::Answered,
        status: None,
        tls: completed.map(|completed| Tls { completed, ..Tls::default() }),
        body: (!fields.is_empty()).then_some(body),
        accounts: Vec::new(),
    }
}
