//! A request's head without its secrets, however it is built.
//!
//! This reader shares nothing with the parser that decides what a request means: two that disagree on where a line
//! ends are how secrets leak. It takes CRLF, LF and CR alike for the end of a line, and each line for itself: the
//! first must be a plausible request line, each other one a name, a colon and a value; what is not is hidden.

use std::ops::Range;

use super::names::is_header_name;
use super::shape::redact_to_shape;
use super::text::redact_value;
use super::url::redact_url;
use super::{Redacted, SecretKind};
use crate::banner::{Carrier, look};
use crate::oddity::{Oddity, note};

/// Methods that a registry or a product knows (IANA, HTTP Method Registry; the last row is in use without being there).
const METHODS: [&str; 43] = [
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "CONNECT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LABEL",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "OPTIONS",
    "ORDERPATCH",
    "PATCH",
    "POST",
    "PRI",
    "PROPFIND",
    "PROPPATCH",
    "PUT",
    "REBIND",
    "REPORT",
    "SEARCH",
    "TRACE",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
    "QUERY",
    "TRACK",
    "DEBUG",
    "PURGE",
];
/// Room for as many is made at once: browsers send a dozen.
const HEADERS_USUAL: usize = 16;
/// The longest method that is kept where no registry knows it.
pub(super) const METHOD_OCTETS_MAX: usize = 20;

//----------- RedactedHead -----------------------------------------------------------------------------------------

/// A head as it may be kept. Spans point into `redacted.bytes`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RedactedHead {
    pub redacted: Redacted,
    /// `None` if the first line is no request line; the head is then a shape.
    pub first: Option<FirstLine>,
    pub headers: Vec<Header>,
    pub oddities: Vec<Oddity>,
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FirstLine {
    pub method: Range<usize>,
    pub target: Range<usize>,
    /// Empty for HTTP/0.9.
    pub version: Range<usize>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Header {
    pub name: Range<usize>,
    pub value: Range<usize>,
}

/// What came before these bytes on the connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Opening {
    /// Nothing, or a request without a body.
    Fresh,
    /// A body, whose length its sender may have got wrong: what follows may be the rest of it.
    AfterBody,
}

impl RedactedHead {
    pub fn read(head: &[u8], opening: Opening) -> Self {
        let redacted = Redacted { bytes: Vec::with_capacity(head.len()), redactions: Vec::new() };
        let mut read = Self { redacted, headers: Vec::with_capacity(HEADERS_USUAL), ..Self::default() };
        let blank = head.iter().take_while(|b| is_line_end(**b)).count();
        let mut lines = Lines(&head[blank..]);
        let Some((line, end)) = lines.next() else { return read };
        read.redacted.keep(&head[..blank]);
        read.note_line(line, end);
        if !read.first_line(line, opening) {
            read.reduce(head);
            return read;
        }
        read.redacted.keep(end);
        let mut folded_into = SecretKind::HeaderToken;
        let mut is_over = false;
        for (line, end) in lines {
            read.note_line(line, end);
            if is_over {
                // Whoever ends lines by CR alone has a body here, which no parser has told from the head.
                read.redacted.hide_some(SecretKind::BodyValue, line);
            } else {
                folded_into = read.line(line, folded_into);
                read.redacted.keep(end);
            }
            is_over |= line.is_empty();
        }
        read
    }

