//! Who exists: how many of which role, and where each lives in 127.0.0.0/8.
//!
//! | network | who |
//! |---|---|
//! | 127.10–127.29.0.0/16, third octet below 128 | infected machines |
//! | 127.10–127.29.0.0/16, third octet from 128 | people who follow a link |
//! | 127.53.0.0/16 | resolvers, their own and those of the machines and people |
//! | 127.66.0.0/16 | infected machines in the network that no report may name |
//! | 127.80.0.0/16 | scanners |
//! | 127.81.0.0/16 | senders of malformed traffic |
//! | 127.90.0.0/16 | crawlers |
//! | 127.91.0.0/16 | link previews |
//!
//! The tables of names and countries that the demo gives these networks belong to the demo, not to the callers.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::dice::Dice;
use crate::plan::SCALE_DEMO;

/// What somebody is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A machine that the group holds: it resolves and beacons.
    InfectedMachine,
    /// Somebody who followed a link, and types a password.
    Person,
    Crawler,
    LinkPreview,
    Scanner,
    Resolver,
    /// Sends what nobody should send.
    Malformed,
}

impl Role {
    pub const ALL: [Self; 7] = [
        Self::InfectedMachine,
        Self::Person,
        Self::Crawler,
        Self::LinkPreview,
        Self::Scanner,
        Self::Resolver,
        Self::Malformed,
    ];

    /// How many there are in the demo; 474 callers make about 4,300 contacts.
    fn demo_count(self) -> u64 {
        match self {
            Self::InfectedMachine => 240,
            Self::Person => 120,
            Self::Crawler => 12,
            Self::LinkPreview => 30,
            Self::Scanner => 16,
            Self::Resolver => 40,
            Self::Malformed => 16,
        }
    }
}

/// One caller.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Caller {
    /// Counts within the role, from 0.
    pub number: u64,
    pub role: Role,
    pub address: Ipv4Addr,
}

/// Everyone, in the order in which they call.
pub fn cast(seed: u64, scale: u32) -> Vec<Caller> {
    let mut all: Vec<Caller> = Role::ALL.into_iter().flat_map(|role| of_role(role, scale)).collect();
    Dice::new(seed, ORDER_STREAM).shuffle(&mut all);
    all
}

/// The stream of chance that decides the order; streams of callers are far below it.
const ORDER_STREAM: u64 = u64::MAX;
/// Consumer networks: 127.10 to 127.29.
const HOME_NETWORKS: u64 = 20;
const HOME_NETWORK_FIRST: u64 = 10;
/// Every tenth infected machine lives in the network that no report may name.
const WITHHELD_ONE_IN: u64 = 10;
/// Resolvers that machines and people share, per home network.
const SHARED_RESOLVERS: u64 = 3;

fn of_role(role: Role, scale: u32) -> impl Iterator<Item = Caller> {
    let count = (role.demo_count() * u64::from(scale)).div_ceil(u64::from(SCALE_DEMO));
    (0..count).map(move |number| Caller { number, role, address: home(role, number) })
}

fn home(role: Role, number: u64) -> Ipv4Addr {
    let at_home = |third| host(HOME_NETWORK_FIRST + number % HOME_NETWORKS, third, number / HOME_NETWORKS);
    match role {
        Role::InfectedMachine if number % WITHHELD_ONE_IN == 3 => host(66, 0, number / WITHHELD_ONE_IN),
        Role::InfectedMachine => at_home(0),
        Role::Person => at_home(128),
        Role::Crawler => host(90, 0, number),
        Role::LinkPreview => host(91, 0, number),
        Role::Scanner => host(80, 0, number),
        // Above the shared ones, which stand in 127.53.<network>.x.
        Role::Resolver => host(53, 128, number),
        Role::Malformed => host(81, 0, number),
    }
}

/// The n-th host of 127.<network>, from a third octet on; no host ends in 0 or 255.
fn host(network: u64, third: u64, n: u64) -> Ipv4Addr {
    let octet = |number: u64| u8::try_from(number).expect("SCALE_MAX keeps every role inside its network");
    Ipv4Addr::new(127, octet(network), octet(third + n / 250), octet(n % 250 + 1))
}

/// The resolver that a machine or person asks: one of a few in its network.
pub(crate) fn resolver_of(caller: &Caller) -> Ipv4Addr {
    let network = caller.address.octets()[1];
    host(53, u64::from(network), caller.number % SHARED_RESOLVERS)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::plan::SCALE_MAX;

    #[test]
    fn everyone_has_an_address_of_their_own_in_the_network_of_their_kind() {
        for scale in [1, SCALE_DEMO, SCALE_MAX] {
            let everyone = cast(7, scale);
            let addresses: HashSet<Ipv4Addr> = everyone.iter().map(|caller| caller.address).collect();
            assert_eq!(addresses.len(), everyone.len(), "scale {scale}");
            for caller in &everyone {
                let networks = match caller.role {
                    Role::InfectedMachine if caller.address.octets()[1] == 66 => 66..=66,
                    Role::InfectedMachine | Role::Person => 10..=29,
                    Role::Crawler => 90..=90,
                    Role::LinkPreview => 91..=91,
                    Role::Scanner => 80..=80,
                    Role::Resolver => 53..=53,
                    Role::Malformed => 81..=81,
                };
                assert!(networks.contains(&caller.address.octets()[1]), "{caller:?}");
            }
        }
    }

    #[test]
    fn the_smallest_population_has_one_of_each_and_the_demo_what_it_says() {
        let small: HashSet<Role> = cast(7, 1).iter().map(|caller| caller.role).collect();
        assert_eq!(small.len(), Role::ALL.len());
        let demo = cast(7, SCALE_DEMO);
        assert_eq!(demo.len(), 474);
        let withheld = demo.iter().filter(|caller| caller.address.octets()[1] == 66).count();
        assert_eq!(withheld, 24);
    }

    #[test]
    fn the_order_follows_the_seed() {
        assert_eq!(cast(7, 100), cast(7, 100));
        assert_ne!(cast(7, 100), cast(8, 100));
    }
}
