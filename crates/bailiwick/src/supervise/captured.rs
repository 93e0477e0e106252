//! The owners' records of names that are handed back: read from the vault once, forgotten when no zone needs them.
//!
//! A file that cannot be read is said once and not tried again until the daemon starts anew: the name is answered with
//! SOA and NS only, as if nothing had been captured.

use std::collections::BTreeSet;
use std::sync::Arc;

use docket::zonefile;
use model::{Digest, DomainName};
use sinkhole::CapturedFiles;
use store::zones::Zone;
use store::{Vault, ZoneSet};
use wire::dns::captured::Record;

pub(super) struct Shelf {
    vault: Arc<Vault>,
    files: CapturedFiles,
    lost: BTreeSet<(DomainName, Digest)>,
}

impl Shelf {
    pub(super) fn new(vault: Arc<Vault>) -> Self {
        Self { vault, files: CapturedFiles::default(), lost: BTreeSet::new() }
    }

    /// What the zones of this set need.
    pub(super) fn files_for(&mut self, set: &ZoneSet) -> &CapturedFiles {
        let needed = set.zones.iter().filter_map(|zone| Some((zone.apex().clone(), *zone.captured()?)));
        let needed: BTreeSet<(DomainName, Digest)> = needed.collect();
        self.files.keep(|place| needed.contains(place));
        self.fetch_all(needed)
    }

    /// What these zones need, beside all that others needed before.
    pub(super) fn files_besides<'a>(&mut self, zones: impl Iterator<Item = &'a Zone>) -> &CapturedFiles {
        let needed = zones.filter_map(|zone| Some((zone.apex().clone(), *zone.captured()?))).collect();
        self.fetch_all(needed)
    }

    /// Files that could not be read may have come since.
    pub(super) fn try_lost_again(&mut self) {
        self.lost.clear();
    }

    fn fetch_all(&mut self, needed: BTreeSet<(DomainName, Digest)>) -> &CapturedFiles {
        for place in needed {
            if !self.files.contains(&place) && !self.lost.contains(&place) {
                self.fetch(place);
            }
        }
        &self.files
    }

    fn fetch(&mut self, place: (DomainName, Digest)) {
        match read(&self.vault, &place) {
            Ok(records) => self.files.insert(place, records),
            Err(why) => {
                let (name, file) = (place.0.defanged(), place.1);
                tracing::error!(%name, %file, why, "the owner's records cannot be read; only SOA and NS are answered");
                self.lost.insert(place);
            }
        }
    }
}

fn read(vault: &Vault, (apex, file): &(DomainName, Digest)) -> Result<Vec<Record>, String> {
    let bytes = vault.get(file).map_err(|error| error.to_string())?.ok_or("the file is not in the vault")?;
    zonefile::read(&bytes, apex).map(|read| read.records).map_err(|fault| fault.to_string())
}
