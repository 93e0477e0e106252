//! Reading numbers and vectors from front to back, bounded by the slice and by nothing that it says.

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A vector behind a length of one octet.
    pub(super) fn vector8(&mut self) -> Option<Self> {
        let len = self.u8()?;
        self.take(len.into()).map(Self)
    }

    /// A vector behind a length of two octets.
    pub(super) fn vector16(&mut self) -> Option<Self> {
        let len = self.u16()?;
        self.take(len.into()).map(Self)
    }

    /// The same, or what there is of it; whether it was whole.
    pub(super) fn vector16_or_rest(&mut self) -> Option<(Self, bool)> {
        let len = usize::from(self.u16()?);
        let is_whole = len <= self.0.len();
        self.take(len.min(self.0.len())).map(|content| (Self(content), is_whole))
    }

    /// All that is left, as numbers of two octets; an odd last octet is dropped.
    pub(super) fn numbers(self) -> Vec<u16> {
        self.0.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
    }
}
