//! View (being written).

use std::collections::BTreeMap;

use model::approval::Approvals;
use model::case::{CaseState, CaseTerms};
use model::fact::{Fact, Indicator, KnowledgeFormat};
use model::group::Group;
use model::id::{CaseId, GroupId, OrderId, PersonId, Position};
use model::order::{NameOutcome, Names, Order};
use model::person::Person;
use model::seizure::{Seizure, ServiceMode};
use model::{Digest, DomainName, Refusal, Timestamp};

use crate::zones::ZoneSet;

/// What stands after a number of facts.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The position of the next fact; `append` expects it.
    pub next: Position,
    pub cases: BTreeMap<CaseId, CaseView>,
    pub approvals: Approvals,
    pub people: BTreeMap<PersonId, Person>,
    pub knowledge: Vec<Knowledge>,
    pub indicators: Vec<(CaseId, GroupId, Indicator)>,
    pub suspects: BTreeMap<DomainName, SuspectView>,
    /// How often the law said no to somebody ([`model::fact::Body::Refused`]).
    pub refusals: u64,
    /// Facts that the law does not allow: they stand in the ledger and have no effect. It should be empty.
    pub without_effect: Vec<(Position, Refusal)>,
}

/// One case.
#[derive(Clone, Debug)]
pub struct CaseView {
    pub terms: CaseTerms,
    /// The digest of the case file.
    pub file: Digest,
    pub state: CaseState,
    pub opened: Timestamp,
    /// The last fact that changed what may be told of the case (names, orders, service, seizures, indicators), and
    /// when: starts, exports, requests, approvals and refusals do not count, so that unchanged data gives unchanged feeds.
    pub changed: Position,
    pub changed_at: Timestamp,
    pub orders: BTreeMap<OrderId, Order>,
    pub names: BTreeMap<DomainName, NameView>,
}

/// One name of a case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NameView {
    pub order: OrderId,
    pub outcome: NameOutcome,
    pub seizure: Seizure,
    /// How it is served; `None` if it is not.
    pub mode: Option<ServiceMode>,
}

/// Somebody else's knowledge of a group; the file lies in the vault.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Knowledge {
    pub group: GroupId,
    pub format: KnowledgeFormat,
    pub source: String,
    pub file: Digest,
    pub objects: u64,
    pub imported: Timestamp,
}

/// A name that may be the group's next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SuspectView {
    pub score: u8,
    pub reasons: Vec<String>,
    pub found: Timestamp,
}

/// The names of an order that are to be served: what [`model::approval::Serve`] and `NamesServed` are about. Their
/// digest is [`model::order::names_digest`] of this set, their count its length.
pub fn names_to_serve(order: &Order) -> Names {
    let redirected = order.names().iter().filter(|(_, listed)| listed.outcome == NameOutcome::Redirect);
    redirected.map(|(name, listed)| (name.clone(), *listed)).collect()
}

impl View {
    pub fn apply(&mut self, _fact: &Fact, _names: impl FnMut(&Digest) -> Option<Names>) -> Result<(), Refusal> {
        unimplemented!()
    }

    /// The groups that are called so, however spelled.
    pub fn group(&self, alias: &str) -> Vec<&Group> {
        self.cases.values().map(|case| &case.terms.group).filter(|group| group.is_called(alias)).collect()
    }

    /// What the sinkhole is to answer for at that instant.
    pub fn zones(&self, _now: Timestamp) -> ZoneSet {
        unimplemented!()
    }
}
