//! Which zones may be served on these sockets, and how the table follows the ledger.
//!
//! The whole set is loaded at the start, and again when much has changed. Otherwise only the names that new facts speak of
//! are looked at again, and those whose authority's day has come: a name that is added, held or handed back is live at
//! once, and a poll of nothing new costs nothing, at a million zones too.

use std::sync::Arc;

use model::id::Position;
use model::{DomainName, Timestamp};
use sinkhole::{Change, Settings, ZoneTable};
use store::zones::Zone;
use store::{Ledger, View, ZoneSet};
use tokio::sync::watch;

use super::captured::Shelf;
use super::{is_woken, now};
use crate::failure::{Failure, Tried};

/// So many names are changed one by one, and an eighth of all; beyond, the whole set is loaded.
const CHANGES_MAX: usize = 10_000;

/// Which zones may be served on these sockets: an exercise on loopback only.
pub(super) struct Gate {
    loopback_only: bool,
    settings: Settings,
    shelf: Shelf,
    /// The table stands as of this position and this instant.
    next: Position,
    at: Timestamp,
}

impl Gate {
    pub(super) fn new(loopback_only: bool, settings: Settings, shelf: Shelf) -> Self {
        Self { loopback_only, settings, shelf, next: Position(0), at: Timestamp::UNIX_EPOCH }
    }

    pub(super) async fn load(&mut self, ledger: &Ledger, table: &ZoneTable) -> Result<(), Failure> {
        let view = ledger.view().await.tried("folding the ledger")?;
        self.load_whole(&view, now(), table);
        Ok(())
    }

    fn load_whole(&mut self, view: &View, at: Timestamp, table: &ZoneTable) {
        let set = self.admit(view.zones(at));
        let files = self.shelf.files_for(&set);
        table.replace_with(set, &self.settings, files);
        (self.next, self.at) = (view.next, at);
    }

    fn admit(&self, mut set: ZoneSet) -> ZoneSet {
        let before = set.zones.len();
        set.zones.retain(|zone| self.admits(zone));
        say_kept_out(before - set.zones.len());
        set
    }

    fn admits(&self, zone: &Zone) -> bool {
        self.loopback_only || !zone.coverage().is_exercise()
    }

    /// Whether anything changed.
    async fn catch_up(&mut self, ledger: &Ledger, table: &ZoneTable) -> Result<bool, Failure> {
        let view = ledger.view().await.tried("folding the ledger")?;
        let mut facts = ledger.facts(self.next).await.tried("reading what is new in the ledger")?;
        // What was appended since is for the next time.
        facts.retain(|fact| fact.position < view.next);
        let (at, max) = (now(), CHANGES_MAX.max(table.len() / 8));
        let Some(touched) = view.touched(&facts, (self.at, at), max) else {
            self.load_whole(&view, at, table);
            return Ok(true);
        };
        let is_news = !touched.is_empty();
        if is_news {
            let changes = touched.into_iter().map(|name| self.change(&view, name, at)).collect();
            self.update(&view, changes, table);
        }
        (self.next, self.at) = (view.next, at);
        Ok(is_news)
    }

    fn change(&self, view: &View, name: &DomainName, at: Timestamp) -> Change {
        let (mut zone, mut kept_out) = (None, 0);
        for candidate in view.zones_of(name, at) {
            match self.admits(&candidate) {
                true => zone = zone.or(Some(candidate)),
                false => kept_out += 1,
            }
        }
        say_kept_out(kept_out);
        Change { apex: name.clone(), zone }
    }

    fn update(&mut self, view: &View, changes: Vec<Change>, table: &ZoneTable) {
        // A serial is 32 bits by RFC 1035; it wraps as RFC 1982 means it to.
        let serial = view.next.0 as u32;
        let files = self.shelf.files_besides(changes.iter().filter_map(|change| change.zone.as_ref()));
        table.update(serial, changes, &self.settings, files);
    }

    /// Changes the zones whenever facts change them, and looks at every poll, because authorities lapse by the clock
    /// alone; `told` rises with each change.
    pub(super) async fn follow(
        mut self,
        ledger: Ledger,
        table: Arc<ZoneTable>,
        told: watch::Sender<u64>,
        mut stopped: watch::Receiver<bool>,
    ) {
        let mut changed = ledger.changed();
        while is_woken(&mut changed, &mut stopped).await {
            match self.catch_up(&ledger, &table).await {
                Ok(true) => told.send_modify(|changes| *changes += 1),
                Ok(false) => {}
                Err(failure) => {
                    tracing::error!(?failure, "the zones stay as they were; the ledger could not be read");
                }
            }
        }
    }
}

fn say_kept_out(zones: usize) {
    if zones > 0 {
        tracing::error!(zones, "an exercise is served on loopback only; these zones are not served here");
    }
}
