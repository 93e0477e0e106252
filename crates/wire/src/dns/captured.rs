//! One owner's zone as it was captured before the seizure, answered again while the name is handed back.
//!
//! Elsewhere a seized name needs no tree, because everything below it answers alike. A name that is handed back is the
//! owner's own: what he had is there, what he had not is NXDOMAIN, and that is right *here*. So this is a whole zone:
//! empty non-terminals and wildcards (RFC 4592), aliases followed inside the zone (RFC 1034, 3.6.2; RFC 6672),
//! referrals below the owner's own cuts, types that nobody knows (RFC 3597), and denial with SOA and the lesser of its
//! TTL and MINIMUM (RFC 2308, 3).
//!
//! NS and SOA at the apex stay ours: until the registry has undone the delegation it points to us, and the owner's
//! servers named there would be lame in the middle of the return. Signatures are not served: we cannot make them, and
//! kept ones would expire. A time to live is cut to [`TTL_SECS_MAX`]: the bridge must not outlive the return.
//!
//! A zone is immutable: sorted keys and sets in three blocks of memory, searched by halving. No more than
//! [`RECORDS_MAX`] records of [`OCTETS_MAX`] octets are taken, and no answer follows more than [`CHAIN_MAX`] aliases.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use super::answers::Records;
use super::{class, rtype};

mod key;
mod write;

use key::Key;
pub(super) use write::Written;

/// The most records of one zone: the largest hand-kept zones have a few thousand.
pub const RECORDS_MAX: usize = 10_000;
/// The most octets of one zone's names and data, as they stand in a message.
pub const OCTETS_MAX: usize = 1 << 20;
/// The longest that an answer of a zone on its way back is believed.
pub const TTL_SECS_MAX: u32 = 3_600;
/// The most aliases that one answer follows; whoever asks goes on from the last.
pub const CHAIN_MAX: usize = 8;
/// The most sets of addresses that a referral brings: thirteen servers with both families.
pub const GLUE_MAX: usize = 26;

/// Type, class, TTL and RDLENGTH, which stand before the data of a record.
const FRAME_OCTETS: usize = 10;

//----------- Record -----------------------------------------------------------------------------------------------

/// One captured record.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Record {
    /// The owner's labels below the apex in wire form, without the root label; empty at the apex.
    pub owner: Box<[u8]>,
    pub rtype: u16,
    pub ttl_secs: u32,
    /// In wire form, its names written out.
    pub rdata: Box<[u8]>,
}

/// Why records are no zone that we serve.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refused {
    Records(usize),
    Octets(usize),
    /// The place of the record in what was given (RFC 1034, 3.6.2; RFC 2181, 10.1; RFC 6672, 2.4).
    Alias(usize),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Records(count) => write!(f, "{count} records are more than {RECORDS_MAX}"),
            Self::Octets(count) => write!(f, "{count} octets of names and data are more than {OCTETS_MAX}"),
            Self::Alias(_) => f.write_str("an alias stands beside other records of the same name, or twice"),
        }
    }
}

impl std::error::Error for Refused {}

/// Whether these records make a zone: few enough, and aliases alone at their names.
pub fn check(records: &[Record]) -> Result<(), Refused> {
    if records.len() > RECORDS_MAX {
        return Err(Refused::Records(records.len()));
    }
    let octets = records.iter().map(|record| record.owner.len() + FRAME_OCTETS + record.rdata.len()).sum();
    if octets > OCTETS_MAX {
        return Err(Refused::Octets(octets));
    }
    let mut seen: BTreeMap<Key, (bool, bool)> = BTreeMap::new();
    for (at, record) in records.iter().enumerate() {
        let Some(key) = Key::of(&record.owner) else { continue };
        let (is_alias, is_dname) = (record.rtype == rtype::CNAME, record.rtype == rtype::DNAME);
        let (has_alias, has_dname) = seen.get(&key).copied().unwrap_or_default();
        if has_alias || (is_alias && seen.contains_key(&key)) || (is_dname && has_dname) {
            return Err(Refused::Alias(at));
        }
        seen.insert(key, (is_alias, has_dname || is_dname));
    }
    Ok(())
}

