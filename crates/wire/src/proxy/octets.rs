//! Version 2: sixteen octets, addresses, and additions by type, length and value (proxy-protocol.txt, 2.2).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{ADDITION_OCTETS_MAX, Header, VALUE_OCTETS_MAX};
use crate::oddity::{Oddity, note};

pub(super) const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// The signature, version and command, family and transport, and two octets of length.
pub(super) const FIXED_OCTETS: usize = SIGNATURE.len() + 4;

mod family {
    pub(super) const UNSPECIFIED: u8 = 0;
    pub(super) const INET: u8 = 1;
    pub(super) const INET6: u8 = 2;
}

const LOCAL: u8 = 0;
const PROXY: u8 = 1;
const STREAM: u8 = 1;

/// The header, once its last octet has come. What its first sixteen octets forbid is refused by the octet that does.
pub(super) fn read(raw: &[u8]) -> Result<Option<Header>, Oddity> {
    let Some(&ver_cmd) = raw.get(SIGNATURE.len()) else { return Ok(None) };
    if ver_cmd >> 4 != 2 {
        return Err(Oddity::ProxyVersion);
    }
    let is_local = match ver_cmd & 0xf {
        LOCAL => true,
        PROXY => false,
        _ => return Err(Oddity::ProxyCommand),
    };
    let Some((&[_, kind, high, low], rest)) = raw[SIGNATURE.len()..].split_first_chunk() else { return Ok(None) };
    let len = usize::from(u16::from_be_bytes([high, low]));
    if len > ADDITION_OCTETS_MAX {
        return Err(Oddity::ProxyTooLong);
    }
    if rest.len() < len {
        return Ok(None);
    }
    let header = Header { version: 2, is_local, ..Header::default() };
    if is_local { Ok(Some(header)) } else { addressed(header, kind, rest).map(Some) }
}

/// With the addresses and what follows them. A family that is none of the Internet's leaves them unknown.
fn addressed(mut header: Header, kind: u8, rest: &[u8]) -> Result<Header, Oddity> {
    let (family, transport) = (kind >> 4, kind & 0xf);
    let address_octets = match family {
        family::UNSPECIFIED => 0,
        family::INET => 12,
        family::INET6 => 36,
        _ => {
            note(&mut header.oddities, Oddity::ProxyFamily);
            return Ok(header);
        }
    };
    if family != family::UNSPECIFIED && transport != STREAM {
        note(&mut header.oddities, Oddity::ProxyTransport);
    }
    let (addresses, additions) = rest.split_at_checked(address_octets).ok_or(Oddity::ProxyAddress)?;
    if let Some((source, destination)) = pair(addresses) {
        (header.source, header.destination) = (Some(source), Some(destination));
    }
    if keep_additions(&mut header, additions).is_none() {
        note(&mut header.oddities, Oddity::ProxyAddition);
    }
    Ok(header)
}

/// Both addresses, then both ports.
fn pair(addresses: &[u8]) -> Option<(SocketAddr, SocketAddr)> {
    let (ips, ports) = addresses.split_at_checked(addresses.len().checked_sub(4)?)?;
    let (source, destination) = ips.split_at(ips.len() / 2);
    let address = |ip: &[u8], port: &[u8]| {
        let port = u16::from_be_bytes(port.try_into().ok()?);
        let v4 = <[u8; 4]>::try_from(ip).map(|octets| Ipv4Addr::from(octets).into());
        let ip = v4.or_else(|_| <[u8; 16]>::try_from(ip).map(|octets| Ipv6Addr::from(octets).into())).ok()?;
        Some(SocketAddr::new(ip, port))
    };
    Some((address(source, &ports[..2])?, address(destination, &ports[2..])?))
}

/// Keeps the few that are of interest, each once; `None` if the lengths contradict each other, or a value that we
/// want is longer than it may be or comes twice.
fn keep_additions(header: &mut Header, mut additions: &[u8]) -> Option<()> {
    const ALPN: u8 = 0x01;
    const AUTHORITY: u8 = 0x02;
    const UNIQUE_ID: u8 = 0x05;
    let mut all = Some(());
    while !additions.is_empty() {
        let (&[kind, high, low], rest) = additions.split_first_chunk()?;
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
        additions = rest;
        let kept = match kind {
            ALPN => &mut header.alpn,
            AUTHORITY => &mut header.authority,
            UNIQUE_ID => &mut header.unique_id,
            _ => continue,
        };
        if kept.is_empty() && value.len() <= VALUE_OCTETS_MAX {
            *kept = value.to_vec();
        } else {
            all = None;
        }
    }
    all
}
