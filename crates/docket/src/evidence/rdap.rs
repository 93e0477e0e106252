//! The abuse contact in an RDAP answer (RFC 9083): an entity with the role `abuse`, and its jCard (RFC 7095).
//!
//! For a domain it stands within the registrar, for an address within whoever holds the network. An address that could carry
//! another header is none.

use model::notification::Recipient;

use crate::rdap::{Entity, MAIL_OCTETS_MAX, Object, Unread};

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
    #[error(transparent)]
    Unread(#[from] Unread),
    #[error("no entity of the answer has the role `abuse` and a mail address; it may be redacted (RFC 9537)")]
    NoContact,
    #[error("its abuse contact is the registrar's, and this report is not to the registrar")]
    OfRegistrar,
}

/// The first abuse contact in the answer: to a registrar, a registrar's first; to anybody else, never a registrar's.
pub fn abuse_contact(octets: &[u8], to: Recipient) -> Result<AbuseContact, RdapError> {
    let mut found = Vec::new();
    search(&Object::read(octets)?.entities, None, false, &mut found);
    if to == Recipient::Registrar {
        found.sort_by_key(|contact| !contact.of_registrar);
    }
    let is_wanted = |contact: &&AbuseContact| to == Recipient::Registrar || !contact.of_registrar;
    let wanted = found.iter().find(is_wanted).cloned();
    wanted.ok_or(if found.is_empty() { RdapError::NoContact } else { RdapError::OfRegistrar })
}

fn search(entities: &[Entity], above: Option<&Entity>, is_within_registrar: bool, found: &mut Vec<AbuseContact>) {
    for entity in entities {
        let of_registrar = is_within_registrar || entity.has_role("registrar");
        let address = entity.mails.first().filter(|address| entity.has_role("abuse") && is_address(address));
        if let Some(address) = address.cloned() {
            let organisation = above.and_then(|above| above.name.clone()).or_else(|| entity.name.clone());
            found.push(AbuseContact { address, organisation, of_registrar });
        }
        search(&entity.entities, Some(entity), of_registrar, found);
    }
}

/// One plain address, that fits into a header and ends there.
pub fn is_address(text: &str) -> bool {
    let is_plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|octet| octet.is_ascii_graphic() && !b"()<>[]:;@\\,\"".contains(&octet))
    };
    let parts = text.split_once('@');
    text.len() <= MAIL_OCTETS_MAX
        && parts.is_some_and(|(user, host)| is_plain(user) && is_plain(host) && host.contains('.'))
}
