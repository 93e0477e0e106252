//! The appendix of an order, compiled: who has to act on which names, how, and how it is undone.
//!
//! An order lists names; a registrar acts on a list of its own. [`actors`] says who acts for which name, [`plan`] what they
//! do in which order and what undoes it, [`epp`] writes the commands where the actor is a registrar who sponsors the name,
//! [`checklist`] says which questions of ICANN's guidance for such orders stay open, and [`run`] writes all of it into one
//! folder with a signed manifest: the whole, and, for an actor who was sent an earlier version of an order, beside it what
//! came in and what left since. Names are written actor by actor as they come, so that a million of them need no memory
//! beyond the list that the order holds anyway.
//!
//! What is deliberately absent: sending anything. A frame is a text for whoever has the registrar's login; a status that
//! begins with `server` is the registry's own, so it is an instruction to its back office and never a frame.

use model::DomainName;
use model::id::OrderId;
use model::order::{Listed, NameOutcome, OrderTerms};
use serde::Serialize;

pub mod actors;
pub mod checklist;
pub mod epp;
mod list;
pub mod plan;
pub mod run;
mod sheet;
pub mod state;

pub use actors::{Actor, Actors};
pub use checklist::Checklist;
pub use run::{Compiled, compile};

/// The most actors of one order: there are some 1,500 registries, and a case that asks more of them is several.
pub const ACTORS_MAX: usize = 2_000;

/// One name with what shall become of it.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub name: &'a DomainName,
    pub listed: Listed,
}

/// One order of the case and its names, in order of name.
#[derive(Debug)]
pub struct Part<'a> {
    pub terms: &'a OrderTerms,
    pub names: Vec<Wanted<'a>>,
}

/// What an actor has not been told of an order that was amended since they were sent their share.
#[derive(Debug)]
pub struct Difference<'a> {
    pub terms: &'a OrderTerms,
    pub actor: &'a Actor,
    /// The version that they were sent.
    pub since: u32,
    /// Names that came in or have another outcome, as they stand, in order of name.
    pub came: Vec<Wanted<'a>>,
    /// Names that left, as they stood, in order of name.
    pub left: Vec<Wanted<'a>>,
}

/// Which part of a difference: what is to be done, or what is to be undone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum News {
    Came { since: u32 },
    Left { since: u32 },
}

impl Part<'_> {
    pub fn order(&self) -> &OrderId {
        &self.terms.id
    }
}

/// How many names of each outcome.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Outcomes(pub std::collections::BTreeMap<NameOutcome, u64>);

impl Outcomes {
    fn count(&mut self, outcome: NameOutcome) {
        *self.0.entry(outcome).or_default() += 1;
    }
}

#[cfg(test)]
mod tests;
