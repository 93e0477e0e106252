//! `[archive]`: how small files become long ones, and how much of the machine that may take.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use store::CompactLimits;

use crate::failure::Failure;

/// Compaction, while the daemon runs.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Archive {
    /// Whether this process compacts by itself.
    pub(crate) compact: bool,
    /// How much of one core that may take.
    pub(crate) compact_core_percent: u32,
    files_at_once: usize,
    file_mb_max: u64,
    sources_held_max: usize,
    settle_secs: u64,
}

impl Default for Archive {
    fn default() -> Self {
        let limits = CompactLimits::default();
        Self {
            compact: true,
            compact_core_percent: 25,
            files_at_once: limits.files_at_once,
            file_mb_max: limits.file_bytes_max >> 20,
            sources_held_max: limits.sources_held_max,
            settle_secs: limits.settle.as_secs(),
        }
    }
}

impl Archive {
    pub(crate) fn limits(&self) -> CompactLimits {
        CompactLimits {
            files_at_once: self.files_at_once,
            file_bytes_max: self.file_mb_max << 20,
            sources_held_max: self.sources_held_max,
            settle: Duration::from_secs(self.settle_secs),
        }
    }

    pub(super) fn check(&self) -> Result<(), Failure> {
        for (key, given, least, most) in [
            ("compact_core_percent", u64::from(self.compact_core_percent), 1, 100),
            ("files_at_once", self.files_at_once as u64, 2, 256),
            ("file_mb_max", self.file_mb_max, 1, 4096),
            ("sources_held_max", self.sources_held_max as u64, 1_000, 100_000_000),
            ("settle_secs", self.settle_secs, 0, 7 * 24 * 60 * 60),
        ] {
            if !(least..=most).contains(&given) {
                return Err(Failure::new(format!("`archive.{key}` is {given}")).hint(format!("give {least} to {most}")));
            }
        }
        Ok(())
    }
}
