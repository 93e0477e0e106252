//! Who is on a case, and who sees it: a sealed case is not there for whoever is not on it.
//!
//! On a case is whoever opened it by token, asked for one of its approvals or gave one, and whoever was added; until
//! they are removed. The machine's own user prepares and sees all: the files are theirs to read anyway.

use std::collections::BTreeSet;

use model::Timestamp;
use model::fact::{Actor, Body, Fact};
use model::group::Group;
use model::id::{CaseId, PersonId};
use model::time::utc_day;

use super::{CaseView, View};

/// The people who are on a case.
pub type Members = BTreeSet<PersonId>;

impl CaseView {
    /// Whether one of its orders is sealed at that instant.
    pub fn is_sealed(&self, at: Timestamp) -> bool {
        let until = self.orders.values().filter_map(|order| self.sealed_until(order)).max();
        until.is_some_and(|until| utc_day(at) < until)
    }

    /// Whether it is there at all for whoever asks.
    pub fn is_seen_by(&self, asker: &Actor, at: Timestamp) -> bool {
        match asker {
            Actor::Person { id } => self.members.contains(id) || !self.is_sealed(at),
            Actor::LocalUser { .. } | Actor::Room { .. } => true,
        }
    }
}

/// The groups of these cases that are called so, however spelled, each once.
pub fn groups_called<'v>(cases: impl Iterator<Item = &'v CaseView>, alias: &str) -> Vec<&'v Group> {
    let mut groups: Vec<&Group> = Vec::new();
    for group in cases.map(|case| &case.terms.group).filter(|group| group.is_called(alias)) {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

impl View {
    /// The cases that are there for whoever asks, in order of id.
    pub fn cases_seen_by<'a>(&'a self, asker: &'a Actor, at: Timestamp) -> impl Iterator<Item = &'a CaseView> + 'a {
        self.cases.values().filter(move |case| case.is_seen_by(asker, at))
    }

    /// A case, if it is there for whoever asks.
    pub fn case_seen_by(&self, id: &CaseId, asker: &Actor, at: Timestamp) -> Option<&CaseView> {
        self.cases.get(id).filter(|case| case.is_seen_by(asker, at))
    }

    /// Whoever opens a case, asks for an approval or gives one is on it from then on.
    pub(super) fn join(&mut self, fact: &Fact) {
        let Actor::Person { id } = &fact.actor else { return };
        let case = match &fact.body {
            Body::CaseOpened { case, .. } => Some(case.id.clone()),
            Body::ApprovalRequested { request } => Some(request.case.clone()),
            Body::ApprovalGiven { approval } => {
                self.approvals.get(approval.request).map(|standing| standing.request.case.clone())
            }
            _ => None,
        };
        if let Some(case) = case.and_then(|case| self.cases.get_mut(&case)) {
            case.members.insert(id.clone());
        }
    }
}
