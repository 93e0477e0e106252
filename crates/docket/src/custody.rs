//! Custody: whether what was taken over stays taken over, by what was seen of it from outside.
//!
//! [`compare`] is a function of what is expected, what stood before, what is seen now, and `now`. A delegation is compared
//! with the order; glue, statuses, registrar and the registration's date with what stood before. What stood before changes
//! only while nothing gives alarm, or once a person has acknowledged that it has changed: a drift that lasts stays an alarm
//! and does not become the new rule by being seen twice. What could not be seen changes nothing.
//!
//! The names of our own name servers are watched as well: whoever takes one of those has every zone below it.

use std::collections::{BTreeMap, BTreeSet};

use model::alarm::{AlarmKey, AlarmKind, AlarmState};
use model::id::CaseId;
use model::name::DomainName;
use model::observation::{Heard, Observation, ParentAnswer};
use model::order::{NameOutcome, OrderStatus};
use model::seizure::{Seizure, ServiceMode};
use model::{Digest, Refusal, Timestamp};
use serde::{Deserialize, Serialize};
use store::view::{CaseView, View, WatchView};

use crate::alarms::{Finding, Stands};
use crate::verify::FRESH_FOR;

pub mod certificates;
mod checks;
mod sinkholes;

pub use sinkholes::{SINKHOLES_MAX, Sinkholes};

/// The most names of one case in one file.
pub const NAMES_MAX: usize = 100_000;
/// The longest file of what stands.
pub const FILE_OCTETS_MAX: usize = 512 << 20;

//----------- Kept -------------------------------------------------------------------------------------------------

/// What is kept of one name: what it is compared with, and what was seen last.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    pub standing: Observation,
    pub seen: Observation,
}

/// By name; as a file it is one line of JSON each, in order of name.
pub type Shelf = BTreeMap<DomainName, Kept>;

/// Reads what [`written`] wrote.
pub fn read(octets: &[u8]) -> Result<Shelf, Refusal> {
    let lines = octets.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
    let kept = lines.map(serde_json::from_slice::<Kept>).collect::<Result<Vec<_>, _>>();
    let kept = kept.map_err(|error| Refusal::new(format!("what was seen before cannot be read: {error}")))?;
    Ok(kept.into_iter().map(|kept| (kept.seen.name.clone(), kept)).collect())
}

pub fn written(shelf: &Shelf) -> Vec<u8> {
    let mut octets = Vec::new();
    for kept in shelf.values() {
        octets.extend(model::digest::canonical_json(kept));
        octets.push(b'\n');
    }
    octets
}

//----------- Expected ---------------------------------------------------------------------------------------------

/// What should be seen of a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    pub outcome: NameOutcome,
    /// As ordered; of one of our own names none is ordered.
    pub name_servers: BTreeSet<DomainName>,
    /// The name of one of our name servers, not a seized one.
    pub is_own: bool,
    /// The seizure was proven once, whatever stood before.
    pub is_verified: bool,
}

/// What is expected of a name of the case; `None`: it is not in our custody, or is no name of it.
pub fn expected(case: &CaseView, name: &DomainName) -> Option<Expected> {
    if let Some(known) = case.names.get(name) {
        let order = case.orders.get(&known.order)?;
        let is_held = matches!(order.status(), OrderStatus::InForce | OrderStatus::Lapsed);
        let is_gone = matches!(known.seizure, Seizure::Released | Seizure::Returned)
            || known.mode.is_some_and(|mode| mode >= ServiceMode::Handback);
        let name_servers = order.terms().name_servers.iter().cloned().collect();
        let is_verified = known.seizure >= Seizure::Verified;
        return (is_held && !is_gone).then_some(Expected {
            outcome: known.outcome,
            name_servers,
            is_own: false,
            is_verified,
        });
    }
    own_names(case).contains(name).then(|| Expected {
        outcome: NameOutcome::Redirect,
        name_servers: BTreeSet::new(),
        is_own: true,
        is_verified: false,
    })
}

/// The names that somebody registered for the name servers of the case's orders: theirs have to stay ours.
pub fn own_names(case: &CaseView) -> BTreeSet<DomainName> {
    let orders = case.orders.values();
    let held = orders.filter(|order| matches!(order.status(), OrderStatus::InForce | OrderStatus::Lapsed));
    held.flat_map(|order| &order.terms().name_servers).filter_map(DomainName::registrable).collect()
}

