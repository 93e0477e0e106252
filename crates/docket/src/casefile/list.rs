//! The lists of a case file: names under an order, grouped by registry, and what others claim about them.

use std::collections::BTreeMap;
use std::ops::Range;

use model::DomainName;
use model::id::OrderId;
use model::order::{Listed, Names};
use toml::Spanned;
use toml::de::{DeArray, DeValue};

use super::answers;
use super::fault::Faults;
use super::names::{self, Entry, Gathered};
use super::plain::Lists;
use super::read::OrderRead;
use super::section::Section;
use super::{Claim, NameList, Registry};

/// The most orders that a hint names.
const HINTED_MAX: usize = 10;

/// One list, its names gathered under its order.
pub(super) fn read<'t>(
    value: &'t Spanned<DeValue<'t>>,
    orders: &BTreeMap<OrderId, OrderRead>,
    lists: &Lists<'_>,
    gathered: &mut Gathered,
    faults: &mut Faults,
) -> Option<NameList> {
    let section = Section::open(
        value,
        "list",
        &["order", "registry", "source", "outcome", "acts", "answer_effect", "threat", "names"],
        faults,
    )?;
    let order = under(&section, orders, faults);
    let registry = section.get("registry").and_then(|value| registry(value, faults));
    let source = section.required("source", faults);
    let listed = Listed {
        outcome: section.or_default("outcome", faults),
        acts: section.or_default("acts", faults),
        answer_effect: section.or_default("answer_effect", faults),
    };
    let threat = section.optional("threat", faults);
    answers::check_effect(&section, listed, faults);
    let mut entries = entries(&section, lists, (listed, registry.as_ref()), faults);
    Entry::sort(&mut entries);
    let names = entries.iter().map(|entry| entry.name.clone()).collect();
    gathered.strays |= order.is_none();
    let order = order?;
    gathered.add(&order, entries);
    let Listed { outcome, acts, answer_effect } = listed;
    Some(NameList { order, registry, source: source?, outcome, acts, answer_effect, threat, names })
}

/// The order that a list stands under. Without one its names are outside every authority.
fn under(section: &Section<'_>, orders: &BTreeMap<OrderId, OrderRead>, faults: &mut Faults) -> Option<OrderId> {
    if section.get("order").is_none() {
        faults.add(section.span(), "the names of this list are outside every authority", hint_of(orders));
        return None;
    }
    let order: OrderId = section.required("order", faults)?;
    if !orders.contains_key(&order) {
        let what = format!("there is no order `{order}`: the names of this list are outside every authority");
        faults.add(section.place("order"), what, hint_of(orders));
        return None;
    }
    Some(order)
}

fn hint_of(orders: &BTreeMap<OrderId, OrderRead>) -> String {
    let ids: Vec<&str> = orders.keys().map(OrderId::as_str).take(HINTED_MAX).collect();
    match &ids[..] {
        [] => "add `[[order]]` with the authority for these names".to_owned(),
        ids => format!("say under which order they stand: `order = \"{}\"`", ids.join("\"` or `order = \"")),
    }
}

pub(super) fn registry<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<Registry> {
    let section = Section::open(value, "registry", &["tld", "operator"], faults)?;
    let operator = section.optional("operator", faults);
    let tld: String = section.required("tld", faults)?;
    Some(Registry { tld: tld.trim_start_matches('.').to_ascii_lowercase(), operator })
}

pub(super) fn entries(
    section: &Section<'_>,
    lists: &Lists<'_>,
    common: (Listed, Option<&Registry>),
    faults: &mut Faults,
) -> Vec<Entry> {
    if let Some(texts) = section.get("names").and_then(|list| lists.opened_at(list.span().start)) {
        let mut entries = Vec::with_capacity(texts.len());
        entries.extend(texts.filter_map(|(text, place)| entry(text, place, common, faults)));
        return entries;
    }
    let values = listed_in(section, faults).into_iter().flat_map(|values| values.iter());
    values.filter_map(|value| entry(names::text(value, faults)?, value.span(), common, faults)).collect()
}

/// What a list has under `names`.
pub(super) fn listed_in<'t>(section: &Section<'t>, faults: &mut Faults) -> Option<&'t DeArray<'t>> {
    match section.get("names").map(|value| (value.span(), value.get_ref())) {
        Some((_, DeValue::Array(values))) if !values.is_empty() => return Some(values),
        Some((span, _)) => faults.add(span, "a list holds at least one name", "write `names = [\"name.example\"]`"),
        None => section.missing("names", "add `names = [\"name.example\"]`", faults),
    }
    None
}

fn entry(
    text: &str,
    place: Range<usize>,
    (listed, registry): (Listed, Option<&Registry>),
    faults: &mut Faults,
) -> Option<Entry> {
    let name = names::parse(text, &place, faults)?;
    names::check(&name, listed.outcome, &place, faults);
    if let Some(registry) = registry.filter(|registry| !is_in(&name, &registry.tld)) {
        let what = format!("`{}` is not delegated by the registry of .{}", name.defanged(), registry.tld);
        faults.add(place.clone(), what, format!("move it to the list of .{}'s registry", name.tld()));
    }
    Some(Entry::new(name, listed, place))
}

fn is_in(name: &DomainName, tld: &str) -> bool {
    name.as_str().strip_suffix(tld).is_some_and(|rest| rest.ends_with('.'))
}

//----------- Claims -----------------------------------------------------------------------------------------------

/// What somebody else says of a listed name.
pub(super) fn claim<'t>(
    value: &'t Spanned<DeValue<'t>>,
    listed: &BTreeMap<OrderId, Names>,
    faults: &mut Faults,
) -> Option<Claim> {
    let section = Section::open(value, "claim", &["name", "group", "source"], faults)?;
    let (name, group) = (section.required("name", faults), section.required("group", faults));
    let source = section.required("source", faults);
    let name: DomainName = name?;
    if !listed.values().any(|names| names.contains_key(&name)) {
        let what = format!("a claim about `{}`, which this case does not list", name.defanged());
        faults.add(section.place("name"), what, "list the name under an order, or remove the claim");
    }
    Some(Claim { name, group: group?, source: source? })
}
