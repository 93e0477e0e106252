//! The frame around a letter sent by DATA (RFC 5321, 4.5.2): where it ends, and which dots are not part of it.
//!
//! Only `CRLF . CRLF` ends a letter. Servers that took `LF . LF` and the like for an end let one letter smuggle another
//! past the next server's checks (CVE-2023-51764 and its siblings); here they are an oddity, and text.

use super::letter::LetterReader;
use crate::oddity::{Oddity, note};

pub(super) struct DataReader {
    at: At,
}

/// What stands before the next octet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum At {
    /// CRLF, or the beginning.
    LineStart,
    /// CRLF and a dot.
    Dot,
    /// CRLF, a dot and CR.
    DotCr,
    Text,
    Cr,
    /// LF without CR.
    AfterLf,
    /// A lone LF or CR, and a dot.
    LooseDot,
    Done,
}

impl DataReader {
    pub(super) fn new() -> Self {
        Self { at: At::LineStart }
    }

    pub(super) fn is_done(&self) -> bool {
        self.at == At::Done
    }

    /// Takes octets up to the letter's end, or until the reader is full; says how many.
    pub(super) fn on_bytes(&mut self, bytes: &[u8], letter: &mut LetterReader, oddities: &mut Vec<Oddity>) -> usize {
        let mut taken = 0;
        while taken < bytes.len() && !self.is_done() && !letter.is_full() {
            let rest = &bytes[taken..];
            let run = rest.iter().position(|b| matches!(b, b'\r' | b'\n')).unwrap_or(rest.len());
            if self.at == At::Text && run > 0 {
                letter.on_bytes(&rest[..run]);
                taken += run;
            } else {
                self.at = self.step(rest[0], letter, oddities);
                taken += 1;
            }
        }
        taken
    }

    fn step(&mut self, byte: u8, letter: &mut LetterReader, oddities: &mut Vec<Oddity>) -> At {
        match (self.at, byte) {
            (At::LineStart, b'.') => return At::Dot,
            (At::Dot, b'\r') => return At::DotCr,
            (At::DotCr, b'\n') => return At::Done,
            (At::Dot, b'\n') => note(oddities, Oddity::Smuggling),
            (At::DotCr, _) => {
                note(oddities, Oddity::Smuggling);
                return self.after_cr(byte, letter, oddities);
            }
            (At::LooseDot, b'\r' | b'\n') => note(oddities, Oddity::Smuggling),
            (At::Cr, _) => return self.after_cr(byte, letter, oddities),
            (At::AfterLf, b'.') => {
                letter.on_bytes(b".");
                return At::LooseDot;
            }
            _ => {}
        }
        text(byte, letter, oddities)
    }

    fn after_cr(&mut self, byte: u8, letter: &mut LetterReader, oddities: &mut Vec<Oddity>) -> At {
        if byte == b'\n' {
            letter.on_bytes(b"\r\n");
            return At::LineStart;
        }
        note(oddities, Oddity::LetterBareCr);
        letter.on_bytes(b"\r");
        if byte == b'.' {
            letter.on_bytes(b".");
            return At::LooseDot;
        }
        text(byte, letter, oddities)
    }
}

fn text(byte: u8, letter: &mut LetterReader, oddities: &mut Vec<Oddity>) -> At {
    match byte {
        b'\r' => At::Cr,
        b'\n' => {
            note(oddities, Oddity::LetterBareLf);
            letter.on_bytes(b"\n");
            At::AfterLf
        }
        _ => {
            letter.on_bytes(&[byte]);
            At::Text
        }
    }
}
