//! Registration data: answers of RDAP servers about domains (RFC 9083), one or many in a file.
//!
//! A file holds JSON values one after the other, lists of them, or `{"query": "name", "answer": {…}}`: an error such as 404
//! does not say which name it is about, so whoever asked has to.

use model::{DomainName, Timestamp};
use serde_json::Value;

use super::{FileFault, RECORD_OCTETS_MAX, RECORDS_MAX, Taken, text_of};

/// What a registry or registrar said of a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration {
    /// The place in the file, counted from 1.
    pub place: usize,
    pub name: DomainName,
    /// The server knows no such name (404).
    pub is_unknown: bool,
    pub registered: Option<Timestamp>,
    pub registrar: Option<String>,
    /// Handle, organisation or mail address of the registrant, where they are not redacted.
    pub registrants: Vec<String>,
    pub name_servers: Vec<DomainName>,
    pub statuses: Vec<String>,
}

/// The most entries of one list in an answer that are looked at.
const LIST_MAX: usize = 64;
/// Words that say that a value was left out (RFC 9537, and before it).
const REDACTED: [&str; 5] = ["redacted", "privacy", "withheld", "not disclosed", "proxy"];

/// Hands every answer about a domain to `take`.
pub fn read(file: &str, octets: &[u8], mut take: impl FnMut(Registration)) -> Result<Taken, FileFault> {
    let text = text_of(file, octets)?;
    let mut taken = Taken::default();
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let mut place = 0;
    loop {
        let from = values.byte_offset();
        let Some(value) = values.next() else { break };
        let line = || 1 + text[..from].bytes().filter(|octet| *octet == b'\n').count();
        let value =
            value.map_err(|error| FileFault::at(file, line() + error.line().saturating_sub(1), error.to_string()))?;
        let all = if let Value::Array(all) = value { all } else { vec![value] };
        for one in all {
            place += 1;
            if place > RECORDS_MAX {
                return Err(FileFault::at(file, line(), format!("more than {RECORDS_MAX} answers")));
            }
            taken.records += 1;
            match registration(place, &one) {
                Some(registration) => take(registration),
                None => taken.passed_over += 1,
            }
        }
    }
    Ok(taken)
}

fn registration(place: usize, value: &Value) -> Option<Registration> {
    let asked = value.get("query").and_then(Value::as_str);
    let answer = value.get("answer").unwrap_or(value);
    let name = asked.or_else(|| answer.get("ldhName").and_then(Value::as_str))?;
    let name = DomainName::parse(name).ok()?;
    let is_unknown = answer.get("errorCode").and_then(Value::as_u64) == Some(404);
    let is_domain = answer.get("objectClassName").and_then(Value::as_str) == Some("domain");
    if !is_domain && !is_unknown {
        return None;
    }
    let host = |server: &Value| DomainName::parse(server.get("ldhName")?.as_str()?).ok();
    let entities: Vec<&Value> = list(answer, "entities").collect();
    Some(Registration {
        place,
        name,
        is_unknown,
        registered: registered(answer),
        registrar: entities.iter().find(|entity| has_role(entity, "registrar")).and_then(|entity| label(entity)),
        registrants: entities
            .iter()
            .filter(|entity| has_role(entity, "registrant"))
            .flat_map(|one| whose(one))
            .collect(),
        name_servers: list(answer, "nameservers").filter_map(host).collect(),
        statuses: list(answer, "status").filter_map(Value::as_str).map(cut).collect(),
    })
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten().take(LIST_MAX)
}

fn registered(answer: &Value) -> Option<Timestamp> {
    let is_it = |event: &&Value| event.get("eventAction").and_then(Value::as_str) == Some("registration");
    list(answer, "events").find(is_it)?.get("eventDate")?.as_str()?.parse().ok()
}

fn has_role(entity: &Value, role: &str) -> bool {
    list(entity, "roles").any(|one| one.as_str() == Some(role))
}

/// Full name or organisation, else the handle.
fn label(entity: &Value) -> Option<String> {
    let handle = entity.get("handle").and_then(Value::as_str).map(cut);
    card(entity, "fn").or_else(|| card(entity, "org")).or(handle)
}

/// What tells one registrant from another.
fn whose(entity: &Value) -> Vec<String> {
    let handle = entity.get("handle").and_then(Value::as_str).map(cut);
    let all = [card(entity, "email"), card(entity, "org"), card(entity, "fn"), handle];
    let is_open = |text: &String| {
        let text = text.to_lowercase();
        text.len() > 2 && !REDACTED.iter().any(|word| text.contains(word))
    };
    all.into_iter().flatten().filter(is_open).collect()
}

/// A property of a jCard (RFC 7095): `["vcard", [[name, parameters, type, value], …]]`.
fn card(entity: &Value, property: &str) -> Option<String> {
    let properties = entity.get("vcardArray")?.as_array()?.get(1)?.as_array()?;
    let is_it = |one: &&Value| one.get(0).and_then(Value::as_str) == Some(property);
    let value = properties.iter().take(LIST_MAX).find(is_it)?.get(3)?.as_str()?.trim();
    (!value.is_empty()).then(|| cut(value))
}

/// Texts of others are kept short.
fn cut(text: &str) -> String {
    text.chars().take(RECORD_OCTETS_MAX.min(200)).collect()
}
