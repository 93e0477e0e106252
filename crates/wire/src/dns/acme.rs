//! Proof to a certification authority that a name is ours: TXT at `_acme-challenge` below an apex (RFC 8555, 8.4).
//!
//! Tokens come and go while the server runs, so they are no part of the shared answers: whoever finds the zone brings
//! them along. One certificate covers the apex and everything below, and both proofs stand at the same name.

use super::{class, rtype};

/// The most tokens told at once. An apex needs two, one for itself and one for its wildcard; more are orders in flight.
pub const ACME_TOKENS_MAX: usize = 8;
/// A proof is read once, and the next one must be seen soon.
pub const ACME_TTL_SECS: u32 = 30;

/// base64url of a SHA-256 digest, without padding.
const TOKEN_OCTETS: usize = 43;
const CHALLENGE_LABEL: &[u8] = b"\x0f_acme-challenge";

/// What a challenge's TXT record says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AcmeToken([u8; TOKEN_OCTETS]);

impl AcmeToken {
    /// `None` for what is not a digest in base64url.
    pub fn parse(text: &str) -> Option<Self> {
        let octets: [u8; TOKEN_OCTETS] = text.as_bytes().try_into().ok()?;
        let is_base64url = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
        octets.iter().all(is_base64url).then_some(Self(octets))
    }
}

/// Whether a question below an apex is about the proof: the name's part below the apex is the one label.
pub(super) fn is_challenge(below_apex: &[u8], qtype: u16) -> bool {
    qtype == rtype::TXT && below_apex.eq_ignore_ascii_case(CHALLENGE_LABEL)
}

/// Writes one TXT record per token, owned by the question's name.
pub(super) fn write_tokens(tokens: &[AcmeToken], out: &mut Vec<u8>) {
    const RDATA_OCTETS: u16 = TOKEN_OCTETS as u16 + 1;
    for token in tokens {
        out.extend_from_slice(&[0xc0, 12]);
        out.extend_from_slice(&rtype::TXT.to_be_bytes());
        out.extend_from_slice(&class::IN.to_be_bytes());
        out.extend_from_slice(&ACME_TTL_SECS.to_be_bytes());
        out.extend_from_slice(&RDATA_OCTETS.to_be_bytes());
        out.push(TOKEN_OCTETS as u8);
        out.extend_from_slice(&token.0);
    }
}
