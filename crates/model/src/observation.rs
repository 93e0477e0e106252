//! What was seen of one name at one moment: at the servers of its parent zone, at its own servers, at the registry.
//!
//! Whoever looked writes one [`Observation`] per name and pass; custody compares it with the one before and with what is
//! ordered. Absence is said, never implied: a server that did not answer is [`Heard::Silent`], a part that nobody looked
//! at is `None`. As JSON Lines it is the file that `custody take` reads; unknown fields are refused.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::name::DomainName;
use crate::time::Timestamp;

/// The most entries of any list in an observation: more is no answer of a registry, and is refused where it comes in.
pub const ENTRIES_MAX: usize = 512;
/// The longest text in an observation.
pub const TEXT_OCTETS_MAX: usize = 1_024;

//----------- Observation ------------------------------------------------------------------------------------------

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    pub name: DomainName,
    pub at: Timestamp,
    /// What each server of the parent zone said, one entry for each server and address that was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<ParentAnswer>,
    /// What the name's own servers say of it; `None`: they were not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child: Option<ChildAnswer>,
    /// What the registry says (RDAP); `None`: it was not asked, or did not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<Registration>,
    /// Addresses that the name resolves to, as independent resolvers see it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub addresses: BTreeSet<IpAddr>,
    /// Some resolver was not heard, so that its addresses are missing above.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub addresses_in_part: bool,
}

/// One server of the parent zone.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParentAnswer {
    /// The server's name, as the parent's NS set has it.
    pub server: DomainName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    pub heard: Heard,
    /// The delegation: the targets of NS.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ns: BTreeSet<DomainName>,
    /// Addresses that came with it, by server.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub glue: BTreeMap<DomainName, BTreeSet<IpAddr>>,
    /// DS records in presentation form: `12345 13 2 0A1B…`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ds: BTreeSet<String>,
}

/// What a parent's server answered.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Heard {
    /// A delegation.
    Delegated,
    /// The name is not in the zone, or has no delegation.
    Absent,
    /// Nothing in time.
    Silent,
    /// An answer that is none: refused, SERVFAIL, nonsense.
    Broken,
}

/// The name's own servers.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChildAnswer {
    pub heard: Heard,
    /// NS at the apex, as the zone itself has them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ns: BTreeSet<DomainName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u32>,
}

/// What the registry says of a registration.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// Whether the registry knows the name at all.
    pub registered: bool,
    /// The sponsoring registrar: its IANA number where it is told, else its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registrar: Option<String>,
    /// Statuses as RDAP writes them, lower case: `client hold`, `server transfer prohibited`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub statuses: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

impl Observation {
    /// Says what is beyond a limit, if anything is: whoever takes one from outside asks first.
    pub fn beyond_limits(&self) -> Option<&'static str> {
        let long = |text: &str| text.len() > TEXT_OCTETS_MAX;
        let parent = |parent: &ParentAnswer| {
            parent.ns.len() > ENTRIES_MAX
                || parent.glue.len() > ENTRIES_MAX
                || parent.glue.values().any(|addresses| addresses.len() > ENTRIES_MAX)
                || parent.ds.len() > ENTRIES_MAX
                || parent.ds.iter().any(|ds| long(ds))
        };
        let registration = self.registration.iter().any(|seen| {
            seen.statuses.len() > ENTRIES_MAX || seen.statuses.iter().chain(&seen.registrar).any(|text| long(text))
        });
        if self.parents.len() > ENTRIES_MAX || self.parents.iter().any(parent) {
            Some("parents")
        } else if self.child.iter().any(|child| child.ns.len() > ENTRIES_MAX) {
            Some("child")
        } else if self.addresses.len() > ENTRIES_MAX {
            Some("addresses")
        } else {
            registration.then_some("registration")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_looked_at_leaves_no_bytes_and_more_than_a_registry_says_is_told() {
        let line = r#"{"name":"a.example","at":"2026-11-28T09:00:00Z"}"#;
        let mut seen: Observation = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&seen).unwrap(), line);
        assert_eq!(seen.beyond_limits(), None);
        let registrar = Some("x".repeat(TEXT_OCTETS_MAX + 1));
        let statuses = BTreeSet::new();
        seen.registration = Some(Registration { registered: true, registrar, statuses, created: None, expires: None });
        assert_eq!(seen.beyond_limits(), Some("registration"));
        let unknown = r#"{"name":"a.example","at":"2026-11-28T09:00:00Z","ttl":3}"#;
        assert!(serde_json::from_str::<Observation>(unknown).is_err());
    }
}
