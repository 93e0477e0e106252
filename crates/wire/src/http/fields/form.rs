//! `application/x-www-form-urlencoded` (WHATWG URL, 5).

use zeroize::Zeroizing;

use super::{Caught, Names};
use crate::secrets::{NAME_OCTETS_MAX, is_plain_name, percent_decoded_once};

/// Percent-coded names are up to three times as long as plain ones.
const CODED_NAME_MAX: usize = 3 * NAME_OCTETS_MAX;

/// Reads `name=value&…`. A name counts once its value has an octet: `cGFzc3dvcmQ=` alone is Base64, not a field.
#[derive(Debug, Default)]
pub(in super::super) struct Form {
    names: Names,
    pub(super) caught: Caught,
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
    pub(super) fn new(caught: Caught) -> Self {
        Self { caught, ..Self::default() }
    }

    /// The last value ends with the body.
    pub(super) fn finish(mut self, is_whole: bool) -> (Names, Caught) {
        if is_whole {
            self.caught.end(decoded);
        }
        (self.names, self.caught)
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

    /// Takes one octet; says whether it is a value's first.
    fn on_byte(&mut self, byte: u8) -> bool {
        match (self.at, byte) {
            (_, b'&') => {
                self.caught.end(decoded);
                self.name.clear();
                self.at = At::Name;
            }
            (At::Name, b'=') => self.at = At::Equals,
            (At::Name, _) if self.name.len() <= CODED_NAME_MAX => self.name.push(byte),
            (At::Value, _) => self.caught.octet(byte),
            (At::Equals, b'=') | (At::Name, _) => {}
            (At::Equals, _) => {
                self.names.add(&self.name);
                self.at = At::Value;
                if is_plain_name(&self.name) {
                    self.caught.begin(&self.name);
                    self.caught.octet(byte);
                }
                return true;
            }
        }
        false
    }
}

fn decoded(value: &[u8]) -> Option<Vec<u8>> {
    let spaced: Zeroizing<Vec<u8>> =
        value.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect::<Vec<u8>>().into();
    Some(percent_decoded_once(&spaced))
}
