//! Whom a case waits for: actors who were sent their share and do not answer in time, shares that are not carried out in
//! time, and whoever says no.

use model::Timestamp;
use model::alarm::AlarmKind;
use model::id::OrderId;
use model::notification::ReportState;
use model::order::OrderStatus;
use model::seizure::Seizure;
use store::view::{CaseView, DispatchView, ReportView};

use crate::alarms::Finding;

pub(super) fn findings(case: &CaseView, goes_on: bool, now: Timestamp) -> impl Iterator<Item = Finding> {
    let actors = case.execution.dispatches.iter();
    let actors = actors.flat_map(move |((order, actor), sent)| of_actor(case, (order, actor), sent, (goes_on, now)));
    let orders = case.orders.keys().filter_map(move |order| execution(case, order, goes_on, now));
    let reports = case.evidence.reports.iter().map(move |report| provider(report, goes_on));
    actors.chain(orders).chain(reports)
}

fn stands(case: &CaseView, order: &OrderId) -> bool {
    case.orders.get(order).is_some_and(|order| order.status() == OrderStatus::InForce)
}

fn of_actor(
    case: &CaseView,
    (order, actor): (&OrderId, &String),
    sent: &DispatchView,
    (goes_on, now): (bool, Timestamp),
) -> [Finding; 2] {
    let is_waited_for = goes_on && stands(case, order);
    let late = sent.due.filter(|_| is_waited_for && sent.is_late(now));
    let late = late.map(|due| format!("{actor} was sent its share of order {order} and has not answered by {due}"));
    let overdue = Finding::of(AlarmKind::Overdue, actor.clone(), order.as_str(), late, "nobody waits for it any more");
    let said = sent.acknowledged.as_ref().map_or("", |(_, said)| said);
    let no = (is_waited_for && sent.refused).then(|| format!("{actor} will not act on order {order}: {said}"));
    let refused =
        Finding::of(AlarmKind::Refused, actor.clone(), order.as_str(), no, "it was asked anew, or is not needed");
    [overdue, refused]
}

/// Every share of the order was due, and names that were sent are not seen to be seized.
fn execution(case: &CaseView, order: &OrderId, goes_on: bool, now: Timestamp) -> Option<Finding> {
    let sent = case.execution.dispatches.iter().filter(|((of, _), _)| of == order);
    let due = sent.map(|(_, sent)| sent.due).max().flatten()?;
    let is_under_way = |at: Seizure| matches!(at, Seizure::Sent | Seizure::Acknowledged | Seizure::Partial);
    let is_late = goes_on && due < now && stands(case, order) && case.names.any_apart(order, is_under_way);
    let reason = || format!("not every name of order {order} that was sent is seen to be seized by {due}");
    let well = "every name that was sent is seen to be seized, or is not ordered any more";
    Some(Finding::of(AlarmKind::Overdue, order.as_str(), "execution", is_late.then(reason), well))
}

/// A provider said no, and nobody has gone on from there.
fn provider(report: &ReportView, goes_on: bool) -> Finding {
    let terms = &report.terms;
    let is_refused = goes_on && report.state == ReportState::Refused && report.escalated.is_none();
    let note = report.answers.last().map_or("", |answer| answer.note.as_str());
    let reason =
        || format!("the {} of {} refused report {}: {note}", terms.to.as_str(), terms.name.defanged(), terms.number);
    let (subject, mark) = (terms.name.as_str(), format!("report-{}", terms.number));
    Finding::of(AlarmKind::Refused, subject, &mark, is_refused.then(reason), "the report goes on")
}

#[cfg(test)]
mod tests;
