//! What the servers of the zone above said: delegation, glue, DS, absence, and how long the old delegation lives on.

use std::collections::BTreeSet;

use model::check::{Check, Finding, Verdict};
use model::order::NameOutcome;

use super::{Memory, Said, Target, addresses, forgotten, kept_secs, names, open, weigh};
use crate::verify::message::{Host, host};
use crate::verify::seen::{Delegation, Seen};

/// Sorts what each parent server said into wrong and unheard; `judge` gives the fault of one that was heard.
fn each(seen: &Seen, mut judge: impl FnMut(&Delegation) -> Option<String>) -> (Said, Said, usize) {
    let (mut wrong, mut unheard, mut right) = (Said::default(), Said::default(), 0);
    for parent in &seen.parents {
        match &parent.said {
            Err(why) => unheard.note(why, parent.place.to_string()),
            Ok(found) => match judge(found) {
                Some(fault) => wrong.note(fault, parent.place.to_string()),
                None => right += 1,
            },
        }
    }
    (wrong, unheard, right)
}

/// `None` where there is nobody to judge.
fn nobody(check: Check, seen: &Seen) -> Option<Finding> {
    match &seen.zone {
        Err(why) => Some(open(check, seen, format!("the zone above was not found: {why}"))),
        Ok(zone) if seen.parents.is_empty() => Some(open(check, seen, format!("no server of {zone} was asked"))),
        Ok(_) => None,
    }
}

pub(super) fn delegation(target: &Target, seen: &Seen) -> Finding {
    let check = Check::ParentDelegation;
    if let Some(open) = nobody(check, seen) {
        return open;
    }
    let ordered = target.ordered();
    let mut are_some_ours = false;
    let (wrong, unheard, right) = each(seen, |found| {
        are_some_ours |= target.leads_to_ours(found);
        (found.servers != ordered).then(|| other_than(&ordered, target, found))
    });
    let holds = format!("delegated to {} by all, asked {right} times", names(&ordered));
    weigh(check, seen, &wrong, &unheard, holds).in_part(are_some_ours && !wrong.is_empty())
}

/// Where a delegation leads that is not as ordered: to nobody, to others, to others as well, or to another host of ours.
fn other_than(ordered: &BTreeSet<Host>, target: &Target, found: &Delegation) -> String {
    let (ours, others): (BTreeSet<Host>, BTreeSet<Host>) =
        found.servers.iter().cloned().partition(|server| target.is_ours(server));
    let all = names(&found.servers);
    match (ours.is_empty(), others.is_empty()) {
        (true, true) if found.absent => "not delegated (NXDOMAIN)".to_owned(),
        (true, true) => "not delegated".to_owned(),
        (true, false) => format!("delegated to {all}"),
        (false, false) => format!("delegated to {all}, of which {} is not ours", names(&others)),
        (false, true) => format!("delegated to our {all}, but the order says {}", names(ordered)),
    }
}

pub(super) fn glue(target: &Target, seen: &Seen) -> Finding {
    let check = Check::Glue;
    if let Some(open) = nobody(check, seen) {
        return open;
    }
    let mut unknown = Said::default();
    for (server, found) in &seen.addresses {
        if let Err(why) = found {
            unknown.note(format!("the right addresses are not known ({why})"), server.as_str());
        }
    }
    let mut given = BTreeSet::new();
    let (wrong, mut unheard, _) = each(seen, |found| {
        let ours = target.name_servers.iter().filter_map(|server| {
            let glue = found.glue.get(&host(server)).filter(|glue| !glue.is_empty())?;
            given.insert(server.clone());
            let right = seen.addresses.get(server)?.as_ref().ok()?;
            (!glue.is_subset(right))
                .then(|| format!("glue of {} is {}, not {}", server.as_str(), addresses(glue), addresses(right)))
        });
        let faults: Vec<String> = ours.collect();
        (!faults.is_empty()).then(|| faults.join(", "))
    });
    if !given.is_empty() {
        unheard.0.append(&mut unknown.0);
    }
    let holds = match given.len() {
        0 => "the parent gives no addresses, and needs none".to_owned(),
        _ => format!("right for {}", given.iter().map(model::DomainName::as_str).collect::<Vec<_>>().join(" ")),
    };
    weigh(check, seen, &wrong, &unheard, holds)
}

