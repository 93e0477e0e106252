//! Puts a ClientHello together from records, however it was cut, without holding more than a hello may have.

use super::hello::ClientHello;
use crate::oddity::{Oddity, note};

/// The longest hello that is read. Post-quantum key shares bring real ones to about 2 KiB.
pub const HELLO_OCTETS_MAX: usize = 16 * 1024;
/// The most octets read for one hello: a peer may put each octet in a record of its own.
const RAW_OCTETS_MAX: usize = HELLO_OCTETS_MAX + 4096;

const HANDSHAKE: u8 = 22;
/// change_cipher_spec, alert, handshake, application_data, heartbeat (IANA, TLS ContentType).
const CONTENT_TYPES: std::ops::RangeInclusive<u8> = 20..=24;
const CLIENT_HELLO: u8 = 1;
const RECORD_HEADER: usize = 5;
const MESSAGE_HEADER: usize = 4;
const SSL2_HEADER: usize = 2;

/// Whether a conversation that starts with these bytes speaks TLS, as far as they go: a hello, or an alert or
/// heartbeat that comes before any.
pub fn looks_like_tls(first: &[u8]) -> bool {
    looks_like_record(first) && first.get(1).is_none_or(|major| *major == 3)
}

/// Whether it is a record of TLS of whatever version. Where TLS is expected, nothing else begins like this.
pub fn looks_like_record(first: &[u8]) -> bool {
    first.first().is_some_and(|kind| CONTENT_TYPES.contains(kind))
}

/// Whether it is a hello in SSL 2.0's form. Needs five octets to tell.
pub fn looks_like_ssl2(first: &[u8]) -> bool {
    matches!(first, [0x80..=0xff, _, CLIENT_HELLO, 0 | 3, 0..=4, ..])
}

//----------- HelloReader ------------------------------------------------------------------------------------------

/// Takes octets until a hello is whole, or cannot become one.
#[derive(Debug, Default)]
pub struct HelloReader {
    /// Every octet taken, for the record and for the TLS library.
    raw: Vec<u8>,
    /// The handshake messages so far, without record headers. Unused for SSL 2.0's form.
    message: Vec<u8>,
    /// Where in `raw` the next record header starts.
    next_record: usize,
    records: usize,
    /// A record was of a version that there is not.
    has_odd_record: bool,
}

/// How far it is.
#[derive(Debug, Eq, PartialEq)]
pub enum Step {
    More,
    /// The hello is read, or as much of it as there will be; `rest` octets of the input were not taken.
    Done {
        hello: Box<ClientHello>,
        rest: usize,
    },
}

impl HelloReader {
    /// Takes octets; what follows the hello is left alone.
    pub fn on_bytes(&mut self, bytes: &[u8]) -> Step {
        for (at, byte) in bytes.iter().enumerate() {
            self.raw.push(*byte);
            if let Some(hello) = self.advance() {
                return Step::Done { hello: Box::new(hello), rest: bytes.len() - at - 1 };
            }
        }
        Step::More
    }

    /// The hello as far as it came.
    pub fn on_end(&mut self) -> ClientHello {
        self.give_up(Oddity::HelloIncomplete)
    }

    /// The octets taken so far.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    pub fn into_raw(self) -> Vec<u8> {
        self.raw
    }

    /// Looks at the octet taken last.
    fn advance(&mut self) -> Option<ClientHello> {
        if looks_like_ssl2(&self.raw) {
            return self.advance_ssl2();
        }
        let in_header = self.raw.len() - self.next_record <= RECORD_HEADER;
        if !in_header {
            self.message.push(*self.raw.last().expect("an octet was just taken"));
        } else if self.raw.len() - self.next_record < RECORD_HEADER {
            return None;
        } else if self.raw[self.next_record] != HANDSHAKE {
            return Some(self.give_up(Oddity::NotHello));
        } else {
            self.records += 1;
            self.has_odd_record |= !matches!(self.raw[self.next_record + 1..], [3, 0..=4, ..]);
        }
        self.finish_record();
        self.finish_message()
    }

    fn finish_record(&mut self) {
        let header = &self.raw[self.next_record..];
        let len = usize::from(u16::from_be_bytes([header[3], header[4]]));
        if header.len() == RECORD_HEADER + len {
            self.next_record = self.raw.len();
        }
    }

    fn finish_message(&mut self) -> Option<ClientHello> {
        if let Some(kind) = self.message.first()
            && *kind != CLIENT_HELLO
        {
            return Some(self.give_up(Oddity::NotHello));
        }
        if self.raw.len() >= RAW_OCTETS_MAX || self.message.len() >= MESSAGE_HEADER + HELLO_OCTETS_MAX {
            return Some(self.give_up(Oddity::HelloTooLong));
        }
        let [_, high, middle, low, body @ ..] = &self.message[..] else { return None };
        let len = usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low);
        (body.len() >= len).then(|| self.parse_partial())
    }

    fn advance_ssl2(&mut self) -> Option<ClientHello> {
        let len = usize::from(u16::from_be_bytes([self.raw[0] & 0x7f, self.raw[1]]));
        if self.raw.len() >= RAW_OCTETS_MAX {
            return Some(self.give_up(Oddity::HelloTooLong));
        }
        (self.raw.len() >= SSL2_HEADER + len).then(|| self.parse_partial())
    }

    fn give_up(&mut self, oddity: Oddity) -> ClientHello {
        let mut hello = self.parse_partial();
        hello.oddities.retain(|known| *known != Oddity::HelloGarbage);
        note(&mut hello.oddities, oddity);
        hello
    }

    fn parse_partial(&mut self) -> ClientHello {
        if looks_like_ssl2(&self.raw) {
            return ClientHello::parse_ssl2(&self.raw[SSL2_HEADER..]);
        }
        let body = match self.message.first() {
            Some(&CLIENT_HELLO) => self.message.get(MESSAGE_HEADER..).unwrap_or_default(),
            _ => &[],
        };
        let mut hello = ClientHello::parse(body);
        if self.records > 1 {
            note(&mut hello.oddities, Oddity::Fragmented);
        }
        if self.has_odd_record {
            note(&mut hello.oddities, Oddity::RecordVersion);
        }
        hello
    }
}
