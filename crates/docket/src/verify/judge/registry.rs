//! What RDAP said: registrar, statuses, and whether there is a registration at all.

use std::collections::BTreeSet;

use model::check::{Check, Finding, Verdict};
use model::order::NameOutcome;
use model::time::utc_day;

use super::{Target, open};
use crate::verify::rdap::{Registration, status as spelled};
use crate::verify::seen::{RdapSeen, Seen};

/// A registration that ends sooner is lapsing.
const LAPSING_DAYS: i64 = 30;

/// Statuses that undo a seizure, whatever was ordered.
const UNDOING: [&str; 3] = ["redemption period", "pending delete", "pending transfer"];
/// Either of them takes a name out of its zone.
const HELD: [&str; 2] = ["client hold", "server hold"];
/// What keeps a name as it is: at least one of each.
const LOCKS: [[&str; 2]; 3] = [
    ["client transfer prohibited", "server transfer prohibited"],
    ["client update prohibited", "server update prohibited"],
    ["client delete prohibited", "server delete prohibited"],
];

/// What RDAP knows, or why it is not known.
fn known(check: Check, seen: &Seen) -> Result<(&Registration, &str), Box<Finding>> {
    match &seen.rdap {
        RdapSeen::Known { server, found } => Ok((&**found, server)),
        RdapSeen::Unknown { server } => {
            let finding = Finding::new(check, Verdict::Fails, "RDAP knows no such registration (404)", seen.at);
            Err(Box::new(finding.at_server(server.clone())))
        }
        RdapSeen::Trouble(why) => Err(Box::new(open(check, seen, why))),
    }
}

pub(super) fn registrar(target: &Target, seen: &Seen) -> Finding {
    let check = Check::RdapRegistrar;
    let (found, server) = match known(check, seen) {
        Ok(known) => known,
        Err(finding) => return *finding,
    };
    let says = |verdict, evidence: String| Finding::new(check, verdict, evidence, seen.at).at_server(server);
    if let (Some(registered), Some(issued)) = (found.registered, target.issued)
        && utc_day(registered) > issued
    {
        let what = format!("registered anew on {}, after the order of {issued}", utc_day(registered));
        return says(Verdict::Fails, what);
    }
    match (&target.registration.registrar, &found.registrar) {
        // To whom a name goes is all that a transfer orders.
        (None, Some(shown)) if target.outcome == NameOutcome::Transfer => {
            says(Verdict::NotObservable, format!("the order names no registrar; RDAP shows {shown}"))
        }
        (None, Some(shown)) => says(Verdict::Holds, format!("{shown}; the order names none")),
        (None, None) => says(Verdict::NotObservable, "the order names no registrar, and RDAP shows none".into()),
        (Some(ordered), Some(shown)) if shown.is(ordered) => says(Verdict::Holds, shown.to_string()),
        (Some(ordered), Some(shown)) if shown.name.is_some() || shown.number.is_some() => {
            says(Verdict::Fails, format!("{shown}, not {ordered}"))
        }
        (Some(_), _) if found.redacts("registrar") => says(Verdict::NotObservable, "the registrar is redacted".into()),
        (Some(ordered), _) => says(Verdict::NotObservable, format!("no registrar is shown; ordered is {ordered}")),
    }
}

pub(super) fn status(target: &Target, seen: &Seen) -> Finding {
    let check = Check::RdapStatus;
    let (found, server) = match known(check, seen) {
        Ok(known) => known,
        Err(finding) => return *finding,
    };
    let says = |verdict, evidence: String| Finding::new(check, verdict, evidence, seen.at).at_server(server);
    let shown = words(&found.statuses);
    let has = |status: &str| found.statuses.contains(status);
    let undoing = UNDOING.into_iter().filter(|status| has(status));
    let undoing: Vec<&str> = match target.outcome {
        NameOutcome::Redirect => undoing.chain(HELD.into_iter().filter(|status| has(status))).collect(),
        NameOutcome::Transfer => undoing.filter(|status| *status != "pending transfer").collect(),
        _ => undoing.collect(),
    };
    if !undoing.is_empty() {
        return says(Verdict::Fails, format!("it is in {}", undoing.join(" and ")));
    }
    if let Some(expires) = found.expires.filter(|expires| is_lapsing(*expires, seen)) {
        return says(Verdict::Fails, format!("the registration ends on {expires}: it is lapsing"));
    }
    let missing = missing(target, found);
    if missing.is_empty() {
        return says(Verdict::Holds, format!("shown: {shown}"));
    }
    if found.statuses.is_empty() && found.redacts("status") {
        return says(Verdict::NotObservable, "the statuses are redacted".into());
    }
    says(Verdict::Fails, format!("missing: {}; shown: {shown}", missing.join(", ")))
}

