//! How much room the journal has: its budget, the disk, and a reserve for what must be written when both are at an end.
//!
//! ```text
//!  ample ─ no bodies ─ no raw ─ no repeats ─ no limited ─ first contacts only ─ full
//!      10 %       8 %      6 %         4 %           2 %                      0   left of the budget or of the disk
//! ```
//! (of 16 GiB, where the budget is larger)
//!
//! The journal says what there is; whoever writes sheds by it (`sinkhole::thrift`). The reserve is a file of its own: the
//! first write that finds the disk full takes it away and writes again, so that counts and kill switches go on. It is
//! owed from then on, and set aside again once there is room for twice of it.
//!
//! The syncing thread looks at the disk with every pass, and at the folder more seldom: somebody may have made room.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, fallocate};
use nix::sys::statvfs::statvfs;
use serde::Serialize;

use super::{held, segment};
use crate::Error;

/// The reserve's name within the journal's folder.
const RESERVE: &str = "reserve";
/// Passes between two looks at the folder's files, while there is room and while there is little.
const LIST_EVERY: u32 = 250;
const LIST_EVERY_WHEN_TIGHT: u32 = 25;
/// What the journal takes of its disk if nobody says.
const SHARE_PERCENT: u64 = 80;
/// The percents are of the budget, but of no more than this: the tenth of a large disk is days of evidence.
const MEASURED_MAX: u64 = 16 << 30;
/// The reserve is at most so small a part of the budget.
const RESERVE_PARTS: u64 = 16;

//----------- Room -------------------------------------------------------------------------------------------------

/// What is shed from here on, in this order.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Room {
    #[default]
    Ample,
    /// The form of bodies and letters, and sealed account names.
    NoBodies,
    /// Heads, hellos, first bytes as they were received.
    NoRaw,
    /// Records that carry the count of those collapsed before them.
    NoRepeats,
    /// Queries whose answer was limited.
    NoLimited,
    /// All but the first contact of a source with a name.
    FirstOnly,
    /// All but kill switches and counts.
    Full,
}

impl Room {
    const ALL: [Self; 7] =
        [Self::Ample, Self::NoBodies, Self::NoRaw, Self::NoRepeats, Self::NoLimited, Self::FirstOnly, Self::Full];
    /// Where each but the first begins, in percent of the whole that are left.
    const BEGINS: [(u64, Self); 5] =
        [(2, Self::FirstOnly), (4, Self::NoLimited), (6, Self::NoRepeats), (8, Self::NoRaw), (10, Self::NoBodies)];

    fn of(left: u64, whole: u64) -> Self {
        if left == 0 {
            return Self::Full;
        }
        let is_below = |(percent, _): &&(u64, Self)| left < whole.min(MEASURED_MAX) / 100 * percent;
        Self::BEGINS.iter().find(is_below).map_or(Self::Ample, |(_, room)| *room)
    }

    /// As an operator says it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ample => "ok",
            Self::Full => "full",
            _ => "tight",
        }
    }
}

/// How the budget stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct RoomReport {
    pub room: Room,
    pub budget_octets: u64,
    /// By the journal's segments.
    pub used_octets: u64,
    /// Until the budget or the disk is at its end.
    pub left_octets: u64,
    /// Whether the reserve is set aside; otherwise it is in use.
    pub has_reserve: bool,
}

//----------- Watch ------------------------------------------------------------------------------------------------

/// What is known of the room.
#[derive(Debug, Default)]
pub(super) struct Watch {
    room: AtomicU8,
    used: AtomicU64,
    left: AtomicU64,
    budget: AtomicU64,
    reserve: Mutex<Reserve>,
    passes: Mutex<Passes>,
}

#[derive(Debug, Default)]
struct Reserve {
    is_held: bool,
    /// Octets that it has, or should have.
    len: u64,
}

#[derive(Debug, Default)]
struct Passes {
    until_listed: u32,
    /// What the lanes had written when the folder was last looked at, and what it held.
    written: u64,
    listed: u64,
}

