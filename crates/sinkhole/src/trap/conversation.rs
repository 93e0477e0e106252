//! One connection as a pure machine: what the caller says in, what to record and what to answer out, in that order.
//!
//! It goes on only when it is polled and has nothing left to say: a caller who sends a thousand requests at once and
//! reads no answer costs the memory of one answer. What is heard goes through a layer to a machine that reads it.
//!
//! ```text
//! balancer ──header──► first octets ──0x16──► hello ──whole──► tls ──plain──► machine: HTTP/1, HTTP/2 or SMTP
//!                           └─anything else, as the port says──────────────────► │  └─STARTTLS──► hello
//!                           └─on a port for anything: nobody's ──► counted        │
//! each ──end of input, a limit, a stop──► over ◄───────────────────────────────────┘
//! ```

use std::collections::VecDeque;
use std::mem;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use model::outcome::{End, Tls};
use model::tally::CutShort;
use model::time::{after, to_nanos};
use wire::banner::FirstBytes;
use wire::http2::is_preface;
use wire::oddity::Oddity;
use wire::proxy::HeaderReader;
use wire::session::{Output, Session};
use wire::smtp;
use wire::tls::{ClientHello, HelloReader, Step, looks_like_record, looks_like_ssl2, looks_like_tls};

use super::ground::{Ground, Port};
use super::knock::Knock;
use super::requests::OpenRequest;
use super::speech::{Heard, Speech};
use super::tls::TlsLayer;
use crate::ServedZone;
use crate::witness::Concern;

/// Octets that it takes to tell SSL 2.0's hello from anything else.
const DECIDED_AFTER: usize = 5;

/// What a session of TLS is taken to hold, its keys and its buffers: the library does not say, so this is a round number.
const TLS_OCTETS: usize = 8 * 1024;

/// The octets of a record's header (RFC 8446, 5.1).
const RECORD_HEADER: usize = 5;

/// HTTP/2 within TLS (RFC 9113, 3.1).
const ALPN_HTTP2: &[u8] = b"h2";

//----------- Conversation -----------------------------------------------------------------------------------------

pub(super) struct Conversation {
    pub(super) ground: Arc<Ground>,
    pub(super) port: Port,
    /// In nanoseconds since 1970, which take half a timestamp's room: ten thousand of these wait at once.
    accepted: i64,
    /// The address that was called.
    pub(super) called: IpAddr,
    heard_at: Duration,
    pub(super) layer: Layer,
    pub(super) speech: Speech,
    /// A mail client asked for TLS, and it does not stand yet.
    pub(super) is_upgrading: bool,
    sni: Box<[u8]>,
    pub(super) open: Vec<OpenRequest>,
    pub(super) requests: u32,
    octets_in: u64,
    queue: VecDeque<Output<Knock>>,
    /// How it will end if it ends now.
    ending: End,
    /// Nothing more comes, for this reason; what has come is still served.
    closing: Option<End>,
    /// Whether the machines below know that nothing more comes.
    was_told: bool,
    is_over: bool,
}

pub(super) enum Layer {
    Balancer(Box<HeaderReader>),
    Undecided(Vec<u8>),
    Any(Box<FirstBytes>),
    Hello(Box<HelloReader>),
    Tls(Box<TlsLayer>),
    Plain,
}

impl Conversation {
    pub(super) fn new(
        ground: Arc<Ground>,
        port: Port,
        (source, called): (IpAddr, IpAddr),
        accepted: Timestamp,
    ) -> Self {
        let is_balancer = ground.is_balancer(source);
        let mut conversation = Self {
            ground,
            port,
            accepted: to_nanos(accepted),
            called,
            heard_at: Duration::ZERO,
            layer: Layer::Plain,
            speech: Speech::Unknown,
            is_upgrading: false,
            sni: Box::default(),
            open: Vec::new(),
            requests: 0,
            octets_in: 0,
            queue: VecDeque::new(),
            ending: End::Us,
            closing: None,
            was_told: false,
            is_over: false,
        };
        match is_balancer {
            true => conversation.layer = Layer::Balancer(Box::default()),
            false => conversation.open(),
        }
        conversation
    }

