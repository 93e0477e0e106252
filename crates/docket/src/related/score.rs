//! What names share, and how much that counts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::name::{DomainName, defang};

use super::{HUB_NAMES, Hub, Reason, ReasonKind, hour_of, registered, value_of};
use crate::observed::cof::Data;
use crate::observed::rdap::Registration;

/// The most names that are kept of one thing: beyond it only their number counts, and it is a hub anyhow.
const KEPT_MAX: usize = HUB_NAMES * 2;

/// By what is shared, the registrations that share it.
#[derive(Default)]
pub(super) struct Shares(HashMap<(ReasonKind, String), Sharers>);

#[derive(Default)]
struct Sharers {
    names: BTreeSet<DomainName>,
    is_more: bool,
}

impl Sharers {
    fn add(&mut self, name: DomainName) {
        if self.names.len() < KEPT_MAX {
            self.names.insert(name);
        } else if !self.names.contains(&name) {
            self.is_more = true;
        }
    }
}

impl Shares {
    pub(super) fn add(&mut self, name: &DomainName, kind: ReasonKind, value: String) {
        self.0.entry((kind, value)).or_default().add(registered(name));
    }

    pub(super) fn add_data(&mut self, name: &DomainName, data: &Data) {
        if let Some((kind, value)) = value_of(data) {
            self.add(name, kind, value);
        }
    }

    pub(super) fn add_registration(&mut self, one: &Registration) {
        for host in &one.name_servers {
            self.add(&one.name, ReasonKind::NameServer, host.as_str().to_owned());
        }
        for registrant in &one.registrants {
            self.add(&one.name, ReasonKind::Registrant, registrant.clone());
        }
        if let (Some(at), Some(registrar)) = (one.registered, &one.registrar) {
            self.add(&one.name, ReasonKind::RegistrationTime, hour_of(at, registrar));
        }
    }

    /// Names that share something with a listed one; and what too many share.
    pub(super) fn related(&self, listed: &BTreeSet<DomainName>) -> (BTreeMap<DomainName, Vec<Reason>>, Vec<Hub>) {
        let (mut found, mut hubs) = (BTreeMap::<DomainName, Vec<Reason>>::new(), Vec::new());
        for ((kind, value), sharers) in &self.0 {
            let (ours, others): (Vec<&DomainName>, Vec<&DomainName>) =
                sharers.names.iter().partition(|name| listed.contains(*name));
            if ours.is_empty() || others.is_empty() {
                continue;
            }
            let points = points(*kind, ours.len(), others.len());
            if points == 0 || sharers.is_more || sharers.names.len() > HUB_NAMES {
                let (names, listed) = (sharers.names.len() as u64, ours.len() as u64);
                hubs.push(Hub { kind: *kind, what: value.clone(), names, listed });
                continue;
            }
            let what = format!("{} with {}", defang(value), shared_with(&ours, others.len()));
            for name in others {
                found.entry(name.clone()).or_default().push(Reason { kind: *kind, what: what.clone(), points });
            }
        }
        hubs.sort_by(|a, b| (b.names, &a.what).cmp(&(a.names, &b.what)));
        (found, hubs)
    }
}

/// What a share of this kind is worth alone, cut by how many others have it who are not listed.
fn points(kind: ReasonKind, ours: usize, others: usize) -> u8 {
    let alone = match kind {
        ReasonKind::Registrant => 80.0,
        ReasonKind::Certificate => 70.0,
        ReasonKind::NameServer | ReasonKind::Address => 60.0,
        ReasonKind::RegistrationTime => 35.0,
        ReasonKind::Pattern | ReasonKind::Indicator | ReasonKind::Suspect => 40.0,
    };
    let share = ours as f64 / (ours + others - 1).max(1) as f64;
    // At most 80; a hundredth of the names on a shared address leaves a tenth of the points.
    (alone * share.min(1.0).sqrt()).floor() as u8
}

fn shared_with(ours: &[&DomainName], others: usize) -> String {
    let shown: Vec<String> = ours.iter().take(3).map(|name| name.defanged().to_string()).collect();
    let more = ours.len().saturating_sub(3);
    let more = if more > 0 { format!(" and {more} more listed") } else { String::new() };
    let strangers = if others > 1 { format!("; {} others have it", others - 1) } else { String::new() };
    format!("{}{more}{strangers}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_strangers_share_it_the_less_it_counts() {
        let of = |ours, others| points(ReasonKind::Address, ours, others);
        assert_eq!((of(3, 1), of(1, 1), of(1, 4), of(1, 100)), (60, 60, 30, 6));
        assert_eq!(of(1, 10_000), 0);
    }
}
