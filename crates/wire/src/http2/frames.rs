//! Frames (RFC 9113, 4 and 6): their nine octets in front, their codes, and the few that we send.
//!
//! Every frame is read whole before it means anything, and none is longer than the 16 KiB that a peer may send without
//! asking (4.2), so this is the most that a connection holds of its input.

/// The most octets of a frame's payload, both ways: what everybody must take (RFC 9113, 6.5.2).
pub const FRAME_OCTETS_MAX: usize = 16_384;
pub(super) const FRAME_HEAD: usize = 9;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const END_STREAM: u8 = 0x1;
pub(super) const ACK: u8 = 0x1;
pub(super) const END_HEADERS: u8 = 0x4;
pub(super) const PADDED: u8 = 0x8;
pub(super) const WITH_PRIORITY: u8 = 0x20;

/// Settings by number (RFC 9113, 6.5.2).
pub(super) const HEADER_TABLE_SIZE: u16 = 1;
pub(super) const ENABLE_PUSH: u16 = 2;
pub(super) const MAX_CONCURRENT_STREAMS: u16 = 3;
pub(super) const INITIAL_WINDOW_SIZE: u16 = 4;
pub(super) const MAX_FRAME_SIZE: u16 = 5;
pub(super) const MAX_HEADER_LIST_SIZE: u16 = 6;

//----------- FrameHead --------------------------------------------------------------------------------------------

#[derive(Clone, Copy, Debug)]
pub(super) struct FrameHead {
    pub(super) len: usize,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

impl FrameHead {
    /// The head with which `bytes` begin, once it is whole.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let [l1, l2, l3, kind, flags, s1, s2, s3, s4] = *bytes.first_chunk::<FRAME_HEAD>()?;
        let len = u32::from_be_bytes([0, l1, l2, l3]) as usize;
        Some(Self { len, kind, flags, stream: stream_id([s1, s2, s3, s4]) })
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The payload without its padding; `None` if that is longer than what it pads (RFC 9113, 6.1).
    pub(super) fn unpadded<'a>(&self, payload: &'a [u8]) -> Option<&'a [u8]> {
        if !self.has(PADDED) {
            return Some(payload);
        }
        let (padding, rest) = payload.split_first()?;
        rest.get(..rest.len().checked_sub(usize::from(*padding))?)
    }
}

/// A stream's number without the bit in front, which is reserved.
pub(super) fn stream_id(octets: [u8; 4]) -> u32 {
    u32::from_be_bytes(octets) & 0x7fff_ffff
}

//----------- Code -------------------------------------------------------------------------------------------------

/// What went wrong, as the peer is told (RFC 9113, 7).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Code {
    NoError = 0,
    Protocol = 1,
    FlowControl = 3,
    StreamClosed = 5,
    FrameSize = 6,
    RefusedStream = 7,
    Compression = 9,
    EnhanceYourCalm = 11,
}

//----------- What we send -----------------------------------------------------------------------------------------

pub(super) fn put(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let len = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    out.extend_from_slice(&len[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

pub(super) fn put_settings(out: &mut Vec<u8>, settings: &[(u16, u32)]) {
    let payload: Vec<u8> =
        settings.iter().flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()).collect();
    put(out, SETTINGS, 0, 0, &payload);
}

pub(super) fn put_window_update(out: &mut Vec<u8>, stream: u32, octets: u32) {
    put(out, WINDOW_UPDATE, 0, stream, &octets.to_be_bytes());
}

pub(super) fn put_reset(out: &mut Vec<u8>, stream: u32, code: Code) {
    put(out, RST_STREAM, 0, stream, &(code as u32).to_be_bytes());
}

pub(super) fn put_goaway(out: &mut Vec<u8>, last: u32, code: Code) {
    put(out, GOAWAY, 0, 0, &[last.to_be_bytes(), (code as u32).to_be_bytes()].concat());
}

/// A header block, in as many frames as it takes.
pub(super) fn put_headers(out: &mut Vec<u8>, stream: u32, is_end: bool, block: &[u8]) {
    let mut parts = block.chunks(FRAME_OCTETS_MAX).peekable();
    let (mut kind, mut flags) = (HEADERS, if is_end { END_STREAM } else { 0 });
    while let Some(part) = parts.next() {
        let last = if parts.peek().is_none() { END_HEADERS } else { 0 };
        put(out, kind, flags | last, stream, part);
        (kind, flags) = (CONTINUATION, 0);
    }
}
