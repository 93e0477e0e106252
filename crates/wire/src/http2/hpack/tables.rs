//! The two tables of HPACK (RFC 7541, 2.3): the static one that everybody has, and what this peer added to it.
//!
//! The dynamic table is never larger than 4096 octets, the size that a peer may count on without our saying anything
//! (RFC 9113, 6.5.2), and an entry costs 32 more than its octets: 128 entries at most. It holds nothing until the peer
//! adds something.

use std::collections::VecDeque;

use super::FIELD_OVERHEAD;

/// The most that the dynamic table holds, by the size of RFC 7541, 4.1.
pub(in crate::http2) const TABLE_OCTETS_MAX: usize = 4096;

//----------- Tables -----------------------------------------------------------------------------------------------

#[derive(Debug)]
pub(super) struct Tables {
    /// The newest first.
    added: VecDeque<Entry>,
    size: usize,
    size_max: usize,
}

#[derive(Debug)]
struct Entry {
    octets: Box<[u8]>,
    name_len: usize,
}

impl Entry {
    fn size(&self) -> usize {
        self.octets.len() + FIELD_OVERHEAD
    }
}

impl Default for Tables {
    fn default() -> Self {
        Self { added: VecDeque::new(), size: 0, size_max: TABLE_OCTETS_MAX }
    }
}

impl Tables {
    /// The field at `index`, counted from one over both tables (RFC 7541, 2.3.3).
    pub(super) fn field(&self, index: usize) -> Option<(&[u8], &[u8])> {
        let at = index.checked_sub(1)?;
        if let Some((name, value)) = STATIC.get(at) {
            return Some((name.as_bytes(), value.as_bytes()));
        }
        let entry = self.added.get(at - STATIC.len())?;
        Some(entry.octets.split_at(entry.name_len))
    }

    /// Adds a field in front; one that is larger than the table empties it and is no error (RFC 7541, 4.4).
    pub(super) fn insert(&mut self, name: &[u8], value: &[u8]) {
        let size = name.len() + value.len() + FIELD_OVERHEAD;
        self.shrink_to(self.size_max.saturating_sub(size));
        if size <= self.size_max {
            self.added.push_front(Entry { octets: [name, value].concat().into(), name_len: name.len() });
            self.size += size;
        }
    }

    /// Whether the table may have this size.
    pub(super) fn resize(&mut self, octets: usize) -> bool {
        if octets > TABLE_OCTETS_MAX {
            return false;
        }
        self.size_max = octets;
        self.shrink_to(octets);
        true
    }

    fn shrink_to(&mut self, octets: usize) {
        while self.size > octets {
            self.size -= self.added.pop_back().map_or(self.size, |entry| entry.size());
        }
    }
}

//----------- The static table -------------------------------------------------------------------------------------

/// The first index whose name is `:status`.
pub(super) const STATUS: usize = 8;

/// The index of a status that the table has whole.
pub(super) fn status_index(status: u16) -> Option<u8> {
    let at = [200, 204, 206, 304, 400, 404, 500].iter().position(|known| *known == status)?;
    u8::try_from(STATUS + at).ok()
}

/// The index of a name.
pub(super) fn name_index(name: &[u8]) -> Option<usize> {
    STATIC.iter().position(|(known, _)| known.as_bytes() == name).map(|at| at + 1)
}

/// RFC 7541, Appendix A.
static STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];
