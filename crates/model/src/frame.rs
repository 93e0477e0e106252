//! The bytes that contacts, outcomes and counts become: fields of (tag, value), as protobuf writes them.
//!
//! Two wire types are used, varint (0) and length-delimited (2), so any protobuf tool can read a frame
//! (`protoc --decode_raw`). A tag is never used again for something else; a reader skips tags that it does not know,
//! so an old program reads new frames and a new program old ones. The golden files in `tests/golden` say so.
//!
//! Reading is bounded by the slice: no length is trusted, nothing is allocated by what a length says.

/// Why bytes are no frame.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FrameError {
    #[error("field {0} is missing")]
    Missing(u32),
    #[error("field {0} has a value that it cannot have")]
    Value(u32),
    #[error("the bytes end within a field")]
    Truncated,
    #[error("wire type {0} is not used by frames")]
    WireType(u8),
}

//----------- Writing ----------------------------------------------------------------------------------------------

/// Appends one varint field.
pub fn put_number(out: &mut Vec<u8>, tag: u32, value: u64) {
    put_varint(out, u64::from(tag) << 3);
    put_varint(out, value);
}

/// Appends one length-delimited field.
pub fn put_bytes(out: &mut Vec<u8>, tag: u32, value: &[u8]) {
    put_varint(out, u64::from(tag) << 3 | 2);
    put_varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// Appends one length-delimited field if it is not empty: absence and emptiness are the same.
pub fn put_some(out: &mut Vec<u8>, tag: u32, value: &[u8]) {
    if !value.is_empty() {
        put_bytes(out, tag, value);
    }
}

/// Appends a signed number, zigzag-coded: times before 1970 stay short.
pub fn put_signed(out: &mut Vec<u8>, tag: u32, value: i64) {
    put_number(out, tag, (value << 1 ^ value >> 63).cast_unsigned());
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

//----------- Reading ----------------------------------------------------------------------------------------------

/// One field's value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    pub fn number(self, tag: u32) -> Result<u64, FrameError> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Bytes(_) => Err(FrameError::Value(tag)),
        }
    }

    /// A number that fits a smaller type.
    pub fn small<T: TryFrom<u64>>(self, tag: u32) -> Result<T, FrameError> {
        T::try_from(self.number(tag)?).map_err(|_| FrameError::Value(tag))
    }

    pub fn signed(self, tag: u32) -> Result<i64, FrameError> {
        let number = self.number(tag)?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    pub fn bytes(self, tag: u32) -> Result<&'a [u8], FrameError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Number(_) => Err(FrameError::Value(tag)),
        }
    }

    pub fn text(self, tag: u32) -> Result<&'a str, FrameError> {
        std::str::from_utf8(self.bytes(tag)?).map_err(|_| FrameError::Value(tag))
    }
}

/// Walks the fields of a frame.
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn varint(&mut self) -> Result<u64, FrameError> {
        let mut value = 0;
        for (at, &byte) in self.rest.iter().enumerate().take(10) {
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte < 0x80 {
                self.rest = &self.rest[at + 1..];
                return Ok(value);
            }
        }
        Err(FrameError::Truncated)
    }

    fn field(&mut self) -> Result<(u32, Value<'a>), FrameError> {
        let key = self.varint()?;
        let tag = u32::try_from(key >> 3).map_err(|_| FrameError::Truncated)?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            2 => {
                let len = usize::try_from(self.varint()?).map_err(|_| FrameError::Truncated)?;
                let bytes = self.rest.get(..len).ok_or(FrameError::Truncated)?;
                self.rest = &self.rest[len..];
                Value::Bytes(bytes)
            }
            other => return Err(FrameError::WireType(other as u8)),
        };
        Ok((tag, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Value<'a>), FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(number: u64, signed: i64, bytes: Vec<u8>, tag in 1u32..1000) {
            let mut out = Vec::new();
            put_number(&mut out, tag, number);
            put_signed(&mut out, tag + 1, signed);
            put_bytes(&mut out, tag + 2, &bytes);
            let fields: Vec<_> = Fields::new(&out).collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(fields[0], (tag, Value::Number(number)));
            prop_assert_eq!(fields[1].1.signed(0).unwrap(), signed);
            prop_assert_eq!(fields[2], (tag + 2, Value::Bytes(&bytes)));
        }

        #[test]
        fn reading_anything_ends(bytes: Vec<u8>) {
            prop_assert!(Fields::new(&bytes).count() <= bytes.len());
        }
    }
}
