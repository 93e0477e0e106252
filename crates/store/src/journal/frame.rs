//! One frame: a header of 28 bytes, then the payload that `model` encodes.
//!
//! ```text
//! 0  mark     b"\xB5\x1D"     where a reader finds its feet again behind damage
//! 2  version  u8              1
//! 3  kind     u8              1 contact · 2 outcome · 3 counts · 4 clock
//! 4  length   u32             of the payload
//! 8  id       16 bytes        sensor, boot, lane, seq (ContactId, big-endian)
//! 24 crc      u32             CRC32C over bytes 2..24 and the payload
//! 28 payload
//! ```
//!
//! Numbers are big-endian. `tests/golden` holds one file of each version; an old file opens for ever.

use model::Timestamp;
use model::contact::Contact;
use model::frame::{Fields, FrameError, put_number, put_signed};
use model::id::ContactId;
use model::outcome::Outcome;
use model::tally::Counts;
use model::time::{from_nanos, to_nanos};

/// The version that this program writes.
pub const FRAME_VERSION: u8 = 1;

pub(super) const FRAME_HEADER_LEN: usize = 28;

/// The longest payload: four hellos, or sixteen full heads. What is longer was not bounded by its room.
pub const PAYLOAD_LEN_MAX: usize = 256 * 1024;

pub(super) const MARK: [u8; 2] = [0xb5, 0x1d];

//----------- Frame ------------------------------------------------------------------------------------------------

/// What the journal holds.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a frame lives for one call; a box would be an allocation per packet")]
pub enum Frame<'a> {
    Contact(Contact<'a>),
    Outcome(Outcome<'a>),
    Counts(Counts<'a>),
    Clock(Clock),
}

/// What the wall clock did: each boot, and each step that would confuse whoever sorts by time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Clock {
    pub at: Timestamp,
    pub kind: ClockKind,
}

/// Why the clock is spoken of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClockKind {
    /// A lane begins.
    Boot,
    /// The wall clock moved by so much against the monotonic one.
    Step { nanos: i64 },
}

impl Frame<'_> {
    /// The id that the frame carries itself; counts and clock have none but their place.
    pub(super) fn own_id(&self) -> Option<ContactId> {
        match self {
            Self::Contact(contact) => Some(contact.id),
            Self::Outcome(outcome) => Some(outcome.id),
            Self::Counts(_) | Self::Clock(_) => None,
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Contact(_) => 1,
            Self::Outcome(_) => 2,
            Self::Counts(_) => 3,
            Self::Clock(_) => 4,
        }
    }

    /// Appends header and payload; returns the payload's length.
    pub(crate) fn encode(&self, id: ContactId, out: &mut Vec<u8>) -> usize {
        let start = out.len();
        out.extend_from_slice(&[0; FRAME_HEADER_LEN]);
        match self {
            Self::Contact(contact) => contact.encode(out),
            Self::Outcome(outcome) => outcome.encode(out),
            Self::Counts(counts) => counts.encode(out),
            Self::Clock(clock) => clock.encode(out),
        }
        let (header, payload) = out[start..].split_at_mut(FRAME_HEADER_LEN);
        // A payload beyond u32 is far beyond PAYLOAD_LEN_MAX, and the lane drops it.
        let len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        header[..2].copy_from_slice(&MARK);
        header[2] = FRAME_VERSION;
        header[3] = self.kind();
        header[4..8].copy_from_slice(&len.to_be_bytes());
        header[8..24].copy_from_slice(&id.to_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&header[2..24]), payload);
        header[24..].copy_from_slice(&crc.to_be_bytes());
        payload.len()
    }
}

//----------- Sound ------------------------------------------------------------------------------------------------

/// What stands at a place in a segment.
#[derive(Debug)]
pub(super) enum Found<'a> {
    /// A frame whose checksum holds.
    Whole(Sound<'a>),
    /// The bytes end before the frame that its header announces.
    Short,
    /// No frame begins here, or it is damaged.
    Broken,
}

/// A frame whose checksum holds; its payload is not read yet.
#[derive(Debug)]
pub(super) struct Sound<'a> {
    pub(super) id: ContactId,
    pub(super) len: usize,
    kind: u8,
    payload: &'a [u8],
}

/// Looks at the beginning of `bytes`. A length is believed only up to [`PAYLOAD_LEN_MAX`].
pub(super) fn look(bytes: &[u8]) -> Found<'_> {
    let Some((header, rest)) = bytes.split_at_checked(FRAME_HEADER_LEN) else {
        return if MARK.starts_with(&bytes[..bytes.len().min(2)]) || bytes.starts_with(&MARK) {
            Found::Short
        } else {
            Found::Broken
        };
    };
    let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let len = number(4) as usize;
    if header[..2] != MARK || header[2] != FRAME_VERSION || len > PAYLOAD_LEN_MAX {
        return Found::Broken;
    }
    let Some(payload) = rest.get(..len) else { return Found::Short };
    if crc32c::crc32c_append(crc32c::crc32c(&header[2..24]), payload) != number(24) {
        return Found::Broken;
    }
    let id = ContactId::from_bytes(header[8..24].try_into().expect("16 bytes of the header"));
    Found::Whole(Sound { id, len: FRAME_HEADER_LEN + len, kind: header[3], payload })
}

impl<'a> Sound<'a> {
    pub(super) fn decode(&self) -> Result<Frame<'a>, FrameError> {
        match self.kind {
            1 => Contact::decode(self.id, self.payload).map(Frame::Contact),
            2 => Outcome::decode(self.id, self.payload).map(Frame::Outcome),
            3 => Counts::decode(self.payload).map(Frame::Counts),
            4 => Clock::decode(self.payload).map(Frame::Clock),
            _ => Err(FrameError::Missing(0)),
        }
    }
}

//----------- Clock ------------------------------------------------------------------------------------------------

/// Tags, for ever.
mod tag {
    pub(super) const AT: u32 = 1;
    pub(super) const KIND: u32 = 2;
    pub(super) const STEP: u32 = 3;
}

impl Clock {
    fn encode(&self, out: &mut Vec<u8>) {
        put_signed(out, tag::AT, to_nanos(self.at));
        match self.kind {
            ClockKind::Boot => put_number(out, tag::KIND, 0),
            ClockKind::Step { nanos } => {
                put_number(out, tag::KIND, 1);
                put_signed(out, tag::STEP, nanos);
            }
        }
    }

    fn decode(payload: &[u8]) -> Result<Self, FrameError> {
        let (mut at, mut kind, mut step) = (None, None, 0);
        for field in Fields::new(payload) {
            let (tag, value) = field?;
            match tag {
                tag::AT => at = Some(from_nanos(value.signed(tag)?)),
                tag::KIND => kind = Some(value.number(tag)?),
                tag::STEP => step = value.signed(tag)?,
                _ => {}
            }
        }
        let kind = match kind {
            Some(0) => ClockKind::Boot,
            Some(1) => ClockKind::Step { nanos: step },
            _ => return Err(FrameError::Value(tag::KIND)),
        };
        Ok(Self { at: at.ok_or(FrameError::Missing(tag::AT))?, kind })
    }
}
