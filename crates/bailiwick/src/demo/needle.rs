//! What a secret looks like once somebody has encoded or hashed it, and the search for all of that at once.
//!
//! A password may reach a disk as typed, percent-encoded, in base64 at any of its three alignments, in hexadecimal,
//! HTML- or JSON-escaped, quoted-printable, as UTF-16, or as a plain hash that falls in milliseconds. The demo knows every password
//! that its callers typed, writes each of them in all these ways, and looks for every one of them in one pass.

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sha2::Digest as _;

//----------- Coding -----------------------------------------------------------------------------------------------

/// A way in which a secret may be written.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Coding {
    Raw,
    Url,
    Base64,
    Hex,
    Html,
    Json,
    QuotedPrintable,
    Utf16,
    Md5,
    Sha1,
    Sha256,
}

impl Coding {
    pub(crate) const ALL: [Self; 11] = [
        Self::Raw,
        Self::Url,
        Self::Base64,
        Self::Hex,
        Self::Html,
        Self::Json,
        Self::QuotedPrintable,
        Self::Utf16,
        Self::Md5,
        Self::Sha1,
        Self::Sha256,
    ];

    /// Every byte string that means `secret` in this coding, wherever it may stand in a longer text.
    pub(crate) fn forms(self, secret: &str) -> Vec<Vec<u8>> {
        let bytes = secret.as_bytes();
        match self {
            Self::Raw => vec![bytes.to_vec()],
            Self::Url => url_forms(secret),
            Self::Base64 => base64_forms(bytes),
            Self::Hex => hex_forms(bytes),
            Self::Html => html_forms(secret),
            Self::Json => vec![
                escaped(secret, |c| format!("\\u{:04x}", c as u32)),
                secret.chars().map(|c| format!("\\u{:04x}", c as u32)).collect::<String>().into_bytes(),
                json(secret),
            ],
            // RFC 2045, 6.7: what need not be coded may be.
            Self::QuotedPrintable => vec![
                escaped(secret, |c| percent(c, |byte| format!("={byte:02X}"))),
                secret.bytes().map(|byte| format!("={byte:02X}")).collect::<String>().into_bytes(),
            ],
            Self::Utf16 => {
                let units: Vec<u16> = secret.encode_utf16().collect();
                vec![
                    units.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
                    units.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
                ]
            }
            Self::Md5 => digest_forms(&md5::Md5::digest(bytes)),
            Self::Sha1 => digest_forms(&sha1::Sha1::digest(bytes)),
            Self::Sha256 => digest_forms(&sha2::Sha256::digest(bytes)),
        }
    }
}

/// The characters that encoders treat specially, each replaced by `code`; letters and digits stay.
fn escaped(secret: &str, code: impl Fn(char) -> String) -> Vec<u8> {
    let one = |c: char| if c.is_ascii_alphanumeric() { c.to_string() } else { code(c) };
    secret.chars().map(one).collect::<String>().into_bytes()
}

fn percent(c: char, digits: impl Fn(u8) -> String) -> String {
    c.to_string().bytes().map(digits).collect()
}

fn url_forms(secret: &str) -> Vec<Vec<u8>> {
    let upper = |byte: u8| format!("%{byte:02X}");
    let lower = |byte: u8| format!("%{byte:02x}");
    vec![
        escaped(secret, |c| percent(c, upper)),
        escaped(secret, |c| percent(c, lower)),
        escaped(secret, |c| if c == ' ' { "+".to_owned() } else { percent(c, upper) }),
        secret.bytes().map(upper).collect::<String>().into_bytes(),
        secret.bytes().map(lower).collect::<String>().into_bytes(),
    ]
}

/// Base64 depends on where the secret stands in its text modulo three: the characters that its neighbours share are
/// cut off at both ends.
fn base64_forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for before in 0..3 {
        let padded: Vec<u8> = std::iter::repeat_n(0, before).chain(bytes.iter().copied()).collect();
        let first_own = (before * 8).div_ceil(6);
        let last_own = padded.len() * 8 / 6;
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            forms.push(engine.encode(&padded).as_bytes()[first_own..last_own].to_vec());
        }
    }
    forms
}

