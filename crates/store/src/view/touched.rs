//! Which names a stretch of facts and of time may have changed the service of: a follower looks at these again, and at no
//! others.

use std::collections::BTreeSet;

use model::fact::{Body, Fact};
use model::id::{CaseId, OrderId};
use model::order::Order;
use model::{DomainName, Timestamp};

use super::View;

impl View {
    /// The names that these facts speak of and those whose authority's day came after `since`, by `now`. Rather too many
    /// than too few. `None` if there are more than `max`: then whoever follows begins anew.
    pub fn touched<'a>(
        &'a self,
        facts: &'a [Fact],
        (since, now): (Timestamp, Timestamp),
        max: usize,
    ) -> Option<BTreeSet<&'a DomainName>> {
        let by_facts = facts.iter().flat_map(|fact| self.spoken_of(&fact.body));
        let orders = self.cases.values().flat_map(|case| case.orders.values());
        let lapsed = orders.filter(move |order| lapses_between(order, since, now));
        let mut touched = BTreeSet::new();
        for name in by_facts.chain(lapsed.flat_map(|order| order.names().keys().chain(order.released().keys()))) {
            touched.insert(name);
            if touched.len() > max {
                return None;
            }
        }
        Some(touched)
    }

    fn spoken_of<'a>(&'a self, body: &'a Body) -> Box<dyn Iterator<Item = &'a DomainName> + 'a> {
        match body {
            Body::ServiceNarrowed { names, .. } => Box::new(names.iter()),
            Body::RecordsCaptured { name, .. } => Box::new([name].into_iter()),
            Body::OrderListed { case, order, .. } => Box::new(self.names_of(case, &order.id)),
            Body::OrderPutInForce { case, order, .. }
            | Body::OrderUnsealed { case, order, .. }
            | Body::OrderVacated { case, order, .. }
            | Body::OrderLapsed { case, order }
            | Body::OrderAmended { case, order, .. }
            | Body::NamesServed { case, order, .. } => Box::new(self.names_of(case, order)),
            _ => Box::new([].into_iter()),
        }
    }

    fn names_of(&self, case: &CaseId, order: &OrderId) -> impl Iterator<Item = &DomainName> {
        let order = self.cases.get(case).and_then(|case| case.orders.get(order));
        order.into_iter().flat_map(|order| order.names().keys().chain(order.released().keys()))
    }
}

fn lapses_between(order: &Order, since: Timestamp, now: Timestamp) -> bool {
    let expires = order.terms().authority.expires.as_ref();
    expires.is_some_and(|expires| since < expires.value.at && expires.value.at <= now)
}
