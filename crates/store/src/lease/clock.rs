//! The clock that leases end by: the core's time as it was told last, and what has passed since by our own clocks.
//!
//! While the program runs, what has passed is the larger of what the monotonic clock and the wall clock say: a wall clock
//! that is set back changes nothing, one that is set forward, or that alone counts while a machine sleeps, ends leases
//! earlier. Over a restart only the wall clock tells, from what was saved; if it stands before what was saved, nobody knows
//! how long the machine was off, and there is no authority until the core has said the time again. What is saved may be
//! [`SAVED_EVERY`](super::keeper::SAVED_EVERY) old: that much a clock that is set back in between may win.

use std::time::Duration;

use model::Timestamp;
use model::time::{from_nanos, to_nanos};

/// Both clocks at one moment. `running`: since any beginning, by the clock that nobody sets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Instants {
    pub wall: Timestamp,
    pub running: Duration,
}

/// What survives a restart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SavedClock {
    pub authority: Timestamp,
    pub wall: Timestamp,
}

/// The core's time, as far as it is known.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct AuthorityClock {
    anchor: Option<Anchor>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Anchor {
    authority: i64,
    at: Instants,
    /// The latest that was ever said: the clock never goes back.
    latest: i64,
}

impl AuthorityClock {
    /// Goes on after a restart.
    pub fn resume(saved: SavedClock, at: Instants) -> Self {
        let off = to_nanos(at.wall).saturating_sub(to_nanos(saved.wall));
        if off < 0 {
            return Self::default();
        }
        let authority = to_nanos(saved.authority).saturating_add(off);
        Self { anchor: Some(Anchor { authority, at, latest: authority }) }
    }

    /// The core said that it was `core` when it answered a question asked at `asked`: it is at least as late now.
    pub fn told(&mut self, core: Timestamp, asked: Instants) {
        let authority = to_nanos(core);
        self.anchor = Some(Anchor { authority, at: asked, latest: authority });
    }

    /// The core's time; `None` if it is not known.
    pub fn now(&mut self, at: Instants) -> Option<Timestamp> {
        let anchor = self.anchor.as_mut()?;
        let running = at.running.saturating_sub(anchor.at.running);
        let running = i64::try_from(running.as_nanos()).unwrap_or(i64::MAX);
        let wall = to_nanos(at.wall).saturating_sub(to_nanos(anchor.at.wall));
        anchor.latest = anchor.latest.max(anchor.authority.saturating_add(running.max(wall)));
        Some(from_nanos(anchor.latest))
    }

    pub fn save(&mut self, at: Instants) -> Option<SavedClock> {
        self.now(at).map(|authority| SavedClock { authority, wall: at.wall })
    }
}

impl SavedClock {
    pub(super) fn to_text(self) -> String {
        format!("authority={}\nwall={}\n", to_nanos(self.authority), to_nanos(self.wall))
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name))?.parse().ok();
        Some(Self { authority: from_nanos(field("authority=")?), wall: from_nanos(field("wall=")?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(wall: i64, running: u64) -> Instants {
        Instants { wall: Timestamp::from_second(wall).unwrap(), running: Duration::from_secs(running) }
    }

    fn secs(clock: &mut AuthorityClock, wall: i64, running: u64) -> Option<i64> {
        clock.now(at(wall, running)).map(Timestamp::as_second)
    }

    #[test]
    fn no_step_of_the_wall_clock_sets_it_back() {
        let mut clock = AuthorityClock::default();
        assert_eq!(secs(&mut clock, 0, 0), None);
        clock.told(Timestamp::from_second(1_000).unwrap(), at(500, 10));
        assert_eq!(secs(&mut clock, 505, 15), Some(1_005));
        assert_eq!(secs(&mut clock, 100, 20), Some(1_010), "the wall was set back");
        assert_eq!(secs(&mut clock, 600, 21), Some(1_100), "the wall was set forward, or the machine slept");
        assert_eq!(secs(&mut clock, 522, 22), Some(1_100), "and set right again");
        clock.told(Timestamp::from_second(1_030).unwrap(), at(530, 40));
        assert_eq!(secs(&mut clock, 531, 41), Some(1_031), "the core knows");
    }

    #[test]
    fn over_a_restart_the_wall_clock_tells_unless_it_went_back() {
        let mut clock = AuthorityClock::default();
        clock.told(Timestamp::from_second(1_000).unwrap(), at(500, 10));
        let saved = clock.save(at(510, 20)).unwrap();
        assert_eq!(SavedClock::parse(&saved.to_text()), Some(saved));
        assert_eq!(secs(&mut AuthorityClock::resume(saved, at(560, 0)), 561, 1), Some(1_061));
        assert_eq!(secs(&mut AuthorityClock::resume(saved, at(509, 0)), 600, 91), None);
        assert_eq!(SavedClock::parse("authority=x\n"), None);
    }
}
