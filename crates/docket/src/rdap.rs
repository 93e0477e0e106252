//! What an RDAP server says of a domain or a network (RFC 9083), read within bounds, for whoever has to make sense of it.
//!
//! The answer is somebody else's: each list has an end, each text a length, and entities within entities a depth. Nothing is
//! judged here. What it means for a seizure says [`crate::verify::rdap`], for a name nobody has taken yet
//! [`crate::observed::rdap`], and whom to write to [`crate::evidence::rdap`].

use model::{DomainName, Timestamp};
use serde_json::Value;

/// The largest answer that is read.
pub const ANSWER_OCTETS_MAX: usize = 1 << 20;
/// The most entries of one list that are looked at.
pub const LIST_MAX: usize = 64;
/// The most entities of one answer, those within others with them.
pub const ENTITIES_MAX: usize = 256;
/// Entities within entities.
pub const DEPTH_MAX: usize = 4;
/// The longest text that is kept.
pub const TEXT_CHARS_MAX: usize = 200;
/// The longest mail address (RFC 5321, 4.5.3.1.3, without the brackets). One is kept whole or not at all.
pub const MAIL_OCTETS_MAX: usize = 254;

//----------- Object -----------------------------------------------------------------------------------------------

/// An answer about one thing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Object {
    /// `domain`, `ip network`, …
    pub class: Option<String>,
    /// The status of HTTP, where the answer is an error.
    pub error: Option<u64>,
    pub name: Option<DomainName>,
    pub handle: Option<String>,
    /// As they are spelled there.
    pub statuses: Vec<String>,
    pub events: Vec<Event>,
    pub name_servers: Vec<DomainName>,
    pub delegation_signed: Option<bool>,
    pub entities: Vec<Entity>,
    /// What the server says that it does not show (RFC 9537).
    pub redacted: Vec<String>,
}

/// That something was done, and when.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    pub action: String,
    pub at: Timestamp,
}

/// Why an answer is none.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unread {
    #[error("the answer has more than {ANSWER_OCTETS_MAX} octets")]
    TooLarge,
    #[error("the answer is no JSON: {0}")]
    NoJson(String),
}

impl Object {
    /// # Errors
    /// If the answer is too long, or no JSON. One of another shape is an object of which nothing is known.
    pub fn read(octets: &[u8]) -> Result<Self, Unread> {
        if octets.len() > ANSWER_OCTETS_MAX {
            return Err(Unread::TooLarge);
        }
        let answer: Value = serde_json::from_slice(octets).map_err(|error| Unread::NoJson(error.to_string()))?;
        Ok(Self::of(&answer))
    }

    pub fn of(answer: &Value) -> Self {
        let host = |server: &Value| DomainName::parse(server["ldhName"].as_str()?).ok();
        let mut left = ENTITIES_MAX;
        Self {
            class: text(&answer["objectClassName"]),
            error: answer["errorCode"].as_u64(),
            name: host(answer),
            handle: text(&answer["handle"]),
            statuses: list(&answer["status"]).filter_map(text).collect(),
            events: list(&answer["events"]).filter_map(event).collect(),
            name_servers: list(&answer["nameservers"]).filter_map(host).collect(),
            delegation_signed: answer["secureDNS"]["delegationSigned"].as_bool(),
            entities: entities(answer, DEPTH_MAX, &mut left),
            redacted: list(&answer["redacted"]).filter_map(redacted).collect(),
        }
    }

    pub fn is_domain(&self) -> bool {
        self.class.as_deref() == Some("domain")
    }

    /// The first entity with that role, of those that stand at the object itself.
    pub fn entity(&self, role: &str) -> Option<&Entity> {
        self.entities.iter().find(|entity| entity.has_role(role))
    }

    /// When that was done.
    pub fn when(&self, action: &str) -> impl Iterator<Item = Timestamp> {
        self.events.iter().filter(move |event| event.action == action).map(|event| event.at)
    }
}

fn event(event: &Value) -> Option<Event> {
    Some(Event { action: text(&event["eventAction"])?, at: event["eventDate"].as_str()?.parse().ok()? })
}

fn redacted(entry: &Value) -> Option<String> {
    let name = &entry["name"];
    text(&name["type"]).or_else(|| text(&name["description"]))
}

//----------- Entity -----------------------------------------------------------------------------------------------

/// Somebody who has to do with it, with their jCard (RFC 7095).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Entity {
    pub handle: Option<String>,
    pub roles: Vec<String>,
    /// `fn`
    pub name: Option<String>,
    pub organisation: Option<String>,
    pub mails: Vec<String>,
    pub phones: Vec<String>,
    /// Kind of register, and the number in it.
    pub public_ids: Vec<(String, String)>,
    pub entities: Vec<Self>,
}

impl Entity {
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|one| one == role)
    }
}

/// The entities of an object, as deep as `depth` and as many as are `left`.
fn entities(object: &Value, depth: usize, left: &mut usize) -> Vec<Entity> {
    let mut all = Vec::new();
    if depth == 0 {
        return all;
    }
    for value in list(&object["entities"]) {
        if *left == 0 {
            break;
        }
        *left -= 1;
        let entities = entities(value, depth - 1, left);
        all.push(Entity { entities, ..entity(value) });
    }
    all
}

