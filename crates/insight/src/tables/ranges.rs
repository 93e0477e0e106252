//! Networks from a text table, found by longest prefix.
//!
//! A map per table and one look-up per prefix length that occurs in it (a real table has about thirty). A trie would
//! be faster and is not needed: enrichment is off the hot path.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::address::Prefix;

use super::Origin;

#[derive(Default)]
pub(super) struct Ranges {
    networks: HashMap<Prefix, (u64, Origin)>,
    lens: BTreeSet<u8>,
}

impl Ranges {
    pub(super) fn find(&self, address: IpAddr) -> Option<(u8, Origin)> {
        self.lens.iter().rev().find_map(|len| {
            let prefix = Prefix::of(address, *len);
            let (_, origin) = self.networks.get(&prefix)?;
            Some((prefix.len(), origin.clone()))
        })
    }

    /// Adds a network; gives the line where it stands already.
    pub(super) fn add(&mut self, network: Prefix, line: u64, origin: Origin) -> Result<(), u64> {
        if let Some((earlier, _)) = self.networks.get(&network) {
            return Err(*earlier);
        }
        self.lens.insert(network.len());
        self.networks.insert(network, (line, origin));
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.networks.len()
    }
}

/// The fewest prefixes that are exactly the addresses from `first` to `last`: at most 62 for IPv4, 254 for IPv6.
/// `None` if they are of two families or in the wrong order.
pub(super) fn prefixes(first: IpAddr, last: IpAddr) -> Option<Vec<Prefix>> {
    match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            let to_address = |bits| u32::try_from(bits).map(|bits| Ipv4Addr::from_bits(bits).into()).ok();
            cut(first.to_bits().into(), last.to_bits().into(), 32, to_address)
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            cut(first.to_bits(), last.to_bits(), 128, |bits| Some(Ipv6Addr::from_bits(bits).into()))
        }
        _ => None,
    }
}

fn cut(first: u128, last: u128, width: u8, to_address: impl Fn(u128) -> Option<IpAddr>) -> Option<Vec<Prefix>> {
    if first > last {
        return None;
    }
    let (mut out, mut at) = (Vec::new(), first);
    loop {
        let mut free = at.trailing_zeros().min(u32::from(width));
        while span(free) > last - at {
            free -= 1;
        }
        out.push(Prefix::of(to_address(at)?, width - u8::try_from(free).expect("at most the width")));
        match at.checked_add(span(free)).and_then(|end| end.checked_add(1)) {
            Some(next) if next <= last => at = next,
            _ => return Some(out),
        }
    }
}

/// How far the last address of a network with that many free bits is from its first.
fn span(free: u32) -> u128 {
    1_u128.checked_shl(free).map_or(u128::MAX, |size| size - 1)
}
