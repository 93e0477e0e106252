//! Addresses and the paths that hold them (RFC 5321, 4.1.2), read as leniently as the world writes them.
//!
//! An address is somebody's, so it prints nothing of itself; whoever drives the machine hashes it under a key. What is
//! deliberately absent: the route of a source-routed path, which nobody may follow (RFC 5321, appendix F.2).

use std::fmt;

use crate::oddity::{Oddity, note};

/// RFC 5321, 4.5.3.1.3 has 256 octets for a path; twice that is read.
const PATH_OCTETS_MAX: usize = 512;

//----------- Address ----------------------------------------------------------------------------------------------

/// A mailbox, or nobody: the null sender `<>` of a bounce.
#[derive(Clone, Eq, PartialEq)]
pub struct Address {
    normalized: Vec<u8>,
    /// Where the domain starts.
    domain: usize,
}

impl Address {
    /// In lower case, without quotes and the domain's last dot. By the letter (RFC 5321, 2.4) case counts in a local
    /// part; in fact it does not, and one person should be one hash.
    pub fn normalized(&self) -> &[u8] {
        &self.normalized
    }

    /// In lower case, or an address in brackets; empty for `postmaster` and for nobody.
    pub fn domain(&self) -> &[u8] {
        &self.normalized[self.domain..]
    }

    pub fn is_null(&self) -> bool {
        self.normalized.is_empty()
    }

    fn local(&self) -> &[u8] {
        let end = if self.has_domain() { self.domain - 1 } else { self.domain };
        &self.normalized[..end]
    }

    fn has_domain(&self) -> bool {
        self.domain < self.normalized.len()
    }

    /// Each server has this mailbox, with or without a domain (RFC 5321, 4.5.1).
    pub(super) fn is_postmaster(&self) -> bool {
        !self.has_domain() && self.normalized == b"postmaster"
    }

    /// Whether the local part holds another address.
    pub(super) fn has_route(&self) -> bool {
        self.local().iter().any(|b| b"@%!".contains(b))
    }

    fn null() -> Self {
        Self { normalized: Vec::new(), domain: 0 }
    }

    /// Reads `local@domain` or a local part alone.
    fn read(mailbox: &[u8]) -> Option<Self> {
        let at = last_at(mailbox);
        let mut normalized = unquoted(&mailbox[..at.unwrap_or(mailbox.len())])?;
        if let Some(at) = at {
            normalized.push(b'@');
            let domain = normalized.len();
            normalized.extend_from_slice(domain_of(&mailbox[at + 1..])?);
            return Some(Self { normalized, domain }.lowered());
        }
        let domain = normalized.len();
        Some(Self { normalized, domain }.lowered())
    }

    fn lowered(self) -> Self {
        let (local, domain) = self.normalized.split_at(self.domain);
        let mut normalized = lower(local);
        let start = normalized.len();
        normalized.extend(lower(domain));
        Self { normalized, domain: start }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_null() { "Address(null)" } else { "Address(hidden)" })
    }
}

fn lower(bytes: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_lowercase().into_bytes(),
        Err(_) => bytes.to_ascii_lowercase(),
    }
}

/// The last `@` outside of quotes.
fn last_at(mailbox: &[u8]) -> Option<usize> {
    let mut quotes = Quotes::default();
    let mut last = None;
    for (at, byte) in mailbox.iter().enumerate() {
        if !quotes.holds(*byte) && *byte == b'@' {
            last = Some(at);
        }
    }
    last
}

/// A local part, with the quotes of a quoted one undone.
fn unquoted(local: &[u8]) -> Option<Vec<u8>> {
    let inner = match local {
        [b'"', inner @ .., b'"'] => inner,
        [] => return None,
        _ if local.iter().any(|b| b.is_ascii_whitespace() || b"\"<>\\".contains(b)) => return None,
        _ => return Some(local.to_vec()),
    };
    let mut plain = Vec::with_capacity(inner.len());
    let mut octets = inner.iter();
    while let Some(octet) = octets.next() {
        plain.push(if *octet == b'\\' { *octets.next()? } else { *octet });
    }
    (!plain.is_empty()).then_some(plain)
}

/// A host name as far as its octets go, or an address in brackets; without the last dot.
fn domain_of(domain: &[u8]) -> Option<&[u8]> {
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || b"-._".contains(b) || *b >= 0x80;
    let is_literal = |b: &u8| b.is_ascii_alphanumeric() || b"-.:_".contains(b);
    match domain {
        [b'[', literal @ .., b']'] if literal.iter().all(is_literal) => Some(domain),
        _ => {
            let name = domain.strip_suffix(b".").unwrap_or(domain);
            (!name.is_empty() && name.iter().all(is_name)).then_some(name)
        }
    }
}

//----------- Path -------------------------------------------------------------------------------------------------

/// Reads a path at the start of `text`; returns it, if it is one, and what follows it: the parameters.
pub(super) fn read_path<'a>(text: &'a [u8], oddities: &mut Vec<Oddity>) -> (Option<Address>, &'a [u8]) {
    let trimmed = text.trim_ascii_start();
    if trimmed.len() < text.len() {
        note(oddities, Oddity::PathSpace);
    }
    let (path, rest) = match trimmed.strip_prefix(b"<") {
        Some(inner) => match end_of(inner, |b| b == b'>') {
            Some(end) => (&inner[..end], &inner[end + 1..]),
            None => (&[][..], &[][..]),
        },
        None => {
            note(oddities, Oddity::PathNoBrackets);
            trimmed.split_at(end_of(trimmed, |b| b.is_ascii_whitespace()).unwrap_or(trimmed.len()))
        }
    };
    let is_null = trimmed.starts_with(b"<>");
    let address = if is_null { Some(Address::null()) } else { mailbox_of(path, oddities) };
    if address.is_none() || !(rest.is_empty() || rest[0].is_ascii_whitespace()) {
        note(oddities, Oddity::PathForm);
    }
    (address, rest)
}

fn mailbox_of(path: &[u8], oddities: &mut Vec<Oddity>) -> Option<Address> {
    if path.len() > PATH_OCTETS_MAX || path.iter().any(u8::is_ascii_control) {
        return None;
    }
    let mailbox = match end_of(path, |b| b == b':') {
        Some(colon) if path.starts_with(b"@") => {
            note(oddities, Oddity::SourceRoute);
            &path[colon + 1..]
        }
        _ => path,
    };
    Address::read(mailbox)
}

/// Where the first such octet outside of quotes stands.
fn end_of(text: &[u8], is_end: impl Fn(u8) -> bool) -> Option<usize> {
    let mut quotes = Quotes::default();
    text.iter().position(|byte| !quotes.holds(*byte) && is_end(*byte))
}

/// Whether an octet stands within a quoted string.
#[derive(Default)]
struct Quotes {
    within: bool,
    escaped: bool,
}

impl Quotes {
    fn holds(&mut self, byte: u8) -> bool {
        if self.escaped {
            self.escaped = false;
            return true;
        }
        match byte {
            b'\\' => self.escaped = self.within,
            b'"' => self.within = !self.within,
            _ => return self.within,
        }
        true
    }
}
