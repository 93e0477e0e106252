//! The connection: preface, frames one at a time, breaches, and the end.
//!
//! ```text
//! preface ──24 octets──► settings ──first frame──► open ──close, breach, end of input──► over
//!    └─anything else, a head of HTTP/1──► over   └─no SETTINGS──► over
//! ```
//!
//! A frame is looked at only when all that came of the ones before it is carried out, so a client that sends a thousand
//! requests at once and reads no answer costs the memory of one answer.

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use super::answers::Held;
use super::control::check_form;
use super::ending::Breach;
use super::floods::Allowance;
use super::frames::{self, Code, FRAME_HEAD, FRAME_OCTETS_MAX, FrameHead};
use super::hpack::Decoder;
use super::requests::Block;
use super::shown::Shown;
use super::streams::{Inbound, STREAMS_MAX, Streams};
use crate::http::{self, Exchange, Head, Http1, Limits};
use crate::oddity::{Oddity, note};
use crate::session::{Output, Session};

/// What every client says first (RFC 9113, 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Whether a connection's first octets are the preface; `None` while they may become it.
pub fn is_preface(bytes: &[u8]) -> Option<bool> {
    let len = bytes.len().min(PREFACE.len());
    if bytes[..len] != PREFACE[..len] { Some(false) } else { (len == PREFACE.len()).then_some(true) }
}

/// What the machine saw, and on which stream; stream 0 is the connection itself.
#[derive(Debug)]
pub enum Seen {
    Head {
        stream: u32,
        head: Box<Head>,
    },
    /// The request is over: now it is answered.
    End {
        stream: u32,
        exchange: Exchange,
    },
}

//----------- Http2 ------------------------------------------------------------------------------------------------

pub struct Http2 {
    pub(super) limits: Limits,
    pub(super) with_accounts: bool,
    /// What came, and how much of it is read.
    pub(super) pending: Vec<u8>,
    read: usize,
    /// When the frame began that is read, and when the last octets came.
    pub(super) began: Duration,
    heard: Duration,
    pub(super) phase: Phase,
    /// Who reads what does not begin as HTTP/2 does.
    pub(super) stranger: Option<Box<Http1>>,
    ended: bool,
    /// The last stream that we answer, once we said that no new request is taken.
    pub(super) leaves_after: Option<u32>,
    pub(super) was_seen: bool,
    pub(super) decoder: Decoder,
    pub(super) block: Option<Box<Block>>,
    pub(super) streams: Streams,
    pub(super) shown: Shown,
    pub(super) inbound: Inbound,
    pub(super) held: Held,
    pub(super) controls: Allowance,
    pub(super) resets: Allowance,
    /// What was odd, and waits for a head to carry it.
    pub(super) loose: Vec<Oddity>,
    pub(super) queue: VecDeque<Output<Seen>>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    Preface,
    Settings,
    Open,
    Over,
}

