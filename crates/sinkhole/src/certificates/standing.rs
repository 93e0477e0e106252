//! What may be done with the public certificate of a name, at this moment.
//!
//! It is asked at every hello and not remembered, so that a name that is sealed, put on hold or handed back shows ours
//! from the next hello on, whatever anybody else has got round to. A pure function of the zone and the clock.

use model::Timestamp;
use model::order::Act;
use model::seizure::ServiceMode;
use model::time::utc_day;

use crate::ServedZone;

/// How far a public certificate may go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// Asked for, renewed and shown.
    Shown,
    /// Neither asked for nor shown. What we have is kept: the name may come back to us, and the key is safe here.
    Kept,
    /// The name is another's again, or nobody permits it: its key is destroyed.
    Forgotten,
}

impl Standing {
    pub fn of(served: &ServedZone, now: Timestamp) -> Self {
        let coverage = served.zone.coverage();
        // Nearly all names stop here: an order names this act or it does not.
        if !coverage.acts().contains(Act::PublicCertificate) {
            return Self::Forgotten;
        }
        match served.mode_at(now) {
            ServiceMode::Handback | ServiceMode::Off => Self::Forgotten,
            ServiceMode::Hold => Self::Kept,
            // A kill switch is served on when its authority has ended, and asks nothing in its name any more. A certificate
            // stands in public logs: while a case is sealed none is asked for, and none that is there is shown.
            ServiceMode::Collect if coverage.has_lapsed(now) || served.zone.is_sealed(utc_day(now)) => Self::Kept,
            ServiceMode::Collect => Self::Shown,
        }
    }
}
