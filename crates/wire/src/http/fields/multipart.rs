//! `multipart/form-data` (RFC 7578): the names in the parts' headers.

use zeroize::Zeroizing;

use super::{Caught, Names};

/// The longest line that can matter: a boundary has at most 70 octets (RFC 2046, 5.1.1), a header some more.
const LINE_MAX: usize = 512;
const BOUNDARY_MAX: usize = 70;

/// Reads lines; between a boundary line and the next empty line they are headers.
#[derive(Debug)]
pub(in super::super) struct Multipart {
    names: Names,
    pub(super) caught: Caught,
    delimiter: Vec<u8>,
    line: Vec<u8>,
    part: Part,
    in_headers: bool,
    /// Whether a part's content has begun.
    in_content: bool,
}

/// What the headers of a part have said.
#[derive(Debug, Default)]
struct Part {
    name: Vec<u8>,
    /// Whether its content may be an account: a file is none, nor is what is coded (RFC 7578, 4.7, knows no coding).
    is_file_or_coded: bool,
    /// Whether a line of its content has come.
    has_line: bool,
}

impl Multipart {
    /// A reader, if the type's parameters name a boundary.
    pub(super) fn new(parameters: &str, caught: Caught) -> Option<Self> {
        let boundary = parameters.split(';').find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
        })?;
        let delimiter = format!("--{boundary}").into_bytes();
        let fits = (1..=BOUNDARY_MAX).contains(&boundary.len());
        let (names, line, part) = (Names::default(), Vec::new(), Part::default());
        fits.then_some(Self { names, caught, delimiter, line, part, in_headers: false, in_content: false })
    }

    pub(super) fn on_bytes(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut first_value = None;
        for (at, byte) in bytes.iter().enumerate() {
            if self.in_content {
                first_value.get_or_insert(at);
            }
            match byte {
                b'\n' => self.end_line(),
                _ if self.line.len() < LINE_MAX => self.line.push(*byte),
                _ => {}
            }
        }
        first_value
    }

    /// The last boundary needs no end of its line.
    pub(super) fn finish(mut self, is_whole: bool) -> (Names, Caught) {
        if is_whole {
            self.end_line();
        }
        (self.names, self.caught)
    }

    fn end_line(&mut self) {
        let line = Zeroizing::new(std::mem::take(&mut self.line));
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        let behind = line.strip_prefix(self.delimiter.as_slice());
        if matches!(behind, Some(b"" | b"--")) {
            self.caught.end(|value| Some(value.to_vec()));
        }
        if behind == Some(b"") {
            self.part = Part::default();
            (self.in_headers, self.in_content) = (true, false);
        } else if self.in_headers && line.is_empty() {
            (self.in_headers, self.in_content) = (false, true);
            if !self.part.is_file_or_coded {
                self.caught.begin(&self.part.name);
            }
        } else if self.in_headers && line.len() < LINE_MAX {
            self.header(line);
        } else if self.caught.holds() {
            self.content(line);
        }
    }

    /// An account is one line.
    fn content(&mut self, line: &[u8]) {
        if std::mem::replace(&mut self.part.has_line, true) {
            self.caught.cancel();
        } else {
            self.caught.octets(line);
        }
    }

    fn header(&mut self, line: &[u8]) {
        const DISPOSITION: &[u8] = b"content-disposition:";
        const CODING: &[u8] = b"content-transfer-encoding:";
        let begins = |name: &[u8]| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        self.part.is_file_or_coded |= begins(CODING);
        if !begins(DISPOSITION) {
            return;
        }
        let value = &line[DISPOSITION.len()..];
        self.part.is_file_or_coded |= value.to_ascii_lowercase().windows(8).any(|word| word == b"filename");
        if let Some(field) = field_name(value) {
            self.names.add(field);
            self.part.name = field.to_vec();
        }
    }
}

/// `name="…"`, but not `filename="…"`.
fn field_name(disposition: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8] = b"name=\"";
    disposition.split(|b| *b == b';').find_map(|parameter| {
        let value = parameter.trim_ascii().strip_prefix(NAME)?;
        value.strip_suffix(b"\"")
    })
}
