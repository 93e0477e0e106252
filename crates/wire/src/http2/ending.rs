//! What is told, what a breach costs, and how a connection ends.
//!
//! Whatever is odd must become visible. It is told with the request that it befell; if there is none, with the next
//! request; and if none comes, with a head that says nothing else.

use std::mem;
use std::time::Duration;

use super::answers::Held;
use super::frames::{self, Code};
use super::hpack::Decoder;
use super::session::{Http2, Phase, Seen};
use super::streams::{By, Streams};
use crate::http::{Exchange, Head};
use crate::oddity::{Oddity, note};
use crate::session::Output;

/// A breach of the protocol, and what it costs (RFC 9113, 5.4).
#[derive(Debug)]
pub(super) enum Breach {
    Connection(Code, Oddity),
    Stream(u32, Code, Oddity),
}

impl Http2 {
    //----- What is told

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
        if !self.with_accounts {
            head.take_accounts();
        }
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
        if self.is_over() {
            return;
        }
        self.send(|out| frames::put_reset(out, stream, code));
        if code != Code::RefusedStream {
            return self.spend_reset(now);
        }
        // A client may send more than we take before it knows what we take, and means no harm by it.
        if let Err(breach) = self.spend_control(now) {
            self.punish(now, breach);
        }
    }

    /// Refuses a request whose stream was never opened.
    pub(super) fn reset(&mut self, now: Duration, stream: u32, code: Code) {
        self.streams.close(stream, By::Us);
        self.send_reset(now, stream, code);
    }

    pub(super) fn spend_reset(&mut self, now: Duration) {
        if !self.resets.spend(now) {
            self.shut(Code::EnhanceYourCalm, Some(Oddity::H2ResetFlood));
        }
    }

    /// Forgets a stream; if its request was not over, it ends like this.
    pub(super) fn drop_stream(&mut self, id: u32, by: By, oddity: Oddity) {
        let stream = self.streams.close(id, by);
        let body = stream.and_then(|stream| {
            self.held.release(stream.reply);
            stream.body
        });
        match body {
            Some(reader) => {
                let (body, accounts) = reader.finish(false);
                let (body, oddities) = (Some(body), vec![oddity]);
                self.observe_end(id, Exchange { body, oddities, keep_alive: true, accounts });
            }
            // A request that is answered is often taken back: that is no oddity.
            None if oddity == Oddity::H2Reset => {}
            None => note(&mut self.loose, oddity),
        }
        self.leave_if_done();
    }

    /// After the last answer the connection ends, if it was to.
    pub(super) fn leave_if_done(&mut self) {
        if self.leaves_after.is_some() && self.streams.is_empty() {
            self.shut(Code::NoError, None);
        }
    }

    /// The client has no more to say.
    pub(super) fn conclude(&mut self) {
        if self.block.is_none() && !self.was_seen {
            // Settings alone are worth a head.
            note(&mut self.loose, Oddity::HeadIncomplete);
        }
        self.shut(Code::NoError, None);
    }

    /// Ends the connection, once: a header block that is not whole is a bad head, open requests end as they are, and
    /// what is odd is told by the first of these, or by a head that says nothing else.
    pub(super) fn shut(&mut self, code: Code, oddity: Option<Oddity>) {
        if self.is_over() {
            return;
        }
        oddity.into_iter().for_each(|oddity| note(&mut self.loose, oddity));
        if let Some(block) = self.block.take() {
            self.give_up_block(&block);
        }
        let last = self.leaves_after.unwrap_or(self.streams.last());
        for (stream, reader) in self.streams.iter_mut().filter_map(|(id, it)| Some((id, it.body.take()?))) {
            let oddities = [vec![Oddity::BodyIncomplete], mem::take(&mut self.loose)].concat();
            let (body, accounts) = reader.finish(false);
            let exchange = Exchange { body: Some(body), oddities, keep_alive: false, accounts };
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
        self.streams = Streams::default();
        self.decoder = Decoder::default();
        self.held = Held::default();
    }
}
