//! A draft of a supplemental list: a case file with the related names, for somebody to read and change.
//!
//! It copies what the case says of itself and of its first order. What only a paper can say (docket, judge, dates) is left out.

use std::fmt::Write as _;

use model::name::DomainName;
use model::order::{Authority, NameOutcome, Sourced};
use store::view::CaseView;

use super::{Related, RelatedName};

/// Weaker names are told and not drafted.
pub const DRAFT_SCORE_MIN: u8 = 30;

/// The draft; `None` where no name can be listed.
pub fn draft(case: &CaseView, related: &Related) -> Option<String> {
    let order = case.orders.values().next()?.terms();
    let strong = related.names.iter().filter(|one| one.score >= DRAFT_SCORE_MIN && !one.name.is_public_suffix());
    let (shared, own): (Vec<&RelatedName>, Vec<&RelatedName>) =
        strong.partition(|one| one.name.is_under_shared_suffix());
    if shared.is_empty() && own.is_empty() {
        return None;
    }
    let id = format!("{}-supplement", order.id);
    let mut text = head(case);
    let _ = write!(text, "\n[[order]]\nid = {}\nname_servers = {}\n", quoted(&id), names_of(&order.name_servers));
    authority(&mut text, &order.authority);
    for (outcome, names) in [(NameOutcome::Redirect, own), (NameOutcome::ProviderRemoval, shared)] {
        list(&mut text, &id, outcome, &names);
    }
    Some(text)
}

fn head(case: &CaseView) -> String {
    let terms = &case.terms;
    let group = &terms.group;
    let mut text = format!(
        "# DRAFT of a supplemental list to case {}, made by `bailiwick case related`. Nobody has decided anything: read each reason,\n\
         # take out what does not belong, give the papers' own docket number and dates, and run the harm gate over it.\n\n\
         [case]\nid = {}\ntitle = {}\ncontact = {}\npurpose = {}\n\n[group]\nid = {}\nname = {}\n",
        terms.id,
        quoted(&format!("{}-supplement", terms.id)),
        quoted(&format!("{}: supplement", terms.title)),
        quoted(&terms.contact),
        sourced(&terms.purpose),
        quoted(group.id.as_str()),
        quoted(&group.name),
    );
    if let Some(state) = &group.attributed_to {
        let (country, source) = (quoted(&state.country.to_string()), quoted(&state.source.to_string()));
        let _ = writeln!(text, "attributed_to = {{ country = {country}, source = {source} }}");
    }
    text
}

fn authority(text: &mut String, authority: &Authority) {
    let (instrument, issuer) = (quoted(authority.instrument.as_str()), sourced(&authority.issuer));
    let _ = write!(text, "\n[order.authority]\ninstrument = {instrument}\nissuer = {issuer}\n");
}

fn list(text: &mut String, order: &str, outcome: NameOutcome, names: &[&RelatedName]) {
    if names.is_empty() {
        return;
    }
    let outcome = outcome.as_str();
    let _ = write!(
        text,
        "\n[[list]]\norder = {}\nsource = \"bailiwick case related: unverified\"\noutcome = \"{outcome}\"\nnames = [\n",
        quoted(order)
    );
    for RelatedName { name, score, reasons } in names {
        let why: Vec<String> = reasons.iter().map(|one| format!("{}: {}", one.kind.as_str(), one.what)).collect();
        let why: String = why.join("; ").chars().filter(|c| !c.is_control()).take(300).collect();
        let _ = writeln!(text, "  {}, # {score}: {why}", quoted(name.as_str()));
    }
    text.push_str("]\n");
}

fn names_of(names: &[DomainName]) -> String {
    let names: Vec<String> = names.iter().map(|name| quoted(name.as_str())).collect();
    format!("[{}]", names.join(", "))
}

fn sourced(one: &Sourced<String>) -> String {
    format!("{{ value = {}, source = {} }}", quoted(&one.value), quoted(&one.source.to_string()))
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
