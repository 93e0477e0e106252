//! From what was seen to verdicts: one function per check, each of values alone.
//!
//! A check holds only if everybody who had to be asked answered, and rightly. One server that says otherwise makes it
//! fail, and is named; one that could not be heard leaves it unobserved, and is named too. Silence is never agreement.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use model::check::{Check, Finding, Verdict};
use model::order::{NameOutcome, Registration};
use model::time::Date;
use model::{DomainName, Timestamp};
use serde::{Deserialize, Serialize};

use super::message::{Host, host};
use super::seen::{Delegation, Seen};

mod parents;
mod registry;
mod service;
#[cfg(test)]
mod tests;

/// What was ordered of one name.
#[derive(Clone, Debug)]
pub struct Target {
    pub name: DomainName,
    pub outcome: NameOutcome,
    pub name_servers: Vec<DomainName>,
    pub registration: Registration,
    /// The day of the paper, where somebody else than we registered the name.
    pub issued: Option<Date>,
    /// It went back: nothing of the seizure may stand any more.
    pub returned: bool,
    /// Name servers that are ours beside the ordered ones: other orders', and those that the operator names.
    pub also_ours: BTreeSet<DomainName>,
    /// The addresses that it is to be answered with; `None`: nobody has said.
    pub answers: Option<BTreeSet<IpAddr>>,
}

impl Target {
    fn is_ours(&self, server: &Host) -> bool {
        self.name_servers.iter().chain(&self.also_ours).any(|ours| host(ours) == *server)
    }

    /// Whether callers are led to ours and to nobody else.
    fn leads_to_ours(&self, found: &Delegation) -> bool {
        !found.servers.is_empty() && found.servers.iter().all(|server| self.is_ours(server))
    }

    fn ordered(&self) -> BTreeSet<Host> {
        self.name_servers.iter().map(host).collect()
    }
}

//----------- Memory -----------------------------------------------------------------------------------------------

/// What earlier looks saw of the delegation: before ours, and of ours.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// When the last cache forgets the old delegation, counted from when it was last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_until: Option<Timestamp>,
    /// Since when every parent server has ours alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Timestamp>,
    /// When the last cache forgets a parent's delegation to ours, counted from when it was last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours_until: Option<Timestamp>,
    /// Since when each look heard every parent server name none of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apart_since: Option<Timestamp>,
}

impl Memory {
    /// With what is seen now.
    pub fn with(self, target: &Target, seen: &Seen) -> Self {
        let delegations = seen.parents.iter().filter_map(|parent| parent.said.as_ref().ok());
        let others = |found: &&Delegation| found.servers.iter().any(|server| !target.is_ours(server));
        let old = delegations.clone().filter(others).map(|found| forgotten(seen.at, found.ttl_secs)).max();
        let ours = |found: &&Delegation| found.servers.iter().any(|server| target.is_ours(server));
        let ours = delegations.clone().filter(ours).map(|found| forgotten(seen.at, found.ttl_secs)).max();
        let is_whole = !seen.parents.is_empty() && seen.parents.iter().all(|parent| parent.said.is_ok());
        let are_ours = delegations.clone().all(|found| found.servers == target.ordered());
        let changed = match old {
            Some(_) => None,
            None if is_whole && are_ours => self.changed.or(Some(seen.at)),
            None => self.changed,
        };
        let apart_since = are_apart(target, seen).then(|| self.apart_since.unwrap_or(seen.at));
        Self { old_until: self.old_until.max(old), changed, ours_until: self.ours_until.max(ours), apart_since }
    }

    /// Whether no cache may hold a delegation to ours any more.
    fn has_outlived_ours(&self, at: Timestamp) -> bool {
        match (self.ours_until, self.apart_since) {
            (Some(until), _) => until <= at,
            (None, Some(since)) => at.duration_since(since) >= NEVER_OURS_FOR,
            (None, None) => false,
        }
    }
}

/// A delegation to us that no look saw may be in caches. Registries give it two days at most.
const NEVER_OURS_FOR: jiff::SignedDuration = jiff::SignedDuration::from_hours(48);
/// Caches keep nothing longer: RFC 8767 section 4 bids them cap a TTL, at a week as a rule.
const TTL_SECS_MAX: u32 = 7 * 24 * 60 * 60;

/// For how long caches keep it. RFC 2181 section 8: a TTL with its most significant bit set counts as zero.
fn kept_secs(ttl_secs: u32) -> u32 {
    if ttl_secs >> 31 == 1 { 0 } else { ttl_secs.min(TTL_SECS_MAX) }
}

/// When the last cache forgets what was there at that time.
fn forgotten(at: Timestamp, ttl_secs: u32) -> Timestamp {
    let kept = jiff::SignedDuration::from_secs(kept_secs(ttl_secs).into());
    at.checked_add(kept).unwrap_or(Timestamp::MAX)
}

