//! The lease itself: a short text, signed by the key of the core's ledger, that names a set of zones by its digest.
//!
//! ```text
//! bailiwick zones v1
//! sensor 2
//! version 57
//! zones 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! octets 1234
//! issued 1553688000000000000
//! until 1553947200000000000
//! ```
//!
//! Its first line can begin no checkpoint of the ledger: a name of a log has no space.

use std::time::Duration;

use model::id::SensorId;
use model::time::{from_nanos, to_nanos};
use model::{Digest, Timestamp};

use crate::log::{NoteError, VerifyingKey};

/// The longest lease: what was withdrawn must not be served for longer by anybody who missed it.
pub const LEASE_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);

const TITLE: &str = "bailiwick zones v1";

/// What a core grants to one sensor.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grant {
    pub sensor: SensorId,
    /// The ledger's next position as the set was made.
    pub version: u64,
    /// SHA-256 of the set's octets.
    pub zones: Digest,
    pub octets: u64,
    /// By the core's clock.
    pub issued: Timestamp,
    pub until: Timestamp,
}

/// Why a grant is not obeyed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum GrantError {
    #[error(transparent)]
    Note(#[from] NoteError),
    #[error("it is signed, and is no grant of zones that this program reads")]
    NoGrant,
    #[error("it is for sensor {0}")]
    OtherSensor(SensorId),
    #[error("it is older than what is served: version {theirs} of {issued}, and here is {ours}")]
    Older { theirs: u64, ours: u64, issued: Timestamp },
    #[error("it is longer than a lease may be, or ends before it begins")]
    TooLong,
    #[error("its zones are not what it says: {0}")]
    OtherZones(String),
}

impl Grant {
    pub fn to_text(&self) -> String {
        let Self { sensor, version, zones, octets, issued, until } = self;
        let (issued, until) = (to_nanos(*issued), to_nanos(*until));
        format!(
            "{TITLE}\nsensor {sensor}\nversion {version}\nzones {zones}\noctets {octets}\nissued {issued}\nuntil {until}\n"
        )
    }

    /// Reads a note that this key signed for this sensor.
    ///
    /// # Errors
    /// If it is not that, or grants more than a grant can.
    pub fn open(note: &str, key: &VerifyingKey, sensor: SensorId) -> Result<Self, GrantError> {
        let text = key.open(note)?;
        let grant = Self::read(text).filter(|grant| grant.to_text() == text).ok_or(GrantError::NoGrant)?;
        let length = grant.until.duration_since(grant.issued);
        if grant.sensor != sensor {
            return Err(GrantError::OtherSensor(grant.sensor));
        }
        if length.is_negative() || length.unsigned_abs() > LEASE_MAX {
            return Err(GrantError::TooLong);
        }
        Ok(grant)
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let title = lines.next()?;
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        let grant = Self {
            sensor: SensorId(field("sensor")?.parse().ok()?),
            version: field("version")?.parse().ok()?,
            zones: field("zones")?.parse().ok()?,
            octets: field("octets")?.parse().ok()?,
            issued: from_nanos(field("issued")?.parse().ok()?),
            until: from_nanos(field("until")?.parse().ok()?),
        };
        (title == TITLE).then_some(grant)
    }
}
