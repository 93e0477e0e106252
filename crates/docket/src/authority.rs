//! Authorities as data: what each kind of instrument is, what it can give, and which paper each step of a case needs.
//!
//! One row per instrument in [`table`]. The law asks it before a case is taken in and before two people are asked
//! ([`check_order`]), when they put it in force ([`check_in_force`]), and at each step of a case ([`check_step`]). An exercise needs no paper. What the table says of a
//! date is a rule; the date itself is copied from the signed paper, and a computed one is a proposal that counsel confirms.

use std::collections::BTreeSet;

use model::case::CaseState;
use model::order::{Act, Instrument, NameOutcome, Names, OrderStatus, OrderTerms};
use model::paper::{Paper, PaperKind};
use model::{Refusal, Timestamp};
use serde::Serialize;
use store::view::CaseView;

mod nested;
mod table;
#[cfg(test)]
mod tests;

pub use nested::{check_nested, parent_in};
pub use table::TABLE;

//----------- AuthorityRule ----------------------------------------------------------------------------------------

/// One kind of instrument.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct AuthorityRule {
    pub instrument: Instrument,
    pub title: &'static str,
    /// Who issues it.
    pub issuer: &'static str,
    pub force: Force,
    /// What may become of a name under it.
    pub outcomes: &'static [NameOutcome],
    /// The acts that it can give, at most; a paper may give fewer.
    pub acts: &'static [Act],
    /// The states that a case under it can be in, beside draft.
    pub states: &'static [CaseState],
    /// The papers that a state needs before it is entered.
    pub papers: &'static [(CaseState, &'static [PaperKind])],
    /// What the paper must say before anybody is asked to put it in force.
    pub stated: &'static [Stated],
    pub expiry: &'static str,
    /// By its rule it ends so many days after it was issued, if the paper names no other day: a proposal.
    pub expiry_days: Option<i32>,
    pub appeal: &'static str,
    /// Who may object to names that come in by a supplemental list, within a window that counsel confirms.
    pub monitor: Option<&'static str>,
    /// Statute, rule, policy; `unverified` where it was not read at its source.
    pub sources: &'static [&'static str],
}

/// Whether whoever receives it has to obey.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Force {
    Binding,
    Request,
    Consent,
    Rehearsal,
}

impl Force {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Binding => "binding",
            Self::Request => "request",
            Self::Consent => "consent",
            Self::Rehearsal => "rehearsal",
        }
    }
}

/// Something that stands on the paper.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stated {
    Issued,
    Expires,
}

/// The row of an instrument.
pub fn rule(instrument: Instrument) -> &'static AuthorityRule {
    TABLE.iter().find(|rule| rule.instrument == instrument).expect("a test says that every instrument has its row")
}

fn see(instrument: Instrument) -> String {
    format!("see `bailiwick authority show {}`", instrument.as_str())
}

//----------- Orders -----------------------------------------------------------------------------------------------

/// Refuses an order that lists what its instrument does not give.
///
/// # Errors
/// Names the first name with an outcome or an act that is beyond the instrument.
pub fn check_order(terms: &OrderTerms, names: &Names) -> Result<(), Refusal> {
    let instrument = terms.authority.instrument;
    let rule = rule(instrument);
    let (id, word) = (&terms.id, instrument.as_str());
    for (name, listed) in names {
        let shown = name.defanged();
        if !rule.outcomes.contains(&listed.outcome) {
            let what = format!("order {id} lists {shown} as {}: a {word} does not give that", listed.outcome.as_str());
            return Err(Refusal::new(what).hint(see(instrument)));
        }
        if let Some(act) = listed.acts.iter().find(|act| !rule.acts.contains(act)) {
            let what = format!("order {id} lists {shown} with the act {}: a {word} does not give it", act.as_str());
            return Err(Refusal::new(what).hint(see(instrument)));
        }
    }
    Ok(())
}

