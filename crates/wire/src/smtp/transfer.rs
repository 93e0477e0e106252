//! Base64 (RFC 4648) and quoted-printable (RFC 2045, 6.7), undone as they stream by.
//!
//! What is decoded is never held: it goes into a hash, piece by piece. What is deliberately absent: judging what came
//! out, and any other encoding.

/// Base64, octet by octet.
#[derive(Default)]
pub(super) struct Base64 {
    bits: u32,
    digits: u8,
    padded: bool,
    /// Whether something stood there that is no Base64.
    pub(super) broken: bool,
}

impl Base64 {
    /// Appends what these octets decode to. White space counts for nothing (RFC 2045, 6.8).
    pub(super) fn decode(&mut self, coded: &[u8], out: &mut Vec<u8>) {
        for byte in coded {
            match digit(*byte) {
                Some(_) if self.padded => self.broken = true,
                Some(digit) => self.push(digit, out),
                None if *byte == b'=' => self.pad(out),
                None => self.broken |= !byte.is_ascii_whitespace(),
            }
        }
    }

    /// Appends what is left at the end, where the padding is missing.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if self.digits > 0 {
            self.pad(out);
        }
    }

    fn push(&mut self, digit: u32, out: &mut Vec<u8>) {
        self.bits = self.bits << 6 | digit;
        self.digits += 1;
        if self.digits == 4 {
            out.extend_from_slice(&self.bits.to_be_bytes()[1..]);
            self.bits = 0;
            self.digits = 0;
        }
    }

    fn pad(&mut self, out: &mut Vec<u8>) {
        let whole = match self.digits {
            2 => 1,
            3 => 2,
            // The second `=` of two, or one too many.
            0 if self.padded => 0,
            _ => {
                self.broken = true;
                0
            }
        };
        let octets = (self.bits << (6 * (4 - u32::from(self.digits.max(1))))).to_be_bytes();
        out.extend_from_slice(&octets[1..1 + whole]);
        self.padded = true;
        self.bits = 0;
        self.digits = 0;
    }
}

fn digit(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value.into())
}

/// A Base64 text as a whole, or nothing if it is none.
pub(crate) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoder = Base64::default();
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    decoder.decode(text, &mut out);
    decoder.finish(&mut out);
    (!decoder.broken && !text.iter().any(u8::is_ascii_whitespace)).then_some(out)
}

pub(super) fn to_base64(octets: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(octets.len().div_ceil(3) * 4);
    for group in octets.chunks(3) {
        let mut bytes = [0; 4];
        bytes[1..=group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes(bytes);
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at)) as usize & 63];
            text.push(if at > group.len() { '=' } else { digit.into() });
        }
    }
    text
}

//----------- Quoted-printable -------------------------------------------------------------------------------------

#[derive(Default)]
pub(super) struct QuotedPrintable {
    at: At,
    pub(super) broken: bool,
}

#[derive(Clone, Copy, Default)]
enum At {
    #[default]
    Text,
    /// Behind `=`.
    Equals,
    /// Behind `=` and a hexadecimal digit.
    Digit(u8),
    /// Behind `=` and white space or CR: only the end of the line may follow.
    SoftBreak,
}

impl QuotedPrintable {
    pub(super) fn decode(&mut self, coded: &[u8], out: &mut Vec<u8>) {
        for byte in coded {
            self.at = self.step(*byte, out);
        }
    }

    fn step(&mut self, byte: u8, out: &mut Vec<u8>) -> At {
        match (self.at, byte) {
            (At::Text, b'=') => return At::Equals,
            (At::Text, _) => out.push(byte),
            (At::Equals | At::SoftBreak, b'\r' | b' ' | b'\t') => return At::SoftBreak,
            (At::Equals | At::SoftBreak, b'\n') => {}
            (At::Equals, _) => match hex(byte) {
                Some(high) => return At::Digit(high),
                None => self.keep_broken(&[b'=', byte], out),
            },
            (At::SoftBreak, _) => self.keep_broken(&[byte], out),
            (At::Digit(high), _) => match hex(byte) {
                Some(low) => out.push(high << 4 | low),
                None => self.keep_broken(&[byte], out),
            },
        }
        At::Text
    }

    fn keep_broken(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        self.broken = true;
        out.extend_from_slice(octets);
    }
}

fn hex(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
