//! Header values: what of them is kept, by the header's name and by what the value looks like.

use super::names::{is_plain_name, secret_behind};
use super::url::{delimiter_at, find_any, may_hold, redact_query, redact_url};
use super::{Redacted, SecretKind};

/// Headers whose value is a URL, a part of one, or a host.
const URL_HEADERS: [&str; 19] = [
    "host",
    "referer",
    "referrer",
    "origin",
    "location",
    "content-location",
    "destination",
    "link",
    "refresh",
    "ping-from",
    "ping-to",
    "soapaction",
    "alt-used",
    "x-original-url",
    "x-rewrite-url",
    "x-forwarded-host",
    "x-forwarded-uri",
    "x-request-uri",
    "x-forwarded-server",
];
/// Authentication schemes that may stand before the credentials (IANA, HTTP Authentication Schemes, and three in use).
const SCHEMES: [&str; 14] = [
    "basic",
    "bearer",
    "digest",
    "negotiate",
    "ntlm",
    "hoba",
    "mutual",
    "oauth",
    "dpop",
    "scram-sha-1",
    "scram-sha-256",
    "vapid",
    "aws4-hmac-sha256",
    "token",
];

/// Appends a header's value without what may be secret.
pub(super) fn redact_value(out: &mut Redacted, name: &[u8], value: &[u8]) {
    let is_named = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
    match secret_behind(name) {
        Some(SecretKind::Cookie) => redact_cookies(out, value),
        Some(SecretKind::Credentials) => redact_credentials(out, value),
        Some(kind) => out.hide_some(kind, value),
        // A boolean of RFC 9651, as browsers send them, is no query.
        None if matches!(value, b"?0" | b"?1") => out.keep(value),
        None if URL_HEADERS.into_iter().any(is_named) => redact_url_and_rest(out, value, true),
        None => redact_text(out, value, !is_named("user-agent")),
    }
}

/// The scheme stays if it is one.
fn redact_credentials(out: &mut Redacted, value: &[u8]) {
    let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(0);
    let scheme = String::from_utf8_lossy(&value[..end]).to_ascii_lowercase();
    let kept = if SCHEMES.contains(&scheme.as_str()) { end + 1 } else { 0 };
    out.keep(&value[..kept]);
    out.hide_some(SecretKind::Credentials, &value[kept..]);
}

/// The names stay. A quoted value may hold the delimiter, so then nothing does.
fn redact_cookies(out: &mut Redacted, value: &[u8]) {
    if value.contains(&b'"') {
        return out.hide(SecretKind::Cookie);
    }
    for (at, pair) in value.split(|b| *b == b';').enumerate() {
        if at > 0 {
            out.keep(b";");
        }
        let blank = pair.iter().take_while(|b| **b == b' ').count();
        out.keep(&pair[..blank]);
        redact_cookie(out, &pair[blank..]);
    }
}

fn redact_cookie(out: &mut Redacted, pair: &[u8]) {
    match pair.iter().position(|b| *b == b'=') {
        Some(at) if is_plain_name(&pair[..at]) && pair[at..].iter().any(|b| *b != b'=') => {
            out.keep(&pair[..=at]);
            out.hide(SecretKind::Cookie);
        }
        _ => out.hide_some(SecretKind::Cookie, pair),
    }
}

//----------- Text -------------------------------------------------------------------------------------------------

/// Any other value: kept up to the first place from which on it may hold a secret.
fn redact_text(out: &mut Redacted, value: &[u8], is_strict: bool) {
    let may_be_credentials = is_strict && value.iter().any(u8::is_ascii_whitespace);
    if !may_be_credentials && !may_hold(value, b"?=:") {
        return out.keep(value);
    }
    let dangers = [
        find_any(value, b"?").map(|(at, len)| (at + len, Danger::Query)),
        secret_pair(value).map(|at| (at, Danger::Value(SecretKind::HeaderToken))),
        is_strict.then(|| credentials(value)).flatten().map(|at| (at, Danger::Value(SecretKind::Credentials))),
        is_strict.then(|| user_and_password(value)).flatten().map(|at| (at, Danger::Value(SecretKind::UserInfo))),
        url(value).map(|at| (at, Danger::Url)),
    ];
    let Some((at, danger)) = dangers.into_iter().flatten().min_by_key(|(at, _)| *at) else {
        return out.keep(value);
    };
    out.keep(&value[..at]);
    match danger {
        Danger::Query => redact_query(out, &value[at..]),
        Danger::Value(kind) => out.hide_some(kind, &value[at..]),
        Danger::Url => redact_url_and_rest(out, &value[at..], is_strict),
    }
}

/// A URL has no blanks, so what stands behind one is text again; unless the URL has a query, whose values may hold
/// anything, blanks of careless senders too.
fn redact_url_and_rest(out: &mut Redacted, value: &[u8], is_strict: bool) {
    let end = match find_any(value, b"?#") {
        Some(_) => value.len(),
        None => value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len()),
    };
    redact_url(out, &value[..end]);
    redact_text(out, &value[end..], is_strict);
}

/// What may stand from some place on.
enum Danger {
    Query,
    Value(SecretKind),
    Url,
}

/// Behind `password=`, `"token":` and their like, percent-coded or not.
fn secret_pair(value: &[u8]) -> Option<usize> {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b"_-.%".contains(&b);
    let mut start = 0;
    for (at, byte) in value.iter().enumerate() {
        if let Some(len) = delimiter_at(&value[at..], b"=:") {
            let word = trimmed(&value[start..at]);
            if secret_behind(word).is_some() {
                return Some(at + len);
            }
            start = at + len;
        } else if let Some(len) = delimiter_at(&value[at..], b"&;,?#/{[") {
            start = at + len;
        } else if !is_word(*byte) && !matches!(byte, b' ' | b'"' | b'\'') {
            start = at + 1;
        }
    }
    None
}

/// The last word, without the blanks and quotes around it.
fn trimmed(text: &[u8]) -> &[u8] {
    let is_blank = |b: &u8| matches!(b, b' ' | b'"' | b'\'');
    let end = text.iter().rposition(|b| !is_blank(b)).map_or(0, |at| at + 1);
    let start = text[..end].iter().rposition(is_blank).map_or(0, |at| at + 1);
    &text[start..end]
}

/// Behind `Bearer ` and the other schemes.
fn credentials(value: &[u8]) -> Option<usize> {
    let mut start = 0;
    for (at, byte) in value.iter().enumerate() {
        if byte.is_ascii_whitespace() {
            let word = String::from_utf8_lossy(&value[start..at]).to_ascii_lowercase();
            if SCHEMES.contains(&word.as_str()) {
                return Some(at + 1);
            }
        }
        if !byte.is_ascii_alphanumeric() && *byte != b'-' {
            start = at + 1;
        }
    }
    None
}

/// Where a word starts that holds `user:password@`, percent-coded or not.
fn user_and_password(value: &[u8]) -> Option<usize> {
    let mut start = 0;
    for word in value.split_inclusive(|b| b.is_ascii_whitespace() || b"\"'<>,;".contains(b)) {
        if let Some((colon, len)) = find_any(word, b":")
            && find_any(&word[colon + len..], b"@").is_some()
        {
            return Some(start);
        }
        start += word.len();
    }
    None
}

/// Where the authority of a URL starts, `//` included, percent-coded or not.
fn url(value: &[u8]) -> Option<usize> {
    (0..value.len()).find_map(|at| {
        let authority = at + delimiter_at(&value[at..], b":")?;
        let second = authority + delimiter_at(&value[authority..], b"/")?;
        delimiter_at(&value[second..], b"/").map(|_| authority)
    })
}