    /// Nothing more will be heard, for this reason: what has come is served, what has begun is recorded as far as it
    /// came, and then it is over. The first reason counts.
    pub(super) fn end(&mut self, ending: End) {
        self.closing.get_or_insert(ending);
    }

    /// Whether it ends because of a limit.
    pub(super) fn is_at_limit(&self) -> bool {
        self.closing == Some(End::Limit)
    }

    /// A limit on all connections ends this one.
    pub(super) fn cut_short(&mut self, cut_short: CutShort) {
        self.observe(Knock::CutShort(cut_short));
        self.end(End::Limit);
    }

    /// Tells the machines below that nothing more comes; once they have said what they had, it is over.
    fn conclude(&mut self, now: Duration, ending: End) {
        self.ending = ending;
        if mem::replace(&mut self.was_told, true) {
            return self.finish();
        }
        match mem::replace(&mut self.layer, Layer::Plain) {
            Layer::Hello(mut reader) => {
                let hello = reader.on_end();
                self.observe_hello(now, Box::new(hello), reader.into_raw());
            }
            Layer::Undecided(first) if !first.is_empty() => {
                self.speak_http1();
                self.speech.on_bytes(now, &first);
            }
            Layer::Undecided(_) => {}
            Layer::Any(first) => self.observe_first(*first, now),
            Layer::Balancer(reader) => self.end_balancer(&reader),
            other => self.layer = other,
        }
        self.speech.on_end(now);
    }

    /// Octets that are held for this caller.
    pub(super) fn octets_held(&self) -> usize {
        let of_layer = match &self.layer {
            Layer::Balancer(reader) => reader.raw().len(),
            Layer::Undecided(first) => first.len(),
            Layer::Any(first) => first.kept().len(),
            Layer::Hello(reader) => reader.raw().len(),
            Layer::Tls(_) => TLS_OCTETS,
            Layer::Plain => 0,
        };
        let of_heads: u64 = self.open.iter().map(OpenRequest::octets).sum();
        of_layer + of_heads as usize + self.speech.octets_held()
    }

    pub(super) fn heard_at(&self) -> Duration {
        self.heard_at
    }

    pub(super) fn octets_in(&self) -> u64 {
        self.octets_in
    }

    pub(super) fn ending(&self) -> End {
        self.ending
    }

    /// Whether the caller may be saying something still, so that closing at once would reset the connection and take
    /// our answer with it. Over TLS he says at least that he closes, too.
    pub(super) fn may_still_be_sending(&self) -> bool {
        !matches!(self.layer, Layer::Plain) || self.speech.may_still_be_sending()
    }

    /// How TLS went, if there was any.
    pub(super) fn tls(&self) -> Option<Tls> {
        match &self.layer {
            Layer::Tls(tls) => Some(tls.outcome()),
            _ => None,
        }
    }

    //----- In

    pub(super) fn hear(&mut self, now: Duration, bytes: &[u8]) {
        if bytes.is_empty() || self.is_over {
            return;
        }
        match &mut self.layer {
            Layer::Balancer(_) => self.hear_balancer(now, bytes),
            Layer::Any(_) => self.hear_first(now, bytes),
            Layer::Undecided(first) => {
                first.extend_from_slice(bytes);
                self.decide(now);
            }
            Layer::Hello(reader) => {
                if let Step::Done { hello, rest } = reader.on_bytes(bytes) {
                    let Layer::Hello(reader) = mem::replace(&mut self.layer, Layer::Plain) else { return };
                    self.begin_tls(now, hello, reader.into_raw(), &bytes[bytes.len() - rest..]);
                }
            }
            Layer::Tls(_) => self.hear_tls(now, bytes),
            Layer::Plain => self.speech.on_bytes(now, bytes),
        }
    }

