//! Reading a packet from front to back, bounded by the packet and by nothing that it says.

use super::{HEADER_OCTETS, NAME_OCTETS_MAX, Oddity, flag};

/// The two upper bits of a length octet: 00 a label, 11 a pointer (RFC 1035, 4.1.4), the rest unassigned.
const LABEL_KIND: u8 = 0xc0;

/// A place in a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    packet: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(packet: &'a [u8]) -> Self {
        Self { packet, at: 0 }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.packet.len()
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let bytes = self.packet.get(self.at..)?.get(..count)?;
        self.at += count;
        Some(bytes)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from(self.u16()?) << 16 | u32::from(self.u16()?))
    }

    /// The question's name in wire form. It stands before every other name, so no pointer in it can be right.
    pub(super) fn question_name(&mut self) -> Result<&'a [u8], Oddity> {
        let start = self.at;
        loop {
            let len = self.u8().ok_or(Oddity::QuestionCut)?;
            match len & LABEL_KIND {
                0 => self.take(usize::from(len)).ok_or(Oddity::QuestionCut)?,
                LABEL_KIND => return Err(Oddity::QuestionPointer),
                _ => return Err(Oddity::QuestionLabel),
            };
            if self.at - start > NAME_OCTETS_MAX {
                return Err(Oddity::QuestionLong);
            }
            if len == 0 {
                return Ok(&self.packet[start..self.at]);
            }
        }
    }

    /// Steps over a record's owner. Says whether it is the root, written plainly; `None` for what is no name.
    ///
    /// Pointers are followed to see that they mean a name. Each leads further to the front than all before it, so that
    /// this ends (RFC 1035, 4.1.4: to a *prior* occurrence).
    pub(super) fn skip_owner(&mut self) -> Option<bool> {
        let start = self.at;
        let (mut front, mut end, mut octets) = (start, None, 0);
        loop {
            let len = self.u8()?;
            match len & LABEL_KIND {
                0 => _ = self.take(usize::from(len))?,
                LABEL_KIND => {
                    let target = usize::from(len & !LABEL_KIND) << 8 | usize::from(self.u8()?);
                    end = end.or(Some(self.at));
                    if target >= front {
                        return None;
                    }
                    (front, self.at) = (target, target);
                    continue;
                }
                _ => return None,
            }
            octets += 1 + usize::from(len);
            if octets > NAME_OCTETS_MAX {
                return None;
            }
            if len == 0 {
                self.at = end.unwrap_or(self.at);
                return Some(self.at - start == 1);
            }
        }
    }

    /// One record, its owner stepped over.
    pub(super) fn record(&mut self) -> Option<RawRecord<'a>> {
        let owner_is_root = self.skip_owner()?;
        let (rtype, class, ttl) = (self.u16()?, self.u16()?, self.u32()?);
        let len = self.u16()?;
        let rdata = self.take(usize::from(len))?;
        Some(RawRecord { owner_is_root, rtype, class, ttl, rdata })
    }
}

/// A record as it stands in a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawRecord<'a> {
    pub(super) owner_is_root: bool,
    pub(super) rtype: u16,
    pub(super) class: u16,
    pub(super) ttl: u32,
    pub(super) rdata: &'a [u8],
}

/// The twelve octets in front (RFC 1035, 4.1.1).
pub(super) struct Header {
    pub(super) id: u16,
    pub(super) flags: u16,
    pub(super) questions: u16,
    pub(super) answers: u16,
    pub(super) authorities: u16,
    pub(super) additionals: u16,
}

impl Header {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut header = Reader::new(reader.take(HEADER_OCTETS)?);
        let (id, flags) = (header.u16()?, header.u16()?);
        let (questions, answers) = (header.u16()?, header.u16()?);
        let (authorities, additionals) = (header.u16()?, header.u16()?);
        Some(Self { id, flags, questions, answers, authorities, additionals })
    }

    pub(super) fn is_response(&self) -> bool {
        self.flags & flag::QR != 0
    }

    pub(super) fn opcode(&self) -> u16 {
        self.flags & flag::OPCODE
    }
}
