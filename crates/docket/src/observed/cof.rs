//! Passive DNS in the Common Output Format (draft-dulaunoy-dnsop-passive-dns-cof): one JSON object a line.

use std::borrow::Cow;
use std::net::IpAddr;

use model::{DomainName, Timestamp};
use serde::Deserialize;

use super::{FileFault, Taken, instant, lines, text_of};

/// One set of records that somebody saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub line: usize,
    pub name: DomainName,
    pub data: Vec<Data>,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
}

/// What a name pointed to.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Data {
    Address(IpAddr),
    NameServer(DomainName),
    MailServer(DomainName),
    Alias(DomainName),
}

impl Data {
    /// The name that others come to by it.
    pub fn target(&self) -> Option<(&'static str, &DomainName)> {
        match self {
            Self::Address(_) => None,
            Self::NameServer(host) => Some(("NS", host)),
            Self::MailServer(host) => Some(("MX", host)),
            Self::Alias(host) => Some(("CNAME", host)),
        }
    }
}

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    rrname: Cow<'a, str>,
    rrtype: Kind,
    #[serde(borrow)]
    rdata: OneOrMany<'a>,
    time_first: Option<i64>,
    time_last: Option<i64>,
    zone_time_first: Option<i64>,
    zone_time_last: Option<i64>,
}

/// The draft allows the type's word or its number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Kind {
    Word(String),
    Number(u16),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<'a> {
    #[serde(borrow)]
    One(Cow<'a, str>),
    Many(Vec<Cow<'a, str>>),
}

/// Hands every record that concerns us to `take`.
pub fn read(file: &str, octets: &[u8], mut take: impl FnMut(Seen)) -> Result<Taken, FileFault> {
    let mut taken = Taken::default();
    for line in lines(file, text_of(file, octets)?) {
        let (at, line) = line?;
        let row: Row<'_> = serde_json::from_str(line).map_err(|error| {
            FileFault::at(file, at, format!("no passive DNS record in COF (rrname, rrtype, rdata): {error}"))
        })?;
        taken.records += 1;
        match seen(at, &row) {
            Some(seen) => take(seen),
            None => taken.passed_over += 1,
        }
    }
    Ok(taken)
}

fn seen(line: usize, row: &Row<'_>) -> Option<Seen> {
    let name = DomainName::parse(&row.rrname).ok()?;
    let values: Vec<&str> = match &row.rdata {
        OneOrMany::One(value) => vec![value],
        OneOrMany::Many(values) => values.iter().map(|value| &**value).collect(),
    };
    // Once for all its data: a line may have a long word and many of them.
    let kind = word(&row.rrtype)?;
    let data: Vec<Data> = values.into_iter().filter_map(|value| datum(kind, value.trim())).collect();
    let first = [row.time_first, row.zone_time_first].into_iter().flatten().min().and_then(instant);
    let last = [row.time_last, row.zone_time_last].into_iter().flatten().max().and_then(instant);
    (!data.is_empty()).then_some(Seen { line, name, data, first, last })
}

/// The type's word, if it is one that anybody here asks about.
fn word(kind: &Kind) -> Option<&'static str> {
    let known = [("A", "1"), ("AAAA", "28"), ("NS", "2"), ("CNAME", "5"), ("MX", "15")];
    let is = |(word, number): &(&str, &str)| match kind {
        Kind::Word(said) => said.eq_ignore_ascii_case(word) || said == number,
        Kind::Number(said) => said.to_string() == *number,
    };
    known.into_iter().find(is).map(|(word, _)| word)
}

fn datum(kind: &str, value: &str) -> Option<Data> {
    let host = |text: &str| DomainName::parse(text).ok();
    match kind {
        "A" | "AAAA" => value.parse().ok().map(|address: IpAddr| Data::Address(address.to_canonical())),
        "NS" => host(value).map(Data::NameServer),
        "CNAME" => host(value).map(Data::Alias),
        "MX" => host(value.split_whitespace().next_back()?).map(Data::MailServer),
        _ => None,
    }
}
