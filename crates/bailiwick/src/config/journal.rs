//! `[journal]`: what evidence may take of the disk and of memory.
//!
//! When the budget is at its end records are shed in an order that `docs/concepts/floods.md` explains; names are answered
//! all the same.

use serde::{Deserialize, Serialize};
use store::JournalLimits;

use crate::failure::Failure;

/// The table as it is written and as it is used.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Journal {
    /// 0 is four fifths of the disk.
    disk_budget_mib: u64,
    reserve_mib: u64,
    unsynced_mib: u64,
}

impl Default for Journal {
    fn default() -> Self {
        let limits = JournalLimits::default();
        Self {
            disk_budget_mib: 0,
            reserve_mib: limits.reserve_octets >> 20,
            unsynced_mib: limits.unsynced_octets as u64 >> 20,
        }
    }
}

impl Journal {
    pub(crate) fn limits(&self) -> JournalLimits {
        JournalLimits {
            disk_budget: self.disk_budget(),
            reserve_octets: self.reserve_mib << 20,
            unsynced_octets: (self.unsynced_mib as usize) << 20,
            ..JournalLimits::default()
        }
    }

    /// In octets; `None` is four fifths of the disk.
    pub(crate) fn disk_budget(&self) -> Option<u64> {
        (self.disk_budget_mib > 0).then_some(self.disk_budget_mib << 20)
    }

    pub(super) fn check(&self) -> Result<(), Failure> {
        for (key, given, most) in [
            ("disk_budget_mib", self.disk_budget_mib, 1 << 30),
            ("reserve_mib", self.reserve_mib, 1_024),
            ("unsynced_mib", self.unsynced_mib, 256),
        ] {
            if given > most {
                return Err(Failure::new(format!("`journal.{key}` is {given}"))
                    .hint(format!("give at most {most}; `bailiwick config example` shows the defaults")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_said_is_a_share_of_the_disk_and_everything_has_an_end() {
        assert_eq!(Journal::default().limits(), JournalLimits::default());
        let some: Journal = toml::from_str("disk_budget_mib = 3\nreserve_mib = 1\nunsynced_mib = 2").unwrap();
        let limits = some.limits();
        assert_eq!(
            (limits.disk_budget, limits.reserve_octets, limits.unsynced_octets),
            (Some(3 << 20), 1 << 20, 2 << 20)
        );
        for bad in ["disk_budget_mib = 2000000000", "reserve_mib = 2000", "unsynced_mib = 257"] {
            assert!(toml::from_str::<Journal>(bad).unwrap().check().is_err(), "{bad}");
        }
        assert!(toml::from_str::<Journal>("disk_budget = 3").is_err(), "an unknown key");
    }
}
