//! Frame Streams, the receiver's side: lengths and frames, and the five control frames around them.
//!
//! The protocol is that of farsight/fstrm (`fstrm/control.h`): a length of four octets, big-endian, and that many octets
//! of data; a length of zero escapes to a control frame, which has a length of its own. No length is believed beyond
//! the limits named here, and nothing is allocated by one: octets are kept as they come.

use std::time::Duration;

use super::CONTENT_TYPE;
use crate::session::{Output, Session};

/// The longest frame that is read: a query and a response of 65,535 octets each, and 4 KiB of what stands around them.
pub const FRAME_OCTETS_MAX: usize = 2 * 65_535 + 4_096;
/// The longest control frame (FSTRM_CONTROL_FRAME_LENGTH_MAX).
pub const CONTROL_OCTETS_MAX: usize = 512;

const LENGTH_OCTETS: usize = 4;

/// Types of control frames, and the one field that they have.
mod control {
    pub(super) const ACCEPT: u32 = 1;
    pub(super) const START: u32 = 2;
    pub(super) const STOP: u32 = 3;
    pub(super) const READY: u32 = 4;
    pub(super) const FINISH: u32 = 5;
    pub(super) const FIELD_CONTENT_TYPE: u32 = 1;
}

//----------- FrameStreams -----------------------------------------------------------------------------------------

/// One connection of a sender.
///
/// ```text
///  Opening ──READY──► Accepted ──START──► Streaming ──STOP──► Over
///     └───────────────START───────────────────▲
/// ```
/// Whatever comes where it is not drawn ends the connection with a [`Fault`].
#[derive(Debug, Default)]
pub struct FrameStreams {
    state: State,
    has_handshake: bool,
    inbox: Vec<u8>,
    /// Octets of the inbox that are done with.
    taken: usize,
    peer_has_ended: bool,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum State {
    #[default]
    Opening,
    Accepted,
    Streaming,
    /// FINISH is sent, the close is not said yet.
    Closing,
    Over,
}

/// What a connection brought.
#[derive(Debug, Eq, PartialEq)]
pub enum Seen {
    /// Both sides agree on the content; frames follow.
    Started,
    Frame(Vec<u8>),
    Ended(End),
}

/// How it ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// The sender said STOP: all that it sent has arrived.
    Stopped,
    /// The connection was gone between two frames, without a STOP.
    Silent,
    /// The connection was gone within a frame.
    Cut,
    Fault(Fault),
}

/// What a sender did that ends the connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// A frame longer than [`FRAME_OCTETS_MAX`].
    FrameLong,
    /// A control frame longer than [`CONTROL_OCTETS_MAX`].
    ControlLong,
    /// A control frame that cannot be read.
    ControlForm,
    /// A control frame, or data, where the protocol has no place for it.
    Order,
    /// Content other than dnstap.
    ContentType,
}

impl Fault {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FrameLong => "a frame over the limit",
            Self::ControlLong => "a control frame over the limit",
            Self::ControlForm => "a control frame that cannot be read",
            Self::Order => "a frame out of order",
            Self::ContentType => "content that is not dnstap",
        }
    }
}

impl FrameStreams {
    /// Whether octets of an unfinished frame are here: their rest is due soon.
    pub fn is_within_frame(&self) -> bool {
        self.taken < self.inbox.len()
    }

    /// Whether the handshake is over.
    pub fn has_started(&self) -> bool {
        !matches!(self.state, State::Opening | State::Accepted)
    }

    fn rest(&self) -> &[u8] {
        &self.inbox[self.taken..]
    }

    /// The length in front of what is left, if it is there and not beyond the limit.
    fn length(&self, at: usize, max: usize, fault: Fault) -> Result<Option<usize>, Fault> {
        let Some(octets) = self.rest().get(at..at + LENGTH_OCTETS) else { return Ok(None) };
        let length = u32::from_be_bytes([octets[0], octets[1], octets[2], octets[3]]);
        let length = usize::try_from(length).map_err(|_| fault)?;
        if length > max { Err(fault) } else { Ok(Some(length)) }
    }

    /// The next thing that whole frames in the inbox bring about.
    fn advance(&mut self) -> Result<Option<Output<Seen>>, Fault> {
        let Some(length) = self.length(0, FRAME_OCTETS_MAX, Fault::FrameLong)? else { return Ok(None) };
        if length == 0 {
            return self.advance_control();
        }
        if self.state != State::Streaming {
            return Err(Fault::Order);
        }
        let frame = self.rest().get(LENGTH_OCTETS..LENGTH_OCTETS + length).map(<[u8]>::to_vec);
        Ok(frame.map(|frame| {
            self.taken += LENGTH_OCTETS + length;
            Output::Observe(Seen::Frame(frame))
        }))
    }