fn entity(value: &Value) -> Entity {
    let card = value["vcardArray"].get(1).unwrap_or(&Value::Null);
    Entity {
        handle: text(&value["handle"]),
        roles: list(&value["roles"]).filter_map(text).collect(),
        name: property(card, "fn").find_map(text),
        organisation: property(card, "org").find_map(text),
        mails: property(card, "email").filter_map(mail).collect(),
        phones: property(card, "tel").filter_map(text).collect(),
        public_ids: list(&value["publicIds"]).filter_map(public_id).collect(),
        entities: Vec::new(),
    }
}

/// The values of a property: `["email", {}, "text", "abuse@registrar.example"]`.
fn property<'v>(card: &'v Value, name: &'v str) -> impl Iterator<Item = &'v Value> {
    list(card).filter(move |line| line[0] == *name).map(|line| &line[3])
}

/// An address is not mended: what is left of one could be another's.
fn mail(value: &Value) -> Option<String> {
    let address = value.as_str()?.trim();
    let is_one = !address.is_empty() && address.len() <= MAIL_OCTETS_MAX && !address.contains(char::is_control);
    is_one.then(|| address.to_owned())
}

fn public_id(id: &Value) -> Option<(String, String)> {
    let number = &id["identifier"];
    Some((text(&id["type"])?, text(number).or_else(|| number.as_u64().map(|number| number.to_string()))?))
}

//----------- Values -----------------------------------------------------------------------------------------------

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten().take(LIST_MAX)
}

/// A text that says something, on one line.
fn text(value: &Value) -> Option<String> {
    let breaks = |one: &char| one.is_control() || matches!(one, '\u{2028}' | '\u{2029}');
    let plain: String = value.as_str()?.trim().chars().filter(|one| !breaks(one)).take(TEXT_CHARS_MAX).collect();
    Some(plain.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_object_is_read_with_everybody_in_it() {
        let card = json!([
            "vcard",
            [
                ["version", {}, "text", "4.0"],
                ["fn", {}, "text", " Keeper\u{7} \u{2028}Inc. "],
                ["email", {}, "text", "abuse@keeper.example\r\nBcc: x@y.example"],
                ["email", {}, "text", "desk@keeper.example"],
                ["org", {}, "text", ["Keeper", "Abuse"]],
                ["tel", {}, "uri", "tel:+1.5550100"]
            ]
        ]);
        let answer = json!({
            "objectClassName": "domain", "ldhName": "SEIZED.alfa", "handle": "D-1", "status": ["active", 5],
            "events": [{ "eventAction": "expiration", "eventDate": "2030-01-01T00:00:00Z" }, { "eventAction": "x" }],
            "nameservers": [{ "ldhName": "ns1.host.alfa" }, { "ldhName": "-" }, {}],
            "secureDNS": { "delegationSigned": true },
            "entities": [{ "roles": ["registrar"], "publicIds": [{ "type": "IANA Registrar ID", "identifier": 9999 }],
                "entities": [{ "roles": ["abuse"], "vcardArray": card }] }],
            "redacted": [{ "name": { "type": "Registrant Name" } }, { "name": { "description": "Phone" } }, {}],
        });
        let object = Object::of(&answer);
        assert!(object.is_domain());
        assert_eq!(object.name.as_ref().map(DomainName::as_str), Some("seized.alfa"));
        assert_eq!((object.handle.as_deref(), &object.statuses[..]), (Some("D-1"), &["active".to_owned()][..]));
        assert_eq!(object.when("expiration").next(), "2030-01-01T00:00:00Z".parse().ok());
        assert_eq!((object.events.len(), object.name_servers.len()), (1, 1));
        assert_eq!((object.delegation_signed, &*object.redacted.join(", ")), (Some(true), "Registrant Name, Phone"));
        let registrar = object.entity("registrar").unwrap();
        assert_eq!(registrar.public_ids, [("IANA Registrar ID".to_owned(), "9999".to_owned())]);
        let abuse = &registrar.entities[0];
        assert_eq!((abuse.name.as_deref(), &abuse.organisation), (Some("Keeper Inc."), &None));
        assert_eq!((&*abuse.mails.join(" "), &*abuse.phones.join(" ")), ("desk@keeper.example", "tel:+1.5550100"));
    }

    #[test]
    fn everything_has_an_end() {
        let wide =
            json!({ "entities": vec![json!({ "entities": vec![json!({}); 100] }); 100], "status": vec!["x"; 100] });
        let object = Object::of(&wide);
        let within: usize = object.entities.iter().map(|entity| entity.entities.len()).sum();
        assert_eq!((object.entities.len() + within, object.statuses.len()), (ENTITIES_MAX, LIST_MAX));
        let deep = "{\"entities\":[".repeat(50) + &"]}".repeat(50);
        let mut object = Object::read(deep.as_bytes()).unwrap().entities;
        for _ in 1..DEPTH_MAX {
            object = object.remove(0).entities;
        }
        assert!(object[0].entities.is_empty());
        let long = Object::of(&json!({ "handle": "x".repeat(1_000) }));
        assert_eq!(long.handle.map(|handle| handle.len()), Some(TEXT_CHARS_MAX));
        assert_eq!(Object::of(&json!({ "handle": "\u{7} \u{7}" })).handle, None, "it says nothing");
        assert_eq!(Object::read(&vec![b' '; ANSWER_OCTETS_MAX + 1]), Err(Unread::TooLarge));
        assert!(Object::read("[".repeat(100_000).as_bytes()).is_err(), "depth has an end");
    }
}
