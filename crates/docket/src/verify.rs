//! Whether a seizure took effect: asking the world, and judging what it said.
//!
//! [`walk`] finds who serves a zone from the root hints; [`message`] and [`rdap`] read what comes back, all of it bounded;
//! [`seen`] is what was said, [`judge`] what it means, [`report`] what is kept, [`handover`] what custody hears of it, and
//! [`schedule`] says when the program looks by itself. None of these touches a socket or a clock.
//! [`run`] does: it asks, politely, and nobody beyond this machine where the case is an exercise; its `passes` keep what was
//! seen and record it, the same way for a person's command and for the clock.

pub mod handover;
pub mod judge;
pub mod message;
pub mod rdap;
pub mod reach;
pub mod report;
pub mod run;
pub mod schedule;
pub mod seen;
pub mod settings;
pub mod walk;

pub use judge::{Memory, Target};
pub use report::NameReport;
pub use run::Verifier;
pub use run::passes::{PassError, Passes};
pub use settings::{OurSide, Settings};

use std::collections::BTreeSet;
use std::net::IpAddr;

use model::id::OrderId;
use model::order::{Instrument, Order, OrderStatus};
use model::{DomainName, Refusal};
use store::view::CaseView;

/// For how long a look speaks of now: what is older neither moves a name nor raises or ends an alarm.
pub(crate) const FRESH_FOR: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);
/// The most names that are looked at in one request.
pub const NAMES_PER_LOOK_MAX: usize = 256;

/// Names of one order, to be looked at together.
#[derive(Clone, Debug)]
pub struct Batch {
    pub order: OrderId,
    /// Nobody but this machine is asked.
    pub exercise: bool,
    pub targets: Vec<(Target, OrderId)>,
}

/// What was ordered of these names of a case, order by order, and the names that nothing is ordered of: nobody hears of a
/// name before its order is in force. One that has ended is looked at still: a name goes off only once that was seen.
pub fn batches(
    case: &CaseView,
    names: &[DomainName],
    ours: &OurSide,
) -> Result<(Vec<Batch>, Vec<DomainName>), Refusal> {
    if names.len() > NAMES_PER_LOOK_MAX {
        return Err(Refusal::new(format!("{} names at once are more than {NAMES_PER_LOOK_MAX}", names.len())));
    }
    let (mut batches, mut drafts): (Vec<Batch>, Vec<DomainName>) = Default::default();
    let also_ours = also_ours(case, ours);
    for name in names {
        let stray = || {
            Refusal::new(format!("case {} does not list {}", case.terms.id, name.defanged()))
                .hint("`bailiwick case show` lists its names")
        };
        let known = case.names.get(name).ok_or_else(stray)?;
        let order = case.orders.get(&known.order).ok_or_else(stray)?;
        if order.status() == OrderStatus::Draft {
            drafts.push(name.clone());
            continue;
        }
        let target = target(name, order, known.outcome);
        let target = Target {
            returned: known.is_back(),
            also_ours: also_ours.clone(),
            answers: answers(case, order, ours),
            ..target
        };
        let target = (target, known.order.clone());
        match batches.iter_mut().find(|batch| batch.order == known.order) {
            Some(batch) => batch.targets.push(target),
            None => {
                let exercise = order.terms().authority.is_exercise();
                batches.push(Batch { order: known.order.clone(), exercise, targets: vec![target] });
            }
        }
    }
    Ok((batches, drafts))
}

fn target(name: &DomainName, order: &Order, outcome: model::order::NameOutcome) -> Target {
    let terms = order.terms();
    // What we registered ourselves is younger than any paper.
    let of_others = terms.authority.instrument != Instrument::OwnRegistration;
    Target {
        name: name.clone(),
        outcome,
        name_servers: terms.name_servers.clone(),
        registration: terms.registration.clone().unwrap_or_default(),
        issued: terms.authority.issued.as_ref().map(|issued| issued.value).filter(|_| of_others),
        returned: false,
        also_ours: BTreeSet::new(),
        answers: None,
    }
}

/// Name servers that are ours, whichever order a name is under.
fn also_ours(case: &CaseView, ours: &OurSide) -> BTreeSet<DomainName> {
    let ordered = case.orders.values().filter(|order| order.status() != OrderStatus::Draft);
    ordered.flat_map(|order| &order.terms().name_servers).chain(ours.name_servers.keys()).cloned().collect()
}

/// What its servers answer with: the order's word counts before the case's, and that before the operator's for all.
fn answers(case: &CaseView, order: &Order, ours: &OurSide) -> Option<BTreeSet<IpAddr>> {
    let said = order.terms().answers.as_ref().or(case.terms.answers.as_ref());
    let said = said.map_or_else(|| ours.answers.clone(), |set| set.addresses().collect());
    Some(said).filter(|said| !said.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::custody::tests::served;
    use crate::decide::book::{Book, case, import, someone, text};

    #[test]
    fn nobody_is_asked_about_the_names_of_a_draft() {
        let mut book = Book::default();
        book.execute(&import(&text("harbour", "civil-tro")), &someone()).unwrap();
        let name = DomainName::parse("mail-harbour.example").unwrap();
        let ours = OurSide::default();
        let (batches, drafts) =
            batches(&book.view.cases[&case("harbour")], std::slice::from_ref(&name), &ours).unwrap();
        assert!(batches.is_empty(), "{batches:?}");
        assert_eq!(drafts, [name]);
    }

    #[test]
    fn an_orders_answers_count_before_its_cases_and_those_before_the_operators() {
        use model::answers::AnswerSet;
        let set = |address: &str| AnswerSet { v4: vec![address.parse().unwrap()], ..AnswerSet::default() };
        let usual = OurSide { answers: ["127.0.0.1".parse().unwrap()].into(), ..OurSide::default() };
        let said = |of_order: Option<&str>, of_case: Option<&str>, ours: &OurSide| {
            let mut book = served();
            let case = book.view.cases.get_mut(&case("c-1")).unwrap();
            case.terms.answers = of_case.map(set);
            let order = case.orders.values().next().unwrap();
            let mut terms = order.terms().clone();
            terms.answers = of_order.map(set);
            let order = Order::draft(case.terms.id.clone(), terms, model::order::Names::new());
            answers(case, &order, ours).map(|all| all.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(" "))
        };
        for (of_order, of_case, expected) in [
            (Some("127.0.0.3"), Some("127.0.0.2"), "127.0.0.3"),
            (None, Some("127.0.0.2"), "127.0.0.2"),
            (None, None, "127.0.0.1"),
        ] {
            assert_eq!(said(of_order, of_case, &usual).as_deref(), Some(expected));
        }
        assert_eq!(said(None, None, &OurSide::default()), None, "nobody has said");
    }
}
