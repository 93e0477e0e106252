//! Versions of a case's orders, folded: what is proposed, what had its effect, and which names are still to be served.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::amendment::{Amendment, AmendmentTerms};
use model::approval::{Amend, Approved};
use model::fact::{Body, Fact};
use model::id::{CaseId, OrderId, PersonId, Position, RequestId};
use model::order::{Listed, NameOutcome, Names, Order, OrderStatus};
use model::person::Role;
use model::seizure::{Seizure, ServiceMode};
use model::{Digest, DomainName, Refusal, Timestamp};

use super::fold::{actor_person, let_go};
use super::{CaseView, NarrowingView, View, names_to_serve};

//----------- AmendmentsView ---------------------------------------------------------------------------------------

/// By order, what later papers changed.
#[derive(Clone, Debug, Default)]
pub struct AmendmentsView(BTreeMap<OrderId, Versions>);

#[derive(Clone, Debug, Default)]
pub struct Versions {
    /// What is proposed and has no effect yet: one at a time.
    pub pending: Option<Box<Pending>>,
    /// What had its effect, or was withdrawn, the oldest first.
    pub history: Vec<VersionView>,
    /// Once names of the order were served: those that came to us since, and wait for two people.
    unserved: Option<BTreeSet<DomainName>>,
}

/// An amendment that waits.
#[derive(Clone, Debug)]
pub struct Pending {
    pub amendment: Amendment,
    /// The fact that proposed it.
    pub at: Position,
    pub proposed: Timestamp,
    pub by: Option<PersonId>,
    /// Counsel's word that the monitor does not object.
    pub no_objection: Option<(PersonId, Timestamp, String)>,
}

/// An amendment that is over: it is in the order, or it never will be.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionView {
    pub terms: AmendmentTerms,
    pub proposed: Timestamp,
    pub ended: Timestamp,
    /// Whoever brought it, or took it back.
    pub by: Option<PersonId>,
    /// The two people who approved it, where it widened.
    pub request: Option<RequestId>,
    /// Why it was withdrawn; `None`: it had its effect.
    pub withdrawn: Option<String>,
    /// The names that it moved, as they stood before; `None`: a name came in by it.
    pub moved: Arc<BTreeMap<DomainName, Option<Listed>>>,
}

/// What became of a name of an order between two versions; `None`: it is not in that version.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Moved<'a> {
    pub name: &'a DomainName,
    pub before: Option<Listed>,
    pub now: Option<Listed>,
}

impl AmendmentsView {
    pub fn of(&self, order: &OrderId) -> Option<&Versions> {
        self.0.get(order)
    }

    pub fn pending(&self, order: &OrderId) -> Option<&Pending> {
        self.of(order)?.pending.as_deref()
    }

    pub fn all_pending(&self) -> impl Iterator<Item = &Pending> {
        self.0.values().filter_map(|versions| versions.pending.as_deref())
    }

    /// The files of all amendments that stand or are proposed, by order and in turn.
    pub fn files(&self) -> impl Iterator<Item = Digest> {
        self.0.values().flat_map(|versions| {
            let stood = versions.history.iter().filter(|one| one.withdrawn.is_none()).map(|one| one.terms.file);
            stood.chain(versions.pending.iter().map(|pending| pending.amendment.terms().file))
        })
    }

    /// The number that the next amendment of an order gets: one that was withdrawn keeps its own.
    pub fn next_version(&self, order: &Order) -> u32 {
        let used = self.of(&order.terms().id).into_iter().flat_map(|versions| &versions.history);
        used.map(|one| one.terms.version).max().unwrap_or_default().max(order.version()).saturating_add(1)
    }

    fn versions(&mut self, order: &OrderId) -> &mut Versions {
        self.0.entry(order.clone()).or_default()
    }

    fn take_pending(&mut self, order: &OrderId, version: u32) -> Result<Box<Pending>, Refusal> {
        let versions = self.versions(order);
        match versions.pending.take_if(|pending| pending.amendment.terms().version == version) {
            Some(pending) => Ok(pending),
            None => Err(nothing_proposed(order, version)),
        }
    }
}

fn nothing_proposed(order: &OrderId, version: u32) -> Refusal {
    Refusal::new(format!("no version {version} of order {order} is proposed"))
}

//----------- What follows -----------------------------------------------------------------------------------------

impl CaseView {
    /// Whether names of the order were served once.
    pub fn has_been_served(&self, order: &OrderId) -> bool {
        self.amendments.of(order).is_some_and(|versions| versions.unserved.is_some())
    }

