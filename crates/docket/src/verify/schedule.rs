//! When the program looks by itself: which names of a case, in which order, and from when on.
//!
//! Names whose order is in force, or has lapsed while we still answer for them, are looked at again and again; one that
//! was returned until a pass saw that no parent server delegates it to us. Nothing here asks the clock.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use model::id::CaseId;
use model::order::{Order, OrderStatus};
use model::seizure::{Seizure, ServiceMode};
use model::{Digest, DomainName, Timestamp};
use store::view::CaseView;

use crate::due::is_going_on;

/// The shortest time between two passes that an operator may ask for.
pub const EVERY_SECS_MIN: u64 = 10;
/// The longest: 30 days.
pub const EVERY_SECS_MAX: u64 = 30 * 24 * 60 * 60;
/// Cases begin at most this part of the time between two passes later than they might, each at a moment of its own.
const JITTER_PART: u32 = 8;

/// What the last look at a name came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Last {
    pub at: Timestamp,
    /// No parent server delegates it to us.
    pub undelegated: bool,
}

pub type Lasts = BTreeMap<DomainName, Last>;

/// The names of a case that the program looks at by itself, mixed: neighbours in the alphabet share a registry, and their
/// servers are not asked in one go.
pub fn names(case: &CaseView, lasts: &Lasts) -> Vec<DomainName> {
    if !is_going_on(case) {
        return Vec::new();
    }
    let wanted = case.names.iter().filter(|(name, known)| {
        let status = case.orders.get(&known.order).map(Order::status);
        let is_held = matches!(status, Some(OrderStatus::InForce | OrderStatus::Lapsed));
        let is_gone = known.seizure == Seizure::Released || known.mode == Some(ServiceMode::Off);
        let is_returned = known.seizure == Seizure::Returned || known.mode == Some(ServiceMode::Handback);
        let is_done = is_returned && lasts.get(*name).is_some_and(|last| last.undelegated);
        !is_gone && (is_held && !is_returned || is_returned && !is_done)
    });
    let mut mixed: Vec<(u64, &DomainName)> = wanted.map(|(name, _)| (lot(name.as_str()), name)).collect();
    mixed.sort_unstable();
    mixed.into_iter().map(|(_, name)| name.clone()).collect()
}

/// From when on a pass over these names is due: so long after the oldest last look at one of them, and a little later by
/// the case's own lot. A name that nobody has looked at is due at once.
pub fn due_at(case: &CaseId, names: &[DomainName], lasts: &Lasts, every: Duration) -> Timestamp {
    let oldest = names.iter().map(|name| lasts.get(name).map(|last| last.at)).min().flatten();
    let Some(oldest) = oldest else { return Timestamp::UNIX_EPOCH };
    let spread = (every / JITTER_PART).as_secs().max(1);
    let wait = every.as_secs() + lot(case.as_str()) % spread;
    let wait = SignedDuration::from_secs(i64::try_from(wait).unwrap_or(i64::MAX));
    oldest.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// A number that is a name's own and the same everywhere.
fn lot(text: &str) -> u64 {
    let digest = Digest::of_bytes(text.as_bytes()).0;
    digest.iter().take(8).fold(0, |lot, octet| lot << 8 | u64::from(*octet))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::custody::tests::served;
    use crate::decide::book::case;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn lasts(names: &[DomainName], when: &str, undelegated: bool) -> Lasts {
        names.iter().map(|name| (name.clone(), Last { at: at(when), undelegated })).collect()
    }

    #[test]
    fn a_case_is_due_at_once_and_then_after_the_time_between_passes() {
        let book = served();
        let case = &book.view.cases[&case("c-1")];
        let names = names(case, &Lasts::new());
        assert_eq!(names.len(), case.names.len());
        let every = Duration::from_secs(6 * 3_600);
        assert_eq!(due_at(&case.terms.id, &names, &Lasts::new(), every), Timestamp::UNIX_EPOCH);
        let mut lasts = lasts(&names, "2026-03-01T12:00:00Z", false);
        let due = due_at(&case.terms.id, &names, &lasts, every);
        assert!(due >= at("2026-03-01T18:00:00Z") && due < at("2026-03-01T18:45:00Z"), "{due}");
        lasts.remove(&names[0]);
        assert_eq!(due_at(&case.terms.id, &names, &lasts, every), Timestamp::UNIX_EPOCH, "one is new");
    }

    #[test]
    fn a_returned_name_is_looked_at_until_nobody_delegates_it_to_us() {
        let mut book = served();
        let id = case("c-1");
        let first = book.view.cases[&id].names.iter().next().unwrap().0.clone();
        let view = book.view.cases.get_mut(&id).unwrap();
        view.names.change(&first, |known| known.mode = Some(ServiceMode::Handback));
        let view = &book.view.cases[&id];
        assert!(names(view, &Lasts::new()).contains(&first), "who returned it wants to know that it went");
        let seen = lasts(std::slice::from_ref(&first), "2026-03-01T12:00:00Z", true);
        assert!(!names(view, &seen).contains(&first));
    }

    #[test]
    fn nobody_is_asked_about_a_draft() {
        let mut book = crate::decide::book::Book::default();
        let import = crate::decide::book::import(&crate::decide::book::text("harbour", "civil-tro"));
        book.execute(&import, &crate::decide::book::someone()).unwrap();
        assert!(names(&book.view.cases[&case("harbour")], &Lasts::new()).is_empty());
    }
}
