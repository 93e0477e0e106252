//! Identifiers that are the same in every run.
//!
//! A domain-name's is UUIDv5 over its value in canonical JSON, in the namespace that STIX 2.1 (section 2.9) keeps for
//! observables: whoever else names the domain has the same id. Our own objects' ids are UUIDv5 in a namespace of ours,
//! with one difference: section 2.9 asks for version 4 on everything but observables, and strict validators insist.
//! So the version digit says 4, and the other 122 bits are as good as random to whoever does not know the key.

use model::DomainName;
use model::digest::canonical_json;
use serde_json::json;
use uuid::{Builder, Uuid, Version, uuid};

/// Given by STIX 2.1, section 2.9.
const OBSERVABLES: Uuid = uuid!("00abedb4-aa42-466c-9c01-fed23315a9b7");
/// Ours: UUIDv5 of `bailiwick.invalid` among DNS names.
const OURS: Uuid = uuid!("9e1db7bf-62d1-55fc-98dc-c7f70d37e168");

pub(super) fn domain_name(name: &DomainName) -> String {
    let contributing = canonical_json(&json!({ "value": name.as_str() }));
    format!("domain-name--{}", Uuid::new_v5(&OBSERVABLES, &contributing))
}

/// The id of an object of ours of that kind; the same key gives the same id.
pub(super) fn of(kind: &str, key: &[&str]) -> String {
    let hashed = Uuid::new_v5(&OURS, &canonical_json(&(kind, key)));
    let id = Builder::from_bytes(hashed.into_bytes()).with_version(Version::Random).into_uuid();
    format!("{kind}--{id}")
}

/// The identity that makes our bundles.
pub(super) fn us() -> String {
    of("identity", &["bailiwick"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_name_has_the_id_that_others_give_it() {
        let name = DomainName::parse("outlook-verify.net").unwrap();
        assert_eq!(domain_name(&name), "domain-name--87f9d32b-f2d1-54a0-9d4b-59b3e1c4f59e");
    }

    #[test]
    fn our_ids_are_stable_and_of_the_version_that_strict_validators_want() {
        assert_eq!(OURS, Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"bailiwick.invalid"));
        let id = of("indicator", &["a", "b"]);
        assert_eq!(id, of("indicator", &["a", "b"]));
        assert_ne!(id, of("indicator", &["ab", ""]));
        assert_eq!(id.split_once("--").unwrap().1.as_bytes()[14], b'4');
    }
}
