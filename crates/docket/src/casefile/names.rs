//! The names of a case file: what can be listed, and what cannot be seized.
//!
//! This is the hot part: a file may list a million names. Each is parsed once; doubles are found by sorting, not by a
//! second table.

use std::collections::BTreeMap;
use std::ops::Range;

use model::id::OrderId;
use model::name::{DomainName, NameError, Standing};
use model::order::{Listed, NameOutcome, Names};
use toml::Spanned;
use toml::de::DeValue;

use super::fault::{Fault, Faults};
use super::plain::first_octets;

/// Reads a name, or says why it is none.
pub(super) fn domain_name(value: &Spanned<DeValue<'_>>, faults: &mut Faults) -> Option<DomainName> {
    parse(text(value, faults)?, &value.span(), faults)
}

/// What may be a name.
pub(super) fn text<'v>(value: &'v Spanned<DeValue<'_>>, faults: &mut Faults) -> Option<&'v str> {
    let DeValue::String(text) = value.get_ref() else {
        faults.add(value.span(), format!("a name is a text, not a {}", value.get_ref().type_str()), "put it in quotes");
        return None;
    };
    Some(text)
}

pub(super) fn parse(text: &str, place: &Range<usize>, faults: &mut Faults) -> Option<DomainName> {
    let told = |error| faults.add(place.clone(), why_not(text, error), hint_for(error));
    DomainName::parse(text).map_err(told).ok()
}

fn why_not(text: &str, error: NameError) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let shown = if error == NameError::Defanged { text.to_owned() } else { model::name::defang(text).to_string() };
    match text.chars().find(|c| c.is_ascii() && !plain(*c)) {
        Some(odd) if error != NameError::Defanged => {
            format!("`{shown}` is not a domain name: `{}` cannot stand in one", odd.escape_default())
        }
        _ => format!("`{shown}` is not a domain name: {error}"),
    }
}

fn hint_for(error: NameError) -> &'static str {
    match error {
        NameError::Address => "an order on addresses is another kind of order; list names here",
        NameError::Defanged => "write it with plain dots; this file is read by a machine",
        NameError::Empty => "remove the empty entry",
        NameError::Idna | NameError::Character => {
            "letters, digits and hyphens only, or a valid internationalised name; no scheme, path, space or `_`"
        }
        NameError::Length => "check for a doubled dot, or text that ran together",
    }
}

/// Whether somebody could do to this name what the list says; the fault if not.
pub(super) fn check(name: &DomainName, outcome: NameOutcome, place: &Range<usize>, faults: &mut Faults) {
    let shown = name.defanged();
    match name.standing() {
        Standing::Suffix => {
            let what = format!("`{shown}` is a public suffix: strangers register names below it, nobody can seize it");
            faults.add(place.clone(), what, "list the names below it");
        }
        Standing::Shared if outcome != NameOutcome::ProviderRemoval => {
            let what = format!("`{shown}` lies under a suffix that strangers share: no registry can {}", verb(outcome));
            let hint = "its provider has to act: move it to a list with `outcome = \"provider-removal\"`";
            faults.add(place.clone(), what, hint);
        }
        Standing::Shared | Standing::Registry => {}
    }
}

fn verb(outcome: NameOutcome) -> &'static str {
    match outcome {
        NameOutcome::Redirect => "redirect it",
        NameOutcome::Hold => "hold it",
        NameOutcome::LockOnly => "lock it",
        NameOutcome::Transfer => "transfer it",
        NameOutcome::Delete => "delete it",
        NameOutcome::BlockRegistration => "block it",
        NameOutcome::ProviderRemoval => "remove it",
    }
}

//----------- Gathering --------------------------------------------------------------------------------------------

/// One listed name with its place in the file.
pub(super) struct Entry {
    pub(super) name: DomainName,
    pub(super) listed: Listed,
    pub(super) place: Range<usize>,
    /// The name's first octets: a million names are sorted mostly without a look at where they lie.
    first: u64,
}

impl Entry {
    pub(super) fn new(name: DomainName, listed: Listed, place: Range<usize>) -> Self {
        Self { first: first_octets(name.as_str()), name, listed, place }
    }

    fn order(&self) -> (u64, &DomainName, usize) {
        (self.first, &self.name, self.place.start)
    }

    fn is_same_name(&self, other: &Self) -> bool {
        self.first == other.first && self.name == other.name
    }

    pub(super) fn sort(entries: &mut [Self]) {
        entries.sort_unstable_by(|a, b| a.order().cmp(&b.order()));
    }
}

/// The names of each order as they are gathered from the lists.
#[derive(Default)]
pub(super) struct Gathered {
    /// Whether a list stood under no order: then an order without names is that fault's echo.
    pub(super) strays: bool,
    by_order: BTreeMap<OrderId, Vec<Entry>>,
}

impl Gathered {
    pub(super) fn add(&mut self, order: &OrderId, entries: Vec<Entry>) {
        let all = self.by_order.entry(order.clone()).or_default();
        // The first list is taken as it lies: it may hold a million names.
        if all.is_empty() {
            *all = entries;
        } else {
            all.extend(entries);
        }
    }

    /// The names of each order; a name that an order lists twice is a fault that shows both places.
    pub(super) fn finish(&mut self, faults: &mut Faults) -> BTreeMap<OrderId, Names> {
        std::mem::take(&mut self.by_order)
            .into_iter()
            .map(|(order, entries)| (order, distinct(entries, faults)))
            .collect()
    }
}

fn distinct(mut entries: Vec<Entry>, faults: &mut Faults) -> Names {
    Entry::sort(&mut entries);
    for same in entries.chunk_by(Entry::is_same_name) {
        let [first, others @ ..] = same else { continue };
        for other in others {
            faults.push(Fault {
                span: other.place.clone(),
                what: format!("`{}` is listed twice under one order", other.name.defanged()),
                hint: Some("remove one of the two".into()),
                earlier: Some(first.place.clone()),
            });
        }
    }
    entries.into_iter().map(|entry| (entry.name, entry.listed)).collect()
}
