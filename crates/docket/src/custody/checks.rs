//! The single checks of custody. Each says what it found, or nothing where nothing could be seen.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::SignedDuration;
use model::Timestamp;
use model::alarm::AlarmKind;
use model::name::{DomainName, defang};
use model::observation::{Heard, Observation, ParentAnswer, Registration};
use model::order::NameOutcome;

use super::{Expected, Sinkholes};
use crate::alarms::Finding;

pub(super) const NS: &str = "ns";
pub(super) const DS: &str = "ds";
pub(super) const GLUE: &str = "glue";
pub(super) const CHILD: &str = "child";
pub(super) const STATUS: &str = "status";
pub(super) const REGISTRAR: &str = "registrar";
pub(super) const ENDED: &str = "ended";

/// How long before its end a registration gives alarm: each step is an alarm of its own.
const EXPIRY_ALARMS_DAYS: [(&str, i64); 3] = [("60-days", 60), ("30-days", 30), ("7-days", 7)];
/// Statuses that come and go by the registry's own calendar (RFC 3915).
const PASSING: [&str; 5] = ["add period", "auto renew period", "renew period", "transfer period", "redemption period"];
/// The most servers, targets or statuses that a reason names.
const NAMED_MAX: usize = 8;

type Addresses<'a> = BTreeMap<&'a DomainName, BTreeSet<IpAddr>>;

//----------- At the parents ---------------------------------------------------------------------------------------

pub(super) fn delegation(expected: &Expected, standing: Option<&Observation>, seen: &Observation) -> Vec<Finding> {
    let heard: Vec<&ParentAnswer> = answered(seen).collect();
    if heard.is_empty() {
        return Vec::new();
    }
    let name = seen.name.as_str();
    let wanted = wanted(expected, standing);
    let mut findings = Vec::new();
    // Before it has been as ordered once there is nothing that it could drift from: then it is not executed yet.
    let was_well = expected.is_verified || standing.is_some_and(|before| is_as(before, &wanted));
    if is_as(seen, &wanted) || was_well {
        let reason = elsewhere(&heard, &wanted);
        findings.push(Finding::of(
            AlarmKind::Drifted,
            name,
            NS,
            reason,
            "every server of the parent delegates as ordered",
        ));
    }
    if let Wanted::To(_) = &wanted {
        findings.push(ds(expected, standing, name, &heard, is_as(seen, &wanted) || was_well));
        findings.push(glue(standing, name, &heard));
        findings.extend(child(seen, &heard));
    }
    findings
}

/// What every server of the parent should say.
enum Wanted {
    To(BTreeSet<DomainName>),
    Nothing,
    /// Nothing is ordered of the delegation, and nothing stood before.
    Anything,
}

fn wanted(expected: &Expected, standing: Option<&Observation>) -> Wanted {
    match expected.outcome {
        NameOutcome::Redirect if !expected.is_own => Wanted::To(expected.name_servers.clone()),
        NameOutcome::Redirect | NameOutcome::LockOnly | NameOutcome::Transfer => {
            match standing.map(|before| targets(answered(before))) {
                Some(before) if !before.is_empty() => Wanted::To(before),
                _ => Wanted::Anything,
            }
        }
        NameOutcome::Hold | NameOutcome::Delete | NameOutcome::BlockRegistration => Wanted::Nothing,
        NameOutcome::ProviderRemoval => Wanted::Anything,
    }
}

fn answered(seen: &Observation) -> impl Iterator<Item = &ParentAnswer> + Clone {
    seen.parents.iter().filter(|parent| matches!(parent.heard, Heard::Delegated | Heard::Absent))
}

fn targets<'a>(parents: impl Iterator<Item = &'a ParentAnswer>) -> BTreeSet<DomainName> {
    parents.flat_map(|parent| parent.ns.iter().cloned()).collect()
}