/// Refuses to ask two people about an order whose paper does not say what it must.
///
/// # Errors
/// Names the date that is missing, and the one that the rule proposes.
pub fn check_stated(terms: &OrderTerms) -> Result<(), Refusal> {
    let authority = &terms.authority;
    let rule = rule(authority.instrument);
    for stated in rule.stated {
        let (is_there, field) = match stated {
            Stated::Issued => (authority.issued.is_some(), "issued"),
            Stated::Expires => (authority.expires.is_some(), "expires"),
        };
        if is_there {
            continue;
        }
        let refusal = Refusal::new(format!("order {} does not say `{field}`", terms.id));
        return Err(match (stated, proposed_end(terms)) {
            (Stated::Expires, Some(day)) => refusal
                .hint(format!("by its rule it ends on {day} ({}); copy the day from the signed paper", rule.expiry)),
            _ => refusal.hint("copy it from the signed paper, with its source"),
        });
    }
    Ok(())
}

/// The day that the rule computes from the day of issue: a proposal.
pub fn proposed_end(terms: &OrderTerms) -> Option<model::time::Date> {
    let days = rule(terms.authority.instrument).expiry_days?;
    let issued = terms.authority.issued.as_ref()?.value;
    issued.checked_add(jiff::Span::new().days(days)).ok()
}

//----------- In force ---------------------------------------------------------------------------------------------

/// The papers by which somebody else has spoken. Our own registration is our own act, and a rehearsal has no paper.
fn signed(instrument: Instrument) -> impl Iterator<Item = PaperKind> {
    let is_ours = matches!(instrument, Instrument::OwnRegistration | Instrument::Exercise);
    granting(instrument).filter(move |_| !is_ours)
}

/// The papers on which *granted* rests.
fn granting(instrument: Instrument) -> impl Iterator<Item = PaperKind> {
    let rows = rule(instrument).papers.iter().filter(|(state, _)| *state == CaseState::Granted);
    rows.flat_map(|(_, kinds)| kinds.iter().copied())
}

/// Refuses to put an order in force whose signed paper nobody has put on file.
///
/// # Errors
/// Names every paper that is missing.
pub fn check_in_force(case: &CaseView, terms: &OrderTerms) -> Result<(), Refusal> {
    let is_on_file = |kind: &PaperKind| case.papers.iter().any(|paper| paper.kind == *kind);
    let instrument = terms.authority.instrument;
    let missing: Vec<&str> = signed(instrument).filter(|kind| !is_on_file(kind)).map(PaperKind::as_str).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let files: Vec<String> = missing.iter().map(|kind| format!("--document {kind}=FILE")).collect();
    let (id, word) = (&case.terms.id, instrument.as_str());
    Err(Refusal::new(format!(
        "order {} is not put in force: missing papers of a {word}: {}",
        terms.id,
        missing.join(", ")
    ))
    .hint(format!("put it on file, and say yes again: `bailiwick case file {id} {}`", files.join(" "))))
}

/// The papers on file by which an order's authority has spoken: of each kind the newest that no step has named yet, or the
/// newest.
pub fn papers_in_force(case: &CaseView, terms: &OrderTerms) -> Vec<Paper> {
    let newest = |kind: PaperKind| {
        let of_kind = || case.papers.iter().rev().filter(move |paper| paper.kind == kind);
        of_kind().find(|paper| !case.named_papers.contains(&paper.file)).or_else(|| of_kind().next())
    };
    granting(terms.authority.instrument).filter_map(newest).cloned().collect()
}

//----------- Steps ------------------------------------------------------------------------------------------------

/// The main line of a case, on which a later state rests on the papers of those before it.
const LINE: [CaseState; 14] = [
    CaseState::Evidence,
    CaseState::Review,
    CaseState::Filed,
    CaseState::Granted,
    CaseState::Executing,
    CaseState::Executed,
    CaseState::Unsealed,
    CaseState::Served,
    CaseState::Injunction,
    CaseState::Supplemental,
    CaseState::Judgment,
    CaseState::Permanent,
    CaseState::Monitoring,
    CaseState::Closed,
];

