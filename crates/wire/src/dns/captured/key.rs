//! A name below the apex as a key: its labels from the apex down, lower case.
//!
//! Each label keeps its length octet, so one key begins with another just when its name lies at or below the other's,
//! and all names below one stand together in order of key.

use super::super::NAME_OCTETS_MAX;

/// The most labels of a name: each takes two octets at least, the root one.
const LABELS_MAX: usize = NAME_OCTETS_MAX / 2;

/// The key of a name below the apex.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    octets: [u8; NAME_OCTETS_MAX],
    len: u8,
}

impl Key {
    pub(super) const APEX: Self = Self { octets: [0; NAME_OCTETS_MAX], len: 0 };

    /// Of labels in wire form without the root label. `None` if they are no name.
    pub(super) fn of(labels: &[u8]) -> Option<Self> {
        let mut starts = [0u8; LABELS_MAX];
        let (mut count, mut at) = (0, 0);
        while at < labels.len() {
            *starts.get_mut(count)? = u8::try_from(at).ok()?;
            count += 1;
            at += 1 + usize::from(labels[at]);
        }
        if at != labels.len() || at >= NAME_OCTETS_MAX {
            return None;
        }
        let mut key = Self::APEX;
        let mut end = labels.len();
        for start in starts[..count].iter().rev().map(|start| usize::from(*start)) {
            key.push(&labels[start..end])?;
            end = start;
        }
        Some(key)
    }

    /// One label more, with its length octet.
    fn push(&mut self, label: &[u8]) -> Option<()> {
        let (len, letters) = label.split_first().filter(|(len, _)| **len != 0 && **len < 64)?;
        let place = self.octets.get_mut(usize::from(self.len)..)?.get_mut(..label.len())?;
        place[0] = *len;
        place[1..].copy_from_slice(letters);
        place[1..].make_ascii_lowercase();
        self.len += label.len() as u8;
        Some(())
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.octets[..usize::from(self.len)]
    }

    /// Where each name on the way down ends in this key, the apex first, the name itself last.
    pub(super) fn way_down(&self) -> impl Iterator<Item = usize> {
        let mut next = Some(0);
        std::iter::from_fn(move || {
            let here = next?;
            next = self.as_bytes().get(here).map(|len| here + 1 + usize::from(*len));
            Some(here)
        })
    }

    /// The wildcard directly below the first `end` octets (RFC 4592, 3.3.1). `None` where no name would be left.
    pub(super) fn wildcard(&self, end: usize) -> Option<Self> {
        let mut key = *self;
        key.len = u8::try_from(end).ok()?;
        key.push(b"\x01*")?;
        Some(key)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}
