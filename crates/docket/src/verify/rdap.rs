//! RDAP: which server to ask for a name (RFC 9224), and what its answer says (RFC 9083).
//!
//! [`crate::rdap`] reads it; here is what a check needs of it. What a registry redacts (RFC 9537) is told apart from what it
//! does not have: redacted is not observable, and takes a person's word.

use std::collections::BTreeSet;

use model::{DomainName, Timestamp};
use serde::Deserialize;

use crate::rdap::{Entity, Object};

/// The largest bootstrap file; IANA's has some 100 kB.
pub const BOOTSTRAP_OCTETS_MAX: usize = 4 << 20;

//----------- Bootstrap --------------------------------------------------------------------------------------------

/// Who answers for which top-level domain.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Bootstrap {
    services: Vec<(Vec<String>, Vec<String>)>,
}

impl Bootstrap {
    pub fn read(octets: &[u8]) -> Result<Self, String> {
        if octets.len() > BOOTSTRAP_OCTETS_MAX {
            return Err(format!("it has more than {BOOTSTRAP_OCTETS_MAX} octets"));
        }
        serde_json::from_slice(octets).map_err(|error| format!("it is no RFC 9224 file: {error}"))
    }

    /// The base URL for a name: of the entry with the most labels, HTTPS before HTTP.
    pub fn server(&self, name: &DomainName) -> Option<&str> {
        let is_for = |entry: &str| DomainName::parse(entry).is_ok_and(|entry| name.is_at_or_below(&entry));
        let entries = self.services.iter().flat_map(|(entries, urls)| entries.iter().map(move |entry| (entry, urls)));
        let labels = |entry: &str| entry.split('.').count();
        let (_, urls) = entries.filter(|(entry, _)| is_for(entry)).max_by_key(|(entry, _)| labels(entry))?;
        let with = |scheme: &str| urls.iter().find(|url| url.starts_with(scheme)).map(String::as_str);
        with("https://").or_else(|| with("http://"))
    }
}

/// Where the answer about a name is.
pub fn url(base: &str, name: &DomainName) -> String {
    format!("{}/domain/{}", base.trim_end_matches('/'), name.as_str())
}

//----------- Registration -----------------------------------------------------------------------------------------

/// What an answer says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Registration {
    /// In lower case, with spaces, as RFC 8056 has them.
    pub statuses: BTreeSet<String>,
    pub registrar: Option<Registrar>,
    pub registered: Option<Timestamp>,
    pub expires: Option<Timestamp>,
    pub delegation_signed: Option<bool>,
    /// What the server says that it does not show.
    pub redacted: BTreeSet<String>,
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Registrar {
    pub name: Option<String>,
    /// The number at IANA.
    pub number: Option<String>,
}

impl Registrar {
    /// Whether it is the one that an order names, by number or by name.
    pub fn is(&self, ordered: &str) -> bool {
        let same = |known: &Option<String>| {
            known.as_deref().is_some_and(|known| known.trim().eq_ignore_ascii_case(ordered.trim()))
        };
        same(&self.name) || same(&self.number)
    }
}

impl std::fmt::Display for Registrar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.name.as_deref().unwrap_or("a registrar without a name");
        match &self.number {
            Some(number) => write!(f, "{name} (IANA {number})"),
            None => f.write_str(name),
        }
    }
}

impl Registration {
    /// Reads an answer about `name`.
    pub fn read(octets: &[u8], name: &DomainName) -> Result<Self, String> {
        let answer = Object::read(octets).map_err(|error| error.to_string())?;
        if !answer.is_domain() {
            return Err("the answer is about no domain (`objectClassName`)".into());
        }
        if answer.name.as_ref() != Some(name) {
            return Err("the answer is about another name (`ldhName`)".into());
        }
        Ok(Self {
            statuses: answer.statuses.iter().map(|word| status(word)).collect(),
            registrar: answer.entity("registrar").map(registrar),
            registered: answer.when("registration").max(),
            // Registry and registrar may each let it go: whoever is first ends it.
            expires: answer.when("expiration").chain(answer.when("registrar expiration")).min(),
            delegation_signed: answer.delegation_signed,
            redacted: answer.redacted.into_iter().collect(),
        })
    }

    /// Whether the server says that it hides something of that kind.
    pub fn redacts(&self, word: &str) -> bool {
        self.redacted.iter().any(|name| name.to_ascii_lowercase().contains(word))
    }
}

/// EPP's spelling (`clientHold`) and RDAP's (`client hold`) are one.
pub fn status(word: &str) -> String {
    let mut said = String::new();
    for one in word.chars() {
        if one.is_ascii_uppercase() && said.ends_with(|last: char| last.is_ascii_lowercase()) {
            said.push(' ');
        }
        said.push(one.to_ascii_lowercase());
    }
    said.trim().to_owned()
}

