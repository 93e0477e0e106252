//! Integers with a prefix (RFC 7541, 5.1).
//!
//! The code has no end by itself: a peer may send continuation octets for ever, and values that fit no register. Four
//! of them are read and a fifth is a fault, which bounds every value below 2^28 + 255: more than any length we accept.

use super::Fault;

/// The most octets behind the prefix. Each carries seven bits: 28 bits.
const CONTINUATIONS_MAX: usize = 4;

/// Reads an integer whose prefix is the low `bits` of the first octet; returns what follows it.
pub(super) fn read(bytes: &[u8], bits: u32) -> Result<(usize, &[u8]), Fault> {
    let (first, mut rest) = bytes.split_first().ok_or(Fault::Code)?;
    let full = (1usize << bits) - 1;
    let mut value = usize::from(*first) & full;
    if value < full {
        return Ok((value, rest));
    }
    for place in 0..CONTINUATIONS_MAX {
        let (octet, behind) = rest.split_first().ok_or(Fault::Code)?;
        rest = behind;
        value += usize::from(octet & 0x7f) << (7 * place);
        if octet & 0x80 == 0 {
            return Ok((value, rest));
        }
    }
    Err(Fault::Code)
}

/// Appends an integer behind the `flags` that share its first octet.
pub(super) fn write(out: &mut Vec<u8>, value: usize, bits: u32, flags: u8) {
    let full = (1u8 << bits) - 1;
    match u8::try_from(value).ok().filter(|value| *value < full) {
        Some(value) => out.push(flags | value),
        None => {
            out.push(flags | full);
            write_rest(out, value - usize::from(full));
        }
    }
}

fn write_rest(out: &mut Vec<u8>, mut left: usize) {
    while left >= 0x80 {
        out.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}
