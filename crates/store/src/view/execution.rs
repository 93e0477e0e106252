//! Execution day, folded: the appendix that stands, and by actor what was sent and answered.

use std::collections::BTreeMap;

use model::execution::{Acknowledgement, Compilation, Dispatch};
use model::fact::{Actor, Body, Fact};
use model::id::{OrderId, PersonId};
use model::order::{Order, OrderStatus};
use model::{Refusal, Timestamp};

use super::CaseView;

/// What has been compiled and sent of one case.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ExecutionView {
    /// The last appendix, and when it was compiled.
    pub appendix: Option<(Compilation, Timestamp)>,
    /// By order and actor.
    pub dispatches: BTreeMap<(OrderId, String), DispatchView>,
}

/// One actor's share, once it was sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DispatchView {
    pub sent: Timestamp,
    pub due: Option<Timestamp>,
    pub names: u64,
    /// Who says so.
    pub by: Option<PersonId>,
    /// When the actor answered, and what they said.
    pub acknowledged: Option<(Timestamp, String)>,
    /// They said that they will not.
    pub refused: bool,
    /// The version of the order that was sent.
    pub version: u32,
}

impl DispatchView {
    /// Whether the day came and nobody answered.
    pub fn is_late(&self, now: Timestamp) -> bool {
        self.acknowledged.is_none() && self.due.is_some_and(|due| due < now)
    }
}

impl CaseView {
    /// Whether the share of an actor may be sent: an order in force, an appendix that stands, not sent before.
    ///
    /// # Errors
    /// What is missing.
    pub fn may_dispatch(&self, dispatch: &Dispatch) -> Result<(), Refusal> {
        let Dispatch { order, actor, manifest, .. } = dispatch;
        let known = self.orders.get(order);
        let known = known.ok_or_else(|| Refusal::new(format!("case {} has no order {order}", self.terms.id)))?;
        if known.status() != OrderStatus::InForce {
            return Err(Refusal::new(format!("order {order} is not in force: nothing is sent without authority"))
                .hint("two people put it in force: `bailiwick case request CASE`"));
        }
        let stands = self.execution.appendix.as_ref().is_some_and(|(appendix, _)| appendix.manifest == *manifest);
        if !stands {
            return Err(Refusal::new(format!("the appendix {} does not stand", manifest.short()))
                .hint("compile it first: `bailiwick case appendix CASE --out DIR`"));
        }
        match self.execution.dispatches.get(&(order.clone(), actor.clone())) {
            Some(sent) if sent.version >= known.version() => {
                Err(Refusal::new(format!("{actor} was sent the names of order {order} at {}", sent.sent)))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether that answer can be one: after the sending, and the first.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn may_acknowledge(&self, answer: &Acknowledgement) -> Result<(), Refusal> {
        let Acknowledgement { order, actor, answered, .. } = answer;
        let sent = self.execution.dispatches.get(&(order.clone(), actor.clone()));
        let sent = sent.ok_or_else(|| {
            Refusal::new(format!("{actor} was sent nothing of order {order}")).hint("`bailiwick case sent` comes first")
        })?;
        if *answered < sent.sent {
            return Err(Refusal::new(format!(
                "{actor} cannot have answered at {answered}: it was sent at {}",
                sent.sent
            )));
        }
        match &sent.acknowledged {
            Some((at, _)) => Err(Refusal::new(format!("{actor} answered at {at} already"))),
            None => Ok(()),
        }
    }

    pub(super) fn execute(&mut self, fact: &Fact) -> Result<(), Refusal> {
        match &fact.body {
            Body::AppendixCompiled { appendix, .. } => {
                self.execution.appendix = Some((appendix.clone(), fact.time));
            }
            Body::Dispatched { dispatch, .. } => {
                self.may_dispatch(dispatch)?;
                let by = match &fact.actor {
                    Actor::Person { id } => Some(id.clone()),
                    Actor::LocalUser { .. } | Actor::Room { .. } => None,
                };
                let Dispatch { order, actor, sent, due, names, .. } = dispatch.clone();
                let version = self.orders.get(&order).map_or(1, Order::version);
                let view = DispatchView { sent, due, names, by, acknowledged: None, refused: false, version };
                self.execution.dispatches.insert((order, actor), view);
            }
            Body::Acknowledged { answer, .. } => {
                self.may_acknowledge(answer)?;
                let Acknowledgement { order, actor, answered, said, refused } = answer.clone();
                if let Some(view) = self.execution.dispatches.get_mut(&(order, actor)) {
                    (view.acknowledged, view.refused) = (Some((answered, said)), refused);
                }
            }
            _ => {}
        }
        Ok(())
    }
}