//----------- Judging ----------------------------------------------------------------------------------------------

/// The findings of one look, in the order of the outcome's list.
pub fn judge(target: &Target, seen: &Seen, memory: Memory) -> Vec<Finding> {
    let one = |check: &Check| match check {
        Check::ParentDelegation => parents::delegation(target, seen),
        Check::Glue => parents::glue(target, seen),
        Check::NoDs => parents::no_ds(seen),
        Check::AbsentAtParents => parents::absent(seen),
        Check::Removed => parents::removed(seen),
        Check::OldTtl => parents::old_ttl(target, seen, memory),
        Check::OurAnswer => service::our_answer(target, seen),
        Check::Resolvers => service::resolvers(target, seen),
        Check::Http => service::web(Check::Http, seen.http.as_ref(), seen),
        Check::Https => service::web(Check::Https, seen.https.as_ref(), seen),
        Check::RdapRegistrar => registry::registrar(target, seen),
        Check::RdapStatus => registry::status(target, seen),
        Check::NotRegistrable => registry::not_registrable(target, seen),
        Check::Unregistered => registry::unregistered(seen),
        Check::GivenBack => parents::given_back(target, seen, memory),
    };
    Check::asked(target.outcome, target.returned).iter().map(one).collect()
}

/// Whether nobody is led to ours any more: no server of the zone above, as each of them said, and no cache.
pub fn is_undelegated(target: &Target, seen: &Seen, memory: Memory) -> bool {
    are_apart(target, seen) && memory.has_outlived_ours(seen.at)
}

/// Whether all servers of the zone above that were heard lead to ours, and some of them to others of ours than ordered.
pub fn is_ours_otherwise(target: &Target, seen: &Seen) -> bool {
    let ordered = target.ordered();
    let mut heard = seen.parents.iter().filter_map(|parent| parent.said.as_ref().ok());
    heard.clone().any(|found| found.servers != ordered) && heard.all(|found| target.leads_to_ours(found))
}

/// Whether every server of the zone above said that it does not delegate the name to ours.
fn are_apart(target: &Target, seen: &Seen) -> bool {
    let apart = |found: &Delegation| !found.servers.iter().any(|server| target.is_ours(server));
    !seen.parents.is_empty() && seen.parents.iter().all(|parent| parent.said.as_ref().is_ok_and(apart))
}

//----------- Words ------------------------------------------------------------------------------------------------

/// The most places that one evidence names.
const PLACES_MAX: usize = 6;

/// What several places said, those that said the same together.
#[derive(Default)]
struct Said(BTreeMap<String, Vec<String>>);

impl Said {
    fn note(&mut self, what: impl Into<String>, place: impl Into<String>) {
        self.0.entry(what.into()).or_default().push(place.into());
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn first_place(&self) -> String {
        self.0.values().flatten().next().cloned().unwrap_or_default()
    }

    fn words(&self) -> String {
        let one = |(what, places): (&String, &Vec<String>)| {
            let shown = places.iter().take(PLACES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = places.len().saturating_sub(PLACES_MAX);
            if more > 0 { format!("{what}: {shown} and {more} more") } else { format!("{what}: {shown}") }
        };
        self.0.iter().map(one).collect::<Vec<_>>().join("; ")
    }
}

/// Fails by what is wrong, else is open by who was not heard, else holds.
fn weigh(check: Check, seen: &Seen, wrong: &Said, unheard: &Said, right: String) -> Finding {
    if !wrong.is_empty() {
        let also = if unheard.is_empty() { String::new() } else { format!("; not heard: {}", unheard.words()) };
        let finding = Finding::new(check, Verdict::Fails, format!("{}{also}", wrong.words()), seen.at);
        return finding.at_server(wrong.first_place());
    }
    if !unheard.is_empty() {
        let finding = Finding::new(check, Verdict::NotObservable, unheard.words(), seen.at);
        return finding.at_server(unheard.first_place());
    }
    Finding::new(check, Verdict::Holds, right, seen.at)
}

fn open(check: Check, seen: &Seen, why: impl Into<String>) -> Finding {
    Finding::new(check, Verdict::NotObservable, why, seen.at)
}

fn names(servers: &BTreeSet<Host>) -> String {
    let names: Vec<String> = servers.iter().map(ToString::to_string).collect();
    if names.is_empty() { "nobody".into() } else { names.join(" ") }
}

fn addresses<'a>(all: impl IntoIterator<Item = &'a IpAddr>) -> String {
    let all: Vec<String> = all.into_iter().map(ToString::to_string).collect();
    if all.is_empty() { "no address".into() } else { all.join(" ") }
}