pub(super) fn no_ds(seen: &Seen) -> Finding {
    let check = Check::NoDs;
    if let Some(open) = nobody(check, seen) {
        return open;
    }
    let (wrong, unheard, _) = each(seen, |found| {
        let keys: Vec<String> =
            found.signed.iter().map(|(tag, algorithm, digest)| format!("{tag} {algorithm} {digest}")).collect();
        (!keys.is_empty()).then(|| format!("DS {} left, for {} s in caches", keys.join(", "), found.signed_ttl_secs))
    });
    weigh(check, seen, &wrong, &unheard, "no DS at any parent server".into())
}

pub(super) fn absent(seen: &Seen) -> Finding {
    let check = Check::AbsentAtParents;
    if let Some(open) = nobody(check, seen) {
        return open;
    }
    let (wrong, unheard, right) =
        each(seen, |found| (!found.servers.is_empty()).then(|| format!("delegated to {}", names(&found.servers))));
    weigh(check, seen, &wrong, &unheard, "no parent server delegates it".into()).in_part(right > 0 && !wrong.is_empty())
}

/// A provider may answer for every name below its suffix, so that an address alone says nothing.
pub(super) fn removed(seen: &Seen) -> Finding {
    let check = Check::Removed;
    if let Some(open) = nobody(check, seen) {
        return open;
    }
    let (there, mut unheard, _) = each(seen, |found| (!found.absent).then(|| "the name is known".to_owned()));
    if !there.is_empty() {
        unheard.note("the name is known still: whether the host is gone takes somebody who looks", there.words());
    }
    weigh(check, seen, &Said::default(), &unheard, "no server of the zone above knows the name".into())
}

/// Whoever still leads callers to us is named; a name that a hold or a deletion took out of the zone is in it again.
pub(super) fn given_back(target: &Target, seen: &Seen, memory: Memory) -> Finding {
    let check = Check::GivenBack;
    if let Some(open) = nobody(check, seen) {
        return open;
    }
    let left_the_zone = match target.outcome {
        NameOutcome::Redirect => false,
        NameOutcome::Hold | NameOutcome::Delete => true,
        NameOutcome::LockOnly
        | NameOutcome::Transfer
        | NameOutcome::BlockRegistration
        | NameOutcome::ProviderRemoval => {
            return open(
                check,
                seen,
                "whether it was undone stands in no zone: registry, registrar or provider say so",
            );
        }
    };
    let (wrong, unheard, right) = each(seen, |found| match left_the_zone {
        true => found.servers.is_empty().then(|| "not delegated to anybody yet".to_owned()),
        false => {
            let ours: BTreeSet<_> = found.servers.iter().filter(|server| target.is_ours(server)).cloned().collect();
            (!ours.is_empty()).then(|| format!("still delegated to {}", names(&ours)))
        }
    });
    let cached = memory.ours_until.filter(|until| *until > seen.at);
    let cached = cached.map(|until| format!("; caches may lead to ours until {until}")).unwrap_or_default();
    let holds = match left_the_zone {
        true => format!("delegated again by all, asked {right} times"),
        false => format!("no parent server delegates it to ours, asked {right} times{cached}"),
    };
    weigh(check, seen, &wrong, &unheard, holds).in_part(right > 0 && !wrong.is_empty())
}

/// A cache that has the old delegation keeps it for its TTL. Where nobody saw the old one, the TTL that the registry
/// gives ours stands for it, counted from when ours was first seen everywhere.
pub(super) fn old_ttl(target: &Target, seen: &Seen, memory: Memory) -> Finding {
    let check = Check::OldTtl;
    if let Some(open) = nobody(check, seen) {
        return open;
    }
    let Some(changed) = memory.changed else {
        let (wrong, unheard, _) = each(seen, |found| {
            (found.servers != target.ordered()).then(|| {
                format!("the parent's delegation is not as ordered yet, {} s in caches", kept_secs(found.ttl_secs))
            })
        });
        return weigh(check, seen, &wrong, &unheard, String::new());
    };
    let (until, how) = match memory.old_until {
        Some(until) => (until, "the parent's delegation before, as it was last seen,".to_owned()),
        None => {
            let delegations = seen.parents.iter().filter_map(|parent| parent.said.as_ref().ok());
            let ttl_secs = delegations.map(|found| kept_secs(found.ttl_secs)).max().unwrap_or_default();
            let how = format!("the parent's delegation before, never seen, with this registry's {ttl_secs} s");
            (forgotten(changed, ttl_secs), how)
        }
    };
    let (verdict, verb) =
        if until <= seen.at { (Verdict::Holds, "ran out") } else { (Verdict::Fails, "may be cached until") };
    let at = if verdict == Verdict::Holds { format!("at {until}") } else { until.to_string() };
    Finding::new(check, verdict, format!("{how} {verb} {at}; ours alone since {changed}"), seen.at)
}