    /// The names that two people still have to let be served: all that are redirected, and once those are served the ones
    /// that came since.
    pub fn to_serve<'a>(&'a self, order: &'a Order) -> impl Iterator<Item = (&'a DomainName, &'a Listed)> + Clone {
        let unserved = self.amendments.of(&order.terms().id).and_then(|versions| versions.unserved.as_ref());
        names_to_serve(order).filter(move |(name, _)| {
            unserved.is_none_or(|those| those.contains(*name)) && !self.went_back_unserved(name)
        })
    }

    /// Whether the name was its owner's again before anybody answered for it: then nobody begins to.
    fn went_back_unserved(&self, name: &DomainName) -> bool {
        let is_back = |seizure| matches!(seizure, Seizure::Released | Seizure::Returned);
        self.names.get(name).is_some_and(|known| known.mode.is_none() && is_back(known.seizure))
    }

    /// Each order as it will be once what is proposed has its effect. What does not fit any more changes nothing.
    pub fn proposed_orders(&self) -> Vec<Cow<'_, Order>> {
        let of = |order| match self.amendments.pending(&Order::terms(order).id) {
            Some(pending) => order.amended(&pending.amendment).map_or(Cow::Borrowed(order), Cow::Owned),
            None => Cow::Borrowed(order),
        };
        self.orders.values().map(of).collect()
    }

    /// The names of an order that came in, left, or have another outcome since a version of it, in order of name.
    pub fn moved_since<'a>(&'a self, order: &'a Order, version: u32) -> Vec<Moved<'a>> {
        let versions = self.amendments.of(&order.terms().id).into_iter().flat_map(|versions| &versions.history);
        let mut first: BTreeMap<&DomainName, Option<Listed>> = BTreeMap::new();
        for later in versions.filter(|one| one.withdrawn.is_none() && one.terms.version > version) {
            for (name, before) in &*later.moved {
                first.entry(name).or_insert(*before);
            }
        }
        let all = first.into_iter().map(|(name, before)| Moved { name, before, now: order.names().get(name).copied() });
        let outcome = |listed: Option<Listed>| listed.map(|listed| listed.outcome);
        all.filter(|one| outcome(one.before) != outcome(one.now)).collect()
    }

    pub(super) fn serve_unserved(&mut self, id: &OrderId) {
        let Some(order) = self.orders.get(id) else { return };
        let to_serve: BTreeSet<DomainName> = match self.has_been_served(id) {
            true => self.to_serve(order).map(|(name, _)| name.clone()).collect(),
            false => BTreeSet::new(),
        };
        let listed = order.shared_names();
        let back: BTreeSet<DomainName> = listed.keys().filter(|name| self.went_back_unserved(name)).cloned().collect();
        match self.has_been_served(id) {
            true => self.names.collect(id, |name| to_serve.contains(name)),
            false => self.names.collect(id, |name| listed.contains_key(name) && !back.contains(name)),
        }
        self.amendments.versions(id).unserved = Some(BTreeSet::new());
    }
}

fn moved(base: &Order, amendment: &Amendment) -> BTreeMap<DomainName, Option<Listed>> {
    let before = |name: &DomainName| base.names().get(name).copied();
    let is_turned = |(name, now): &(&DomainName, &Listed)| before(name).is_some_and(|was| was.outcome != now.outcome);
    let turned = amendment.changed().iter().filter(is_turned).map(|(name, _)| name);
    let names = amendment.added().keys().chain(amendment.removed().keys()).chain(turned);
    names.map(|name| (name.clone(), before(name))).collect()
}

//----------- Facts ------------------------------------------------------------------------------------------------

impl View {
    pub(super) fn fold_amendment(
        &mut self,
        fact: &Fact,
        names: impl FnMut(&Digest) -> Option<Names>,
    ) -> Result<(), Refusal> {
        match &fact.body {
            Body::AmendmentProposed { case, amendment } => {
                let amendment = Amendment::with_sets((**amendment).clone(), names)?;
                self.case(case)?.propose_amendment(amendment, fact)
            }
            Body::OrderAmended { case, order, version, request } => self.amend(case, (order, *version), *request, fact),
            Body::AmendmentWithdrawn { case, order, version, reason } => {
                self.case(case)?.withdraw_amendment((order, *version), reason, fact)
            }
            Body::ObjectionNoted { case, order, version, objected, note } => {
                let person = actor_person(&fact.actor).cloned();
                let counsel =
                    person.filter(|id| self.people.get(id).is_some_and(|known| known.roles.contains(&Role::Legal)));
                let counsel = counsel.ok_or_else(|| Refusal::new("what the monitor said is counsel's to say"))?;
                self.case(case)?.hear_monitor((order, *version), *objected, (counsel, fact.time, note.clone()))
            }
            _ => Ok(()),
        }
    }

