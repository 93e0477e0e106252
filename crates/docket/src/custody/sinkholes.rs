//! Other people's sinkholes, as the operator lists them: name servers, addresses and networks, each with whose it is.
//!
//! The list is a table of the gate without a head ([`crate::gate`]), so that one file serves both. A name stands for itself
//! and all below it. A line that says none of these is refused: here nobody would see that it was passed over.

use std::net::IpAddr;

use model::Refusal;
use model::name::DomainName;

use crate::gate::{Hit, NameTable, TableKind};

/// The most lines.
pub const SINKHOLES_MAX: u64 = 100_000;
const FILE: &str = "the list of sinkholes";

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sinkholes(Option<NameTable>);

impl Sinkholes {
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let refused = |why: String| {
            Refusal::new(why).hint("write a name server, an address or a network, a comma, and whose it is")
        };
        let table = NameTable::listed(TableKind::Sinkholes, FILE, text).map_err(|fault| refused(fault.to_string()))?;
        if table.taken.records > SINKHOLES_MAX {
            return Err(refused(format!("{FILE} has more than {SINKHOLES_MAX} lines")));
        }
        if let Some(line) = table.unread {
            return Err(refused(format!("{FILE}:{line}: this is no name server, address or network")));
        }
        Ok(Self(Some(table)))
    }

    /// Whether anybody gave a list: without one nothing is known of sinkholes.
    pub fn are_listed(&self) -> bool {
        self.0.is_some()
    }

    pub fn of_server(&self, server: &DomainName) -> Option<&str> {
        self.0.as_ref()?.at_or_above(server).map(whose)
    }

    pub fn of_address(&self, address: IpAddr) -> Option<&str> {
        self.0.as_ref()?.of_address(address).map(whose)
    }
}

fn whose(hit: Hit<'_>) -> &str {
    if hit.note.is_empty() { "somebody" } else { hit.note }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_or_an_address_is_somebodys() {
        let text = "# ours are not here\nsinkhole.example, Example CERT\n192.0.2.0/24,Net CERT\n2001:db8::1\n";
        let all = Sinkholes::parse(text).unwrap();
        let name = |text| DomainName::parse(text).unwrap();
        assert_eq!(all.of_server(&name("ns1.sinkhole.example")), Some("Example CERT"));
        assert_eq!(all.of_server(&name("notsinkhole.example")), None);
        assert_eq!(all.of_address("192.0.2.77".parse().unwrap()), Some("Net CERT"));
        assert_eq!(all.of_address("2001:db8::1".parse().unwrap()), Some("somebody"));
        assert_eq!(all.of_address("198.51.100.1".parse().unwrap()), None);
        for bad in ["192.0.2.0/33,x", "-a.example,x", "a..b,x", "sinkhole.example  Example CERT"] {
            let refused = Sinkholes::parse(bad).unwrap_err();
            assert!(refused.what.starts_with("the list of sinkholes:1: "), "{bad}: {}", refused.what);
        }
    }
}