    /// By the first octets, whatever the port: a program that mistakes the port is worth knowing.
    fn decide(&mut self, now: Duration) {
        let Layer::Undecided(first) = &self.layer else { return };
        let may_be_ssl2 = self.port.is_tls() && first[0] >= 0x80;
        if may_be_ssl2 && first.len() < DECIDED_AFTER {
            return;
        }
        let is_record = looks_like_tls(first) || self.port.is_tls() && looks_like_record(first);
        let is_tls = is_record || may_be_ssl2 && looks_like_ssl2(first);
        let preface = is_preface(first);
        if !is_tls && self.port != Port::Smtps && preface.is_none() {
            return;
        }
        let Layer::Undecided(first) = mem::replace(&mut self.layer, Layer::Plain) else { return };
        match (is_tls, self.port) {
            (true, _) => self.layer = Layer::Hello(Box::default()),
            (false, Port::Smtps) => self.layer = Layer::Any(Box::default()),
            _ if preface == Some(true) => self.speak_http2(),
            _ => self.speak_http1(),
        }
        self.hear(now, &first);
    }

    pub(super) fn speak_http1(&mut self) {
        self.keep_layer_of_machine();
        self.speech = Speech::Http1(Box::new(self.ground.http1()));
    }

    /// Its settings go out before any request comes, so the connection is put on record first.
    pub(super) fn speak_http2(&mut self) {
        self.keep_layer_of_machine();
        self.arrive();
        self.speech = Speech::Http2(Box::new(self.ground.http2()));
    }

    fn keep_layer_of_machine(&mut self) {
        if !matches!(self.layer, Layer::Tls(_)) {
            self.layer = Layer::Plain;
        }
    }

    fn begin_tls(&mut self, now: Duration, hello: Box<ClientHello>, raw: Vec<u8>, rest: &[u8]) {
        let is_answerable = !hello
            .oddities
            .iter()
            .any(|oddity| matches!(oddity, Oddity::Ssl2 | Oddity::NotHello | Oddity::HelloTooLong));
        let offered = hello.alpn.clone();
        let concern = self.observe_hello(now, hello, raw.clone());
        if !is_answerable {
            return self.finish();
        }
        if !self.ground.handshakes.admit(self.at(now), self.ground.limits.handshakes_per_sec) {
            return self.cut_short(CutShort { handshakes: 1, ..CutShort::default() });
        }
        match self.certify(concern.zone(), &offered, now) {
            Some(layer) => {
                self.layer = Layer::Tls(Box::new(layer));
                self.hear_tls(now, &raw);
                self.hear_tls(now, rest);
            }
            None => self.finish(),
        }
    }

    fn certify(&self, zone: Option<&ServedZone>, offered: &[Vec<u8>], now: Duration) -> Option<TlsLayer> {
        let setup = self.ground.certificates.for_zone(zone, self.at(now));
        let setup = setup.inspect_err(|error| tracing::error!(%error, "TLS is not answered")).ok()?;
        let is_mail = self.port.is_mail() || self.is_upgrading;
        let config = if is_mail { setup.silent() } else { setup.for_offer(offered) };
        TlsLayer::new(config).inspect_err(|error| tracing::error!(%error, "TLS is not answered")).ok()
    }

    fn hear_tls(&mut self, now: Duration, bytes: &[u8]) {
        let Layer::Tls(tls) = &mut self.layer else { return };
        let (mut plain, mut out) = (Vec::new(), Vec::new());
        tls.on_bytes(bytes, &mut plain, &mut out);
        let (stands, has_failed, has_closed) = (tls.outcome().completed, tls.has_failed(), tls.peer_has_closed());
        self.send(out);
        if stands {
            self.speak_within_tls();
        }
        self.speech.on_bytes(now, &plain);
        if has_closed {
            self.end(End::Peer);
        } else if has_failed {
            self.end(End::Us);
        }
    }

    fn speak_within_tls(&mut self) {
        let Layer::Tls(tls) = &self.layer else { return };
        let is_http2 = tls.protocol() == Some(ALPN_HTTP2);
        match &self.speech {
            Speech::Unknown if self.port == Port::Smtps => self.greet(smtp::Tls::Running),
            Speech::Unknown if is_http2 => self.speak_http2(),
            Speech::Unknown => self.speak_http1(),
            _ => self.secured(),
        }
    }

    //----- Through

