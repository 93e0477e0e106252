//! Giving a name back: the letter to its owner, the plan that undoes it for whoever acted, and how far the way back is.
//!
//! One command does it, by one person, at any hour: the name is answered with the owner's records first, at once; then
//! [`papers`] are written about it, which [`crate::Command::RecordReturn`] puts on file. [`progress`] says what remains, and
//! for whom. All of it is functions of what stands and of `now`.
//!
//! What is deliberately absent: sending anything. The plan is for a person who writes to the registrar, and the letter for
//! one who writes to the owner.

use std::collections::BTreeMap;

use model::id::CaseId;
use model::order::OrderTerms;
use model::returning::{Return, ReturnedName, ReversePlan};
use model::{Digest, DomainName, Refusal, Timestamp};
use store::view::CaseView;

use crate::appendix::{Actors, Wanted};

mod letter;
mod mention;
mod plan;
mod progress;
#[cfg(test)]
mod tests;

pub use letter::Letter;
pub use plan::{ActorPlan, NamePlan, Undo};
pub use progress::{Progress, Stage, progress, purge_day};

/// The most names that go back by one command: each has a letter of its own.
pub const NAMES_MAX: usize = 1_000;

/// A file that was written about a return.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Paper {
    /// Within the folder of the return: plain names, below at most two folders.
    pub path: String,
    pub octets: Vec<u8>,
}

/// What a return is made of.
#[derive(Clone, Copy)]
pub struct Wish<'a> {
    pub case: &'a CaseView,
    /// Who acts for which name.
    pub table: &'a Actors,
    pub names: &'a [DomainName],
    pub reason: &'a str,
    /// For how many days what was recorded of a name is kept once it is back.
    pub returned_days: Option<u32>,
    pub now: Timestamp,
}

/// What the fact says, and the files that it names by their digests.
#[derive(Clone, Debug, PartialEq)]
pub struct Papers {
    pub made: Return,
    /// In the vault: letters as text, plans as JSON.
    pub files: Vec<Vec<u8>>,
}

/// Writes the papers of names that are back already, or were never served.
///
/// # Errors
/// If a name is none of the case.
pub fn papers(wish: &Wish<'_>) -> Result<Papers, Refusal> {
    let (mut files, mut names, mut plans) = (Vec::new(), Vec::new(), BTreeMap::<String, ActorPlan>::new());
    let (case, mut unserved) = (wish.case, 0);
    for name in wish.names {
        let stray = || Refusal::new(format!("case {} does not list {}", case.terms.id, name.defanged()));
        let known = case.names.get(name).ok_or_else(stray)?;
        let order = case.orders.get(&known.order).ok_or_else(stray)?;
        let listed = order.names().get(name).or_else(|| order.released().get(name)).copied().unwrap_or_default();
        unserved += u64::from(known.mode.is_none());
        let actor = plan::add(wish, (order.terms(), Wanted { name, listed }), &mut plans);
        let letter = Letter::of(wish, name, order).to_text().into_bytes();
        names.push(ReturnedName {
            name: name.clone(),
            order: known.order.clone(),
            actor,
            letter: Digest::of_bytes(&letter),
        });
        files.push(letter);
    }
    let plans = plans.into_values().map(|plan| {
        let octets = model::digest::canonical_json(&plan);
        let one =
            ReversePlan { actor: plan.actor.clone(), plan: Digest::of_bytes(&octets), names: plan.names.len() as u64 };
        files.push(octets);
        one
    });
    let plans = plans.collect();
    let feeds = case.returning.exported.iter().map(|(format, audience)| format!("{format} for {}", word(audience)));
    let made = Return { reason: wish.reason.trim().to_owned(), names, plans, feeds: feeds.collect(), unserved };
    Ok(Papers { made, files })
}

/// A closed enum's word, as files and the API write it.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// To the second, as people write an instant.
fn to_the_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// By what both sides call a return: it tells nothing of the case.
fn reference(case: &CaseId, name: &DomainName, now: Timestamp) -> String {
    let what = format!("bailiwick return\0{case}\0{}\0{now}", name.as_str());
    format!("BW-{}", Digest::of_bytes(what.as_bytes()).short())
}

/// The files of one name's return as a folder has them; what the vault has lost is left out.
pub fn folder(made: &Return, wanted: &[DomainName], vault: impl Fn(&Digest) -> Option<Vec<u8>>) -> Vec<Paper> {
    let is_wanted = |one: &&ReturnedName| wanted.contains(&one.name);
    let mut papers = Vec::new();
    for one in made.names.iter().filter(is_wanted) {
        let path = format!("letters/{}.txt", one.name.as_str());
        papers.extend(vault(&one.letter).map(|octets| Paper { path, octets }));
    }
    let of_names =
        |plan: &&ReversePlan| made.names.iter().filter(is_wanted).any(|one| one.actor.as_ref() == Some(&plan.actor));
    for plan in made.plans.iter().filter(of_names) {
        let read = vault(&plan.plan).and_then(|octets| serde_json::from_slice::<ActorPlan>(&octets).ok());
        papers.extend(read.iter().flat_map(ActorPlan::files));
    }
    papers
}

/// The order that a return speaks of, beside what it lists of the name.
type Ordered<'a> = (&'a OrderTerms, Wanted<'a>);
