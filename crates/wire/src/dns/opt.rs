//! The OPT record of a reply: for whoever sent one, and with nothing that was not asked for.

use std::time::Duration;

use super::cookies::WholeCookie;
use super::query::Edns;
use super::{Query, UDP_OCTETS_MAX, option, rcode, rtype};

/// The most octets of a server's identifier that an answer carries, so that asking for it amplifies little.
pub const SERVER_ID_OCTETS_MAX: usize = 64;

/// Version 0 with DO (RFC 6891, 6.1.3), and where in the record the length of its data stands.
const DNSSEC_OK: u8 = 0x80;
const LENGTH_AT: usize = 9;

/// What goes into the OPT record.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Options<'a> {
    pub(super) cookie: Option<WholeCookie>,
    pub(super) server_id: Option<&'a [u8]>,
    pub(super) extended_error: Option<u16>,
    pub(super) tcp_idle: Option<Duration>,
}

/// Writes the record with the upper bits of the code, and DO as it was (RFC 6891, 6.1.4; RFC 3225, 3).
pub(super) fn write_opt(query: &Query<'_>, code: u16, options: &Options<'_>, out: &mut Vec<u8>) {
    let Some(edns) = query.edns else { return };
    let start = out.len();
    let flags = if edns.dnssec_ok { DNSSEC_OK } else { 0 };
    out.push(0);
    out.extend_from_slice(&rtype::OPT.to_be_bytes());
    out.extend_from_slice(&(UDP_OCTETS_MAX as u16).to_be_bytes());
    out.extend_from_slice(&[(code >> 4) as u8, 0, flags, 0, 0, 0]);
    // The options of a version that we do not know may mean anything.
    if code != rcode::BADVERS {
        options.write(&edns, out);
    }
    let len = (out.len() - start - LENGTH_AT - 2) as u16;
    out[start + LENGTH_AT..start + LENGTH_AT + 2].copy_from_slice(&len.to_be_bytes());
}

impl Options<'_> {
    fn write(&self, asked: &Edns<'_>, out: &mut Vec<u8>) {
        if let Some(cookie) = &self.cookie {
            put(option::COOKIE, cookie, out);
        }
        if let Some(id) = self.server_id.filter(|_| asked.nsid) {
            put(option::NSID, &id[..id.len().min(SERVER_ID_OCTETS_MAX)], out);
        }
        if let Some(idle) = self.tcp_idle.filter(|_| asked.tcp_keepalive) {
            // In units of 100 ms (RFC 7828, 3.1).
            let timeout = u16::try_from(idle.as_millis() / 100).unwrap_or(u16::MAX);
            put(option::TCP_KEEPALIVE, &timeout.to_be_bytes(), out);
        }
        if let Some(error) = self.extended_error {
            put(option::EXTENDED_ERROR, &error.to_be_bytes(), out);
        }
    }
}

fn put(code: u16, value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&code.to_be_bytes());
    out.extend_from_slice(&(value.len() as u16).to_be_bytes());
    out.extend_from_slice(value);
}
