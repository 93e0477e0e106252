//! The proof that an act on a name is covered.

use std::sync::Arc;

use super::{Act, Acts, OrderTerms};
use crate::id::{CaseId, OrderId};
use crate::name::DomainName;
use crate::seizure::AnswerEffect;
use crate::time::Timestamp;

//----------- Coverage ---------------------------------------------------------------------------------------------

/// The proof that an order in force covers an act on a name. [`Order::covers`](super::Order::covers) makes one; a sensor, which has no
/// orders, takes over those that its core has made and signed ([`Attested`]). What all names of an order have in common
/// stands once, so that a million proofs are small.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Coverage {
    pub(super) apex: DomainName,
    pub(super) scope: Arc<Scope>,
    pub(super) act: Act,
    pub(super) acts: Acts,
    pub(super) answer_effect: AnswerEffect,
    pub(super) lapsed: bool,
}

/// What the coverages of one order have in common.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Scope {
    pub(super) case: CaseId,
    order: OrderId,
    until: Option<Timestamp>,
    exercise: bool,
}

impl Scope {
    pub(super) fn of(case: CaseId, terms: &OrderTerms) -> Self {
        Self {
            case,
            order: terms.id.clone(),
            until: terms.authority.expires.as_ref().map(|expires| expires.value.at),
            exercise: terms.authority.is_exercise(),
        }
    }
}

//----------- Attested ---------------------------------------------------------------------------------------------

/// An order in force somewhere else, as the core that holds it has signed. Only `store::lease` makes one, after the
/// signature held; a test of the house says so.
#[derive(Clone, Debug)]
pub struct Attested {
    scope: Arc<Scope>,
    lapsed: bool,
}

impl Attested {
    /// `lapsed`: the core said so, or `until` has passed by a clock that nobody can set back.
    pub fn by_signature(case: CaseId, order: OrderId, until: Option<Timestamp>, exercise: bool, lapsed: bool) -> Self {
        Self { scope: Arc::new(Scope { case, order, until, exercise }), lapsed }
    }

    /// Covers answering for a name, if answering is among the acts.
    pub fn covers(&self, apex: DomainName, acts: Acts, answer_effect: AnswerEffect) -> Option<Coverage> {
        let (scope, lapsed) = (Arc::clone(&self.scope), self.lapsed);
        acts.contains(Act::Answer).then_some(Coverage { apex, scope, act: Act::Answer, acts, answer_effect, lapsed })
    }
}

impl Coverage {
    pub fn apex(&self) -> &DomainName {
        &self.apex
    }

    pub fn act(&self) -> Act {
        self.act
    }

    /// All that the order allows for this name.
    pub fn acts(&self) -> Acts {
        self.acts
    }

    pub fn case(&self) -> &CaseId {
        &self.scope.case
    }

    pub fn order(&self) -> &OrderId {
        &self.scope.order
    }

    /// When the authority ends; then the name goes to `hold`.
    pub fn until(&self) -> Option<Timestamp> {
        self.scope.until
    }

    /// What an answer may set off at the caller.
    pub fn answer_effect(&self) -> AnswerEffect {
        self.answer_effect
    }

    /// Whether the authority has ended at that instant, by its own date or by a fact.
    pub fn has_lapsed(&self, now: Timestamp) -> bool {
        self.lapsed || self.scope.until.is_some_and(|until| until <= now)
    }

    /// Loopback only, and marked.
    pub fn is_exercise(&self) -> bool {
        self.scope.exercise
    }
}
