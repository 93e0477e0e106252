//! IANA's root database as a table: which top-level domains there are, of what kind, and who manages them.

use std::collections::HashMap;

use model::Digest;
use model::gate::TableSeen;

use crate::observed::{FileFault, Taken, lines};

/// What is shipped; its head says where it comes from and as of when.
const SHIPPED: &str = include_str!("../../tables/iana-root.tsv");
const SHIPPED_FILE: &str = "iana-root.tsv (shipped)";
const SHIPPED_AS_OF: &str = "2026-08-08";

/// IANA's own words for the kind of a top-level domain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TldKind {
    Generic,
    GenericRestricted,
    Sponsored,
    CountryCode,
    Infrastructure,
}

impl TldKind {
    const ALL: [Self; 5] =
        [Self::Generic, Self::GenericRestricted, Self::Sponsored, Self::CountryCode, Self::Infrastructure];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::GenericRestricted => "generic-restricted",
            Self::Sponsored => "sponsored",
            Self::CountryCode => "country-code",
            Self::Infrastructure => "infrastructure",
        }
    }
}

/// One delegated top-level domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tld {
    pub kind: TldKind,
    /// Of a country-code domain (ISO 3166-1 alpha-2).
    pub country: Option<String>,
    /// Whether its operator stands under a registry agreement with ICANN.
    pub has_contract: bool,
    pub manager: String,
}

/// The top-level domains of one day.
#[derive(Clone, Debug)]
pub struct Root {
    pub seen: TableSeen,
    tlds: HashMap<String, Tld>,
}

impl Root {
    pub fn shipped() -> Self {
        let date = Some(SHIPPED_AS_OF.parse().expect("the shipped table's day is one"));
        let seen = TableSeen { file: SHIPPED_FILE.into(), digest: Digest::of_bytes(SHIPPED.as_bytes()), date };
        Self::read(seen, SHIPPED).expect("the shipped table is whole")
    }

    /// TLD, kind, country, contract and manager, by TAB.
    pub fn read(seen: TableSeen, text: &str) -> Result<Self, FileFault> {
        let mut tlds = HashMap::new();
        for line in lines(&seen.file, text) {
            let (at, line) = line?;
            let fields: Vec<&str> = line.split('\t').collect();
            let unread =
                || FileFault::at(&seen.file, at, "not TLD, kind, country or `-`, `icann` or `-`, manager, by TAB");
            let [tld, kind, country, contract, manager] = fields[..] else { return Err(unread()) };
            let kind = TldKind::ALL.into_iter().find(|known| known.as_str() == kind).ok_or_else(unread)?;
            let country = Some(country).filter(|country| *country != "-").map(str::to_owned);
            let has_contract = contract == "icann";
            tlds.insert(tld.to_ascii_lowercase(), Tld { kind, country, has_contract, manager: manager.to_owned() });
        }
        if tlds.is_empty() {
            return Err(FileFault::whole(&seen.file, "names no top-level domain"));
        }
        Ok(Self { seen, tlds })
    }

    pub fn get(&self, tld: &str) -> Option<&Tld> {
        self.tlds.get(tld)
    }

    pub(super) fn taken(&self) -> Taken {
        Taken { records: self.tlds.len() as u64, passed_over: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_table_knows_the_root_of_its_day() {
        let root = Root::shipped();
        assert!(root.tlds.len() > 1_400, "{}", root.tlds.len());
        let of = |tld| root.get(tld).unwrap();
        assert_eq!((of("info").kind, of("info").has_contract), (TldKind::Generic, true));
        assert_eq!((of("ir").kind, of("ir").country.as_deref()), (TldKind::CountryCode, Some("IR")));
        assert_eq!(of("uk").country.as_deref(), Some("GB"));
        assert_eq!(of("xn--mgba3a4f16a").country.as_deref(), Some("IR"));
        assert!(!of("gov").has_contract && root.get("test").is_none() && root.get("onion").is_none());
        assert!(SHIPPED.contains(SHIPPED_AS_OF), "the head says the same day");
    }

    #[test]
    fn a_line_that_is_none_is_told() {
        let seen = TableSeen { file: "r.tsv".into(), digest: Digest([0; 32]), date: None };
        let fault = Root::read(seen, "com\tgeneric\t-\ticann\tSomebody\ncom generic\n").unwrap_err();
        assert_eq!(fault.line, Some(2));
    }
}
