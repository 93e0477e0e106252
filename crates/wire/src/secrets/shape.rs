//! What can be said of bytes that are no request: what they look like, whether they are text, how many about.

use super::{Redacted, SecretKind};
use crate::oddity::Oddity;

/// How the protocols begin that stray to a web server's port.
const OPENINGS: [(&[u8], Oddity); 13] = [
    (b"\x16\x03", Oddity::LooksTls),
    (b"SSH-", Oddity::LooksSsh),
    (b"EHLO ", Oddity::LooksSmtp),
    (b"HELO ", Oddity::LooksSmtp),
    (b"\x03\x00\x00", Oddity::LooksRdp),
    (b"\x00\x00\x00\x85\xffSMB", Oddity::LooksSmb),
    (b"\x00\x00\x00\xa4\xffSMB", Oddity::LooksSmb),
    (b"\x05\x01\x00", Oddity::LooksSocks),
    (b"\x05\x02\x00", Oddity::LooksSocks),
    (b"\x04\x01", Oddity::LooksSocks),
    (b"PROXY TCP", Oddity::LooksProxy),
    (b"PROXY UNKNOWN", Oddity::LooksProxy),
    (b"\r\n\r\n\x00\r\nQUIT\n", Oddity::LooksProxy),
];

/// What these first bytes look like.
pub fn looks_like(bytes: &[u8]) -> Oddity {
    let known = OPENINGS.iter().find(|(opening, _)| bytes.starts_with(opening)).map(|(_, oddity)| *oddity);
    let is_text = |b: &u8| b.is_ascii_graphic() || b.is_ascii_whitespace() || *b >= 0x80;
    let is_form = || bytes.contains(&b'=') && bytes.iter().all(|b| b.is_ascii_graphic() || b" \r\n".contains(b));
    match known {
        Some(oddity) => oddity,
        None if is_form() => Oddity::LooksForm,
        None if bytes.iter().all(is_text) => Oddity::LooksText,
        None => Oddity::LooksBinary,
    }
}

/// Appends a marker and the size to the next power of two, so that no length is told.
pub(super) fn redact_to_shape(out: &mut Redacted, bytes: &[u8]) {
    out.hide(SecretKind::BodyValue);
    out.keep(format!(" at most {} octets", bytes.len().max(16).next_power_of_two()).as_bytes());
}
