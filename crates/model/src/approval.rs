//! The two-person rule, as values.
//!
//! What widens our reach needs two different people in two different roles, before. Their approvals are bound to the
//! digest of exactly what was shown to them; any change voids them. [`Approved`] has no constructor but
//! [`Approvals::approved`], so that publishing, purging and putting an order in force need no reference to the rule:
//! they ask for the value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::digest::Digest;
use crate::id::{CaseId, OrderId, PersonId, Position, RequestId};
use crate::person::{Person, Role};
use crate::time::Timestamp;

//----------- Widening ---------------------------------------------------------------------------------------------

/// What needs two people.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub enum Widening {
    PutInForce(PutInForce),
    Serve(Serve),
    Unseal(Unseal),
    SharePolicy(SharePolicy),
    ReleaseWithheld(ReleaseWithheld),
    PurgeEvidence(PurgeEvidence),
    ReleaseHold(ReleaseHold),
    Amend(Amend),
}

macro_rules! widenings {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $of:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$field_doc])* pub $field: $of,)* }

        impl Widens for $name {
            fn of(widening: &Widening) -> Option<&Self> {
                match widening { Widening::$name(what) => Some(what), _ => None }
            }
        }
    )*};
}

/// One of the things that [`Widening`] names.
pub trait Widens: Clone {
    fn of(widening: &Widening) -> Option<&Self>;
}

widenings! {
    /// An order may be acted on.
    PutInForce {
        order: OrderId,
        /// [`crate::order::Order::digest`] of the order as shown.
        terms: Digest,
    }
    /// The sinkhole answers for the names of an order.
    Serve {
        order: OrderId,
        /// [`crate::order::names_digest`] of the names as shown.
        names: Digest,
        count: u64,
    }
    /// The seal is lifted.
    Unseal { order: OrderId, }
    /// A recipient gets certain kinds of data without further questions.
    SharePolicy { policy: Digest, }
    /// Victim data of a withheld network is released to one recipient.
    ReleaseWithheld { what: Digest, recipient: String, }
    /// Evidence is destroyed.
    PurgeEvidence { what: Digest, }
    /// A legal hold ends: what is due is purged again.
    ReleaseHold { hold: Position, }
    /// An order does more from now on.
    Amend {
        order: OrderId,
        version: u32,
        /// [`crate::order::Order::digest`] of the order that stands.
        base: Digest,
        /// [`crate::amendment::AmendmentTerms::digest`] of what changes.
        difference: Digest,
    }
}

//----------- Request ----------------------------------------------------------------------------------------------

/// Somebody asks two people.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub id: RequestId,
    pub case: CaseId,
    pub what: Widening,
    /// The digest of what the two are shown.
    pub shown: Digest,
    /// People whose tokens are public may approve this: it is an exercise.
    pub exercise: bool,
}

/// One person's yes.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    pub request: RequestId,
    pub person: PersonId,
    /// The role in which the person says yes.
    pub role: Role,
    pub shown: Digest,
}

//----------- Approvals --------------------------------------------------------------------------------------------

/// Every request with its answers: a fold of facts.
///
/// ```text
/// open ──first yes──► half ──yes by another person in another role──► granted ──acted on──► spent
///   └─────────┴── withdrawn, or what was shown has changed ──► void
/// ```
#[derive(Clone, Debug, Default)]
pub struct Approvals {
    requests: BTreeMap<RequestId, Standing>,
}

/// A request and where it stands.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Standing {
    pub request: Request,
    pub asked_by: Option<PersonId>,
    pub asked_at: Timestamp,
    pub given: Vec<Approval>,
    pub void: bool,
    pub spent: bool,
}

impl Standing {
    /// Whether people can still answer.
    pub fn is_open(&self) -> bool {
        !self.void && !self.spent && self.given.len() < 2
    }
}

impl Approvals {
    pub fn ask(&mut self, request: Request, asked_by: Option<PersonId>, asked_at: Timestamp) {
        let standing = Standing { request, asked_by, asked_at, given: Vec::new(), void: false, spent: false };
        self.requests.insert(standing.request.id, standing);
    }

    /// One person's yes, checked by the rule. The first yes and the second come through here alike.
    pub fn give(&mut self, approval: Approval, person: &Person) -> Result<(), Refusal> {
        self.check(&approval, person)?;
        let standing = self.requests.get_mut(&approval.request).expect("checked above");
        standing.given.push(approval);
        Ok(())
    }

    /// The rule, without effect.
    pub fn check(&self, approval: &Approval, person: &Person) -> Result<(), Refusal> {
        let id = approval.request;
        let Some(standing) = self.requests.get(&id) else {
            return Err(Refusal::new(format!("there is no request {id}")).hint("see `bailiwick approval list`"));
        };
        let request = &standing.request;
        if !standing.is_open() {
            return Err(Refusal::new(format!("request {id} is closed")).hint("see `bailiwick approval list`"));
        }
        if approval.shown != request.shown {
            return Err(Refusal::new(format!("what was shown is not what request {id} asks for"))
                .hint("read it again; it has changed since"));
        }
        if !person.roles.contains(&approval.role) {
            return Err(Refusal::new(format!("{} does not hold the role {}", person.id, approval.role)));
        }
        if !approval.role.may_approve() {
            return Err(Refusal::new(format!("the role {} cannot approve", approval.role))
                .hint("investigator, legal and operator can"));
        }
        if person.fixture && !request.exercise {
            return Err(Refusal::new(format!("{} is a demo's person and request {id} is no exercise", person.id))
                .hint("enrol real people with `bailiwick person add`"));
        }
        for earlier in &standing.given {
            if earlier.person == person.id {
                return Err(Refusal::new(format!("{} has approved request {id} already", person.id))
                    .hint("the second yes is another person's"));
            }
            if earlier.role == approval.role {
                return Err(Refusal::new(format!("{} has approved request {id} as {}", earlier.person, earlier.role))
                    .hint("the second yes comes from another role"));
            }
        }
        Ok(())
    }

    /// The value that acts ask for, once two people in two roles have said yes.
    pub fn approved<A: Widens>(&self, id: RequestId) -> Option<Approved<A>> {
        let standing = self.requests.get(&id)?;
        let [first, second] = &standing.given[..] else { return None };
        let what = A::of(&standing.request.what)?.clone();
        let by = [(first.person.clone(), first.role), (second.person.clone(), second.role)];
        (!standing.void && !standing.spent).then_some(Approved { what, shown: standing.request.shown, by })
    }

    /// Marks a granted request as acted on: an approval serves once.
    pub fn spend(&mut self, id: RequestId) {
        if let Some(standing) = self.requests.get_mut(&id) {
            standing.spent = true;
        }
    }

    /// Voids a request: withdrawn, or what was shown has changed.
    pub fn void(&mut self, id: RequestId) {
        if let Some(standing) = self.requests.get_mut(&id) {
            standing.void = true;
        }
    }

    pub fn get(&self, id: RequestId) -> Option<&Standing> {
        self.requests.get(&id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Standing> {
        self.requests.values()
    }
}

/// Two different people in two different roles have approved exactly this.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Approved<A> {
    what: A,
    shown: Digest,
    by: [(PersonId, Role); 2],
}

impl<A> Approved<A> {
    pub fn what(&self) -> &A {
        &self.what
    }

    pub fn shown(&self) -> Digest {
        self.shown
    }

    pub fn by(&self) -> &[(PersonId, Role); 2] {
        &self.by
    }
}

#[cfg(test)]
mod tests;
