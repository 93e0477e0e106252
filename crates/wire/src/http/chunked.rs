//! Chunked bodies (RFC 9112, 7.1): content without its framing. Extensions and trailers are read and dropped.

use crate::oddity::Oddity;

/// The longest line with a chunk's size, extensions included.
const SIZE_LINE_MAX: usize = 4096;
/// The most octets of trailers.
const TRAILERS_MAX: usize = 8192;

/// Where in the framing the next octet stands.
#[derive(Debug, Default)]
pub(super) struct Chunked {
    at: At,
    size: u64,
    /// Octets of the current size line, or of all trailers.
    line: usize,
    /// Whether the size line has a digit.
    has_digit: bool,
    /// Whether the current trailer line has anything on it.
    has_text: bool,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum At {
    #[default]
    Size,
    Extension,
    Data,
    DataEnd,
    Trailers,
    Done,
}

impl Chunked {
    pub(super) fn is_done(&self) -> bool {
        self.at == At::Done
    }

    /// Takes octets up to the body's end; says how many, and hands on what is content.
    pub(super) fn on_bytes(&mut self, bytes: &[u8], mut content: impl FnMut(&[u8])) -> Result<usize, Oddity> {
        let mut taken = 0;
        while taken < bytes.len() && !self.is_done() {
            if self.at == At::Data {
                let run = usize::try_from(self.size).unwrap_or(usize::MAX).min(bytes.len() - taken);
                content(&bytes[taken..taken + run]);
                self.size -= run as u64;
                taken += run;
                if self.size == 0 {
                    self.at = At::DataEnd;
                }
            } else {
                self.on_framing(bytes[taken])?;
                taken += 1;
            }
        }
        Ok(taken)
    }

    fn on_framing(&mut self, byte: u8) -> Result<(), Oddity> {
        match self.at {
            At::Size => self.on_size(byte)?,
            At::Extension if byte == b'\n' => self.end_size_line()?,
            At::Extension => self.count_line(SIZE_LINE_MAX, Oddity::Chunk)?,
            At::DataEnd if byte == b'\n' => self.at = At::Size,
            At::DataEnd if byte == b'\r' => {}
            At::DataEnd => return Err(Oddity::Chunk),
            At::Trailers => self.on_trailer(byte)?,
            At::Data | At::Done => {}
        }
        Ok(())
    }

    fn on_size(&mut self, byte: u8) -> Result<(), Oddity> {
        self.count_line(SIZE_LINE_MAX, Oddity::Chunk)?;
        match (byte as char).to_digit(16) {
            Some(digit) => {
                let size = self.size.checked_mul(16).and_then(|size| size.checked_add(digit.into()));
                self.size = size.ok_or(Oddity::Chunk)?;
                self.has_digit = true;
            }
            None if byte == b'\n' => self.end_size_line()?,
            None if matches!(byte, b'\r' | b';' | b' ' | b'\t') => self.at = At::Extension,
            None => return Err(Oddity::Chunk),
        }
        Ok(())
    }

    fn end_size_line(&mut self) -> Result<(), Oddity> {
        if !self.has_digit {
            return Err(Oddity::Chunk);
        }
        self.at = if self.size == 0 { At::Trailers } else { At::Data };
        self.line = 0;
        self.has_digit = false;
        Ok(())
    }

    fn on_trailer(&mut self, byte: u8) -> Result<(), Oddity> {
        self.count_line(TRAILERS_MAX, Oddity::TrailersTooLong)?;
        match byte {
            b'\n' if !self.has_text => self.at = At::Done,
            b'\n' => self.has_text = false,
            b'\r' => {}
            _ => self.has_text = true,
        }
        Ok(())
    }

    fn count_line(&mut self, max: usize, oddity: Oddity) -> Result<(), Oddity> {
        self.line += 1;
        if self.line > max { Err(oddity) } else { Ok(()) }
    }
}
