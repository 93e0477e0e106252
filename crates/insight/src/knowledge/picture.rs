//! All that is said of a group, laid side by side.
//!
//! A source's group is part of the picture if it shares a name with the *case's own* claims. There is no second step:
//! following aliases from source to source would make one group of half of a galaxy. Groups that a source merely calls
//! similar stand beside the picture, as [`Near`].

use std::collections::{BTreeMap, BTreeSet};

use model::group::{Group, normalise_alias};
use model::id::GroupId;
use serde::Serialize;

use super::conflicts::{self, Conflict};
use super::text::clean;
use super::{ClaimedGroup, Claims, Software, Technique};

/// The group as everybody sees it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct GroupPicture {
    pub id: GroupId,
    /// The name that the case uses.
    pub name: String,
    pub aliases: Vec<AliasPicture>,
    pub attributed_to: Vec<CountryClaim>,
    /// The groups of sources that make up this picture.
    pub known_as: Vec<KnownGroup>,
    pub conflicts: Vec<Conflict>,
    pub techniques: Vec<Technique>,
    pub software: Vec<Software>,
    /// Groups that sources call similar to one of the picture's, and keep apart.
    pub near: Vec<Near>,
    pub notices: Vec<String>,
}

/// A name with everybody who gives it to the group.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct AliasPicture {
    pub name: String,
    pub claims: Vec<AliasClaim>,
}

/// One source's claim that a group of its own has the name.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct AliasClaim {
    pub source: String,
    /// The source's group; `None` for the case file, which speaks of this one.
    pub group: Option<String>,
    pub cites: Vec<String>,
}

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct CountryClaim {
    pub country: String,
    pub source: String,
    pub group: Option<String>,
    pub confidence: Option<String>,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct KnownGroup {
    pub source: String,
    pub name: String,
    pub number: Option<String>,
    pub uuid: String,
}

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Near {
    pub source: String,
    pub name: String,
    /// The group of the picture that it is said to be similar to.
    pub similar_to: String,
}

impl GroupPicture {
    /// Lays the case's own claims and all imported files beside each other.
    pub fn merge(group: &Group, files: &[Claims]) -> Self {
        let members: Vec<&ClaimedGroup> = all(files).filter(|claimed| shares_a_name(group, claimed)).collect();
        let aliases = aliases(group, &members);
        let attributed_to = countries(group, &members);
        let known_as = members.iter().map(|claimed| known(claimed)).collect();
        let conflicts = conflicts::find(&aliases, &members, files, &attributed_to);
        let techniques = members.iter().flat_map(|claimed| claimed.techniques.clone());
        let software = members.iter().flat_map(|claimed| claimed.software.clone());
        let used = files.iter().filter(|claims| claims.groups.iter().any(|claimed| shares_a_name(group, claimed)));
        Self {
            id: group.id.clone(),
            name: group.name.clone(),
            aliases,
            attributed_to,
            known_as,
            conflicts,
            techniques: sorted(techniques),
            software: sorted(software),
            near: near(&members, files),
            notices: sorted(used.flat_map(|claims| claims.notices.clone())),
        }
    }

    /// Whether anybody gives the group this name, however spelled.
    pub fn is_called(&self, name: &str) -> bool {
        let wanted = normalise_alias(name);
        let own =
            [self.id.as_str(), &self.name].into_iter().chain(self.aliases.iter().map(|alias| alias.name.as_str()));
        own.into_iter().any(|alias| normalise_alias(alias) == wanted)
    }
}

pub(super) fn all(files: &[Claims]) -> impl Iterator<Item = &ClaimedGroup> {
    files.iter().flat_map(|claims| &claims.groups)
}

fn shares_a_name(group: &Group, claimed: &ClaimedGroup) -> bool {
    let aliases = claimed.aliases.iter().map(|alias| alias.name.as_str());
    aliases.chain(claimed.number.as_deref()).any(|name| group.is_called(name))
}

pub(super) fn is_member(members: &[&ClaimedGroup], claimed: &ClaimedGroup) -> bool {
    members.iter().any(|member| std::ptr::eq(*member, claimed))
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    items.collect::<BTreeSet<T>>().into_iter().collect()
}

fn known(claimed: &ClaimedGroup) -> KnownGroup {
    let ClaimedGroup { source, name, number, uuid, .. } = claimed.clone();
    KnownGroup { source, name, number, uuid }
}

/// `G0059 Magic Hound`, or the name alone.
pub(super) fn title(claimed: &ClaimedGroup) -> String {
    match &claimed.number {
        Some(number) => format!("{number} {}", claimed.name),
        None => claimed.name.clone(),
    }
}

fn aliases(group: &Group, members: &[&ClaimedGroup]) -> Vec<AliasPicture> {
    let mut found: BTreeMap<String, AliasPicture> = BTreeMap::new();
    let mut add = |name: &str, claim: AliasClaim| {
        let empty = || AliasPicture { name: name.to_owned(), claims: Vec::new() };
        found.entry(normalise_alias(name)).or_insert_with(empty).claims.push(claim);
    };
    for alias in &group.aliases {
        add(&alias.name, AliasClaim { source: clean(&alias.source.to_string()), group: None, cites: Vec::new() });
    }
    for claimed in members {
        for alias in &claimed.aliases {
            let (source, group) = (claimed.source.clone(), Some(title(claimed)));
            add(&alias.name, AliasClaim { source, group, cites: alias.cites.clone() });
        }
    }
    found.into_values().map(|alias| AliasPicture { claims: sorted(alias.claims.into_iter()), ..alias }).collect()
}

fn countries(group: &Group, members: &[&ClaimedGroup]) -> Vec<CountryClaim> {
    let own = group.attributed_to.iter().map(|claim| CountryClaim {
        country: claim.country.to_string(),
        source: clean(&claim.source.to_string()),
        group: None,
        confidence: None,
    });
    let theirs = members.iter().filter_map(|claimed| {
        let (source, group) = (claimed.source.clone(), Some(title(claimed)));
        Some(CountryClaim { country: claimed.country.clone()?, source, group, confidence: claimed.confidence.clone() })
    });
    sorted(own.chain(theirs))
}

fn near(members: &[&ClaimedGroup], files: &[Claims]) -> Vec<Near> {
    let others = all(files).filter(|claimed| !is_member(members, claimed));
    let found = others.filter_map(|claimed| {
        let similar =
            |member: &&&ClaimedGroup| member.similar.contains(&claimed.uuid) || claimed.similar.contains(&member.uuid);
        let similar_to = title(members.iter().find(similar)?);
        Some(Near { source: claimed.source.clone(), name: title(claimed), similar_to })
    });
    sorted(found)
}
