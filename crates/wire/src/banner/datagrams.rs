//! Protocols that only datagrams carry. A datagram is whole, so nothing here is ever "not yet".

use super::{Match, begins, octets};

/// DTLS: a handshake record of version 1.0, 1.2 or 1.3 (RFC 9147, 4; versions are counted down from 0xfeff).
pub(super) fn dtls(first: &[u8]) -> Match {
    Match::when(matches!(first, [22, 0xfe, 0xfc..=0xff, ..]))
}

/// QUIC's long header with a version that somebody speaks (RFC 9000, 17.2; RFC 9369; drafts; and what is sent to make
/// a server negotiate, RFC 9000, 15). A connection's id has twenty octets at most.
pub(super) fn quic(first: &[u8]) -> Match {
    const V1: [u8; 4] = [0, 0, 0, 1];
    const V2: [u8; 4] = [0x6b, 0x33, 0x43, 0xcf];
    let [0xc0..=0xff, a, b, c, d, id_octets, ..] = *first else { return Match::No };
    let is_draft = [a, b, c] == [0xff, 0, 0];
    let is_greased = [a, b, c, d].iter().all(|octet| octet & 0x0f == 0x0a);
    let is_known = is_draft || is_greased || [V1, V2].contains(&[a, b, c, d]);
    Match::when(is_known && id_octets <= 20)
}

/// A client's question (RFC 5905, 7.3), or a question of mode 6 or 7, which is how servers were made to amplify.
pub(super) fn ntp(first: &[u8]) -> Match {
    const HEADER: usize = 48;
    let Some(&flags) = first.first() else { return Match::No };
    let (version, mode) = (flags >> 3 & 7, flags & 7);
    let is_question = match mode {
        // A stratum above sixteen is reserved, and is what letters would be.
        1 | 3 => first.len() >= HEADER && first.len().is_multiple_of(4) && first[1] <= 16,
        // A control message has twelve octets, and begins neither a response nor an error.
        6 => first.len() >= 12 && first[1] & 0xe0 == 0 && first[1] != 0,
        // `17 00 03 2a`: implementation 3 is ntpd's, 42 is monlist; older ones have implementation 2.
        7 => first.len() >= 8 && matches!(first[2], 2 | 3) && first[1] & 0x7f == 0,
        _ => false,
    };
    Match::when((1..=4).contains(&version) && is_question)
}

/// Memcached puts eight octets in front: request, sequence 0, a count of 1, and zero.
pub(super) fn memcached(first: &[u8]) -> Match {
    match first {
        [_, _, 0, 0, 0, 1, 0, 0, command @ ..] => super::lines::memcached(command),
        _ => Match::No,
    }
}

/// The DHT speaks dictionaries of bencode (BEP 5); a tracker's first question begins with a number that nobody else
/// has (BEP 15).
pub(super) fn bittorrent(first: &[u8]) -> Match {
    const TRACKER: [u8; 8] = [0, 0, 0x04, 0x17, 0x27, 0x10, 0x19, 0x80];
    begins(first, &TRACKER).or(|| super::begins_with_any(first, &[b"d1:ad2:id20:", b"d1:rd2:id20:"]))
}

pub(super) fn dns(first: &[u8]) -> Match {
    octets::dns_message(first, first.len())
}
