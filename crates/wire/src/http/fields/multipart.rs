//! `multipart/form-data` (RFC 7578): the names in the parts' headers.

use super::Names;

/// The longest line that can matter: a boundary has at most 70 octets (RFC 2046, 5.1.1), a header some more.
const LINE_MAX: usize = 512;
const BOUNDARY_MAX: usize = 70;

/// Reads lines; between a boundary line and the next empty line they are headers.
#[derive(Debug)]
pub(in super::super) struct Multipart {
    pub(super) names: Names,
    delimiter: Vec<u8>,
    line: Vec<u8>,
    in_headers: bool,
    /// Whether a part's content has begun.
    in_content: bool,
}

impl Multipart {
    /// A reader, if the type's parameters name a boundary.
    pub(super) fn new(parameters: &str) -> Option<Self> {
        let boundary = parameters.split(';').find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
        })?;
        let delimiter = format!("--{boundary}").into_bytes();
        let fits = (1..=BOUNDARY_MAX).contains(&boundary.len());
        let names = Names::default();
        fits.then_some(Self { names, delimiter, line: Vec::new(), in_headers: false, in_content: false })
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

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        if line == self.delimiter {
            (self.in_headers, self.in_content) = (true, false);
        } else if self.in_headers && line.is_empty() {
            (self.in_headers, self.in_content) = (false, true);
        } else if self.in_headers && line.len() < LINE_MAX {
            self.header(line);
        }
    }

    fn header(&mut self, line: &[u8]) {
        const DISPOSITION: &[u8] = b"content-disposition:";
        let Some((name, value)) = line.split_at_checked(DISPOSITION.len()) else { return };
        if name.eq_ignore_ascii_case(DISPOSITION)
            && let Some(field) = field_name(value)
        {
            self.names.add(field);
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