//----------- CapturedZone -----------------------------------------------------------------------------------------

/// A zone that answers like the owner's did.
#[derive(Debug)]
pub struct CapturedZone {
    /// In wire form, lower case.
    apex: Box<[u8]>,
    /// In order of key.
    nodes: Box<[Node]>,
    /// By node, in order of type.
    sets: Box<[Set]>,
    keys: Box<[u8]>,
    /// Records without their owners.
    wire: Box<[u8]>,
    negative_ttl_secs: u32,
}

/// A name that has records. Names between (empty non-terminals) follow from the order of keys.
#[derive(Debug)]
struct Node {
    key: Range<u32>,
    sets: Range<u32>,
}

/// The records of one type at one name.
#[derive(Clone, Debug)]
struct Set {
    rtype: u16,
    count: u16,
    wire: Range<u32>,
}

/// Records of a zone by name and type: TTL and RDATA of each.
type ByName<'a> = BTreeMap<Key, BTreeMap<u16, Vec<(u32, &'a [u8])>>>;

impl CapturedZone {
    /// The captured records below `apex` (in wire form), with our NS and SOA at it.
    ///
    /// # Errors
    /// If the records make no zone ([`check`]).
    pub fn new(apex: &[u8], ours: &Records, records: &[Record]) -> Result<Self, Refused> {
        check(records)?;
        let mut by_name = ByName::new();
        let soa = ours.soa_rdata();
        let at_apex = by_name.entry(Key::APEX).or_default();
        at_apex.insert(rtype::SOA, vec![(ours.ttl_secs, &soa)]);
        at_apex.insert(rtype::NS, ours.name_servers.iter().map(|server| (ours.ttl_secs, &server[..])).collect());
        for record in records.iter().filter(|record| is_served(record)) {
            let Some(key) = Key::of(&record.owner) else { continue };
            let set = by_name.entry(key).or_default().entry(record.rtype).or_default();
            set.push((record.ttl_secs.min(TTL_SECS_MAX), &record.rdata));
        }
        let negative_ttl_secs = ours.ttl_secs.min(ours.negative_ttl_secs);
        Ok(Press::default().press(&by_name).zone(apex, negative_ttl_secs))
    }

    /// Every record of the zone, the SOA first.
    pub(super) fn listing(&self) -> Vec<Record> {
        let mut all: Vec<Record> = self.nodes.iter().flat_map(|node| self.records_at(node)).collect();
        // The apex is the first node.
        all.sort_by_key(|record| !(record.owner.is_empty() && record.rtype == rtype::SOA));
        all
    }

    fn records_at(&self, node: &Node) -> Vec<Record> {
        // A key has the labels of the name from behind, and so has the key of a key.
        let Some(owner) = Key::of(self.key(node)) else { return Vec::new() };
        let record = |octets: &[u8]| Record {
            owner: owner.as_bytes().into(),
            rtype: u16::from_be_bytes([octets[0], octets[1]]),
            ttl_secs: u32::from_be_bytes([octets[4], octets[5], octets[6], octets[7]]),
            rdata: octets[FRAME_OCTETS..].into(),
        };
        self.sets(node).iter().flat_map(|set| self.records(set).map(record)).collect()
    }

