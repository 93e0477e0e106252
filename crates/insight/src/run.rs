//! The one door: follows the journal, and writes what it understood to archive and ledger.
//!
//! Dull on purpose: read a bounded stretch, judge, commit contacts, outcomes, verdicts, facts and the cursor in one
//! transaction, again. If it dies between two commits, it reads the stretch again and nothing is there twice. It wakes
//! when the journal says that something was appended, and by a poll whatever the journal says: the cursor is the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use model::fact::{Actor, Body, Draft, Indicator};
use model::id::{CaseId, GroupId};
use model::marking::Withheld;
use store::Error;
use store::archive::{Archive, ArchiveBatch, ContactRow, OutcomeRow, SightingFilter, VerdictRow};
use store::journal::{Cursor, Frame, Journal, ReadReport};
use store::ledger::Ledger;
use store::sensors::{Plan, Stretch};
use store::view::View;
use tokio::sync::watch;

use crate::assess::{MemoryLimits, generation};
use crate::learn::Thresholds;
use crate::tables::Tables;
use crate::understanding::{Judged, Patience, Understanding, Until, World};

mod replay;
#[cfg(test)]
mod tests;

pub use replay::{Labels, Replayed, replay};

/// The name under which the archive keeps our cursor, and facts name us.
pub const FOLLOWER: &str = "insight";

/// What the operator may set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Addresses from which we call ourselves.
    pub own: BTreeSet<IpAddr>,
    /// How much of the journal is read and committed at once.
    pub batch_bytes_max: usize,
    /// The longest sleep: after it the cursor is looked at, woken or not.
    pub poll: Duration,
    pub patience: Patience,
    pub memory: MemoryLimits,
    pub thresholds: Thresholds,
    /// After a restart the memory is warmed with so many of the last contacts, no older than so.
    pub warm_contacts_max: usize,
    pub warm_secs: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            own: BTreeSet::new(),
            batch_bytes_max: 2 << 20,
            poll: Duration::from_secs(1),
            patience: Patience::default(),
            memory: MemoryLimits::default(),
            thresholds: Thresholds::default(),
            warm_contacts_max: 50_000,
            warm_secs: 24 * 60 * 60,
        }
    }
}

/// What was followed so far.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Progress {
    pub frames: u64,
    pub contacts: u64,
    pub verdicts: u64,
    pub learned: u64,
}

/// Follows until told to stop; then reads what is left, judges whoever still waits, and returns. While the ledger's database
/// does not answer it waits, and goes on from where the cursor stands then: the journal keeps what comes meanwhile.
pub async fn follow(
    journal: Arc<Journal>,
    ledger: Ledger,
    archive: Archive,
    tables: Arc<Tables>,
    settings: Settings,
    mut stop: watch::Receiver<bool>,
) -> Result<Progress, Error> {
    loop {
        let parts = (Arc::clone(&journal), ledger.clone(), archive.clone(), Arc::clone(&tables), settings.clone());
        let (journal, ledger, archive, tables, settings) = parts;
        match follow_while_it_lasts(journal, ledger, archive, tables, settings, stop.clone()).await {
            Err(error) if error.is_passing() && *stop.borrow() => {
                tracing::warn!(%error, "what was not learned is in the journal; the next start goes on there");
                return Ok(Progress::default());
            }
            Err(error) if !*stop.borrow() => {
                let pause = if error.is_passing() { RETRY_AFTER } else { RETRY_TROUBLE_AFTER };
                if error.is_passing() {
                    // The ledger's own link has told the operator.
                    tracing::debug!(%error, "insight waits for the ledger's database; the journal keeps what comes");
                } else {
                    let hint = error.hint().unwrap_or("see `bailiwick doctor`");
                    tracing::error!(%error, "insight cannot go on, and tries again; the journal keeps what comes; hint: {hint}");
                }
                tokio::select! {
                    _ = stop.wait_for(|stop| *stop) => {}
                    () = tokio::time::sleep(pause) => {}
                }
            }
            ended => return ended,
        }
    }
}