    /// The value of the first header of this name, without the blanks around it.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let named = |header: &&Header| self.bytes(&header.name).eq_ignore_ascii_case(name.as_bytes());
        self.headers.iter().find(named).map(|header| self.bytes(&header.value))
    }

    pub fn bytes(&self, span: &Range<usize>) -> &[u8] {
        &self.redacted.bytes[span.clone()]
    }

    fn note_line(&mut self, line: &[u8], end: &[u8]) {
        match end {
            b"\n" => note(&mut self.oddities, Oddity::BareLf),
            b"\r" => note(&mut self.oddities, Oddity::BareCr),
            _ => {}
        }
        if line.iter().any(|b| b.is_ascii_control() && *b != b'\t') {
            note(&mut self.oddities, Oddity::ControlByte);
        }
    }

    /// Nothing of it is a request: only what it looks like stays.
    fn reduce(&mut self, head: &[u8]) {
        self.oddities = vec![Oddity::NotHttp, look(head, Carrier::Stream).oddity()];
        self.redacted = Redacted::default();
        redact_to_shape(&mut self.redacted, head);
    }

    //----- The first line

    fn first_line(&mut self, line: &[u8], opening: Opening) -> bool {
        let Some(parts) = RequestLine::split(line) else { return false };
        if !parts.is_plausible(opening) {
            return false;
        }
        if !parts.is_known_method() {
            note(&mut self.oddities, Oddity::Method);
        }
        let out = &mut self.redacted;
        let method = out.span(|out| out.keep(parts.method));
        out.keep(parts.before_target);
        let target = out.span(|out| redact_target(out, parts.target));
        if parts.target.iter().any(u8::is_ascii_whitespace) {
            note(&mut self.oddities, Oddity::TargetSpace);
        }
        out.keep(parts.before_version);
        let version = out.span(|out| out.keep(parts.version));
        out.keep(parts.behind);
        self.first = Some(FirstLine { method, target, version });
        true
    }

    //----- The other lines

    /// Appends one line; returns the kind that a continuation of it would be.
    fn line(&mut self, line: &[u8], folded_into: SecretKind) -> SecretKind {
        let out = &mut self.redacted;
        if line.is_empty() {
            return folded_into;
        }
        if is_blank(&line[0]) {
            note(&mut self.oddities, Oddity::ObsFold);
            let folded = line.trim_ascii_start();
            out.keep(&line[..line.len() - folded.len()]);
            out.hide_some(folded_into, folded);
            return folded_into;
        }
        let Some(colon) = line.iter().position(|b| *b == b':') else {
            note(&mut self.oddities, Oddity::NoColon);
            out.hide(SecretKind::HeaderToken);
            return SecretKind::HeaderToken;
        };
        let (before, after) = (&line[..colon], &line[colon + 1..]);
        let (name, value) = (before.trim_ascii_end(), after.trim_ascii_start());
        if name.len() < before.len() && is_header_name(name) {
            note(&mut self.oddities, Oddity::SpaceBeforeColon);
        }
        let between = &line[name.len()..line.len() - value.len()];
        let before = self.redacted.redactions.len();
        self.header_line(name, between, |out| redact_value(out, name, value));
        self.redacted.redactions.get(before).map_or(SecretKind::HeaderToken, |redaction| redaction.kind)
    }

    /// Appends a header, if the name is one, with what stands between name and value.
    pub(super) fn header_line(&mut self, name: &[u8], between: &[u8], value: impl FnOnce(&mut Redacted)) {
        let out = &mut self.redacted;
        if !is_header_name(name) {
            note(&mut self.oddities, Oddity::HeaderName);
            return out.hide(SecretKind::HeaderToken);
        }
        let name = out.span(|out| out.keep(name));
        out.keep(between);
        let mut value = out.span(value);
        value.end = value.start + out.bytes[value.clone()].trim_ascii_end().len();
        self.headers.push(Header { name, value });
    }
}

/// Whether a registry or a product knows the method.
pub(crate) fn is_known_method(method: &[u8]) -> bool {
    METHODS.iter().any(|known| known.as_bytes() == method)
}

/// The target up to its first blank is a URL; what follows is nobody knows what.
pub(super) fn redact_target(out: &mut Redacted, target: &[u8]) {
    let end = target.iter().position(u8::is_ascii_whitespace).unwrap_or(target.len());
    let (url, rest) = target.split_at(end);
    let behind = rest.trim_ascii_start();
    redact_url(out, url);
    out.keep(&rest[..rest.len() - behind.len()]);
    out.hide_some(SecretKind::QueryValue, behind);
}

