//! Names: which of them speak of a secret, and which texts are names at all.

use super::SecretKind;

/// The longest parameter or field name that is kept.
pub const NAME_OCTETS_MAX: usize = 64;

/// Anywhere in a name these mean that its value is nobody's business.
const PARTS: [&str; 17] = [
    "auth",
    "token",
    "secret",
    "session",
    "passw",
    "passwd",
    "passphrase",
    "pwd",
    "credential",
    "cookie",
    "csrf",
    "xsrf",
    "jwt",
    "signature",
    "assertion",
    "apikey",
    "key",
];
/// These do as whole words only: `x-ping` has no pin.
const WORDS: [&str; 14] = [
    "pass", "pin", "otp", "sid", "sig", "pw", "user", "username", "login", "account", "email", "mail", "nonce", "code",
];
/// Names that hold one of those words and no secret.
const HARMLESS: [&str; 3] = ["user-agent", "www-authenticate", "sec-fetch-user"];

/// Most headers of most requests. Nothing follows from this list but speed: their names hold none of those words.
const USUAL: [&str; 20] = [
    "host",
    "user-agent",
    "accept",
    "accept-encoding",
    "accept-language",
    "connection",
    "content-length",
    "content-type",
    "referer",
    "origin",
    "cache-control",
    "pragma",
    "upgrade-insecure-requests",
    "sec-fetch-site",
    "sec-fetch-mode",
    "sec-fetch-dest",
    "sec-fetch-user",
    "transfer-encoding",
    "expect",
    "te",
];

/// What kind of secret the value behind this name is, if its name gives it away. Percent-coded names are read.
pub(super) fn secret_behind(name: &[u8]) -> Option<SecretKind> {
    if USUAL.iter().any(|usual| name.eq_ignore_ascii_case(usual.as_bytes())) {
        return None;
    }
    secret_behind_any(name)
}

fn secret_behind_any(name: &[u8]) -> Option<SecretKind> {
    let name = percent_decoded(name).to_ascii_lowercase();
    let text = String::from_utf8_lossy(&name);
    if HARMLESS.contains(&text.as_ref()) {
        return None;
    }
    match text.as_ref() {
        "authorization" | "proxy-authorization" => return Some(SecretKind::Credentials),
        "cookie" | "set-cookie" | "cookie2" | "set-cookie2" => return Some(SecretKind::Cookie),
        _ => {}
    }
    let joined: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let speaks = PARTS.iter().any(|part| joined.contains(part)) || words.any(|word| WORDS.contains(&word));
    speaks.then_some(SecretKind::HeaderToken)
}

/// Whether these octets, percent-decoded, are what programmers name things: short, and of plain characters.
pub fn is_plain_name(name: &[u8]) -> bool {
    let name = percent_decoded(name);
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"_.-[]$:~".contains(b);
    !name.is_empty() && name.len() <= NAME_OCTETS_MAX && name.iter().all(plain)
}

/// Whether these octets are a header's name as the world writes it. RFC 9110 allows more (`!#%&'*+^|`), which in
/// practice is a form's body that landed among headers.
pub(crate) fn is_header_name(name: &[u8]) -> bool {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"_-.".contains(b);
    !name.is_empty() && name.len() <= NAME_OCTETS_MAX && name.iter().all(plain)
}

/// Undoes percent-coding, also where it was done several times; what is no code stays.
pub(super) fn percent_decoded(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = bytes.to_vec();
    // Each round shortens by two octets per code, so a name of 64 octets is done after a few.
    for _ in 0..4 {
        if !decoded.contains(&b'%') {
            break;
        }
        decoded = percent_decoded_once(&decoded);
    }
    decoded
}

pub(crate) fn percent_decoded_once(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        let code = match tail {
            [high, low, ..] if first == b'%' => hex_digit(*high).zip(hex_digit(*low)),
            _ => None,
        };
        match code {
            Some((high, low)) => {
                decoded.push(high << 4 | low);
                rest = &tail[2..];
            }
            None => {
                decoded.push(first);
                rest = tail;
            }
        }
    }
    decoded
}

fn hex_digit(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_hold_no_secret_by_the_rule_either() {
        for name in USUAL {
            assert_eq!(secret_behind_any(name.as_bytes()), None, "{name}");
        }
    }
}
