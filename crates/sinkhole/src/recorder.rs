//! A listener's pen: stages contacts, commits them in one write, and keeps the accounting equation true.
//!
//! A staged contact counts as recorded once its commit has succeeded, and as shed if it has not: nothing is counted
//! twice and nothing is forgotten. What a listener counted becomes a Counts frame once a second when it has changed,
//! and at the end, so that the totals survive the process. Trouble with the journal is said once a minute.
//!
//! Where the journal's room is tight, [`thrift`](crate::thrift) says what is shed. Once a second the wall clock is held
//! against the monotonic one: a step becomes a frame of this lane, so that whoever sorts by time knows where it broke.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use model::Timestamp;
use model::contact::Contact;
use model::id::ContactId;
use model::outcome::Outcome;
use model::tally::{Counts, Shed, Stripped, Tally};
use store::journal::{Clock, ClockKind, Frame, LaneWriter};

use crate::run::Stopwatch;
use crate::thrift::{self, Thrift, Wanted};

/// How often counts are written while they change.
pub(crate) const COUNTS_EVERY: Duration = Duration::from_secs(1);
/// How long an outcome may wait for company. As long as a contact may be in the kernel before it is synced.
pub(crate) const WRITTEN_AFTER: Duration = Duration::from_millis(50);
/// A wall clock that moves by more than this against the monotonic one was set.
const STEP_NANOS_MIN: u64 = 100_000_000;
/// How often trouble with the journal is said.
const TROUBLE_EVERY: Duration = Duration::from_secs(60);

/// A listener's totals since the start, for whoever asks.
pub(crate) type Total = Arc<Mutex<Tally>>;

pub(crate) struct Recorder {
    listener: String,
    lane: LaneWriter,
    /// Contacts in the lane's buffer.
    staged: u64,
    /// Counted since the last Counts frame that reached the journal.
    unwritten: Tally,
    total: Total,
    counts_due: Timestamp,
    /// Whether somebody has been asked to write what is staged.
    is_promised: bool,
    quiet_until: Timestamp,
    thrift: Thrift,
    started: Stopwatch,
    /// The wall clock, less what the monotonic one says, when they were last compared.
    epoch_nanos: i128,
}

impl Recorder {
    pub(crate) fn new(listener: String, lane: LaneWriter, now: Timestamp) -> Self {
        let (unwritten, total) = (Tally::default(), Total::default());
        Self {
            listener,
            lane,
            staged: 0,
            unwritten,
            total,
            counts_due: now,
            is_promised: false,
            quiet_until: now,
            thrift: Thrift::default(),
            started: Stopwatch::start(),
            epoch_nanos: now.as_nanosecond(),
        }
    }

    pub(crate) fn total(&self) -> Total {
        Arc::clone(&self.total)
    }

    /// The id that the next staged frame has to carry.
    pub(crate) fn next_id(&self) -> ContactId {
        self.lane.next_id()
    }

    /// Whether there is room for that many contacts; if not they are counted as shed.
    pub(crate) fn has_room(&mut self, wanted: &Wanted<'_>, contacts: u64, now: Timestamp) -> bool {
        let shed = self.thrift.shed(self.lane.room(), wanted, contacts, now);
        if let Some(shed) = shed {
            self.count(&Tally { shed, ..Tally::default() });
        }
        shed.is_none()
    }

    pub(crate) fn contact(&mut self, mut contact: Contact<'_>) {
        let stripped = thrift::strip(&mut contact, self.lane.room());
        self.count_stripped(stripped);
        self.lane.stage(&Frame::Contact(contact));
        self.staged += 1;
    }

    pub(crate) fn outcome(&mut self, mut outcome: Outcome<'_>) {
        let stripped = thrift::strip_outcome(&mut outcome, self.lane.room());
        self.count_stripped(stripped);
        self.lane.stage(&Frame::Outcome(outcome));
    }

    fn count_stripped(&mut self, stripped: Stripped) {
        if stripped != Stripped::default() {
            self.count(&Tally { stripped, ..Tally::default() });
        }
    }

    /// Counts what is no contact in the journal: shed, lost, or not ours to keep.
    pub(crate) fn count(&mut self, tally: &Tally) {
        self.unwritten.add(tally);
        self.total.lock().expect("nothing panics while it counts").add(tally);
    }

    /// Writes what is staged. Whether it reached the journal: if not, its ids are used again.
    ///
    /// What was collapsed is in no contact, so its count goes into the same write: what is answered afterwards is in
    /// the journal, one by one or counted, whatever happens to the process.
    pub(crate) fn commit(&mut self, now: Timestamp) -> bool {
        let counted = self.unwritten;
        let carries_counts = counted.collapsed > 0;
        if carries_counts {
            self.stage_counts(counted, now);
        }
        let written = self.lane.commit(now);
        let mut tally = Tally::default();
        match &written {
            Ok(()) => tally.recorded = self.staged,
            Err(_) => tally.shed.journal = self.staged,
        }
        if carries_counts && written.is_ok() {
            self.unwritten = Tally::default();
        }
        self.staged = 0;
        self.count(&tally);
        if let Err(error) = &written {
            self.complain(error, now);
        }
        written.is_ok()
    }

    /// Leaves what is staged to the next write, which may be another connection's: only for outcomes of what is on
    /// record and answered already. Whether the caller has to see to a write within [`WRITTEN_AFTER`]; otherwise
    /// somebody does.
    #[must_use]
    pub(crate) fn leave_staged(&mut self) -> bool {
        !std::mem::replace(&mut self.is_promised, true)
    }

    /// Writes what was left, as promised.
    pub(crate) fn write_staged(&mut self, now: Timestamp) {
        self.is_promised = false;
        self.commit(now);
    }

