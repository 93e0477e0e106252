//! The orders that run, each a task with its name beside it.
//!
//! A task that panics gives nothing back, not even its name, so the names are kept here: its place becomes free and the
//! name waits like any other that failed.

use std::collections::HashMap;

use model::{DomainName, Timestamp};
use tokio::task::{Id, JoinSet};

use super::plan::Plan;

#[derive(Default)]
pub(super) struct Orders {
    pub(super) plan: Plan,
    tasks: JoinSet<Result<(), String>>,
    names: HashMap<Id, DomainName>,
}

/// What became of one.
pub(super) struct Ended {
    pub(super) apex: DomainName,
    pub(super) done: Result<(), String>,
}

impl Orders {
    /// Runs an order that the plan has picked.
    pub(super) fn begin(&mut self, apex: DomainName, order: impl Future<Output = Result<(), String>> + Send + 'static) {
        let task = self.tasks.spawn(order);
        self.names.insert(task.id(), apex);
    }

    /// The next that ends; `None` at once if none runs. [`Self::note`] has to hear of it.
    pub(super) async fn next(&mut self) -> Option<Ended> {
        let (task, done) = match self.tasks.join_next_with_id().await? {
            Ok(ended) => ended,
            Err(error) => (error.id(), Err(format!("a fault of ours: {error}"))),
        };
        let apex = self.names.remove(&task).expect("an order is begun with its name");
        Some(Ended { apex, done })
    }

    /// Frees the place of one that has ended. Until the instant that comes back its name is left alone.
    pub(super) fn note(&mut self, ended: &Ended, now: Timestamp) -> Timestamp {
        self.plan.ended(ended.apex.clone(), ended.done.is_err(), now)
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::{AT_ONCE, FIRST_WAIT};
    use super::*;

    #[tokio::test]
    async fn an_order_that_panics_frees_its_place_and_is_tried_again_later() {
        let names: Vec<DomainName> = (0..5).map(|n| DomainName::parse(&format!("n{n}.test")).unwrap()).collect();
        let (mut orders, now) = (Orders::default(), Timestamp::UNIX_EPOCH);
        let first = orders.plan.pick(names.iter(), now);
        assert_eq!(first.len(), AT_ONCE);
        orders.begin(first[0].clone(), async { panic!("a bug") });
        let ended = orders.next().await.unwrap();
        let why = ended.done.clone().unwrap_err();
        assert!(ended.apex == first[0] && why.contains("a fault of ours") && why.contains("a bug"), "{why}");
        let until = orders.note(&ended, now);
        assert_eq!((until, orders.plan.next_try(now)), (now + FIRST_WAIT, Some(until)));
        assert_eq!(orders.plan.pick(names.iter(), now), [names[4].clone()], "its place is free, and it waits");
        assert!(orders.next().await.is_none(), "none runs");
    }
}
