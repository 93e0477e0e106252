//! The publisher: what resolvers and fleets are to be told, made anew whenever facts or the clock change it.
//!
//! It follows the ledger, gathers what each policy zone's audience may see and which zones a fleet is to serve, has the
//! ledger keep the difference, and hands over what is told now. What cannot be read or written leaves its zone as it
//! was. Sightings are not asked: they decide nothing about a name, and a look into the archive would make a handback
//! wait.

use std::sync::Arc;

use model::id::{CaseId, Position};
use model::order::Order;
use model::{DomainName, Timestamp};
use share::{PolicyTerms, Snapshot};
use store::view::{CaseView, View};
use store::zones::{NamedZone, Published, Record, catalog};
use store::{Ledger, ZoneSet};
use tokio::sync::watch;

use super::{is_woken, now};
use crate::config::{Config, PolicyZone};
use crate::failure::{Failure, Tried};

#[cfg(test)]
mod tests;

//----------- Publisher --------------------------------------------------------------------------------------------

pub(super) struct Publisher {
    plan: Arc<Plan>,
    /// What the zones that are told now were made from; `None` if one of them could not be told.
    seen: Option<State>,
    told: watch::Sender<Arc<Published>>,
}

impl Publisher {
    pub(super) fn new(config: &Config) -> Self {
        let plan = Plan {
            zones: config.policy_zones.clone(),
            catalog: config.catalog.zone.clone(),
            loopback_only: config.is_loopback_only(),
        };
        Self { plan: Arc::new(plan), seen: None, told: watch::Sender::default() }
    }

    /// What is told, whenever it changes.
    pub(super) fn told(&self) -> watch::Receiver<Arc<Published>> {
        self.told.subscribe()
    }

    /// Publishes what has changed. A zone that cannot be kept stays as it was, and is tried again by the next call.
    pub(super) async fn load(&mut self, ledger: &Ledger) -> Result<(), Failure> {
        let (view, now) = (ledger.view().await.tried("folding the ledger")?, now());
        let state = state(&view, now);
        if self.seen.as_ref() == Some(&state) {
            return Ok(());
        }
        let plan = Arc::clone(&self.plan);
        let contents = tokio::task::spawn_blocking(move || plan.contents(&view, now));
        let contents = contents.await.tried("gathering what named zones say")?;
        self.seen = self.tell(ledger, contents, now).await.then_some(state);
        Ok(())
    }

    /// Whether every zone is told as it should be.
    async fn tell(&self, ledger: &Ledger, contents: Vec<Content>, now: Timestamp) -> bool {
        let mut published = Published::clone(&self.told.borrow());
        let mut is_whole = true;
        for Content { zone, records } in contents {
            match ledger.publish_zone(&zone.to_wire(), records, now).await {
                Ok(told) => put(&mut published, &zone, told),
                Err(error) => {
                    let why = Failure::of("keeping its difference", &error);
                    tracing::error!(zone = zone.as_str(), ?why, "a named zone stays as it was");
                    is_whole = false;
                }
            }
        }
        self.told.send_if_modified(|told| {
            let is_new = !is_same(told, &published);
            if is_new {
                *told = Arc::new(published);
            }
            is_new
        });
        is_whole
    }

    /// Publishes whenever facts change something, and looks at every poll, because authorities lapse by the clock alone.
    pub(super) async fn follow(mut self, ledger: Ledger, mut stopped: watch::Receiver<bool>) {
        let mut changed = ledger.changed();
        while is_woken(&mut changed, &mut stopped).await {
            if let Err(failure) = self.load(&ledger).await {
                tracing::error!(?failure, "the named zones stay as they were; the ledger could not be read");
            }
        }
    }
}

fn put(published: &mut Published, zone: &DomainName, told: Arc<NamedZone>) {
    let (serial, records) = (told.serial, told.records.len());
    let before = published.zones.insert(told.origin.clone(), told);
    if before.is_none_or(|before| before.serial != serial) {
        tracing::info!(zone = zone.as_str(), serial, records, "a named zone is told");
    }
}

/// Zones that did not change are the same value.
fn is_same(told: &Published, published: &Published) -> bool {
    let same = |origin, zone| published.zones.get(origin).is_some_and(|other| Arc::ptr_eq(zone, other));
    told.zones.len() == published.zones.len() && told.zones.iter().all(|(origin, zone)| same(origin, zone))
}

//----------- State ------------------------------------------------------------------------------------------------

/// All that content follows from: the last fact of each case that changed what may be told, and how many of its orders
/// have lapsed by now. Starts, requests and exports are no reason to gather a million names.
type State = Vec<(CaseId, Position, usize)>;

fn state(view: &View, now: Timestamp) -> State {
    let lapsed = |order: &&Order| order.terms().authority.expires.as_ref().is_some_and(|end| end.value.at <= now);
    let of_case =
        |(id, case): (&CaseId, &CaseView)| (id.clone(), case.changed, case.orders.values().filter(lapsed).count());
    view.cases.iter().map(of_case).collect()
}

//----------- Plan -------------------------------------------------------------------------------------------------

/// What is configured.
struct Plan {
    zones: Vec<PolicyZone>,
    catalog: Option<DomainName>,
    /// Whether nobody outside this machine hears it: only then are rehearsals told.
    loopback_only: bool,
}

/// What a zone is to say.
struct Content {
    zone: DomainName,
    records: Vec<Record>,
}

impl Plan {
    fn contents(&self, view: &View, now: Timestamp) -> Vec<Content> {
        let snapshots = if self.zones.is_empty() { Vec::new() } else { snapshots(view, now) };
        let policies = self.zones.iter().map(|zone| self.policy(zone, view, &snapshots));
        let catalog = self.catalog.iter().map(|zone| {
            let set = self.admit(view.zones(now));
            Content { zone: zone.clone(), records: catalog(&set) }
        });
        policies.chain(catalog).collect()
    }

    fn policy(&self, zone: &PolicyZone, view: &View, snapshots: &[(CaseId, Snapshot)]) -> Content {
        for case in zone.cases.iter().filter(|case| !view.cases.contains_key(case)) {
            tracing::warn!(zone = zone.zone.as_str(), %case, "a policy zone is to tell of a case that is not here yet");
        }
        let terms = PolicyTerms {
            audience: zone.audience,
            block: zone.block.clone(),
            addresses: zone.addresses.clone(),
            exercises: self.loopback_only,
        };
        let is_wanted = |case: &CaseId| zone.cases.is_empty() || zone.cases.contains(case);
        let wanted = snapshots.iter().filter(|(case, _)| is_wanted(case)).map(|(_, snapshot)| snapshot);
        let policy = share::policy(wanted, &terms);
        if !policy.left_out.is_empty() {
            let (zone, names) = (zone.zone.as_str(), policy.left_out.len());
            tracing::warn!(zone, names, "names too long for a policy zone are left out");
        }
        Content { zone: zone.zone.clone(), records: policy.records }
    }

    /// What the sinkhole itself serves.
    fn admit(&self, mut set: ZoneSet) -> ZoneSet {
        set.zones.retain(|zone| self.loopback_only || !zone.coverage().is_exercise());
        set
    }
}

fn snapshots(view: &View, now: Timestamp) -> Vec<(CaseId, Snapshot)> {
    let snapshot = |case: &CaseId| Some((case.clone(), Snapshot::of_names_at(view, case, now).ok()?));
    view.cases.keys().filter_map(snapshot).collect()
}
