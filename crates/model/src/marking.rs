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
    /// After this many days what followed a contact, and what was made of it, is purged; `None`: with the contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdicts_days: Option<u32>,
    /// After this many days contacts are purged whole, with all that belongs to them; `None`: what is left of them after
    /// the others stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contacts_days: Option<u32>,
    /// After this many days sealed account names are purged; `None`: with the addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts_days: Option<u32>,
    /// So many days after a name was handed back all that was recorded of it is purged; `None`: as everything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned_days: Option<u32>,
}

impl Default for Retention {
    fn default() -> Self {
        let (verdicts_days, contacts_days, accounts_days, returned_days) = (None, None, None, None);
        Self { addresses_days: 90, raw_days: 90, verdicts_days, contacts_days, accounts_days, returned_days }
    }
}

impl Retention {
    /// What holds for a case: its own days, no more than the operator's defaults unless its order covers keeping longer, and
    /// nothing that holds addresses longer than addresses are kept.
    pub fn effective(&self, defaults: &Self, may_keep_longer: bool) -> Self {
        let days = |own: u32, default: u32| if may_keep_longer { own } else { own.min(default) };
        let some = |own: Option<u32>, default: Option<u32>| match (own, default) {
            (Some(own), Some(default)) => Some(days(own, default)),
            (Some(own), None) => Some(own),
            (None, default) => default,
        };
        let addresses_days = days(self.addresses_days, defaults.addresses_days);
        let contacts_days = some(self.contacts_days, defaults.contacts_days);
        let whole = contacts_days.unwrap_or(u32::MAX);
        Self {
            addresses_days: addresses_days.min(whole),
            // Heads and questions hold addresses, too.
            raw_days: days(self.raw_days, defaults.raw_days).min(addresses_days).min(whole),
            verdicts_days: some(self.verdicts_days, defaults.verdicts_days).map(|own| own.min(whole)),
            contacts_days,
            accounts_days: some(self.accounts_days, defaults.accounts_days).map(|own| own.min(whole)),
            returned_days: some(self.returned_days, defaults.returned_days),
        }
    }

    /// The journal holds all of a contact, account names among it: it goes with the first part that goes.
    pub fn journal_days(&self) -> u32 {
        let others = [self.verdicts_days, self.contacts_days, self.accounts_days];
        others.into_iter().flatten().fold(self.addresses_days.min(self.raw_days), u32::min)
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
    fn a_case_keeps_no_longer_than_the_operator_unless_its_order_says_so() {
        let defaults = Retention { contacts_days: Some(400), ..Retention::default() };
        let long = Retention { addresses_days: 365, raw_days: 400, contacts_days: Some(3650), ..Retention::default() };
        let kept = long.effective(&defaults, false);
        assert_eq!((kept.addresses_days, kept.raw_days, kept.contacts_days), (90, 90, Some(400)));
        let kept = long.effective(&defaults, true);
        assert_eq!((kept.addresses_days, kept.raw_days, kept.contacts_days), (365, 365, Some(3650)));
        let short = Retention { contacts_days: Some(7), accounts_days: Some(30), ..Retention::default() };
        let kept = short.effective(&defaults, true);
        assert_eq!((kept.addresses_days, kept.raw_days, kept.accounts_days, kept.journal_days()), (7, 7, Some(7), 7));
        assert_eq!(serde_json::to_string(&Retention::default()).unwrap(), r#"{"addresses_days":90,"raw_days":90}"#);
    }

    #[test]
    fn the_lights_are_ordered_from_wide_to_narrow() {
        assert!(Tlp::Clear < Tlp::Green && Tlp::Amber < Tlp::AmberStrict && Tlp::AmberStrict < Tlp::Red);
    }
}
