//! A ledger in memory, for tests: decisions become facts, facts fold into the view.

use std::collections::{BTreeMap, BTreeSet};

use model::case::CaseState;
use model::fact::{Actor, Body, Draft, Fact};
use model::gate::GateRun;
use model::id::{CaseId, PersonId, RequestId};
use model::order::Names;
use model::paper::{Paper, PaperKind};
use model::person::{Person, Role};
use model::{Digest, Refusal, Timestamp};
use store::view::View;

use super::{Done, decide};
use crate::casefile;
use crate::command::Command;

/// Who enrolled whoever a story does not say otherwise of.
const VOUCHER: &str = "the-admin";

#[derive(Default)]
pub(crate) struct Book {
    pub(crate) view: View,
    pub(crate) facts: Vec<Fact>,
    sets: BTreeMap<Digest, Names>,
    /// Whoever tests the gate runs it; elsewhere it has run, and found nothing.
    runs_gate_itself: bool,
    /// Whoever tests who enrolled whom does it; elsewhere an admin whom the one-time token enrolled did.
    enrols_itself: bool,
    /// Whoever tests papers files them; elsewhere the signed ones are on file once somebody asks for approval.
    files_itself: bool,
}

impl Book {
    pub(crate) fn ungated() -> Self {
        Self { runs_gate_itself: true, ..Self::default() }
    }

    pub(crate) fn unvouched() -> Self {
        Self { enrols_itself: true, ..Self::default() }
    }

    pub(crate) fn unfiled() -> Self {
        Self { files_itself: true, ..Self::default() }
    }

    /// Decides and, if the law says yes, appends. The fold has to agree with the decision.
    pub(crate) fn execute(&mut self, command: &Command, actor: &Actor) -> Result<Done, Refusal> {
        self.execute_at(command, actor, now())
    }

    pub(crate) fn execute_at(&mut self, command: &Command, actor: &Actor, at: Timestamp) -> Result<Done, Refusal> {
        let mut decision = decide(&self.view, command, actor, at)?;
        let is_vouched = matches!(command, Command::EnrolPerson { .. }) && !self.enrols_itself;
        if is_vouched {
            decision.drafts.iter_mut().for_each(|draft| draft.actor = as_person(VOUCHER));
            self.vouch();
        }
        self.sets.extend(decision.named_sets.into_iter().map(|set| (set.digest(), Names::clone(set.names()))));
        decision.drafts.into_iter().for_each(|draft| self.take(draft, at));
        if is_vouched {
            self.view.people.remove(&PersonId::parse(VOUCHER).unwrap());
        }
        if let Done::CaseOpened { case, .. } = &decision.done
            && !self.runs_gate_itself
        {
            self.find_nothing(case);
        }
        if let (Done::ApprovalAsked { .. }, Some(case), false) = (&decision.done, command.case(), self.files_itself) {
            self.file_signed(case);
        }
        Ok(decision.done)
    }

    /// A fact that nobody decided here: the fold alone says whether it has an effect.
    pub(crate) fn append(&mut self, body: Body, actor: &Actor) -> Result<(), Refusal> {
        let fact = Draft::new(actor.clone(), body).at(self.view.next, now());
        let folded = self.view.apply(&fact, |_| None);
        self.facts.push(fact);
        folded
    }

    /// A set of names that some fact speaks of.
    pub(crate) fn set(&self, digest: &Digest) -> Option<Names> {
        self.sets.get(digest).cloned()
    }

    fn take(&mut self, draft: Draft, at: Timestamp) {
        let fact = draft.at(self.view.next, at);
        let sets = &self.sets;
        self.view.apply(&fact, |digest| sets.get(digest).cloned()).expect("what was decided folds");
        self.facts.push(fact);
    }

    /// For a moment there is somebody who vouches, and is not among the people of any story.
    fn vouch(&mut self) {
        let id = PersonId::parse(VOUCHER).unwrap();
        self.view.vouched.insert(id.clone());
        self.view.people.entry(id).or_insert_with(|| person(VOUCHER, &[Role::Admin], false));
    }

    fn file_signed(&mut self, id: &CaseId) {
        let case = &self.view.cases[id];
        let rules = case.orders.values().map(|order| crate::authority::rule(order.terms().authority.instrument));
        let granting = rules.flat_map(|rule| rule.papers).filter(|(state, _)| *state == CaseState::Granted);
        let kinds: BTreeSet<PaperKind> = granting.flat_map(|(_, kinds)| kinds.iter().copied()).collect();
        let missing = kinds.into_iter().filter(|kind| case.papers.iter().all(|paper| paper.kind != *kind));
        for kind in missing.collect::<Vec<_>>() {
            let paper = Paper { kind, file: Digest::of_bytes(kind.as_str().as_bytes()), octets: 5 };
            self.take(Draft::new(someone(), Body::PaperFiled { case: id.clone(), paper }), now());
        }
    }

    fn find_nothing(&mut self, case: &CaseId) {
        let orders = self.view.cases[case].order_digests();
        let (report, none) = (Digest::of_bytes(b"nothing"), Vec::new);
        let run = GateRun {
            case: case.clone(),
            orders,
            names: 3,
            tables: Vec::new(),
            looked: BTreeSet::new(),
            report,
            warnings: none(),
            stops: none(),
        };
        self.take(Draft::new(someone(), Body::GateRun { run: Box::new(run) }), now());
    }

    pub(crate) fn shown(&self, request: RequestId) -> Digest {
        self.view.approvals.get(request).map_or(Digest::of_bytes(b"nothing"), |standing| standing.request.shown)
    }
}

pub(crate) fn now() -> Timestamp {
    "2026-03-20T12:00:00Z".parse().unwrap()
}

pub(crate) fn someone() -> Actor {
    Actor::LocalUser { uid: 1000 }
}

pub(crate) fn as_person(id: &str) -> Actor {
    Actor::Person { id: PersonId::parse(id).unwrap() }
}

pub(crate) fn case(id: &str) -> CaseId {
    CaseId::parse(id).unwrap()
}

pub(crate) fn person(id: &str, roles: &[Role], fixture: bool) -> Person {
    let token = Digest::of_bytes(id.as_bytes());
    Person { id: PersonId::parse(id).unwrap(), roles: roles.iter().copied().collect(), token, fixture }
}

/// A case with two names to redirect and one to hold, under an authority of that kind.
pub(crate) fn text(id: &str, instrument: &str) -> String {
    format!(
        r#"
[case]
id = "{id}"
title = "Harbour"
contact = "desk@harbour.example"
purpose = {{ value = "warn victims", source = "unverified" }}
[group]
id = "harbour-crew"
name = "Harbour Crew"
[[order]]
id = "o-{id}"
name_servers = ["ns1.harbour.example"]
[order.authority]
instrument = "{instrument}"
issuer = {{ value = "A court", source = "unverified" }}
issued = {{ value = 2026-03-15, source = "the paper" }}
expires = {{ value = 2026-03-29T17:00:00-04:00, source = "the paper" }}
[[list]]
order = "o-{id}"
source = "the paper"
names = ["login-harbour.example", "mail-harbour.example"]
[[list]]
order = "o-{id}"
source = "the paper"
outcome = "hold"
names = ["held-harbour.example"]
"#
    )
}

pub(crate) fn import(text: &str) -> Command {
    let file = Box::new(casefile::parse(text).expect("a good file"));
    Command::ImportCase { file, text: text.to_owned() }
}
