//! How a client speaks, apart from what it says: the signature of the program that sends.
//!
//! `EHLO=name,MAIL+SIZE,RCPT*,DATA|crlf|pipelined`: verbs in their order and case, the form of the greeting's argument,
//! names of parameters, `*` for the same again, `?` for what nobody knows; then how lines end, then whether the client
//! waits for answers. Nothing of a name, an address or an unknown verb is in it.

use super::lines::LineEnd;

/// Octets of the commands that are kept, some 64 of them; later ones tell little of the program. A conversation of 1,000
/// commands has at most 500 records, so that all of them together hold less than 256 KiB of this.
const COMMANDS_OCTETS_MAX: usize = 512;
/// Parameters of one command that are kept.
const PARAMETERS_KEPT_MAX: usize = 8;

//----------- Fingerprint ------------------------------------------------------------------------------------------

#[derive(Default)]
pub(super) struct Fingerprint {
    commands: Vec<String>,
    octets: usize,
    is_full: bool,
    has_crlf: bool,
    has_lf: bool,
    is_pipelined: bool,
}

impl Fingerprint {
    pub(super) fn add(&mut self, command: &str) {
        let repeated = format!("{command}*");
        match self.commands.last_mut() {
            _ if self.is_full => {}
            Some(last) if *last == command || *last == repeated => *last = repeated,
            // With its comma and what may become its asterisk.
            _ if self.octets + command.len() + 2 > COMMANDS_OCTETS_MAX => self.is_full = true,
            _ => {
                self.octets += command.len() + 2;
                self.commands.push(command.to_owned());
            }
        }
    }

    pub(super) fn note_end(&mut self, end: LineEnd) {
        match end {
            LineEnd::CrLf => self.has_crlf = true,
            LineEnd::Lf => self.has_lf = true,
        }
    }

    pub(super) fn note_pipelined(&mut self) {
        self.is_pipelined = true;
    }

    pub(super) fn text(&self) -> String {
        let end = match (self.has_crlf, self.has_lf) {
            (true, true) => "mixed",
            (false, true) => "lf",
            (true, false) => "crlf",
            (false, false) => "none",
        };
        let pace = if self.is_pipelined { "pipelined" } else { "waits" };
        format!("{}|{end}|{pace}", self.commands.join(","))
    }
}

/// A command with the names of its parameters, all of them known.
pub(super) fn with_parameters<'a>(verb: &str, names: impl Iterator<Item = &'a [u8]>) -> String {
    let mut text = verb.to_owned();
    for name in names.take(PARAMETERS_KEPT_MAX) {
        text.push('+');
        text.push_str(&String::from_utf8_lossy(name));
    }
    text
}

//----------- Helo -------------------------------------------------------------------------------------------------

/// RFC 1035, 2.3.4.
const HELO_OCTETS_MAX: usize = 255;

/// How a client introduced itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Helo {
    /// By EHLO.
    pub is_extended: bool,
    pub form: HeloForm,
    /// As sent; empty where the form is none, since then it may be anything.
    pub name: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HeloForm {
    /// A host name of several labels.
    Name,
    /// One label: often the name of a desktop.
    Label,
    /// An address in brackets (RFC 5321, 4.1.3).
    Literal,
    /// An IPv4 address without brackets.
    Bare,
    Missing,
    Other,
}

impl Helo {
    pub(super) fn read(is_extended: bool, argument: &[u8]) -> Self {
        let form = HeloForm::of(argument);
        let is_kept = !matches!(form, HeloForm::Missing | HeloForm::Other);
        let name = if is_kept { String::from_utf8_lossy(argument).into_owned() } else { String::new() };
        Self { is_extended, form, name }
    }
}

impl HeloForm {
    /// The word under which fingerprints know it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Label => "label",
            Self::Literal => "literal",
            Self::Bare => "bare",
            Self::Missing => "missing",
            Self::Other => "other",
        }
    }

    fn of(argument: &[u8]) -> Self {
        let is_name = |b: &u8| b.is_ascii_alphanumeric() || b"-._".contains(b);
        let is_literal = |b: &u8| b.is_ascii_alphanumeric() || b"-.:".contains(b);
        match argument {
            [] => Self::Missing,
            _ if argument.len() > HELO_OCTETS_MAX => Self::Other,
            [b'[', inner @ .., b']'] if inner.iter().all(is_literal) => Self::Literal,
            _ if !argument.iter().all(is_name) => Self::Other,
            _ if argument.iter().all(|b| b.is_ascii_digit() || *b == b'.') => Self::Bare,
            _ if argument.contains(&b'.') => Self::Name,
            _ => Self::Label,
        }
    }
}