    fn find(&self, key: &[u8]) -> Place<'_> {
        let at = self.nodes.partition_point(|node| self.key(node) < key);
        match self.nodes.get(at) {
            Some(node) if self.key(node) == key => Place::Node(node),
            // A name below it has records: it exists and has none (RFC 4592, 2.2.2).
            Some(node) if self.key(node).starts_with(key) => Place::Between,
            _ => Place::Nowhere,
        }
    }

    fn key(&self, node: &Node) -> &[u8] {
        &self.keys[of(&node.key)]
    }

    fn sets(&self, node: &Node) -> &[Set] {
        &self.sets[of(&node.sets)]
    }

    fn set(&self, node: &Node, rtype: u16) -> Option<&Set> {
        self.sets(node).iter().find(|set| set.rtype == rtype)
    }

    /// The records of a set, each as type, class, TTL, length, data.
    fn records(&self, set: &Set) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.wire[of(&set.wire)];
        std::iter::from_fn(move || {
            let len = usize::from(u16::from_be_bytes([*rest.get(8)?, *rest.get(9)?]));
            let (record, after) = rest.split_at_checked(FRAME_OCTETS + len)?;
            rest = after;
            Some(record)
        })
    }

    /// The labels of a name in wire form that stand below the apex.
    fn below<'n>(&self, name: &'n [u8]) -> Option<&'n [u8]> {
        let mut at = 0;
        while let Some(label) = name.get(at).filter(|len| **len != 0) {
            if name[at..].eq_ignore_ascii_case(&self.apex) {
                return Some(&name[..at]);
            }
            at += 1 + usize::from(*label);
        }
        None
    }
}

/// What stands at a name.
enum Place<'z> {
    Node(&'z Node),
    /// Nothing, and something below it.
    Between,
    Nowhere,
}

/// NS and SOA at the apex are ours.
fn is_served(record: &Record) -> bool {
    !(record.owner.is_empty() && matches!(record.rtype, rtype::NS | rtype::SOA))
}

fn of(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}

//----------- Press ------------------------------------------------------------------------------------------------

/// Writes a zone's three blocks.
#[derive(Default)]
struct Press {
    nodes: Vec<Node>,
    sets: Vec<Set>,
    keys: Vec<u8>,
    wire: Vec<u8>,
}

impl Press {
    fn press(mut self, by_name: &ByName<'_>) -> Self {
        for (key, sets) in by_name {
            let (first_key, first_set) = (self.keys.len() as u32, self.sets.len() as u32);
            self.keys.extend_from_slice(key.as_bytes());
            for (rtype, records) in sets.iter().filter(|(_, records)| !records.is_empty()) {
                self.set(*rtype, records);
            }
            let (key, sets) = (first_key..self.keys.len() as u32, first_set..self.sets.len() as u32);
            self.nodes.push(Node { key, sets });
        }
        self
    }

    /// One TTL for the whole set (RFC 2181, 5.2), and no record twice (5).
    fn set(&mut self, rtype: u16, records: &[(u32, &[u8])]) {
        let start = self.wire.len() as u32;
        let ttl_secs = records.iter().map(|(ttl_secs, _)| *ttl_secs).min().unwrap_or_default();
        let mut datas: Vec<&[u8]> = records.iter().map(|(_, rdata)| *rdata).collect();
        datas.sort_unstable();
        datas.dedup();
        for rdata in &datas {
            self.wire.extend_from_slice(&rtype.to_be_bytes());
            self.wire.extend_from_slice(&class::IN.to_be_bytes());
            self.wire.extend_from_slice(&ttl_secs.to_be_bytes());
            self.wire.extend_from_slice(&(rdata.len() as u16).to_be_bytes());
            self.wire.extend_from_slice(rdata);
        }
        self.sets.push(Set { rtype, count: datas.len() as u16, wire: start..self.wire.len() as u32 });
    }

    fn zone(self, apex: &[u8], negative_ttl_secs: u32) -> CapturedZone {
        CapturedZone {
            apex: apex.to_ascii_lowercase().into(),
            nodes: self.nodes.into(),
            sets: self.sets.into(),
            keys: self.keys.into(),
            wire: self.wire.into(),
            negative_ttl_secs,
        }
    }
}

#[cfg(test)]
mod tests;
