//! What passive DNS and registration data say of the listed names, gathered in one pass over each file.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::gate::TableSeen;
use model::name::DomainName;
use model::{Digest, Timestamp};

use crate::observed::cof::{self, Data, Seen};
use crate::observed::rdap::{self, Registration};
use crate::observed::{FileFault, Taken};

use super::tables::TableKind;

/// The most values of one kind that are kept of one name.
const KEPT_MAX: usize = 1_000;

/// What is known of listed names.
#[derive(Debug, Default)]
pub(super) struct History {
    of: HashMap<DomainName, Option<Box<Past>>>,
    sources: Vec<TableSeen>,
}

/// What is known of one.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Whether passive DNS has it, or anything below it.
    pub(super) is_seen: bool,
    /// What it pointed to itself.
    pub(super) data: BTreeMap<Data, Span>,
    /// When it, or anything below it, was seen first.
    pub(super) first: Option<(Timestamp, At)>,
    /// Names below it.
    pub(super) below: BTreeSet<DomainName>,
    pub(super) below_at: At,
    /// Names elsewhere that point to it or below it: how, who, when.
    pub(super) dependants: BTreeMap<(&'static str, DomainName), Span>,
    pub(super) registration: Option<(Registration, At)>,
}

/// A file, and where in it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct At {
    source: usize,
    pub(super) line: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    pub(super) at: At,
}

impl History {
    /// Reads a file only for its faults.
    pub(super) fn check(kind: TableKind, file: &str, octets: &[u8]) -> Result<Taken, FileFault> {
        match kind {
            TableKind::PassiveDns => cof::read(file, octets, drop),
            _ => rdap::read(file, octets, drop),
        }
    }

    pub(super) fn about<'n>(&mut self, names: impl Iterator<Item = &'n DomainName>) {
        self.of.extend(names.map(|name| (name.clone(), None)));
    }

    pub(super) fn get(&self, name: &DomainName) -> Option<&Past> {
        self.of.get(name)?.as_deref()
    }

    pub(super) fn source(&self, at: At) -> TableSeen {
        let unknown = || TableSeen { file: "?".into(), digest: Digest([0; 32]), date: None };
        self.sources.get(at.source).cloned().unwrap_or_else(unknown)
    }

    /// A file that [`Self::check`] found whole.
    pub(super) fn take(&mut self, kind: TableKind, seen: &TableSeen, octets: &[u8]) {
        let source = self.sources.len();
        self.sources.push(seen.clone());
        let at = |line| At { source, line };
        let _ = match kind {
            TableKind::PassiveDns => cof::read(&seen.file, octets, |one| self.take_seen(&one, at(one.line))),
            _ => rdap::read(&seen.file, octets, |one| self.take_registration(one, source)),
        };
    }

    fn take_registration(&mut self, one: Registration, source: usize) {
        let at = At { source, line: one.place };
        if let Some(past) = self.past(&one.name.clone()) {
            past.registration = Some((one, at));
        }
    }

    fn take_seen(&mut self, seen: &Seen, at: At) {
        let span = Span { first: seen.first, last: seen.last, at };
        if let Some(listed) = self.listed_above(&seen.name) {
            let is_below = listed != seen.name;
            let Some(past) = self.past(&listed) else { return };
            past.is_seen = true;
            past.saw_first(seen.first, at);
            if is_below {
                if past.below.len() < KEPT_MAX {
                    past.below.insert(seen.name.clone());
                }
                past.below_at = at;
            } else {
                seen.data.iter().for_each(|data| note(&mut past.data, data.clone(), span));
            }
        }
        let owner = seen.name.registrable();
        for (how, target) in seen.data.iter().filter_map(Data::target) {
            let Some(listed) = self.listed_above(target) else { continue };
            // What is listed, or belongs to the same registration, depends on itself.
            if owner.as_ref() == listed.registrable().as_ref() || self.listed_above(&seen.name).is_some() {
                continue;
            }
            let who = owner.clone().unwrap_or_else(|| seen.name.clone());
            if let Some(past) = self.past(&listed) {
                note(&mut past.dependants, (how, who), span);
            }
        }
    }

    fn past(&mut self, name: &DomainName) -> Option<&mut Past> {
        Some(self.of.get_mut(name)?.get_or_insert_default())
    }

    fn listed_above(&self, name: &DomainName) -> Option<DomainName> {
        let mut text = name.as_str();
        loop {
            if let Some((listed, _)) = self.of.get_key_value(text) {
                return Some(listed.clone());
            }
            text = text.split_once('.')?.1;
        }
    }
}

impl Past {
    fn saw_first(&mut self, first: Option<Timestamp>, at: At) {
        let Some(first) = first else { return };
        if self.first.is_none_or(|(known, _)| first < known) {
            self.first = Some((first, at));
        }
    }
}

fn note<K: Ord>(all: &mut BTreeMap<K, Span>, key: K, span: Span) {
    if let Some(known) = all.get_mut(&key) {
        known.first = known.first.into_iter().chain(span.first).min();
        known.last = known.last.into_iter().chain(span.last).max();
    } else if all.len() < KEPT_MAX {
        all.insert(key, span);
    }
}
