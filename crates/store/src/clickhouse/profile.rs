//! What a ClickHouse can do: a closed list, since every difference shows in the statements.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which statements and settings are spoken.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// One server of today: MergeTree, which remembers tokens by itself.
    #[default]
    Single,
    /// Shards and replicas of today: ReplicatedMergeTree on each, a Distributed table over all.
    Cluster,
    /// The same on 18.16, which Debian carries: no DateTime64, codec, TTL or token; the same block is known by its rows.
    /// It keeps rows and answers no reports.
    Old,
}

impl Profile {
    pub const ALL: [Self; 3] = [Self::Single, Self::Cluster, Self::Old];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Cluster => "cluster",
            Self::Old => "old",
        }
    }

    /// Whether a table lies on several servers, with one over all of them.
    pub fn is_distributed(self) -> bool {
        self != Self::Single
    }

    /// Whether reports and questions can be asked of it.
    pub fn answers(self) -> bool {
        self != Self::Old
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no profile.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("there is no profile `{0}`; there are single, cluster and old")]
pub struct NoSuchProfile(String);

impl FromStr for Profile {
    type Err = NoSuchProfile;

    fn from_str(text: &str) -> Result<Self, NoSuchProfile> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == text).ok_or_else(|| NoSuchProfile(text.to_owned()))
    }
}
