//! One connection as a pure machine: what the caller says in, what to record and what to answer out, in that order.
//!
//! It goes on only when it is polled and has nothing left to say: a caller who sends a thousand requests at once and
//! reads no answer costs the memory of one answer.
//!
//! ```text
//! undecided ──0x16──► hello ──whole──► tls ──plain──► http
//!     └──anything else─────────────────────────────► http
//! each ──end of input, a limit, a stop──► over
//! ```

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use model::outcome::{End, Tls};
use wire::http::{Exchange, Head, Http1, Seen};
use wire::oddity::Oddity;
use wire::secrets::Accounts;
use wire::session::{Output, Session};
use wire::tls::{ClientHello, HelloReader, Step, looks_like_ssl2, looks_like_tls};

use super::Limits;
use super::answer::answer;
use super::tls::TlsLayer;
use crate::ZoneTable;
use crate::certificates::Certificates;
use crate::notice::Notices;
use crate::sealed::SealingKey;
use crate::witness::Concern;

/// Octets that it takes to tell SSL 2.0's hello from anything else.
const DECIDED_AFTER: usize = 5;

/// The octets of a record's header (RFC 8446, 5.1).
const RECORD_HEADER: usize = 5;

/// What every conversation stands on.
pub(super) struct Ground {
    pub(super) zones: Arc<ZoneTable>,
    pub(super) certificates: Certificates,
    pub(super) notices: Notices,
    pub(super) limits: Limits,
    /// To which account names are sealed.
    pub(super) account_key: Option<SealingKey>,
}

impl Ground {
    /// The machine for a connection: it hands account names out only where they can be sealed.
    fn http(&self) -> Http1 {
        let http = Http1::new(self.limits.of_http());
        if self.account_key.is_some() { http.with_accounts() } else { http }
    }

    /// Account names in clear go no further than this.
    fn seal(&self, accounts: &Accounts) -> Vec<Vec<u8>> {
        self.account_key.iter().flat_map(|key| accounts.iter().filter_map(|account| key.seal(account))).collect()
    }
}

/// What the port is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Port {
    Plain,
    Tls,
}

//----------- Knock ------------------------------------------------------------------------------------------------

/// Something to record.
#[derive(Debug)]
pub(super) enum Knock {
    Hello {
        at: Duration,
        hello: Box<ClientHello>,
        raw: Vec<u8>,
        concern: Concern,
    },
    /// A head whose client waits for leave to send its body.
    Asked {
        head: Arc<Head>,
        concern: Concern,
    },
    /// A request, with what it is about to be answered.
    Answered {
        head: Arc<Head>,
        concern: Concern,
        exchange: Exchange,
        /// Account names that the order lets us keep, sealed.
        accounts: Vec<Vec<u8>>,
        reply: Reply,
    },
}

/// What a request is answered with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reply {
    pub(super) at: Duration,
    pub(super) status: Option<u16>,
    pub(super) octets: u64,
    pub(super) ends: bool,
    /// Whether the head is on record already.
    pub(super) was_asked: bool,
}

impl Knock {
    pub(super) fn concern(&self) -> &Concern {
        match self {
            Self::Hello { concern, .. } | Self::Asked { concern, .. } | Self::Answered { concern, .. } => concern,
        }
    }
}

//----------- Conversation -----------------------------------------------------------------------------------------

pub(super) struct Conversation {
    ground: Arc<Ground>,
    port: Port,
    accepted: Timestamp,
    heard_at: Duration,
    layer: Layer,
    http: Http1,
    sni: Vec<u8>,
    open: Option<OpenRequest>,
    requests: u32,
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

enum Layer {
    Undecided(Vec<u8>),
    Hello(Box<HelloReader>),
    Tls(Box<TlsLayer>),
    Plain,
}

/// A request whose body has not ended.
struct OpenRequest {
    head: Arc<Head>,
    concern: Concern,
    was_asked: bool,
    /// Account names of the head.
    accounts: Accounts,
}

impl Conversation {
    pub(super) fn new(ground: Arc<Ground>, port: Port, accepted: Timestamp) -> Self {
        Self {
            http: ground.http(),
            ground,
            port,
            accepted,
            heard_at: Duration::ZERO,
            layer: Layer::Undecided(Vec::new()),
            sni: Vec::new(),
            open: None,
            requests: 0,
            octets_in: 0,
            queue: VecDeque::new(),
            ending: End::Us,
            closing: None,
            was_told: false,
            is_over: false,
        }
    }

