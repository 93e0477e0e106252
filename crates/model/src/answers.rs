//! What names are answered with in DNS: addresses of our traps, and for how long they are believed.
//!
//! A case or an order may say its own; without one the operator's configuration speaks. It is part of what two people
//! approve. What is deliberately absent: everything but addresses. Mail and certificate posture follow from the acts,
//! and servers from the order.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// The most addresses of each family: sixteen AAAA are 448 octets, which fit every EDNS answer.
pub const ADDRESSES_MAX: usize = 16;
/// The longest that an answer may be believed: a name that is handed back must be free within a day.
pub const TTL_SECS_MAX: u32 = 86_400;

/// The addresses that names resolve to.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerSet {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub v4: Vec<Ipv4Addr>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub v6: Vec<Ipv6Addr>,
    /// The operator's if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_secs: Option<u32>,
}

impl AnswerSet {
    /// The IPv4 addresses first, each family in the order in which it was written.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.v4.iter().copied().map(IpAddr::V4).chain(self.v6.iter().copied().map(IpAddr::V6))
    }

    /// Whether nobody beyond this machine is ever led anywhere: all that an exercise may say.
    pub fn is_loopback_only(&self) -> bool {
        self.addresses().all(|address| address.to_canonical().is_loopback())
    }

    /// Why the set cannot be served, in words; `None` if it can.
    pub fn fault(&self) -> Option<String> {
        let count = self.v4.len().max(self.v6.len());
        if count == 0 {
            return Some("it names no address".to_owned());
        }
        if count > ADDRESSES_MAX {
            return Some(format!("{count} addresses of one family are more than {ADDRESSES_MAX}"));
        }
        if let Some(bad) = self.addresses().find(|address| address.is_unspecified() || address.is_multicast()) {
            return Some(format!("{bad} is no address that a caller could reach"));
        }
        match self.ttl_secs {
            Some(0) => Some("a ttl of 0 makes every resolver ask again for every caller".to_owned()),
            Some(ttl_secs) if ttl_secs > TTL_SECS_MAX => {
                Some(format!("a ttl of {ttl_secs} s is more than {TTL_SECS_MAX} s"))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(v4: usize, v6: usize, ttl_secs: Option<u32>) -> AnswerSet {
        AnswerSet { v4: vec![Ipv4Addr::LOCALHOST; v4], v6: vec![Ipv6Addr::LOCALHOST; v6], ttl_secs }
    }

    #[test]
    fn a_set_has_addresses_and_not_too_many_and_is_believed_for_at_most_a_day() {
        for (v4, v6, ttl_secs, is_good) in [
            (1, 0, None, true),
            (0, 1, Some(1), true),
            (ADDRESSES_MAX, ADDRESSES_MAX, Some(TTL_SECS_MAX), true),
            (0, 0, Some(60), false),
            (ADDRESSES_MAX + 1, 0, None, false),
            (0, ADDRESSES_MAX + 1, None, false),
            (1, 0, Some(0), false),
            (1, 0, Some(TTL_SECS_MAX + 1), false),
        ] {
            assert_eq!(set(v4, v6, ttl_secs).fault().is_none(), is_good, "{v4} {v6} {ttl_secs:?}");
        }
        let nowhere = AnswerSet { v4: vec![Ipv4Addr::UNSPECIFIED], ..AnswerSet::default() };
        assert!(nowhere.fault().unwrap().contains("0.0.0.0"));
    }

    #[test]
    fn loopback_is_loopback_in_either_family_and_nothing_else_is() {
        assert!(set(2, 2, None).is_loopback_only());
        for beyond in ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"] {
            let mut set = set(1, 1, None);
            match beyond.parse().unwrap() {
                IpAddr::V4(address) => set.v4.push(address),
                IpAddr::V6(address) => set.v6.push(address),
            }
            assert!(!set.is_loopback_only(), "{beyond}");
        }
    }
}
