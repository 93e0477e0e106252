//! `[[policy_zone]]` and `[catalog]`: the zones that resolvers and fleets take over from us, and what each says.

use std::collections::BTreeSet;
use std::net::IpAddr;

use model::DomainName;
use model::address::Prefix;
use model::id::CaseId;
use model::marking::Audience;
use serde::{Deserialize, Serialize};
use share::{Block, ORIGIN_OCTETS_MAX};

use crate::failure::Failure;

/// The most policy zones, cases of one, networks of one, and addresses of one walled garden.
const ZONES_MAX: usize = 64;
const CASES_MAX: usize = 1_024;
const NETWORKS_MAX: usize = 10_000;
const GARDEN_MAX: usize = 16;
/// The shortest prefixes that can be blocked: one digit too few must not take a continent off the air.
const PREFIX_V4_MIN: u8 = 8;
const PREFIX_V6_MIN: u8 = 16;

/// A table as it is written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Draft {
    zone: DomainName,
    audience: Audience,
    #[serde(default)]
    block: Word,
    #[serde(default)]
    garden: Vec<IpAddr>,
    #[serde(default)]
    cases: BTreeSet<CaseId>,
    #[serde(default)]
    block_addresses: Vec<Prefix>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    #[default]
    Nxdomain,
    Nodata,
    Drop,
    TcpOnly,
    WalledGarden,
}

/// The catalog that drives a fleet (RFC 9432).
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Catalog {
    pub(crate) zone: Option<DomainName>,
}

/// A policy zone, and for whom it is.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PolicyZone {
    pub(crate) zone: DomainName,
    pub(crate) audience: Audience,
    pub(crate) block: Block,
    /// Only these; empty means every case that the audience may see.
    pub(crate) cases: BTreeSet<CaseId>,
    pub(crate) addresses: Vec<Prefix>,
}

/// What the tables mean: every origin once, and every zone clear.
pub(super) fn resolve(drafts: Vec<Draft>, catalog: &Catalog) -> Result<Vec<PolicyZone>, Failure> {
    if drafts.len() > ZONES_MAX {
        return Err(Failure::new(format!("`policy_zone` names {} zones; at most {ZONES_MAX}", drafts.len())));
    }
    let mut seen = BTreeSet::new();
    for zone in drafts.iter().map(|draft| &draft.zone).chain(&catalog.zone) {
        if zone.to_wire().len() > ORIGIN_OCTETS_MAX {
            let what = format!("the zone `{}` has a name of more than {ORIGIN_OCTETS_MAX} octets", zone.as_str());
            return Err(Failure::new(what).hint("long seized names have to fit below it; take a shorter one"));
        }
        if !seen.insert(zone.clone()) {
            return Err(Failure::new(format!("the zone `{}` is named twice", zone.as_str()))
                .hint("every policy zone and the catalog need a name of their own"));
        }
    }
    drafts.into_iter().map(Draft::resolve).collect()
}

impl Draft {
    fn resolve(self) -> Result<PolicyZone, Failure> {
        self.check()?;
        let garden = self.garden.iter().map(IpAddr::to_canonical).collect();
        let block = match self.block {
            Word::Nxdomain => Block::Nxdomain,
            Word::Nodata => Block::Nodata,
            Word::Drop => Block::Drop,
            Word::TcpOnly => Block::TcpOnly,
            Word::WalledGarden => Block::WalledGarden(garden),
        };
        let Self { zone, audience, cases, block_addresses: addresses, .. } = self;
        Ok(PolicyZone { zone, audience, block, cases, addresses })
    }

