//! Zones with a name of their own: policy zones and the catalog, as secondaries and resolvers take them over.
//!
//! A named zone is a sorted set of [`Record`]s, a serial, and the [`Difference`]s that led to it. Publishing compares
//! what is to be told with what was told, and keeps the difference; the history survives a restart, so that a secondary
//! that was told of serial 7 by yesterday's process gets the step from 7 to 8 from today's.

use std::collections::BTreeMap;
use std::sync::Arc;

/// One record, its owner relative to the zone's origin.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Record {
    /// Labels in wire form, lower case, without the root's: empty for the apex.
    pub owner: Box<[u8]>,
    /// The record type; the class is always IN.
    pub kind: u16,
    /// In wire form, without compressed names.
    pub data: Box<[u8]>,
    pub ttl_secs: u32,
}

/// One step of a zone's history, from one serial to a later one. The SOA is not among the records.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference {
    pub from: u32,
    pub to: u32,
    pub removed: Vec<Record>,
    pub added: Vec<Record>,
}

/// A zone as it is told now, and the steps that led there.
#[derive(Clone, Debug)]
pub struct NamedZone {
    /// The origin in wire form, lower case, with the root's label.
    pub origin: Box<[u8]>,
    /// RFC 1982 arithmetic; it rises by one with each difference.
    pub serial: u32,
    /// All but the SOA, in order and each once.
    pub records: Arc<[Record]>,
    /// The oldest first, without a gap; the last one leads to `serial`.
    pub differences: Vec<Arc<Difference>>,
}

/// Every named zone as it is told now, by its origin in wire form, lower case.
#[derive(Clone, Debug, Default)]
pub struct Published {
    pub zones: BTreeMap<Box<[u8]>, Arc<NamedZone>>,
}
