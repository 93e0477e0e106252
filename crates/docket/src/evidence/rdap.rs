//! The abuse contact in an RDAP answer (RFC 9083): an entity with the role `abuse`, and its jCard (RFC 7095).
//!
//! For a domain it stands within the registrar, for an address within whoever holds the network. The answer is somebody
//! else's: depth and number are bounded, and an address that could carry another header is none.

use model::notification::Recipient;
use serde_json::Value;

/// The largest answer that is read.
pub const RDAP_OCTETS_MAX: usize = 1 << 20;
/// Entities within entities.
const DEPTH_MAX: usize = 4;
const ENTITIES_MAX: usize = 256;
/// RFC 5321, 4.5.3.1.3, without the brackets.
const ADDRESS_OCTETS_MAX: usize = 254;

/// Whom to write to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AbuseContact {
    pub address: String,
    /// The organisation above it: the registrar, or the holder of the network.
    pub organisation: Option<String>,
    pub of_registrar: bool,
}

/// Why there is none.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RdapError {
    #[error("the answer has more than {RDAP_OCTETS_MAX} octets")]
    TooLarge,
    #[error("the answer is no JSON: {0}")]
    NoJson(String),
    #[error("no entity of the answer has the role `abuse` and a mail address; it may be redacted (RFC 9537)")]
    NoContact,
    #[error("its abuse contact is the registrar's, and this report is not to the registrar")]
    OfRegistrar,
}

/// The first abuse contact in the answer: to a registrar, a registrar's first; to anybody else, never a registrar's.
pub fn abuse_contact(octets: &[u8], to: Recipient) -> Result<AbuseContact, RdapError> {
    if octets.len() > RDAP_OCTETS_MAX {
        return Err(RdapError::TooLarge);
    }
    let answer: Value = serde_json::from_slice(octets).map_err(|error| RdapError::NoJson(error.to_string()))?;
    let mut found = Vec::new();
    search(&answer, None, (0, false), &mut (&mut found, ENTITIES_MAX));
    if to == Recipient::Registrar {
        found.sort_by_key(|contact| !contact.of_registrar);
    }
    let is_wanted = |contact: &&AbuseContact| to == Recipient::Registrar || !contact.of_registrar;
    let wanted = found.iter().find(is_wanted).cloned();
    wanted.ok_or(if found.is_empty() { RdapError::NoContact } else { RdapError::OfRegistrar })
}

type Found<'f> = (&'f mut Vec<AbuseContact>, usize);

fn search(object: &Value, above: Option<&Value>, (depth, is_within_registrar): (usize, bool), found: &mut Found<'_>) {
    let entities = object.get("entities").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for entity in entities {
        if depth >= DEPTH_MAX || found.1 == 0 {
            return;
        }
        found.1 -= 1;
        let of_registrar = is_within_registrar || has_role(entity, "registrar");
        if has_role(entity, "abuse")
            && let Some(address) = card(entity, "email").filter(|address| is_address(address))
        {
            let organisation = above.and_then(|above| card(above, "fn")).or_else(|| card(entity, "fn"));
            found.0.push(AbuseContact { address, organisation, of_registrar });
        }
        search(entity, Some(entity), (depth + 1, of_registrar), found);
    }
}

fn has_role(entity: &Value, role: &str) -> bool {
    let roles = entity.get("roles").and_then(Value::as_array);
    roles.is_some_and(|roles| roles.iter().any(|one| one.as_str() == Some(role)))
}

/// A text property of the jCard: `["email", {}, "text", "abuse@registrar.example"]`.
fn card(entity: &Value, property: &str) -> Option<String> {
    let properties = entity.get("vcardArray")?.get(1)?.as_array()?;
    let named = properties.iter().find(|one| one.get(0).and_then(Value::as_str) == Some(property))?;
    let text = named.get(3)?.as_str()?.trim();
    (!text.is_empty() && text.len() <= ADDRESS_OCTETS_MAX).then(|| text.to_owned())
}

/// One plain address, that fits into a header and ends there.
pub fn is_address(text: &str) -> bool {
    let is_plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|octet| octet.is_ascii_graphic() && !b"()<>[]:;@\\,\"".contains(&octet))
    };
    let parts = text.split_once('@');
    text.len() <= ADDRESS_OCTETS_MAX
        && parts.is_some_and(|(user, host)| is_plain(user) && is_plain(host) && host.contains('.'))
}
