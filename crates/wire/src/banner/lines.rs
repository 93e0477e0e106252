//! Protocols of words: known by their first line, or by as much of it as is needed.

use super::{Match, begins, begins_with_any};
use crate::secrets::is_known_method;

/// Empty lines that a request may have in front (RFC 9112, 2.2), in octets.
const BLANK_OCTETS_MAX: usize = 16;
/// A word longer than this is no method of anything.
const WORD_OCTETS_MAX: usize = 64;

//----------- HTTP -------------------------------------------------------------------------------------------------

/// The preface (RFC 9113, 3.4), as far as nothing else has it.
pub(super) fn http2(first: &[u8]) -> Match {
    begins(first, b"PRI * HTTP/2")
}

/// A method and a target. A known method and a path are a request at once; otherwise the line's version decides, since
/// SIP, RTSP and many others begin alike.
pub(super) fn http(first: &[u8]) -> Match {
    let blank = first.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    if blank > BLANK_OCTETS_MAX {
        return Match::No;
    }
    match Word::read(&first[blank..]) {
        Word::Open => Match::NotYet,
        Word::None => Match::No,
        Word::Whole { word, rest } => request(word, rest),
    }
}

fn request(method: &[u8], rest: &[u8]) -> Match {
    const WEB: [&[u8]; 2] = [b"http://", b"https://"];
    let is_known = is_known_method(method);
    let is_web = rest.first().map_or(Match::NotYet, |b| Match::when(*b == b'/')).or(|| begins_with_any(rest, &WEB));
    match is_web {
        Match::Yes if is_known => Match::Yes,
        Match::Yes => ends_in_version(rest, b"HTTP/"),
        Match::NotYet => Match::NotYet,
        // `*`, `host:port`, and what nobody can mean.
        Match::No if is_known || rest[0] == b'*' => ends_in_version(rest, b"HTTP/"),
        Match::No => Match::No,
    }
}

/// Whether the line, once it is whole, ends in a version of this protocol.
fn ends_in_version(line: &[u8], protocol: &[u8]) -> Match {
    match first_line(line) {
        None => Match::NotYet,
        Some(line) => {
            let last = line.trim_ascii_end().rsplit(|b| matches!(b, b' ' | b'\t')).next();
            Match::when(last.is_some_and(|version| version.starts_with(protocol)))
        }
    }
}

//----------- Mail, shells, telephones -----------------------------------------------------------------------------

/// A client that does not wait for the greeting; LHLO is the one of local delivery (RFC 2033).
pub(super) fn smtp(first: &[u8]) -> Match {
    command(first, &[b"EHLO", b"HELO", b"LHLO"])
}

pub(super) fn ssh(first: &[u8]) -> Match {
    begins(first, b"SSH-")
}

/// A method, then an address of SIP or a line that ends in its version (RFC 3261, 7.1).
pub(super) fn sip(first: &[u8]) -> Match {
    match Word::read(first) {
        Word::Open => Match::NotYet,
        Word::None => Match::No,
        Word::Whole { word, .. } if !word.iter().all(u8::is_ascii_uppercase) => Match::No,
        Word::Whole { rest, .. } => begins_with_any(rest, &[b"sip:", b"sips:"]).or(|| ends_in_version(rest, b"SIP/")),
    }
}

//----------- Stores -----------------------------------------------------------------------------------------------

/// An array of strings (the Redis serialization protocol), or one of the words that are typed by hand. PING with a
/// word behind it is IRC's.
pub(super) fn redis(first: &[u8]) -> Match {
    array(first).or(|| begins_with_any(first, &[b"PING\r\n", b"INFO\r\n", b"COMMAND\r\n", b"CONFIG GET ", b"SLAVEOF "]))
}

/// `*2\r\n$`: a count of up to six digits, and the first string's length.
fn array(first: &[u8]) -> Match {
    const DIGITS_MAX: usize = 6;
    match first {
        [] => Match::NotYet,
        [b'*', rest @ ..] => {
            let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            match rest.len() == digits {
                _ if digits > DIGITS_MAX => Match::No,
                true => Match::NotYet,
                false if digits == 0 => Match::No,
                false => begins(&rest[digits..], b"\r\n$"),
            }
        }
        _ => Match::No,
    }
}

