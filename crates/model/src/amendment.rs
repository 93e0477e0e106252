//! Amended and supplemental orders: what a later paper changes in an order, as a difference to the version before it.
//!
//! A difference names exactly what it starts from, by digest, and the whole of what it changes. What widens (names come in,
//! acts come in, an outcome or the effect of an answer is another, the end comes later) takes two people before it has any
//! effect; until then the version before stands entirely. What only narrows takes one person at once.
//!
//! ```text
//! proposed ──narrows only: one person──────────────────────► in effect: the order is at the next version
//!    ├──two people, clean gate, objection window past──────►
//!    └──withdrawn, or the monitor objected──► withdrawn: its number is not used again
//! ```

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::check::NameSet;
use crate::digest::Digest;
use crate::due::Rule;
use crate::id::OrderId;
use crate::moment::{Moment, PaperTime};
use crate::name::DomainName;
use crate::order::{Acts, Listed, Names, Order, OrderStatus, Source, Sourced};
use crate::time::Date;

//----------- AmendmentTerms ---------------------------------------------------------------------------------------

/// What kind of paper says so.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AmendmentKind {
    /// The order itself is written anew.
    Amended,
    /// Names are added under an order that stands, because they meet its criteria.
    Supplemental,
}

impl AmendmentKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Amended => "amended",
            Self::Supplemental => "supplemental",
        }
    }
}

/// The difference as its fact carries it: names are spoken of by the digest of their set.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmendmentTerms {
    pub order: OrderId,
    /// The version that it makes.
    pub version: u32,
    /// [`Order::digest`] of what it starts from.
    pub base: Digest,
    pub kind: AmendmentKind,
    /// The amendment's file, in the vault.
    pub file: Digest,
    /// Which paper says so.
    pub source: Source,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docket_number: Option<Sourced<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<Sourced<Date>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<AddedList>,
    /// Names of the order with what is said of them from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<NameSet>,
    /// Names that leave the order, as they stood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<NameSet>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Sourced<Moment>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hearing: Option<Sourced<PaperTime>>,
    /// By what the day is counted until which the court's monitor may object to the names that come in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objection: Option<Rule>,
}

/// Names that come in together.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddedList {
    pub source: Source,
    /// Which criteria of the order each of them meets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<String>,
    pub names: NameSet,
}

impl AmendmentTerms {
    /// Every set that it speaks of.
    pub fn name_sets(&self) -> impl Iterator<Item = &Digest> {
        let sets = self.added.iter().map(|list| &list.names).chain(&self.changed).chain(&self.removed);
        sets.map(|set| &set.names)
    }

    /// What two people approve is bound to this: what is there, and what changes.
    pub fn digest(&self) -> Digest {
        Digest::of_value(self)
    }

    /// By which name the day is counted until which the monitor may object.
    pub fn window(&self) -> String {
        format!("{WINDOW}{}", self.version)
    }
}

const WINDOW: &str = "objection-window-";

/// The version that an objection window is about, if that is what the name of a date says.
pub fn version_of_window(what: &str) -> Option<u32> {
    what.strip_prefix(WINDOW)?.parse().ok()
}

//----------- Amendment --------------------------------------------------------------------------------------------

/// The difference with its names. [`Self::with_sets`] alone makes one, so that the names are those that the terms speak of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Amendment {
    terms: AmendmentTerms,
    /// As many as `terms.added`.
    lists: Vec<Arc<Names>>,
    added: Arc<Names>,
    changed: Arc<Names>,
    removed: Arc<Names>,
}

impl Amendment {
    /// Fetches the sets of which the terms speak.
    ///
    /// # Errors
    /// If a set is not there, is another than its digest says, or a name comes in twice.
    pub fn with_sets(terms: AmendmentTerms, mut sets: impl FnMut(&Digest) -> Option<Names>) -> Result<Self, Refusal> {
        let mut fetch = |set: &NameSet| {
            let names = sets(&set.names).filter(|names| NameSet::of(names) == *set);
            names.ok_or_else(|| Refusal::new(format!("the names {} are not here", set.names.short())))
        };
        let lists = terms.added.iter().map(|list| fetch(&list.names).map(Arc::new));
        let lists: Vec<Arc<Names>> = lists.collect::<Result<_, _>>()?;
        let added = together(&lists)?;
        let changed = terms.changed.as_ref().map(&mut fetch).transpose()?.unwrap_or_default();
        let removed = terms.removed.as_ref().map(&mut fetch).transpose()?.unwrap_or_default();
        Ok(Self { terms, lists, added, changed: changed.into(), removed: removed.into() })
    }

    pub fn terms(&self) -> &AmendmentTerms {
        &self.terms
    }

    /// Each list that comes in, with its names.
    pub fn lists(&self) -> impl Iterator<Item = (&AddedList, &Names)> {
        self.terms.added.iter().zip(self.lists.iter().map(|names| &**names))
    }

    pub fn added(&self) -> &Arc<Names> {
        &self.added
    }

    pub fn changed(&self) -> &Names {
        &self.changed
    }

    pub fn removed(&self) -> &Names {
        &self.removed
    }