/// Refuses a step that no authority of the case knows, or whose papers are not on file.
///
/// # Errors
/// Names every paper that is missing, and the day on which an authority ended.
pub fn check_step(case: &CaseView, to: CaseState, now: Timestamp) -> Result<(), Refusal> {
    let rules = rules(case);
    let (id, word) = (&case.terms.id, state_word(to));
    if !rules.iter().any(|rule| rule.states.contains(&to)) {
        let kinds: Vec<&str> = rules.iter().map(|rule| rule.instrument.as_str()).collect();
        let refusal = Refusal::new(format!("a case under {} is never {word}", kinds.join(" and ")));
        return Err(match rules.first() {
            Some(rule) => refusal.hint(see(rule.instrument)),
            None => refusal,
        });
    }
    if to == CaseState::Expired {
        check_expired(case, now)?;
    }
    let missing = missing_papers(case, &rules, to);
    if missing.is_empty() {
        return Ok(());
    }
    let kinds: Vec<&str> = missing.iter().map(|kind| kind.as_str()).collect();
    let files: Vec<String> = kinds.iter().map(|kind| format!("--document {kind}=FILE")).collect();
    Err(Refusal::new(format!("case {id} cannot be {word}: not on file: {}", kinds.join(", ")))
        .hint(format!("file it with the step: `bailiwick case advance {id} {word} {}`", files.join(" "))))
}

fn rules(case: &CaseView) -> Vec<&'static AuthorityRule> {
    let kinds: BTreeSet<Instrument> = case.orders.values().map(|order| order.terms().authority.instrument).collect();
    kinds.into_iter().map(rule).collect()
}

fn missing_papers(case: &CaseView, rules: &[&AuthorityRule], to: CaseState) -> BTreeSet<PaperKind> {
    let on_the_way = |state: CaseState| state == to || LINE.contains(&to) && LINE.contains(&state) && state < to;
    let needs = rules.iter().flat_map(|rule| rule.papers).filter(|(state, _)| on_the_way(*state));
    let needed: BTreeSet<PaperKind> = needs.flat_map(|(_, kinds)| kinds.iter().copied()).collect();
    let on_file: BTreeSet<PaperKind> = case.papers.iter().map(|paper| paper.kind).collect();
    let is_fresh = |kind: PaperKind| {
        case.papers.iter().any(|paper| paper.kind == kind && !case.named_papers.contains(&paper.file))
    };
    let owned = rules.iter().flat_map(|rule| of_its_own(rule, to)).filter(|kind| !is_fresh(*kind));
    needed.difference(&on_file).copied().chain(owned).collect()
}

/// Kinds of which a state takes a paper that no step has named yet, because other states list the kind, too: an injunction
/// is not granted by the restraining order. One judgment may say both what it finds and that it is permanent.
fn of_its_own(rule: &AuthorityRule, to: CaseState) -> Vec<PaperKind> {
    let listed = |kind: PaperKind| rule.papers.iter().any(|(state, kinds)| *state != to && kinds.contains(&kind));
    let kinds = rule.papers.iter().filter(|(state, _)| *state == to).flat_map(|(_, kinds)| kinds.iter().copied());
    kinds.filter(|kind| *kind != PaperKind::Judgment && listed(*kind)).collect()
}

/// A case is expired when the day of one of its authorities has come, not before.
fn check_expired(case: &CaseView, now: Timestamp) -> Result<(), Refusal> {
    let ends = case.orders.values().filter_map(|order| {
        let has_lapsed = order.status() == OrderStatus::Lapsed;
        let expires = order.terms().authority.expires.as_ref().map(|expires| expires.value.at);
        if has_lapsed { Some(now) } else { expires }
    });
    match ends.min() {
        Some(end) if end <= now => Ok(()),
        Some(end) => Err(Refusal::new(format!("case {} is not expired: its authority ends at {end}", case.terms.id))),
        None => Err(Refusal::new(format!("case {} has no authority with a day on which it ends", case.terms.id))),
    }
}

/// The word by which files and commands call a state; all are one word.
pub fn state_word(state: CaseState) -> String {
    format!("{state:?}").to_lowercase()
}
