//! What a header block asks for: pseudo-headers and headers into a head (RFC 9113, 8.2 and 8.3).
//!
//! A request that breaks a rule of HTTP/2 is malformed (8.1.1): its head is bad, says why, and keeps what it can. Rules
//! that every version of HTTP has are judged where the head is made.

use std::time::Duration;

use super::hpack::Fields;
use crate::http::{self, Head};
use crate::oddity::{Oddity, note};

/// Headers that speak of one connection, which HTTP/2 has frames for (RFC 9113, 8.2.2).
const CONNECTION_HEADERS: [&[u8]; 5] =
    [b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade"];

//----------- Asked ------------------------------------------------------------------------------------------------

/// A request, and the order of its pseudo-headers by their letters.
pub(super) struct Asked {
    pub(super) head: Head,
    pub(super) order: Vec<u8>,
}

impl Asked {
    pub(super) fn read(fields: &Fields, octets: u64, began: Duration) -> Self {
        let mut sorted = Sorted::default();
        for (name, value) in fields.iter() {
            match name.strip_prefix(b":") {
                Some(name) => sorted.pseudo(name, value),
                None => sorted.header(name, value),
            }
        }
        sorted.judge();
        let target = if sorted.is_tunnel() { sorted.pseudo.authority } else { sorted.pseudo.path };
        let fields = http::Fields {
            method: sorted.pseudo.method.unwrap_or_default(),
            target: target.unwrap_or_default(),
            authority: sorted.pseudo.authority,
            headers: sorted.headers,
        };
        let mut head = Head::of_fields(&fields, octets, began);
        sorted.faults.iter().for_each(|fault| head.spoil(*fault));
        Self { head, order: sorted.order }
    }
}

/// What is odd about the fields behind a body: they are read and dropped.
pub(super) fn fault_of_trailers(fields: &Fields) -> Option<Oddity> {
    fields.iter().any(|(name, _)| name.starts_with(b":")).then_some(Oddity::H2PseudoUnknown)
}

//----------- Sorted -----------------------------------------------------------------------------------------------

#[derive(Default)]
struct Sorted<'a> {
    pseudo: Pseudo<'a>,
    order: Vec<u8>,
    headers: Vec<(&'a [u8], &'a [u8])>,
    faults: Vec<Oddity>,
}

#[derive(Default)]
struct Pseudo<'a> {
    method: Option<&'a [u8]>,
    scheme: Option<&'a [u8]>,
    authority: Option<&'a [u8]>,
    path: Option<&'a [u8]>,
    protocol: Option<&'a [u8]>,
}

impl<'a> Sorted<'a> {
    fn fault(&mut self, oddity: Oddity) {
        note(&mut self.faults, oddity);
    }

    fn pseudo(&mut self, name: &[u8], value: &'a [u8]) {
        let (letter, slot) = match name {
            b"method" => (b'm', Some(&mut self.pseudo.method)),
            b"scheme" => (b's', Some(&mut self.pseudo.scheme)),
            b"authority" => (b'a', Some(&mut self.pseudo.authority)),
            b"path" => (b'p', Some(&mut self.pseudo.path)),
            b"protocol" => (b'r', Some(&mut self.pseudo.protocol)),
            _ => (b'?', None),
        };
        self.order.push(letter);
        let fault = match slot {
            None => Some(Oddity::H2PseudoUnknown),
            Some(Some(_)) => Some(Oddity::H2PseudoRepeated),
            Some(slot) => {
                *slot = Some(value);
                None
            }
        };
        fault.into_iter().for_each(|fault| self.fault(fault));
        if !self.headers.is_empty() {
            self.fault(Oddity::H2PseudoLate);
        }
        if has_odd_octet(value) {
            self.fault(Oddity::H2FieldOctet);
        }
    }

    fn header(&mut self, name: &'a [u8], value: &'a [u8]) {
        self.headers.push((name, value));
        if name.iter().any(u8::is_ascii_uppercase) {
            self.fault(Oddity::H2Uppercase);
        }
        if name.is_empty() || name.iter().any(|b| matches!(b, 0..=0x20 | b':' | 0x7f..)) {
            self.fault(Oddity::HeaderName);
        }
        if has_odd_octet(value) {
            self.fault(Oddity::H2FieldOctet);
        }
        let name = name.to_ascii_lowercase();
        if CONNECTION_HEADERS.contains(&&name[..]) || name == b"te" && value != b"trailers" {
            self.fault(Oddity::H2ConnectionHeader);
        }
    }

    /// CONNECT as it always was; its target is an authority (RFC 9113, 8.5).
    fn is_tunnel(&self) -> bool {
        self.pseudo.method == Some(b"CONNECT") && self.pseudo.protocol.is_none()
    }

    /// The rules that need all of it.
    fn judge(&mut self) {
        let Pseudo { method, scheme, authority, path, protocol } = self.pseudo;
        if protocol.is_some() {
            // Only where a server has said that it takes it (RFC 8441, 4), and we never do.
            self.fault(if method == Some(b"CONNECT") { Oddity::H2ExtendedConnect } else { Oddity::H2PseudoUnknown });
        }
        if self.is_tunnel() {
            if scheme.is_some() || path.is_some() {
                self.fault(Oddity::H2PseudoUnknown);
            }
            if authority.is_none() {
                self.fault(Oddity::H2PseudoMissing);
            }
        } else if method.is_none() || scheme.is_none() || path.is_none_or(<[u8]>::is_empty) {
            self.fault(Oddity::H2PseudoMissing);
        }
        let is_host = |(name, value): &(&[u8], &[u8])| name.eq_ignore_ascii_case(b"host") && Some(*value) != authority;
        if authority.is_some() && self.headers.iter().any(is_host) {
            self.fault(Oddity::H2HostDiffers);
        }
    }
}

/// Octets that would make a line elsewhere, or blanks that would vanish there (RFC 9113, 8.2.1).
fn has_odd_octet(value: &[u8]) -> bool {
    value.iter().any(|b| b"\r\n\0".contains(b)) || value.trim_ascii().len() != value.len()
}