    fn advance_control(&mut self) -> Result<Option<Output<Seen>>, Fault> {
        let start = 2 * LENGTH_OCTETS;
        let Some(length) = self.length(LENGTH_OCTETS, CONTROL_OCTETS_MAX, Fault::ControlLong)? else {
            return Ok(None);
        };
        let Some(octets) = self.rest().get(start..start + length) else { return Ok(None) };
        let control = Control::read(octets).ok_or(Fault::ControlForm)?;
        let (kind, is_dnstap) = (control.kind, control.is_dnstap());
        self.taken += start + length;
        self.obey(kind, is_dnstap).map(Some)
    }

    fn obey(&mut self, kind: u32, is_dnstap: bool) -> Result<Output<Seen>, Fault> {
        match (self.state, kind) {
            (State::Opening, control::READY) if is_dnstap => {
                (self.state, self.has_handshake) = (State::Accepted, true);
                Ok(Output::Send(control_frame(control::ACCEPT, Some(CONTENT_TYPE))))
            }
            (State::Opening | State::Accepted, control::START) if is_dnstap => {
                self.state = State::Streaming;
                Ok(Output::Observe(Seen::Started))
            }
            (State::Opening, control::READY) | (State::Opening | State::Accepted, control::START) => {
                Err(Fault::ContentType)
            }
            (State::Streaming, control::STOP) if self.has_handshake => {
                self.state = State::Closing;
                Ok(Output::Send(control_frame(control::FINISH, None)))
            }
            (State::Streaming, control::STOP) => Ok(self.end(End::Stopped)),
            _ => Err(Fault::Order),
        }
    }

    fn end(&mut self, end: End) -> Output<Seen> {
        self.state = State::Over;
        self.inbox = Vec::new();
        self.taken = 0;
        Output::Observe(Seen::Ended(end))
    }

    /// How it ends when the peer has no more to say.
    fn end_of_silence(&self) -> End {
        if self.is_within_frame() { End::Cut } else { End::Silent }
    }
}

impl Session for FrameStreams {
    type Seen = Seen;

    fn on_bytes(&mut self, _now: Duration, bytes: &[u8]) {
        if self.state == State::Over {
            return;
        }
        self.inbox.drain(..self.taken);
        self.taken = 0;
        self.inbox.extend_from_slice(bytes);
    }

    fn on_end(&mut self, _now: Duration) {
        self.peer_has_ended = true;
    }

    /// After [`Seen::Ended`] there is nothing more: the connection is to be closed.
    fn poll(&mut self, _now: Duration) -> Option<Output<Seen>> {
        match self.state {
            State::Over => return None,
            State::Closing => return Some(self.end(End::Stopped)),
            _ => {}
        }
        match self.advance() {
            Ok(None) if self.peer_has_ended => Some(self.end(self.end_of_silence())),
            Ok(output) => output,
            Err(fault) => Some(self.end(End::Fault(fault))),
        }
    }
}

//----------- Control ----------------------------------------------------------------------------------------------

/// A control frame as it was sent.
struct Control<'a> {
    kind: u32,
    content_types: Vec<&'a [u8]>,
}

impl<'a> Control<'a> {
    /// At most [`CONTROL_OCTETS_MAX`] octets, so at most 63 fields.
    fn read(octets: &'a [u8]) -> Option<Self> {
        let (kind, mut rest) = number(octets)?;
        let mut content_types = Vec::new();
        while !rest.is_empty() {
            let (field, after) = number(rest)?;
            let (length, after) = number(after)?;
            let (value, after) = after.split_at_checked(usize::try_from(length).ok()?)?;
            if field != control::FIELD_CONTENT_TYPE {
                return None;
            }
            content_types.push(value);
            rest = after;
        }
        Some(Self { kind, content_types })
    }

    /// A frame that names no content takes any, as fstrm has it (`fstrm_control_match_field_content_type`).
    fn is_dnstap(&self) -> bool {
        self.content_types.is_empty() || self.content_types.contains(&CONTENT_TYPE)
    }
}

fn number(octets: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = octets.split_first_chunk()?;
    Some((u32::from_be_bytes(*number), rest))
}

fn control_frame(kind: u32, content_type: Option<&[u8]>) -> Vec<u8> {
    let mut body = kind.to_be_bytes().to_vec();
    if let Some(content_type) = content_type {
        body.extend(control::FIELD_CONTENT_TYPE.to_be_bytes());
        body.extend((content_type.len() as u32).to_be_bytes());
        body.extend(content_type);
    }
    let mut frame = vec![0; LENGTH_OCTETS];
    frame.extend((body.len() as u32).to_be_bytes());
    frame.extend(body);
    frame
}