fn registrar(entity: &Entity) -> Registrar {
    let is_iana = |(kind, _): &&(String, String)| kind.eq_ignore_ascii_case("IANA Registrar ID");
    let number = entity.public_ids.iter().find(is_iana).map(|(_, number)| number.clone());
    Registrar { name: entity.name.clone(), number }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rdap::{ANSWER_OCTETS_MAX, LIST_MAX};
    use proptest::prelude::*;

    fn name() -> DomainName {
        DomainName::parse("seized.alfa").unwrap()
    }

    const ANSWER: &str = r#"{
        "objectClassName": "domain", "ldhName": "SEIZED.ALFA",
        "status": ["server transfer prohibited", "clientHold"],
        "entities": [
            {"roles": ["registrant"]},
            {"roles": ["registrar"], "publicIds": [{"type": "IANA Registrar ID", "identifier": "9999"}],
             "vcardArray": ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", "Keeper Inc."]]]}],
        "events": [{"eventAction": "expiration", "eventDate": "2030-01-01T00:00:00Z"},
                   {"eventAction": "registration", "eventDate": "2018-01-01T00:00:00Z"}],
        "secureDNS": {"delegationSigned": false},
        "redacted": [{"name": {"type": "Registrant Name"}, "method": "removal"}]}"#;

    #[test]
    fn an_answer_is_read_for_what_the_checks_need() {
        let found = Registration::read(ANSWER.as_bytes(), &name()).unwrap();
        assert!(found.statuses.contains("client hold") && found.statuses.contains("server transfer prohibited"));
        let registrar = found.registrar.as_ref().unwrap();
        assert!(registrar.is("9999") && registrar.is("keeper inc.") && !registrar.is("Other"));
        assert_eq!(found.expires, "2030-01-01T00:00:00Z".parse().ok());
        assert_eq!(found.delegation_signed, Some(false));
        assert!(found.redacts("registrant") && !found.redacts("registrar"));
    }

    #[test]
    fn the_first_end_of_a_registration_counts() {
        let ends = "{\"eventAction\": \"registrar expiration\", \"eventDate\": \"2027-01-01T00:00:00Z\"}, \
                    {\"eventAction\": \"expiration\"";
        let text = ANSWER.replace("{\"eventAction\": \"expiration\"", ends);
        let found = Registration::read(text.as_bytes(), &name()).unwrap();
        assert_eq!(found.expires, "2027-01-01T00:00:00Z".parse().ok());
    }

    #[test]
    fn an_answer_about_something_else_is_none() {
        let other = ANSWER.replace("SEIZED", "OTHER");
        assert!(Registration::read(other.as_bytes(), &name()).unwrap_err().contains("another name"));
        let entity = ANSWER.replace("\"domain\"", "\"entity\"");
        assert!(Registration::read(entity.as_bytes(), &name()).unwrap_err().contains("no domain"));
        let long = vec![b' '; ANSWER_OCTETS_MAX + 1];
        assert!(Registration::read(&long, &name()).unwrap_err().contains("octets"));
        let deep = "[".repeat(100_000);
        assert!(Registration::read(deep.as_bytes(), &name()).is_err(), "depth has an end");
    }

    #[test]
    fn many_statuses_are_cut() {
        let many: Vec<String> = (0..10_000).map(|at| format!("\"s{at}\"")).collect();
        let text = ANSWER.replace("\"clientHold\"", &many.join(","));
        assert!(Registration::read(text.as_bytes(), &name()).unwrap().statuses.len() <= LIST_MAX);
    }

    #[test]
    fn the_entry_with_the_most_labels_answers_and_https_comes_first() {
        let text = r#"{"version": "1.0", "services": [
            [["alfa"], ["http://rdap.alfa/", "https://rdap.alfa/"]], [["co.alfa"], ["https://co.alfa/"]]]}"#;
        let bootstrap = Bootstrap::read(text.as_bytes()).unwrap();
        let server = |text: &str| bootstrap.server(&DomainName::parse(text).unwrap());
        assert_eq!(server("seized.alfa"), Some("https://rdap.alfa/"));
        assert_eq!(server("seized.co.alfa"), Some("https://co.alfa/"));
        assert_eq!(server("seized.bravo"), None);
        assert_eq!(url("https://rdap.alfa/", &name()), "https://rdap.alfa/domain/seized.alfa");
        assert!(Bootstrap::read(b"[]").is_err());
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Registration::read(&octets, &name());
        }

        #[test]
        fn a_spoiled_answer_is_read_or_refused(at in 0_usize..900, with in any::<u8>()) {
            let mut octets = ANSWER.as_bytes().to_vec();
            let place = at % octets.len();
            octets[place] = with;
            let _ = Registration::read(&octets, &name());
        }
    }
}
