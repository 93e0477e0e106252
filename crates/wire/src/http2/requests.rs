//! Requests as they come: header blocks, bodies, trailers (RFC 9113, 8.1).
//!
//! Every header block is decoded, also one that nobody wants, because the tables on both sides must stay the same
//! (4.3). A block that cannot be decoded to its end ends the connection, and what there was of it is a bad head.

use std::time::Duration;

use super::ending::Breach;
use super::frames::{self, Code, FRAME_HEAD, FrameHead};
use super::hpack::{Fault, Fields, Room};
use super::request::{Asked, fault_of_trailers};
use super::session::Http2;
use super::shown::Priority;
use super::streams::{By, Inbound, OPEN_HEADS_OCTETS_MAX, Outbound, Reply, STREAMS_MAX, Standing, Stream};
use crate::http::{BodyReader, Exchange, HEADERS_MAX, Head, Progress};
use crate::oddity::Oddity;

/// CONTINUATION frames that one header block may have. A head of 64 KiB needs three; some clients cut at 4 KiB.
pub const CONTINUATIONS_MAX: usize = 32;

/// A header block whose end has not come.
pub(super) struct Block {
    pub(super) stream: u32,
    purpose: Purpose,
    is_end: bool,
    priority: Option<Priority>,
    /// The fragments so far, and what came with their frames around them.
    pub(super) octets: Vec<u8>,
    received: u64,
    continuations: usize,
    began: Duration,
}

/// What a header block is for, by the state of its stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Purpose {
    Request,
    Trailers,
    /// The client had ended the stream already.
    Late,
    /// We reset the stream while this was on its way.
    Nothing,
}

//----------- Header blocks ----------------------------------------------------------------------------------------

impl Http2 {
    pub(super) fn on_headers(&mut self, now: Duration, head: FrameHead, payload: &[u8]) -> Result<(), Breach> {
        let purpose = self.purpose(head.stream)?;
        let padding = Breach::Connection(Code::Protocol, Oddity::H2Padding);
        let mut fragment = head.unpadded(payload).ok_or(padding)?;
        let mut priority = None;
        if head.has(frames::WITH_PRIORITY) {
            let short = Breach::Connection(Code::FrameSize, Oddity::H2FrameSize);
            let (octets, rest) = fragment.split_first_chunk().ok_or(short)?;
            priority = Some(self.weigh(head.stream, *octets));
            fragment = rest;
        }
        let block = Block {
            stream: head.stream,
            purpose,
            is_end: head.has(frames::END_STREAM),
            priority,
            octets: Vec::new(),
            received: 0,
            continuations: 0,
            began: self.began,
        };
        self.extend_block(now, Box::new(block), head, fragment)
    }

    pub(super) fn on_continuation(&mut self, now: Duration, head: FrameHead, payload: &[u8]) -> Result<(), Breach> {
        let stray = Breach::Connection(Code::Protocol, Oddity::H2Continuation);
        let mut block = self.block.take().ok_or(stray)?;
        block.continuations += 1;
        self.extend_block(now, block, head, payload)
    }

    fn purpose(&self, stream: u32) -> Result<Purpose, Breach> {
        let is_open = |id| self.streams.get(id).is_some_and(|stream| stream.may_send);
        match self.streams.standing(stream) {
            _ if stream.is_multiple_of(2) => Err(Breach::Connection(Code::Protocol, Oddity::H2StreamId)),
            Standing::Idle => Ok(Purpose::Request),
            Standing::Open if is_open(stream) => Ok(Purpose::Trailers),
            Standing::Open => Ok(Purpose::Late),
            Standing::Closed(By::Us) => Ok(Purpose::Nothing),
            Standing::Closed(By::Peer) => Err(Breach::Connection(Code::StreamClosed, Oddity::H2Closed)),
            Standing::Forgotten => Err(Breach::Connection(Code::Protocol, Oddity::H2StreamId)),
        }
    }

