//! Any series of amendments is the same as plain sets.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Add(BTreeSet<u8>),
    Remove(BTreeSet<u8>),
    Hold(BTreeSet<u8>),
    Later,
    Withdraw(BTreeSet<u8>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let some = || proptest::collection::btree_set(0u8..8, 1..4);
    let step = prop_oneof![
        3 => some().prop_map(Step::Add),
        2 => some().prop_map(Step::Remove),
        1 => some().prop_map(Step::Hold),
        1 => Just(Step::Later),
        1 => some().prop_map(Step::Withdraw),
    ];
    proptest::collection::vec(step, 1..16)
}

fn numbered(numbers: &BTreeSet<u8>) -> Vec<String> {
    numbers.iter().map(|number| format!("n{number}-harbour.example")).collect()
}

/// What the order comes to, as plain sets: by name whether it is redirected.
#[derive(Clone, Debug, Default, PartialEq)]
struct Naive {
    names: BTreeMap<String, bool>,
    end: u8,
    version: u32,
    used: u32,
}

impl Naive {
    /// `None`: the law says no, and nothing changes.
    fn after(&self, step: &Step) -> Option<Self> {
        let mut next = self.clone();
        let all_there = |numbers: &BTreeSet<u8>| numbered(numbers).iter().all(|name| self.names.contains_key(name));
        match step {
            Step::Add(numbers) => {
                for name in numbered(numbers) {
                    if next.names.insert(name, true).is_some() {
                        return None;
                    }
                }
            }
            Step::Remove(numbers) if all_there(numbers) => {
                for name in numbered(numbers) {
                    next.names.remove(&name);
                }
                if next.names.is_empty() {
                    return None;
                }
            }
            Step::Hold(numbers) if all_there(numbers) => {
                for name in numbered(numbers) {
                    next.names.insert(name, false);
                }
                if next.names == self.names {
                    return None;
                }
            }
            Step::Remove(_) | Step::Hold(_) => return None,
            Step::Later => next.end += 1,
            Step::Withdraw(numbers) => {
                self.after(&Step::Add(numbers.clone()))?;
                next.used += 1;
                return Some(next);
            }
        }
        next.used += 1;
        next.version = next.used;
        Some(next)
    }
}

fn command(step: &Step, naive: &Naive) -> Command {
    let lists = |key: &str, more: &str, numbers: &BTreeSet<u8>| {
        file(&format!("{}[[{key}]]\nsource = \"x\"\n{more}names = {:?}\n", head("amended"), numbered(numbers)))
    };
    match step {
        Step::Add(numbers) | Step::Withdraw(numbers) => lists("add", "criteria = [\"x\"]\n", numbers),
        Step::Remove(numbers) => lists("remove", "", numbers),
        Step::Hold(numbers) => lists("change", "outcome = \"hold\"\n", numbers),
        Step::Later => {
            let end = format!("expires = {{ value = 2026-04-{:02}T17:00:00-04:00, source = \"x\" }}\n", naive.end + 2);
            file(&(head("amended") + &end))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever comes after whatever, the order lists what plain sets say, and nobody is served who was not before.
    #[test]
    fn a_series_of_amendments_comes_to_what_plain_sets_come_to(steps in steps()) {
        let mut book = served();
        let begin = [(LOGIN, true), (MAIL, true), ("held-harbour.example", false)];
        let names = begin.map(|(name, redirected)| (name.to_owned(), redirected)).into();
        let mut naive = Naive { names, end: 0, version: 1, used: 1 };
        for step in &steps {
            let wish = command(step, &naive);
            let next = naive.after(step);
            let done = book.execute(&wish, &as_person("ada"));
            prop_assert_eq!(done.is_ok(), next.is_some(), "{:?} on {:?}: {:?}", step, naive, done);
            let Some(next) = next else { continue };
            if let Ok(Done::AmendmentProposed { request, .. }) = done {
                let version = known(&book).orders[&order()].version();
                prop_assert_eq!(version, naive.version, "until two people said yes the version before stands");
                if matches!(step, Step::Withdraw(_)) {
                    let back = Command::WithdrawAmendment { case: case("c-1"), order: order(), reason: "no".into() };
                    book.execute(&back, &as_person("ada")).unwrap();
                } else {
                    pass_the_gate(&mut book);
                    yes(&mut book, request, "ada").unwrap();
                    yes(&mut book, request, "bea").unwrap();
                }
            }
            naive = next;
            let order = &known(&book).orders[&order()];
            let found: BTreeMap<String, bool> =
                order.names().iter().map(|(name, one)| (name.as_str().to_owned(), one.outcome == NameOutcome::Redirect)).collect();
            prop_assert_eq!(&found, &naive.names);
            prop_assert_eq!(order.version(), naive.version);
            let collected: Vec<String> =
                zones(&book).into_iter().filter(|(_, mode)| *mode == ServiceMode::Collect).map(|(name, _)| name).collect();
            prop_assert!(collected.iter().all(|name| [LOGIN, MAIL].contains(&name.as_str())), "{:?}", collected);
            prop_assert!(collected.iter().all(|name| naive.names.get(name) == Some(&true)), "{:?}", collected);
        }
        prop_assert!(book.view.without_effect.is_empty());
        let mut again = View::default();
        for fact in &book.facts {
            again.apply(fact, |digest| book.set(digest)).unwrap();
        }
        prop_assert_eq!(&again.cases[&case("c-1")].orders, &book.view.cases[&case("c-1")].orders);
    }
}
