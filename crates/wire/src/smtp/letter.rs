//! A letter as it streams by: names of its headers, its parts, keyed hashes of what is attached (RFC 5322, 2045, 2046).
//!
//! A letter of any length takes the same memory: one piece of a line, and what is kept, which is about 90 KiB at most
//! (200 names of 64 octets, 100 attachments of about 230, nine boundaries, three header fields, two buffers of 4 KiB).
//! What is deliberately absent: the values of headers and every text, since they are people's words and may hold
//! secrets; so the body that a person would read has no hash either. A forwarded message (message/rfc822) is a letter
//! within the letter: what is attached to it is hashed like what is attached to the letter itself, and its text is not.

use super::attachment::{Attachment, AttachmentReader};
use super::part::PartHeader;
use crate::oddity::{Oddity, note};
use crate::secrets::is_header_name;

/// Names of headers that are kept, in their order; more are counted.
pub const HEADER_NAMES_MAX: usize = 200;
/// Attachments that are kept; more are counted.
pub const ATTACHMENTS_MAX: usize = 100;
/// Multiparts within each other. Forwarded newsletters come to four or five.
const DEPTH_MAX: usize = 8;
/// Forwarded messages within each other that are read; one deeper is hashed whole.
pub const FORWARDED_DEPTH_MAX: usize = 3;
/// Octets of a line that are looked at together. RFC 5322, 2.1.1 has 998 for a line.
const PIECE_OCTETS_MAX: usize = 4096;

/// What is known of a letter when it is over.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Letter {
    /// Without the dots and the end of SMTP's own framing.
    pub octets: u64,
    /// Whether its end was seen.
    pub complete: bool,
    /// In order and case.
    pub header_names: Vec<String>,
    pub headers_count: u32,
    /// Parts within multiparts; 0 for a letter that is none.
    pub parts_count: u32,
    pub attachments: Vec<Attachment>,
    pub attachments_count: u32,
}

//----------- LetterReader -----------------------------------------------------------------------------------------

pub(super) struct LetterReader {
    letter: Letter,
    octets_max: u64,
    key: [u8; 32],
    oddities: Vec<Oddity>,
    /// A piece of a line that is not whole.
    held: Vec<u8>,
    /// Whether the next piece starts a line.
    at_line_start: bool,
    boundaries: Vec<Vec<u8>>,
    /// Forwarded messages that have not ended: for each, how many multiparts stand around it.
    forwarded: Vec<usize>,
    within: Within,
    has_header_line: bool,
}

enum Within {
    Header(Box<PartHeader>),
    /// A body of which nothing is kept: text, or what stands around parts.
    Text,
    Attachment(Box<AttachmentReader>),
}

impl LetterReader {
    pub(super) fn new(octets_max: u64, key: [u8; 32]) -> Self {
        Self {
            letter: Letter::default(),
            octets_max,
            key,
            oddities: Vec::new(),
            held: Vec::new(),
            at_line_start: true,
            boundaries: Vec::new(),
            forwarded: Vec::new(),
            within: Within::Header(Box::default()),
            has_header_line: false,
        }
    }

    /// Whether the letter has more octets than are read of one.
    pub(super) fn is_full(&self) -> bool {
        self.letter.octets > self.octets_max
    }

    pub(super) fn on_bytes(&mut self, bytes: &[u8]) {
        let room = self.octets_max.saturating_add(1) - self.letter.octets;
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        self.letter.octets += room as u64;
        let mut rest = &bytes[..room];
        while !rest.is_empty() {
            rest = self.take_piece(rest);
        }
    }

    #[cfg(test)]
    pub(super) fn octets_held(&self) -> usize {
        let decoded = match &self.within {
            Within::Attachment(attachment) => attachment.octets_held(),
            _ => 0,
        };
        self.held.capacity() + decoded
    }

