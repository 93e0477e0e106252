//! Protocols of octets: known by a number in its place.

use super::{Match, begins, begins_with_any};
use crate::tls::{looks_like_ssl2, looks_like_tls};

/// A list of patterns over the first octets, of which each is one octet's condition.
type Pattern<'a> = &'a [fn(u8) -> bool];

/// Whether each octet so far fits its place.
fn fits(first: &[u8], pattern: Pattern<'_>) -> Match {
    let is_fit = first.iter().zip(pattern).all(|(octet, fits)| fits(*octet));
    match is_fit {
        false => Match::No,
        true if first.len() >= pattern.len() => Match::Yes,
        true => Match::NotYet,
    }
}

fn any(_: u8) -> bool {
    true
}

//----------- TLS and its kin --------------------------------------------------------------------------------------

pub(super) fn tls(first: &[u8]) -> Match {
    match first {
        [] => Match::NotYet,
        [_] if looks_like_tls(first) => Match::NotYet,
        _ => Match::when(looks_like_tls(first)),
    }
}

/// Five octets tell; with fewer, the first and the third already may not fit.
pub(super) fn ssl2(first: &[u8]) -> Match {
    const LEAST: usize = 5;
    let may_be = first.first().is_none_or(|b| *b >= 0x80) && first.get(2).is_none_or(|kind| *kind == 1);
    match first.len() < LEAST {
        true if may_be => Match::NotYet,
        true => Match::No,
        false => Match::when(looks_like_ssl2(first)),
    }
}

/// Only a port that expects HTTP sees these in front of something else.
pub(super) fn proxy(first: &[u8]) -> Match {
    begins_with_any(first, &[b"PROXY TCP", b"PROXY UNKNOWN", b"\r\n\r\n\0\r\nQUIT\n"])
}

//----------- Desktops and files -----------------------------------------------------------------------------------

/// TPKT and a connection request of X.224 (MS-RDPBCGR, 2.2.1.1). Industrial controllers are called alike, but with
/// parameters (0xc0 to 0xc2) where RDP has a cookie, a negotiation, or its end.
pub(super) fn rdp(first: &[u8]) -> Match {
    const END_OF_REQUEST: usize = 11;
    let request: Pattern<'_> = &[|b| b == 3, |b| b == 0, any, any, |b| b >= 6, |b| b == 0xe0];
    match fits(first, request) {
        Match::Yes if first[2..4] == [0, END_OF_REQUEST as u8] => Match::Yes,
        Match::Yes => match first.get(END_OF_REQUEST) {
            None => Match::NotYet,
            Some(parameter) => Match::when(!(0xc0..=0xc2).contains(parameter)),
        },
        other => other,
    }
}

/// A session message of NetBIOS (RFC 1002, 4.3.1) with SMB 1, 2 or 3 in it.
pub(super) fn smb(first: &[u8]) -> Match {
    fits(first, &[|b| b == 0, any, any, any, |b| b >= 0xfc, |b| b == b'S', |b| b == b'M', |b| b == b'B'])
}

/// Version 4: connect or bind (socks4.protocol). Version 5: how many methods, then methods (RFC 1928, 3), of which
/// few are in use.
pub(super) fn socks(first: &[u8]) -> Match {
    const METHODS_MAX: u8 = 16;
    fits(first, &[|b| b == 4, |b| b == 1 || b == 2])
        .or(|| fits(first, &[|b| b == 5, |b| (1..=METHODS_MAX).contains(&b), |b| b <= 9 || b >= 0x80]))
}

/// IAC and a wish (RFC 854), before anybody typed a letter.
pub(super) fn telnet(first: &[u8]) -> Match {
    fits(first, &[|b| b == 0xff, |b| (0xfa..=0xfe).contains(&b), |b| b < 0x80])
}

//----------- Messages ---------------------------------------------------------------------------------------------

/// CONNECT: its length in one to four octets, then the protocol's name (MQTT 5.0, 3.1; 3.1 had another).
pub(super) fn mqtt(first: &[u8]) -> Match {
    const LENGTH_OCTETS_MAX: usize = 4;
    match first {
        [] => Match::NotYet,
        [0x10, rest @ ..] => match rest.iter().position(|b| *b < 0x80) {
            Some(at) if at < LENGTH_OCTETS_MAX => begins_with_any(&rest[at + 1..], &[b"\0\x04MQTT", b"\0\x06MQIsdp"]),
            None if rest.len() < LENGTH_OCTETS_MAX => Match::NotYet,
            _ => Match::No,
        },
        _ => Match::No,
    }
}