    fn extend_block(
        &mut self,
        now: Duration,
        mut block: Box<Block>,
        head: FrameHead,
        fragment: &[u8],
    ) -> Result<(), Breach> {
        block.received += (FRAME_HEAD + head.len) as u64;
        let room = self.limits.head_octets_max.saturating_sub(block.octets.len());
        block.octets.extend_from_slice(&fragment[..fragment.len().min(room)]);
        if fragment.len() > room || block.continuations > CONTINUATIONS_MAX {
            return self.refuse_block(&block, Code::EnhanceYourCalm, Oddity::H2ContinuationFlood);
        }
        if head.has(frames::END_HEADERS) {
            return self.take_block(now, &block);
        }
        self.block = Some(block);
        Ok(())
    }

    fn take_block(&mut self, now: Duration, block: &Block) -> Result<(), Breach> {
        let (fields, result) = self.decode(block);
        match result {
            Ok(()) => {}
            Err(Fault::Code) => return self.refuse_fields(block, &fields, Code::Compression, Oddity::H2Compression),
            Err(Fault::TooLong) => {
                return self.refuse_fields(block, &fields, Code::EnhanceYourCalm, Oddity::HeadTooLong);
            }
            Err(Fault::TooMany) => {
                return self.refuse_fields(block, &fields, Code::EnhanceYourCalm, Oddity::TooManyHeaders);
            }
        }
        match block.purpose {
            Purpose::Request if self.leaves_after.is_some() => {
                // We have said that no request is taken any more; its body may be on its way (RFC 9113, 6.8).
                self.streams.advance(block.stream);
                self.streams.close(block.stream, By::Us);
                Ok(())
            }
            Purpose::Request => {
                self.begin_request(now, block, &fields);
                Ok(())
            }
            Purpose::Trailers => self.take_trailers(block, &fields),
            Purpose::Late => Err(Breach::Stream(block.stream, Code::StreamClosed, Oddity::H2Closed)),
            Purpose::Nothing => Ok(()),
        }
    }

    fn decode(&mut self, block: &Block) -> (Fields, Result<(), Fault>) {
        let room = Room { octets_max: self.limits.head_octets_max, fields_max: HEADERS_MAX };
        let mut fields = Fields::default();
        let result = self.decoder.read(&block.octets, room, &mut fields);
        (fields, result)
    }

    /// Ends the connection over a block that is not read to its end.
    fn refuse_block(&mut self, block: &Block, code: Code, oddity: Oddity) -> Result<(), Breach> {
        let (fields, _) = self.decode(block);
        self.refuse_fields(block, &fields, code, oddity)
    }

    fn refuse_fields(&mut self, block: &Block, fields: &Fields, code: Code, oddity: Oddity) -> Result<(), Breach> {
        if block.purpose != Purpose::Request {
            return Err(Breach::Connection(code, oddity));
        }
        self.observe_bad(block, fields, oddity);
        self.shut(code, None);
        Ok(())
    }

    /// A block whose end will not come.
    pub(super) fn give_up_block(&mut self, block: &Block) {
        if block.purpose == Purpose::Request {
            let (fields, _) = self.decode(block);
            self.observe_bad(block, &fields, Oddity::HeadIncomplete);
        }
    }

    fn observe_bad(&mut self, block: &Block, fields: &Fields, oddity: Oddity) {
        let mut head = self.head(block, fields);
        head.spoil(oddity);
        self.streams.advance(block.stream);
        self.observe_whole(block.stream, head);
    }

    fn head(&self, block: &Block, fields: &Fields) -> Head {
        let Asked { mut head, order } = Asked::read(fields, block.received, block.began);
        head.h2 = self.shown.text(&order, block.priority);
        head
    }

    //----- Requests