/// The words of the text protocol, which are in lower case; or a request of the binary one: magic, key length, no
/// extras beyond twenty, data type 0, up to its body's length.
pub(super) fn memcached(first: &[u8]) -> Match {
    const WORDS: [&[u8]; 8] =
        [b"get ", b"gets ", b"set ", b"add ", b"stats\r\n", b"stats ", b"version\r\n", b"flush_all"];
    begins_with_any(first, &WORDS).or(|| binary(first))
}

fn binary(first: &[u8]) -> Match {
    const BODY_LENGTH: usize = 12;
    let is_so = |(at, octet): (usize, &u8)| match at {
        0 => *octet == 0x80,
        1 => *octet <= 0x48,
        // A key has 250 octets at most, and no request of ours is counted in megabytes.
        2 | 5 | 8 => *octet == 0,
        4 => *octet <= 20,
        _ => true,
    };
    match first.iter().take(BODY_LENGTH).enumerate().all(is_so) {
        false => Match::No,
        true if first.len() >= BODY_LENGTH => Match::Yes,
        true => Match::NotYet,
    }
}

//----------- Chat and files ---------------------------------------------------------------------------------------

/// What a client or a bot says first (RFC 2812, 3.1 and 3.7), or what it says on a channel that it thinks it is in.
pub(super) fn irc(first: &[u8]) -> Match {
    const OTHERS: [&[u8]; 6] = [b"CAP LS", b"CAP REQ", b"JOIN #", b"JOIN &", b"PING :", b"PRIVMSG "];
    registration(first).or(|| begins_with_any(first, &OTHERS)).or(|| after_password(first))
}

fn registration(first: &[u8]) -> Match {
    command(first, &[b"NICK"]).or(|| user_of(first, |words| words >= IRC_USER_WORDS))
}

/// Others send a password first too; what follows it tells whose it is.
fn after_password(first: &[u8]) -> Match {
    match begins(first, b"PASS ") {
        Match::Yes => first_line(first).map_or(Match::NotYet, |line| {
            let rest = &first[line.len()..];
            let blank = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
            registration(&rest[blank..])
        }),
        other => other,
    }
}

/// `USER bot 0 * :real name`: four words follow, the last of which may be many.
const IRC_USER_WORDS: usize = 4;

/// USER and a name (RFC 959, 4.1.1), or the wish for TLS before it (RFC 4217, 4).
pub(super) fn ftp(first: &[u8]) -> Match {
    begins_with_any(first, &[b"AUTH TLS\r\n", b"AUTH SSL\r\n"]).or(|| user_of(first, |words| words < IRC_USER_WORDS))
}

/// A line of USER, once it is whole, by the number of words that follow.
fn user_of(first: &[u8], is_so: impl Fn(usize) -> bool) -> Match {
    match command(first, &[b"USER"]) {
        Match::Yes => first_line(first).map_or(Match::NotYet, |line| {
            let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count();
            Match::when(is_so(words.saturating_sub(1)))
        }),
        other => other,
    }
}

//----------- Words ------------------------------------------------------------------------------------------------

/// A line without its end, once that has come.
fn first_line(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().position(|b| matches!(b, b'\r' | b'\n'))?;
    Some(&bytes[..end])
}

/// Whether the first word is one of these, in whatever case, and ended.
fn command(first: &[u8], words: &[&[u8]]) -> Match {
    let one = |word: &[u8]| {
        let common = first.len().min(word.len());
        match first.get(word.len()) {
            _ if !first[..common].eq_ignore_ascii_case(&word[..common]) => Match::No,
            None => Match::NotYet,
            Some(after) => Match::when(after.is_ascii_whitespace()),
        }
    };
    words.iter().fold(Match::No, |found, word| found.or(|| one(word)))
}

/// The first word of a line, and what follows its blank.
enum Word<'a> {
    /// It may go on.
    Open,
    None,
    Whole {
        word: &'a [u8],
        rest: &'a [u8],
    },
}

impl<'a> Word<'a> {
    fn read(first: &'a [u8]) -> Self {
        let len = first.iter().take_while(|b| b.is_ascii_alphanumeric() || b"-_".contains(b)).count();
        match first.get(len) {
            _ if len > WORD_OCTETS_MAX || !first.first().is_none_or(u8::is_ascii_alphabetic) => Self::None,
            None => Self::Open,
            Some(b' ' | b'\t') if len > 0 => Self::Whole { word: &first[..len], rest: &first[len + 1..] },
            Some(_) => Self::None,
        }
    }
}
