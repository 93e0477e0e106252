//! What an amendment changes, as two people are shown it: before and after, and nothing that stays.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use model::amendment::{Amendment, AmendmentTerms, Widens};
use model::name::DomainName;
use model::order::{Act, Acts, Listed, Names, Order, Source};
use serde::Serialize;

use super::{ShownNames, counted, effect, grouped, join, line, sourced};

/// The difference. `terms` holds the digests of what it starts from and of every set; the names are beside it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ShownAmendment {
    /// The version that stands.
    pub base: u32,
    pub terms: AmendmentTerms,
    pub widens: BTreeSet<Widens>,
    pub added: Vec<ShownAddition>,
    /// Those of them that were in the order before, and left it by an earlier version: as what they left it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub back: Vec<ShownChange>,
    pub changed: Vec<ShownChange>,
    pub removed: Vec<ShownNames>,
    /// When the authority ends, if that is another instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Moved>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hearing: Option<Moved>,
}

/// Names that come in, with why they may.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ShownAddition {
    pub source: Source,
    pub criteria: Vec<String>,
    pub names: Vec<ShownNames>,
}

/// Names of which something else is said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ShownChange {
    pub before: Listed,
    pub after: Listed,
    pub names: Vec<DomainName>,
}

/// A date of the paper.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moved {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    pub after: String,
}

impl ShownAmendment {
    pub fn of(base: &Order, amendment: &Amendment) -> Self {
        let (terms, authority) = (amendment.terms(), &base.terms().authority);
        let addition = |(list, names): (&model::amendment::AddedList, &Names)| ShownAddition {
            source: list.source.clone(),
            criteria: list.criteria.clone(),
            names: grouped(names),
        };
        Self {
            base: base.version(),
            terms: terms.clone(),
            widens: amendment.widens(base),
            added: amendment.lists().map(addition).collect(),
            back: changes(base.released(), amendment.added()),
            changed: changes(base.names(), amendment.changed()),
            removed: grouped(amendment.removed()),
            expires: moved(authority.expires.as_ref(), terms.expires.as_ref()),
            hearing: moved(authority.hearing.as_ref(), terms.hearing.as_ref()),
        }
    }

    /// The same for people.
    pub fn write(&self, text: &mut String) {
        let terms = &self.terms;
        line(text, "version", &format!("{} → {}, {}", self.base, terms.version, terms.kind.as_str()));
        line(text, "by the paper", &terms.source.to_string());
        let paper = [terms.docket_number.as_ref().map(sourced), terms.issued.as_ref().map(sourced)];
        for (label, value) in ["its docket", "its date"].into_iter().zip(paper) {
            value.into_iter().for_each(|value| line(text, label, &value));
        }
        let ways: Vec<String> = self.widens.iter().map(ToString::to_string).collect();
        line(text, "widens", &if ways.is_empty() { "no: it only narrows".to_owned() } else { ways.join("; ") });
        for (label, date) in [("ends", &self.expires), ("hearing", &self.hearing)] {
            date.iter().for_each(|date| line(text, label, &date.to_text()));
        }
        if let Some(rule) = &terms.objection {
            line(text, "objections", &format!("the monitor is heard: {rule}"));
        }
        line(text, "starts from", &terms.base.to_string());
        self.added.iter().for_each(|addition| addition.write(text));
        let head = "come back: an earlier version took them out";
        self.back.iter().for_each(|change| change.write(&format!("! {head}"), text));
        self.changed.iter().for_each(|change| change.write("~ change", text));
        self.removed.iter().for_each(|group| group.write("− leave the order, ", text));
    }
}

impl ShownAddition {
    fn write(&self, text: &mut String) {
        for (at, group) in self.names.iter().enumerate() {
            group.write("+ come in, ", text);
            if at == 0 {
                let _ = writeln!(text, "  by {}", self.source);
                for met in &self.criteria {
                    let _ = writeln!(text, "  meets: {met}");
                }
            }
        }
    }
}

impl ShownChange {
    fn write(&self, head: &str, text: &mut String) {
        let _ = writeln!(text, "\n{head}, {}", counted(self.names.len()));
        let acts = |acts: Acts| join(acts.iter().map(Act::as_str));
        let (before, after) = (self.before, self.after);
        if before.outcome != after.outcome {
            let _ = writeln!(text, "  outcome: {} → {}", before.outcome.as_str(), after.outcome.as_str());
        }
        if before.acts != after.acts {
            let _ = writeln!(text, "  allowed: {} → {}", acts(before.acts), acts(after.acts));
        }
        if before.answer_effect != after.answer_effect {
            let _ = writeln!(text, "  an answer: {} → {}", effect(before.answer_effect), effect(after.answer_effect));
        }
        if before.answer_effect.is_kill_switch() && !after.answer_effect.is_kill_switch() {
            let _ = writeln!(text, "  WAS A KILL SWITCH: whatever its answers kept from running may run again");
        }
        for name in &self.names {
            let _ = writeln!(text, "  {}", name.defanged());
        }
    }
}

impl Moved {
    fn to_text(&self) -> String {
        format!("{} → {}", self.before.as_deref().unwrap_or("not said"), self.after)
    }
}

fn moved<T: std::fmt::Display + PartialEq>(
    before: Option<&model::order::Sourced<T>>,
    after: Option<&model::order::Sourced<T>>,
) -> Option<Moved> {
    let after = after.filter(|after| Some(*after) != before)?;
    Some(Moved { before: before.map(sourced), after: sourced(after) })
}

/// What is said anew of names of which something was said before.
fn changes(base: &Names, said: &Names) -> Vec<ShownChange> {
    type Sort = (model::order::NameOutcome, u8, model::seizure::AnswerEffect);
    let sort = |listed: &Listed| -> Sort { (listed.outcome, listed.acts.to_bits(), listed.answer_effect) };
    let mut groups: BTreeMap<(Sort, Sort), ShownChange> = BTreeMap::new();
    for (name, after) in said {
        let Some(before) = base.get(name).copied() else { continue };
        let empty = ShownChange { before, after: *after, names: Vec::new() };
        groups.entry((sort(&before), sort(after))).or_insert(empty).names.push(name.clone());
    }
    groups.into_values().collect()
}
