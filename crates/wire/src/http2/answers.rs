//! What we say: answers, under the client's windows (RFC 9113, 5.2 and 6.9).
//!
//! A client that opens no window is answered with headers, and the page waits. Pages that are equal are held once, so
//! a hundred streams that wait for the same page cost one; what differs has a limit, and a client that reaches it is
//! sent away.

use std::mem;
use std::sync::Arc;

use super::frames::{self, Code, FRAME_OCTETS_MAX};
use super::hpack::{self, TABLE_OCTETS_MAX};
use super::session::Http2;
use super::streams::{By, Outbound, Reply, Stream, Streams, WINDOW};
use crate::oddity::Oddity;

/// Octets of distinct pages that wait for a window, on one connection: twenty notice pages of 12 KiB.
pub const HELD_OCTETS_MAX: usize = 256 * 1024;
/// What a request that is served pays back of the allowance for control frames: two updates of windows, and two more.
const SERVED_PAYS: u32 = 4;
/// The least piece of a page that pays back the updates, of the stream and of the connection, which made room for it.
/// Clients with windows of one or two kilobytes are served; one that opens them by single octets pays for it.
const PIECE_OCTETS_MIN: usize = 256;
const PIECE_PAYS: u32 = 2;

//----------- Held -------------------------------------------------------------------------------------------------

/// What we may send, and what waits for it.
pub(super) struct Held {
    /// The connection's window.
    pub(super) window: Outbound,
    /// The window of each new stream.
    pub(super) initial_window: u32,
    /// What waits, each page once.
    pub(super) octets: usize,
    /// Whether the client made its table smaller, which our next block must confirm (RFC 9113, 4.3.1).
    owes_table: bool,
}

impl Default for Held {
    fn default() -> Self {
        Self { window: Outbound::new(WINDOW), initial_window: WINDOW, octets: 0, owes_table: false }
    }
}

impl Held {
    pub(super) fn table_was_set(&mut self, octets: u32) {
        self.owes_table |= (octets as usize) < TABLE_OCTETS_MAX;
    }

    fn hold(&mut self, streams: &Streams, body: &[u8]) -> Arc<[u8]> {
        let same = streams.iter().find_map(|(_, stream)| match &stream.reply {
            Reply::Held { page, .. } if page[..] == *body => Some(Arc::clone(page)),
            _ => None,
        });
        same.unwrap_or_else(|| {
            self.octets += body.len();
            body.into()
        })
    }

    /// A reply is over; the last that holds a page frees it.
    pub(super) fn release(&mut self, reply: Reply) {
        if let Reply::Held { page, .. } = reply
            && Arc::strong_count(&page) == 1
        {
            self.octets -= page.len();
        }
    }
}

//----------- Answering --------------------------------------------------------------------------------------------

impl Http2 {
    /// Answers a request that is over; returns how many octets that takes, 0 if the client is gone or was refused.
    /// Names are in lower case and none speaks of the connection (RFC 9113, 8.2.2). What the client's window has no room for follows when it opens.
    pub fn respond(&mut self, stream: u32, status: u16, fields: &[(&str, &str)], body: &[u8]) -> u64 {
        let is_owed = |it: &&mut Stream| matches!(it.reply, Reply::Owed) && it.body.is_none();
        if self.streams.get_mut(stream).filter(is_owed).is_none() {
            return 0;
        }
        let block = self.block_of(status, fields);
        self.send(|out| frames::put_headers(out, stream, body.is_empty(), &block));
        let octets = (block.len() + body.len()) as u64;
        if body.is_empty() {
            self.end_answer(stream);
        } else {
            self.send_page(stream, body);
        }
        octets
    }

    /// Tells a client that it may send its body (RFC 9110, 10.1.1). Only after its head is on record.
    pub fn give_leave(&mut self, stream: u32) -> u64 {
        if self.streams.get_mut(stream).filter(|it| it.body.is_some()).is_none() {
            return 0;
        }
        let block = self.block_of(100, &[]);
        self.send(|out| frames::put_headers(out, stream, false, &block));
        block.len() as u64
    }

    fn block_of(&mut self, status: u16, fields: &[(&str, &str)]) -> Vec<u8> {
        let mut block = Vec::with_capacity(fields.iter().map(|(name, value)| name.len() + value.len() + 8).sum());
        if mem::take(&mut self.held.owes_table) {
            block.push(hpack::EMPTY_TABLE);
        }
        hpack::status(&mut block, status);
        for (name, value) in fields {
            hpack::literal(&mut block, name.as_bytes(), value.as_bytes());
        }
        block
    }

    fn send_page(&mut self, id: u32, body: &[u8]) {
        if self.take_windows(id, body.len()) {
            self.send(|out| put_page(out, id, body, true));
            return self.end_answer(id);
        }
        let page = self.held.hold(&self.streams, body);
        if let Some(stream) = self.streams.get_mut(id) {
            stream.reply = Reply::Held { page, sent: 0 };
        }
        self.pump(id);
        if self.held.octets > HELD_OCTETS_MAX {
            self.shut(Code::EnhanceYourCalm, Some(Oddity::H2WindowStarved));
        }
    }

    /// Whether a whole page has room; if so, it is taken.
    fn take_windows(&mut self, id: u32, octets: usize) -> bool {
        let Some(stream) = self.streams.get_mut(id) else { return false };
        if octets > stream.outbound.left().min(self.held.window.left()) {
            return false;
        }
        stream.outbound.take(octets);
        self.held.window.take(octets);
        true
    }

    /// Sends what a stream's window has room for.
    pub(super) fn pump(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        let Reply::Held { page, sent } = &mut stream.reply else { return };
        let window = stream.outbound.left().min(self.held.window.left());
        let (begin, end) = (*sent, page.len().min(*sent + window));
        if begin == end {
            return;
        }
        *sent = end;
        stream.outbound.take(end - begin);
        self.held.window.take(end - begin);
        let page = Arc::clone(page);
        let is_end = end == page.len();
        self.send(|out| put_page(out, id, &page[begin..end], is_end));
        drop(page);
        if end - begin >= PIECE_OCTETS_MIN {
            self.controls.pay_back(PIECE_PAYS);
        }
        if is_end {
            self.end_answer(id);
        }
    }

    pub(super) fn pump_all(&mut self) {
        let waiting: Vec<u32> = self.streams.iter().filter(|(_, it)| it.is_waiting()).map(|(id, _)| id).collect();
        waiting.into_iter().for_each(|id| self.pump(id));
    }

    /// Closes a stream whose answer is sent. A client that has not ended its side is told to stop (RFC 9113, 8.1).
    fn end_answer(&mut self, id: u32) {
        let may_send = self.streams.get_mut(id).is_some_and(|stream| stream.may_send);
        let by = if may_send { By::Us } else { By::Peer };
        if let Some(stream) = self.streams.close(id, by) {
            self.held.release(stream.reply);
        }
        if may_send {
            self.send(|out| frames::put_reset(out, id, Code::NoError));
        }
        self.controls.pay_back(SERVED_PAYS);
        self.leave_if_done();
    }
}

impl Stream {
    fn is_waiting(&self) -> bool {
        matches!(self.reply, Reply::Held { .. })
    }
}

fn put_page(out: &mut Vec<u8>, stream: u32, page: &[u8], is_end: bool) {
    let mut parts = page.chunks(FRAME_OCTETS_MAX).peekable();
    while let Some(part) = parts.next() {
        let flags = if is_end && parts.peek().is_none() { frames::END_STREAM } else { 0 };
        frames::put(out, frames::DATA, flags, stream, part);
    }
}