//----------- RequestLine ------------------------------------------------------------------------------------------

/// The three parts of a first line, or two of them, with the blanks between and behind them.
struct RequestLine<'a> {
    method: &'a [u8],
    before_target: &'a [u8],
    target: &'a [u8],
    before_version: &'a [u8],
    version: &'a [u8],
    behind: &'a [u8],
}

impl<'a> RequestLine<'a> {
    fn split(line: &'a [u8]) -> Option<Self> {
        let (method, rest) = line.split_at(line.iter().position(is_blank)?);
        let (before_target, rest) = rest.split_at(rest.len() - rest.trim_ascii_start().len());
        let (rest, behind) = rest.split_at(rest.trim_ascii_end().len());
        let (rest, version) = match rest.iter().rposition(is_blank) {
            Some(at) if is_version(&rest[at + 1..]) => rest.split_at(at + 1),
            _ => rest.split_at(rest.len()),
        };
        let (target, before_version) = rest.split_at(rest.trim_ascii_end().len());
        let parts = Self { method, before_target, target, before_version, version, behind };
        (!target.is_empty()).then_some(parts)
    }

    fn is_known_method(&self) -> bool {
        is_known_method(self.method)
    }

    /// Whether somebody meant this as a request. Where a body may have spilled, only what cannot be mistaken counts:
    /// `hunter2GET / HTTP/1.1` is the end of a password and the next request.
    fn is_plausible(&self, opening: Opening) -> bool {
        let is_word = |b: &u8| b.is_ascii_alphanumeric() || b"-_".contains(b);
        let is_method = self.method.len() <= METHOD_OCTETS_MAX
            && self.method.first().is_some_and(u8::is_ascii_alphabetic)
            && self.method.iter().all(is_word);
        if self.version.is_empty() {
            return self.is_known_method() && self.has_plain_target() && opening == Opening::Fresh;
        }
        match opening {
            Opening::Fresh => self.is_known_method() || is_method && self.has_plain_target(),
            Opening::AfterBody => self.is_known_method() && self.has_plain_target(),
        }
    }

    /// Whether the target has one of the four forms (RFC 9112, 3.2).
    fn has_plain_target(&self) -> bool {
        match self.method {
            b"CONNECT" => true,
            _ => self.target.starts_with(b"/") || self.target == b"*" || has_scheme(self.target),
        }
    }
}

/// Whether a target begins with a scheme (RFC 3986, 3.1).
pub(crate) fn has_scheme(target: &[u8]) -> bool {
    let scheme = target.iter().take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)).count();
    scheme > 0 && target[scheme..].starts_with(b":")
}

/// `HTTP/1.1`, and what else speaks like it: `RTSP/1.0`, `HTTP/9`, `SIP/2.0`.
pub(crate) fn is_version(text: &[u8]) -> bool {
    let mut halves = text.splitn(2, |b| *b == b'/');
    let (Some(name), Some(number)) = (halves.next(), halves.next()) else { return false };
    let is_name = (2..=5).contains(&name.len()) && name.iter().all(u8::is_ascii_alphabetic);
    let is_number = (1..=5).contains(&number.len()) && number.iter().all(|b| b.is_ascii_digit() || *b == b'.');
    is_name && is_number
}

//----------- Lines ------------------------------------------------------------------------------------------------

/// Lines with their ends: CRLF, LF, CR, or nothing at the end of the bytes.
struct Lines<'a>(&'a [u8]);

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

impl<'a> Iterator for Lines<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let line = self.0.iter().position(|b| matches!(b, b'\r' | b'\n')).unwrap_or(self.0.len());
        let end = match &self.0[line..] {
            [b'\r', b'\n', ..] => 2,
            [] => 0,
            _ => 1,
        };
        let (whole, rest) = self.0.split_at(line + end);
        self.0 = rest;
        Some(whole.split_at(line))
    }
}
