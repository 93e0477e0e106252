//! The streams of one connection: which are open, which are remembered, and both directions' windows.
//!
//! A client opens streams by odd numbers that only rise (RFC 9113, 5.1.1), so one number tells the idle ones. Of the
//! closed ones the last few are remembered, because what was on its way when we reset a stream is no breach (5.1).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::http::BodyReader;

/// Streams at once, as we advertise: the least that RFC 9113, 6.5.2 recommends.
pub const STREAMS_MAX: usize = 100;
/// Octets of the heads whose bodies have not ended, together. Whoever drives the machine holds them until then, and a
/// hundred of 64 KiB would be 6 MB; a hundred of what browsers send are below 200 KiB.
pub const OPEN_HEADS_OCTETS_MAX: usize = 256 * 1024;
/// Closed streams that are remembered: all that can be open, and some. Eight octets each.
const CLOSED_KEPT_MAX: usize = 128;
/// The window that each side begins with (RFC 9113, 6.9.2). We leave ours so: bodies are dropped as they come.
pub(super) const WINDOW: u32 = 65_535;
/// The greatest window there is (RFC 9113, 6.9.1).
const WINDOW_MAX: i64 = 0x7fff_ffff;

//----------- Streams ----------------------------------------------------------------------------------------------

#[derive(Default)]
pub(super) struct Streams {
    open: BTreeMap<u32, Stream>,
    closed: VecDeque<(u32, By)>,
    /// The greatest that the client has opened.
    last: u32,
}

pub(super) struct Stream {
    /// While the request's body has not ended.
    pub(super) body: Option<Box<BodyReader>>,
    /// What its head holds while the body has not ended.
    pub(super) head_octets: usize,
    /// Whether the client has not ended its side; after a body that was too long, it still sends.
    pub(super) may_send: bool,
    pub(super) inbound: Inbound,
    pub(super) outbound: Outbound,
    pub(super) reply: Reply,
}

pub(super) enum Reply {
    Owed,
    /// What waits for the client's window.
    Held {
        page: Arc<[u8]>,
        sent: usize,
    },
}

/// Who closed a stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum By {
    /// We reset it.
    Us,
    /// Both sides ended it, or the client reset it.
    Peer,
}

/// Where a stream stands (RFC 9113, 5.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    Idle,
    Open,
    Closed(By),
    /// Passed over, or closed long ago.
    Forgotten,
}

impl Streams {
    pub(super) fn standing(&self, id: u32) -> Standing {
        if self.open.contains_key(&id) {
            return Standing::Open;
        }
        match self.closed.iter().rev().find(|(closed, _)| *closed == id) {
            _ if id > self.last => Standing::Idle,
            Some((_, by)) => Standing::Closed(*by),
            None => Standing::Forgotten,
        }
    }

    /// Takes the number of a new request; the stream need not open.
    pub(super) fn advance(&mut self, id: u32) {
        self.last = self.last.max(id);
    }

    pub(super) fn last(&self) -> u32 {
        self.last
    }

    pub(super) fn open(&mut self, id: u32, stream: Stream) {
        self.open.insert(id, stream);
    }

    pub(super) fn close(&mut self, id: u32, by: By) -> Option<Stream> {
        if self.closed.len() == CLOSED_KEPT_MAX {
            self.closed.pop_front();
        }
        self.closed.push_back((id, by));
        self.open.remove(&id)
    }

    pub(super) fn get(&self, id: u32) -> Option<&Stream> {
        self.open.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Stream> {
        self.open.get_mut(&id)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut Stream)> {
        self.open.iter_mut().map(|(id, stream)| (*id, stream))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Stream)> {
        self.open.iter().map(|(id, stream)| (*id, stream))
    }

    /// Octets of the heads whose bodies have not ended.
    pub(super) fn head_octets(&self) -> usize {
        self.open.values().map(|stream| stream.head_octets).sum()
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}

impl Stream {
    /// The body is over, and so is what waits for it.
    pub(super) fn end_body(&mut self) -> Option<Box<BodyReader>> {
        self.head_octets = 0;
        self.body.take()
    }
}

//----------- Windows ----------------------------------------------------------------------------------------------

/// What the client may still send, and what it was not yet given back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inbound {
    left: u32,
    taken: u32,
}

impl Default for Inbound {
    fn default() -> Self {
        Self { left: WINDOW, taken: 0 }
    }
}

impl Inbound {
    /// Whether so many octets were allowed.
    pub(super) fn take(&mut self, octets: usize) -> bool {
        let Some(octets) = u32::try_from(octets).ok().filter(|octets| *octets <= self.left) else { return false };
        self.left -= octets;
        self.taken += octets;
        true
    }

    /// What to give back, once it is half of the window: so an update answers 32 KiB and never a frame.
    pub(super) fn refill(&mut self) -> Option<u32> {
        if self.taken < WINDOW / 2 {
            return None;
        }
        self.left += self.taken;
        Some(std::mem::take(&mut self.taken))
    }
}

/// What we may still send. It may fall below zero when the client changes its settings (RFC 9113, 6.9.2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Outbound(i64);

impl Outbound {
    pub(super) fn new(octets: u32) -> Self {
        Self(i64::from(octets))
    }

    /// Whether the window stays one.
    pub(super) fn raise(&mut self, octets: i64) -> bool {
        self.0 += octets;
        self.0 <= WINDOW_MAX
    }

    pub(super) fn left(self) -> usize {
        usize::try_from(self.0).unwrap_or(0)
    }

    pub(super) fn take(&mut self, octets: usize) {
        self.0 -= octets as i64;
    }
}
