//! `application/x-www-form-urlencoded` (WHATWG URL, 5).

use super::Names;
use crate::secrets::NAME_OCTETS_MAX;

/// Percent-coded names are up to three times as long as plain ones.
const CODED_NAME_MAX: usize = 3 * NAME_OCTETS_MAX;

/// Reads `name=value&…`. A name counts once its value has an octet: `cGFzc3dvcmQ=` alone is Base64, not a field.
#[derive(Debug, Default)]
pub(in super::super) struct Form {
    pub(super) names: Names,
    name: Vec<u8>,
    at: At,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum At {
    #[default]
    Name,
    /// Behind the `=`, with nothing but `=` so far.
    Equals,
    Value,
}

impl Form {
    pub(super) fn on_bytes(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut first_value = None;
        for (at, byte) in bytes.iter().enumerate() {
            if self.on_byte(*byte) {
                first_value.get_or_insert(at);
            }
        }
        first_value
    }

    /// Takes one octet; says whether it is a value's first.
    fn on_byte(&mut self, byte: u8) -> bool {
        match (self.at, byte) {
            (_, b'&') => {
                self.name.clear();
                self.at = At::Name;
            }
            (At::Name, b'=') => self.at = At::Equals,
            (At::Name, _) if self.name.len() <= CODED_NAME_MAX => self.name.push(byte),
            (At::Equals, b'=') | (At::Name | At::Value, _) => {}
            (At::Equals, _) => {
                self.names.add(&self.name);
                self.at = At::Value;
                return true;
            }
        }
        false
    }
}
