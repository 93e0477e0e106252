//! Reading what sensors sent, lane by lane and in order, for whoever makes an archive of it.
//!
//! How far a lane is read is a row that moves in the transaction of what was made of it: a frame is there once, whatever
//! stops in between. A frame says itself when it was received; one that says an impossible time is counted and left out,
//! because each day has a folder and a sensor that has gone wrong could make a thousand.

use std::path::PathBuf;
use std::time::Duration;

use model::Timestamp;
use model::id::{Boot, Lane, SensorId};
use model::segment::SegmentKey;

use super::received::LaneKey;
use super::rows::UnreadLane;
use crate::Error;
use crate::journal::foreign::{Foreign, ForeignPlace, file_name_of};
use crate::journal::{Frame, ReadReport};

/// Lanes that one reading goes through.
pub const LANES_PER_READ_MAX: usize = 64;
/// Segments of a lane that one reading goes through.
pub(super) const SEGMENTS_PER_LANE_MAX: usize = 16;

/// How long before its upload a contact may have been received: a sensor that was cut off for a year still counts.
const AGE_MAX: Duration = Duration::from_secs(400 * 24 * 60 * 60);
/// How far a sensor's clock may be ahead.
const AHEAD_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// How far a lane is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LanePlace {
    pub sensor: SensorId,
    pub boot: Boot,
    pub lane: Lane,
    /// The segment that is read next.
    pub segment: u32,
    pub offset: u64,
    pub seq: u64,
    /// Where it stood, segment and offset, when it was asked for: whoever moves it finds it there.
    pub was: (u32, u64),
}

impl LanePlace {
    pub fn lane_key(&self) -> LaneKey {
        (self.sensor, self.boot, self.lane)
    }

    pub(super) fn key(&self) -> SegmentKey {
        let Self { sensor, boot, lane, segment, .. } = *self;
        SegmentKey { sensor, boot, lane, number: segment }
    }
}

/// What may be read now. It is carried out on a thread for blocking work.
pub struct Plan {
    pub(super) root: PathBuf,
    pub(super) lanes: Vec<UnreadLane>,
}

/// What a reading came to.
#[derive(Clone, Debug, Default)]
pub struct Stretch {
    pub report: ReadReport,
    /// Frames of an impossible time.
    pub untimely: u64,
    /// Where the lanes stand behind it; to be kept with what was made of the frames.
    pub places: Vec<LanePlace>,
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// Hands over about `max_bytes` of frames, the lanes taking turns.
    ///
    /// # Errors
    /// If the disk refuses. Damage is none: it is stepped over and named.
    pub fn read(&self, max_bytes: usize, each: &mut dyn FnMut(Frame<'_>)) -> Result<Stretch, Error> {
        let share = (max_bytes / self.lanes.len().max(1)).max(1) as u64;
        let mut stretch = Stretch::default();
        for lane in &self.lanes {
            self.read_lane(lane, share, &mut stretch, each)?;
        }
        Ok(stretch)
    }

    fn read_lane(
        &self,
        lane: &UnreadLane,
        share: u64,
        stretch: &mut Stretch,
        each: &mut dyn FnMut(Frame<'_>),
    ) -> Result<(), Error> {
        let (mut place, mut left) = (lane.place, share);
        for &(number, octets, end, received) in &lane.segments {
            if number > place.segment {
                (place.segment, place.offset) = (number, 0);
            }
            let key = SegmentKey { sensor: place.sensor, boot: place.boot, lane: place.lane, number };
            let path = self.root.join(format!("{:08x}", key.sensor.0)).join(file_name_of(key));
            let mut at = ForeignPlace { offset: place.offset, seq: place.seq };
            let untimely = &mut stretch.untimely;
            let is_at_end =
                Foreign { key, path, octets, end }.read(&mut at, left, &mut stretch.report, &mut |frame| {
                    if is_timely(&frame, received) { each(frame) } else { *untimely += 1 }
                })?;
            left = left.saturating_sub(at.offset - place.offset.min(at.offset));
            (place.offset, place.seq) = (at.offset, at.seq);
            if is_at_end {
                (place.segment, place.offset) = (number + 1, 0);
            }
            if !is_at_end || left == 0 {
                break;
            }
        }
        if place != lane.place {
            stretch.places.push(place);
        }
        Ok(())
    }
}

fn is_timely(frame: &Frame<'_>, uploaded: Timestamp) -> bool {
    let at = match frame {
        Frame::Contact(contact) => contact.received,
        Frame::Outcome(outcome) => outcome.at,
        Frame::Counts(_) | Frame::Clock(_) => return true,
    };
    let age = uploaded.duration_since(at);
    let limit = if age.is_negative() { AHEAD_MAX } else { AGE_MAX };
    age.unsigned_abs() <= limit
}
