//! One writer of the journal: a thread of the sinkhole stages the frames of a batch and commits them by one write(2).
//!
//! The path from a packet to its answer goes through here, so nothing is allocated per frame: one buffer is filled,
//! written and used again. A commit that fails leaves nothing behind and its ids are used again, so that a lane's
//! sequence is dense whatever the disk did.

use std::sync::Arc;

use model::Timestamp;
use model::id::ContactId;

use super::frame::{Frame, PAYLOAD_LEN_MAX};
#[cfg(test)]
use super::segment::Segment;
use super::track::{Batch, LaneState};
use super::{Room, Shared, held};
use crate::Error;

/// The most that is staged before a commit: a receive batch is far below it.
pub const STAGED_LEN_MAX: usize = 8 << 20;

/// What the buffer keeps for the next commit; one large batch shall not hold memory for ever.
const BUFFER_LEN_KEPT: usize = 1 << 20;

/// A lane's writer.
pub struct LaneWriter {
    shared: Arc<Shared>,
    state: Arc<LaneState>,
    /// The sequence number of the first staged frame.
    seq: u64,
    staged: u64,
    buffer: Vec<u8>,
    /// A frame or the batch was longer than its limit.
    too_long: Option<Error>,
}

impl LaneWriter {
    pub(super) fn new(shared: Arc<Shared>, state: Arc<LaneState>) -> Self {
        let buffer = Vec::with_capacity(64 << 10);
        Self { shared, state, seq: 0, staged: 0, buffer, too_long: None }
    }

    /// The id that the next staged frame gets.
    pub fn next_id(&self) -> ContactId {
        ContactId::new(self.shared.sensor, self.shared.boot, self.state.lane, self.seq + self.staged)
    }

    /// Adds a frame to what the next commit writes.
    ///
    /// # Panics
    /// If a contact or an outcome carries another id than [`Self::next_id`].
    pub fn stage(&mut self, frame: &Frame<'_>) {
        let id = self.next_id();
        assert!(frame.own_id().is_none_or(|own| own == id), "a frame carries the id that its lane gave it");
        let len = frame.encode(id, &mut self.buffer);
        self.staged += 1;
        for (what, needs, limit) in
            [("a journal frame", len, PAYLOAD_LEN_MAX), ("a journal commit", self.buffer.len(), STAGED_LEN_MAX)]
        {
            if needs > limit {
                self.too_long = Some(Error::Limit { what, needs: needs as u64, limit: limit as u64 });
            }
        }
    }

    /// Writes all staged frames by one write(2): when this returns, kill -9 loses none of them.
    ///
    /// # Errors
    /// Then none of them is in the journal, and their ids are used again. A disk that is full takes the reserve first.
    pub fn commit(&mut self, now: Timestamp) -> Result<(), Error> {
        if self.staged == 0 {
            return Ok(());
        }
        let written = self.write(now);
        if written.is_ok() {
            self.seq += self.staged;
            if self.state.account(self.staged, self.buffer.len() as u64) {
                self.shared.wake_syncer();
            }
        }
        self.abandon();
        written
    }

    /// Drops what is staged.
    pub fn abandon(&mut self) {
        self.staged = 0;
        self.too_long = None;
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER_LEN_KEPT);
    }

    fn write(&mut self, now: Timestamp) -> Result<(), Error> {
        if let Some(too_long) = self.too_long.take() {
            return Err(too_long);
        }
        let batch = Batch { seq: self.seq, frames: self.staged, octets: &self.buffer };
        let append = || held(&self.state.track).append(batch, self.state.lane, &self.shared, now);
        append().or_else(|error| {
            let is_room_made = error.is_full_disk() && self.shared.room.give_reserve(&self.shared.folder);
            if is_room_made { append() } else { Err(error) }
        })
    }

    /// How much room there is: what the writer has to shed.
    pub fn room(&self) -> Room {
        self.shared.room.room()
    }

    #[cfg(test)]
    pub(super) fn replace_file(&mut self, segment: Segment) {
        held(&self.state.track).replace_file(segment);
    }
}
