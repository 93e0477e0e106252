//! From when until when a certificate is valid: two fields of its DER, and nothing else of it.
//!
//! The TLS library reads certificates and does not tell these dates, and a parser of all of X.509 for two of its fields is
//! not worth its size. Whatever is not as RFC 5280 has it gives `None`; no length that is claimed is believed before it
//! is there.

use model::Timestamp;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
/// The version, `[0] EXPLICIT`, which a certificate of version 1 leaves out.
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// `notBefore` and `notAfter` (RFC 5280, 4.1).
pub fn validity(der: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (fields, _) = element(certificate, SEQUENCE)?;
    let rest = element(fields, VERSION).map_or(fields, |(_, rest)| rest);
    let (_serial, rest) = element(rest, INTEGER)?;
    let (_algorithm, rest) = element(rest, SEQUENCE)?;
    let (_issuer, rest) = element(rest, SEQUENCE)?;
    let (validity, _) = element(rest, SEQUENCE)?;
    let (not_before, rest) = time(validity)?;
    let (not_after, _) = time(rest)?;
    (not_before < not_after).then_some((not_before, not_after))
}

/// The content of one element of that tag, and what follows it (X.690, 8.1; DER takes the definite form only).
fn element(from: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = from.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81 | 0x82 => {
            let (octets, rest) = rest.split_at_checked(usize::from(length - 0x80))?;
            (octets.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)), rest)
        }
        // More than 64 KiB is no certificate of ours.
        _ => return None,
    };
    if first == tag { rest.split_at_checked(length) } else { None }
}

/// `YYMMDDHHMMSSZ` until 2049, `YYYYMMDDHHMMSSZ` from then on (RFC 5280, 4.1.2.5).
fn time(from: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (text, rest, century) = match element(from, UTC_TIME) {
        Some((text, rest)) => (text, rest, if *text.first()? < b'5' { "20" } else { "19" }),
        None => element(from, GENERALIZED_TIME).map(|(text, rest)| (text, rest, ""))?,
    };
    let text = format!("{century}{}", std::str::from_utf8(text).ok()?);
    let is_time = text.len() == 15 && text.ends_with('Z') && text.bytes().take(14).all(|digit| digit.is_ascii_digit());
    if !is_time {
        return None;
    }
    let [year, month, day] = [&text[..4], &text[4..6], &text[6..8]];
    let [hour, minute, second] = [&text[8..10], &text[10..12], &text[12..14]];
    let at = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z").parse().ok()?;
    Some((at, rest))
}
