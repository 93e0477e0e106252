//! The owners' records, by the file that holds them, for names on their way back.
//!
//! Whoever builds the table reads the files (they lie in the vault) and parses them once; here they become zones. A name
//! whose file is missing, or whose records make no zone, is answered as if nothing had been captured: SOA and NS only.

use std::collections::HashMap;
use std::sync::Arc;

use model::{Digest, DomainName};
use store::zones::Zone;
use wire::dns::captured::{CapturedZone, Record};
use wire::dns::{Answers, Records};

/// Captured records by name and the digest of their file: one file says different things below different names.
#[derive(Clone, Debug, Default)]
pub struct CapturedFiles {
    by_place: HashMap<(DomainName, Digest), Arc<[Record]>>,
}

impl CapturedFiles {
    pub fn contains(&self, place: &(DomainName, Digest)) -> bool {
        self.by_place.contains_key(place)
    }

    pub fn insert(&mut self, place: (DomainName, Digest), records: impl Into<Arc<[Record]>>) {
        self.by_place.insert(place, records.into());
    }

    /// Forgets what is not needed.
    pub fn keep(&mut self, is_needed: impl Fn(&(DomainName, Digest)) -> bool) {
        self.by_place.retain(|place, _| is_needed(place));
    }

    /// What a zone on its way back answers with, if its owner's records are here.
    pub(super) fn answers(&self, zone: &Zone, ours: &Records) -> Option<Answers> {
        let records = self.by_place.get(&(zone.apex().clone(), *zone.captured()?))?;
        match CapturedZone::new(&zone.apex().to_wire(), ours, records) {
            Ok(captured) => Some(Answers::handing_back(ours, captured)),
            Err(refused) => {
                let name = zone.apex().defanged();
                tracing::error!(%name, %refused, "the owner's records make no zone; only SOA and NS are answered");
                None
            }
        }
    }
}