fn hex_forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let lower: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![lower.to_uppercase().into_bytes(), lower.into_bytes()]
}

fn html_forms(secret: &str) -> Vec<Vec<u8>> {
    let named = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        other => other.to_string(),
    };
    vec![
        escaped(secret, named),
        escaped(secret, |c| format!("&#{};", c as u32)),
        escaped(secret, |c| format!("&#x{:x};", c as u32)),
    ]
}

fn json(secret: &str) -> Vec<u8> {
    let quoted = serde_json::to_string(secret).expect("a string is JSON");
    quoted.as_bytes()[1..quoted.len() - 1].to_vec()
}

fn digest_forms(digest: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = hex_forms(digest);
    forms.push(digest.to_vec());
    forms.extend(base64_forms(digest));
    forms
}

//----------- Haystack ---------------------------------------------------------------------------------------------

/// Looks for every form of every secret, and remembers where which was found.
pub(crate) struct Search {
    automaton: AhoCorasick,
    /// For each pattern: which secret.
    secret_of: Vec<usize>,
    found: BTreeMap<usize, String>,
}

impl Search {
    pub(crate) fn new(secrets: &[String]) -> Self {
        let mut patterns = Vec::new();
        let mut secret_of = Vec::new();
        for (at, secret) in secrets.iter().enumerate() {
            for form in Coding::ALL.into_iter().flat_map(|coding| coding.forms(secret)) {
                patterns.push(form);
                secret_of.push(at);
            }
        }
        let automaton = AhoCorasick::new(&patterns).expect("some thousand short patterns fit an automaton");
        Self { automaton, secret_of, found: BTreeMap::new() }
    }

    /// Looks through some bytes; `place` is told with what is found there.
    pub(crate) fn look(&mut self, place: &str, bytes: &[u8]) {
        for hit in self.automaton.find_overlapping_iter(bytes) {
            let secret = self.secret_of[hit.pattern().as_usize()];
            self.found.entry(secret).or_insert_with(|| place.to_owned());
        }
    }

    /// The secrets that were found, by number, each with the first place.
    pub(crate) fn found(&self) -> &BTreeMap<usize, String> {
        &self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "aB3&dE6 hI9\"kL";

    fn finds(text: &[u8]) -> bool {
        let mut search = Search::new(&[SECRET.to_owned()]);
        search.look("here", &[b"before ".as_slice(), text, b" after"].concat());
        !search.found().is_empty()
    }

    #[test]
    fn every_coding_is_found_in_the_middle_of_a_text() {
        for coding in Coding::ALL {
            for form in coding.forms(SECRET) {
                assert!(finds(&form), "{coding:?} {}", String::from_utf8_lossy(&form));
            }
        }
    }

    #[test]
    fn base64_is_found_at_every_alignment() {
        for prefix in ["", "u", "us", "user:"] {
            for suffix in ["", "x", "xy"] {
                let text = STANDARD_NO_PAD.encode(format!("{prefix}{SECRET}{suffix}"));
                assert!(finds(text.as_bytes()), "{text}");
            }
        }
    }

    #[test]
    fn known_encodings_and_hashes_are_found() {
        for text in [
            "aB3%26dE6+hI9%22kL",
            "aB3%26dE6%20hI9%22kL",
            "aB3&amp;dE6 hI9&quot;kL",
            "aB3&dE6 hI9\\\"kL",
            "61423326644536206849 39226b4c".replace(' ', "").as_str(),
        ] {
            assert!(finds(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_is_not_the_secret_is_not_found() {
        for text in ["aB3&dE6 hI9\"k", "AB3&DE6 HI9\"KL", "aB3%26dE6", "d41d8cd98f00b204e9800998ecf8427e"] {
            assert!(!finds(text.as_bytes()), "{text}");
        }
    }
}