    fn abandon(&mut self) {
        self.lane.abandon();
        let shed = Shed { journal: std::mem::take(&mut self.staged), ..Shed::default() };
        self.count(&Tally { shed, ..Tally::default() });
    }

    fn complain(&mut self, error: &store::Error, now: Timestamp) {
        if now >= self.quiet_until {
            self.quiet_until = later(now, TROUBLE_EVERY);
            let shed = self.unwritten.shed.journal;
            tracing::error!(listener = self.listener, shed, %error, "the journal cannot be written: answering without a record");
        }
    }

    /// Writes the counts if their second is over and they have changed.
    pub(crate) fn write_counts_if_due(&mut self, now: Timestamp) {
        // A clock that was set back must not put the counts off for as long.
        if now < self.counts_due && self.counts_due <= later(now, COUNTS_EVERY) {
            return;
        }
        self.look_at_clock(now, self.started.nanos());
        if !self.unwritten.is_empty() {
            self.write_counts(now);
        }
    }

    /// Writes a frame if the wall clock was set since the last look.
    fn look_at_clock(&mut self, now: Timestamp, since_start_nanos: u64) {
        let epoch = now.as_nanosecond() - i128::from(since_start_nanos);
        let step = i64::try_from(epoch - std::mem::replace(&mut self.epoch_nanos, epoch)).unwrap_or(i64::MAX);
        if step.unsigned_abs() <= STEP_NANOS_MIN {
            return;
        }
        self.lane.stage(&Frame::Clock(Clock { at: now, kind: ClockKind::Step { nanos: step } }));
        tracing::warn!(listener = self.listener, step_millis = step / 1_000_000, "the wall clock was set");
        if let Err(error) = self.lane.commit(now) {
            self.complain(&error, now);
        }
    }

    /// Writes the counts, if there are any. Where that fails they stay for the next time.
    pub(crate) fn write_counts(&mut self, now: Timestamp) {
        self.counts_due = later(now, COUNTS_EVERY);
        let tally = self.unwritten;
        if tally.is_empty() {
            return;
        }
        self.stage_counts(tally, now);
        if self.lane.commit(now).inspect_err(|error| self.complain(error, now)).is_ok() {
            self.unwritten = Tally::default();
        }
    }

    fn stage_counts(&mut self, tally: Tally, now: Timestamp) {
        self.lane.stage(&Frame::Counts(Counts { at: now, listener: self.listener.as_str().into(), tally }));
    }
}

/// A recorder, also behind a connection that panicked while it held it: one caller's misfortune must not end the
/// listener. What that connection had staged is dropped and counted as shed.
pub(crate) fn held<P: AsMut<Recorder>>(pen: &Mutex<P>) -> MutexGuard<'_, P> {
    pen.lock().unwrap_or_else(|poisoned| {
        pen.clear_poison();
        let mut pen = poisoned.into_inner();
        pen.as_mut().abandon();
        pen
    })
}

impl AsMut<Self> for Recorder {
    fn as_mut(&mut self) -> &mut Self {
        self
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use model::time::from_nanos;

    use super::*;
    use crate::rehearsal::{Stage, settings};

    #[test]
    fn a_clock_that_was_set_is_a_frame_and_one_that_drifts_is_none() {
        let stage = Stage::new(vec![], settings());
        let at = |millis: i64| from_nanos(1_000_000_000_000 + millis * 1_000_000);
        let mut recorder = Recorder::new("a".into(), stage.journal.lane(at(0)).unwrap(), at(0));
        for (wall, monotonic) in [(1_000, 1_000), (2_090, 2_000), (-57_000, 3_000), (-56_000, 4_000)] {
            recorder.look_at_clock(at(wall), monotonic * 1_000_000);
        }
        let mut steps = Vec::new();
        let take = &mut |frame: Frame<'_>| {
            if let Frame::Clock(Clock { kind: ClockKind::Step { nanos }, .. }) = frame {
                steps.push(nanos);
            }
        };
        stage.journal.read(&mut store::Cursor::default(), usize::MAX, take).unwrap();
        assert_eq!(steps, [-60_090_000_000]);
    }

    #[test]
    fn counts_are_written_although_the_clock_was_set_back() {
        let stage = Stage::new(vec![], settings());
        let (now, before) = (from_nanos(10_000_000_000_000), from_nanos(5_000_000_000_000));
        let mut recorder = Recorder::new("a".into(), stage.journal.lane(now).unwrap(), now);
        for at in [now, before] {
            recorder.count(&Tally { recorded: 1, ..Tally::default() });
            recorder.write_counts_if_due(at);
            assert!(recorder.unwritten.is_empty());
        }
    }

    #[test]
    fn a_panic_in_one_connection_leaves_the_pen_to_the_others() {
        let stage = Stage::new(vec![], settings());
        let now = from_nanos(1);
        let recorder = Mutex::new(Recorder::new("a".into(), stage.journal.lane(now).unwrap(), now));
        let fresh = held(&recorder).next_id();
        std::thread::scope(|scope| {
            let unlucky = scope.spawn(|| {
                let mut recorder = held(&recorder);
                let counts = Counts { at: now, listener: "half".into(), tally: Tally::default() };
                recorder.lane.stage(&Frame::Counts(counts));
                recorder.staged += 1;
                panic!("on purpose");
            });
            assert!(unlucky.join().is_err());
        });
        let mut recorder = held(&recorder);
        assert_eq!(recorder.next_id(), fresh, "what it had staged is gone");
        assert!(recorder.commit(now));
        assert_eq!(recorder.unwritten.shed.journal, 1);
    }
}