/// What the operator allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    pub(super) budget: Option<u64>,
    pub(super) reserve: u64,
}

impl Watch {
    pub(super) fn room(&self) -> Room {
        Room::ALL[usize::from(self.room.load(Ordering::Relaxed))]
    }

    pub(super) fn report(&self) -> RoomReport {
        RoomReport {
            room: self.room(),
            budget_octets: self.budget.load(Ordering::Relaxed),
            used_octets: self.used.load(Ordering::Relaxed),
            left_octets: self.left.load(Ordering::Relaxed),
            has_reserve: held(&self.reserve).is_held,
        }
    }

    /// A write found the disk full: gives the reserve for it and for what comes. Whether there was one.
    pub(super) fn give_reserve(&self, folder: &Path) -> bool {
        self.set(Room::Full);
        let mut reserve = held(&self.reserve);
        std::mem::replace(&mut reserve.is_held, false) && fs::remove_file(folder.join(RESERVE)).is_ok()
    }

    /// Looks at the disk, and where it is time at the folder; `written` is what the lanes have written in this boot.
    pub(super) fn look(&self, folder: &Path, allowed: Allowed, written: u64) -> Result<(), Error> {
        let disk = statvfs(folder).map_err(|errno| Error::io("measuring the disk of", folder)(errno.into()))?;
        let octets = |blocks: u64| blocks.saturating_mul(disk.fragment_size());
        let (whole, free) = (octets(disk.blocks()), octets(disk.blocks_available()));
        let budget = allowed.budget.unwrap_or(whole / 100 * SHARE_PERCENT).min(whole);
        let used = self.used(folder, written)?;
        let free = free.saturating_sub(self.keep_reserve(folder, allowed.reserve.min(budget / RESERVE_PARTS), free));
        let left = budget.saturating_sub(used).min(free);
        for (field, value) in [(&self.budget, budget), (&self.used, used), (&self.left, left)] {
            field.store(value, Ordering::Relaxed);
        }
        self.set(Room::of(left, budget));
        Ok(())
    }

    fn set(&self, room: Room) {
        let before = self.room.swap(room as u8, Ordering::Relaxed);
        let before = Room::ALL[usize::from(before)];
        match (before.word(), room.word()) {
            (before, now) if before == now => {}
            (_, "ok") => {
                tracing::info!(target: "bailiwick_store", "the journal has room again: everything is recorded");
            }
            (_, now) => tracing::warn!(
                target: "bailiwick_store", left = self.left.load(Ordering::Relaxed),
                "the journal's room is {now}: what is shed is counted; hint: make room, or raise `journal.disk_budget_mib`"
            ),
        }
    }

    fn used(&self, folder: &Path, written: u64) -> Result<u64, Error> {
        let mut passes = held(&self.passes);
        if passes.until_listed == 0 {
            let every = if self.room() == Room::Ample { LIST_EVERY } else { LIST_EVERY_WHEN_TIGHT };
            *passes = Passes { until_listed: every, written, listed: listed(folder)? };
        }
        passes.until_listed -= 1;
        Ok(passes.listed + written.saturating_sub(passes.written))
    }

    /// Sets the reserve aside where it is owed and there is room; says what is owed still.
    fn keep_reserve(&self, folder: &Path, len: u64, free: u64) -> u64 {
        let mut reserve = held(&self.reserve);
        if reserve.is_held && reserve.len == len || len == 0 {
            return 0;
        }
        if free >= len.saturating_mul(2) {
            // Where that fails it is owed, and tried again with the next pass.
            reserve.is_held = set_aside(&folder.join(RESERVE), len).is_ok();
            reserve.len = len;
        }
        if reserve.is_held { len } else { len.min(free) }
    }
}

/// What the segments of a folder have.
fn listed(folder: &Path) -> Result<u64, Error> {
    let mut octets = 0;
    for entry in fs::read_dir(folder).map_err(Error::io("listing", folder))? {
        let entry = entry.map_err(Error::io("listing", folder))?;
        if entry.file_name().to_str().is_some_and(|name| segment::SegmentName::parse(name).is_some()) {
            // One that somebody took away meanwhile has nothing.
            octets += entry.metadata().map_or(0, |file| file.len());
        }
    }
    Ok(octets)
}

