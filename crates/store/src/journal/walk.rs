//! Walking through one segment, frame by frame, and on behind damage.
//!
//! Memory is one chunk, whatever a length field says. Behind damage the next mark with a sound checksum, of this lane
//! and of a later number, is where the walk goes on. (A caller can put bytes into a request that look like such a
//! frame; they are looked at only if the frame around them is damaged.)

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use super::cursor::{Damage, Place, ReadReport};
use super::frame::{FRAME_HEADER_LEN, Found, Frame, MARK, PAYLOAD_LEN_MAX, Sound, look};
use super::reader::Listed;
use super::segment::{SEGMENT_HEADER_LEN, SegmentHeader};
use crate::Error;

/// What is read at once; any frame fits.
const CHUNK_LEN: usize = 1 << 20;
/// A segment that a disk has damaged has a handful of them in a megabyte.
const FALSE_MARKS_MAX: u32 = 4_096;
const _: () = assert!(CHUNK_LEN >= FRAME_HEADER_LEN + PAYLOAD_LEN_MAX);

/// Where frames go, and what was met on the way.
pub(super) struct Sink<'a> {
    pub(super) each: &'a mut dyn FnMut(Frame<'_>),
    pub(super) report: &'a mut ReadReport,
    /// Bytes that may still be gone through.
    pub(super) left: u64,
}

