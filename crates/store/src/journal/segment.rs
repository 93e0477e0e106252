//! One segment: a file that only grows, named `<sensor>-<boot>-<lane>-<n>.seg`, with a header of 64 bytes.
//!
//! ```text
//! 0  magic    b"BWSEGMNT"
//! 8  version  u16          3
//! 10 length   u16          of this header: 64
//! 12 first    16 bytes     the id of the first frame (ContactId)
//! 28 number   u32          n
//! 32 opened   i64          nanoseconds since the Unix epoch
//! 40 until    u64          frames below this number are written again; 0 if none are
//! 48 suspect  u32          the segment whose sync failed, if `until` is not 0
//! 52 start    u64          random, one for each start of the program: who counts the same boots is told apart
//! 60 crc      u32          CRC32C over bytes 0..60
//! ```
//!
//! `first` says where the sequence goes on. Frames of the segments before with that number or a higher one do not count:
//! they are what a failed write left behind where it could not be taken back, or what a failed sync made doubtful and
//! this segment has again. Version 1 has zeros from 40 on, version 2 from 52 on.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use model::Timestamp;
use model::id::{Boot, ContactId, Lane, SensorId};
use model::time::to_nanos;

use super::tail::Unsynced;
use crate::Error;

/// The version of the segment header that this program writes.
pub const SEGMENT_VERSION: u16 = 3;

/// The versions that it reads.
const VERSIONS: [u16; 3] = [1, 2, SEGMENT_VERSION];

pub(super) const SEGMENT_HEADER_LEN: usize = 64;

const MAGIC: [u8; 8] = *b"BWSEGMNT";

/// How a segment is called until it is whole.
pub(super) const UNNAMED: &str = "new";

//----------- SegmentName ------------------------------------------------------------------------------------------

/// Whose segment it is, and which. Names sort as segments were written.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct SegmentName {
    pub(super) sensor: SensorId,
    pub(super) boot: Boot,
    pub(super) lane: Lane,
    pub(super) number: u32,
}

impl SegmentName {
    pub(super) fn file_name(self) -> String {
        let Self { sensor, boot, lane, number } = self;
        format!("{:08x}-{:08x}-{:04x}-{number:08x}.seg", sensor.0, boot.0, lane.0)
    }

    pub(super) fn parse(file_name: &str) -> Option<Self> {
        let parts: Vec<&str> = file_name.strip_suffix(".seg")?.split('-').collect();
        let [sensor, boot, lane, number] = parts[..] else { return None };
        let hex = |part| u32::from_str_radix(part, 16).ok();
        let name = Self {
            sensor: SensorId(hex(sensor)?),
            boot: Boot(hex(boot)?),
            lane: Lane(u16::try_from(hex(lane)?).ok()?),
            number: hex(number)?,
        };
        (name.file_name() == file_name).then_some(name)
    }

    fn header(self, seq: u64, opened: Timestamp, again: Again, start: u64) -> SegmentHeader {
        let first = ContactId::new(self.sensor, self.boot, self.lane, seq);
        SegmentHeader { first, number: self.number, opened_nanos: to_nanos(opened), again, start }
    }

    /// Whether a frame belongs here.
    pub(super) fn owns(self, id: ContactId) -> bool {
        (id.sensor, id.boot, id.lane) == (self.sensor, self.boot, self.lane)
    }
}

//----------- SegmentHeader ----------------------------------------------------------------------------------------

/// What a segment says of itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct SegmentHeader {
    pub(super) first: ContactId,
    pub(super) number: u32,
    pub(super) opened_nanos: i64,
    pub(super) again: Again,
    /// 0 in versions that have none.
    pub(super) start: u64,
}

/// Which frames at a segment's beginning were written to another before; the default is none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Again {
    /// The first number that was not.
    pub(super) until: u64,
    /// The last segment that had them.
    pub(super) suspect: u32,
}

impl SegmentHeader {
    pub(super) fn encode(&self) -> [u8; SEGMENT_HEADER_LEN] {
        let mut bytes = [0; SEGMENT_HEADER_LEN];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&SEGMENT_VERSION.to_be_bytes());
        bytes[10..12].copy_from_slice(&(SEGMENT_HEADER_LEN as u16).to_be_bytes());
        bytes[12..28].copy_from_slice(&self.first.to_bytes());
        bytes[28..32].copy_from_slice(&self.number.to_be_bytes());
        bytes[32..40].copy_from_slice(&self.opened_nanos.to_be_bytes());
        bytes[40..48].copy_from_slice(&self.again.until.to_be_bytes());
        bytes[48..52].copy_from_slice(&self.again.suspect.to_be_bytes());
        bytes[52..60].copy_from_slice(&self.start.to_be_bytes());
        let crc = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_be_bytes());
        bytes
    }

    /// `None` if the bytes are no header that this program knows.
    pub(super) fn decode(bytes: &[u8; SEGMENT_HEADER_LEN]) -> Option<Self> {
        let part = |from: usize, to: usize| &bytes[from..to];
        let whole = part(60, 64) == crc32c::crc32c(part(0, 60)).to_be_bytes();
        let is_known = VERSIONS.iter().any(|version| *part(8, 10) == version.to_be_bytes());
        if !whole || *part(0, 8) != MAGIC || !is_known {
            return None;
        }
        Some(Self {
            first: ContactId::from_bytes(part(12, 28).try_into().ok()?),
            number: u32::from_be_bytes(part(28, 32).try_into().ok()?),
            opened_nanos: i64::from_be_bytes(part(32, 40).try_into().ok()?),
            again: Again {
                until: u64::from_be_bytes(part(40, 48).try_into().ok()?),
                suspect: u32::from_be_bytes(part(48, 52).try_into().ok()?),
            },
            start: u64::from_be_bytes(part(52, 60).try_into().ok()?),
        })
    }
}

