//! One table of a case file: its fields by name, unknown ones refused.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::Faults;
use super::value::Read;

/// The longest field name that is compared with ours.
const KEY_OCTETS_MAX: usize = 64;

/// A table whose field names have been checked.
pub(super) struct Section<'t> {
    fields: &'t DeTable<'t>,
    span: Range<usize>,
    title: &'static str,
}

impl<'t> Section<'t> {
    /// Takes a value as a table with these fields; every other field is a fault.
    pub(super) fn open(
        value: &'t Spanned<DeValue<'t>>,
        title: &'static str,
        known: &[&str],
        faults: &mut Faults,
    ) -> Option<Self> {
        let DeValue::Table(fields) = value.get_ref() else {
            let found = value.get_ref().type_str();
            faults.add(value.span(), format!("`{title}` is a table, not a {found}"), known_fields(known));
            return None;
        };
        Some(Self::of(fields, value.span(), title, known, faults))
    }

    pub(super) fn of(
        fields: &'t DeTable<'t>,
        span: Range<usize>,
        title: &'static str,
        known: &[&str],
        faults: &mut Faults,
    ) -> Self {
        for key in fields.keys().filter(|key| !known.contains(&&**key.get_ref())) {
            let what = format!("unknown field `{}` in `{title}`", key.get_ref());
            faults.add(key.span(), what, suggestion(key.get_ref(), known));
        }
        Self { fields, span, title }
    }

    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    pub(super) fn get(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.fields.get(key)
    }

    /// The place of a field, or of the table where it is not there.
    pub(super) fn place(&self, key: &str) -> Range<usize> {
        self.get(key).map_or(self.span(), Spanned::span)
    }

    /// A field that has to be there.
    pub(super) fn required<T: Read>(&self, key: &str, faults: &mut Faults) -> Option<T> {
        let Some(value) = self.get(key) else {
            self.missing(key, &format!("add `{key} = {}`", T::EXAMPLE), faults);
            return None;
        };
        T::read(value, faults)
    }

    /// A field that may be absent. A fault in it is told, and comes back as absent: the file is refused anyway.
    pub(super) fn optional<T: Read>(&self, key: &str, faults: &mut Faults) -> Option<T> {
        self.get(key).and_then(|value| T::read(value, faults))
    }

    pub(super) fn or_default<T: Read + Default>(&self, key: &str, faults: &mut Faults) -> T {
        self.optional(key, faults).unwrap_or_default()
    }

    pub(super) fn missing(&self, key: &str, hint: &str, faults: &mut Faults) {
        faults.add(self.span(), format!("`{}` says no `{key}`", self.title), hint);
    }

    /// The tables of an array of tables; absent is none.
    pub(super) fn tables(&self, key: &str, faults: &mut Faults) -> &'t [Spanned<DeValue<'t>>] {
        match self.get(key).map(|value| (value.span(), value.get_ref())) {
            None => &[],
            Some((_, DeValue::Array(array))) => array,
            Some((span, other)) => {
                let what = format!("`{key}` is a list of tables, not a {}", other.type_str());
                faults.add(span, what, format!("write each as `[[{key}]]`"));
                &[]
            }
        }
    }
}

fn suggestion(key: &str, known: &[&str]) -> String {
    // Far longer than any field: it is near to none, and the distance costs its length.
    if key.len() > KEY_OCTETS_MAX {
        return known_fields(known);
    }
    let near = known.iter().map(|name| (edits(key, name), name)).min();
    match near {
        Some((distance, name)) if distance <= 2 => format!("did you mean `{name}`?"),
        _ => known_fields(known),
    }
}

fn known_fields(known: &[&str]) -> String {
    format!("its fields are {}", known.join(", "))
}

/// Levenshtein's distance, for a handful of short field names.
fn edits(one: &str, two: &str) -> usize {
    let two: Vec<char> = two.chars().collect();
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (at, c) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, d) in two.iter().enumerate() {
            let replaced = diagonal + usize::from(c != *d);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[two.len()]
}
