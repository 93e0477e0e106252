//! What one actor has to undo, name by name: the reverse of what was ordered, in words and, where we are the registrar who
//! sponsors the name, as EPP commands.
//!
//! It is made from what was ordered of the name, from how the registration stood before as the operator's table has it, and
//! from what the ledger says was sent to the actor and answered by them. While the case is sealed no order is named.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use model::order::NameOutcome;
use model::{DomainName, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Ordered, Paper, Wish, reference, to_the_second};
use crate::appendix::epp::Frame;
use crate::appendix::plan::{Step, frames, plan};
use crate::appendix::{Actor, Wanted};

/// All that one actor has to undo of one return.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActorPlan {
    /// As the board calls them.
    pub actor: String,
    pub called: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    pub reference: String,
    pub made: Timestamp,
    /// Whom they answer to.
    pub answer_to: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exercise: bool,
    pub names: Vec<NamePlan>,
}

/// One name.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamePlan {
    pub name: DomainName,
    pub outcome: NameOutcome,
    /// Left out while the case is sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// When the actor was sent the order, and answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<Timestamp>,
    pub steps: Vec<Undo>,
    /// EPP, in order; none unless the actor sponsors the name and somebody wrote down how it stood before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<EppCommand>,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    pub who: String,
    pub does: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_if: Option<String>,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EppCommand {
    pub object: DomainName,
    pub does: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_if: Option<String>,
    pub cl_trid: String,
    pub xml: String,
}

//----------- Making -----------------------------------------------------------------------------------------------

/// Adds a name to its actor's plan; the actor, if there is one.
pub(super) fn add(wish: &Wish<'_>, ordered: Ordered<'_>, plans: &mut BTreeMap<String, ActorPlan>) -> Option<String> {
    let wanted = ordered.1;
    let actor = wish.table.actor(wish.table.index_for(wanted.name)?);
    let of_actor = plans.entry(actor.id.clone()).or_insert_with(|| empty(wish, actor, wanted.name));
    of_actor.names.push(of_name(wish, ordered, actor));
    Some(actor.id.clone())
}

fn empty(wish: &Wish<'_>, actor: &Actor, first: &DomainName) -> ActorPlan {
    ActorPlan {
        actor: actor.id.clone(),
        called: actor.called().to_owned(),
        contact: actor.contact.clone(),
        reference: reference(&wish.case.terms.id, first, wish.now),
        made: to_the_second(wish.now),
        answer_to: wish.case.terms.contact.clone(),
        exercise: wish.case.orders.values().any(|order| order.terms().authority.is_exercise()),
        names: Vec::new(),
    }
}

fn of_name(wish: &Wish<'_>, (terms, wanted): Ordered<'_>, actor: &Actor) -> NamePlan {
    let Wanted { name, listed } = wanted;
    let dispatch = wish.case.execution.dispatches.get(&(terms.id.clone(), actor.id.clone()));
    let order = (!wish.case.is_sealed(wish.now)).then(|| terms.id.to_string());
    let steps = plan(wanted, actor, wish.table, terms).reverse.into_iter().map(undo);
    let (_, commands) = frames(wanted, actor, wish.table, terms);
    NamePlan {
        name: name.clone(),
        outcome: listed.outcome,
        order,
        sent: dispatch.map(|sent| to_the_second(sent.sent)),
        answered: dispatch.and_then(|sent| sent.acknowledged.as_ref().map(|(at, _)| to_the_second(*at))),
        steps: steps.collect(),
        commands: commands.into_iter().map(command).collect(),
    }
}

fn undo(step: Step) -> Undo {
    Undo { who: step.who.to_owned(), does: step.does, only_if: step.only_if }
}

fn command(frame: Frame) -> EppCommand {
    let Frame { object, does, only_if, cl_trid, xml } = frame;
    EppCommand { object, does: does.to_owned(), only_if: only_if.map(str::to_owned), cl_trid, xml }
}

//----------- As files ---------------------------------------------------------------------------------------------

impl ActorPlan {
    /// `ACTOR/plan.txt`, `ACTOR/plan.json`, and `ACTOR/epp/TLD-reverse.jsonl` where there are commands.
    pub fn files(&self) -> Vec<Paper> {
        let file = |name: &str, octets| Paper { path: format!("{}/{name}", self.actor), octets };
        let mut json = serde_json::to_vec_pretty(self).expect("a plan is plain JSON");
        json.push(b'\n');
        let mut files = vec![file("plan.txt", self.to_text().into_bytes()), file("plan.json", json)];
        let mut by_registry: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
        for one in &self.names {
            for command in &one.commands {
                let lines = by_registry.entry(one.name.tld()).or_default();
                lines.extend(model::digest::canonical_json(command));
                lines.push(b'\n');
            }
        }
        files.extend(by_registry.into_iter().map(|(tld, lines)| file(&format!("epp/{tld}-reverse.jsonl"), lines)));
        files
    }

    /// For people.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        if self.exercise {
            text.push_str("EXERCISE. This plan binds nobody and asks nobody for anything. Do not send it.\n\n");
        }
        let contact = self.contact.as_ref().map(|contact| format!(" ({contact})")).unwrap_or_default();
        let _ = writeln!(text, "To:   {}{contact}", self.called);
        let _ = writeln!(text, "Date: {}", self.made);
        let _ = writeln!(text, "Ref:  {}\n", self.reference);
        let _ = writeln!(
            text,
            "These names go back to their owners. Please undo what was done at the registry, in this order, and say to\n{} what was done, and when. Until then the world still asks our name servers; they answer with what the\nowner had, as far as we know it, and record nothing.",
            self.answer_to
        );
        self.names.iter().for_each(|one| one.write(&mut text));
        text
    }
}

impl NamePlan {
    fn write(&self, text: &mut String) {
        let order = self.order.as_ref().map(|order| format!(", under order {order}")).unwrap_or_default();
        let _ = writeln!(text, "\n{} ({}{order})", self.name.as_str(), self.outcome.as_str());
        let told = match (self.sent, self.answered) {
            (None, _) => {
                "it is not on record that you were asked for it: look first whether anything was changed".into()
            }
            (Some(sent), None) => format!("you were asked for it at {sent}; no answer is on record"),
            (Some(sent), Some(answered)) => format!("you were asked for it at {sent}, and answered at {answered}"),
        };
        let _ = writeln!(text, "  {told}");
        for (number, step) in (1..).zip(&self.steps) {
            let only_if = step.only_if.as_ref().map(|when| format!("if {when}: ")).unwrap_or_default();
            let _ = writeln!(text, "  {number}. {only_if}{} {}", step.who, step.does);
        }
        if !self.commands.is_empty() {
            let _ = writeln!(
                text,
                "  {} EPP commands say the same: epp/{}-reverse.jsonl",
                self.commands.len(),
                self.name.tld()
            );
        }
    }
}