//----------- Segment ----------------------------------------------------------------------------------------------

/// A segment that is being written. The writer adds, the syncing thread syncs, readers read up to `written`.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) name: SegmentName,
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) opened: Timestamp,
    /// Bytes that are acknowledged: always whole frames.
    written: AtomicU64,
    synced: AtomicU64,
    /// A sync failed, or a failed write could not be taken back: nothing more is written or synced here.
    suspect: AtomicBool,
}

/// Where a segment begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begin {
    pub(super) seq: u64,
    pub(super) now: Timestamp,
    /// What the header says of this start of the program.
    pub(super) start: u64,
}

impl Segment {
    pub(super) fn create(folder: &Path, name: SegmentName, place: Begin) -> Result<Self, Error> {
        let Begin { seq, now, start } = place;
        let path = folder.join(name.file_name());
        let mut file = open_new(&path)?;
        let header = name.header(seq, now, Again::default(), start);
        if let Err(cause) = file.write_all(&header.encode()) {
            // Nothing was acknowledged here; the number is used again once there is room.
            let _ = std::fs::remove_file(&path);
            return Err(Error::Io { what: "writing", path, cause });
        }
        Ok(Self::new(name, path, file, now, SEGMENT_HEADER_LEN as u64))
    }

    /// Begins a segment with frames that others had before. It has its name only when all of it is written.
    pub(super) fn write_again(
        folder: &Path,
        name: SegmentName,
        place: Begin,
        suspect: u32,
        tail: &Unsynced,
    ) -> Result<Self, Error> {
        let Begin { seq, now: opened, start } = place;
        let path = folder.join(name.file_name());
        let beside = path.with_extension(UNNAMED);
        let header = name.header(seq, opened, Again { until: tail.end, suspect }, start);
        let mut file = open_new(&beside)?;
        let written = file.write_all(&header.encode()).and_then(|()| file.write_all(&tail.octets));
        if let Err(cause) = written.and_then(|()| std::fs::rename(&beside, &path)) {
            let _ = std::fs::remove_file(&beside);
            return Err(Error::Io { what: "writing", path: beside, cause });
        }
        let len = SEGMENT_HEADER_LEN + tail.octets.len();
        Ok(Self::new(name, path, file, opened, len as u64))
    }

    fn new(name: SegmentName, path: PathBuf, file: File, opened: Timestamp, written: u64) -> Self {
        let (written, synced, suspect) = (AtomicU64::new(written), AtomicU64::new(0), AtomicBool::new(false));
        Self { name, path, file, opened, written, synced, suspect }
    }

    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    pub(super) fn is_suspect(&self) -> bool {
        self.suspect.load(Ordering::Acquire)
    }

    #[cfg(test)]
    pub(super) fn doubt(&self) {
        self.suspect.store(true, Ordering::Release);
    }

    /// One write(2). What was written of a failed one is taken back.
    pub(super) fn append(&self, bytes: &[u8]) -> Result<(), Error> {
        let cause = match (&self.file).write(bytes) {
            Ok(len) if len == bytes.len() => {
                self.written.fetch_add(len as u64, Ordering::Release);
                return Ok(());
            }
            Ok(_) => std::io::ErrorKind::WriteZero.into(),
            Err(error) => error,
        };
        if self.file.set_len(self.written()).is_err() {
            self.suspect.store(true, Ordering::Release);
        }
        Err(Error::Io { what: "appending to", path: self.path.clone(), cause })
    }

    /// Syncs what is not synced yet. After a failure the state of the file's pages is unknown (the kernel may have
    /// dropped them and called them clean), so a second attempt would prove nothing: the segment is suspect for good.
    pub(super) fn sync(&self) -> Result<(), Error> {
        let written = self.written();
        if self.is_suspect() || self.synced.load(Ordering::Acquire) == written {
            return Ok(());
        }
        self.file.sync_data().map_err(|cause| {
            self.suspect.store(true, Ordering::Release);
            Error::Io { what: "syncing", path: self.path.clone(), cause }
        })?;
        self.synced.store(written, Ordering::Release);
        Ok(())
    }
}

fn open_new(path: &Path) -> Result<File, Error> {
    let open = OpenOptions::new().append(true).create_new(true).mode(0o600).open(path);
    open.map_err(Error::io("creating", path))
}
