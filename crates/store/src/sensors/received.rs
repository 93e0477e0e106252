//! Receptions carried out on this machine: files below `DATA/received`, rows in the ledger's database.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use model::Timestamp;
use model::digest::Hasher;
use model::fact::{Actor, Body, Draft};
use model::id::{Boot, Lane, SensorId};
use model::segment::{Receipt, SegmentKey};
use nix::sys::statvfs::statvfs;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::Answer;
use super::read::{LANES_PER_READ_MAX, LanePlace, Plan, SEGMENTS_PER_LANE_MAX};
use super::reception::{Event, Offer, Reception, Step};
use super::rows::{self, LaneStatus, LeaseStatus, UnreadLane};
use crate::Error;
use crate::folder::{DataFolder, make_folder, sync_folder};
use crate::journal::foreign::{HEAD_LEN, file_name_of, start_of};
use crate::ledger::{Appending, Ledger};

/// Within the data folder.
const FOLDER: &str = "received";

/// How a segment is called until it is whole.
const UNNAMED: &str = "new";
/// What is gathered before it is written and hashed.
const CHUNK_LEN: usize = 1 << 20;
/// Room that stays free on the disk: the core's own journal and ledger come first.
const FREE_OCTETS_MIN: u64 = 256 << 20;

pub type LaneKey = (SensorId, Boot, Lane);

//----------- Received ---------------------------------------------------------------------------------------------

/// What sensors have sent; clones are the same.
#[derive(Clone)]
pub struct Received {
    inner: Arc<Inner>,
}

struct Inner {
    root: PathBuf,
    ledger: Ledger,
    /// Lanes in which a reception is under way.
    busy: Mutex<BTreeSet<LaneKey>>,
    next_draft: AtomicU64,
    free_octets_min: u64,
    changed: watch::Sender<u64>,
    /// Where the last plan ended: the next one begins behind it.
    turn: Mutex<LaneKey>,
}

