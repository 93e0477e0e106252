//! Request targets, references and whatever else is built like a URL (RFC 3986).
//!
//! Kept: scheme, host, path, the names of parameters. Hidden: user-info, every value of a query or fragment, every
//! parameter that is only a value, and `name=value` pairs within a path. Percent-coded delimiters count as delimiters,
//! however often they were coded, because a URL within a URL is the usual way in which a password travels in a Referer.

use super::names::is_plain_name;
use super::{Redacted, SecretKind};

/// Appends a URL, or a reference, or an authority, without what may be secret.
pub(super) fn redact_url(out: &mut Redacted, url: &[u8]) {
    if !may_hold(url, b"?#@=:\\;&") {
        // Nothing that any of the rules below begins with.
        return out.keep(url);
    }
    match find_any(url, b"?#") {
        Some((at, len)) => {
            redact_path(out, &url[..at]);
            out.keep(&url[at..at + len]);
            redact_query(out, &url[at + len..]);
        }
        None => redact_path(out, url),
    }
}

//----------- Query ------------------------------------------------------------------------------------------------

/// Appends a query's names; its values stay outside.
pub(super) fn redact_query(out: &mut Redacted, query: &[u8]) {
    for (at, pair) in query.split(|b| *b == b'&').enumerate() {
        if at > 0 {
            out.keep(b"&");
        }
        redact_pair(out, pair, SecretKind::QueryValue);
    }
}

/// `name=value` keeps its name. A value alone, a name that is none, and a name without a value (which may be Base64
/// with its padding) are hidden whole.
pub(super) fn redact_pair(out: &mut Redacted, pair: &[u8], kind: SecretKind) {
    if let Some((at, len)) = find_any(pair, b"=") {
        let (name, value) = (&pair[..at], &pair[at + len..]);
        if is_plain_name(name) && value.iter().any(|b| *b != b'=') {
            out.keep(&pair[..at + len]);
            out.hide(kind);
            return;
        }
    }
    out.hide_some(kind, pair);
}

//----------- Path -------------------------------------------------------------------------------------------------

fn redact_path(out: &mut Redacted, path: &[u8]) {
    let segments: Vec<&[u8]> = path.split(|b| *b == b'/').flat_map(split_at_backslashes).collect();
    let mut at = 0;
    for (number, segment) in segments.iter().enumerate() {
        if number > 0 {
            out.keep(&path[at..=at]);
            at += 1;
        }
        let is_scheme = number == 0 && segment.ends_with(b":") && segments.len() > 1;
        let is_authority = match number {
            0 => !is_scheme,
            _ => segments[number - 1].is_empty() && number > 1,
        };
        redact_segment(out, segment, is_authority);
        at += segment.len();
    }
}

/// Browsers take a backslash for a slash; programs take `DOMAIN\user` for a user and keep backslashes in values. So
/// where something secret may stand, it ends nothing.
fn split_at_backslashes(segment: &[u8]) -> Vec<&[u8]> {
    match find_any(segment, b"@=:") {
        Some(_) => vec![segment],
        None => segment.split(|b| *b == b'\\').collect(),
    }
}

fn redact_segment(out: &mut Redacted, segment: &[u8], is_authority: bool) {
    let rest = match rfind_any(segment, b"@") {
        Some((at, len)) => {
            out.hide_some(SecretKind::UserInfo, &segment[..at]);
            out.keep(&segment[at..at + len]);
            &segment[at + len..]
        }
        None => segment,
    };
    if is_authority && !has_plain_port(rest) {
        // `//user:pa/ss@host`: the password holds a slash and the grammar calls its first half a port.
        out.hide(SecretKind::UserInfo);
    } else {
        redact_parameters(out, rest);
    }
}

/// Whether what follows a colon is a port. An IPv6 address stands in brackets.
fn has_plain_port(authority: &[u8]) -> bool {
    let after_address = match authority.iter().rposition(|b| *b == b']') {
        Some(at) => &authority[at + 1..],
        None => authority,
    };
    match find_any(after_address, b":") {
        Some((at, len)) => {
            after_address[at + len..].len() <= 5 && after_address[at + len..].iter().all(u8::is_ascii_digit)
        }
        None => true,
    }
}

/// Parameters within a path segment (`;jsessionid=…`): names stay.
fn redact_parameters(out: &mut Redacted, segment: &[u8]) {
    for (at, part) in segment.split_inclusive(|b| *b == b';' || *b == b'&').enumerate() {
        let (part, end) = match part.split_last() {
            Some((b';' | b'&', body)) => (body, &part[body.len()..]),
            _ => (part, &[][..]),
        };
        match find_any(part, b"=") {
            Some(_) => redact_pair(out, part, SecretKind::QueryValue),
            // A `;` within a value ends nothing that we could name.
            None if at > 0 && out.bytes.ends_with(b"};") => out.hide_some(SecretKind::QueryValue, part),
            None => out.keep(part),
        }
        out.keep(end);
    }
}

//----------- Delimiters -------------------------------------------------------------------------------------------

/// The first of these delimiters, plain or percent-coded any number of times: where, and how many octets it takes.
pub(super) fn find_any(bytes: &[u8], delimiters: &[u8]) -> Option<(usize, usize)> {
    (0..bytes.len()).find_map(|at| delimiter_at(&bytes[at..], delimiters).map(|len| (at, len)))
}

/// Whether any of these delimiters may stand there, plain or percent-coded: by one look at each octet.
pub(super) fn may_hold(bytes: &[u8], delimiters: &[u8]) -> bool {
    bytes.iter().any(|b| *b == b'%' || delimiters.contains(b))
}

fn rfind_any(bytes: &[u8], delimiters: &[u8]) -> Option<(usize, usize)> {
    (0..bytes.len()).rev().find_map(|at| delimiter_at(&bytes[at..], delimiters).map(|len| (at, len)))
}

/// `?`, `%3F`, `%3f`, `%253F`, `%25253f`, …
#[inline]
pub(super) fn delimiter_at(bytes: &[u8], delimiters: &[u8]) -> Option<usize> {
    match *bytes.first()? {
        first if delimiters.contains(&first) => Some(1),
        b'%' => coded_at(bytes, delimiters),
        _ => None,
    }
}

fn coded_at(bytes: &[u8], delimiters: &[u8]) -> Option<usize> {
    let mut at = 1;
    while bytes.get(at..at + 2) == Some(b"25") {
        at += 2;
    }
    let code = std::str::from_utf8(bytes.get(at..at + 2)?).ok()?;
    let byte = u8::from_str_radix(code, 16).ok()?;
    delimiters.contains(&byte).then_some(at + 2)
}