    /// In which ways it does more than the order does now. Nothing: it only narrows.
    pub fn widens(&self, base: &Order) -> BTreeSet<Widens> {
        let mut ways = BTreeSet::new();
        if !self.added.is_empty() {
            ways.insert(Widens::NamesAdded);
        }
        for (name, now) in &*self.added {
            ways.extend(base.released().get(name).into_iter().flat_map(|before| widened(before, now)));
        }
        for (name, now) in &*self.changed {
            ways.extend(base.names().get(name).into_iter().flat_map(|before| widened(before, now)));
        }
        let end = base.terms().authority.expires.as_ref().map(|expires| expires.value.at);
        if let (Some(later), Some(end)) = (&self.terms.expires, end)
            && later.value.at > end
        {
            ways.insert(Widens::ExpiryLater);
        }
        ways
    }
}

fn together(lists: &[Arc<Names>]) -> Result<Arc<Names>, Refusal> {
    if let [one] = lists {
        return Ok(Arc::clone(one));
    }
    let mut all = Names::new();
    for (name, listed) in lists.iter().flat_map(|names| names.iter()) {
        if all.insert(name.clone(), *listed).is_some() {
            return Err(Refusal::new(format!("{} comes in twice", name.defanged())));
        }
    }
    Ok(all.into())
}

fn widened(before: &Listed, now: &Listed) -> Vec<Widens> {
    let more = |before: Acts, now: Acts| now.iter().any(|act| !before.contains(act));
    let ways = [
        (before.outcome != now.outcome, Widens::OutcomeChanged),
        (more(before.acts, now.acts), Widens::ActsAdded),
        (before.answer_effect != now.answer_effect, Widens::EffectChanged),
    ];
    ways.into_iter().filter(|(is_so, _)| *is_so).map(|(_, way)| way).collect()
}

/// A way in which an amendment does more than the order before it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Widens {
    NamesAdded,
    /// Something else is done to a name: neither less nor more, and so two people look.
    OutcomeChanged,
    ActsAdded,
    EffectChanged,
    ExpiryLater,
}

impl fmt::Display for Widens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NamesAdded => "names come in",
            Self::OutcomeChanged => "something else is done to names",
            Self::ActsAdded => "more may be done with names",
            Self::EffectChanged => "what an answer sets off is said anew",
            Self::ExpiryLater => "the authority ends later",
        })
    }
}

//----------- The next version -------------------------------------------------------------------------------------

impl Order {
    /// The order as the amendment makes it. Who has to agree is not asked here.
    ///
    /// # Errors
    /// If it does not start from this order as it stands, or does not fit it.
    pub fn amended(&self, amendment: &Amendment) -> Result<Self, Refusal> {
        let Amendment { terms, added, changed, removed, .. } = amendment;
        self.takes(terms)?;
        check_sets(self, amendment)?;
        let mut authority = self.terms().authority.clone();
        authority.expires = terms.expires.clone().or(authority.expires);
        authority.hearing = terms.hearing.clone().or(authority.hearing);
        let mut names = self.names().clone();
        let mut released = (**self.released()).clone();
        for (name, listed) in &**removed {
            names.remove(name);
            released.insert(name.clone(), *listed);
        }
        for (name, listed) in &**changed {
            let before = names.insert(name.clone(), *listed);
            match before.filter(|before| before.outcome != listed.outcome) {
                Some(before) if before.outcome.is_answered() => drop(released.insert(name.clone(), before)),
                _ => {}
            }
        }
        for (name, listed) in &**added {
            names.insert(name.clone(), *listed);
        }
        released.retain(|name, _| names.get(name).is_none_or(|listed| !listed.outcome.is_answered()));
        if names.is_empty() {
            return Err(Refusal::new(format!("order {} would list no name any more", terms.order))
                .hint("an order that is taken back whole is vacated"));
        }
        if *self.names() == names && authority == self.terms().authority {
            return Err(Refusal::new(format!("nothing of order {} changes", terms.order)));
        }
        let released = if self.status() == OrderStatus::Draft { Names::new() } else { released };
        Ok(self.as_version(terms.version, authority, names, released))
    }

    fn takes(&self, terms: &AmendmentTerms) -> Result<(), Refusal> {
        let id = &self.terms().id;
        if !matches!(self.status(), OrderStatus::Draft | OrderStatus::InForce) {
            let status = format!("{:?}", self.status()).to_lowercase();
            return Err(Refusal::new(format!("order {id} has {status}: there is nothing to amend"))
                .hint("a new order is listed in a case file of its own"));
        }
        if terms.order != *id || terms.base != self.digest() || terms.version <= self.version() {
            return Err(Refusal::new(format!("the amendment does not start from order {id} as it stands"))
                .hint("the order has changed since: withdraw the amendment and bring it again"));
        }
        Ok(())
    }
}

fn check_sets(order: &Order, amendment: &Amendment) -> Result<(), Refusal> {
    let Amendment { added, changed, removed, .. } = amendment;
    let (id, names) = (&order.terms().id, order.names());
    if let Some(name) = added.keys().find(|name| names.contains_key(*name)) {
        return Err(Refusal::new(format!("{} is in order {id} already", name.defanged()))
            .hint("what is said of it from now on stands under `[[change]]`"));
    }
    let is_missing = |name: &&DomainName| !names.contains_key(*name);
    if let Some(name) = changed.keys().chain(removed.keys()).find(is_missing) {
        return Err(Refusal::new(format!("{} is not in order {id}", name.defanged()))
            .hint("a name below a listed one follows it: give the listed one"));
    }
    match changed.keys().find(|name| removed.contains_key(*name)) {
        Some(name) => Err(Refusal::new(format!("{} is changed and removed", name.defanged()))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
