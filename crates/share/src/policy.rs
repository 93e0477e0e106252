//! What a response policy zone says: one place for the file that is exported and the zone that is transferred.
//!
//! Each name stands twice, as itself and as `*.` for everything below it. What is blocked gets what the audience's
//! resolvers are to do with it; what we hold gets `CNAME rpz-passthru.`, so that the answer stays ours and the resolver
//! logs who asked; what went back is in no record. A walled garden is A and AAAA records, never a CNAME: Knot Resolver
//! ignores those, and the name would stay reachable.
//!
//! A zone holds the names of many cases. Of a name that stands in several the one that we hold counts first, then the
//! one that is blocked: an order in force speaks louder than one that is over. A case that is too narrow for the
//! audience is left out whole.
//!
//! What was learned from callers is no trigger: hosts lie below names that stand there already, and no kind of indicator
//! is an address. Addresses are blocked only where the operator lists them.

mod trigger;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use model::DomainName;
use model::address::Prefix;
use model::marking::Audience;
use serde::Serialize;
use store::zones::Record;

use crate::audience::{self, Cleared, Content};
use crate::custody::Action;
use crate::render::EXERCISE;
use crate::snapshot::Snapshot;
use trigger::Owner;

/// Octets of the longest origin, in wire form, under which every name that is told still fits.
pub const ORIGIN_OCTETS_MAX: usize = 56;
/// The longest name for which `*.name.origin` has at most 255 octets under the longest origin.
pub(crate) const NAME_LEN_MAX: usize = 195;
/// Seconds a resolver keeps a policy: short, because a name may have to be given back.
pub(crate) const TTL_SECS: u32 = 300;
/// Where light and rehearsal are written, as data under a name that nobody has (RFC 2606). Not below `invalid`, which
/// Unbound answers itself, and not at the apex, where a record may be taken for a policy about everything.
const MARKING: &str = "marking.bailiwick.example";

const A: u16 = 1;
const NS: u16 = 2;
const CNAME: u16 = 5;
const TXT: u16 = 16;
const AAAA: u16 = 28;

//----------- Block ------------------------------------------------------------------------------------------------

/// What a resolver does with what is to be blocked.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Block {
    /// There is no such name.
    #[default]
    Nxdomain,
    /// There is such a name, without records.
    Nodata,
    /// No answer.
    Drop,
    /// Ask again over TCP.
    TcpOnly,
    /// These addresses, where somebody tells the visitor why.
    WalledGarden(Vec<IpAddr>),
}

impl Block {
    fn rules(&self) -> Vec<Rule> {
        match self {
            Self::Nxdomain => vec![Rule::To(".")],
            Self::Nodata => vec![Rule::To("*.")],
            Self::Drop => vec![Rule::To("rpz-drop.")],
            Self::TcpOnly => vec![Rule::To("rpz-tcp-only.")],
            Self::WalledGarden(addresses) => addresses.iter().copied().map(Rule::Address).collect(),
        }
    }

    /// What is done with answers in a network. A garden's addresses replace those of their own family only: Unbound takes
    /// no others there. Without one there is no record left to give.
    fn rules_in(&self, network: &Prefix) -> Vec<Rule> {
        let Self::WalledGarden(addresses) = self else { return self.rules() };
        let family = network.base().is_ipv4();
        let own: Vec<Rule> = addresses.iter().filter(|a| a.is_ipv4() == family).copied().map(Rule::Address).collect();
        if own.is_empty() { Self::Nodata.rules() } else { own }
    }
}

//----------- Rule -------------------------------------------------------------------------------------------------

/// What stands behind an owner; displayed as a zone file has it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Rule {
    /// The target of a CNAME that resolvers know.
    To(&'static str),
    Address(IpAddr),
}

impl Rule {
    fn kind_and_data(self) -> (u16, Box<[u8]>) {
        match self {
            Self::To(target) => (CNAME, trigger::name_to_wire(target).into()),
            Self::Address(IpAddr::V4(v4)) => (A, v4.octets().into()),
            Self::Address(IpAddr::V6(v6)) => (AAAA, v6.octets().into()),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::To(target) => write!(f, "CNAME {target}"),
            Self::Address(IpAddr::V4(v4)) => write!(f, "A {v4}"),
            Self::Address(IpAddr::V6(v6)) => write!(f, "AAAA {v6}"),
        }
    }
}

/// What is said of a name with that action.
pub(crate) fn rules(action: Action, block: &Block) -> Vec<Rule> {
    match action {
        Action::Block => block.rules(),
        Action::Detect => vec![Rule::To("rpz-passthru.")],
        Action::Withdraw => Vec::new(),
    }
}

/// The owners that stand for a name, below any origin; `None` if it is too long for that.
pub(crate) fn owners(name: &DomainName) -> Option<[Owner<'_>; 2]> {
    (name.as_str().len() <= NAME_LEN_MAX).then_some([Owner { name, is_below: false }, Owner { name, is_below: true }])
}

//----------- Policy -----------------------------------------------------------------------------------------------

/// Whom a policy zone is for, and what it asks.
#[derive(Clone, Debug, Serialize)]
pub struct PolicyTerms {
    pub audience: Audience,
    pub block: Block,
    /// Networks that the operator blocks: answers with such an address are treated like a blocked name.
    pub addresses: Vec<Prefix>,
    /// Whether rehearsals are told. Never where anybody outside this machine can hear it.
    pub exercises: bool,
}

/// The records of a policy zone, all but the SOA, in no order.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    pub records: Vec<Record>,
    /// Names that are too long for any policy zone.
    pub left_out: Vec<DomainName>,
}