impl Received {
    /// Opens the folder, and removes what was on its way when the process died: nothing of it was acknowledged.
    pub(crate) fn open(folder: &DataFolder, ledger: &Ledger) -> Result<Self, Error> {
        let root = folder.path().join(FOLDER);
        make_folder(&root)?;
        for sensor in entries(&root)?.into_iter().filter(|path| path.is_dir()) {
            for draft in entries(&sensor)?.into_iter().filter(|path| path.extension().is_some_and(|e| e == UNNAMED)) {
                fs::remove_file(&draft).map_err(Error::io("removing", &draft))?;
            }
        }
        let inner = Inner {
            root,
            ledger: ledger.clone(),
            busy: Mutex::default(),
            next_draft: AtomicU64::new(0),
            free_octets_min: FREE_OCTETS_MIN,
            changed: watch::Sender::default(),
            turn: Mutex::new(FIRST),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Begins to take a segment. What comes is given to [`Taking::write`]; [`Taking::finish`] answers.
    ///
    /// # Errors
    /// The answer, where nothing has to come for it.
    pub async fn begin(&self, offer: Offer, now: Timestamp) -> Result<Taking, Answer> {
        let lane = (offer.key.sensor, offer.key.boot, offer.key.lane);
        let turn = Turn::take(&self.inner, lane).ok_or(Answer::Busy)?;
        let mut reception = Reception::new(offer);
        let event = match rows::known(self.inner.ledger.db(), reception.offer().key).await {
            Ok(known) => Event::Known(known),
            Err(error) => complain("asking what is known of a segment", &error),
        };
        match reception.apply(event) {
            Step::Receive => {}
            Step::Answer(answer) => {
                self.remember(reception.offer(), answer, now).await;
                return Err(answer);
            }
            step => unreachable!("a look ends in receiving or in an answer, and not in {step:?}"),
        }
        let draft = self.draft(reception.offer()).map_err(|error| {
            complain("making room for a segment", &error);
            Answer::Busy
        })?;
        Ok(Taking { received: self.clone(), reception, draft, turn: Arc::new(turn) })
    }

    fn draft(&self, offer: &Offer) -> Result<SegmentDraft, Error> {
        let folder = self.inner.root.join(format!("{:08x}", offer.key.sensor.0));
        let free = statvfs(&self.inner.root).map_or(0, |disk| disk.blocks_available() * disk.fragment_size());
        let needs = offer.octets + self.inner.free_octets_min;
        if free < needs {
            return Err(Error::Limit { what: "free room on the disk", needs, limit: free });
        }
        if !folder.exists() {
            make_folder(&folder)?;
            sync_folder(&self.inner.root)?;
        }
        let name = file_name_of(offer.key);
        let number = self.inner.next_draft.fetch_add(1, Ordering::Relaxed);
        SegmentDraft::create(folder.join(&name), folder.join(format!("{name}.{number}.{UNNAMED}")))
    }

    /// What was said of a segment that is here.
    pub async fn receipt(&self, key: SegmentKey) -> Result<Option<Receipt>, Error> {
        rows::receipt(self.inner.ledger.db(), key).await
    }

    /// What contradicts is a fact, once.
    async fn remember(&self, offer: &Offer, answer: Answer, now: Timestamp) {
        if !matches!(answer, Answer::Contradicted | Answer::OtherStart) {
            return;
        }
        let (sensor, segment) = (offer.key.sensor, offer.key);
        tracing::error!(target: "bailiwick_store", %sensor, %segment, "{}; the first stays", answer.text());
        if let Err(error) = self.remember_contradiction(offer, answer, now).await {
            complain("recording what contradicts", &error);
        }
    }

    async fn remember_contradiction(&self, offer: &Offer, answer: Answer, now: Timestamp) -> Result<(), Error> {
        let kept = self.receipt(offer.key).await?.map(|receipt| receipt.digest);
        let kept = kept.filter(|_| answer == Answer::Contradicted);
        let ledger = &self.inner.ledger;
        let mut transaction = ledger.begin().await?;
        if !rows::contradict(&mut transaction, offer.key, &offer.digest).await? {
            return transaction.commit().await;
        }
        let (sensor, segment) = (offer.key.sensor.0, offer.key.to_string());
        let body = Body::SensorContradicted { sensor, segment, kept, sent: offer.digest };
        let mut appending = Appending::begin(&mut transaction).await?;
        appending.add(vec![Draft::new(actor(), body)], now)?;
        let next = appending.finish(&mut transaction, ledger).await?;
        ledger.commit(transaction, next).await
    }

    /// The row, and the gap before it as a fact: one transaction.
    async fn record(&self, reception: &Reception, now: Timestamp) -> Result<(), Error> {
        let (offer, ledger) = (reception.offer(), &self.inner.ledger);
        let mut transaction = ledger.begin().await?;
        rows::record(&mut transaction, offer, reception.start(), now).await?;
        let Some(gap) = reception.gap() else { return transaction.commit().await };
        let SegmentKey { sensor, boot, lane, .. } = offer.key;
        let (sensor, boot, lane) = (sensor.0, boot.0, lane.0);
        let body = Body::SegmentsLost { sensor, boot, lane, from: gap.start, until: gap.end };
        let mut appending = Appending::begin(&mut transaction).await?;
        appending.add(vec![Draft::new(actor(), body)], now)?;
        let next = appending.finish(&mut transaction, ledger).await?;
        ledger.commit(transaction, next).await
    }

    //----- For whoever reads

    /// What may be read now. The lanes take turns.
    pub async fn plan(&self) -> Result<Plan, Error> {
        let turn = *self.inner.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let db = self.inner.ledger.db();
        let mut lanes = rows::unread(db, turn, LANES_PER_READ_MAX, SEGMENTS_PER_LANE_MAX).await?;
        if lanes.len() < LANES_PER_READ_MAX && turn != FIRST {
            // The turn is over: the next one begins from the first lane again, and may come to the same ones.
            lanes.extend(rows::unread(db, FIRST, LANES_PER_READ_MAX - lanes.len(), SEGMENTS_PER_LANE_MAX).await?);
            let mut seen = BTreeSet::new();
            lanes.retain(|lane| seen.insert((lane.place.sensor, lane.place.boot, lane.place.lane)));
        }
        let last = lanes.last().map_or(FIRST, |lane| (lane.place.sensor, lane.place.boot, lane.place.lane));
        *self.inner.turn.lock().unwrap_or_else(PoisonError::into_inner) = last;
        Ok(Plan { root: self.inner.root.clone(), lanes })
    }

    /// What may be read again, from the beginning of every lane: for whoever keeps his own places, and hands them over.
    pub async fn plan_again(&self, places: &BTreeMap<LaneKey, LanePlace>) -> Result<Plan, Error> {
        let db = self.inner.ledger.db();
        let mut lanes = Vec::new();
        for (start, next) in rows::lanes(db).await? {
            let place = places.get(&start.lane_key()).copied().unwrap_or(start);
            if place.segment < next && lanes.len() < LANES_PER_READ_MAX {
                lanes.extend(self.what_is_left(place).await?);
            }
        }
        Ok(Plan { root: self.inner.root.clone(), lanes })
    }

    /// The first segments of a lane from that place on which are there to be read again: what was purged is not.
    async fn what_is_left(&self, mut place: LanePlace) -> Result<Option<UnreadLane>, Error> {
        loop {
            let mut lane = rows::lane(self.inner.ledger.db(), place, SEGMENTS_PER_LANE_MAX).await?;
            let Some(last) = lane.segments.last().map(|segment| segment.0) else { return Ok(None) };
            lane.segments.retain(|(number, ..)| self.path(SegmentKey { number: *number, ..place.key() }).exists());
            if !lane.segments.is_empty() {
                return Ok(Some(lane));
            }
            place = LanePlace { segment: last.saturating_add(1), offset: 0, ..place };
        }
    }

    /// Which segment of each lane the archive reads next: those before it are read.
    pub(crate) async fn read_up_to(&self) -> Result<BTreeMap<LaneKey, u32>, Error> {
        rows::read_up_to(self.inner.ledger.db()).await
    }

    /// Where the segments lie, in a folder for each sensor.
    pub(crate) fn folder(&self) -> &Path {
        &self.inner.root
    }

    fn path(&self, key: SegmentKey) -> PathBuf {
        self.inner.root.join(format!("{:08x}", key.sensor.0)).join(file_name_of(key))
    }

    /// Rises with each segment.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }

    /// What a sensor has sent, in all.
    pub async fn status(&self, sensor: SensorId) -> Result<LaneStatus, Error> {
        rows::status(self.inner.ledger.db(), sensor).await
    }

    //----- Leases

    pub async fn lease(&self, sensor: SensorId) -> Result<Option<LeaseStatus>, Error> {
        rows::lease(self.inner.ledger.db(), sensor).await
    }

    /// Keeps what a sensor is told before it is told.
    pub async fn save_lease(&self, sensor: SensorId, lease: &LeaseStatus) -> Result<(), Error> {
        let mut transaction = self.inner.ledger.begin().await?;
        rows::save_lease(&mut transaction, sensor, lease).await?;
        transaction.commit().await
    }
}

/// Before all lanes: no sensor has number 0.
const FIRST: LaneKey = (SensorId(0), Boot(0), Lane(0));

fn actor() -> Actor {
    Actor::Room { name: "sensors".into() }
}

fn complain(what: &str, error: &Error) -> Event {
    tracing::error!(target: "bailiwick_store", error = error as &dyn std::error::Error, "{what}; the sensor tries again");
    Event::Failed
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(folder).map_err(Error::io("listing", folder))?;
    entries.map(|entry| Ok(entry.map_err(Error::io("listing", folder))?.path())).collect()
}

//----------- Turn -------------------------------------------------------------------------------------------------

/// The right to write in a lane.
struct Turn {
    inner: Arc<Inner>,
    lane: LaneKey,
}

impl Turn {
    fn take(inner: &Arc<Inner>, lane: LaneKey) -> Option<Self> {
        let is_free = inner.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(lane);
        is_free.then(|| Self { inner: Arc::clone(inner), lane })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.inner.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.lane);
    }
}

//----------- Taking -----------------------------------------------------------------------------------------------

/// A segment on its way. Dropped before its end it leaves nothing.
pub struct Taking {
    received: Received,
    reception: Reception,
    draft: SegmentDraft,
    turn: Arc<Turn>,
}

impl Taking {
    /// Takes the next octets; more than was announced ends it.
    ///
    /// # Errors
    /// The answer.
    pub async fn write(&mut self, octets: &[u8]) -> Result<(), Answer> {
        if self.draft.len() + octets.len() as u64 > self.reception.offer().octets {
            return Err(Answer::Broken);
        }
        self.draft.waiting.extend_from_slice(octets);
        if self.draft.waiting.len() >= CHUNK_LEN {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Answer> {
        let done = self.on_disk(SegmentDraft::flush).await;
        done.map_err(|error| {
            complain("writing a segment", &error);
            Answer::Busy
        })
    }

    /// All has come: makes it durable, and answers.
    pub async fn finish(mut self, now: Timestamp) -> Answer {
        if let Err(answer) = self.flush().await {
            return answer;
        }
        let mut event = self.draft.received();
        loop {
            event = match self.reception.apply(event) {
                Step::SyncFile => self.done(SegmentDraft::sync).await,
                Step::Rename => self.done(SegmentDraft::rename).await,
                Step::SyncFolder => self.done(SegmentDraft::sync_folder).await,
                Step::Record => match self.received.record(&self.reception, now).await {
                    Ok(()) => Event::Done,
                    Err(error) => complain("recording a segment", &error),
                },
                Step::Discard => self.done(SegmentDraft::discard).await,
                Step::Answer(answer) => return self.answer(answer, now).await,
                step @ (Step::Look | Step::Receive) => unreachable!("{step:?} is over"),
            }
        }
    }

    async fn answer(self, answer: Answer, now: Timestamp) -> Answer {
        if answer == Answer::Stored {
            self.received.inner.changed.send_modify(|count| *count += 1);
        }
        self.received.remember(self.reception.offer(), answer, now).await;
        answer
    }

    async fn done(&mut self, work: impl FnOnce(&mut SegmentDraft) -> Result<(), Error> + Send + 'static) -> Event {
        match self.on_disk(work).await {
            Ok(()) => Event::Done,
            Err(error) => complain("keeping a segment", &error),
        }
    }

    async fn on_disk(
        &mut self,
        work: impl FnOnce(&mut SegmentDraft) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let (mut draft, turn) = (self.draft.take(), Arc::clone(&self.turn));
        let work = move || {
            let done = work(&mut draft);
            // Whoever waits for the lane waits for this, also where nobody waits for the answer any more.
            drop(turn);
            (draft, done)
        };
        let (draft, done) = spawn_blocking(work).await.map_err(Error::archive("working on a segment"))?;
        self.draft = draft;
        done
    }
}

//----------- SegmentDraft -----------------------------------------------------------------------------------------

/// The file of a segment until it is recorded.
#[derive(Default)]
struct SegmentDraft {
    path: PathBuf,
    draft: PathBuf,
    file: Option<File>,
    hasher: Hasher,
    head: Vec<u8>,
    written: u64,
    waiting: Vec<u8>,
}

impl SegmentDraft {
    fn create(path: PathBuf, draft: PathBuf) -> Result<Self, Error> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft);
        let mut made = Self::default();
        made.file = Some(file.map_err(Error::io("creating", &draft))?);
        (made.path, made.draft) = (path, draft);
        Ok(made)
    }

    fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    fn len(&self) -> u64 {
        self.written + self.waiting.len() as u64
    }

    fn file(&mut self) -> Result<&mut File, Error> {
        let gone = || Error::Damaged { path: self.path.clone(), what: "its draft is gone".into() };
        self.file.as_mut().ok_or_else(gone)
    }

    fn flush(&mut self) -> Result<(), Error> {
        let waiting = std::mem::take(&mut self.waiting);
        let more = HEAD_LEN.saturating_sub(self.head.len()).min(waiting.len());
        self.head.extend_from_slice(&waiting[..more]);
        self.hasher.update(&waiting);
        let draft = self.draft.clone();
        self.file()?.write_all(&waiting).map_err(Error::io("writing", &draft))?;
        self.written += waiting.len() as u64;
        Ok(())
    }

    fn received(&self) -> Event {
        Event::Received { octets: self.written, digest: self.hasher.clone().digest(), start: start_of(&self.head) }
    }

    fn sync(&mut self) -> Result<(), Error> {
        let draft = self.draft.clone();
        self.file()?.sync_all().map_err(Error::io("syncing", &draft))
    }

    fn rename(&mut self) -> Result<(), Error> {
        fs::rename(&self.draft, &self.path).map_err(Error::io("naming", &self.draft))?;
        self.file = None;
        Ok(())
    }

    fn sync_folder(&mut self) -> Result<(), Error> {
        sync_folder(self.path.parent().expect("a segment lies in its sensor's folder"))
    }

    /// A file that has its name already stays: without a row it is none, and the next attempt writes over it.
    fn discard(&mut self) -> Result<(), Error> {
        match self.file.take() {
            Some(_) => fs::remove_file(&self.draft).map_err(Error::io("removing", &self.draft)),
            None => Ok(()),
        }
    }
}

impl Drop for SegmentDraft {
    fn drop(&mut self) {
        // What is left is removed at the next start too.
        let _ = self.discard();
    }
}