/// The cases that watch a name.
pub fn cases_of<'v>(view: &'v View, name: &DomainName) -> impl Iterator<Item = &'v CaseView> {
    let name = name.clone();
    view.cases.values().filter(move |case| crate::due::is_going_on(case) && expected(case, &name).is_some())
}

//----------- Comparing --------------------------------------------------------------------------------------------

/// What was found of one name.
pub fn compare(
    expected: &Expected,
    standing: Option<&Observation>,
    seen: &Observation,
    sinkholes: &Sinkholes,
    now: Timestamp,
) -> Vec<Finding> {
    let mut findings = checks::delegation(expected, standing, seen);
    findings.extend(checks::registry(expected, standing, seen));
    findings.extend(checks::expiry(expected, seen, now));
    findings.extend(checks::collision(expected, seen, sinkholes));
    findings
}

/// What comes of a pass over names of one case: the findings, and what is kept from now on.
#[derive(Clone, Debug, PartialEq)]
pub struct Passed {
    pub findings: Vec<Finding>,
    pub shelf: Shelf,
    /// Whether anything but the hour differs from what was kept before.
    pub is_news: bool,
}

/// What of a pass is still of now, and not older than what is kept. What was kept with an hour yet to come tells nothing.
pub fn fresh(seen: &[Observation], shelf: &Shelf, now: Timestamp) -> Vec<Observation> {
    let is_fresh = |seen: &&Observation| {
        let kept = shelf.get(&seen.name).map(|kept| kept.seen.at).filter(|at| *at <= now);
        now.duration_since(seen.at).abs() <= FRESH_FOR && kept.is_none_or(|at| at <= seen.at)
    };
    seen.iter().filter(is_fresh).cloned().collect()
}

pub fn pass(case: &CaseView, before: &Shelf, seen: &[Observation], sinkholes: &Sinkholes, now: Timestamp) -> Passed {
    let mut passed = Passed { findings: Vec::new(), shelf: before.clone(), is_news: false };
    for seen in seen {
        let Some(expected) = expected(case, &seen.name) else { continue };
        let known = before.get(&seen.name);
        let seen = &filled(known, seen);
        let standing = known.map(|kept| &kept.standing);
        let findings = compare(&expected, standing, seen, sinkholes, now);
        let standing = goes_on(&expected, standing, seen, (&findings, &case.watch));
        let kept = Kept { standing, seen: whole(known, seen) };
        passed.is_news |= !known.is_some_and(|known| is_alike(known, &kept));
        passed.shelf.insert(seen.name.clone(), kept);
        passed.findings.extend(findings);
    }
    passed
}

/// A server of the parent that was not heard this time says what it said last, and resolvers do: silence neither raises an
/// alarm nor ends one.
fn filled(known: Option<&Kept>, seen: &Observation) -> Observation {
    let mut filled = seen.clone();
    let Some(Kept { seen: kept, .. }) = known else { return filled };
    let before = &kept.parents[..];
    if !seen.parents.iter().any(is_heard) {
        return filled;
    }
    if filled.addresses.is_empty() || filled.addresses_in_part {
        filled.addresses.extend(&kept.addresses);
    }
    filled.parents.clear();
    for parent in &seen.parents {
        let same = |other: &&ParentAnswer| other.server == parent.server && other.address == parent.address;
        let mut last = before.iter().filter(|other| same(other) && is_heard(other)).peekable();
        match is_heard(parent) || last.peek().is_none() {
            true => filled.parents.push(parent.clone()),
            false => filled.parents.extend(last.cloned()),
        }
    }
    filled.parents.extend(before.iter().filter(|old| is_missed(old, &seen.parents)).cloned());
    filled
}

fn is_heard(parent: &ParentAnswer) -> bool {
    matches!(parent.heard, Heard::Delegated | Heard::Absent)
}

/// The server is still one of the parent's, but its address was not found this time. One that was heard at another address
/// of the family has moved.
fn is_missed(old: &ParentAnswer, parents: &[ParentAnswer]) -> bool {
    let mut same = parents.iter().filter(|parent| parent.server == old.server).peekable();
    let replaces = |new: &ParentAnswer| match (new.address, old.address) {
        (new, old) if new == old => true,
        (Some(one), Some(two)) => is_heard(new) && one.is_ipv4() == two.is_ipv4(),
        _ => is_heard(new),
    };
    is_heard(old) && same.peek().is_some() && !same.any(replaces)
}

