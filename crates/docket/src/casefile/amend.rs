//! An amendment's file: what a later paper changes in an order, written like a case file.
//!
//! ```toml
//! [amendment]
//! order = "dcd-1"
//! kind = "supplemental"
//! source = "the supplemental order, docket entry 31"
//! [[add]]
//! source = "its Appendix A"
//! criteria = ["imitates the mark EXAMPLE in a sign-in page"]
//! names = ["login-example.test"]
//! ```
//!
//! It is read as a case file is: whole or not at all, all faults in one go, each with its place. What it makes of an order is
//! [`AmendmentFile::against`]'s, which knows the order as it stands.

use std::collections::BTreeMap;
use std::ops::Range;

use model::Digest;
use model::DomainName;
use model::Refusal;
use model::amendment::{AddedList, Amendment, AmendmentKind, AmendmentTerms};
use model::check::NameSet;
use model::due::Rule;
use model::id::OrderId;
use model::moment::{Moment, PaperTime};
use model::order::{Acts, Listed, NameOutcome, Names, Order, Source, Sourced};
use model::seizure::AnswerEffect;
use model::time::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, Faults};
use super::names::{self, Entry};
use super::plain::Lists;
use super::section::Section;
use super::{Claim, NameList, answers, list};

/// The most lists of one amendment.
const LISTS_MAX: usize = 10_000;
/// The most criteria of one list.
const CRITERIA_MAX: usize = 32;
/// The longest window, in days.
const WINDOW_DAYS_MAX: u32 = 365;

//----------- AmendmentFile ----------------------------------------------------------------------------------------

/// A file without a fault.
#[derive(Clone, Debug, PartialEq)]
pub struct AmendmentFile {
    pub order: OrderId,
    pub kind: AmendmentKind,
    pub source: Source,
    pub docket_number: Option<Sourced<String>>,
    pub issued: Option<Sourced<Date>>,
    pub expires: Option<Sourced<Moment>>,
    pub hearing: Option<Sourced<PaperTime>>,
    pub objection: Option<Rule>,
    pub added: Vec<Addition>,
    pub removed: Vec<DomainName>,
    pub changed: BTreeMap<DomainName, Change>,
    pub claims: Vec<Claim>,
    /// SHA-256 of the file's bytes.
    pub digest: Digest,
}

/// Names that come in together.
#[derive(Clone, Debug, PartialEq)]
pub struct Addition {
    pub list: NameList,
    pub criteria: Vec<String>,
    pub names: Names,
}

/// What is said of a name from now on; what is not said stays.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Change {
    pub outcome: Option<NameOutcome>,
    pub acts: Option<Acts>,
    pub answer_effect: Option<AnswerEffect>,
}

impl Change {
    fn of(self, before: Listed) -> Listed {
        Listed {
            outcome: self.outcome.unwrap_or(before.outcome),
            acts: self.acts.unwrap_or(before.acts),
            answer_effect: self.answer_effect.unwrap_or(before.answer_effect),
        }
    }
}

impl AmendmentFile {
    /// The difference to an order as it stands, with every set that it speaks of.
    ///
    /// # Errors
    /// If it speaks of a name that the order does not list, or does not fit it otherwise.
    pub fn against(&self, order: &Order, version: u32) -> Result<(Amendment, Vec<Names>), Refusal> {
        let (mut changed, mut removed) = (Names::new(), Names::new());
        for (name, change) in &self.changed {
            let before = listed(order, name)?;
            let now = change.of(before);
            if now != before {
                changed.insert(name.clone(), now);
            }
        }
        for name in &self.removed {
            removed.insert(name.clone(), listed(order, name)?);
        }
        let some = |names: &Names| (!names.is_empty()).then(|| NameSet::of(names));
        let terms = AmendmentTerms {
            order: self.order.clone(),
            version,
            base: order.digest(),
            kind: self.kind,
            file: self.digest,
            source: self.source.clone(),
            docket_number: self.docket_number.clone(),
            issued: self.issued.clone(),
            added: self.added.iter().map(Addition::to_terms).collect(),
            changed: some(&changed),
            removed: some(&removed),
            expires: self.expires.clone(),
            hearing: self.hearing.clone(),
            objection: self.objection,
        };
        let mut sets: Vec<Names> = self.added.iter().map(|addition| addition.names.clone()).collect();
        sets.extend([changed, removed].into_iter().filter(|names| !names.is_empty()));
        // Once for all of them: a digest costs as much as its names.
        let by_digest: BTreeMap<Digest, &Names> = sets.iter().map(|names| (NameSet::of(names).names, names)).collect();
        let amendment = Amendment::with_sets(terms, |digest| by_digest.get(digest).map(|names| (*names).clone()))?;
        Ok((amendment, sets))
    }

    /// How many names come in.
    pub fn added_count(&self) -> usize {
        self.added.iter().map(|addition| addition.names.len()).sum()
    }
}

