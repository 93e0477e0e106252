//! JA3 and JA4: which program says hello like this.
//!
//! JA3 after the text of Salesforce (github.com/salesforce/ja3, BSD-3-Clause), JA4 after FoxIO's technical details of
//! 2025 (github.com/FoxIO-LLC/ja4, JA4.md, BSD-3-Clause), both written anew and tested against their published values.

use std::fmt::Write;

use md5::Md5;
use sha2::{Digest, Sha256};

use super::hello::ClientHello;

/// JA4 names these two in its first part and so leaves them out of its third.
const SERVER_NAME: u16 = 0x0000;
const ALPN: u16 = 0x0010;
/// What stands for a list without members.
const NOTHING: &str = "000000000000";

/// Values that mean nothing, sent to keep servers tolerant (RFC 8701): 0x0a0a, 0x1a1a, … 0xfafa.
pub fn is_grease(value: u16) -> bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}

//----------- JA3 --------------------------------------------------------------------------------------------------

/// MD5 over version, ciphers, extensions, groups and point formats, in the order sent.
pub fn ja3(hello: &ClientHello) -> String {
    hex(&Md5::digest(ja3_text(hello).as_bytes()))
}

pub(super) fn ja3_text(hello: &ClientHello) -> String {
    let formats: Vec<u16> = hello.point_formats.iter().map(|format| u16::from(*format)).collect();
    let lists = [&hello.ciphers, &hello.extensions, &hello.groups, &formats];
    let mut text = hello.legacy_version.to_string();
    for list in lists {
        text.push(',');
        text.push_str(&joined(list.iter().copied().filter(|v| !is_grease(*v)), "-", |n| n.to_string()));
    }
    text
}

//----------- JA4 --------------------------------------------------------------------------------------------------

/// `t13d1516h2_8daaf6152771_e5627efa2ab1`
pub fn ja4(hello: &ClientHello) -> String {
    let [a, b, c] = ja4_parts(hello);
    format!("{a}_{}_{}", short_hash(&b), short_hash(&c))
}

/// The three parts before hashing: JA4_r, but for the underscore between the last two.
pub(super) fn ja4_parts(hello: &ClientHello) -> [String; 3] {
    let mut ciphers = without_grease(&hello.ciphers);
    let mut extensions = without_grease(&hello.extensions);
    let name = if hello.has_server_name() { 'd' } else { 'i' };
    let [first, last] = alpn_ends(hello.alpn.first().map_or(&[], Vec::as_slice));
    let version = version_code(hello.newest_version());
    let (cipher_count, extension_count) = (ciphers.len().min(99), extensions.len().min(99));
    let a = format!("t{version}{name}{cipher_count:02}{extension_count:02}{first}{last}");

    ciphers.sort_unstable();
    extensions.retain(|kind| *kind != SERVER_NAME && *kind != ALPN);
    extensions.sort_unstable();
    let mut c = codes(&extensions);
    let algorithms = without_grease(&hello.signature_algorithms);
    if !c.is_empty() && !algorithms.is_empty() {
        c.push('_');
        c.push_str(&codes(&algorithms));
    }
    [a, codes(&ciphers), c]
}

fn version_code(version: u16) -> &'static str {
    match version {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        _ => "00",
    }
}

/// The first and last character of the first protocol, or of its hex form if either is no letter or digit.
fn alpn_ends(protocol: &[u8]) -> [char; 2] {
    let (Some(&first), Some(&last)) = (protocol.first(), protocol.last()) else { return ['0', '0'] };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [first.into(), last.into()];
    }
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).expect("a nibble is a hex digit");
    [digit(first >> 4), digit(last & 0xf)]
}

fn short_hash(list: &str) -> String {
    if list.is_empty() {
        return NOTHING.to_owned();
    }
    let mut hash = hex(&Sha256::digest(list.as_bytes()));
    hash.truncate(NOTHING.len());
    hash
}

//----------- Lists ------------------------------------------------------------------------------------------------

fn without_grease(values: &[u16]) -> Vec<u16> {
    values.iter().copied().filter(|value| !is_grease(*value)).collect()
}

fn codes(values: &[u16]) -> String {
    joined(values.iter().copied(), ",", |value| format!("{value:04x}"))
}

fn joined(values: impl Iterator<Item = u16>, between: &str, show: impl Fn(u16) -> String) -> String {
    values.map(show).collect::<Vec<_>>().join(between)
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
    }
    text
}