/// How soon a follower that lost the ledger's database tries again.
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// How soon after trouble of our own, a full disk perhaps.
const RETRY_TROUBLE_AFTER: Duration = Duration::from_secs(30);

async fn follow_while_it_lasts(
    journal: Arc<Journal>,
    ledger: Ledger,
    archive: Archive,
    tables: Arc<Tables>,
    settings: Settings,
    mut stop: watch::Receiver<bool>,
) -> Result<Progress, Error> {
    let (mut appended, poll) = (journal.appended(), settings.poll);
    let mut received = archive.received().changed();
    let mut follower = Follower::start(journal, ledger, archive, tables, settings).await?;
    while !*stop.borrow_and_update() {
        let behind = follower.step(Wait::ForOutcomes).await?;
        if behind == 0 {
            tokio::select! {
                // A journal or roof that went away tells nothing more: then the poll alone goes on.
                Ok(()) = appended.changed() => {}
                Ok(()) = received.changed() => {}
                Ok(()) = stop.changed() => {}
                () = tokio::time::sleep(poll) => {}
            }
        }
    }
    follower.finish().await
}

/// Reads all that there is and judges it, for commands that run without a daemon.
pub async fn catch_up_once(
    journal: Arc<Journal>,
    ledger: Ledger,
    archive: Archive,
    tables: Arc<Tables>,
    settings: Settings,
) -> Result<Progress, Error> {
    Follower::start(journal, ledger, archive, tables, settings).await?.finish().await
}

//----------- Follower ---------------------------------------------------------------------------------------------

struct Follower {
    journal: Arc<Journal>,
    ledger: Ledger,
    archive: Archive,
    tables: Arc<Tables>,
    settings: Settings,
    generation: String,
    cursor: Cursor,
    understanding: Understanding,
    progress: Progress,
}

/// Whether those without an outcome may go on waiting.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Wait {
    ForOutcomes,
    NoLonger,
}

impl Follower {
    async fn start(
        journal: Arc<Journal>,
        ledger: Ledger,
        archive: Archive,
        tables: Arc<Tables>,
        settings: Settings,
    ) -> Result<Self, Error> {
        let cursor = archive.cursor(FOLLOWER).await?;
        let mut understanding = Understanding::new(settings.patience, settings.memory, settings.thresholds);
        let view = ledger.view().await?;
        understanding.know(view.indicators.iter().map(|(case, _, indicator)| (case, indicator)));
        let from = now().checked_sub(Duration::from_secs(settings.warm_secs)).ok();
        let filter = SightingFilter { from, last: Some(settings.warm_contacts_max), ..SightingFilter::default() };
        understanding.warm(&archive.sightings(&filter).await?);
        let generation = generation(&tables).to_string();
        let progress = Progress::default();
        Ok(Self { journal, ledger, archive, tables, settings, generation, cursor, understanding, progress })
    }

    /// Reads to the end and lets nobody wait.
    async fn finish(mut self) -> Result<Progress, Error> {
        while self.step(Wait::ForOutcomes).await? > 0 {}
        self.step(Wait::NoLonger).await?;
        let Progress { contacts, verdicts, learned, .. } = self.progress;
        tracing::info!(contacts, verdicts, learned, "insight has read the journal to its end");
        Ok(self.progress)
    }

    /// One stretch of the journal, one commit. Returns the number of frames.
    async fn step(&mut self, wait: Wait) -> Result<u64, Error> {
        let (mut batch, frames) = self.read().await?;
        let now = now();
        let until = if wait == Wait::NoLonger { Until::Now } else { self.understanding.patience_from(now) };
        let terms = Terms::of(&*self.ledger.view().await?);
        let world = World { tables: &self.tables, withheld: &terms.withheld, own: &self.settings.own };
        let judged = self.understanding.judge(until, world);
        self.progress.frames += frames;
        self.progress.contacts += batch.contacts.len() as u64;
        self.progress.verdicts += judged.verdicts.len() as u64;
        self.progress.learned += judged.learned.len() as u64;
        self.fill(&mut batch, judged, &terms);
        if frames > 0 || !batch.verdicts.is_empty() || !batch.facts.is_empty() {
            self.archive.commit(FOLLOWER, batch, now).await?;
        }
        Ok(frames)
    }

