//! The set of zones as sensors are told it: made anew when the ledger has moved or an authority's day has come, kept for
//! those who fetch it, and granted to each for a while.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::id::SensorId;
use model::{Digest, Timestamp};
use store::lease::{Bulletin, Grant, Lapse};
use store::sensors::LeaseStatus;

use super::hall::Hall;
use crate::supervise::now;

/// Sets that are kept for whoever was told of one and has not fetched it yet.
const KEPT: usize = 3;
/// How old a set may be that is granted without looking: authorities end by the clock alone.
const FRESH: Duration = Duration::from_secs(5);

/// What is told.
pub(crate) struct Notice {
    lease: Duration,
    after_lease: Lapse,
    told: Mutex<Vec<(Timestamp, Bulletin)>>,
    making: tokio::sync::Mutex<()>,
}

impl Notice {
    pub(crate) fn new(lease: Duration, after_lease: Lapse) -> Self {
        Self { lease, after_lease, told: Mutex::default(), making: tokio::sync::Mutex::default() }
    }

    fn told(&self) -> MutexGuard<'_, Vec<(Timestamp, Bulletin)>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A grant for one sensor, which says that it serves `version`. What it is told is kept before it is told.
    pub(super) async fn grant(&self, hall: &Hall, sensor: SensorId, version: u64) -> Result<String, String> {
        let bulletin = self.current(hall).await?;
        let issued = now();
        let grant = Grant {
            sensor,
            version: bulletin.version,
            zones: bulletin.digest,
            octets: bulletin.octets.len() as u64,
            issued,
            until: issued + self.lease,
        };
        let note = hall.ledger.sign_note(&grant.to_text()).ok_or("the ledger has no key")?;
        // A later one than ours is none: the ledger was restored from a backup, or the sensor says what it likes.
        let confirmed = if version <= grant.version { version } else { 0 };
        let lease = LeaseStatus { seen: issued, confirmed, told: grant.version, until: grant.until };
        hall.archive.received().save_lease(sensor, &lease).await.map_err(|error| error.to_string())?;
        Ok(note)
    }

    async fn current(&self, hall: &Hall) -> Result<Bulletin, String> {
        let _one = self.making.lock().await;
        let view = hall.ledger.view().await.map_err(|error| error.to_string())?;
        let at = now();
        let is_fresh = |(made, bulletin): &&(Timestamp, Bulletin)| {
            bulletin.version == view.next.0 && at.duration_since(*made).unsigned_abs() < FRESH
        };
        if let Some((_, bulletin)) = self.told().last().filter(is_fresh) {
            return Ok(bulletin.clone());
        }
        let (after, version) = (self.after_lease, view.next.0);
        let make = move || Bulletin::of(&view.zones(at), version, after, at);
        let made = tokio::task::spawn_blocking(make).await.map_err(|error| error.to_string())?;
        let mut told = self.told();
        // The same zones again need no room: most facts are about none.
        told.retain(|(_, known)| known.digest != made.digest);
        told.push((at, made.clone()));
        let many = told.len().saturating_sub(KEPT);
        told.drain(..many);
        Ok(made)
    }

    pub(super) fn find(&self, digest: &Digest) -> Option<Bulletin> {
        self.told().iter().map(|(_, bulletin)| bulletin).find(|bulletin| bulletin.digest == *digest).cloned()
    }

    /// Whether a name that is told of is answered from that file.
    pub(super) fn needs(&self, file: &Digest) -> bool {
        self.told().iter().any(|(_, bulletin)| bulletin.captured.contains(file))
    }
}
