//! The header of a letter or of one of its parts (RFC 2045, 5; RFC 2183): what decides how its body is read.
//!
//! Three fields are held, each up to a limit; of a file's name only the extension is told.

use super::transfer::{QuotedPrintable, base64};
use crate::secrets::NAME_OCTETS_MAX;

/// Of one field, folded lines joined. Names of files and boundaries stand well within.
const FIELD_OCTETS_MAX: usize = 2048;
/// RFC 6838, 4.2 has 127 octets for each half of a type, which nothing in use comes near.
const TYPE_OCTETS_MAX: usize = 128;
const EXTENSION_OCTETS_MAX: usize = 16;
/// RFC 2046, 5.1.1.
const BOUNDARY_OCTETS_MAX: usize = 70;

//----------- PartHeader -------------------------------------------------------------------------------------------

#[derive(Default)]
pub(super) struct PartHeader {
    content_type: Vec<u8>,
    encoding: Vec<u8>,
    disposition: Vec<u8>,
    current: Option<Field>,
}

#[derive(Clone, Copy)]
enum Field {
    ContentType,
    Encoding,
    Disposition,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Encoding {
    Plain,
    Base64,
    QuotedPrintable,
}

impl PartHeader {
    /// A new field; the first of a kind counts.
    pub(super) fn field(&mut self, name: &[u8], value: &[u8]) {
        let field = match name.to_ascii_lowercase().as_slice() {
            b"content-type" if self.content_type.is_empty() => Some(Field::ContentType),
            b"content-transfer-encoding" if self.encoding.is_empty() => Some(Field::Encoding),
            b"content-disposition" if self.disposition.is_empty() => Some(Field::Disposition),
            _ => None,
        };
        self.current = field;
        self.continued(value);
    }

    /// More of the field before.
    pub(super) fn continued(&mut self, value: &[u8]) {
        let held = match self.current {
            Some(Field::ContentType) => &mut self.content_type,
            Some(Field::Encoding) => &mut self.encoding,
            Some(Field::Disposition) => &mut self.disposition,
            None => return,
        };
        held.extend_from_slice(&value[..value.len().min(FIELD_OCTETS_MAX - held.len())]);
    }

    pub(super) fn is_multipart(&self) -> bool {
        self.media_type().starts_with("multipart/")
    }

    pub(super) fn boundary(&self) -> Option<Vec<u8>> {
        let boundary = parameters(&self.content_type).find(|(name, _)| name == b"boundary")?.1;
        let boundary = boundary.trim_ascii_end();
        (1..=BOUNDARY_OCTETS_MAX).contains(&boundary.len()).then(|| boundary.to_vec())
    }

    /// Whether the part is a whole message, written as one: no other coding is allowed (RFC 2046, 5.2.1).
    pub(super) fn is_forwarded(&self) -> bool {
        self.media_type() == "message/rfc822" && self.encoding() == Encoding::Plain
    }

    /// Whether the part is a file, or nothing that a person reads as the letter's text.
    pub(super) fn is_attachment(&self) -> bool {
        let media_type = self.media_type();
        let is_text = media_type.is_empty() || media_type.starts_with("text/");
        !is_text || self.is_named() || first_word(&self.disposition).eq_ignore_ascii_case(b"attachment")
    }

    pub(super) fn encoding(&self) -> Encoding {
        match self.encoding.trim_ascii().to_ascii_lowercase().as_slice() {
            b"base64" => Encoding::Base64,
            b"quoted-printable" => Encoding::QuotedPrintable,
            _ => Encoding::Plain,
        }
    }

    /// Type and subtype in lower case, without parameters; empty where there is none that could be one.
    pub(super) fn media_type(&self) -> String {
        let word = first_word(&self.content_type);
        let is_token = |b: &u8| b.is_ascii_alphanumeric() || b"!#$&^_.+-/".contains(b);
        let is_type = word.len() <= TYPE_OCTETS_MAX && word.contains(&b'/') && word.iter().all(is_token);
        if is_type { String::from_utf8_lossy(word).to_ascii_lowercase() } else { String::new() }
    }

    /// Of the file's name, in lower case.
    pub(super) fn extension(&self) -> Option<String> {
        let name = last_word_decoded(self.file_names().last()?);
        let dot = name.iter().rposition(|b| *b == b'.')?;
        let extension = name[dot + 1..].trim_ascii();
        let is_plain =
            (1..=EXTENSION_OCTETS_MAX).contains(&extension.len()) && extension.iter().all(u8::is_ascii_alphanumeric);
        is_plain.then(|| String::from_utf8_lossy(extension).to_ascii_lowercase())
    }

    fn is_named(&self) -> bool {
        self.file_names().next().is_some()
    }

    /// `name` and then `filename`, also in RFC 2231's forms (`filename*`, `filename*1`), of which the last piece holds
    /// the extension.
    fn file_names(&self) -> impl Iterator<Item = Vec<u8>> {
        let is_name = |name: &[u8]| {
            let stem = name.split(|b| *b == b'*').next().unwrap_or_default();
            stem == b"name" || stem == b"filename"
        };
        let all = parameters(&self.content_type).chain(parameters(&self.disposition));
        all.filter(move |(name, _)| is_name(name)).map(|(_, value)| value)
    }
}

/// A name as it is, or the end of one that is written in encoded words (RFC 2047, 2), as many programs do where RFC 2231
/// would have it otherwise.
fn last_word_decoded(name: Vec<u8>) -> Vec<u8> {
    let mut fields = name.rsplit(|b| *b == b'?');
    let (end, text, encoding) = (fields.next(), fields.next(), fields.next());
    let (Some(b"="), Some(text), Some(encoding)) = (end, text, encoding) else { return name };
    let mut decoded = Vec::new();
    match encoding {
        b"B" | b"b" => return base64(text).unwrap_or_default(),
        b"Q" | b"q" => QuotedPrintable::default().decode(text, &mut decoded),
        _ => {}
    }
    decoded
}

fn first_word(value: &[u8]) -> &[u8] {
    value.split(|b| *b == b';').next().unwrap_or_default().trim_ascii()
}

//----------- Parameters -------------------------------------------------------------------------------------------

/// `; name=value; name="value"`: names in lower case, values without quotes.
fn parameters(value: &[u8]) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    let mut rest = value;
    std::iter::from_fn(move || {
        let start = rest.iter().position(|b| *b == b';')?;
        let (name, behind) = split_at_octet(&rest[start + 1..], |b| b"=;".contains(&b));
        let (value, behind) = match behind.strip_prefix(b"=") {
            Some(behind) => read_value(behind.trim_ascii_start()),
            None => (Vec::new(), behind),
        };
        rest = behind;
        let name = name.trim_ascii();
        let name = &name[..name.len().min(NAME_OCTETS_MAX)];
        Some((name.to_ascii_lowercase(), value))
    })
}

fn read_value(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let (value, rest) = split_at_octet(text, |b| b == b';');
        return (value.trim_ascii().to_vec(), rest);
    };
    let mut value = Vec::new();
    let mut octets = quoted.iter().enumerate();
    while let Some((at, octet)) = octets.next() {
        match octet {
            b'"' => return (value, &quoted[at + 1..]),
            b'\\' => value.extend(octets.next().map(|(_, escaped)| *escaped)),
            _ => value.push(*octet),
        }
    }
    (value, &[])
}

fn split_at_octet(text: &[u8], is_end: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|b| is_end(*b)).unwrap_or(text.len()))
}
