//! DNS cookies (RFC 7873) in the form that every server of an anycast set can check (RFC 9018).
//!
//! A server cookie is version 1, three octets of 0, the time it was made, and SipHash-2-4 over all that, the client's
//! cookie and the client's address. Nothing is remembered: whoever brings one back from the same address within an hour
//! has heard us before, and is no forged source.
//!
//! To roll a secret over (RFC 9018, 5): let every server accept the new one, then make it the current one everywhere and
//! accept the old one, then, an hour later, forget the old one.

use std::fmt;
use std::net::IpAddr;

use siphasher::sip::SipHasher24;

use super::CookieSeen;

/// What the client made up (RFC 7873, 4.1).
pub const CLIENT_COOKIE_OCTETS: usize = 8;
/// A secret of SipHash (RFC 9018, 4.4).
pub const SECRET_OCTETS: usize = 16;

const SERVER_COOKIE_OCTETS: usize = 16;
const VERSION: u8 = 1;
/// Version, reserved octets, timestamp: what is hashed and travels along.
const STAMP_OCTETS: usize = 8;

/// RFC 9018, 4.3: how long a cookie counts, how far ahead its maker's clock may be, and when a new one is due.
const AGE_SECS_MAX: i32 = 3_600;
const AHEAD_SECS_MAX: i32 = 300;
const FRESH_SECS_MAX: i32 = 1_800;

/// Client and server cookie, as an option carries them.
pub(super) type WholeCookie = [u8; CLIENT_COOKIE_OCTETS + SERVER_COOKIE_OCTETS];

/// What a query's cookie was worth.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CookieState {
    Absent,
    /// The first time that we hear of this client.
    ClientOnly,
    /// One of ours, given to this address less than an hour ago: the source is not forged.
    Valid,
    /// A server part that is not ours, not this client's, or not of this hour.
    Invalid,
    Malformed,
}

//----------- CookieJar --------------------------------------------------------------------------------------------

/// The secrets that cookies are made with.
#[derive(Clone)]
pub struct CookieJar {
    current: SipHasher24,
    also: Option<SipHasher24>,
}

impl CookieJar {
    /// Cookies are made with `current`; those made with `also`, the previous secret or the next, are accepted.
    pub fn new(current: &[u8; SECRET_OCTETS], also: Option<&[u8; SECRET_OCTETS]>) -> Self {
        Self { current: SipHasher24::new_with_key(current), also: also.map(SipHasher24::new_with_key) }
    }

    /// What `seen` is worth, and the cookie to send back if the client speaks cookies.
    pub(super) fn look_at(
        &self,
        seen: CookieSeen<'_>,
        source: IpAddr,
        now_secs: u32,
    ) -> (CookieState, Option<WholeCookie>) {
        match seen {
            CookieSeen::Absent => (CookieState::Absent, None),
            CookieSeen::Malformed => (CookieState::Malformed, None),
            CookieSeen::ClientOnly(client) => (CookieState::ClientOnly, Some(self.make(client, source, now_secs))),
            CookieSeen::WithServer(client, server) => match self.age_of(client, server, source, now_secs) {
                Some(Age::Fresh) => (CookieState::Valid, Some(joined(client, server))),
                Some(Age::Due) => (CookieState::Valid, Some(self.make(client, source, now_secs))),
                None => (CookieState::Invalid, Some(self.make(client, source, now_secs))),
            },
        }
    }

    fn make(&self, client: &[u8; CLIENT_COOKIE_OCTETS], source: IpAddr, now_secs: u32) -> WholeCookie {
        let mut stamp = [0; STAMP_OCTETS];
        stamp[0] = VERSION;
        stamp[4..].copy_from_slice(&now_secs.to_be_bytes());
        let hash = hash(&self.current, client, &stamp, source);
        let mut whole = WholeCookie::default();
        whole[..8].copy_from_slice(client);
        whole[8..16].copy_from_slice(&stamp);
        whole[16..].copy_from_slice(&hash);
        whole
    }

    /// How old a cookie of ours is; `None` if it is not ours or does not count.
    fn age_of(&self, client: &[u8; CLIENT_COOKIE_OCTETS], server: &[u8], source: IpAddr, now_secs: u32) -> Option<Age> {
        let server: &[u8; SERVER_COOKIE_OCTETS] = server.try_into().ok()?;
        let (stamp, theirs) = server.split_first_chunk::<STAMP_OCTETS>()?;
        let made_secs = u32::from_be_bytes([stamp[4], stamp[5], stamp[6], stamp[7]]);
        // Serial number arithmetic (RFC 1982): the clock may wrap in 2106.
        let age_secs = now_secs.wrapping_sub(made_secs).cast_signed();
        if stamp[0] != VERSION || !(-AHEAD_SECS_MAX..=AGE_SECS_MAX).contains(&age_secs) {
            return None;
        }
        let is_by = |secret: &SipHasher24| hash(secret, client, stamp, source) == theirs;
        match is_by(&self.current) {
            true if age_secs <= FRESH_SECS_MAX && stamp[1..4] == [0; 3] => Some(Age::Fresh),
            true => Some(Age::Due),
            false => self.also.as_ref().is_some_and(is_by).then_some(Age::Due),
        }
    }
}

impl fmt::Debug for CookieJar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CookieJar").field("also", &self.also.is_some()).finish_non_exhaustive()
    }
}

/// Whether a good cookie goes back as it came, or is replaced (RFC 9018, 4.3).
enum Age {
    Fresh,
    Due,
}

/// RFC 9018, 4.4: client cookie, version, reserved octets *as received*, timestamp, address.
fn hash(secret: &SipHasher24, client: &[u8], stamp: &[u8; STAMP_OCTETS], source: IpAddr) -> [u8; 8] {
    let mut input = [0; 32];
    input[..8].copy_from_slice(client);
    input[8..16].copy_from_slice(stamp);
    let len = match source.to_canonical() {
        IpAddr::V4(v4) => put(&mut input, &v4.octets()),
        IpAddr::V6(v6) => put(&mut input, &v6.octets()),
    };
    secret.hash(&input[..len]).to_le_bytes()
}

fn put(input: &mut [u8; 32], address: &[u8]) -> usize {
    let len = 16 + address.len();
    input[16..len].copy_from_slice(address);
    len
}

/// Only called with a server part of our length.
fn joined(client: &[u8; CLIENT_COOKIE_OCTETS], server: &[u8]) -> WholeCookie {
    let mut whole = WholeCookie::default();
    whole[..8].copy_from_slice(client);
    whole[8..].copy_from_slice(server);
    whole
}
