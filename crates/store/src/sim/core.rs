//! The core's side: a disk with what is synced and what is not, rows that are durable, receptions under way.

use std::collections::BTreeMap;

use model::Digest;
use model::id::{Boot, Lane};
use model::segment::SegmentKey;

use super::dice::Dice;
use super::world::{Breakage, Tale, Violation};
use crate::sensors::{Answer, Event, Known, Offer, Reception, Step};

/// A file with a name.
#[derive(Clone, Debug)]
struct File {
    octets: Vec<u8>,
    /// Its octets survive a loss of power, and so does its name.
    is_synced: bool,
    is_named: bool,
}

#[derive(Clone, Debug)]
struct LaneRow {
    next: u32,
    start: u64,
    /// The segment that the archive reads next.
    read: u32,
}

/// A reception that is under way, and whom it answers.
struct Underway {
    reception: Reception,
    draft: Vec<u8>,
    is_draft_synced: bool,
    /// What has come and is not looked at yet; `None`: the connection broke.
    body: Option<Vec<u8>>,
    reply_to: u64,
}

#[derive(Default)]
pub(super) struct Core {
    files: BTreeMap<SegmentKey, File>,
    rows: BTreeMap<SegmentKey, Digest>,
    lanes: BTreeMap<(Boot, Lane), LaneRow>,
    /// Gaps that were recorded.
    pub(super) lost: Vec<SegmentKey>,
    /// Octets of each contact that is archived, in order.
    pub(super) archive: Vec<u64>,
    underway: Vec<Underway>,
}

/// What is said, to which connection.
pub(super) struct Reply {
    pub(super) to: u64,
    pub(super) key: SegmentKey,
    pub(super) answer: Answer,
}

impl Core {
    /// A request has come, whole or cut.
    pub(super) fn ask(&mut self, offer: Offer, body: Option<Vec<u8>>, reply_to: u64) -> Option<Reply> {
        let key = offer.key;
        let is_busy = self.underway.iter().any(|one| {
            let other = one.reception.offer().key;
            (other.sensor, other.boot, other.lane) == (key.sensor, key.boot, key.lane)
        });
        if is_busy {
            return Some(Reply { to: reply_to, key, answer: Answer::Busy });
        }
        let (reception, draft, is_draft_synced) = (Reception::new(offer), Vec::new(), false);
        self.underway.push(Underway { reception, draft, is_draft_synced, body, reply_to });
        None
    }

    pub(super) fn is_idle(&self) -> bool {
        self.underway.is_empty()
    }

    /// One step of one reception.
    pub(super) fn step(&mut self, dice: &mut Dice, faults: bool, breakage: Breakage, tale: &mut Tale) -> Option<Reply> {
        if self.underway.is_empty() {
            return None;
        }
        let at = dice.below(self.underway.len() as u64) as usize;
        let mut one = self.underway.swap_remove(at);
        let fails = faults && dice.one_in(30);
        tale.disk_errors += u64::from(fails);
        let step = one.reception.step();
        let event = match step {
            Step::Look => Event::Known(self.known(one.reception.offer().key)),
            // What is done may be reported as failed all the same; a half of them is.
            _ if fails && dice.one_in(2) => Event::Failed,
            _ => {
                let done = self.carry_out(&mut one, step, breakage);
                if fails { Event::Failed } else { done }
            }
        };
        match one.reception.apply(event) {
            Step::Answer(answer) => Some(Reply { to: one.reply_to, key: one.reception.offer().key, answer }),
            _ if breakage == Breakage::AnswersBeforeRow && step == Step::Receive => {
                let key = one.reception.offer().key;
                Some(Reply { to: one.reply_to, key, answer: Answer::Stored })
            }
            _ => {
                self.underway.push(one);
                None
            }
        }
    }

    fn known(&self, key: SegmentKey) -> Known {
        let lane = self.lanes.get(&(key.boot, key.lane));
        let of_boot = |((boot, _), row): (&(Boot, Lane), &LaneRow)| (*boot == key.boot).then_some(row.start);
        Known {
            segment: self.rows.get(&key).copied(),
            next: lane.map_or(0, |row| row.next),
            start: self.lanes.iter().filter_map(of_boot).max().unwrap_or_default(),
            lanes: self.lanes.len() as u64,
            is_new_lane: lane.is_none(),
        }
    }

