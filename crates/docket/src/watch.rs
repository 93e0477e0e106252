//! What the clock alone brings about: authorities that near their end and end, narrowings that nobody confirms, actors who
//! do not answer or say no ([`answers`]), names that no registry will seize ([`reach`]).
//!
//! A follower of the roof asks at every fact and every few seconds; while nothing changes nothing comes out.

use jiff::SignedDuration;
use model::Timestamp;
use model::alarm::AlarmKind;
use model::fact::Body;
use model::order::{Order, OrderStatus};
use store::view::{CaseView, View};

use crate::alarms::{Finding, settle};
use crate::due::{confirm_by, is_going_on};

mod answers;
mod reach;

/// How long before its end an authority gives alarm: each step is an alarm of its own.
pub const AUTHORITY_ALARMS: [(&str, SignedDuration); 3] = [
    ("72-hours", SignedDuration::from_hours(72)),
    ("24-hours", SignedDuration::from_hours(24)),
    ("1-hour", SignedDuration::from_hours(1)),
];

/// What follows from `now` for every case.
pub fn look(view: &View, now: Timestamp) -> Vec<Body> {
    view.cases.values().flat_map(|case| of_case(case, now)).collect()
}

fn of_case(case: &CaseView, now: Timestamp) -> Vec<Body> {
    let goes_on = is_going_on(case);
    let orders = case.orders.values();
    let mut bodies: Vec<Body> =
        orders.clone().filter(|order| has_just_lapsed(order, now)).map(|o| lapse(case, o)).collect();
    let findings = orders.flat_map(|order| authority(order, goes_on, now)).chain(narrowings(case, goes_on, now));
    let findings = findings.chain(answers::findings(case, goes_on, now)).chain(reach::findings(case, goes_on));
    bodies.extend(settle(&case.terms.id, &case.watch, findings, None).bodies);
    bodies
}

fn has_just_lapsed(order: &Order, now: Timestamp) -> bool {
    order.status() == OrderStatus::InForce && end(order).is_some_and(|end| end <= now)
}

fn end(order: &Order) -> Option<Timestamp> {
    order.terms().authority.expires.as_ref().map(|expires| expires.value.at)
}

fn lapse(case: &CaseView, order: &Order) -> Body {
    Body::OrderLapsed { case: case.terms.id.clone(), order: order.terms().id.clone() }
}

/// One step stands at a time, the last one reached.
fn authority(order: &Order, goes_on: bool, now: Timestamp) -> Vec<Finding> {
    let (Some(end), Some(written)) = (end(order), &order.terms().authority.expires) else { return Vec::new() };
    let id = order.terms().id.to_string();
    let is_watched = goes_on && order.status() == OrderStatus::InForce;
    let left = end.duration_since(now);
    let reached = AUTHORITY_ALARMS.iter().rfind(|(_, before)| left <= *before && left > SignedDuration::ZERO);
    let step = |(mark, _): &(&str, SignedDuration)| {
        let stands = is_watched && reached.is_some_and(|(reached, _)| reached == mark);
        let reason =
            || format!("the authority of order {id} ends at {}; without another its names go to hold", written.value);
        let well = "that step is over";
        Finding::of(AlarmKind::AuthorityLapsing, id.clone(), mark, stands.then(reason), well)
    };
    let has_lapsed = goes_on && matches!(order.status(), OrderStatus::InForce | OrderStatus::Lapsed) && end <= now;
    let reason = || format!("the authority of order {id} ended at {}; its names are on hold", written.value);
    let well = "the case or the order has come to its end";
    let lapsed = Finding::of(AlarmKind::AuthorityLapsed, id.clone(), "", has_lapsed.then(reason), well);
    AUTHORITY_ALARMS.iter().map(step).chain([lapsed]).collect()
}

fn narrowings(case: &CaseView, goes_on: bool, now: Timestamp) -> impl Iterator<Item = Finding> {
    case.watch.narrowings.iter().map(move |(place, narrowing)| {
        let by = confirm_by(narrowing.at);
        let is_late = goes_on && narrowing.confirmed.is_none() && by <= now;
        let reason = || format!("nobody has confirmed by {by} what one person narrowed: {}", narrowing.told());
        let reason = is_late.then(reason);
        Finding::of(AlarmKind::NarrowingUnconfirmed, place.to_string(), "", reason, "a second person has confirmed it")
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use model::alarm::AlarmKey;
    use model::fact::{Actor, Draft};
    use model::order::NameOutcome;
    use model::seizure::ServiceMode;

    use super::*;
    use crate::custody::tests::served;
    use crate::decide::book::{Book, case};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Looks, takes what came of it, and says it.
    pub(crate) fn turn(book: &mut Book, now: Timestamp) -> Vec<String> {
        let bodies = look(&book.view, now);
        let told = bodies.iter().map(|body| match body {
            Body::AlarmRaised { alarm, .. } => format!("raised {} {}", alarm.key.kind, alarm.key.mark),
            Body::AlarmCleared { alarm, .. } => {
                let known = book.view.cases[&case("c-1")].watch.alarm(*alarm).unwrap();
                let AlarmKey { kind, mark, .. } = &known.alarm.key;
                format!("cleared {kind} {mark}")
            }
            other => format!("{other:?}").split(' ').next().unwrap_or_default().to_owned(),
        });
        let told = told.collect();
        for body in bodies {
            let fact = Draft::new(Actor::Room { name: "watch".into() }, body).at(book.view.next, now);
            book.view.apply(&fact, |_| None).expect("what the clock brings about folds");
        }
        told
    }

    #[test]
    fn an_authority_gives_alarm_three_times_before_its_end_and_then_its_names_are_held() {
        let mut book = served();
        for (now, told) in [
            ("2026-03-26T20:59:59Z", &[][..]),
            ("2026-03-26T21:00:00Z", &["raised authority-lapsing 72-hours"]),
            ("2026-03-27T21:00:00Z", &[]),
            ("2026-03-28T21:00:00Z", &["cleared authority-lapsing 72-hours", "raised authority-lapsing 24-hours"]),
            ("2026-03-29T20:00:00Z", &["cleared authority-lapsing 24-hours", "raised authority-lapsing 1-hour"]),
            ("2026-03-29T20:59:59Z", &[]),
            ("2026-03-29T21:00:00Z", &["OrderLapsed", "cleared authority-lapsing 1-hour", "raised authority-lapsed "]),
            ("2026-03-29T21:00:01Z", &[]),
            ("2026-04-29T21:00:00Z", &[]),
        ] {
            assert_eq!(turn(&mut book, at(now)), told, "{now}");
        }
        let zones = book.view.zones(at("2026-03-29T21:00:01Z")).zones;
        let known = &book.view.cases[&case("c-1")];
        let redirected = known.names.values().filter(|name| name.outcome == NameOutcome::Redirect).count();
        assert_eq!(zones.len(), redirected, "nothing goes dark");
        assert!(zones.iter().all(|zone| zone.mode() == ServiceMode::Hold));
    }
}
