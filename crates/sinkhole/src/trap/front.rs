//! What stands in front of a conversation: a balancer's header, or first octets that nobody expected.

use std::mem;
use std::time::Duration;

use wire::banner::{FIRST_OCTETS_MAX, FirstBytes, Machine, Step};
use wire::http2::PREFACE;
use wire::oddity::Oddity;
use wire::proxy::{self, HeaderReader};
use wire::smtp::Tls;

use super::conversation::{Conversation, Layer};
use super::ground::Port;
use super::knock::{First, Knock};

/// What begins like this is HTTP/2 or nothing.
const PREFACE_WORD: &[u8] = PREFACE.first_chunk::<4>().expect("the preface is longer");

impl Conversation {
    /// What a port begins with.
    pub(super) fn open(&mut self) {
        self.layer = match self.port {
            Port::Http | Port::Https | Port::Smtps => Layer::Undecided(Vec::new()),
            Port::Any => Layer::Any(Box::default()),
            Port::Smtp => {
                self.greet(Tls::Offered);
                Layer::Plain
            }
        };
    }

    //----- Balancers

    pub(super) fn hear_balancer(&mut self, now: Duration, bytes: &[u8]) {
        let Layer::Balancer(reader) = &mut self.layer else { return };
        match reader.on_bytes(bytes) {
            proxy::Step::More => {}
            proxy::Step::Done { header, rest } => {
                if let Some(destination) = header.destination.filter(|_| !header.is_local) {
                    self.called = destination.ip().to_canonical();
                }
                self.observe(Knock::Proxied(header));
                self.open();
                self.hear(now, &bytes[bytes.len() - rest..]);
            }
            proxy::Step::Refused(oddity) => self.refuse_balancer(oddity),
        }
    }

    /// Nobody knows who called, so nobody is answered.
    fn refuse_balancer(&mut self, oddity: Oddity) {
        let first = First { oddities: vec![oddity], ..First::default() };
        self.observe(Knock::First { first, concern: self.concern(&[]) });
        self.finish();
    }

    pub(super) fn end_balancer(&mut self, reader: &HeaderReader) {
        self.refuse_balancer(reader.on_end());
    }

    //----- First octets

    pub(super) fn hear_first(&mut self, now: Duration, bytes: &[u8]) {
        let Layer::Any(first) = &mut self.layer else { return };
        match first.on_bytes(bytes) {
            Step::Taken { machine: machine @ (Machine::Tls | Machine::Http | Machine::Smtp), rest } => {
                let first = mem::take(&mut **first).into_kept();
                self.take_over(machine, &first);
                self.hear(now, &first);
                self.hear(now, &bytes[bytes.len() - rest..]);
            }
            // Its length goes on being counted, up to what a body may have.
            Step::More | Step::Taken { machine: Machine::None, .. } => {
                if first.came() > self.ground.limits.body_octets_max {
                    self.end(model::outcome::End::Limit);
                }
            }
        }
    }

    fn take_over(&mut self, machine: Machine, first: &[u8]) {
        match machine {
            Machine::Tls => self.layer = Layer::Hello(Box::default()),
            Machine::Smtp => {
                self.layer = Layer::Plain;
                self.greet(Tls::Offered);
            }
            Machine::Http | Machine::None if first.starts_with(PREFACE_WORD) => self.speak_http2(),
            Machine::Http | Machine::None => self.speak_http1(),
        }
    }

    /// Nothing more comes, and no machine took it: what it was like is all there is.
    pub(super) fn observe_first(&mut self, first: FirstBytes, now: Duration) {
        let concern = self.concern(&[]);
        let at = self.at(now);
        let served = concern.zone().filter(|served| served.may_record_content(at));
        let case = served.map(|served| served.zone.coverage().case());
        let keyed_hash = case.and_then(|case| self.ground.keys.hash(case, first.kept()));
        let looks = Some(first.looks());
        let is_cut = first.came() > FIRST_OCTETS_MAX as u64;
        let bytes = if case.is_some() { first.into_kept() } else { Vec::new() };
        let first = First { looks, bytes, keyed_hash, oddities: Vec::new(), is_cut };
        self.observe(Knock::First { first, concern });
    }
}
