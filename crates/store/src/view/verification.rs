//! What the world was last seen to say about a case's names, and what people answer for where nobody can see.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::check::{Attestation, Check, CheckAttested, Verification};
use model::fact::{Actor, Fact};
use model::id::OrderId;
use model::order::Names;
use model::{Digest, DomainName, Refusal, Timestamp};

use super::CaseView;

/// Verification, as one case has it.
#[derive(Clone, Debug, Default)]
pub struct VerificationView {
    /// The last pass over each order's names.
    pub passes: BTreeMap<OrderId, PassView>,
    pub attested: BTreeMap<(DomainName, Check), Attestation>,
}

/// One pass.
#[derive(Clone, Debug)]
pub struct PassView {
    pub made: Verification,
    pub at: Timestamp,
    /// The names that no parent server delegates to us.
    pub undelegated: Arc<Names>,
    /// When that was seen: an attestation looks at nothing.
    pub undelegated_at: Timestamp,
}

impl VerificationView {
    /// When the last look at that order's names saw that no parent server delegates the name to us; `None`: it did not.
    pub fn undelegated_at(&self, order: &OrderId, name: &DomainName) -> Option<Timestamp> {
        self.passes.get(order).filter(|pass| pass.undelegated.contains_key(name)).map(|pass| pass.undelegated_at)
    }
}

impl CaseView {
    pub(super) fn verify(
        &mut self,
        made: &Verification,
        at: Timestamp,
        mut names: impl FnMut(&Digest) -> Option<Names>,
    ) -> Result<(), Refusal> {
        let order = self.orders.get(&made.order);
        let order = order.ok_or_else(|| Refusal::new(format!("case {} has no order {}", made.case, made.order)))?;
        let undelegated = match &made.undelegated {
            None => Names::default(),
            Some(set) => names(&set.names)
                .filter(|names| names.len() as u64 == set.count)
                .ok_or_else(|| Refusal::new(format!("the names {} are not here", set.names.short())))?,
        };
        let is_known = |name: &&DomainName| order.names().contains_key(*name) || order.released().contains_key(*name);
        if let Some(stray) = undelegated.keys().find(|name| !is_known(name)) {
            return Err(self.no_name(stray));
        }
        let undelegated_at = made.undelegated_at.unwrap_or(at);
        let pass = PassView { made: made.clone(), at, undelegated: Arc::new(undelegated), undelegated_at };
        self.verification.passes.insert(made.order.clone(), pass);
        Ok(())
    }

    pub(super) fn attest(&mut self, attested: &CheckAttested, fact: &Fact) -> Result<(), Refusal> {
        let CheckAttested { name, check, document, .. } = attested;
        self.names.get(name).ok_or_else(|| self.no_name(name))?;
        let Actor::Person { id: person } = &fact.actor else {
            return Err(Refusal::new("an attestation is a person's"));
        };
        let attestation = Attestation { person: person.clone(), document: *document, at: fact.time };
        self.verification.attested.insert((name.clone(), *check), attestation);
        Ok(())
    }
}