    /// What is known of the letter, and what was odd about it.
    pub(super) fn finish(mut self, complete: bool) -> (Letter, Vec<Oddity>) {
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            self.on_piece(&held);
        }
        if !self.boundaries.is_empty() && complete {
            note(&mut self.oddities, Oddity::MimeBoundary);
        }
        self.leave_part();
        self.letter.complete = complete;
        (self.letter, self.oddities)
    }

    /// Takes octets up to a line's end or a piece's limit; returns the rest.
    fn take_piece<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let room = bytes.len().min(PIECE_OCTETS_MAX - self.held.len());
        let end = bytes[..room].iter().position(|b| *b == b'\n').map_or(room, |at| at + 1);
        let (piece, rest) = bytes.split_at(end);
        let is_whole = piece.ends_with(b"\n") || self.held.len() + piece.len() == PIECE_OCTETS_MAX;
        if !is_whole {
            self.held.extend_from_slice(piece);
        } else if self.held.is_empty() {
            self.on_piece(piece);
        } else {
            let mut held = std::mem::take(&mut self.held);
            held.extend_from_slice(piece);
            self.on_piece(&held);
            held.clear();
            self.held = held;
        }
        rest
    }

    fn on_piece(&mut self, piece: &[u8]) {
        let (text, end) = piece.split_at(piece.len() - end_octets(piece));
        let starts_line = std::mem::replace(&mut self.at_line_start, !end.is_empty());
        if starts_line && text.starts_with(b"--") && self.at_boundary(text) {
            return;
        }
        match &mut self.within {
            Within::Header(header) if !starts_line => header.continued(text),
            Within::Header(_) => self.on_header_line(text),
            Within::Text => {}
            Within::Attachment(attachment) => attachment.on_line(text, end),
        }
    }

    //----- Headers

    fn on_header_line(&mut self, line: &[u8]) {
        let Within::Header(header) = &mut self.within else { return };
        // How mbox files begin a letter; some programs send it along.
        let is_envelope = !self.has_header_line && (line.starts_with(b"From ") || line.starts_with(b">From "));
        self.has_header_line = true;
        match line {
            _ if is_envelope => {}
            [] => self.end_header(),
            [b' ' | b'\t', ..] => header.continued(line),
            _ => match line.iter().position(|b| *b == b':') {
                Some(colon) if is_header_name(line[..colon].trim_ascii_end()) => {
                    let name = line[..colon].trim_ascii_end();
                    header.field(name, &line[colon + 1..]);
                    self.keep_name(name);
                }
                // The empty line is missing, so this is the letter's text.
                _ => {
                    note(&mut self.oddities, Oddity::LetterHeader);
                    self.end_header();
                }
            },
        }
    }

    /// Names of the letter's own headers are kept, those of its parts and of what it forwards are not.
    fn keep_name(&mut self, name: &[u8]) {
        if self.letter.parts_count > 0 || !self.forwarded.is_empty() {
            return;
        }
        self.letter.headers_count = self.letter.headers_count.saturating_add(1);
        if self.letter.header_names.len() < HEADER_NAMES_MAX {
            self.letter.header_names.push(String::from_utf8_lossy(name).into_owned());
        } else {
            note(&mut self.oddities, Oddity::LetterTooManyHeaders);
        }
    }

    fn end_header(&mut self) {
        let Within::Header(header) = std::mem::replace(&mut self.within, Within::Text) else { return };
        if header.is_multipart() {
            return self.enter_multipart(&header);
        }
        if header.is_forwarded() && self.forwarded.len() < FORWARDED_DEPTH_MAX {
            self.forwarded.push(self.boundaries.len());
            self.has_header_line = false;
            self.within = Within::Header(Box::default());
            return;
        }
        if !header.is_attachment() {
            return;
        }
        self.letter.attachments_count = self.letter.attachments_count.saturating_add(1);
        if self.letter.attachments.len() < ATTACHMENTS_MAX {
            self.within = Within::Attachment(Box::new(AttachmentReader::new(&header, &self.key)));
        } else {
            note(&mut self.oddities, Oddity::TooManyAttachments);
        }
    }

    fn enter_multipart(&mut self, header: &PartHeader) {
        match header.boundary() {
            None => note(&mut self.oddities, Oddity::MimeBoundary),
            Some(_) if self.boundaries.len() == DEPTH_MAX => note(&mut self.oddities, Oddity::MimeDepth),
            Some(boundary) => self.boundaries.push(boundary),
        }
    }

    //----- Parts

    /// Whether the line is a boundary; if so, what it ends has ended.
    fn at_boundary(&mut self, line: &[u8]) -> bool {
        let line = &line[2..].trim_ascii_end();
        let is_last = |boundary: &Vec<u8>| line.strip_suffix(b"--") == Some(boundary.as_slice());
        // An outer boundary ends the inner parts too (RFC 2046, 5.1.2).
        let found = self.boundaries.iter().rposition(|boundary| boundary == line || is_last(boundary));
        let Some(depth) = found else { return false };
        let is_last = *line != self.boundaries[depth].as_slice();
        self.leave_part();
        self.boundaries.truncate(if is_last { depth } else { depth + 1 });
        self.forwarded.retain(|around| *around <= depth);
        if !is_last {
            self.letter.parts_count = self.letter.parts_count.saturating_add(1);
            self.within = Within::Header(Box::default());
        }
        true
    }

    fn leave_part(&mut self) {
        if let Within::Attachment(attachment) = std::mem::replace(&mut self.within, Within::Text) {
            let (attachment, is_broken) = attachment.finish();
            self.letter.attachments.push(attachment);
            if is_broken {
                note(&mut self.oddities, Oddity::MimeEncoding);
            }
        }
    }
}

/// How many octets of a piece are the line's end: CRLF, LF, or none yet.
fn end_octets(piece: &[u8]) -> usize {
    match piece {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n'] => 1,
        _ => 0,
    }
}