fn says(parent: &ParentAnswer, wanted: &Wanted) -> bool {
    match wanted {
        Wanted::To(targets) => parent.heard == Heard::Delegated && parent.ns == *targets,
        Wanted::Nothing => parent.heard == Heard::Absent,
        Wanted::Anything => true,
    }
}

fn is_as(seen: &Observation, wanted: &Wanted) -> bool {
    let mut parents = answered(seen);
    parents.clone().next().is_some() && parents.all(|parent| says(parent, wanted))
}

fn elsewhere(heard: &[&ParentAnswer], wanted: &Wanted) -> Option<String> {
    let strays: Vec<&ParentAnswer> = heard.iter().copied().filter(|parent| !says(parent, wanted)).collect();
    if strays.is_empty() {
        return None;
    }
    let servers: BTreeSet<&str> = strays.iter().map(|parent| parent.server.as_str()).collect();
    let found = targets(strays.iter().copied());
    let found = if found.is_empty() {
        "nowhere".to_owned()
    } else {
        format!("to {}", named(found.iter().map(DomainName::as_str)))
    };
    let should = match wanted {
        Wanted::To(targets) => format!("to {}", named(targets.iter().map(DomainName::as_str))),
        Wanted::Nothing | Wanted::Anything => "nowhere".to_owned(),
    };
    Some(format!("delegated {found} at the parent's {}; it should be {should}", named(servers)))
}

/// A redirected name has no DS at the parent: a validating resolver would answer SERVFAIL.
fn ds(
    expected: &Expected,
    standing: Option<&Observation>,
    name: &str,
    heard: &[&ParentAnswer],
    is_ours: bool,
) -> Finding {
    let all =
        |parents: &[&ParentAnswer]| parents.iter().flat_map(|p| p.ds.iter().cloned()).collect::<BTreeSet<String>>();
    let found = all(heard);
    let should = match standing {
        _ if !expected.is_own && expected.outcome == NameOutcome::Redirect => BTreeSet::new(),
        Some(before) => all(&answered(before).collect::<Vec<_>>()),
        None => found.clone(),
    };
    let reason = || match found.is_empty() {
        true => format!("no DS stands at the parent, and {} should", named(should.iter().map(String::as_str))),
        false if should.is_empty() => {
            format!(
                "DS {} stands at the parent: validating resolvers answer SERVFAIL",
                named(found.iter().map(String::as_str))
            )
        }
        false => format!("DS at the parent is {}, and was another", named(found.iter().map(String::as_str))),
    };
    let reason = (is_ours && found != should).then(reason);
    Finding::of(AlarmKind::Drifted, name, DS, reason, "DS at the parent is as it should be")
}

/// Glue differs between servers of the parent, or from what stood before.
fn glue(standing: Option<&Observation>, name: &str, heard: &[&ParentAnswer]) -> Finding {
    let now = addresses(heard.iter().copied());
    let before = standing.map(|before| addresses(answered(before))).unwrap_or_default();
    let moved = now.iter().find(|(host, found)| before.get(*host).is_some_and(|before| before != *found));
    let one_apart = heard.iter().find_map(|parent| {
        let apart = parent.glue.iter().find(|(host, found)| now.get(host).is_some_and(|all| all != *found));
        apart.map(|(host, _)| (parent, host))
    });
    let reason = match (moved, one_apart) {
        (_, Some((parent, host))) => {
            Some(format!("glue of {} at {} is not as at the others", defang(host.as_str()), parent.server.as_str()))
        }
        (Some((host, found)), None) => {
            let texts: Vec<String> = found.iter().map(IpAddr::to_string).collect();
            let found = named(texts.iter().map(String::as_str));
            Some(format!("glue of {} is {found}, and was another", defang(host.as_str())))
        }
        (None, None) => None,
    };
    Finding::of(AlarmKind::Drifted, name, GLUE, reason, "glue is as it was, at every server")
}