impl Addition {
    fn to_terms(&self) -> AddedList {
        let (source, criteria) = (self.list.source.clone(), self.criteria.clone());
        AddedList { source, criteria, names: NameSet::of(&self.names) }
    }
}

fn listed(order: &Order, name: &DomainName) -> Result<Listed, Refusal> {
    let missing = || {
        Refusal::new(format!("{} is not in order {}", name.defanged(), order.terms().id))
            .hint("a name below a listed one follows it: give the listed one; one that comes in stands under `[[add]]`")
    };
    order.names().get(name).copied().ok_or_else(missing)
}

//----------- parse ------------------------------------------------------------------------------------------------

/// Reads an amendment's file. All faults come in one go, in order of place; with one fault nothing is taken.
pub fn parse(text: &str) -> Result<AmendmentFile, Vec<Fault>> {
    super::parse_with(text, file)
}

fn file<'t>(root: &'t Spanned<DeTable<'t>>, text: &str, faults: &mut Faults) -> Option<AmendmentFile> {
    let known = ["amendment", "add", "remove", "change", "claim"];
    let file = Section::of(root.get_ref(), 0..0, "amendment's file", &known, faults);
    let Some(head) = file.get("amendment") else {
        file.missing("amendment", "add `[amendment]` with order, kind and source", faults);
        return None;
    };
    let head = head_of(head, faults);
    let order = head.as_ref().map(|head| head.order.clone());
    let mut seen = Seen::default();
    let mut read = head.unwrap_or_else(|| nothing(Digest::of_bytes(text.as_bytes())));
    read.digest = Digest::of_bytes(text.as_bytes());
    for value in bounded(&file, "add", faults) {
        read.added.extend(addition(value, &read.order, &mut seen, faults));
    }
    for value in bounded(&file, "remove", faults) {
        read.removed.extend(removal(value, &mut seen, faults));
    }
    for value in bounded(&file, "change", faults) {
        read.changed.extend(change(value, &mut seen, faults));
    }
    let names = read.added.iter().map(|addition| addition.names.clone()).fold(Names::new(), |mut all, names| {
        all.extend(names);
        all
    });
    let listed = BTreeMap::from([(read.order.clone(), names)]);
    read.claims = file.tables("claim", faults).iter().filter_map(|one| list::claim(one, &listed, faults)).collect();
    check_whole(&file, &read, faults);
    order.map(|_| read)
}

fn bounded<'t>(file: &Section<'t>, key: &str, faults: &mut Faults) -> &'t [Spanned<DeValue<'t>>] {
    let tables = file.tables(key, faults);
    if tables.len() > LISTS_MAX {
        faults.add(file.place(key), format!("more than {LISTS_MAX} tables `{key}`"), "put names of one kind together");
        return &[];
    }
    tables
}

/// What stands where a head is missing something: its lists are read for their faults.
fn nothing(digest: Digest) -> AmendmentFile {
    AmendmentFile {
        order: OrderId::parse("order").expect("a slug"),
        kind: AmendmentKind::Amended,
        source: Source::Unverified,
        docket_number: None,
        issued: None,
        expires: None,
        hearing: None,
        objection: None,
        added: Vec::new(),
        removed: Vec::new(),
        changed: BTreeMap::new(),
        claims: Vec::new(),
        digest,
    }
}

fn head_of<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<AmendmentFile> {
    let known = ["order", "kind", "source", "docket_number", "issued", "expires", "hearing", "objection"];
    let section = Section::open(value, "amendment", &known, faults)?;
    let (order, kind) = (section.required("order", faults), section.required("kind", faults));
    let source = section.required("source", faults);
    let issued: Option<Sourced<Date>> = section.optional("issued", faults);
    let expires = section.optional("expires", faults);
    let hearing: Option<Sourced<PaperTime>> = section.optional("hearing", faults);
    let heard = hearing.as_ref().map(|hearing| hearing.value.date());
    super::read::check_dates(&section, issued.as_ref(), &[("hearing", heard)], faults);
    super::read::check_expiry(&section, issued.as_ref(), expires.as_ref(), faults);
    let objection = section.get("objection").and_then(|value| objection(value, faults));
    let docket_number = section.optional("docket_number", faults);
    let empty = nothing(Digest::of_bytes(b""));
    Some(AmendmentFile {
        order: order?,
        kind: kind?,
        source: source?,
        docket_number,
        issued,
        expires,
        hearing,
        objection,
        ..empty
    })
}

/// `objection = { days = 14, from = 2026-12-01 }`, or `business_days`.
fn objection<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<Rule> {
    let section = Section::open(value, "objection", &["from", "days", "business_days"], faults)?;
    let from: Option<Date> = section.required("from", faults);
    let days: Option<u32> = section.optional("days", faults);
    let business: Option<u32> = section.optional("business_days", faults);
    let (count, is_business) = match (days, business) {
        (Some(days), None) => (days, false),
        (None, Some(days)) => (days, true),
        _ => {
            faults.add(section.span(), "a window counts either `days` or `business_days`", "write `days = 14`");
            return None;
        }
    };
    if count > WINDOW_DAYS_MAX {
        let place = section.place(if is_business { "business_days" } else { "days" });
        faults.add(place, format!("a window of {count} days is more than {WINDOW_DAYS_MAX}"), "copy it from the paper");
        return None;
    }
    let (from, days) = (from?, u16::try_from(count).ok()?);
    Some(if is_business { Rule::BusinessDays { from, days } } else { Rule::Days { from, days } })
}

