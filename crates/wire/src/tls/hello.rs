//! One ClientHello, read as far as it can be read.

use std::net::IpAddr;
use std::str::FromStr;

use super::fingerprint::is_grease;
use super::reader::Reader;
use crate::oddity::{Oddity, note};

/// Extension types that we look into (IANA, TLS ExtensionType Values).
mod extension {
    pub(super) const SERVER_NAME: u16 = 0;
    pub(super) const SUPPORTED_GROUPS: u16 = 10;
    pub(super) const EC_POINT_FORMATS: u16 = 11;
    pub(super) const SIGNATURE_ALGORITHMS: u16 = 13;
    pub(super) const ALPN: u16 = 16;
    pub(super) const SUPPORTED_VERSIONS: u16 = 43;
    pub(super) const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;
}

/// The oldest version with which a handshake can follow.
const TLS12: u16 = 0x0303;
/// The only type of server name that there is.
const HOST_NAME: u8 = 0;
/// A name as text, and a label of it (RFC 1035, 2.3.4).
const NAME_OCTETS_MAX: usize = 253;
const LABEL_OCTETS_MAX: usize = 63;

//----------- ClientHello ------------------------------------------------------------------------------------------

/// What a client offers, in the order in which it offers it, GREASE included.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClientHello {
    /// The name as sent; empty if there was none to read.
    pub sni: Vec<u8>,
    pub legacy_version: u16,
    /// From supported_versions.
    pub versions: Vec<u16>,
    pub ciphers: Vec<u16>,
    pub extensions: Vec<u16>,
    pub groups: Vec<u16>,
    pub point_formats: Vec<u8>,
    pub signature_algorithms: Vec<u16>,
    pub alpn: Vec<Vec<u8>>,
    pub oddities: Vec<Oddity>,
}

impl ClientHello {
    /// Reads the body of a ClientHello message, behind the handshake header.
    pub fn parse(body: &[u8]) -> Self {
        let mut hello = Self::default();
        if hello.read(Reader(body)).is_none() {
            note(&mut hello.oddities, Oddity::HelloGarbage);
        }
        hello.judge();
        hello
    }

    /// Reads a hello in SSL 2.0's form (RFC 5246, E.2), behind its two octets of length.
    pub(super) fn parse_ssl2(message: &[u8]) -> Self {
        let mut hello = Self { oddities: vec![Oddity::Ssl2], ..Self::default() };
        if hello.read_ssl2(Reader(message)).is_none() {
            note(&mut hello.oddities, Oddity::HelloGarbage);
        }
        hello.judge();
        hello
    }

    /// The newest version that the client offers.
    pub fn newest_version(&self) -> u16 {
        self.versions.iter().copied().filter(|v| !is_grease(*v)).max().unwrap_or(self.legacy_version)
    }

    pub fn has_server_name(&self) -> bool {
        self.extensions.contains(&extension::SERVER_NAME)
    }

    fn read(&mut self, mut reader: Reader<'_>) -> Option<()> {
        self.legacy_version = reader.u16()?;
        let _random = reader.take(32)?;
        let _session = reader.vector8()?;
        self.ciphers = reader.vector16()?.numbers();
        let _compression = reader.vector8()?;
        if reader.is_empty() {
            return Some(());
        }
        let (extensions, is_whole) = reader.vector16_or_rest()?;
        if !reader.is_empty() {
            note(&mut self.oddities, Oddity::HelloTrailing);
        }
        self.read_extensions(extensions)?;
        is_whole.then_some(())
    }

    fn read_ssl2(&mut self, mut reader: Reader<'_>) -> Option<()> {
        let _message_type = reader.u8()?;
        self.legacy_version = reader.u16()?;
        let cipher_octets = reader.u16()?;
        let _session_octets = reader.u16()?;
        let _challenge_octets = reader.u16()?;
        let ciphers = reader.take(cipher_octets.into())?;
        // Three octets each; those of SSL 3.0 and TLS have a zero in front, SSL 2.0's own have no number of ours.
        let of_tls = ciphers.chunks_exact(3).filter(|cipher| cipher[0] == 0);
        self.ciphers = of_tls.map(|cipher| u16::from_be_bytes([cipher[1], cipher[2]])).collect();
        Some(())
    }

    fn read_extensions(&mut self, mut reader: Reader<'_>) -> Option<()> {
        while !reader.is_empty() {
            let kind = reader.u16()?;
            let content = reader.vector16()?;
            if self.extensions.contains(&kind) {
                note(&mut self.oddities, Oddity::ExtensionTwice);
            }
            self.extensions.push(kind);
            if self.read_extension(kind, content).is_none() {
                note(&mut self.oddities, Oddity::HelloGarbage);
            }
        }
        Some(())
    }

    fn read_extension(&mut self, kind: u16, mut content: Reader<'_>) -> Option<()> {
        match kind {
            extension::SERVER_NAME => self.read_server_names(content)?,
            extension::ENCRYPTED_CLIENT_HELLO => note(&mut self.oddities, Oddity::Ech),
            extension::SUPPORTED_GROUPS => self.groups = content.vector16()?.numbers(),
            extension::EC_POINT_FORMATS => self.point_formats = content.vector8()?.0.to_vec(),
            extension::SIGNATURE_ALGORITHMS => self.signature_algorithms = content.vector16()?.numbers(),
            extension::ALPN => self.alpn = protocols(content)?,
            extension::SUPPORTED_VERSIONS => self.versions = content.vector8()?.numbers(),
            _ => {}
        }
        Some(())
    }

    /// The first host name in the list is taken (RFC 6066, 3: there may be one).
    fn read_server_names(&mut self, mut content: Reader<'_>) -> Option<()> {
        let mut list = content.vector16()?;
        let mut has_name = false;
        while !list.is_empty() {
            let kind = list.u8()?;
            let name = list.vector16()?;
            if kind != HOST_NAME {
                continue;
            }
            match has_name {
                false => self.sni = name.0.to_vec(),
                true => note(&mut self.oddities, Oddity::SniSeveral),
            }
            has_name = true;
        }
        Some(())
    }

    /// What is odd about the whole.
    fn judge(&mut self) {
        if self.newest_version() < TLS12 {
            note(&mut self.oddities, Oddity::OldVersion);
        }
        if self.sni.is_empty() {
            note(&mut self.oddities, Oddity::NoSni);
        } else if is_address(&self.sni) {
            note(&mut self.oddities, Oddity::SniAddress);
        } else if !is_host_name(&self.sni) {
            note(&mut self.oddities, Oddity::SniForm);
        }
    }
}

/// An IPv6 address comes bare or in brackets.
fn is_address(name: &[u8]) -> bool {
    let text = str::from_utf8(name).unwrap_or_default();
    IpAddr::from_str(text.trim_start_matches('[').trim_end_matches(']')).is_ok()
}

fn is_host_name(name: &[u8]) -> bool {
    let is_octet = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_".contains(octet);
    let is_label = |label: &[u8]| (1..=LABEL_OCTETS_MAX).contains(&label.len()) && label.iter().all(is_octet);
    name.len() <= NAME_OCTETS_MAX && name.split(|octet| *octet == b'.').all(is_label)
}

fn protocols(mut content: Reader<'_>) -> Option<Vec<Vec<u8>>> {
    let mut list = content.vector16()?;
    let mut protocols = Vec::new();
    while !list.is_empty() {
        protocols.push(list.vector8()?.0.to_vec());
    }
    Some(protocols)
}
