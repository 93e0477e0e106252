//! Who may see what: TLP 2.0, audiences, and the networks and countries that get no victim data.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::address::{Asn, Country, Prefix};

//----------- Tlp --------------------------------------------------------------------------------------------------

/// Traffic Light Protocol 2.0 (FIRST, August 2022), from the widest to the narrowest.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tlp {
    Clear,
    Green,
    Amber,
    AmberStrict,
    Red,
}

impl Tlp {
    /// The label as the standard writes it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Clear => "TLP:CLEAR",
            Self::Green => "TLP:GREEN",
            Self::Amber => "TLP:AMBER",
            Self::AmberStrict => "TLP:AMBER+STRICT",
            Self::Red => "TLP:RED",
        }
    }
}

//----------- Audience ---------------------------------------------------------------------------------------------

/// To whom something is shown. What an audience may see is decided in one place: `share::audience`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    /// Anybody.
    Public,
    /// Security vendors and defenders under an agreement: indicators, no victims.
    Partners,
    /// The owner of a network, about that network.
    NetworkOwners,
    /// The court and counsel.
    Court,
    /// Whoever works on the case.
    Internal,
}

//----------- Withheld ---------------------------------------------------------------------------------------------

/// Where a victim may be endangered by a report: nothing about callers there leaves the house.
///
/// The victims of a state's group include people who report on that state, and the network owner or the CERT may be
/// that state. At least the state that the group is attributed to stands here.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withheld {
    #[serde(default)]
    pub countries: BTreeSet<Country>,
    #[serde(default)]
    pub networks: BTreeSet<Prefix>,
    #[serde(default)]
    pub asns: BTreeSet<Asn>,
    /// Named recipients (organisations) that get no victim data, whatever the network.
    #[serde(default)]
    pub recipients: BTreeSet<String>,
}

impl Withheld {
    /// Whether data about a caller at `address` is withheld. What is not known of the address cannot widen the
    /// answer: an unknown country is not a withheld one, and a listed prefix holds without any table.
    pub fn covers(&self, address: IpAddr, asn: Option<Asn>, country: Option<Country>) -> bool {
        country.is_some_and(|country| self.countries.contains(&country))
            || asn.is_some_and(|asn| self.asns.contains(&asn))
            || self.networks.iter().any(|network| network.contains(address))
    }

    /// Everything that either withholds.
    pub fn union(mut self, other: &Self) -> Self {
        self.countries.extend(&other.countries);
        self.networks.extend(&other.networks);
        self.asns.extend(&other.asns);
        self.recipients.extend(other.recipients.iter().cloned());
        self
    }
}

//----------- Retention --------------------------------------------------------------------------------------------

/// How long what is kept. Days from receipt; the defaults are LOOP's: full addresses 90 days, bodies none.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// After this many days addresses are cut to /24 and /48.
    pub addresses_days: u32,
    /// After this many days raw heads and hellos are purged.
    pub raw_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { addresses_days: 90, raw_days: 90 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn withheld_by_network_by_asn_or_by_country() {
        let withheld = Withheld {
            countries: ["IR".parse().unwrap()].into(),
            networks: ["127.66.0.0/16".parse().unwrap()].into(),
            asns: [Asn(64511)].into(),
            recipients: BTreeSet::new(),
        };
        let elsewhere = "127.10.0.1".parse().unwrap();
        assert!(withheld.covers("127.66.0.9".parse().unwrap(), None, None));
        assert!(withheld.covers(elsewhere, None, "IR".parse().ok()));
        assert!(withheld.covers(elsewhere, Some(Asn(64511)), None));
        assert!(!withheld.covers(elsewhere, Some(Asn(64496)), "US".parse().ok()));
    }

    #[test]
    fn the_lights_are_ordered_from_wide_to_narrow() {
        assert!(Tlp::Clear < Tlp::Green && Tlp::Amber < Tlp::AmberStrict && Tlp::AmberStrict < Tlp::Red);
    }
}
