//! Where sources contradict the case, each other or themselves. A conflict is shown, never merged away.

use std::collections::{BTreeMap, BTreeSet};

use model::group::normalise_alias;
use serde::Serialize;

use super::picture::{AliasPicture, CountryClaim, all, is_member, title};
use super::{ClaimedGroup, Claims};

/// One contradiction.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Conflict {
    /// The case counts these as one group, and the source keeps them apart.
    KeptApart { source: String, groups: Vec<String> },
    /// The source withdrew a group into another; `still_used_by` are sources that go on with the old one.
    Revoked { source: String, group: String, into: String, still_used_by: Vec<String> },
    /// One source gives one name to several of its groups.
    AliasTwice { source: String, alias: String, groups: Vec<String> },
    /// The source gives one of the picture's names to a group that shares none of the case's.
    AnotherGroup { source: String, alias: String, group: String },
    /// Sources attribute the group to different states.
    Countries { claims: Vec<String> },
}

pub(super) fn find(
    aliases: &[AliasPicture],
    members: &[&ClaimedGroup],
    files: &[Claims],
    countries: &[CountryClaim],
) -> Vec<Conflict> {
    let sources: BTreeSet<&str> = members.iter().map(|claimed| claimed.source.as_str()).collect();
    let mut found: BTreeSet<Conflict> = sources.iter().filter_map(|source| kept_apart(source, members)).collect();
    found.extend(members.iter().filter_map(|claimed| revoked(claimed, files)));
    found.extend(aliases.iter().flat_map(|alias| several(alias, members, files)));
    found.extend(dispute(countries));
    found.into_iter().collect()
}

fn kept_apart(source: &str, members: &[&ClaimedGroup]) -> Option<Conflict> {
    let current = members.iter().filter(|claimed| claimed.source == source && claimed.revoked_into.is_none());
    let groups: Vec<String> = current.map(|claimed| title(claimed)).collect();
    (groups.len() > 1).then(|| Conflict::KeptApart { source: source.to_owned(), groups })
}

fn revoked(claimed: &ClaimedGroup, files: &[Claims]) -> Option<Conflict> {
    let into = claimed.revoked_into.as_deref()?;
    let target = all(files).find(|other| other.source == claimed.source && other.uuid == into);
    let number = claimed.number.as_deref();
    let goes_on =
        |other: &&ClaimedGroup| other.source != claimed.source && number.is_some_and(|number| is_called(other, number));
    let still = all(files).filter(goes_on).map(|other| format!("{} ({})", other.source, title(other)));
    Some(Conflict::Revoked {
        source: claimed.source.clone(),
        group: title(claimed),
        into: target.map_or_else(|| into.to_owned(), title),
        still_used_by: still.collect(),
    })
}

/// Who gives one of the picture's names to several groups, or to a group that is not in the picture.
fn several(alias: &AliasPicture, members: &[&ClaimedGroup], files: &[Claims]) -> Vec<Conflict> {
    let mut by_source: BTreeMap<&str, Vec<&ClaimedGroup>> = BTreeMap::new();
    for claimed in all(files).filter(|claimed| claimed.revoked_into.is_none() && is_called(claimed, &alias.name)) {
        by_source.entry(&claimed.source).or_default().push(claimed);
    }
    let contradicts = |groups: &[&ClaimedGroup]| groups.len() > 1 || !is_member(members, groups[0]);
    let found = by_source.into_iter().filter(|(_, groups)| contradicts(groups));
    let conflict = |(source, groups): (&str, Vec<&ClaimedGroup>)| match groups[..] {
        [only] => Conflict::AnotherGroup { source: source.to_owned(), alias: alias.name.clone(), group: title(only) },
        _ => Conflict::AliasTwice {
            source: source.to_owned(),
            alias: alias.name.clone(),
            groups: groups.iter().map(|claimed| title(claimed)).collect(),
        },
    };
    found.map(conflict).collect()
}

fn dispute(countries: &[CountryClaim]) -> Option<Conflict> {
    let distinct: BTreeSet<&str> = countries.iter().map(|claim| claim.country.as_str()).collect();
    let claims = countries.iter().map(|claim| format!("{} ({})", claim.country, claim.source)).collect();
    (distinct.len() > 1).then_some(Conflict::Countries { claims })
}

fn is_called(claimed: &ClaimedGroup, name: &str) -> bool {
    let wanted = normalise_alias(name);
    claimed.aliases.iter().any(|alias| normalise_alias(&alias.name) == wanted)
}
