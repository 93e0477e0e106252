//! Segments of other sensors, which lie whole in a folder of their own and are read as ours are.
//!
//! What another machine sent is hostile until it is read: memory is one chunk whatever a length says, a frame of
//! another lane is none, and damage is stepped over and named. Nothing is copied to quarantine, because the file stays
//! as it came.

use std::path::{Path, PathBuf};

use model::segment::SegmentKey;

use super::cursor::{Damage, Place, ReadReport};
use super::frame::Frame;
use super::reader::Listed;
use super::segment::{SEGMENT_HEADER_LEN, SegmentHeader, SegmentName};
use super::walk::{Sink, Walk};
use crate::Error;

/// So many octets of a segment say which start of its program wrote it.
pub(crate) const HEAD_LEN: usize = SEGMENT_HEADER_LEN;

/// How far a segment is read, and which number must come next in its lane.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct ForeignPlace {
    pub(crate) offset: u64,
    pub(crate) seq: u64,
}

/// One segment of a lane.
#[derive(Clone, Debug)]
pub(crate) struct Foreign {
    pub(crate) key: SegmentKey,
    pub(crate) path: PathBuf,
    pub(crate) octets: u64,
    /// Frames from this number on do not count: its sensor wrote others under these numbers behind it.
    pub(crate) end: Option<u64>,
}

impl Foreign {
    /// Reads on from the place, about `left` octets; whether the segment's end was reached.
    ///
    /// # Errors
    /// If the disk refuses. A file that is gone is damage, and its end is reached.
    pub(crate) fn read(
        &self,
        place: &mut ForeignPlace,
        left: u64,
        report: &mut ReadReport,
        each: &mut dyn FnMut(Frame<'_>),
    ) -> Result<bool, Error> {
        let listed = Listed { name: name_of(self.key), path: self.path.clone(), len: self.len()? };
        if listed.len < self.octets {
            report.damaged.push(Damage::new(&self.path, listed.len, self.octets - listed.len));
        }
        if listed.len == 0 {
            return Ok(true);
        }
        let mut at = Place { segment: self.key.number, offset: place.offset, seq: place.seq };
        let mut sink = Sink { each, report, left };
        Walk::open_foreign(&listed, self.end.unwrap_or(u64::MAX))?.go(&mut at, &mut sink)?;
        *place = ForeignPlace { offset: at.offset, seq: at.seq };
        Ok(at.offset >= listed.len)
    }

    fn len(&self) -> Result<u64, Error> {
        match std::fs::metadata(&self.path) {
            Ok(file) => Ok(file.len().min(self.octets)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(Error::io("measuring", &self.path)(error)),
        }
    }
}

/// How the file of a segment is called, at its sensor and at the core.
pub(crate) fn file_name_of(key: SegmentKey) -> String {
    name_of(key).file_name()
}

/// Which start of its program wrote a segment that begins with these octets; 0 if it does not say.
pub(crate) fn start_of(head: &[u8]) -> u64 {
    let head: Option<&[u8; SEGMENT_HEADER_LEN]> = head.first_chunk();
    head.and_then(SegmentHeader::decode).map_or(0, |header| header.start)
}

fn name_of(key: SegmentKey) -> SegmentName {
    SegmentName { sensor: key.sensor, boot: key.boot, lane: key.lane, number: key.number }
}

/// The first number of the segments behind one, if they say it: see [`Foreign::end`].
pub(super) fn end_behind(segments: &[Listed], number: u32) -> Result<Option<u64>, Error> {
    let behind = segments.iter().position(|listed| listed.name.number > number);
    let end = behind.map_or(Ok(u64::MAX), |at| super::reader::end_seq(&segments[at..]))?;
    Ok(Some(end).filter(|end| *end < u64::MAX))
}

/// Removes a segment that somebody else has, and makes that survive a loss of power.
pub(super) fn release(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("removing", path)(error)),
        _ => crate::folder::sync_folder(path.parent().expect("a segment lies in the journal")),
    }
}
