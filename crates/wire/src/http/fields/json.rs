//! JSON (RFC 8259): keys, with those above them (`user.password`). Strings that are no keys are not held, but for the
//! account names of whoever asked for those.

mod text;

use text::unescaped;

use super::{Caught, Names};
use crate::secrets::{NAME_OCTETS_MAX, is_plain_name};

/// How deep keys are followed. Deeper objects are values.
pub const JSON_DEPTH_MAX: usize = 16;

/// Reads tokens one octet at a time; at the first contradiction it stops for good.
#[derive(Debug, Default)]
pub(in super::super) struct Json {
    pub(super) names: Names,
    pub(super) caught: Caught,
    /// For each open object or array: its key, if it is an object.
    open: Vec<Level>,
    /// The string being read; only where a key may stand.
    text: Vec<u8>,
    at: At,
}

#[derive(Debug)]
struct Level {
    is_object: bool,
    /// The key whose value is being read, if it is a plain name.
    key: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum At {
    #[default]
    Value,
    /// Where a key must begin, or the object end.
    Key,
    InKey {
        escaped: bool,
    },
    Colon,
    InString {
        escaped: bool,
    },
    /// Within a number or word, or behind a value.
    Behind,
    Stopped,
}

impl Json {
    pub(super) fn new(caught: Caught) -> Self {
        Self { caught, ..Self::default() }
    }

    pub(super) fn on_bytes(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut first_value = None;
        for (at, byte) in bytes.iter().enumerate() {
            if self.on_byte(*byte) {
                first_value.get_or_insert(at);
            }
        }
        first_value
    }

    /// Takes one octet; says whether it belongs to a value.
    fn on_byte(&mut self, byte: u8) -> bool {
        let is_blank = byte.is_ascii_whitespace();
        match (self.at, byte) {
            (At::InString { escaped: false }, b'"') => {
                self.caught.end(unescaped);
                self.at = At::Behind;
            }
            (At::InString { escaped }, _) => {
                self.caught.octet(byte);
                self.at = At::InString { escaped: !escaped && byte == b'\\' };
                return true;
            }
            (At::InKey { escaped: false }, b'"') => self.at = At::Colon,
            (At::InKey { escaped }, _) => {
                if self.text.len() <= NAME_OCTETS_MAX {
                    self.text.push(byte);
                }
                self.at = At::InKey { escaped: !escaped && byte == b'\\' };
            }
            (At::Stopped, _) => return true,
            _ if is_blank => {}
            (At::Key, b'"') => {
                self.text.clear();
                self.at = At::InKey { escaped: false };
            }
            (At::Colon, b':') => self.end_key(),
            (At::Value, b'"') => self.at = At::InString { escaped: false },
            (At::Value, b'{') => self.begin(true),
            (At::Value, b'[') => self.begin(false),
            (At::Value | At::Behind | At::Key, b'}') => self.end(true),
            (At::Value | At::Behind, b']') => self.end(false),
            (At::Behind, b',') => self.next(),
            (At::Value | At::Behind, b'0'..=b'9' | b'a'..=b'z' | b'+' | b'-' | b'.' | b'E') => {
                self.caught.cancel();
                self.at = At::Behind;
                return true;
            }
            _ => {
                self.caught.cancel();
                self.at = At::Stopped;
                return true;
            }
        }
        false
    }

    fn begin(&mut self, is_object: bool) {
        self.caught.cancel();
        self.at = match (self.open.len() < JSON_DEPTH_MAX, is_object) {
            (false, _) => At::Stopped,
            (true, true) => At::Key,
            (true, false) => At::Value,
        };
        self.open.push(Level { is_object, key: None });
    }

    fn end(&mut self, is_object: bool) {
        self.caught.cancel();
        let matches = self.open.pop().is_some_and(|level| level.is_object == is_object);
        self.at = if matches { At::Behind } else { At::Stopped };
    }

    fn next(&mut self) {
        self.at = match self.open.last() {
            Some(level) if level.is_object => At::Key,
            Some(_) => At::Value,
            None => At::Stopped,
        };
    }

    fn end_key(&mut self) {
        let name = is_plain_name(&self.text).then(|| String::from_utf8_lossy(&self.text).into_owned());
        if let Some(level) = self.open.last_mut() {
            level.key.clone_from(&name);
        }
        self.caught.cancel();
        if name.is_some() {
            let path: Vec<&str> = self.open.iter().filter_map(|level| level.key.as_deref()).collect();
            let path = path.join(".");
            self.caught.begin(path.as_bytes());
            self.names.push(path);
        }
        self.at = At::Value;
    }
}
