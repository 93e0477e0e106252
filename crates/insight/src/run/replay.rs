//! History, labelled anew: the journal and what sensors sent are read again from their first frames, with today's rules
//! and tables.
//!
//! ```text
//! journal ──from the beginning──► Understanding ──► files of verdicts that nobody sees ──all──► one transaction
//! ```
//!
//! The verdicts of before stay beside the new ones; of two on one contact the later one counts, everywhere at the same
//! instant. A crash before that instant leaves files without a manifest row, which the next opening sets aside: then
//! the replay begins again. What the journal no longer has keeps the verdict that it has, and what came a moment ago is
//! left to the follower.
//!
//! What is deliberately absent: indicators. They are learned once, as contacts come.

use std::time::Duration;

use store::archive::Staged;
use store::sensors::{LaneKey, LanePlace};

use super::*;

/// Under which name the files stand.
const REPLAYER: &str = "replay";
/// So many verdicts make a file.
const VERDICTS_AT_ONCE: usize = 100_000;

/// What it takes to label: the journal, the tables, and the operator's settings.
pub struct Labels {
    pub journal: Arc<Journal>,
    pub tables: Arc<Tables>,
    pub settings: Settings,
    /// Held by the replay that is under way.
    pub alone: tokio::sync::Mutex<()>,
}

/// What became of a replay.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Replayed {
    pub generation: String,
    pub since: Timestamp,
    /// What was received from here on was left to the follower.
    pub until: Timestamp,
    /// Contacts that were read, those among them that came before and only say who called.
    pub contacts: u64,
    pub verdicts: u64,
}

/// Judges whatever was received since that instant anew, and puts the verdicts in force at once.
///
/// # Errors
/// If the journal cannot be read or the archive not be written; nothing has changed then.
pub async fn replay(
    labels: &Labels,
    ledger: &Ledger,
    archive: &Archive,
    since: Timestamp,
    actor: Actor,
) -> Result<Replayed, Error> {
    let until = earlier(now(), labels.settings.patience.wait());
    let mut replay = Replay::new(labels, archive, since, until);
    let mut staged = Staged::new(REPLAYER);
    if let Err(error) = replay.stage_all(ledger, &mut staged).await {
        archive.unstage(&mut staged, |_| false).await?;
        return Err(error);
    }
    // The journal may have more of a day than the archive keeps: what was purged does not come back by another door.
    let view = ledger.view().await?;
    let is_whole = |day| view.purges.iter().all(|purge| purge.day != day);
    let left_out = archive.unstage(&mut staged, is_whole).await?;
    let Replay { generation, contacts, verdicts, .. } = replay;
    let verdicts = verdicts - left_out;
    let body = Body::HistoryReplayed { generation: generation.clone(), since, until, verdicts };
    archive.switch(staged, Draft::new(actor, body), now()).await?;
    Ok(Replayed { generation, since, until, contacts, verdicts })
}

struct Replay<'a> {
    labels: &'a Labels,
    archive: &'a Archive,
    generation: String,
    since: Timestamp,
    until: Timestamp,
    cursor: Cursor,
    /// How far what sensors sent was read, lane by lane.
    places: BTreeMap<LaneKey, LanePlace>,
    understanding: Understanding,
    /// The last contact that was read: patience goes by the journal's time, not by ours.
    reached: Timestamp,
    rows: Vec<VerdictRow>,
    contacts: u64,
    verdicts: u64,
}

impl<'a> Replay<'a> {
    fn new(labels: &'a Labels, archive: &'a Archive, since: Timestamp, until: Timestamp) -> Self {
        let Settings { patience, memory, thresholds, .. } = labels.settings.clone();
        Self {
            labels,
            archive,
            generation: generation(&labels.tables).to_string(),
            since,
            until,
            cursor: Cursor::default(),
            places: BTreeMap::new(),
            understanding: Understanding::new(patience, memory, thresholds),
            reached: Timestamp::MIN,
            rows: Vec::new(),
            contacts: 0,
            verdicts: 0,
        }
    }

    async fn stage_all(&mut self, ledger: &Ledger, staged: &mut Staged) -> Result<(), Error> {
        loop {
            let frames = self.read().await?;
            let terms = Terms::of(&*ledger.view().await?);
            self.judge(frames == 0, &terms);
            if self.rows.len() >= VERDICTS_AT_ONCE || frames == 0 {
                self.archive.stage(staged, std::mem::take(&mut self.rows), now()).await?;
            }
            if frames == 0 {
                return Ok(());
            }
        }
    }

    /// One stretch of the journal, and one of what sensors sent. Returns how many frames and lanes went on; 0 at the end.
    async fn read(&mut self) -> Result<u64, Error> {
        let plan = self.archive.received().plan_again(&self.places).await?;
        let (journal, mut cursor) = (Arc::clone(&self.labels.journal), std::mem::take(&mut self.cursor));
        let mut understanding = std::mem::take(&mut self.understanding);
        let Settings { batch_bytes_max, warm_secs, .. } = self.labels.settings;
        let window = earlier(self.since, Duration::from_secs(warm_secs))..self.until;
        let reading = tokio::task::spawn_blocking(move || {
            let (mut contacts, mut reached) = (0, Timestamp::MIN);
            let each = &mut |frame: Frame<'_>| match frame {
                Frame::Contact(contact) if window.contains(&contact.received) => {
                    (contacts, reached) = (contacts + 1, reached.max(contact.received));
                    understanding.take_contact(&contact);
                }
                Frame::Outcome(outcome) => understanding.take_outcome(&outcome),
                Frame::Contact(_) | Frame::Counts(_) | Frame::Clock(_) => {}
            };
            let report = journal.read(&mut cursor, batch_bytes_max, each);
            let stretch = read_received(&plan, batch_bytes_max, each);
            (report, stretch, cursor, understanding, contacts, reached)
        });
        let (report, stretch, cursor, understanding, contacts, reached) =
            reading.await.expect("reading does not panic and is never aborted");
        (self.cursor, self.understanding) = (cursor, understanding);
        self.contacts += contacts;
        self.reached = self.reached.max(reached);
        let (report, stretch) = (report?, stretch?);
        let moved = stretch.places.len() as u64;
        self.places.extend(stretch.places.into_iter().map(|place| (place.lane_key(), place)));
        Ok(report.frames + moved)
    }

    fn judge(&mut self, is_all: bool, terms: &Terms) {
        let until = if is_all { Until::Now } else { self.understanding.patience_from(self.reached) };
        let Labels { tables, settings, .. } = self.labels;
        let world = World { tables, withheld: &terms.withheld, own: &settings.own };
        let judged = self.understanding.judge(until, world);
        let wanted = judged.verdicts.into_iter().filter(|(_, received)| *received >= self.since);
        let before = self.rows.len();
        self.rows.extend(wanted.map(|(verdict, received)| VerdictRow::new(verdict, received, &self.generation)));
        self.verdicts += (self.rows.len() - before) as u64;
    }
}

fn earlier(than: Timestamp, by: Duration) -> Timestamp {
    than.checked_sub(by).unwrap_or(Timestamp::MIN)
}