/// A walk through one segment.
pub(super) struct Walk<'a> {
    listed: &'a Listed,
    file: File,
    is_live: bool,
    /// The first sequence number that a segment behind this one has.
    end_seq: u64,
    /// Frames of this segment below that number were written to another before.
    again_until: u64,
    /// How many false marks are still looked at behind one damage, where somebody else wrote the segment: each may cost a
    /// checksum over a whole frame's length.
    marks_left: Option<u32>,
    /// Where damage began, and whether it looked like a frame that merely ends too early.
    lost: Option<(u64, bool)>,
    has_header: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn open(listed: &'a Listed, is_live: bool, end_seq: u64) -> Result<Self, Error> {
        let file = File::open(&listed.path).map_err(Error::io("opening", &listed.path))?;
        let mut bytes = [0; SEGMENT_HEADER_LEN];
        // A short file has no header, which is said where it is stepped over.
        let is_whole = file.read_exact_at(&mut bytes, 0).is_ok();
        let header = SegmentHeader::decode(&bytes).filter(|_| is_whole);
        let again_until = header.map_or(0, |header| header.again.until);
        let (lost, marks_left, has_header) = (None, None, header.is_some());
        Ok(Self { listed, file, is_live, end_seq, again_until, marks_left, lost, has_header })
    }

    /// The same for a segment that came from elsewhere.
    pub(super) fn open_foreign(listed: &'a Listed, end_seq: u64) -> Result<Self, Error> {
        Ok(Self { marks_left: Some(FALSE_MARKS_MAX), ..Self::open(listed, false, end_seq)? })
    }

    /// Walks from the place to the end of the segment, or until the sink has had enough.
    pub(super) fn go(&mut self, place: &mut Place, sink: &mut Sink<'_>) -> Result<(), Error> {
        if place.offset == 0 {
            self.skip_header(place, sink);
        }
        let mut chunk = Vec::new();
        while place.offset < self.listed.len && sink.left > 0 {
            self.fill(&mut chunk, place.offset)?;
            self.go_through(&chunk, place, sink);
        }
        if place.offset == self.listed.len { self.close_tail(sink) } else { Ok(()) }
    }

    /// Steps over the header. A segment that has no whole one was torn at birth; a damaged one hides no frames.
    fn skip_header(&self, place: &mut Place, sink: &mut Sink<'_>) {
        let Listed { path, len, .. } = self.listed;
        if *len < SEGMENT_HEADER_LEN as u64 {
            sink.report.torn += u64::from(*len > 0);
            place.offset = *len;
            return;
        }
        if !self.has_header {
            sink.report.damaged.push(Damage::new(path, 0, SEGMENT_HEADER_LEN as u64));
        }
        if self.again_until > 0 {
            sink.report.written_again.push(self.listed.name.file_name());
        }
        place.offset = SEGMENT_HEADER_LEN as u64;
        sink.report.bytes += place.offset;
    }

    fn fill(&self, chunk: &mut Vec<u8>, offset: u64) -> Result<(), Error> {
        let len = (self.listed.len - offset).min(CHUNK_LEN as u64) as usize;
        chunk.resize(len, 0);
        self.file.read_exact_at(chunk, offset).map_err(Error::io("reading", &self.listed.path))
    }

    /// Goes through a chunk that begins at the place, as far as it holds whole frames.
    fn go_through(&mut self, chunk: &[u8], place: &mut Place, sink: &mut Sink<'_>) {
        let start = place.offset;
        let is_last = start + chunk.len() as u64 == self.listed.len;
        let mut at = 0;
        while at < chunk.len() && sink.left > 0 {
            let offset = start + at as u64;
            at = match self.look(&chunk[at..], place.seq) {
                Found::Whole(sound) if sound.id.seq() >= self.end_seq => {
                    self.close_damage(offset, sink);
                    // All that follows has a higher number still.
                    (self.listed.len - start) as usize
                }
                Found::Whole(sound) => {
                    self.close_damage(offset, sink);
                    self.take(&sound, offset, place, sink);
                    at + sound.len
                }
                Found::Short if !is_last => break,
                found => {
                    self.lost.get_or_insert((offset, matches!(found, Found::Short)));
                    if self.has_marks_left() { next_mark(chunk, at + 1) } else { (self.listed.len - start) as usize }
                }
            };
        }
        place.offset = start + at as u64;
        sink.report.bytes += at as u64;
    }

    /// Whoever sends a segment full of marks does not make us look at each: the rest of it is damage.
    fn has_marks_left(&mut self) -> bool {
        self.marks_left.as_mut().is_none_or(|left| {
            *left = left.saturating_sub(1);
            *left > 0
        })
    }

    /// A frame of another lane is none; nor, behind damage, is one whose number has passed.
    fn look<'b>(&self, bytes: &'b [u8], seq: u64) -> Found<'b> {
        match look(bytes) {
            Found::Whole(sound) if !self.listed.name.owns(sound.id) => Found::Broken,
            Found::Whole(sound) if self.lost.is_some() && sound.id.seq() < seq => Found::Broken,
            found => found,
        }
    }

    fn take(&self, sound: &Sound<'_>, offset: u64, place: &mut Place, sink: &mut Sink<'_>) {
        sink.left = sink.left.saturating_sub(sound.len as u64);
        let seq = sound.id.seq();
        if seq < place.seq {
            let is_again = seq < self.again_until;
            *(if is_again { &mut sink.report.again } else { &mut sink.report.doubles }) += 1;
            return;
        }
        sink.report.missing += seq - place.seq;
        place.seq = seq + 1;
        match sound.decode() {
            Ok(frame) => {
                sink.report.frames += 1;
                (sink.each)(frame);
            }
            Err(_) => sink.report.damaged.push(Damage::new(&self.listed.path, offset, sound.len as u64)),
        }
    }

    fn close_damage(&mut self, until: u64, sink: &mut Sink<'_>) {
        if let Some((from, _)) = self.lost.take() {
            sink.report.damaged.push(Damage::new(&self.listed.path, from, until - from));
        }
    }

    /// What is lost at the end of a segment that nobody writes any more is a torn tail, if it is the beginning of a
    /// frame, or zeros, as a loss of power leaves them.
    fn close_tail(&mut self, sink: &mut Sink<'_>) -> Result<(), Error> {
        let Some((from, short)) = self.lost else { return Ok(()) };
        if !self.is_live && (short || self.is_zero(from)?) {
            self.lost = None;
            sink.report.torn += 1;
        }
        self.close_damage(self.listed.len, sink);
        Ok(())
    }

    fn is_zero(&self, from: u64) -> Result<bool, Error> {
        let (mut from, mut chunk) = (from, Vec::new());
        while from < self.listed.len {
            self.fill(&mut chunk, from)?;
            if chunk.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            from += chunk.len() as u64;
        }
        Ok(true)
    }
}

/// Where the next mark may begin, from `at` on; the chunk's end if nowhere.
fn next_mark(chunk: &[u8], at: usize) -> usize {
    let begins = |from: &usize| chunk[*from] == MARK[0] && chunk.get(from + 1).is_none_or(|byte| *byte == MARK[1]);
    (at..chunk.len()).find(begins).unwrap_or(chunk.len())
}