    /// What widens an order in force takes the two approvals that are for exactly this, and what narrows it a person.
    fn amend(
        &mut self,
        id: &CaseId,
        (order, version): (&OrderId, u32),
        request: Option<RequestId>,
        fact: &Fact,
    ) -> Result<(), Refusal> {
        let case = self.cases.get(id).ok_or_else(|| Refusal::new(format!("there is no case {id}")))?;
        let base = case.ordered(order)?;
        let pending = case.amendments.pending(order).ok_or_else(|| nothing_proposed(order, version))?;
        let binds = base.status() != OrderStatus::Draft;
        match request {
            Some(request) => {
                let approved: Approved<Amend> = self.approved(id, request)?;
                let terms = pending.amendment.terms();
                let (base, difference) = (base.digest(), terms.digest());
                if *approved.what() != (Amend { order: order.clone(), version, base, difference }) {
                    return Err(Refusal::new(format!("the approval is not for version {version} of order {order}")));
                }
            }
            None if binds && !pending.amendment.widens(base).is_empty() => {
                return Err(Refusal::new(format!("version {version} of order {order} widens it"))
                    .hint("two people in two roles approve it first"));
            }
            None if binds && actor_person(&fact.actor).is_none() => {
                return Err(Refusal::new("this takes a person"));
            }
            None => {}
        }
        self.case(id)?.take_version((order, version), request, fact)?;
        if let Some(request) = request {
            self.approvals.spend(request);
        }
        Ok(())
    }
}

impl CaseView {
    fn propose_amendment(&mut self, amendment: Amendment, fact: &Fact) -> Result<(), Refusal> {
        let (id, version) = (amendment.terms().order.clone(), amendment.terms().version);
        let order = self.ordered(&id)?;
        order.amended(&amendment)?;
        for name in amendment.added().keys() {
            let known = self.names.get(name).filter(|known| known.order != id);
            if known.as_ref().is_some_and(|known| !let_go(self.orders.get(&known.order), name)) {
                return Err(Refusal::new(format!("{} is under another order of the case", name.defanged())));
            }
        }
        if version < self.amendments.next_version(order) {
            return Err(Refusal::new(format!("there was a version {version} of order {id} before")));
        }
        let versions = self.amendments.versions(&id);
        if versions.pending.is_some() {
            return Err(Refusal::new(format!("another amendment of order {id} is proposed already")));
        }
        let (at, proposed, by) = (fact.position, fact.time, actor_person(&fact.actor).cloned());
        versions.pending = Some(Box::new(Pending { amendment, at, proposed, by, no_objection: None }));
        Ok(())
    }

    fn withdraw_amendment(&mut self, (order, version): (&OrderId, u32), why: &str, fact: &Fact) -> Result<(), Refusal> {
        let pending = self.amendments.take_pending(order, version)?;
        let over = VersionView {
            terms: pending.amendment.terms().clone(),
            proposed: pending.proposed,
            ended: fact.time,
            by: actor_person(&fact.actor).cloned(),
            request: None,
            withdrawn: Some(why.to_owned()),
            moved: Arc::default(),
        };
        self.amendments.versions(order).history.push(over);
        Ok(())
    }

    fn hear_monitor(
        &mut self,
        (order, version): (&OrderId, u32),
        objected: bool,
        said: (PersonId, Timestamp, String),
    ) -> Result<(), Refusal> {
        let versions = self.amendments.versions(order);
        let pending = versions.pending.as_deref_mut().filter(|one| one.amendment.terms().version == version);
        let pending = pending.ok_or_else(|| nothing_proposed(order, version))?;
        pending.no_objection = (!objected).then_some(said);
        Ok(())
    }