fn is_lapsing(expires: model::Timestamp, seen: &Seen) -> bool {
    expires.duration_since(seen.at) < jiff::SignedDuration::from_hours(24 * LAPSING_DAYS)
}

/// What the outcome means and what was ordered beyond that, and is not shown.
fn missing(target: &Target, found: &Registration) -> Vec<String> {
    let has = |status: &str| found.statuses.contains(status);
    let either = |pair: &[&str; 2]| (!pair.iter().any(|status| has(status))).then(|| pair.join(" or "));
    let mut missing: Vec<String> = match target.outcome {
        NameOutcome::Hold => either(&HELD).into_iter().collect(),
        NameOutcome::LockOnly => LOCKS.iter().filter_map(either).collect(),
        _ => Vec::new(),
    };
    let ordered = target.registration.statuses.iter().map(|word| spelled(word));
    missing.extend(ordered.filter(|status| !has(status)));
    missing
}

fn words(statuses: &BTreeSet<String>) -> String {
    match statuses.len() {
        0 => "no status".into(),
        _ => statuses.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
    }
}

/// A registration keeps others out only if it is with the ordered registrar. That an unknown name is reserved stands in
/// no answer.
pub(super) fn not_registrable(target: &Target, seen: &Seen) -> Finding {
    let check = Check::NotRegistrable;
    match &seen.rdap {
        RdapSeen::Known { server, found } => {
            let (verdict, what) = taken(target.registration.registrar.as_deref(), found);
            Finding::new(check, verdict, what, seen.at).at_server(server.clone())
        }
        RdapSeen::Unknown { server } => {
            let what = "RDAP knows no such registration; whether the registry refuses one is not to be seen";
            open(check, seen, what).at_server(server.clone())
        }
        RdapSeen::Trouble(why) => open(check, seen, why),
    }
}

/// What a registration of a name means that nobody was to register.
fn taken(ordered: Option<&str>, found: &Registration) -> (Verdict, String) {
    let by = found.registrar.as_ref().map_or("no registrar that is shown".to_owned(), ToString::to_string);
    let on = found.registered.map_or("a day that is not shown".to_owned(), |at| utc_day(at).to_string());
    let taken = format!("registered with {by} on {on}: {}", words(&found.statuses));
    match (ordered, &found.registrar) {
        (Some(ordered), Some(shown)) if shown.is(ordered) => (Verdict::Holds, taken),
        (Some(ordered), None) if found.redacts("registrar") => {
            (Verdict::NotObservable, format!("{taken}; the registrar is redacted, ordered is {ordered}"))
        }
        (Some(ordered), _) => (Verdict::Fails, format!("{taken}; ordered is {ordered}")),
        (None, _) => (Verdict::Fails, format!("{taken}; the order names no registrar")),
    }
}

pub(super) fn unregistered(seen: &Seen) -> Finding {
    let check = Check::Unregistered;
    match &seen.rdap {
        RdapSeen::Known { server, found } => {
            let what = format!("still registered: {}", words(&found.statuses));
            Finding::new(check, Verdict::Fails, what, seen.at).at_server(server.clone())
        }
        RdapSeen::Unknown { server } => {
            Finding::new(check, Verdict::Holds, "RDAP knows no such registration", seen.at).at_server(server.clone())
        }
        RdapSeen::Trouble(why) => open(check, seen, why),
    }
}