    fn check(&self) -> Result<(), Failure> {
        let refused = |why: String| Failure::new(format!("the policy zone `{}` {why}", self.zone.as_str()));
        match (self.block == Word::WalledGarden, self.garden.len()) {
            (true, 0) => {
                return Err(refused("has a walled garden without addresses".into())
                    .hint("such as garden = [\"192.0.2.80\", \"2001:db8::80\"]"));
            }
            (false, 1..) => {
                return Err(refused("has addresses of a garden and does not lead there".into())
                    .hint("block = \"walled-garden\", or no `garden`"));
            }
            (_, count) if count > GARDEN_MAX => {
                return Err(refused(format!("has {count} addresses of a garden; at most {GARDEN_MAX}")));
            }
            _ => {}
        }
        for (what, count, most) in
            [("cases", self.cases.len(), CASES_MAX), ("block_addresses", self.block_addresses.len(), NETWORKS_MAX)]
        {
            if count > most {
                return Err(refused(format!("has {count} `{what}`; at most {most}")));
            }
        }
        match self.block_addresses.iter().find(|network| is_too_wide(network)) {
            Some(network) => Err(refused(format!("blocks all of {network}"))
                .hint(format!("at least /{PREFIX_V4_MIN}, for IPv6 /{PREFIX_V6_MIN}"))),
            None => Ok(()),
        }
    }
}

fn is_too_wide(network: &Prefix) -> bool {
    network.len() < if network.base().is_ipv4() { PREFIX_V4_MIN } else { PREFIX_V6_MIN }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<PolicyZone>, String> {
        #[derive(Deserialize)]
        struct File {
            #[serde(default)]
            policy_zone: Vec<Draft>,
            #[serde(default)]
            catalog: Catalog,
        }
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        resolve(file.policy_zone, &file.catalog).map_err(|failure| format!("{failure:?}"))
    }

    #[test]
    fn a_zone_is_for_one_audience_and_says_nxdomain_unless_told_otherwise() {
        let zones = read(
            "[[policy_zone]]\nzone = \"RPZ.example.\"\naudience = \"partners\"\n\
             [[policy_zone]]\nzone = \"garden.example\"\naudience = \"network-owners\"\nblock = \"walled-garden\"\n\
             garden = [\"::ffff:192.0.2.80\"]\ncases = [\"c-1\"]\nblock_addresses = [\"203.0.113.0/24\"]",
        )
        .unwrap();
        assert_eq!((zones[0].zone.as_str(), &zones[0].block), ("rpz.example", &Block::Nxdomain));
        assert_eq!(zones[1].block, Block::WalledGarden(vec!["192.0.2.80".parse().unwrap()]));
        assert_eq!((zones[1].cases.len(), zones[1].addresses.len()), (1, 1));
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        let zone = |more: &str| format!("[[policy_zone]]\nzone = \"rpz.example\"\naudience = \"partners\"\n{more}");
        let label = "a".repeat(60);
        for (text, why) in [
            (zone(&zone("")), "named twice"),
            (zone("[catalog]\nzone = \"rpz.example\""), "named twice"),
            (zone("").replace("rpz.example", "rpz..example"), "`rpz..example`"),
            (zone("").replace("rpz.example", &label), "more than 56 octets"),
            (zone("").replace("partners", "friends"), "unknown variant"),
            ("[[policy_zone]]\nzone = \"rpz.example\"".into(), "missing field `audience`"),
            (zone("block = \"walled-garden\""), "without addresses"),
            (zone("garden = [\"192.0.2.80\"]"), "does not lead there"),
            (zone("block = \"cname\""), "unknown variant"),
            (zone("block_addresses = [\"192.0.2.1/24\"]"), "bits are set"),
            (zone("block_addresses = [\"0.0.0.0/0\"]"), "blocks all of 0.0.0.0/0"),
            (zone("target = \"x\""), "unknown field"),
        ] {
            let failure = read(&text).unwrap_err();
            assert!(failure.contains(why), "{text}: {failure}");
        }
        let many: String = (0..=ZONES_MAX).map(|n| zone("").replace("rpz", &format!("rpz{n}"))).collect();
        assert!(read(&many).unwrap_err().contains("at most 64"));
    }
}
