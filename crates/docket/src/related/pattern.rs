//! Names that are built like the listed ones: of the same words, in the same registry. Only a name that is in question for
//! another reason is looked at, so that a pattern never makes a suspect of a stranger by itself.

use std::collections::{BTreeMap, BTreeSet};

use model::name::DomainName;

use super::{Reason, ReasonKind};

/// A word of fewer letters says nothing.
const WORD_LETTERS_MIN: usize = 4;
/// A word counts that so many listed names hold.
const LISTED_MIN: usize = 3;

pub(super) fn add(listed: &BTreeSet<DomainName>, found: &mut BTreeMap<DomainName, Vec<Reason>>) {
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    for name in listed {
        words(name).into_iter().for_each(|word| *known.entry(word).or_default() += 1);
    }
    known.retain(|_, count| *count >= LISTED_MIN);
    for (name, reasons) in found.iter_mut() {
        let shared: Vec<&str> = words(name).into_iter().filter(|word| known.contains_key(word)).collect();
        if shared.is_empty() {
            continue;
        }
        let points = 15 * shared.len().min(3) as u8;
        let what = format!("its words {} stand in {} listed names or more each", shared.join(", "), LISTED_MIN);
        reasons.push(Reason { kind: ReasonKind::Pattern, what, points });
    }
}

/// The words of the label that was registered.
fn words(name: &DomainName) -> BTreeSet<&str> {
    let label = name.labels().next().unwrap_or_default();
    label.split('-').filter(|word| word.len() >= WORD_LETTERS_MIN).collect()
}
