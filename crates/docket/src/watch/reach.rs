//! Names that the gate's last run found out of the registry's reach, or below what strangers share: an order does not seize
//! them by itself, and somebody has to know.

use std::collections::BTreeSet;

use model::alarm::AlarmKind;
use model::gate::{Gate, WarningKind};
use model::name::DomainName;
use model::seizure::Seizure;
use store::view::CaseView;

use crate::alarms::Finding;

const KINDS: [(AlarmKind, WarningKind, &str); 2] = [
    (
        AlarmKind::OutOfJurisdiction,
        WarningKind::RegistryOutOfReach,
        "its registry is out of the issuer's reach: it is asked, and not ordered",
    ),
    (
        AlarmKind::Unseizable,
        WarningKind::SharedSuffix,
        "strangers hold names beside it: no registry seizes it, its provider is asked",
    ),
];
/// Of an alarm about more names than a run's fact lists.
const MANY: &str = "many";
const WELL: &str = "the gate does not find it so any more, or the name is not ordered any more";

pub(super) fn findings(case: &CaseView, goes_on: bool) -> impl Iterator<Item = Finding> {
    KINDS.into_iter().flat_map(move |(alarm, warning, why)| {
        let gate = case.gate.as_deref().filter(|_| goes_on);
        let (names, beyond) = gate.map(|gate| found(case, gate, warning)).unwrap_or_default();
        let many =
            (beyond > 0).then(|| format!("{beyond} names of the case: {why}; `bailiwick case gate --show` lists them"));
        let many = Finding::of(alarm, case.terms.id.as_str(), MANY, many, WELL);
        let over = case.watch.open_alarms().filter(move |known| known.alarm.key.kind == alarm);
        let is_over =
            |subject: &str| subject != case.terms.id.as_str() && !names.iter().any(|name| name.as_str() == subject);
        let over: Vec<String> = over.map(|known| known.alarm.key.subject.clone()).filter(|one| is_over(one)).collect();
        let over = over.into_iter().map(move |subject| Finding::of(alarm, subject, "", None, WELL));
        let reason = move |name: &DomainName| format!("{}: {why}", name.defanged());
        let named = names.into_iter().map(move |name| Finding::of(alarm, name.as_str(), "", Some(reason(&name)), WELL));
        named.chain(over).chain([many])
    })
}

/// The names that the run lists and that are still ordered, and how many it only counts.
fn found(case: &CaseView, gate: &Gate, kind: WarningKind) -> (BTreeSet<DomainName>, u64) {
    let warned = gate.run.warnings.iter().chain(&gate.run.stops).filter(|one| one.kind == kind);
    let is_ordered = |name: &&DomainName| {
        let known = case.names.get(name);
        known.is_some_and(|known| !matches!(known.seizure, Seizure::Released | Seizure::Returned))
    };
    let beyond = warned.clone().filter(|one| one.names.is_empty()).map(|one| one.count).sum();
    (warned.flat_map(|one| one.names.iter().filter(is_ordered).cloned()).collect(), beyond)
}

#[cfg(test)]
mod tests;