    fn carry_out(&mut self, one: &mut Underway, step: Step, breakage: Breakage) -> Event {
        let key = one.reception.offer().key;
        match step {
            Step::Receive => match one.body.take() {
                Some(body) => {
                    one.draft = body;
                    let digest = Digest::of_bytes(&one.draft);
                    return Event::Received { octets: one.draft.len() as u64, digest, start: u64::from(key.boot.0) };
                }
                None => return Event::Failed,
            },
            Step::SyncFile => one.is_draft_synced = breakage != Breakage::SyncsNoFile,
            Step::Rename => {
                let octets = std::mem::take(&mut one.draft);
                self.files.insert(key, File { octets, is_synced: one.is_draft_synced, is_named: false });
            }
            Step::SyncFolder => {
                let file = self.files.get_mut(&key).filter(|_| breakage != Breakage::SyncsNoFolder);
                file.into_iter().for_each(|file| file.is_named = true);
            }
            Step::Record => return self.record(&one.reception),
            Step::Discard | Step::Look | Step::Answer(_) => {}
        }
        Event::Done
    }

    fn record(&mut self, reception: &Reception) -> Event {
        let offer = reception.offer();
        let key = offer.key;
        if self.rows.contains_key(&key) {
            return Event::Failed;
        }
        self.rows.insert(key, offer.digest);
        self.lost.extend(reception.gap().into_iter().flatten().map(|number| SegmentKey { number, ..key }));
        let lane = self.lanes.entry((key.boot, key.lane)).or_insert(LaneRow { next: 0, start: 0, read: 0 });
        lane.next = key.number + 1;
        if lane.start == 0 {
            lane.start = reception.start();
        }
        Event::Done
    }

    //----- The archive

    /// Reads one segment into the archive: rows and place in one transaction.
    pub(super) fn read(&mut self, dice: &mut Dice, breakage: Breakage) -> Result<bool, Violation> {
        let unread: Vec<(Boot, Lane)> =
            self.lanes.iter().filter(|(_, row)| row.read < row.next).map(|(lane, _)| *lane).collect();
        if unread.is_empty() {
            return Ok(false);
        }
        let lane = unread[dice.below(unread.len() as u64) as usize];
        let row = &self.lanes[&lane];
        let is_next = |key: &&SegmentKey| (key.boot, key.lane) == lane && key.number >= row.read;
        let key = *self.rows.keys().find(is_next).ok_or_else(|| Violation::new("a lane has nothing that is unread"))?;
        let octets = self.durable(key).ok_or_else(|| Violation::of("what was acknowledged is gone", key))?;
        let contacts = octets.chunks(8).filter_map(|chunk| Some(u64::from_be_bytes(chunk.try_into().ok()?)));
        self.archive.extend(contacts.collect::<Vec<_>>());
        let forgets = breakage == Breakage::MovesPlaceLater && dice.one_in(50);
        if !forgets {
            self.lanes.entry(lane).and_modify(|row| row.read = key.number + 1);
        }
        Ok(true)
    }

    /// The octets of a segment, if they are what its row says.
    fn durable(&self, key: SegmentKey) -> Option<&[u8]> {
        let (digest, file) = (self.rows.get(&key)?, self.files.get(&key)?);
        (Digest::of_bytes(&file.octets) == *digest).then_some(&file.octets[..])
    }

    /// Whether a segment is here, whatever breaks from now on.
    pub(super) fn holds(&self, key: SegmentKey, digest: &Digest) -> bool {
        let is_safe = self.files.get(&key).is_some_and(|file| file.is_synced && file.is_named);
        is_safe && self.rows.get(&key) == Some(digest) && self.durable(key).is_some()
    }

    pub(super) fn has_row(&self, key: SegmentKey) -> bool {
        self.rows.contains_key(&key)
    }

    //----- What breaks

    /// The process is killed: what was under way is gone, and its drafts are removed at the next start.
    pub(super) fn is_killed(&mut self) {
        self.underway.clear();
    }

    /// The machine loses its power: what is not synced may be gone, or be there in part.
    pub(super) fn loses_power(&mut self, dice: &mut Dice) {
        self.is_killed();
        self.files.retain(|_, file| file.is_named || dice.one_in(2));
        for file in self.files.values_mut() {
            if !file.is_synced && dice.one_in(2) {
                let len = dice.below(file.octets.len() as u64 + 1) as usize;
                file.octets.truncate(len);
            }
            (file.is_synced, file.is_named) = (true, true);
        }
    }
}
