//! What the API says and takes about folders that leave the house.

use model::Timestamp;
use model::fact::Actor;
use model::id::Position;
use model::leaving::Leaving;
use serde::{Deserialize, Serialize};

/// `GET /cases/{id}/folders`
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct LeavingDetail {
    #[serde(flatten)]
    pub folder: Leaving,
    pub by: Actor,
    pub left: Timestamp,
    /// The fact that says so.
    pub fact: Position,
}
