//! `[gate]`: where the tables of the harm gate lie.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Gate {
    /// A folder with `gate.toml`; `None`: only what is shipped is looked into.
    pub(crate) tables: Option<PathBuf>,
}

impl Gate {
    /// Relative paths begin at the configuration's folder.
    pub(super) fn resolve(self, base: &Path) -> Self {
        Self { tables: self.tables.map(|folder| base.join(folder)) }
    }
}