/// What the terms' audience is told of these cases.
pub fn policy<'a>(snapshots: impl IntoIterator<Item = &'a Snapshot>, terms: &PolicyTerms) -> Policy {
    let told = snapshots.into_iter().filter(|snapshot| terms.exercises || !snapshot.exercise);
    let cleared = told.filter_map(|snapshot| audience::clear(snapshot, terms.audience, Content::Indicators).ok());
    let cleared: Vec<Cleared<'_>> = cleared.collect();
    let mut policy = Policy::default();
    policy.say(b"", NS, &trigger::name_to_wire("localhost."));
    policy.mark(&cleared);
    let of_action = |action| (action, to_wire(&rules(action, &terms.block)));
    let rules = BTreeMap::from([Action::Block, Action::Detect, Action::Withdraw].map(of_action));
    let actions = actions(&cleared);
    policy.records.reserve(2 * actions.len());
    for (name, action) in actions {
        policy.decide(name, &rules[&action]);
    }
    for network in &terms.addresses {
        policy.rule(&trigger::to_wire(&trigger::network(network)), &to_wire(&terms.block.rules_in(network)));
    }
    policy
}

/// Every name once, with the action that speaks loudest.
fn actions<'a>(cleared: &[Cleared<'a>]) -> Vec<(&'a DomainName, Action)> {
    let loudness = |action| match action {
        Action::Detect => 2,
        Action::Block => 1,
        Action::Withdraw => 0,
    };
    let all = cleared.iter().flat_map(Cleared::names).map(|(name, named)| (name, named.action));
    let mut all: Vec<_> = all.collect();
    // The names of each case are in order already, so that this is a merge.
    all.sort_by(|(name, action), (other, than)| name.cmp(other).then(loudness(*than).cmp(&loudness(*action))));
    all.dedup_by_key(|(name, _)| *name);
    all
}

/// Type and data of each rule.
fn to_wire(rules: &[Rule]) -> Vec<(u16, Box<[u8]>)> {
    rules.iter().map(|rule| rule.kind_and_data()).collect()
}

impl Policy {
    fn decide(&mut self, name: &DomainName, rules: &[(u16, Box<[u8]>)]) {
        match owners(name) {
            _ if rules.is_empty() => {}
            Some(owners) => owners.iter().for_each(|owner| self.rule(&owner.to_wire(), rules)),
            None => self.left_out.push(name.clone()),
        }
    }

    fn rule(&mut self, owner: &[u8], rules: &[(u16, Box<[u8]>)]) {
        for (kind, data) in rules {
            self.say(owner, *kind, data);
        }
    }

    /// The narrowest light of all that is told, and whether a rehearsal is among it.
    fn mark(&mut self, cleared: &[Cleared<'_>]) {
        let Some(tlp) = cleared.iter().map(|cleared| cleared.tlp).max() else { return };
        let exercise = cleared.iter().any(|cleared| cleared.exercise);
        let rehearsal = exercise.then_some(EXERCISE);
        // A character-string has its length before it, as a label has.
        let data = [Some(tlp.label()), rehearsal].into_iter().flatten().flat_map(trigger::to_wire).collect::<Vec<u8>>();
        self.say(&trigger::to_wire(MARKING), TXT, &data);
    }

    fn say(&mut self, owner: &[u8], kind: u16, data: &[u8]) {
        self.records.push(Record { owner: owner.into(), kind, data: data.into(), ttl_secs: TTL_SECS });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_too_long_for_any_origin_has_no_owner() {
        let label = "a".repeat(63);
        let name = |last: &str| DomainName::parse(&format!("{label}.{label}.{label}.{last}")).unwrap();
        assert_eq!(name("abcd").as_str().len(), NAME_LEN_MAX + 1);
        assert!(owners(&name("abcd")).is_none());
        let longest = name("abc");
        let [own, below] = owners(&longest).unwrap();
        assert_eq!(*own.to_wire(), *trigger::to_wire(longest.as_str()));
        assert_eq!(*below.to_wire(), *trigger::to_wire(&below.to_string()));
        assert_eq!(below.to_wire().len() + ORIGIN_OCTETS_MAX, 254);
    }

    #[test]
    fn each_action_has_the_record_that_resolvers_know() {
        let garden = ["192.0.2.80".parse().unwrap(), "2001:db8::80".parse().unwrap()];
        for (action, block, text, wire) in [
            (Action::Block, Block::Nxdomain, "CNAME .", &b"\x00"[..]),
            (Action::Block, Block::Nodata, "CNAME *.", b"\x01*\x00"),
            (Action::Block, Block::Drop, "CNAME rpz-drop.", b"\x08rpz-drop\x00"),
            (Action::Block, Block::TcpOnly, "CNAME rpz-tcp-only.", b"\x0crpz-tcp-only\x00"),
            (Action::Block, Block::WalledGarden(garden[..1].to_vec()), "A 192.0.2.80", &[192, 0, 2, 80]),
            (Action::Detect, Block::Nodata, "CNAME rpz-passthru.", b"\x0crpz-passthru\x00"),
        ] {
            let rules = rules(action, &block);
            assert_eq!((rules.len(), rules[0].to_string().as_str()), (1, text));
            assert_eq!(*rules[0].kind_and_data().1, *wire);
        }
        let both = rules(Action::Block, &Block::WalledGarden(garden.to_vec()));
        assert_eq!(both.iter().map(|rule| rule.kind_and_data().0).collect::<Vec<_>>(), [A, AAAA]);
        assert!(rules(Action::Withdraw, &Block::Nxdomain).is_empty());
    }
}
