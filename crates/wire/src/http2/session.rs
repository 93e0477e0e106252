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
use super::floods::Allowance;
use super::frames::{self, Code, FRAME_HEAD, FRAME_OCTETS_MAX, FrameHead};
use super::hpack::Decoder;
use super::requests::Block;
use super::shown::{Priority, Shown};
use super::streams::{By, Inbound, Outbound, STREAMS_MAX, Standing, Streams, WINDOW};
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

/// A breach of the protocol, and what it costs (RFC 9113, 5.4).
#[derive(Debug)]
pub(super) enum Breach {
    Connection(Code, Oddity),
    Stream(u32, Code, Oddity),
}

//----------- Http2 ------------------------------------------------------------------------------------------------

pub struct Http2 {
    pub(super) limits: Limits,
    /// What came, and how much of it is read.
    pending: Vec<u8>,
    read: usize,
    /// When the frame began that is read, and when the last octets came.
    pub(super) began: Duration,
    heard: Duration,
    phase: Phase,
    /// Who reads what does not begin as HTTP/2 does.
    stranger: Option<Box<Http1>>,
    ended: bool,
    /// Whether we said that no new request is taken.
    pub(super) is_leaving: bool,
    was_seen: bool,
    pub(super) decoder: Decoder,
    pub(super) block: Option<Box<Block>>,
    pub(super) streams: Streams,
    pub(super) shown: Shown,
    pub(super) inbound: Inbound,
    pub(super) held: Held,
    pub(super) controls: Allowance,
    resets: Allowance,
    /// What was odd, and waits for a head to carry it.
    loose: Vec<Oddity>,
    queue: VecDeque<Output<Seen>>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    Preface,
    Settings,
    Open,
    Over,
}

impl Http2 {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            pending: Vec::new(),
            read: 0,
            began: Duration::ZERO,
            heard: Duration::ZERO,
            phase: Phase::Preface,
            stranger: None,
            ended: false,
            is_leaving: false,
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

    /// Whether a request has begun that is not over, or not wholly answered.
    pub fn is_busy(&self) -> bool {
        !self.pending.is_empty() || self.stranger.is_some() || self.block.is_some() || !self.streams.is_empty()
    }

    /// Takes no new request, and ends once those are answered that have begun.
    pub fn close(&mut self) {
        if self.is_over() || mem::replace(&mut self.is_leaving, true) {
            return;
        }
        if self.streams.is_empty() {
            return self.shut(Code::NoError, None);
        }
        let last = self.streams.last();
        self.send(|out| frames::put_goaway(out, last, Code::NoError));
    }