    fn fill(&self, batch: &mut ArchiveBatch, judged: Judged, terms: &Terms) {
        let row = |(verdict, received)| VerdictRow::new(verdict, received, &self.generation);
        batch.verdicts = judged.verdicts.into_iter().map(row).collect();
        batch.facts = judged.learned.into_iter().filter_map(|(case, found)| terms.draft(case, found)).collect();
    }

    /// Reads our own journal and what sensors sent, on a thread for blocking work: both are files.
    async fn read(&mut self) -> Result<(ArchiveBatch, u64), Error> {
        let plan = self.archive.received().plan().await?;
        let (journal, mut cursor) = (Arc::clone(&self.journal), self.cursor.clone());
        let mut understanding = std::mem::take(&mut self.understanding);
        let bytes_max = self.settings.batch_bytes_max;
        let reading = tokio::task::spawn_blocking(move || {
            let mut batch = ArchiveBatch::default();
            let each = &mut |frame: Frame<'_>| take(frame, &mut understanding, &mut batch);
            let report = journal.read(&mut cursor, bytes_max, each);
            let stretch = read_received(&plan, bytes_max, each);
            batch.cursor = cursor;
            (understanding, batch, report, stretch)
        });
        let (understanding, mut batch, report, stretch) =
            reading.await.expect("reading does not panic and is never aborted");
        self.understanding = understanding;
        let (report, stretch) = (report?, stretch?);
        warn_of_damage(&report);
        warn_of_damage(&stretch.report);
        self.cursor = batch.cursor.clone();
        // A segment may hold nothing but damage; its place moves all the same.
        let moved = stretch.places.len() as u64;
        batch.received = stretch.places;
        Ok((batch, report.frames + stretch.report.frames.max(moved)))
    }
}

fn read_received(plan: &Plan, bytes_max: usize, each: &mut dyn FnMut(Frame<'_>)) -> Result<Stretch, Error> {
    let stretch = plan.read(bytes_max, each)?;
    if stretch.untimely > 0 {
        let frames = stretch.untimely;
        tracing::warn!(
            frames,
            "sensors sent frames of an impossible time; they stay in their segments and are not archived"
        );
    }
    Ok(stretch)
}

fn take(frame: Frame<'_>, understanding: &mut Understanding, batch: &mut ArchiveBatch) {
    match frame {
        Frame::Contact(contact) => {
            understanding.take_contact(&contact);
            batch.contacts.push(ContactRow::from(&contact));
        }
        Frame::Outcome(outcome) => {
            understanding.take_outcome(&outcome);
            batch.outcomes.push(OutcomeRow::from(&outcome));
        }
        Frame::Counts(_) | Frame::Clock(_) => {}
    }
}

fn warn_of_damage(report: &ReadReport) {
    let ReadReport { missing, doubles, .. } = report;
    if *missing > 0 || *doubles > 0 || !report.damaged.is_empty() {
        let damaged = report.damaged.len();
        tracing::warn!(missing, doubles, damaged, "the journal has a gap or damage here; hint: see `quarantine`");
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the room's run.rs")]
fn now() -> Timestamp {
    Timestamp::now()
}

//----------- Terms ------------------------------------------------------------------------------------------------

/// What the cases say that matters here.
struct Terms {
    withheld: BTreeMap<CaseId, Withheld>,
    groups: BTreeMap<CaseId, GroupId>,
}

impl Terms {
    fn of(view: &View) -> Self {
        let withheld = view.cases.iter().map(|(id, case)| (id.clone(), case.terms.withheld.clone())).collect();
        let groups = view.cases.iter().map(|(id, case)| (id.clone(), case.terms.group.id.clone())).collect();
        Self { withheld, groups }
    }

    fn draft(&self, case: CaseId, indicator: Indicator) -> Option<Draft> {
        let group = self.groups.get(&case)?.clone();
        let room = Actor::Room { name: FOLLOWER.into() };
        Some(Draft::new(room, Body::IndicatorLearned { case, group, indicator }))
    }
}