/// Parts that nobody looked at this time stay as they were seen.
fn whole(known: Option<&Kept>, seen: &Observation) -> Observation {
    let Some(Kept { seen: before, .. }) = known else { return seen.clone() };
    let mut whole = seen.clone();
    if !whole.parents.iter().any(is_heard) {
        whole.parents.clone_from(&before.parents);
    }
    if whole.addresses.is_empty() || whole.addresses_in_part {
        whole.addresses.extend(&before.addresses);
    }
    whole.child = whole.child.or_else(|| before.child.clone());
    whole.registration = whole.registration.or_else(|| before.registration.clone());
    whole
}

/// What the next pass compares with: what is seen, except for parts that give an alarm which nobody has acknowledged. What
/// an order says of the delegation, and a registration that has ended or is another's, no acknowledgement makes right.
fn goes_on(
    expected: &Expected,
    standing: Option<&Observation>,
    seen: &Observation,
    (findings, watch): (&[Finding], &WatchView),
) -> Observation {
    let Some(standing) = standing else { return seen.clone() };
    let is_ordered = !expected.is_own && matches!(expected.outcome, NameOutcome::Redirect | NameOutcome::Hold);
    let keeps_back = |finding: &&Finding| {
        let Stands::Alarming(reason) = &finding.stands else { return false };
        let is_lasting = match (finding.key.kind, &*finding.key.mark) {
            (AlarmKind::Reregistered, _) | (_, checks::ENDED) => true,
            (AlarmKind::Drifted, checks::NS | checks::DS) => is_ordered,
            _ => false,
        };
        is_lasting || !is_acknowledged(watch, &finding.key, reason)
    };
    let held_back: BTreeSet<&str> = findings.iter().filter(keeps_back).filter_map(part).collect();
    let mut next = standing.clone();
    next.at = seen.at;
    if seen.parents.iter().any(is_heard) && !held_back.contains(PARENTS) {
        next.parents.clone_from(&seen.parents);
    }
    if seen.registration.is_some() && !held_back.contains(REGISTRATION) {
        next.registration.clone_from(&seen.registration);
    }
    next.child = seen.child.clone().or(next.child);
    next
}

const PARENTS: &str = "parents";
const REGISTRATION: &str = "registration";

/// The part of an observation that a finding speaks of by comparison.
fn part(finding: &Finding) -> Option<&'static str> {
    match (finding.key.kind, &*finding.key.mark) {
        (AlarmKind::Drifted, checks::NS | checks::DS | checks::GLUE) => Some(PARENTS),
        (AlarmKind::Drifted, checks::STATUS | checks::REGISTRAR) => Some(REGISTRATION),
        (AlarmKind::Reregistered, _) | (_, checks::ENDED) => Some(REGISTRATION),
        _ => None,
    }
}

/// Whether a person has taken exactly this as known.
fn is_acknowledged(watch: &WatchView, key: &AlarmKey, reason: &str) -> bool {
    let known = watch.alarms.get(key);
    known.is_some_and(|known| known.state == AlarmState::Acknowledged && known.alarm.reason == reason)
}

fn is_alike(one: &Kept, two: &Kept) -> bool {
    let at = Timestamp::UNIX_EPOCH;
    let bare = |seen: &Observation| Observation { at, ..seen.clone() };
    bare(&one.standing) == bare(&two.standing) && bare(&one.seen) == bare(&two.seen)
}

//----------- TakenFile --------------------------------------------------------------------------------------------

/// What a case's pass writes down: its file, and what it was made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Taking {
    pub case: CaseId,
    /// The file that was there before; if another came in between, the pass is made again.
    pub before: Option<Digest>,
    /// What it says.
    pub shelf: Shelf,
    pub seen: Vec<Observation>,
    pub sinkholes: Sinkholes,
}

/// Alarms of names that the case no longer watches: they end.
pub fn let_go(case: &CaseView) -> Vec<Finding> {
    const KINDS: [AlarmKind; 6] = [
        AlarmKind::Drifted,
        AlarmKind::Lapsing,
        AlarmKind::Lapsed,
        AlarmKind::Reregistered,
        AlarmKind::Collision,
        AlarmKind::OwnNameLapsing,
    ];
    let of_custody = case.watch.open_alarms().filter(|alarm| KINDS.contains(&alarm.alarm.key.kind));
    let is_let_go = |key: &AlarmKey| DomainName::parse(&key.subject).is_ok_and(|name| expected(case, &name).is_none());
    let gone = of_custody.map(|alarm| alarm.alarm.key.clone()).filter(is_let_go);
    gone.map(|key| Finding { key, stands: Stands::Well("the name is in our custody no longer") }).collect()
}

#[cfg(test)]
pub(crate) mod tests;
