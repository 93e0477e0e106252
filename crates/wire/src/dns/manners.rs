//! What a server brings to every answer besides its zones: who it is, its cookies, who asks, and when.

use std::net::IpAddr;
use std::time::Duration;

use super::cookies::WholeCookie;
use super::{CookieJar, CookieState, Query};

/// How a server answers one client at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Manners<'a> {
    /// Said to whoever asks (RFC 5001), unless the zone is sealed. Its first 64 octets count.
    pub server_id: Option<&'a [u8]>,
    pub cookies: &'a CookieJar,
    /// Whoever sent the packet.
    pub client: IpAddr,
    /// Seconds since 1970, modulo 2^32.
    pub now_secs: u32,
    /// Over UDP, only a client that has heard us before gets an answer: one with another cookie gets BADCOOKIE and a
    /// good one (RFC 7873, 5.2.3 and 5.2.4), one without is sent to TCP.
    pub requires_cookie: bool,
    /// How long a connection may be silent, said over TCP to whoever asks (RFC 7828).
    pub tcp_idle: Option<Duration>,
}

impl<'a> Manners<'a> {
    /// Anonymous, and content without cookies.
    pub fn new(cookies: &'a CookieJar, client: IpAddr, now_secs: u32) -> Self {
        Self { server_id: None, cookies, client, now_secs, requires_cookie: false, tcp_idle: None }
    }

    /// What the query's cookie is worth, and the one to send back.
    pub(super) fn look_at_cookie(&self, query: &Query<'_>) -> (CookieState, Option<WholeCookie>) {
        match query.edns {
            Some(edns) => self.cookies.look_at(edns.cookie, self.client, self.now_secs),
            None => (CookieState::Absent, None),
        }
    }
}