pub(super) fn bittorrent(first: &[u8]) -> Match {
    begins(first, b"\x13BitTorrent protocol")
}

/// The magic cookie and the two zero bits in front of it (RFC 8489, 5).
pub(super) fn stun(first: &[u8]) -> Match {
    let header: Pattern<'_> =
        &[|b| b < 0x40, any, any, |b| b & 3 == 0, |b| b == 0x21, |b| b == 0x12, |b| b == 0xa4, |b| b == 0x42];
    fits(first, header)
}

/// A client's answer to a greeting: sequence 1, and 23 zeros after its flags and character set (MySQL Internals,
/// HandshakeResponse41).
pub(super) fn mysql(first: &[u8]) -> Match {
    const ZEROS: std::ops::Range<usize> = 13..36;
    let is_so = |(at, octet): (usize, &u8)| match at {
        // No packet this early is longer than 64 KiB.
        2 => *octet == 0,
        3 => *octet == 1,
        _ => !ZEROS.contains(&at) || *octet == 0,
    };
    match first.iter().take(ZEROS.end).enumerate().all(is_so) {
        false => Match::No,
        true if first.len() >= ZEROS.end => Match::Yes,
        true => Match::NotYet,
    }
}

//----------- BER --------------------------------------------------------------------------------------------------

const SEQUENCE: u8 = 0x30;

/// A sequence of a version (0, 1 or 3) and a community, or version 3's header (RFC 1157, 4; RFC 3412, 6).
pub(super) fn snmp(first: &[u8]) -> Match {
    const OCTET_STRING: u8 = 0x04;
    after_sequence(first, |rest| {
        let old: Pattern<'_> = &[|b| b == 2, |b| b == 1, |b| b < 2, |b| b == OCTET_STRING];
        fits(rest, old).or(|| fits(rest, &[|b| b == 2, |b| b == 1, |b| b == 3, |b| b == SEQUENCE]))
    })
}

/// A sequence of a message's number and an operation, whose tag is an application's (RFC 4511, 4.2).
pub(super) fn ldap(first: &[u8]) -> Match {
    after_sequence(first, |rest| {
        let number_octets = match rest {
            [] | [2] => return Match::NotYet,
            [2, len @ 1..=4, ..] => usize::from(*len),
            _ => return Match::No,
        };
        match rest.get(2 + number_octets) {
            None => Match::NotYet,
            Some(tag) => Match::when((0x40..=0x7f).contains(tag)),
        }
    })
}

/// Behind the tag and length of a sequence, whose length may have up to four octets of its own.
fn after_sequence(first: &[u8], then: impl FnOnce(&[u8]) -> Match) -> Match {
    let length_octets = match first {
        [] | [SEQUENCE] => return Match::NotYet,
        [SEQUENCE, 0..=0x7f, ..] => 1,
        [SEQUENCE, long @ 0x81..=0x84, ..] => 1 + usize::from(long & 0x7f),
        _ => return Match::No,
    };
    first.get(1 + length_octets..).map_or(Match::NotYet, then)
}

//----------- DNS --------------------------------------------------------------------------------------------------

/// A query behind its length (RFC 1035, 4.2.2).
pub(super) fn dns_in_stream(first: &[u8]) -> Match {
    match first {
        [high, low, message @ ..] => dns_message(message, usize::from(u16::from_be_bytes([*high, *low]))),
        _ => Match::NotYet,
    }
}

/// A query of `len` octets, of which these are the first: one question, or a question for the server's status; no
/// answer, and no more than two records in each of the other sections.
pub(super) fn dns_message(first: &[u8], len: usize) -> Match {
    const HEADER: usize = 12;
    const STATUS: u8 = 2;
    let is_response = |b: u8| b & 0x80 != 0;
    let opcode = |b: u8| b >> 3 & 0xf;
    let questions = match first.get(2) {
        Some(flags) if opcode(*flags) == STATUS => 0..=1,
        _ => 1..=1,
    };
    let is_so = |(at, octet): (usize, &u8)| match at {
        2 => !is_response(*octet) && opcode(*octet) <= 6,
        5 => questions.contains(octet),
        4 | 6 | 7 | 8 | 10 => *octet == 0,
        9 | 11 => *octet <= 2,
        // The length of the first label.
        HEADER => *octet < 64,
        _ => true,
    };
    let needed = len.min(HEADER + 1);
    match (HEADER..=4_096).contains(&len) && first.iter().take(needed).enumerate().all(is_so) {
        false => Match::No,
        true if first.len() >= needed => Match::Yes,
        true => Match::NotYet,
    }
}
