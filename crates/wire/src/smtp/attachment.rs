//! What is attached, as it streams by: decoded piece by piece into a keyed hash, and gone.
//!
//! A plain hash of a file that somebody sent could be looked up by whoever knows the file; under a key it only says
//! which attachments are the same.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::part::{Encoding, PartHeader};
use super::transfer::{Base64, QuotedPrintable};

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attachment {
    /// HMAC-SHA-256 of the content without its transfer encoding.
    pub hash: [u8; 32],
    pub octets: u64,
    /// As declared, without parameters.
    pub media_type: String,
    /// Of the declared file name.
    pub extension: Option<String>,
}

//----------- AttachmentReader -------------------------------------------------------------------------------------

pub(super) struct AttachmentReader {
    media_type: String,
    extension: Option<String>,
    decoder: Decoder,
    mac: Hmac<Sha256>,
    octets: u64,
    decoded: Vec<u8>,
    /// The end of the line before: part of the content only if no boundary follows (RFC 2046, 5.1.1).
    line_end: &'static [u8],
}

enum Decoder {
    Plain,
    Base64(Base64),
    QuotedPrintable(QuotedPrintable),
}

impl AttachmentReader {
    pub(super) fn new(header: &PartHeader, key: &[u8; 32]) -> Self {
        let decoder = match header.encoding() {
            Encoding::Plain => Decoder::Plain,
            Encoding::Base64 => Decoder::Base64(Base64::default()),
            Encoding::QuotedPrintable => Decoder::QuotedPrintable(QuotedPrintable::default()),
        };
        Self {
            media_type: header.media_type(),
            extension: header.extension(),
            decoder,
            mac: Hmac::new_from_slice(key).expect("HMAC takes a key of any length"),
            octets: 0,
            decoded: Vec::new(),
            line_end: b"",
        }
    }

    pub(super) fn octets_held(&self) -> usize {
        self.decoded.capacity()
    }

    pub(super) fn on_line(&mut self, text: &[u8], end: &[u8]) {
        let before = std::mem::take(&mut self.line_end);
        self.take(before);
        self.take(text);
        self.line_end = match end.len() {
            2 => b"\r\n",
            1 => b"\n",
            _ => b"",
        };
    }

    fn take(&mut self, coded: &[u8]) {
        let decoded = match &mut self.decoder {
            Decoder::Plain => coded,
            Decoder::Base64(decoder) => {
                self.decoded.clear();
                decoder.decode(coded, &mut self.decoded);
                &self.decoded
            }
            Decoder::QuotedPrintable(decoder) => {
                self.decoded.clear();
                decoder.decode(coded, &mut self.decoded);
                &self.decoded
            }
        };
        self.mac.update(decoded);
        self.octets += decoded.len() as u64;
    }

    /// The attachment, and whether its encoding was broken.
    pub(super) fn finish(mut self) -> (Attachment, bool) {
        self.decoded.clear();
        let is_broken = match &mut self.decoder {
            Decoder::Plain => false,
            Decoder::QuotedPrintable(decoder) => decoder.broken,
            Decoder::Base64(decoder) => {
                decoder.finish(&mut self.decoded);
                decoder.broken
            }
        };
        self.mac.update(&self.decoded);
        self.octets += self.decoded.len() as u64;
        let Self { media_type, extension, octets, mac, .. } = self;
        (Attachment { hash: mac.finalize().into_bytes().into(), octets, media_type, extension }, is_broken)
    }
}
