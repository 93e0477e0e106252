//! The names of a case: which order each is under, and how far it has come.
//!
//! What all names of an order have in common stands once beside its list. Only a name that went its own way (held,
//! handed back, seized before the others, listed by two orders) has a line of its own, so that a million names that
//! are served alike cost nothing beyond the list that the order holds anyway.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::DomainName;
use model::id::OrderId;
use model::order::{Listed, NameOutcome, Names};
use model::seizure::{Seizure, ServiceMode};

//----------- CaseNames --------------------------------------------------------------------------------------------

#[derive(Clone, Debug, Default)]
pub struct CaseNames {
    lists: Vec<List>,
    /// The names that are not as their list is; every name that is in two lists is among them.
    apart: BTreeMap<DomainName, NameView>,
    len: usize,
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

/// One order's names, as they stand unless they stand apart.
#[derive(Clone, Debug)]
struct List {
    order: OrderId,
    names: Arc<Names>,
    seizure: Seizure,
    /// How the names are served that are redirected.
    mode: Option<ServiceMode>,
}

impl List {
    fn view(&self, listed: &Listed) -> NameView {
        let mode = self.mode.filter(|_| listed.outcome == NameOutcome::Redirect);
        NameView { order: self.order.clone(), outcome: listed.outcome, seizure: self.seizure, mode }
    }
}

impl CaseNames {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn get(&self, name: &DomainName) -> Option<NameView> {
        self.apart.get(name).cloned().or_else(|| self.as_listed(name))
    }

    fn as_listed(&self, name: &DomainName) -> Option<NameView> {
        self.lists.iter().find_map(|list| list.names.get(name).map(|listed| list.view(listed)))
    }

    /// Changes this name alone; nothing if there is no such name.
    pub fn change(&mut self, name: &DomainName, change: impl FnOnce(&mut NameView)) {
        if let Some(mut view) = self.get(name) {
            change(&mut view);
            self.apart.insert(name.clone(), view);
        }
    }

    /// In order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&DomainName, NameView)> {
        let mut lists: Vec<_> = self.lists.iter().map(|list| (list, list.names.iter().peekable())).collect();
        let mut apart = self.apart.iter().peekable();
        std::iter::from_fn(move || {
            let firsts = lists.iter_mut().filter_map(|(_, names)| Some(names.peek()?.0));
            let least = firsts.chain(apart.peek().map(|(name, _)| *name)).min()?;
            let mut view = apart.next_if(|(name, _)| *name == least).map(|(_, own)| own.clone());
            for (list, names) in &mut lists {
                if let Some((_, listed)) = names.next_if(|(name, _)| *name == least) {
                    view.get_or_insert_with(|| list.view(listed));
                }
            }
            view.map(|view| (least, view))
        })
    }

    /// Whether a name of an order went its own way as far as this.
    pub fn any_apart(&self, order: &OrderId, is_there: impl Fn(Seizure) -> bool) -> bool {
        self.apart.values().any(|view| view.order == *order && is_there(view.seizure))
    }

    pub fn values(&self) -> impl Iterator<Item = NameView> {
        self.iter().map(|(_, view)| view)
    }

    //----- By fact

    /// A name belongs to the order that listed it first, until that one has `ended`.
    pub(super) fn list(&mut self, order: &OrderId, names: Arc<Names>, ended: impl Fn(&DomainName, &OrderId) -> bool) {
        let list = List { order: order.clone(), names, seizure: Seizure::Listed, mode: None };
        for (name, listed) in &*list.names {
            match self.get(name) {
                None => self.len += 1,
                Some(known) if ended(name, &known.order) => drop(self.apart.insert(name.clone(), list.view(listed))),
                Some(known) => drop(self.apart.insert(name.clone(), known)),
            }
        }
        self.lists.push(list);
    }

    /// A name that has gone further under an earlier order stays where it is.
    pub(super) fn put_in_force(&mut self, order: &OrderId) {
        let ordered = |at: Seizure| at.apply(Seizure::Ordered).unwrap_or(at);
        for list in self.lists.iter_mut().filter(|list| list.order == *order) {
            list.seizure = ordered(list.seizure);
        }
        for name in self.apart.values_mut().filter(|name| name.order == *order) {
            name.seizure = ordered(name.seizure);
        }
    }

    /// Collects from now on what calls for the order's names that are redirected and are to be served.
    pub(super) fn collect(&mut self, order: &OrderId, to_serve: impl Fn(&DomainName) -> bool) {
        for list in self.lists.iter_mut().filter(|list| list.order == *order) {
            list.mode = Some(ServiceMode::Collect);
        }
        let own = self.apart.iter_mut().filter(|(name, view)| view.order == *order && to_serve(name));
        for (_, view) in own.filter(|(_, view)| view.outcome == NameOutcome::Redirect) {
            view.mode = Some(ServiceMode::Collect);
        }
    }

    /// Names that come in under an order that has others: they begin at `seizure`, and are not served. One that was here
    /// before, and had left, goes on to be answered for as it is.
    pub(super) fn add(&mut self, order: &OrderId, names: Arc<Names>, seizure: Seizure) {
        let list = List { order: order.clone(), names, seizure, mode: None };
        for (name, listed) in &*list.names {
            match self.get(name) {
                None => self.len += 1,
                Some(known) => {
                    drop(self.apart.insert(name.clone(), NameView { mode: known.mode, ..list.view(listed) }));
                }
            }
        }
        self.lists.push(list);
    }