    /// Nothing more will be heard, for this reason: what has come is served, what has begun is recorded as far as it
    /// came, and then it is over. The first reason counts.
    pub(super) fn end(&mut self, ending: End) {
        self.closing.get_or_insert(ending);
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
            Layer::Undecided(first) => self.http.on_bytes(now, &first),
            other => self.layer = other,
        }
        self.http.on_end(now);
    }

    pub(super) fn octets_in(&self) -> u64 {
        self.octets_in
    }

    pub(super) fn ending(&self) -> End {
        self.ending
    }

    /// How TLS went, if there was any.
    pub(super) fn tls(&self) -> Option<Tls> {
        match &self.layer {
            Layer::Tls(tls) => Some(tls.outcome()),
            _ => None,
        }
    }

    //----- In

    fn hear(&mut self, now: Duration, bytes: &[u8]) {
        match &mut self.layer {
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
            Layer::Plain => self.http.on_bytes(now, bytes),
        }
    }

    /// By the first byte, on either port: a program that mistakes the port is worth knowing.
    fn decide(&mut self, now: Duration) {
        let Layer::Undecided(first) = &self.layer else { return };
        let may_be_ssl2 = self.port == Port::Tls && first[0] >= 0x80;
        if may_be_ssl2 && first.len() < DECIDED_AFTER {
            return;
        }
        let is_tls = looks_like_tls(first) || may_be_ssl2 && looks_like_ssl2(first);
        let next = if is_tls { Layer::Hello(Box::default()) } else { Layer::Plain };
        let Layer::Undecided(first) = mem::replace(&mut self.layer, next) else { return };
        self.hear(now, &first);
    }

    fn begin_tls(&mut self, now: Duration, hello: Box<ClientHello>, raw: Vec<u8>, rest: &[u8]) {
        let is_answerable = !hello
            .oddities
            .iter()
            .any(|oddity| matches!(oddity, Oddity::Ssl2 | Oddity::NotHello | Oddity::HelloTooLong));
        let concern = self.observe_hello(now, hello, raw.clone());
        if !is_answerable {
            return self.finish();
        }
        let apex = concern.zone().map(|zone| zone.zone.apex());
        match self.certify(apex, now) {
            Some(layer) => {
                self.layer = Layer::Tls(Box::new(layer));
                self.hear_tls(now, &raw);
                self.hear_tls(now, rest);
            }
            None => self.finish(),
        }
    }

    fn certify(&self, apex: Option<&model::DomainName>, now: Duration) -> Option<TlsLayer> {
        let config = self.ground.certificates.for_apex(apex, self.at(now));
        let config = config.inspect_err(|error| tracing::error!(%error, "TLS is not answered")).ok()?;
        TlsLayer::new(config).inspect_err(|error| tracing::error!(%error, "TLS is not answered")).ok()
    }

    fn hear_tls(&mut self, now: Duration, bytes: &[u8]) {
        let Layer::Tls(tls) = &mut self.layer else { return };
        let (mut plain, mut out) = (Vec::new(), Vec::new());
        tls.on_bytes(bytes, &mut plain, &mut out);
        let (has_failed, has_closed) = (tls.has_failed(), tls.peer_has_closed());
        self.send(out);
        if !plain.is_empty() {
            self.http.on_bytes(now, &plain);
        }
        if has_closed {
            self.end(End::Peer);
        } else if has_failed {
            self.end(End::Us);
        }
    }