/// A file of that length whose blocks are its own.
fn set_aside(path: &Path, len: u64) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let taken = match fallocate(&file, FallocateFlags::empty(), 0, i64::try_from(len).unwrap_or(i64::MAX)) {
        Err(Errno::EOPNOTSUPP) => {
            io::copy(&mut io::Read::take(io::repeat(0), len), &mut file).and_then(|_| file.flush())
        }
        taken => taken.map_err(io::Error::from),
    };
    taken.inspect_err(|_| {
        let _ = fs::remove_file(path);
    })
}

/// What the budget says of a folder that nobody writes: for whoever looks from outside.
pub fn report(folder: &Path, budget: Option<u64>) -> Result<RoomReport, Error> {
    let watch = Watch::default();
    watch.look(folder, Allowed { budget, reserve: 0 }, 0)?;
    Ok(RoomReport { has_reserve: folder.join(RESERVE).exists(), ..watch.report() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shed_grows_as_room_ends() {
        let of = |left| Room::of(left, 10_000);
        let at = [10_000, 1_000, 999, 799, 599, 399, 199, 1, 0].map(of);
        let [first, ample, bodies, raw, repeats, limited, new, last, full] = at;
        assert_eq!([first, ample], [Room::Ample; 2]);
        assert_eq!([bodies, raw, repeats, limited], [Room::NoBodies, Room::NoRaw, Room::NoRepeats, Room::NoLimited]);
        assert_eq!([new, last, full], [Room::FirstOnly, Room::FirstOnly, Room::Full]);
        assert!(at.is_sorted());
        assert_eq!(Room::of(2 << 30, 200 << 30), Room::Ample, "of a large budget the first GB are no tenth");
        assert_eq!(at.map(Room::word)[7..], ["tight", "full"]);
        assert!(Room::ALL.iter().enumerate().all(|(at, room)| *room as usize == at));
    }

    #[test]
    fn the_budget_ends_with_what_the_folder_holds_and_comes_back_when_somebody_makes_room() {
        let home = tempfile::tempdir().unwrap();
        let segment = home.path().join("00000001-00000001-0000-00000000.seg");
        fs::write(&segment, vec![0; 900_000]).unwrap();
        let (watch, allowed) = (Watch::default(), Allowed { budget: Some(1_000_000), reserve: 1 << 30 });
        watch.look(home.path(), allowed, 0).unwrap();
        assert_eq!((watch.report().left_octets, watch.room()), (100_000, Room::Ample));
        assert_eq!(fs::metadata(home.path().join(RESERVE)).unwrap().len(), 1_000_000 / RESERVE_PARTS);
        watch.look(home.path(), allowed, 50_000).unwrap();
        assert_eq!(watch.room(), Room::NoRepeats, "what is written counts before the folder is looked at");
        watch.look(home.path(), allowed, 100_000).unwrap();
        assert_eq!((watch.room(), watch.report().left_octets), (Room::Full, 0));
        fs::remove_file(segment).unwrap();
        for _ in 0..LIST_EVERY {
            watch.look(home.path(), allowed, 100_000).unwrap();
        }
        assert_eq!((watch.room(), watch.report().used_octets), (Room::Ample, 0));
    }

    #[test]
    fn the_reserve_is_given_once_and_set_aside_again() {
        let home = tempfile::tempdir().unwrap();
        let (watch, allowed) = (Watch::default(), Allowed { budget: Some(1 << 20), reserve: 4096 });
        watch.look(home.path(), allowed, 0).unwrap();
        assert!(watch.report().has_reserve && watch.give_reserve(home.path()));
        assert_eq!((watch.room(), watch.report().has_reserve), (Room::Full, false));
        assert!(!watch.give_reserve(home.path()), "there is one");
        watch.look(home.path(), allowed, 0).unwrap();
        assert_eq!((watch.room(), watch.report().has_reserve), (Room::Ample, true));
    }
}