fn addresses<'a>(parents: impl Iterator<Item = &'a ParentAnswer>) -> Addresses<'a> {
    let mut all = Addresses::new();
    for (host, found) in parents.flat_map(|parent| &parent.glue) {
        all.entry(host).or_default().extend(found);
    }
    all
}

/// The name's own servers answer, and name the servers that the parent names.
fn child(seen: &Observation, heard: &[&ParentAnswer]) -> Option<Finding> {
    let child = seen.child.as_ref()?;
    let parent = targets(heard.iter().copied());
    let reason = match child.heard {
        Heard::Delegated if child.ns == parent || child.ns.is_empty() => None,
        Heard::Delegated => {
            let own = named(child.ns.iter().map(DomainName::as_str));
            Some(format!("parent and child disagree: the zone names {own}"))
        }
        Heard::Absent | Heard::Silent | Heard::Broken => {
            Some("no server that it is delegated to answers for it".to_owned())
        }
    };
    Some(Finding::of(AlarmKind::Drifted, seen.name.as_str(), CHILD, reason, "parent and child agree"))
}

//----------- At the registry --------------------------------------------------------------------------------------

pub(super) fn registry(expected: &Expected, standing: Option<&Observation>, seen: &Observation) -> Vec<Finding> {
    let Some(now) = &seen.registration else { return Vec::new() };
    let name = seen.name.as_str();
    let before = standing.and_then(|before| before.registration.as_ref());
    let anew = reregistered(expected.outcome, before, now);
    let moved = before.filter(|_| anew.is_none()).and_then(|before| registrar(before, now));
    let statuses = before.filter(|before| before.registered && now.registered).and_then(|before| statuses(before, now));
    vec![
        Finding::of(AlarmKind::Reregistered, name, "", anew, "the registration is as it was"),
        Finding::of(AlarmKind::Drifted, name, REGISTRAR, moved, "the registrar is as it was"),
        Finding::of(AlarmKind::Drifted, name, STATUS, statuses, "the statuses are as they were"),
    ]
}

/// A registration is another's if its date of creation is another, or where none may be.
fn reregistered(outcome: NameOutcome, before: Option<&Registration>, now: &Registration) -> Option<String> {
    let is_blocked = matches!(outcome, NameOutcome::Delete | NameOutcome::BlockRegistration);
    if !now.registered {
        return None;
    }
    let by = now.registrar.as_deref().unwrap_or("a registrar that is not told");
    match before {
        Some(before) if is_blocked && !before.registered => Some(format!("somebody has registered it at {by}")),
        None if is_blocked => Some(format!("it is registered at {by}, and should not be")),
        Some(before) if !is_blocked => match (before.created, now.created) {
            (Some(was), Some(is)) if was != is => Some(format!("it was registered anew on {is} at {by}, not on {was}")),
            _ if !before.registered => Some(format!("it was free, and somebody has registered it at {by}")),
            _ => None,
        },
        _ => None,
    }
}

fn registrar(before: &Registration, now: &Registration) -> Option<String> {
    let (was, is) = (before.registrar.as_deref()?, now.registrar.as_deref()?);
    (was != is).then(|| format!("the registrar is {is}, and was {was}"))
}

fn statuses(before: &Registration, now: &Registration) -> Option<String> {
    let lasting = |seen: &Registration| {
        seen.statuses.iter().filter(|status| !PASSING.contains(&status.as_str())).cloned().collect::<BTreeSet<_>>()
    };
    let (was, is) = (lasting(before), lasting(now));
    if was == is {
        return None;
    }
    let list = |one: &BTreeSet<String>, two: &BTreeSet<String>| named(one.difference(two).map(String::as_str));
    Some(format!("statuses changed: gone {}; new {}", list(&was, &is), list(&is, &was)))
}

//----------- Time and neighbours ----------------------------------------------------------------------------------

