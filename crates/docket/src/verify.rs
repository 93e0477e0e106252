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
pub use settings::Settings;

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
pub fn batches(case: &CaseView, names: &[DomainName]) -> Result<(Vec<Batch>, Vec<DomainName>), Refusal> {
    if names.len() > NAMES_PER_LOOK_MAX {
        return Err(Refusal::new(format!("{} names at once are more than {NAMES_PER_LOOK_MAX}", names.len())));
    }
    let (mut batches, mut drafts): (Vec<Batch>, Vec<DomainName>) = Default::default();
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
        let target = (Target { returned: known.is_back(), ..target(name, order, known.outcome) }, known.order.clone());
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::book::{Book, case, import, someone, text};

    #[test]
    fn nobody_is_asked_about_the_names_of_a_draft() {
        let mut book = Book::default();
        book.execute(&import(&text("harbour", "civil-tro")), &someone()).unwrap();
        let name = DomainName::parse("mail-harbour.example").unwrap();
        let (batches, drafts) = batches(&book.view.cases[&case("harbour")], std::slice::from_ref(&name)).unwrap();
        assert!(batches.is_empty(), "{batches:?}");
        assert_eq!(drafts, [name]);
    }
}
