//! The harm gate of a case: its last run, and what counsel decided about it.

use std::collections::BTreeMap;

use model::fact::Fact;
use model::gate::{Gate, GateDecided, GateRun};
use model::id::{OrderId, PersonId};
use model::{Digest, Refusal};

use super::CaseView;

impl CaseView {
    /// Each order with the digest of all that it says, as a run is bound to them.
    pub fn order_digests(&self) -> BTreeMap<OrderId, Digest> {
        self.orders.iter().map(|(id, order)| (id.clone(), order.digest())).collect()
    }

    /// The same as they will be once what is proposed has its effect: the gate looks at these.
    pub fn proposed_digests(&self) -> BTreeMap<OrderId, Digest> {
        self.proposed_orders().into_iter().map(|order| (order.terms().id.clone(), order.digest())).collect()
    }

    /// The newest run counts; what was decided about an older one counts no more. What an older one raised stays, as far as
    /// the newest looked into fewer tables.
    pub(super) fn take_gate(&mut self, run: &GateRun, fact: &Fact) -> Result<(), Refusal> {
        if let Some(order) = run.orders.keys().find(|order| !self.orders.contains_key(*order)) {
            return Err(Refusal::new(format!("case {} has no order {order}", self.terms.id)));
        }
        let gate = Gate::new(fact.position, fact.time, run.clone()).behind(self.gate.as_deref());
        self.gate = Some(Box::new(gate));
        Ok(())
    }

    pub(super) fn decide_gate(
        &mut self,
        decided: &GateDecided,
        by: Option<&PersonId>,
        fact: &Fact,
    ) -> Result<(), Refusal> {
        let missing = || Refusal::new(format!("the gate has not run over case {}", decided.case));
        let gate = self.gate.as_mut().ok_or_else(missing)?;
        gate.decide(by.cloned(), fact.time, decided.clone())
    }
}
