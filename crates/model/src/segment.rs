//! What names a journal segment wherever it goes: sensor, boot, lane and number.
//!
//! Uploads, receipts, cursors and proofs speak of a segment by this key and by the SHA-256 of its octets. It is written as
//! `00000002/00000003/0001/0000000a`, the path under which a core takes it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::Digest;
use crate::id::{Boot, Lane, SensorId};
use crate::time::Timestamp;

/// Whose segment it is, and which. Keys sort as segments were written.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SegmentKey {
    pub sensor: SensorId,
    pub boot: Boot,
    pub lane: Lane,
    pub number: u32,
}

impl fmt::Display for SegmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}/{:08x}/{:04x}/{:08x}", self.sensor.0, self.boot.0, self.lane.0, self.number)
    }
}

/// A text that names no segment.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a segment is named like 00000002/00000003/0001/0000000a")]
pub struct SegmentKeyError;

impl FromStr for SegmentKey {
    type Err = SegmentKeyError;

    fn from_str(text: &str) -> Result<Self, SegmentKeyError> {
        let parts: Vec<&str> = text.split('/').collect();
        let [sensor, boot, lane, number] = parts[..] else { return Err(SegmentKeyError) };
        let hex = |part| u32::from_str_radix(part, 16).map_err(|_| SegmentKeyError);
        let key = Self {
            sensor: SensorId(hex(sensor)?),
            boot: Boot(hex(boot)?),
            lane: Lane(u16::try_from(hex(lane)?).map_err(|_| SegmentKeyError)?),
            number: hex(number)?,
        };
        // One spelling each: what is stored under a name is found under it.
        if key.to_string() == text { Ok(key) } else { Err(SegmentKeyError) }
    }
}

impl Serialize for SegmentKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SegmentKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a core says of a segment that it has on disk, synced: the sensor may let its own copy go.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    pub segment: SegmentKey,
    pub digest: Digest,
    pub octets: u64,
    /// When the first copy came, by the core's clock.
    pub received: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_spelling() {
        let key = SegmentKey { sensor: SensorId(2), boot: Boot(3), lane: Lane(1), number: 10 };
        assert_eq!(key.to_string(), "00000002/00000003/0001/0000000a");
        assert_eq!(key.to_string().parse(), Ok(key));
        for bad in [
            "",
            "2/3/1/a",
            "00000002/00000003/0001/0000000A",
            "00000002/00000003/0001",
            "00000002/00000003/0001/0000000a/",
            "+0000002/00000003/0001/0000000a",
            "00000002/00000003/00010001/0000000a",
        ] {
            assert_eq!(bad.parse::<SegmentKey>(), Err(SegmentKeyError), "{bad}");
        }
    }
}
