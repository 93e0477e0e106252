//! Registration data: answers of RDAP servers about domains (RFC 9083), one or many in a file.
//!
//! A file holds JSON values one after the other, lists of them, or `{"query": "name", "answer": {…}}`: an error such as 404
//! does not say which name it is about, so whoever asked has to.

use model::{DomainName, Timestamp};
use serde_json::Value;

use super::values::each;
use super::{FileFault, Taken, text_of};
use crate::rdap::{Entity, Object};

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

/// Words that say that a value was left out (RFC 9537, and before it).
const REDACTED: [&str; 5] = ["redacted", "privacy", "withheld", "not disclosed", "proxy"];

/// Hands every answer about a domain to `take`.
pub fn read(file: &str, octets: &[u8], mut take: impl FnMut(Registration)) -> Result<Taken, FileFault> {
    let mut taken = Taken::default();
    let mut place = 0;
    each(file, text_of(file, octets)?, |value| {
        let value: Value = serde_json::from_str(value)?;
        place += 1;
        taken.records += 1;
        match registration(place, &value) {
            Some(registration) => take(registration),
            None => taken.passed_over += 1,
        }
        Ok(())
    })?;
    Ok(taken)
}

fn registration(place: usize, value: &Value) -> Option<Registration> {
    let answer = Object::of(value.get("answer").unwrap_or(value));
    let name = match value["query"].as_str() {
        Some(asked) => DomainName::parse(asked).ok()?,
        None => answer.name.clone()?,
    };
    let is_unknown = answer.error == Some(404);
    if !answer.is_domain() && !is_unknown {
        return None;
    }
    let registered = answer.when("registration").next();
    let registrants = answer.entities.iter().filter(|entity| entity.has_role("registrant"));
    Some(Registration {
        place,
        name,
        is_unknown,
        registered,
        registrar: answer.entity("registrar").and_then(label),
        registrants: registrants.flat_map(whose).collect(),
        name_servers: answer.name_servers,
        statuses: answer.statuses,
    })
}

/// Full name or organisation, else the handle.
fn label(entity: &Entity) -> Option<String> {
    [&entity.name, &entity.organisation, &entity.handle].into_iter().flatten().next().cloned()
}

/// What tells one registrant from another.
fn whose(entity: &Entity) -> Vec<String> {
    let others = [&entity.organisation, &entity.name, &entity.handle];
    let is_open = |text: &&String| {
        let text = text.to_lowercase();
        text.len() > 2 && !REDACTED.iter().any(|word| text.contains(word))
    };
    let all = entity.mails.first().into_iter().chain(others.into_iter().flatten());
    all.filter(is_open).cloned().collect()
}
