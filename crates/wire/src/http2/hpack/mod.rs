//! HPACK (RFC 7541): a block of octets and a table into the fields that the peer meant, within hard limits.
//!
//! Header compression is where one small packet becomes much memory, so each limit is checked while the octets are
//! decoded and not afterwards: 16 KiB of Huffman code or of indices never become more than what a head may have. What
//! was decoded before a fault stays: it is evidence.
//!
//! What is deliberately absent: an encoder. We answer with literals that touch no table (see [`literal`]), so that no
//! answer depends on what was said before, and there is nothing to learn from an answer's length (CRIME).

mod huffman;
mod integer;
mod tables;

pub(super) use tables::TABLE_OCTETS_MAX;
use tables::Tables;

/// What a field costs beside its octets (RFC 7541, 4.1).
pub(super) const FIELD_OVERHEAD: usize = 32;

//----------- Decoder ----------------------------------------------------------------------------------------------

/// The decoding side of one connection.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    tables: Tables,
}

/// Why a block cannot be read to its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    /// It breaks the code: a connection error, because the tables on both sides differ from here on.
    Code,
    /// The fields are longer than what is read of a head.
    TooLong,
    TooMany,
}

/// What may come out of one block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// By the size of RFC 7541, 4.1: each field costs [`FIELD_OVERHEAD`] more than its octets.
    pub(super) octets_max: usize,
    pub(super) fields_max: usize,
}

impl Decoder {
    /// Reads a whole block. After a fault `fields` holds what stood before it, and no other block may follow.
    pub(super) fn read(&mut self, block: &[u8], room: Room, fields: &mut Fields) -> Result<(), Fault> {
        let mut rest = block;
        let mut may_resize = true;
        while let Some(first) = rest.first().copied() {
            rest = match first {
                0x80.. => self.indexed(rest, room, fields)?,
                0x40..0x80 => self.literal(rest, 6, room, fields)?,
                0x20..0x40 => self.resize(rest, may_resize)?,
                _ => self.literal(rest, 4, room, fields)?,
            };
            may_resize &= first & 0xe0 == 0x20;
        }
        Ok(())
    }

    /// RFC 7541, 6.1.
    fn indexed<'a>(&self, rest: &'a [u8], room: Room, fields: &mut Fields) -> Result<&'a [u8], Fault> {
        let (index, rest) = integer::read(rest, 7)?;
        let (name, value) = self.tables.field(index).ok_or(Fault::Code)?;
        fields.open(name, room)?;
        fields.fits(value.len(), room)?;
        fields.octets.extend_from_slice(value);
        fields.close();
        Ok(rest)
    }

    /// RFC 7541, 6.2: with a prefix of six bits the field enters the table, with one of four it does not.
    fn literal<'a>(&mut self, rest: &'a [u8], prefix: u32, room: Room, fields: &mut Fields) -> Result<&'a [u8], Fault> {
        let (index, mut rest) = integer::read(rest, prefix)?;
        if index == 0 {
            fields.open(&[], room)?;
            rest = fields.string(rest, room)?;
            fields.name_end = fields.octets.len();
        } else {
            fields.open(self.tables.field(index).ok_or(Fault::Code)?.0, room)?;
        }
        rest = fields.string(rest, room)?;
        let (name, value) = fields.close();
        if prefix == 6 {
            self.tables.insert(name, value);
        }
        Ok(rest)
    }

    /// RFC 7541, 4.2 and 6.3: only in front of a block's fields, and never above what we advertise.
    fn resize<'a>(&mut self, rest: &'a [u8], may_resize: bool) -> Result<&'a [u8], Fault> {
        let (octets, rest) = integer::read(rest, 5)?;
        if !may_resize || !self.tables.resize(octets) {
            return Err(Fault::Code);
        }
        Ok(rest)
    }
}

//----------- Fields -----------------------------------------------------------------------------------------------

/// Names and values in the order sent, in one buffer.
#[derive(Debug, Default)]
pub(super) struct Fields {
    octets: Vec<u8>,
    /// Where each field's name and value end; a field begins where the one before it ends.
    ends: Vec<(usize, usize)>,
    /// Where the name ends of the field that is being read.
    name_end: usize,
}

impl Fields {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let begins = std::iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        begins.zip(&self.ends).map(|(begin, (name, value))| (&self.octets[begin..*name], &self.octets[*name..*value]))
    }

    /// The size of RFC 7541, 4.1, with a field that is being read.
    fn size(&self) -> usize {
        self.octets.len() + FIELD_OVERHEAD * (self.ends.len() + 1)
    }

    fn fits(&self, more: usize, room: Room) -> Result<(), Fault> {
        if self.size() + more > room.octets_max { Err(Fault::TooLong) } else { Ok(()) }
    }

    /// Begins a field.
    fn open(&mut self, name: &[u8], room: Room) -> Result<(), Fault> {
        // What a fault left of the field before is no field.
        self.octets.truncate(self.begin());
        if self.ends.len() >= room.fields_max {
            return Err(Fault::TooMany);
        }
        self.fits(name.len(), room)?;
        self.octets.extend_from_slice(name);
        self.name_end = self.octets.len();
        Ok(())
    }

    /// Reads a string into the field that is open (RFC 7541, 5.2).
    fn string<'a>(&mut self, bytes: &'a [u8], room: Room) -> Result<&'a [u8], Fault> {
        let is_huffman = bytes.first().ok_or(Fault::Code)? & 0x80 != 0;
        let (len, rest) = integer::read(bytes, 7)?;
        let (text, rest) = rest.split_at_checked(len).ok_or(Fault::Code)?;
        if is_huffman {
            let left = room.octets_max.saturating_sub(self.size());
            huffman::decode(text, left, &mut self.octets)?;
        } else {
            self.fits(len, room)?;
            self.octets.extend_from_slice(text);
        }
        Ok(rest)
    }

    /// Ends the field that is open.
    fn close(&mut self) -> (&[u8], &[u8]) {
        let begin = self.begin();
        self.ends.push((self.name_end, self.octets.len()));
        (&self.octets[begin..self.name_end], &self.octets[self.name_end..])
    }

    fn begin(&self) -> usize {
        self.ends.last().map_or(0, |(_, end)| *end)
    }
}

//----------- Our side ---------------------------------------------------------------------------------------------

/// A table of no octets, for a peer that made its own smaller (RFC 9113, 4.3.1).
pub(super) const EMPTY_TABLE: u8 = 0x20;

/// Appends a status line's field (RFC 7541, 6.1 and 6.2.2).
pub(super) fn status(out: &mut Vec<u8>, status: u16) {
    match tables::status_index(status) {
        Some(index) => out.push(0x80 | index),
        None => {
            integer::write(out, tables::STATUS, 4, 0);
            string(out, format!("{status:03}").as_bytes());
        }
    }
}

/// Appends a field that enters no table, its name by the static table where that has it.
pub(super) fn literal(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    match tables::name_index(name) {
        Some(index) => integer::write(out, index, 4, 0),
        None => {
            out.push(0);
            string(out, name);
        }
    }
    string(out, value);
}

fn string(out: &mut Vec<u8>, text: &[u8]) {
    integer::write(out, text.len(), 7, 0);
    out.extend_from_slice(text);
}

#[cfg(test)]
mod tests;
