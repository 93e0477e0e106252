//! A head that came as fields, as HTTP/2 brings it, without its secrets.
//!
//! Fields have no lines, so nothing in them may make one: a value with CR, LF or NUL in it is hidden whole, as is the
//! line of a name that is none. What stays is written as the text that HTTP/1 would have had, so that whoever reads
//! heads reads one form.

use super::head::{FirstLine, METHOD_OCTETS_MAX, RedactedHead, is_known_method, redact_target};
use super::{Redacted, SecretKind};
use crate::oddity::{Oddity, note};

impl RedactedHead {
    /// Of a method and a target, either of them empty if it did not come, and of headers in the order sent.
    pub(crate) fn of_fields<'a>(
        method: &[u8],
        target: &[u8],
        headers: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Self {
        let mut read = Self::default();
        read.first_of_fields(method, target);
        read.redacted.keep(b"\r\n");
        for (name, value) in headers {
            read.field(name, value);
            read.redacted.keep(b"\r\n");
        }
        read.redacted.keep(b"\r\n");
        read
    }

    fn first_of_fields(&mut self, method: &[u8], target: &[u8]) {
        if !is_known_method(method) {
            note(&mut self.oddities, Oddity::Method);
        }
        if target.iter().any(u8::is_ascii_whitespace) {
            note(&mut self.oddities, Oddity::TargetSpace);
        }
        let out = &mut self.redacted;
        let method = out.span(|out| keep_method(out, method));
        out.keep(b" ");
        let target = out.span(|out| match makes_a_line(target) {
            true => out.hide(SecretKind::QueryValue),
            false => redact_target(out, target),
        });
        out.keep(b" ");
        let version = out.span(|out| out.keep(b"HTTP/2.0"));
        self.first = Some(FirstLine { method, target, version });
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        if makes_a_line(value) {
            note(&mut self.oddities, Oddity::H2FieldOctet);
            return self.header_line(name, b": ", |out| out.hide(SecretKind::HeaderToken));
        }
        self.header_line(name, b": ", |out| super::text::redact_value(out, name, value));
    }
}

fn makes_a_line(text: &[u8]) -> bool {
    text.iter().any(|b| b"\r\n\0".contains(b))
}

/// A method that is a short word is kept, as in HTTP/1.
fn keep_method(out: &mut Redacted, method: &[u8]) {
    let is_word = |b: &u8| b.is_ascii_alphanumeric() || b"-_".contains(b);
    match method.len() <= METHOD_OCTETS_MAX && method.iter().all(is_word) {
        true => out.keep(method),
        false => out.hide(SecretKind::HeaderToken),
    }
}