impl Http2 {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            with_accounts: false,
            pending: Vec::new(),
            read: 0,
            began: Duration::ZERO,
            heard: Duration::ZERO,
            phase: Phase::Preface,
            stranger: None,
            ended: false,
            leaves_after: None,
            was_seen: false,
            decoder: Decoder::default(),
            block: None,
            streams: Streams::default(),
            shown: Shown::default(),
            inbound: Inbound::default(),
            held: Held::default(),
            controls: Allowance::CONTROLS,
            resets: Allowance::RESETS,
            loose: Vec::new(),
            queue: VecDeque::new(),
        }
    }

    /// Account names are handed out, beside each head and each end.
    #[must_use]
    pub fn with_accounts(self) -> Self {
        Self { with_accounts: true, ..self }
    }

    /// The accounts of the request whose head was just seen may not be known: none is held from here on.
    pub fn forget_accounts(&mut self, stream: u32) {
        if let Some(reader) = self.streams.get_mut(stream).and_then(|stream| stream.body.as_mut()) {
            reader.forget_accounts();
        }
    }

    /// Whether a request has begun that is not over, or not wholly answered.
    pub fn is_busy(&self) -> bool {
        !self.pending.is_empty() || self.stranger.is_some() || self.block.is_some() || !self.streams.is_empty()
    }

    /// Octets that are held: what came and is not read, and pages that wait for their window.
    pub fn octets_held(&self) -> usize {
        let block = self.block.as_ref().map_or(0, |block| block.octets.len());
        let stranger = self.stranger.as_ref().map_or(0, |http| http.octets_held());
        self.pending.len() + block + stranger + self.held.octets
    }

    /// Takes no new request, and ends once those are answered that have begun.
    pub fn close(&mut self) {
        if self.is_over() || self.leaves_after.is_some() {
            return;
        }
        if self.streams.is_empty() {
            return self.shut(Code::NoError, None);
        }
        let last = self.streams.last();
        self.leaves_after = Some(last);
        self.send(|out| frames::put_goaway(out, last, Code::NoError));
    }

    /// Ends the connection now, whatever is not answered.
    pub fn end(&mut self) {
        self.shut(Code::NoError, None);
    }

    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    //----- In

    /// One step; whether another may follow.
    fn step(&mut self, now: Duration) -> bool {
        match self.phase {
            Phase::Preface => self.greet(now),
            Phase::Settings | Phase::Open => self.step_frame(now),
            Phase::Over => false,
        }
    }

    fn greet(&mut self, now: Duration) -> bool {
        if self.stranger.is_some() {
            return self.hear_stranger(now);
        }
        match is_preface(&self.pending) {
            None if !self.ended => return false,
            Some(true) => {}
            _ => {
                self.stranger = Some(Box::new(Http1::new(self.limits)));
                return true;
            }
        }
        self.read = PREFACE.len();
        self.phase = Phase::Settings;
        let list = u32::try_from(self.limits.head_octets_max).unwrap_or(u32::MAX);
        let ours = [(frames::MAX_CONCURRENT_STREAMS, STREAMS_MAX as u32), (frames::MAX_HEADER_LIST_SIZE, list)];
        self.send(|out| frames::put_settings(out, &ours));
        true
    }

    /// Something else than HTTP/2: its head is recorded as HTTP/1 reads it, and then it is sent away.
    fn hear_stranger(&mut self, now: Duration) -> bool {
        let Some(stranger) = &mut self.stranger else { return false };
        let bytes = mem::take(&mut self.pending);
        if !bytes.is_empty() {
            stranger.on_bytes(self.heard, &bytes);
        }
        if self.ended {
            stranger.on_end(now);
        }
        match stranger.poll(now) {
            Some(Output::Observe(http::Seen::Head(mut head))) => {
                head.spoil(Oddity::H2Preface);
                self.observe_whole(0, *head);
            }
            Some(_) => {}
            None => return false,
        }
        self.shut(Code::Protocol, None);
        true
    }

    fn step_frame(&mut self, now: Duration) -> bool {
        let Some(head) = FrameHead::read(&self.pending[self.read..]) else { return self.wait() };
        let begin = self.read + FRAME_HEAD;
        let end = begin + head.len;
        let result = if head.len > FRAME_OCTETS_MAX {
            Err(Breach::Connection(Code::FrameSize, Oddity::H2FrameSize))
        } else if end > self.pending.len() {
            return self.wait();
        } else {
            let pending = mem::take(&mut self.pending);
            let result = self.on_frame(now, head, &pending[begin..end]);
            self.pending = pending;
            self.read = end;
            result
        };
        if let Err(breach) = result {
            self.punish(now, breach);
        }
        if self.is_over() {
            self.pending = Vec::new();
        }
        self.began = self.heard;
        true
    }

    /// No whole frame is there.
    fn wait(&mut self) -> bool {
        self.pending.drain(..mem::take(&mut self.read));
        if self.pending.is_empty() {
            self.pending = Vec::new();
        }
        if self.ended {
            self.conclude();
        }
        self.ended
    }

    fn on_frame(&mut self, now: Duration, head: FrameHead, payload: &[u8]) -> Result<(), Breach> {
        let awaits = self.block.as_ref().map(|block| block.stream);
        if awaits.is_some_and(|stream| head.kind != frames::CONTINUATION || head.stream != stream) {
            return Err(Breach::Connection(Code::Protocol, Oddity::H2Continuation));
        }
        if self.phase == Phase::Settings && (head.kind != frames::SETTINGS || head.has(frames::ACK)) {
            return self.on_rude_frame(now, head, payload);
        }
        check_form(head)?;
        match head.kind {
            frames::DATA => return self.on_data(now, head, payload),
            frames::HEADERS => return self.on_headers(now, head, payload),
            frames::CONTINUATION => return self.on_continuation(now, head, payload),
            frames::RST_STREAM => return self.on_reset(now, head),
            frames::PUSH_PROMISE => return Err(Breach::Connection(Code::Protocol, Oddity::H2Push)),
            _ => self.spend_control(now)?,
        }
        match (head.kind, payload) {
            (frames::SETTINGS, _) if head.has(frames::ACK) => {}
            (frames::SETTINGS, settings) => self.on_settings(settings)?,
            (frames::PING, octets) if !head.has(frames::ACK) => {
                self.send(|out| frames::put(out, frames::PING, frames::ACK, 0, octets));
            }
            (frames::WINDOW_UPDATE, [a, b, c, d]) => self.on_window(head.stream, [*a, *b, *c, *d])?,
            (frames::PRIORITY, [a, b, c, d, e]) => {
                let priority = self.weigh(head.stream, [*a, *b, *c, *d, *e]);
                if !self.was_seen {
                    self.shown.priority(head.stream, priority);
                }
            }
            // GOAWAY says that the client will take no push; frames of no known kind say nothing (RFC 9113, 4.1).
            _ => {}
        }
        Ok(())
    }

    /// A client that has not introduced itself is sent away (RFC 9113, 3.4), and what it asked for is kept.
    fn on_rude_frame(&mut self, now: Duration, head: FrameHead, payload: &[u8]) -> Result<(), Breach> {
        if head.kind == frames::HEADERS && head.stream != 0 {
            note(&mut self.loose, Oddity::H2NoSettings);
            self.on_headers(now, head, payload)?;
            self.shut(Code::Protocol, None);
            return Ok(());
        }
        Err(Breach::Connection(Code::Protocol, Oddity::H2NoSettings))
    }
}

impl Session for Http2 {
    type Seen = Seen;

    fn on_bytes(&mut self, now: Duration, bytes: &[u8]) {
        if self.is_over() {
            return;
        }
        self.heard = now;
        if self.pending.is_empty() {
            self.began = now;
        }
        self.pending.extend_from_slice(bytes);
    }

    fn on_end(&mut self, _now: Duration) {
        self.ended = true;
    }

    fn poll(&mut self, now: Duration) -> Option<Output<Seen>> {
        while self.queue.is_empty() && self.step(now) {}
        self.queue.pop_front()
    }
}
