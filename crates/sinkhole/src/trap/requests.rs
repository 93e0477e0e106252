//! Requests of either version of HTTP: begun with a head, over with an exchange, answered once.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use wire::http::{Exchange, Head};
use wire::oddity::Oddity;
use wire::secrets::Accounts;

use super::answer::{answer, decide, fields};
use super::conversation::{Conversation, Layer};
use super::ground::Port;
use super::knock::{Knock, Reply};
use super::speech::Speech;
use crate::witness::Concern;

/// A request whose body has not ended.
pub(super) struct OpenRequest {
    stream: u32,
    head: Arc<Head>,
    concern: Concern,
    was_asked: bool,
    /// Account names of the head.
    accounts: Accounts,
    /// For our own verifier, that it has reached us.
    proof: Option<String>,
}

impl OpenRequest {
    /// Of its head, which is kept until it is over.
    pub(super) fn octets(&self) -> u64 {
        self.head.octets
    }
}

impl Conversation {
    pub(super) fn begin_request(&mut self, now: Duration, stream: u32, mut head: Head) {
        if self.port == Port::Https && matches!(self.layer, Layer::Plain) {
            head.oddities.push(Oddity::PlainOnTlsPort);
        }
        let concern = self.concern(head.host());
        let is_served = concern.zone().is_some();
        let proof = self.ground.own.meet(&mut head, self.at(now)).filter(|_| is_served);
        self.requests = self.requests.saturating_add(1);
        // One at a time: whoever gets no leave sends its body a moment later all the same (RFC 9110, 10.1.1).
        let waits = head.expects_continue && self.open.iter().all(|open| !open.was_asked);
        let mut accounts = head.take_accounts();
        if !concern.may_record_content(self.at(now)) {
            accounts = Accounts::default();
            self.speech.forget_accounts(stream);
        }
        self.open.push(OpenRequest { stream, head: Arc::new(head), concern, was_asked: false, accounts, proof });
        if waits && let Speech::Http2(machine) = &mut self.speech {
            machine.give_leave(stream);
            self.note_asked(stream);
        }
    }

    fn note_asked(&mut self, stream: u32) {
        let Some(open) = self.open.iter_mut().find(|open| open.stream == stream) else { return };
        open.was_asked = true;
        let knock = Knock::Asked { head: Arc::clone(&open.head), concern: open.concern.clone() };
        self.observe(knock);
    }

    /// HTTP/1: the head is on record before leave is given.
    pub(super) fn give_leave(&mut self, leave: Vec<u8>) {
        self.note_asked(super::speech::ONLY_STREAM);
        self.send_plain(leave);
    }

    pub(super) fn end_request(&mut self, now: Duration, stream: u32, exchange: Exchange) {
        let Some(at) = self.open.iter().position(|open| open.stream == stream) else { return };
        let open = self.open.swap_remove(at);
        match &self.speech {
            Speech::Http2(_) => self.answer_stream(now, open, exchange),
            _ => self.answer_only(now, open, exchange),
        }
    }

    fn sealed(&self, of_head: Accounts, exchange: &mut Exchange) -> Vec<Vec<u8>> {
        self.ground.seal(of_head.and(mem::take(&mut exchange.accounts)).iter())
    }

    fn answer_only(&mut self, now: Duration, open: OpenRequest, mut exchange: Exchange) {
        let OpenRequest { head, concern, was_asked, accounts, proof, .. } = open;
        let accounts = self.sealed(accounts, &mut exchange);
        let goes_on = exchange.keep_alive && self.requests < self.ground.limits.requests_max;
        let answer = answer(&head, &concern, &self.ground.notices, (goes_on, proof), self.at(now));
        let (status, octets, ends) = (answer.status, answer.bytes.len() as u64, answer.closes);
        let reply = Reply { at: now, status, octets, ends, was_asked };
        self.observe(Knock::Answered { head, concern, exchange, accounts, reply });
        self.send_plain(answer.bytes);
        if ends {
            self.finish();
        }
    }

    /// The machine holds what it says until it is polled, and that is after the record.
    fn answer_stream(&mut self, now: Duration, open: OpenRequest, mut exchange: Exchange) {
        let OpenRequest { stream, head, concern, was_asked, accounts, proof } = open;
        let accounts = self.sealed(accounts, &mut exchange);
        let said = decide(&head, &concern, &self.ground.notices, proof, self.at(now));
        let date = self.at(now);
        let Speech::Http2(machine) = &mut self.speech else { return };
        let octets = match &said {
            Some(said) => {
                let fields = fields(said, date);
                let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
                let body = if head.method() == b"HEAD" { String::new() } else { said.body() };
                machine.respond(stream, said.status, &fields, body.as_bytes())
            }
            None => {
                machine.end();
                0
            }
        };
        if self.requests >= self.ground.limits.requests_max {
            machine.close();
        }
        let status = said.map(|said| said.status).filter(|_| octets > 0);
        let reply = Reply { at: now, status, octets, ends: status.is_none(), was_asked };
        self.observe(Knock::Answered { head, concern, exchange, accounts, reply });
    }
}