    fn take_version(
        &mut self,
        (id, version): (&OrderId, u32),
        request: Option<RequestId>,
        fact: &Fact,
    ) -> Result<(), Refusal> {
        let pending = self.amendments.pending(id).ok_or_else(|| nothing_proposed(id, version))?;
        if pending.amendment.terms().version != version {
            return Err(nothing_proposed(id, version));
        }
        let base = self.ordered(id)?;
        let (amended, binds) = (base.amended(&pending.amendment)?, base.status() != OrderStatus::Draft);
        let pending = self.amendments.take_pending(id, version)?;
        let base = self.orders.insert(id.clone(), amended).expect("it was there");
        let amendment = &pending.amendment;
        if binds {
            self.change_names(&base, amendment, fact.time);
        } else {
            let (orders, names) = (&self.orders, Arc::clone(self.orders[id].shared_names()));
            self.names.list_anew(id, names, |name, order| let_go(orders.get(order), name));
        }
        if binds && request.is_none() {
            self.await_confirmation(amendment, fact);
        }
        let over = VersionView {
            terms: amendment.terms().clone(),
            proposed: pending.proposed,
            ended: fact.time,
            by: pending.by.clone(),
            request,
            withdrawn: None,
            moved: moved(&base, amendment).into(),
        };
        self.amendments.versions(id).history.push(over);
        Ok(())
    }

    /// Names that come in begin at `ordered`; those that leave are handed back, or held where nothing of their owner's is
    /// kept; those of which nothing is said stay where they are.
    fn change_names(&mut self, base: &Order, amendment: &Amendment, at: Timestamp) {
        let id = &base.terms().id;
        for name in amendment.removed().keys() {
            self.release(id, name, at);
        }
        for (name, listed) in amendment.changed() {
            if base.names().get(name).is_some_and(|before| before.outcome != listed.outcome) {
                self.reorder(id, name, listed.outcome);
            }
        }
        self.names.add(id, Arc::clone(amendment.added()), Seizure::Ordered);
        let redirected = |(_, listed): &(&DomainName, &Listed)| listed.outcome == NameOutcome::Redirect;
        let came = amendment.added().iter().filter(redirected).map(|(name, _)| name);
        let turned = amendment.changed().iter().filter(redirected).map(|(name, _)| name);
        let turned = turned.filter(|name| base.names().get(*name).is_some_and(|b| b.outcome != NameOutcome::Redirect));
        if let Some(unserved) = &mut self.amendments.versions(id).unserved {
            unserved.retain(|name| !amendment.removed().contains_key(name));
            unserved.extend(came.chain(turned).cloned());
        }
    }

    fn release(&mut self, order: &OrderId, name: &DomainName, at: Timestamp) {
        if self.names.get(name).is_none_or(|view| view.order != *order) {
            return;
        }
        let keeps_records = self.captured.contains_key(name) && !self.answer_effect(name).is_kill_switch();
        let to = if keeps_records { ServiceMode::Handback } else { ServiceMode::Hold };
        let (mut is_back, mut was_back) = (false, false);
        self.names.change(name, |view| {
            was_back = view.is_back();
            view.mode = view.mode.map(|mode| mode.max(to));
            let goes_back = view.mode.is_some_and(|mode| mode >= ServiceMode::Handback);
            let end = if goes_back { Seizure::Returned } else { Seizure::Released };
            view.seizure = view.seizure.apply(end).unwrap_or(view.seizure);
            is_back = view.is_back();
        });
        // One that is held because nobody kept its owner's records has left the order all the same.
        if is_back && !was_back {
            self.returned.insert(name.clone(), at);
        }
    }

    /// Something else is ordered of a name: it begins anew. One that no longer comes to us is held as long as it does.
    fn reorder(&mut self, order: &OrderId, name: &DomainName, outcome: NameOutcome) {
        self.names.change(name, |view| {
            // What is its owner's again stays so.
            let is_back = matches!(view.seizure, Seizure::Released | Seizure::Returned);
            if view.order == *order && !is_back {
                view.mode = view.mode.map(|mode| mode.max(ServiceMode::Hold));
                (view.outcome, view.seizure) = (outcome, Seizure::Ordered);
            }
        });
    }

    fn await_confirmation(&mut self, amendment: &Amendment, fact: &Fact) {
        let terms = amendment.terms();
        let narrowing = NarrowingView {
            names: (amendment.removed().len() + amendment.changed().len()) as u64,
            mode: ServiceMode::Hold,
            reason: terms.source.to_string(),
            by: actor_person(&fact.actor).cloned(),
            at: fact.time,
            confirmed: None,
            amended: Some((terms.order.clone(), terms.version)),
        };
        self.watch.narrowings.insert(fact.position, narrowing);
    }
}
