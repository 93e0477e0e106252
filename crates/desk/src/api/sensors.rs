//! What the API says and takes of sensors.

use model::id::{SensorId, SensorName};
use model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
pub use store::sensors::{LaneStatus, LeaseStatus, UplinkTally};

/// `GET /sensors`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SensorsTold {
    /// The version that a sensor must have confirmed to know all that was decided.
    pub wanted: u64,
    pub sensors: Vec<SensorDetail>,
    /// Tokens that wait.
    pub offers: Vec<OfferDetail>,
}

/// One sensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SensorDetail {
    pub sensor: SensorId,
    pub name: SensorName,
    pub enrolled: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
    /// SHA-256 of its certificate.
    pub certificate: Digest,
    pub received: LaneStatus,
    /// Segments that it says it has lost.
    pub lost_segments: u64,
    /// What it was told of the zones; `None`: it has never asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseStatus>,
    /// Whether it serves what was decided last, by its own word.
    pub has_confirmed: bool,
}

impl SensorDetail {
    /// Whether it may still serve what was taken back.
    pub fn may_be_behind(&self, now: Timestamp) -> bool {
        !self.has_confirmed && self.lease.is_some_and(|lease| lease.until > now)
    }
}

/// A token that waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfferDetail {
    pub name: SensorName,
    pub expires: Timestamp,
}

/// `POST /sensors/offers`: the token itself never comes here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferRequest {
    pub name: SensorName,
    pub token_sha256: Digest,
    pub expires: Timestamp,
}

/// `POST /sensors/{id}/revoke`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeRequest {
    pub reason: String,
}

/// What a sensor's uplink is at, in `GET /status`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UplinkLive {
    pub core: String,
    #[serde(flatten)]
    pub tally: UplinkTally,
    /// How old the oldest closed segment is that the core has not acknowledged.
    pub lag_secs: u64,
    /// When the core was last heard of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_heard: Option<Timestamp>,
    /// The version of the zones that are served; `None`: the core has never said any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zones_version: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Timestamp>,
    /// Nobody has renewed the lease in time: names are served as it says for then.
    pub lease_is_over: bool,
    /// Why the zones could not be renewed; `None` since the last time they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zones_error: Option<String>,
}
