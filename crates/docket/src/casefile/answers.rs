//! What names are answered with, and what an answer may set off: what a case file says about answers.

use model::answers::AnswerSet;
use model::case::CaseTerms;
use model::order::{Act, Listed, NameOutcome, OrderTerms};
use toml::Spanned;
use toml::de::DeValue;

use super::fault::Faults;
use super::section::Section;

/// `[case.answers]` or `[order.answers]`.
pub(super) fn read<'t>(value: &'t Spanned<DeValue<'t>>, faults: &mut Faults) -> Option<AnswerSet> {
    let section = Section::open(value, "answers", &["v4", "v6", "ttl_secs"], faults)?;
    let set = AnswerSet {
        v4: section.or_default("v4", faults),
        v6: section.or_default("v6", faults),
        ttl_secs: section.optional("ttl_secs", faults),
    };
    if let Some(what) = set.fault() {
        faults.add(
            value.span(),
            format!("these answers cannot be served: {what}"),
            "write `v4 = [\"192.0.2.1\"]`, the addresses of your traps",
        );
    }
    Some(set)
}

/// An exercise is served on loopback only, so what it answers with leads nobody anywhere else.
pub(super) fn check<'o>(
    case: &Section<'_>,
    terms: Option<&CaseTerms>,
    orders: impl Iterator<Item = &'o OrderTerms>,
    faults: &mut Faults,
) {
    let of_case = terms.and_then(|terms| terms.answers.as_ref());
    for order in orders.filter(|order| order.authority.is_exercise()) {
        let sets = of_case.into_iter().chain(&order.answers);
        for beyond in sets.flat_map(AnswerSet::addresses).filter(|address| !address.to_canonical().is_loopback()) {
            let what = format!("order `{}` is an exercise and would answer with {beyond}", order.id);
            faults.add(case.place("order"), what, "an exercise answers with loopback addresses only");
        }
    }
}

/// A kill switch is kept by answers, so it can only be redirected to us, and answered for.
pub(super) fn check_effect(section: &Section<'_>, listed: Listed, faults: &mut Faults) {
    let is_answered = listed.outcome == NameOutcome::Redirect && listed.acts.contains(Act::Answer);
    if listed.answer_effect.is_kill_switch() && !is_answered {
        let what = "a kill switch that nobody answers for lets run what it keeps from running";
        faults.add(section.place("answer_effect"), what, "list it with outcome `redirect` and the act `answer`");
    }
}
