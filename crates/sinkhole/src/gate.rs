//! Who may come in: connections counted in total and per prefix.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use foldhash::quality::RandomState;
use model::address::Prefix;

/// Whose connections are counted together: an IPv4 /24, an IPv6 /56, which is what one household or small site gets.
const PREFIX_V4: u8 = 24;
const PREFIX_V6: u8 = 56;

pub(crate) struct Gate {
    total_max: usize,
    per_prefix_max: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    total: usize,
    by_prefix: HashMap<Prefix, usize, RandomState>,
}

impl Gate {
    pub(crate) fn new(total_max: usize, per_prefix_max: usize) -> Arc<Self> {
        Arc::new(Self { total_max, per_prefix_max, open: Mutex::default() })
    }

    /// Lets one connection in, or not. It counts as open until the pass is dropped.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Pass> {
        let prefix = prefix_of(address);
        let mut open = self.open.lock().expect("nothing panics while it counts");
        if open.total >= self.total_max || open.by_prefix.get(&prefix).is_some_and(|n| *n >= self.per_prefix_max) {
            return None;
        }
        open.total += 1;
        *open.by_prefix.entry(prefix).or_default() += 1;
        Some(Pass { gate: Arc::clone(self), prefix: Some(prefix) })
    }

    /// Lets a balancer's connection in: it counts among all, and among a prefix's once the balancer has said whose it is.
    pub(crate) fn enter_for_another(self: &Arc<Self>) -> Option<Pass> {
        let mut open = self.open.lock().expect("nothing panics while it counts");
        (open.total < self.total_max).then(|| {
            open.total += 1;
            Pass { gate: Arc::clone(self), prefix: None }
        })
    }

    fn leave(&self, prefix: Option<Prefix>) {
        let mut open = self.open.lock().expect("nothing panics while it counts");
        open.total -= 1;
        if let Some((prefix, count)) = prefix.and_then(|prefix| Some((prefix, open.by_prefix.get_mut(&prefix)?))) {
            *count -= 1;
            if *count == 0 {
                open.by_prefix.remove(&prefix);
            }
        }
    }
}

fn prefix_of(address: IpAddr) -> Prefix {
    let address = address.to_canonical();
    Prefix::of(address, if address.is_ipv4() { PREFIX_V4 } else { PREFIX_V6 })
}

/// One open connection.
pub(crate) struct Pass {
    gate: Arc<Gate>,
    prefix: Option<Prefix>,
}

impl Pass {
    /// A balancer has said who called. Whether its prefix has room for one more.
    pub(crate) fn is_for(&mut self, address: IpAddr) -> bool {
        let prefix = prefix_of(address);
        let mut open = self.gate.open.lock().expect("nothing panics while it counts");
        let count = open.by_prefix.entry(prefix).or_default();
        if self.prefix.is_none() && *count < self.gate.per_prefix_max {
            *count += 1;
            self.prefix = Some(prefix);
        }
        self.prefix.is_some()
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.gate.leave(self.prefix);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_limits_hold_and_passes_come_back() {
        let gate = Gate::new(3, 2);
        let at = |text: &str| gate.enter(text.parse().unwrap());
        let (first, _second) = (at("192.0.2.1"), at("::ffff:192.0.2.9"));
        assert!(at("192.0.2.200").is_none(), "the prefix is full");
        let third = at("2001:db8::1");
        assert!(third.is_some());
        assert!(at("198.51.100.1").is_none(), "all are taken");
        drop(first);
        assert!(at("192.0.2.200").is_some());
        drop(third);
        assert_eq!(gate.open.lock().unwrap().by_prefix.len(), 1, "nobody is remembered who has left");
    }
}