    /// Ends the connection now, whatever is not answered.
    pub fn end(&mut self) {
        if !self.is_over() {
            self.shut(Code::NoError, None);
        }
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
            return Err(Breach::Connection(Code::Protocol, Oddity::H2NoSettings));
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

    /// Counts a frame that brings nothing.
    pub(super) fn spend_control(&mut self, now: Duration) -> Result<(), Breach> {
        match self.controls.spend(now) {
            true => Ok(()),
            false => Err(Breach::Connection(Code::EnhanceYourCalm, Oddity::H2ControlFlood)),
        }
    }

    fn on_settings(&mut self, payload: &[u8]) -> Result<(), Breach> {
        let is_first = mem::replace(&mut self.phase, Phase::Open) == Phase::Settings;
        for six in payload.as_chunks::<6>().0 {
            let [i1, i2, v1, v2, v3, v4] = *six;
            let (id, value) = (u16::from_be_bytes([i1, i2]), u32::from_be_bytes([v1, v2, v3, v4]));
            if is_first {
                self.shown.setting(id, value);
            }
            self.on_setting(id, value)?;
        }
        self.send(|out| frames::put(out, frames::SETTINGS, frames::ACK, 0, &[]));
        self.pump_all();
        Ok(())
    }

    fn on_setting(&mut self, id: u16, value: u32) -> Result<(), Breach> {
        let is_valid = match id {
            frames::ENABLE_PUSH => value <= 1,
            frames::MAX_FRAME_SIZE => (FRAME_OCTETS_MAX as u32..1 << 24).contains(&value),
            _ => true,
        };
        match id {
            _ if !is_valid => Err(Breach::Connection(Code::Protocol, Oddity::H2Setting)),
            frames::INITIAL_WINDOW_SIZE => self.resize_windows(value),
            frames::HEADER_TABLE_SIZE => {
                self.held.table_was_set(value);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn resize_windows(&mut self, octets: u32) -> Result<(), Breach> {
        if octets > i32::MAX as u32 {
            return Err(Breach::Connection(Code::FlowControl, Oddity::H2Setting));
        }
        let more = i64::from(octets) - i64::from(mem::replace(&mut self.held.initial_window, octets));
        match self.streams.iter_mut().all(|(_, stream)| stream.outbound.raise(more)) {
            true => Ok(()),
            false => Err(Breach::Connection(Code::FlowControl, Oddity::H2WindowOverflow)),
        }
    }

    fn on_window(&mut self, stream: u32, octets: [u8; 4]) -> Result<(), Breach> {
        let octets = frames::stream_id(octets);
        let breach = |code, oddity| match stream {
            0 => Breach::Connection(code, oddity),
            id => Breach::Stream(id, code, oddity),
        };
        match self.streams.standing(stream) {
            _ if stream == 0 && self.was_seen => {}
            _ if stream == 0 => self.shown.window(octets),
            Standing::Idle => return Err(Breach::Connection(Code::Protocol, Oddity::H2Idle)),
            Standing::Closed(_) | Standing::Forgotten => return Ok(()),
            Standing::Open => {}
        }
        let window = match self.streams.get_mut(stream) {
            Some(stream) => &mut stream.outbound,
            None => &mut self.held.window,
        };
        if octets == 0 {
            return Err(breach(Code::Protocol, Oddity::H2WindowZero));
        }
        if !window.raise(i64::from(octets)) {
            return Err(breach(Code::FlowControl, Oddity::H2WindowOverflow));
        }
        if stream == 0 {
            self.pump_all()
        } else {
            self.pump(stream)
        }
        Ok(())
    }

    /// RFC 9113 has taken priorities out, and with them the error of a stream that depends on itself.
    pub(super) fn weigh(&mut self, stream: u32, octets: [u8; Priority::OCTETS]) -> Priority {
        let priority = Priority::read(octets);
        if priority.depends_on == stream {
            note(&mut self.loose, Oddity::H2SelfPriority);
        }
        priority
    }

    fn on_reset(&mut self, now: Duration, head: FrameHead) -> Result<(), Breach> {
        match self.streams.standing(head.stream) {
            Standing::Idle => return Err(Breach::Connection(Code::Protocol, Oddity::H2Idle)),
            Standing::Open => self.drop_stream(head.stream, By::Peer, Oddity::H2Reset),
            Standing::Closed(_) | Standing::Forgotten => {}
        }
        self.spend_reset(now);
        Ok(())
    }

    //----- Out

    pub(super) fn send(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if let Some(Output::Send(out)) = self.queue.back_mut() {
            return write(out);
        }
        let mut out = Vec::new();
        write(&mut out);
        self.queue.push_back(Output::Send(out));
    }

    pub(super) fn observe_head(&mut self, stream: u32, mut head: Head) {
        mem::take(&mut self.loose).into_iter().for_each(|oddity| head.note(oddity));
        self.was_seen = true;
        self.queue.push_back(Output::Observe(Seen::Head { stream, head: Box::new(head) }));
    }

    pub(super) fn observe_end(&mut self, stream: u32, exchange: Exchange) {
        self.queue.push_back(Output::Observe(Seen::End { stream, exchange }));
    }

    /// A head behind which nothing comes.
    pub(super) fn observe_whole(&mut self, stream: u32, head: Head) {
        let keep_alive = head.keep_alive;
        self.observe_head(stream, head);
        self.observe_end(stream, Exchange { keep_alive, ..Exchange::default() });
    }

    //----- Breaches and the end

    pub(super) fn punish(&mut self, now: Duration, breach: Breach) {
        match breach {
            Breach::Connection(code, oddity) => self.shut(code, Some(oddity)),
            Breach::Stream(stream, code, oddity) => {
                self.drop_stream(stream, By::Us, oddity);
                self.send_reset(now, stream, code);
            }
        }
    }

    /// Resets a stream; one too many ends the connection.
    fn send_reset(&mut self, now: Duration, stream: u32, code: Code) {
        if !self.is_over() {
            self.send(|out| frames::put_reset(out, stream, code));
            self.spend_reset(now);
        }
    }

    /// Refuses a request whose stream was never opened.
    pub(super) fn reset(&mut self, now: Duration, stream: u32, code: Code) {
        self.streams.close(stream, By::Us);
        self.send_reset(now, stream, code);
    }

    fn spend_reset(&mut self, now: Duration) {
        if !self.is_over() && !self.resets.spend(now) {
            self.shut(Code::EnhanceYourCalm, Some(Oddity::H2ResetFlood));
        }
    }

    /// Forgets a stream; if its request was not over, it ends like this.
    fn drop_stream(&mut self, id: u32, by: By, oddity: Oddity) {
        let stream = self.streams.close(id, by);
        let body = stream.and_then(|stream| {
            self.held.release(stream.reply);
            stream.body
        });
        match body {
            Some(reader) => {
                let body = Some(reader.facts(false));
                self.observe_end(id, Exchange { body, oddities: vec![oddity], keep_alive: true });
            }
            // A request that is answered is often taken back: that is no oddity.
            None if oddity == Oddity::H2Reset => {}
            None => note(&mut self.loose, oddity),
        }
        self.leave_if_done();
    }

    /// After the last answer the connection ends, if it was to.
    pub(super) fn leave_if_done(&mut self) {
        if self.is_leaving && self.streams.is_empty() && !self.is_over() {
            self.shut(Code::NoError, None);
        }
    }

    /// The client has no more to say.
    fn conclude(&mut self) {
        if let Some(block) = self.block.take() {
            self.give_up_block(&block, Oddity::HeadIncomplete);
        } else if !self.was_seen {
            // Settings alone are worth a head.
            note(&mut self.loose, Oddity::HeadIncomplete);
        }
        self.shut(Code::NoError, None);
    }

    /// Ends the connection: open requests end as they are, and what is odd is told by the first of them, or by a head
    /// that says nothing else.
    pub(super) fn shut(&mut self, code: Code, oddity: Option<Oddity>) {
        oddity.into_iter().for_each(|oddity| note(&mut self.loose, oddity));
        let last = self.streams.last();
        for (stream, reader) in self.streams.iter_mut().filter_map(|(id, it)| Some((id, it.body.take()?))) {
            let oddities = [vec![Oddity::BodyIncomplete], mem::take(&mut self.loose)].concat();
            let exchange = Exchange { body: Some(reader.facts(false)), oddities, keep_alive: false };
            self.queue.push_back(Output::Observe(Seen::End { stream, exchange }));
        }
        if !self.loose.is_empty() {
            let mut head = Head::of_connection(&mem::take(&mut self.loose), self.began);
            head.h2 = self.shown.text(&[], None);
            self.observe_whole(0, head);
        }
        self.send(|out| frames::put_goaway(out, last, code));
        self.queue.push_back(Output::Close);
        self.phase = Phase::Over;
        self.forget();
    }

    fn forget(&mut self) {
        self.pending = Vec::new();
        self.stranger = None;
        self.block = None;
        self.streams = Streams::default();
        self.decoder = Decoder::default();
        self.held = Held::default();
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

/// What a frame's type says of its length and stream, whatever it holds (RFC 9113, 6).
fn check_form(head: FrameHead) -> Result<(), Breach> {
    let fits = match head.kind {
        frames::PRIORITY => head.len == Priority::OCTETS,
        frames::RST_STREAM | frames::WINDOW_UPDATE => head.len == 4,
        frames::SETTINGS if head.has(frames::ACK) => head.len == 0,
        frames::SETTINGS => head.len.is_multiple_of(6),
        frames::PING => head.len == 8,
        frames::GOAWAY => head.len >= 8,
        _ => true,
    };
    let is_for_all = head.stream == 0;
    let has_place = match head.kind {
        frames::SETTINGS | frames::PING | frames::GOAWAY => is_for_all,
        frames::DATA | frames::HEADERS | frames::PRIORITY | frames::RST_STREAM | frames::CONTINUATION => !is_for_all,
        _ => true,
    };
    match (has_place, fits) {
        (false, _) => Err(Breach::Connection(Code::Protocol, Oddity::H2FrameStream)),
        (_, false) => Err(Breach::Connection(Code::FrameSize, Oddity::H2FrameSize)),
        _ => Ok(()),
    }
}

/// What we may send to everybody at first.
pub(super) fn first_window() -> Outbound {
    Outbound::new(WINDOW)
}
