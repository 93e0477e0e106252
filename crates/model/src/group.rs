//! A threat group and what is said of it: every claim with its source, none merged away.

use serde::{Deserialize, Serialize};

use crate::address::Country;
use crate::id::GroupId;
use crate::order::Source;

/// A group as our cases key it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub id: GroupId,
    /// The name that the case uses.
    pub name: String,
    #[serde(default)]
    pub aliases: Vec<Alias>,
    /// The state that the group is attributed to, by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributed_to: Option<AttributedTo>,
}

/// One source says that the group is also called so.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    pub name: String,
    pub source: Source,
}

/// Attribution to a state: a claim, with its source.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributedTo {
    pub country: Country,
    pub source: Source,
}

/// The form in which two spellings of a group's name are the same: `APT 35`, `apt-35` and `APT35` are `apt35`.
pub fn normalise_alias(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Group {
    /// Whether any claim gives the group this name, however spelled.
    pub fn is_called(&self, name: &str) -> bool {
        let wanted = normalise_alias(name);
        let own = [self.id.as_str(), &self.name];
        own.into_iter()
            .chain(self.aliases.iter().map(|alias| alias.name.as_str()))
            .any(|alias| normalise_alias(alias) == wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alias_finds_the_same_group() {
        let alias = |name: &str| Alias { name: name.into(), source: Source::Unverified };
        let group = Group {
            id: GroupId::parse("apt35").unwrap(),
            name: "PHOSPHORUS".into(),
            aliases: vec![alias("Charming Kitten"), alias("Mint Sandstorm")],
            attributed_to: None,
        };
        for name in ["apt35", "APT 35", "phosphorus", "charming-kitten", "MINT SANDSTORM"] {
            assert!(group.is_called(name), "{name}");
        }
        assert!(!group.is_called("APT28"));
    }
}
