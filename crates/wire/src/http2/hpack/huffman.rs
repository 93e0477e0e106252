//! The Huffman code of HPACK (RFC 7541, 5.2 and Appendix B).
//!
//! The code is canonical: among codes of one length, a greater symbol has a greater code, and a longer code follows
//! the shorter ones. So the lengths alone say everything, and what is needed to decode is computed from them when this
//! is compiled: 257 symbols and three short arrays, where a table of bytes to states would take a quarter megabyte.

use super::Fault;

/// Appends what `code` stands for, at most `room` octets of it. The shortest code has five bits: without `room` an
/// octet would become 1.6.
pub(super) fn decode(code: &[u8], room: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
    let end = out.len() + room;
    let (mut bits, mut held) = (0u64, 0u32);
    for octet in code {
        bits = bits << 8 | u64::from(*octet);
        held += 8;
        while let Some((symbol, len)) = CANON.first_symbol(bits, held) {
            let octet = u8::try_from(symbol).map_err(|_| Fault::Code)?;
            if out.len() == end {
                return Err(Fault::TooLong);
            }
            out.push(octet);
            held -= len;
            bits &= (1 << held) - 1;
        }
    }
    // The last octet is filled with the most significant bits of EOS, which are ones.
    if held < 8 && bits == (1 << held) - 1 { Ok(()) } else { Err(Fault::Code) }
}

//----------- Canon ------------------------------------------------------------------------------------------------

const SYMBOLS: usize = 257;
const SHORTEST: u32 = 5;
const LONGEST: u32 = 30;

/// Each symbol's length in bits (RFC 7541, Appendix B); the last one is EOS.
#[rustfmt::skip]
const LENGTHS: [u8; SYMBOLS] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28,
    28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15,
    6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22,
    20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23,
    23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22,
    22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26,
    27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27,
    26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

static CANON: Canon = Canon::of(&LENGTHS);

struct Canon {
    /// The first code of each length.
    first: [u32; LONGEST as usize + 1],
    /// One more than the last code of each length.
    end: [u32; LONGEST as usize + 1],
    /// Where the symbols of each length begin.
    begin: [u16; LONGEST as usize + 1],
    /// Ordered by length, then by value.
    symbols: [u16; SYMBOLS],
}

impl Canon {
    const fn of(lengths: &[u8; SYMBOLS]) -> Self {
        let none = [0; LONGEST as usize + 1];
        let mut canon = Self { first: none, end: none, begin: [0; LONGEST as usize + 1], symbols: [0; SYMBOLS] };
        let (mut len, mut code, mut placed) = (1, 0, 0);
        while len <= LONGEST as usize {
            code <<= 1;
            canon.first[len] = code;
            canon.begin[len] = placed as u16;
            let mut symbol = 0;
            while symbol < SYMBOLS {
                if lengths[symbol] as usize == len {
                    canon.symbols[placed] = symbol as u16;
                    placed += 1;
                    code += 1;
                }
                symbol += 1;
            }
            canon.end[len] = code;
            len += 1;
        }
        canon
    }

    /// The symbol with which the low `held` bits begin, and its length; `None` if they are too few.
    fn first_symbol(&self, bits: u64, held: u32) -> Option<(u16, u32)> {
        (SHORTEST..=held.min(LONGEST)).find_map(|len| {
            let code = (bits >> (held - len)) as u32;
            let at = len as usize;
            // No shorter code matched, so this is no less than the first of its length.
            let place = self.begin[at] as usize + code.checked_sub(self.first[at])? as usize;
            (code < self.end[at]).then(|| (self.symbols[place], len))
        })
    }
}