    fn take(&mut self, now: Duration, output: Output<Heard>) {
        match output {
            Output::Observe(Heard::Head { stream, head }) => self.begin_request(now, stream, *head),
            Output::Observe(Heard::End { stream, exchange }) => self.end_request(now, stream, exchange),
            Output::Observe(Heard::Leave(leave)) => self.give_leave(leave),
            Output::Observe(Heard::Mail(transaction)) => self.take_mail(*transaction),
            Output::Observe(Heard::StartTls) => self.start_tls(),
            Output::Send(bytes) => self.send_plain(bytes),
            Output::Close => self.finish(),
            Output::Wait(_) => {}
        }
    }

    pub(super) fn observe(&mut self, knock: Knock) {
        self.queue.push_back(Output::Observe(knock));
    }

    /// Puts the connection itself on record.
    pub(super) fn arrive(&mut self) {
        self.observe(Knock::Arrived { concern: self.concern(&[]) });
    }

    /// The name that it concerns, by all that was said so far.
    pub(super) fn concern(&self, host: &[u8]) -> Concern {
        self.ground.concern(&self.sni, host, self.called)
    }

    fn observe_hello(&mut self, at: Duration, mut hello: Box<ClientHello>, mut raw: Vec<u8>) -> Concern {
        if hello.oddities.contains(&Oddity::NotHello) {
            // Whatever it is, nobody has read it, so nobody knows what secret it holds.
            raw.truncate(RECORD_HEADER);
        }
        if self.port == Port::Http {
            hello.oddities.push(Oddity::TlsOnPlainPort);
        }
        self.sni = hello.sni.as_slice().into();
        let concern = self.concern(&[]);
        self.observe(Knock::Hello { at, hello, raw, concern: concern.clone() });
        concern
    }

    //----- Out

    fn send(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.queue.push_back(Output::Send(bytes));
        }
    }

    pub(super) fn send_plain(&mut self, bytes: Vec<u8>) {
        match &mut self.layer {
            Layer::Tls(tls) => {
                let mut out = Vec::new();
                tls.seal(&bytes, &mut out);
                self.send(out);
            }
            _ => self.send(bytes),
        }
    }

    pub(super) fn finish(&mut self) {
        if self.is_over {
            return;
        }
        self.is_over = true;
        if let Layer::Tls(tls) = &mut self.layer {
            let mut out = Vec::new();
            tls.close(&mut out);
            self.send(out);
        }
        self.queue.push_back(Output::Close);
    }

    //----- Time

    /// When it ends if nothing comes, and as what.
    fn deadline(&self) -> (Duration, End) {
        let limits = &self.ground.limits;
        let is_shaking_hands = match &self.layer {
            Layer::Undecided(_) => self.port.is_tls(),
            Layer::Hello(_) => true,
            Layer::Tls(tls) => !tls.outcome().completed,
            Layer::Plain | Layer::Any(_) | Layer::Balancer(_) => false,
        };
        let idle = self.heard_at + limits.idle;
        // A mail client may ask for TLS late; it has the patience that any word of it has.
        let patience = if is_shaking_hands && !self.is_upgrading { idle.min(limits.handshake) } else { idle };
        if limits.lifetime < patience { (limits.lifetime, End::Limit) } else { (patience, End::TimedOut) }
    }

    pub(super) fn at(&self, now: Duration) -> Timestamp {
        after(self.accepted, now)
    }
}

impl Session for Conversation {
    type Seen = Knock;

    fn on_bytes(&mut self, now: Duration, bytes: &[u8]) {
        if self.is_over || self.closing.is_some() || bytes.is_empty() {
            return;
        }
        self.octets_in += bytes.len() as u64;
        self.heard_at = now;
        self.hear(now, bytes);
    }

    fn on_end(&mut self, _now: Duration) {
        self.end(End::Peer);
    }

    fn poll(&mut self, now: Duration) -> Option<Output<Knock>> {
        loop {
            if !self.queue.is_empty() || self.is_over {
                return self.queue.pop_front();
            }
            if let Some(output) = self.speech.poll(now) {
                self.take(now, output);
            } else if let Some(ending) = self.closing {
                self.conclude(now, ending);
            } else {
                let (deadline, ending) = self.deadline();
                if now < deadline {
                    return Some(Output::Wait(deadline));
                }
                self.end(ending);
            }
        }
    }
}
