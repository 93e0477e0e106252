//! Version 1: a line of text (proxy-protocol.txt, 2.1).
//!
//! One blank between the words, addresses and ports in their canonical form, and CRLF: whoever writes anything else is
//! no balancer that we should believe.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Header, LINE_OCTETS_MAX, WORD};
use crate::oddity::Oddity;

/// The header, once its last octet has come.
pub(super) fn read(raw: &[u8]) -> Result<Option<Header>, Oddity> {
    match raw {
        [line @ .., b'\r', b'\n'] => parse(line).ok_or(Oddity::ProxyLine).map(Some),
        [.., b'\n'] => Err(Oddity::ProxyLine),
        _ if raw.len() >= LINE_OCTETS_MAX => Err(Oddity::ProxyTooLong),
        _ => Ok(None),
    }
}

fn parse(line: &[u8]) -> Option<Header> {
    let text = std::str::from_utf8(line.strip_prefix(WORD)?).ok()?;
    let header = Header { version: 1, ..Header::default() };
    let mut words = text.split(' ');
    let address: fn(&str) -> Option<IpAddr> = match words.next()? {
        // Whatever follows is to be ignored.
        "UNKNOWN" => return Some(header),
        "TCP4" => |word| word.parse::<Ipv4Addr>().ok().map(IpAddr::from),
        "TCP6" => |word| word.parse::<Ipv6Addr>().ok().map(IpAddr::from),
        _ => return None,
    };
    let (source, destination) = (address(words.next()?)?, address(words.next()?)?);
    let (source_port, destination_port) = (port(words.next()?)?, port(words.next()?)?);
    let is_over = words.next().is_none();
    is_over.then(|| Header {
        source: Some(SocketAddr::new(source, source_port)),
        destination: Some(SocketAddr::new(destination, destination_port)),
        ..header
    })
}

/// Without a sign and without leading zeros.
fn port(word: &str) -> Option<u16> {
    let is_canonical = word == "0" || word.starts_with(|first: char| ('1'..='9').contains(&first));
    word.parse().ok().filter(|_| is_canonical)
}
