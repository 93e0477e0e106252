//! The tail of a lane: what is committed and not synced yet, kept in memory to be written again.
//!
//! After a failed sync nobody knows which pages of a file reached the disk: the kernel may have dropped them and called
//! them clean. The file is no source any more, so what was acknowledged since the last good sync is kept here. Two
//! stretches take turns: one is being synced, the other grows meanwhile.
//!
//! It has an end: beyond its limit the oldest stretch is let go, and counted. Should a sync fail then, a loss of power
//! may take those octets; a crash of the process still takes none.

/// What both stretches keep for the next time; one slow sync shall not hold memory for ever.
const KEPT_LEN: usize = 1 << 20;

/// Committed frames that are not synced.
#[derive(Debug)]
pub(super) struct Tail {
    syncing: Stretch,
    since: Stretch,
    max_len: usize,
    /// Octets that were let go since the last good sync.
    let_go: u64,
}

/// Whole frames in the order of their numbers.
#[derive(Debug, Default)]
struct Stretch {
    /// The number of the first frame, and the one that comes next.
    first: u64,
    end: u64,
    octets: Vec<u8>,
}

/// What has to be written again: one run of frames.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Unsynced {
    pub(super) first: u64,
    pub(super) end: u64,
    pub(super) octets: Vec<u8>,
}

impl Tail {
    pub(super) fn new(max_len: usize) -> Self {
        Self { syncing: Stretch::default(), since: Stretch::default(), max_len, let_go: 0 }
    }

    pub(super) fn push(&mut self, seq: u64, frames: u64, octets: &[u8]) {
        if self.syncing.octets.len() + self.since.octets.len() + octets.len() > self.max_len {
            self.let_go += self.syncing.clear();
        }
        if self.since.octets.len() + octets.len() > self.max_len {
            self.let_go += self.since.clear();
        }
        if octets.len() > self.max_len {
            self.let_go += octets.len() as u64;
            return;
        }
        if self.since.octets.is_empty() {
            self.since.first = seq;
        }
        self.since.end = seq + frames;
        self.since.octets.extend_from_slice(octets);
    }

    /// A sync of all that was pushed begins.
    pub(super) fn begin_sync(&mut self) {
        if self.syncing.octets.is_empty() {
            std::mem::swap(&mut self.syncing, &mut self.since);
        }
    }

    /// All that was pushed before [`Self::begin_sync`] is synced.
    pub(super) fn is_synced(&mut self) {
        self.syncing.clear();
        self.let_go = 0;
    }

    /// What a loss of power may take, because it was let go.
    pub(super) fn let_go(&self) -> u64 {
        self.let_go
    }

    /// What is kept, as one run.
    pub(super) fn unsynced(&self) -> Unsynced {
        let Self { syncing, since, .. } = self;
        let first = if syncing.octets.is_empty() { since.first } else { syncing.first };
        let end = if since.octets.is_empty() { syncing.end } else { since.end };
        Unsynced { first, end, octets: [&syncing.octets[..], &since.octets].concat() }
    }
}

impl Stretch {
    /// Says how many octets there were.
    fn clear(&mut self) -> u64 {
        let len = self.octets.len() as u64;
        self.octets.clear();
        self.octets.shrink_to(KEPT_LEN);
        len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_synced_stays_until_it_is() {
        let mut tail = Tail::new(100);
        tail.push(3, 2, b"ab");
        tail.begin_sync();
        tail.push(5, 1, b"c");
        assert_eq!(tail.unsynced(), Unsynced { first: 3, end: 6, octets: b"abc".into() });
        tail.is_synced();
        assert_eq!(tail.unsynced(), Unsynced { first: 5, end: 6, octets: b"c".into() });
        tail.begin_sync();
        tail.is_synced();
        assert!(tail.unsynced().octets.is_empty());
    }

    #[test]
    fn a_sync_that_failed_is_begun_again_with_all_of_it() {
        let mut tail = Tail::new(100);
        for (seq, octets) in [(0, b"a"), (1, b"b"), (2, b"c")] {
            tail.push(seq, 1, octets);
            tail.begin_sync();
        }
        assert_eq!(tail.unsynced(), Unsynced { first: 0, end: 3, octets: b"abc".into() });
    }

    #[test]
    fn beyond_the_limit_the_oldest_is_let_go_and_counted() {
        let mut tail = Tail::new(4);
        tail.push(0, 1, b"ab");
        tail.begin_sync();
        tail.push(1, 1, b"cde");
        assert_eq!((tail.let_go(), tail.unsynced().octets), (2, b"cde".to_vec()));
        tail.push(2, 1, b"fg");
        assert_eq!((tail.let_go(), tail.unsynced()), (5, Unsynced { first: 2, end: 3, octets: b"fg".into() }));
        tail.push(3, 1, b"longer than all");
        assert_eq!((tail.let_go(), tail.unsynced().octets.len()), (22, 0));
    }
}
