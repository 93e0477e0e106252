//! What can be said of octets that begin like no protocol: fields of a form, text, or neither; and JSON.

use super::{Looks, Match};

/// The shape of octets that no matcher took.
pub(super) fn of(first: &[u8]) -> Looks {
    let is_text = |b: &u8| b.is_ascii_graphic() || b.is_ascii_whitespace() || *b >= 0x80;
    let is_form = || first.contains(&b'=') && first.iter().all(|b| b.is_ascii_graphic() || b" \r\n".contains(b));
    match first {
        [] => Looks::Silent,
        _ if is_form() => Looks::Form,
        _ if first.iter().all(is_text) => Looks::Text,
        _ => Looks::Binary,
    }
}

/// An object or array, told by its first two signs. `[` and a digit may be the time in a line of a log.
pub(super) fn json(first: &[u8]) -> Match {
    let mut signs = first.iter().filter(|b| !b.is_ascii_whitespace());
    match (signs.next(), signs.next()) {
        (None, _) => Match::NotYet,
        (Some(b'{' | b'['), None) => Match::NotYet,
        (Some(b'{'), Some(b'"' | b'}')) | (Some(b'['), Some(b'{' | b'[' | b'"' | b']')) => Match::Yes,
        _ => Match::No,
    }
}