    /// The names of an order that nobody acts on yet are others from now on.
    pub(super) fn list_anew(
        &mut self,
        order: &OrderId,
        names: Arc<Names>,
        ended: impl Fn(&DomainName, &OrderId) -> bool,
    ) {
        self.lists.retain(|list| list.order != *order);
        self.apart.retain(|_, view| view.order != *order);
        self.len = self.iter().count();
        // What another order's end has left with us is answered for until this one acts: it must not go dark by a draft.
        let is_answered = |name: &&DomainName| {
            self.get(name).and_then(|known| known.mode).is_some_and(|mode| mode != ServiceMode::Off)
        };
        let kept: BTreeSet<DomainName> = names.keys().filter(is_answered).cloned().collect();
        self.list(order, names, |name, of| !kept.contains(name) && ended(name, of));
    }
}

/// Names under one order more, each as it stands.
impl Extend<(DomainName, NameView)> for CaseNames {
    fn extend<I: IntoIterator<Item = (DomainName, NameView)>>(&mut self, names: I) {
        for (name, view) in names {
            self.len += usize::from(self.get(&name).is_none());
            self.apart.insert(name, view);
        }
    }
}

impl FromIterator<(DomainName, NameView)> for CaseNames {
    fn from_iter<I: IntoIterator<Item = (DomainName, NameView)>>(names: I) -> Self {
        let mut all = Self::default();
        all.extend(names);
        all
    }
}

#[cfg(test)]
mod tests {
    use model::order::Acts;
    use proptest::prelude::*;

    use super::*;

    fn order(number: usize) -> OrderId {
        OrderId::parse(&format!("o-{number}")).unwrap()
    }

    fn name(number: u8) -> DomainName {
        DomainName::parse(&format!("n{number}.example")).unwrap()
    }

    #[derive(Clone, Debug)]
    enum Step {
        List(Vec<(u8, bool)>, bool),
        PutInForce(usize),
        Collect(usize),
        Hold(u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (prop::collection::vec((0u8..12, any::<bool>()), 1..8), any::<bool>()).prop_map(|(n, e)| Step::List(n, e)),
            (0usize..4).prop_map(Step::PutInForce),
            (0usize..4).prop_map(Step::Collect),
            (0u8..12).prop_map(Step::Hold),
        ];
        prop::collection::vec(step, 1..20)
    }

    /// The same, name by name.
    #[derive(Default)]
    struct Naive(BTreeMap<DomainName, NameView>);

    impl Naive {
        fn of(&mut self, id: &OrderId) -> impl Iterator<Item = &mut NameView> {
            self.0.values_mut().filter(move |view| view.order == *id)
        }

        fn step(&mut self, step: &Step, listed: usize) {
            match step {
                Step::List(names, ended) => {
                    for (number, redirect) in names {
                        let outcome = if *redirect { NameOutcome::Redirect } else { NameOutcome::Hold };
                        let view = NameView { order: order(listed), outcome, seizure: Seizure::Listed, mode: None };
                        let known = self.0.get(&name(*number)).is_some_and(|known| known.order != order(listed));
                        if *ended || !known {
                            self.0.insert(name(*number), view);
                        }
                    }
                }
                Step::PutInForce(id) => {
                    self.of(&order(*id))
                        .for_each(|v| v.seizure = v.seizure.apply(Seizure::Ordered).unwrap_or(v.seizure));
                }
                Step::Collect(id) => self
                    .of(&order(*id))
                    .filter(|view| view.outcome == NameOutcome::Redirect)
                    .for_each(|view| view.mode = Some(ServiceMode::Collect)),
                Step::Hold(number) => {
                    if let Some(view) = self.0.get_mut(&name(*number)) {
                        view.mode = Some(ServiceMode::Hold);
                    }
                }
            }
        }
    }

    fn take(names: &mut CaseNames, step: &Step, listed: usize) {
        match step {
            Step::List(list, ended) => {
                let entry = |(number, redirect): &(u8, bool)| {
                    let outcome = if *redirect { NameOutcome::Redirect } else { NameOutcome::Hold };
                    (name(*number), Listed { outcome, acts: Acts::default(), ..Listed::default() })
                };
                names.list(&order(listed), Arc::new(list.iter().map(entry).collect()), |_, _| *ended);
            }
            Step::PutInForce(id) => names.put_in_force(&order(*id)),
            Step::Collect(id) => names.collect(&order(*id), |_| true),
            Step::Hold(number) => {
                names.change(&name(*number), |view| view.mode = Some(ServiceMode::Hold));
            }
        }
    }

    proptest! {
        /// What stands once for a whole list is what would stand beside each name.
        #[test]
        fn every_name_stands_as_if_it_had_a_line_of_its_own(steps in steps()) {
            let (mut names, mut naive, mut listed) = (CaseNames::default(), Naive::default(), 0);
            for step in &steps {
                take(&mut names, step, listed);
                naive.step(step, listed);
                listed += usize::from(matches!(step, Step::List(..)));
                let all: Vec<_> = names.iter().map(|(name, view)| (name.clone(), view)).collect();
                let want: Vec<_> = naive.0.iter().map(|(name, view)| (name.clone(), view.clone())).collect();
                prop_assert_eq!(names.len(), want.len());
                prop_assert!(want.iter().all(|(name, view)| names.get(name).as_ref() == Some(view)));
                prop_assert_eq!(all, want);
            }
        }
    }
}