    //----- Through

    fn take(&mut self, now: Duration, output: Output<Seen>) {
        match output {
            Output::Observe(Seen::Head(head)) => self.begin_request(now, *head),
            Output::Observe(Seen::End(exchange)) => self.end_request(now, exchange),
            Output::Send(leave) => self.give_leave(leave),
            Output::Close => self.finish(),
            Output::Wait(_) => {}
        }
    }

    fn begin_request(&mut self, now: Duration, mut head: Head) {
        if self.port == Port::Tls && matches!(self.layer, Layer::Plain) {
            head.oddities.push(Oddity::PlainOnTlsPort);
        }
        let concern = Concern::find(&self.ground.zones, &self.sni, head.host());
        self.requests += 1;
        let mut accounts = head.take_accounts();
        if !concern.may_record_content(self.at(now)) {
            accounts = Accounts::default();
            self.http.forget_accounts();
        }
        self.open = Some(OpenRequest { head: Arc::new(head), concern, was_asked: false, accounts });
    }

    fn give_leave(&mut self, leave: Vec<u8>) {
        let Some(open) = &mut self.open else { return };
        open.was_asked = true;
        let knock = Knock::Asked { head: Arc::clone(&open.head), concern: open.concern.clone() };
        self.queue.push_back(Output::Observe(knock));
        self.send_plain(&leave);
    }

    fn end_request(&mut self, now: Duration, mut exchange: Exchange) {
        let Some(OpenRequest { head, concern, was_asked, accounts }) = self.open.take() else { return };
        let accounts = self.ground.seal(&accounts.and(mem::take(&mut exchange.accounts)));
        let goes_on = exchange.keep_alive && self.requests < self.ground.limits.requests_max;
        let answer = answer(&head, &concern, &self.ground.notices, goes_on, self.at(now));
        let (status, octets, ends) = (answer.status, answer.bytes.len() as u64, answer.closes);
        let reply = Reply { at: now, status, octets, ends, was_asked };
        self.queue.push_back(Output::Observe(Knock::Answered { head, concern, exchange, accounts, reply }));
        self.send_plain(&answer.bytes);
        if ends {
            self.finish();
        }
    }

    fn observe_hello(&mut self, at: Duration, mut hello: Box<ClientHello>, mut raw: Vec<u8>) -> Concern {
        if hello.oddities.contains(&Oddity::NotHello) {
            // Whatever it is, nobody has read it, so nobody knows what secret it holds.
            raw.truncate(RECORD_HEADER);
        }
        if self.port == Port::Plain {
            hello.oddities.push(Oddity::TlsOnPlainPort);
        }
        self.sni.clone_from(&hello.sni);
        let concern = Concern::find(&self.ground.zones, &self.sni, &[]);
        self.queue.push_back(Output::Observe(Knock::Hello { at, hello, raw, concern: concern.clone() }));
        concern
    }

    //----- Out

    fn send(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.queue.push_back(Output::Send(bytes));
        }
    }

    fn send_plain(&mut self, bytes: &[u8]) {
        let mut out = Vec::new();
        match &mut self.layer {
            Layer::Tls(tls) => tls.seal(bytes, &mut out),
            _ => out.extend_from_slice(bytes),
        }
        self.send(out);
    }

    fn finish(&mut self) {
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
            Layer::Undecided(_) => self.port == Port::Tls,
            Layer::Hello(_) => true,
            Layer::Tls(tls) => !tls.outcome().completed,
            Layer::Plain => false,
        };
        let idle = self.heard_at + limits.idle;
        let patience = if is_shaking_hands { idle.min(limits.handshake) } else { idle };
        if limits.lifetime < patience { (limits.lifetime, End::Limit) } else { (patience, End::TimedOut) }
    }

    fn at(&self, now: Duration) -> Timestamp {
        self.accepted.checked_add(now).unwrap_or(self.accepted)
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
            if let Some(output) = self.http.poll(now) {
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