/// One step stands at a time, the last one reached.
pub(super) fn expiry(expected: &Expected, seen: &Observation, now: Timestamp) -> Vec<Finding> {
    let is_kept = !matches!(
        expected.outcome,
        NameOutcome::Delete | NameOutcome::BlockRegistration | NameOutcome::ProviderRemoval
    );
    let Some(registration) = seen.registration.as_ref().filter(|_| is_kept) else { return Vec::new() };
    let name = seen.name.as_str();
    let (lapsing, lapsed) = match expected.is_own {
        true => (AlarmKind::OwnNameLapsing, AlarmKind::OwnNameLapsing),
        false => (AlarmKind::Lapsing, AlarmKind::Lapsed),
    };
    let ends_by_status =
        ["pending delete", "redemption period"].iter().find(|status| registration.statuses.contains(**status));
    let end = registration.expires.filter(|_| registration.registered && ends_by_status.is_none());
    let is_over = match end {
        Some(end) if end <= now => Some(format!("the registration ended at {end}")),
        _ if !registration.registered => Some("the registry knows no such registration".to_owned()),
        _ => ends_by_status.map(|status| format!("the registry says `{status}`: it is about to be free")),
    };
    let left = end.filter(|_| is_over.is_none()).map(|end| (end, end.duration_since(now)));
    let reached = left.and_then(|(_, left)| {
        EXPIRY_ALARMS_DAYS.iter().rfind(|(_, days)| left <= SignedDuration::from_hours(24 * days))
    });
    let step = |(mark, _): &(&str, i64)| {
        let end = left.filter(|_| reached.is_some_and(|(reached, _)| reached == mark));
        let reason = end.map(|(end, _)| format!("the registration ends at {end}, unless it is renewed"));
        Finding::of(lapsing, name, mark, reason, "the registration lasts, or that step is over")
    };
    let over = Finding::of(lapsed, name, ENDED, is_over, "it is registered");
    EXPIRY_ALARMS_DAYS.iter().map(step).chain([over]).collect()
}

/// Somebody else's sinkhole answers for it. That none does is known only by a list, and where parents were heard.
pub(super) fn collision(expected: &Expected, seen: &Observation, sinkholes: &Sinkholes) -> Option<Finding> {
    let heard = answered(seen);
    let is_known = sinkholes.are_listed() && heard.clone().next().is_some();
    let targets = targets(heard.clone());
    let foreign = targets.iter().filter(|target| !expected.name_servers.contains(*target));
    let mut by_name = foreign.filter_map(|target| {
        let whose = sinkholes.of_server(target)?;
        Some(format!("delegated to {}, which is in the sinkhole of {whose}", target.defanged()))
    });
    let glue = heard.flat_map(|parent| parent.glue.iter()).filter(|(host, _)| !expected.name_servers.contains(*host));
    let mut by_glue = glue.flat_map(|(host, found)| found.iter().map(move |address| (host, address))).filter_map(
        |(host, address)| {
            let whose = sinkholes.of_address(*address)?;
            Some(format!("glue of {} is {address}, which is in the sinkhole of {whose}", host.defanged()))
        },
    );
    let mut by_answer = seen.addresses.iter().filter_map(|address| {
        let whose = sinkholes.of_address(*address)?;
        Some(format!("a resolver answers {address}, which is in the sinkhole of {whose}"))
    });
    let reason = by_name.next().or_else(|| by_glue.next()).or_else(|| by_answer.next());
    let well = "no sinkhole that we know answers for it";
    (is_known || reason.is_some()).then(|| Finding::of(AlarmKind::Collision, seen.name.as_str(), "", reason, well))
}

/// Some of them by name, defanged, and how many there are beside.
fn named<'a>(all: impl IntoIterator<Item = &'a str>) -> String {
    let all: Vec<String> = all.into_iter().map(|one| defang(one).to_string()).collect();
    match all.len() {
        0 => "none".to_owned(),
        many if many > NAMED_MAX => format!("{} and {} more", all[..NAMED_MAX].join(", "), many - NAMED_MAX),
        _ => all.join(", "),
    }
}