//----------- Lists ------------------------------------------------------------------------------------------------

/// Where each name stood first, over all lists of the file.
#[derive(Default)]
struct Seen(BTreeMap<DomainName, Range<usize>>);

impl Seen {
    fn once(&mut self, name: &DomainName, place: Range<usize>, faults: &mut Faults) -> bool {
        if let Some(earlier) = self.0.get(name) {
            faults.push(Fault {
                span: place,
                what: format!("`{}` stands here twice", name.defanged()),
                hint: Some("a name comes in, leaves or changes, and that once".into()),
                earlier: Some(earlier.clone()),
            });
            return false;
        }
        self.0.insert(name.clone(), place);
        true
    }
}

fn addition<'t>(
    value: &'t Spanned<DeValue<'t>>,
    order: &OrderId,
    seen: &mut Seen,
    faults: &mut Faults,
) -> Option<Addition> {
    let known = ["registry", "source", "outcome", "acts", "answer_effect", "threat", "criteria", "names"];
    let section = Section::open(value, "add", &known, faults)?;
    let registry = section.get("registry").and_then(|value| list::registry(value, faults));
    let source = section.required("source", faults);
    let listed = Listed {
        outcome: section.or_default("outcome", faults),
        acts: section.or_default("acts", faults),
        answer_effect: section.or_default("answer_effect", faults),
    };
    let threat = section.optional("threat", faults);
    answers::check_effect(&section, listed, faults);
    let criteria: Vec<String> = section.or_default("criteria", faults);
    if criteria.len() > CRITERIA_MAX {
        faults.add(section.place("criteria"), format!("more than {CRITERIA_MAX} criteria"), "name those that are met");
    }
    let entries = list::entries(&section, &Lists::none(""), (listed, registry.as_ref()), faults);
    let mut names = Names::new();
    for Entry { name, listed, place, .. } in entries {
        if seen.once(&name, place, faults) {
            names.insert(name, listed);
        }
    }
    let Listed { outcome, acts, answer_effect } = listed;
    let (order, of_list) = (order.clone(), names.keys().cloned().collect());
    let list = NameList { order, registry, source: source?, outcome, acts, answer_effect, threat, names: of_list };
    Some(Addition { list, criteria, names })
}

fn removal<'t>(value: &'t Spanned<DeValue<'t>>, seen: &mut Seen, faults: &mut Faults) -> Vec<DomainName> {
    let Some(section) = Section::open(value, "remove", &["source", "names"], faults) else { return Vec::new() };
    let _: Option<Source> = section.required("source", faults);
    named(&section, seen, faults)
}

fn change<'t>(value: &'t Spanned<DeValue<'t>>, seen: &mut Seen, faults: &mut Faults) -> Vec<(DomainName, Change)> {
    let known = ["source", "outcome", "acts", "answer_effect", "names"];
    let Some(section) = Section::open(value, "change", &known, faults) else { return Vec::new() };
    let _: Option<Source> = section.required("source", faults);
    let change = Change {
        outcome: section.optional("outcome", faults),
        acts: section.optional("acts", faults),
        answer_effect: section.optional("answer_effect", faults),
    };
    if change == Change::default() {
        faults.add(section.span(), "nothing is said of these names", "say `outcome`, `acts` or `answer_effect`");
    }
    named(&section, seen, faults).into_iter().map(|name| (name, change)).collect()
}

/// Names of the order, which need no more than be names.
fn named(section: &Section<'_>, seen: &mut Seen, faults: &mut Faults) -> Vec<DomainName> {
    let Some(values) = list::listed_in(section, faults) else { return Vec::new() };
    let one = |value: &Spanned<DeValue<'_>>| {
        let name = names::domain_name(value, faults)?;
        seen.once(&name, value.span(), faults).then_some(name)
    };
    values.iter().filter_map(one).collect()
}

fn check_whole(file: &Section<'_>, read: &AmendmentFile, faults: &mut Faults) {
    let says = !read.added.is_empty() || !read.removed.is_empty() || !read.changed.is_empty();
    if !says && read.expires.is_none() && read.hearing.is_none() && faults.is_empty() {
        let hint = "add `[[add]]`, `[[remove]]` or `[[change]]`, or `expires` or `hearing` to `[amendment]`";
        faults.add(file.place("amendment"), "the amendment changes nothing", hint);
    }
    if read.objection.is_some() && read.added.is_empty() && faults.is_empty() {
        faults.add(
            file.place("amendment"),
            "a window for objections, and no name that comes in",
            "the monitor is heard on names that come in; leave `objection` out",
        );
    }
}

#[cfg(test)]
mod tests;
