//! The owners' records, by the file that holds them, for names on their way back.
//!
//! Whoever builds the table reads the files (they lie in the vault) and parses them once; here they become zones. A name
//! whose file is missing, or whose records make no zone, is answered as if nothing had been captured: SOA and NS only.

use std::collections::HashMap;
use std::sync::Arc;

use model::Digest;
use store::zones::Zone;
use wire::dns::captured::{CapturedZone, Record};
use wire::dns::{Answers, Records};

/// Captured records by the digest of their file.
#[derive(Clone, Debug, Default)]
pub struct CapturedFiles {
    by_file: HashMap<Digest, Arc<[Record]>>,
}

impl CapturedFiles {
    pub fn contains(&self, file: &Digest) -> bool {
        self.by_file.contains_key(file)
    }

    pub fn insert(&mut self, file: Digest, records: impl Into<Arc<[Record]>>) {
        self.by_file.insert(file, records.into());
    }

    /// Forgets what no zone of these files needs.
    pub fn keep(&mut self, is_needed: impl Fn(&Digest) -> bool) {
        self.by_file.retain(|file, _| is_needed(file));
    }

    /// What a zone on its way back answers with, if its owner's records are here.
    pub(super) fn answers(&self, zone: &Zone, ours: &Records) -> Option<Answers> {
        let records = self.by_file.get(zone.captured()?)?;
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