    fn begin_request(&mut self, now: Duration, block: &Block, fields: &Fields) {
        let id = block.stream;
        self.streams.advance(id);
        let mut head = self.head(block, fields);
        let reader = BodyReader::for_stream(&head, self.limits.body_octets_max, self.with_accounts);
        // A tunnel is not opened, so nothing that is sent into it is a body.
        let has_body = !block.is_end && head.method() != b"CONNECT";
        if !has_body && let Progress::Broken(oddity) = reader.on_end() {
            head.spoil(oddity);
        }
        let kept = head.kept.redacted.bytes.len();
        let others = self.streams.head_octets();
        let is_full = self.streams.len() >= STREAMS_MAX || others > 0 && others + kept > OPEN_HEADS_OCTETS_MAX;
        if is_full {
            head.spoil(Oddity::H2TooManyStreams);
        }
        if head.is_bad {
            head.keep_alive = true;
            self.observe_whole(id, head);
            return self.reset(now, id, if is_full { Code::RefusedStream } else { Code::Protocol });
        }
        let stream = Stream {
            body: has_body.then(|| Box::new(reader)),
            head_octets: if has_body { kept } else { 0 },
            may_send: !block.is_end,
            inbound: Inbound::default(),
            outbound: Outbound::new(self.held.initial_window),
            reply: Reply::Owed,
        };
        self.streams.open(id, stream);
        if has_body { self.observe_head(id, head) } else { self.observe_whole(id, head) }
    }

    fn take_trailers(&mut self, block: &Block, fields: &Fields) -> Result<(), Breach> {
        let fault = match fault_of_trailers(fields) {
            None if !block.is_end => Some(Oddity::H2Trailers),
            fault => fault,
        };
        match fault {
            Some(oddity) => Err(Breach::Stream(block.stream, Code::Protocol, oddity)),
            None => self.feed(block.stream, &[], 0, true),
        }
    }

    //----- Bodies

    pub(super) fn on_data(&mut self, now: Duration, head: FrameHead, payload: &[u8]) -> Result<(), Breach> {
        if !self.inbound.take(payload.len()) {
            return Err(Breach::Connection(Code::FlowControl, Oddity::H2FlowControl));
        }
        let padding = Breach::Connection(Code::Protocol, Oddity::H2Padding);
        let content = head.unpadded(payload).ok_or(padding)?;
        if content.is_empty() && !head.has(frames::END_STREAM) {
            self.spend_control(now)?;
        }
        if let Some(octets) = self.inbound.refill() {
            self.send(|out| frames::put_window_update(out, 0, octets));
        }
        match self.streams.standing(head.stream) {
            Standing::Idle => Err(Breach::Connection(Code::Protocol, Oddity::H2Idle)),
            Standing::Closed(By::Us) => Ok(()),
            Standing::Closed(By::Peer) | Standing::Forgotten => {
                Err(Breach::Stream(head.stream, Code::StreamClosed, Oddity::H2Closed))
            }
            Standing::Open => self.feed(head.stream, content, payload.len(), head.has(frames::END_STREAM)),
        }
    }

    /// Takes a piece of a body, which cost so much of the window.
    fn feed(&mut self, id: u32, content: &[u8], cost: usize, is_end: bool) -> Result<(), Breach> {
        let Some(stream) = self.streams.get_mut(id) else { return Ok(()) };
        if !stream.may_send {
            return Err(Breach::Stream(id, Code::StreamClosed, Oddity::H2Closed));
        }
        if !stream.inbound.take(cost) {
            return Err(Breach::Stream(id, Code::FlowControl, Oddity::H2FlowControl));
        }
        stream.may_send = !is_end;
        let Some(reader) = &mut stream.body else { return Ok(()) };
        let progress = match reader.on_bytes(content).1 {
            Progress::More if is_end => reader.on_end(),
            progress => progress,
        };
        match progress {
            Progress::More => {
                if let Some(octets) = stream.inbound.refill() {
                    self.send(|out| frames::put_window_update(out, id, octets));
                }
            }
            Progress::Complete => self.end_request(id, None),
            Progress::Broken(Oddity::BodyTooLong) => self.end_request(id, Some(Oddity::BodyTooLong)),
            Progress::Broken(oddity) => return Err(Breach::Stream(id, Code::Protocol, oddity)),
        }
        Ok(())
    }

    fn end_request(&mut self, id: u32, fault: Option<Oddity>) {
        let Some(reader) = self.streams.get_mut(id).and_then(Stream::end_body) else { return };
        let (body, accounts) = reader.finish(fault.is_none());
        let (body, oddities) = (Some(body), fault.into_iter().collect());
        self.observe_end(id, Exchange { body, oddities, keep_alive: true, accounts });
    }
}
