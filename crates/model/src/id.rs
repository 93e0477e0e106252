//! Identities. A `CaseId` is not an `OrderId`, and the compiler knows.
//!
//! What people name has a slug (`phosphorus-2019`); what machines count has numbers. No id holds randomness: the same
//! history gives the same ids, so that feeds are the same bytes and a gap in a sequence is provable.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

//----------- Slugs ------------------------------------------------------------------------------------------------

/// The longest slug.
pub const SLUG_LEN_MAX: usize = 64;

/// Why a text is no id.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an id has 1 to 64 lower-case letters, digits, `-`, `.` or `_`, and starts with a letter or digit")]
pub struct SlugError;

fn is_slug(text: &str) -> bool {
    let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b);
    text.len() <= SLUG_LEN_MAX && text.bytes().all(ok) && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
}

macro_rules! slugs {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(Arc<str>);

        impl $name {
            pub fn parse(text: &str) -> Result<Self, SlugError> {
                if is_slug(text) { Ok(Self(text.into())) } else { Err(SlugError) }
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = SlugError;

            fn from_str(text: &str) -> Result<Self, SlugError> {
                Self::parse(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(|error| serde::de::Error::custom(format!("`{text}`: {error}")))
            }
        }
    )*};
}

slugs! {
    /// A case: one group's names under one or more authorities. `phosphorus-2019`
    CaseId
    /// One instrument of one case: an order, an agreement, an exercise. `dcd-1-19-cv-00716`
    OrderId
    /// A threat group as we key it. `apt35`
    GroupId
    /// A person who acts. `alice`
    PersonId
    /// One of a person's tokens. `ci`
    TokenName
    /// A sensor as people call it. `fra-1`
    SensorName
}

//----------- Numbers ----------------------------------------------------------------------------------------------

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident($of:ty))*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $of);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

numbers! {
    /// One data folder that takes contacts; given once at enrolment, 1 on a single machine.
    SensorId(u32)
    /// How often this sensor has started; stored and synced before the first answer.
    Boot(u32)
    /// One journal writer of a sensor.
    Lane(u16)
    /// The place of a fact in the ledger, dense from 0.
    Position(u64)
    /// A request for approval, numbered by the position of the fact that made it.
    RequestId(u64)
}

//----------- ContactId --------------------------------------------------------------------------------------------

/// The largest sequence number: 48 bits, 9 years of 1 M contacts a second.
pub const SEQ_MAX: u64 = (1 << 48) - 1;

/// Who heard it, in which boot, by which writer, and the how-manieth: 128 bits, dense within a lane.
///
/// Written as `00000001-00000003-0000-00000000002a`, which sorts as it counts.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ContactId {
    pub sensor: SensorId,
    pub boot: Boot,
    pub lane: Lane,
    seq: u64,
}

impl ContactId {
    /// # Panics
    /// If `seq` is above [`SEQ_MAX`]: a lane starts a new boot long before.
    pub fn new(sensor: SensorId, boot: Boot, lane: Lane, seq: u64) -> Self {
        assert!(seq <= SEQ_MAX, "a lane has 48 bits of sequence");
        Self { sensor, boot, lane, seq }
    }

    pub fn seq(self) -> u64 {
        self.seq
    }

    /// Big-endian, so that bytes sort as ids do.
    pub fn to_bytes(self) -> [u8; 16] {
        let high = u64::from(self.sensor.0) << 32 | u64::from(self.boot.0);
        let low = u64::from(self.lane.0) << 48 | self.seq;
        (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
    }

    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        let [s0, s1, s2, s3, b0, b1, b2, b3, l0, l1, q @ ..] = bytes;
        let seq = q.iter().fold(0, |seq, byte| seq << 8 | u64::from(*byte));
        Self {
            sensor: SensorId(u32::from_be_bytes([s0, s1, s2, s3])),
            boot: Boot(u32::from_be_bytes([b0, b1, b2, b3])),
            lane: Lane(u16::from_be_bytes([l0, l1])),
            seq,
        }
    }
}

impl fmt::Display for ContactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{:08x}-{:04x}-{:012x}", self.sensor.0, self.boot.0, self.lane.0, self.seq)
    }
}

impl fmt::Debug for ContactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContactId({self})")
    }
}

impl FromStr for ContactId {
    type Err = ContactIdError;

    fn from_str(text: &str) -> Result<Self, ContactIdError> {
        let parts: Vec<&str> = text.split('-').collect();
        let [sensor, boot, lane, seq] = parts[..] else { return Err(ContactIdError) };
        let number = |part: &str, digits: usize| {
            if part.len() == digits && part.bytes().all(|b| b.is_ascii_hexdigit()) {
                u64::from_str_radix(part, 16).map_err(|_| ContactIdError)
            } else {
                Err(ContactIdError)
            }
        };
        let small = |part| number(part, 8).and_then(|n| u32::try_from(n).map_err(|_| ContactIdError));
        Ok(Self {
            sensor: SensorId(small(sensor)?),
            boot: Boot(small(boot)?),
            lane: Lane(number(lane, 4).and_then(|n| u16::try_from(n).map_err(|_| ContactIdError))?),
            seq: number(seq, 12)?,
        })
    }
}

/// A text that is no contact id.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a contact id looks like 00000001-00000003-0000-00000000002a")]
pub struct ContactIdError;

impl Serialize for ContactId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContactId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_contact_id_is_the_same_for_ever() {
        let id = ContactId::new(SensorId(1), Boot(3), Lane(2), 42);
        assert_eq!(id.to_string(), "00000001-00000003-0002-00000000002a");
        assert_eq!(id.to_bytes(), [0, 0, 0, 1, 0, 0, 0, 3, 0, 2, 0, 0, 0, 0, 0, 42]);
    }

    #[test]
    fn slugs_are_what_a_shell_and_a_path_can_bear() {
        for good in ["phosphorus-2019", "a", "1.19-cv_00716"] {
            assert!(CaseId::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", ".a", "Upper", "a/b", "a b", &"a".repeat(65)] {
            assert!(CaseId::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn contact_ids_round_trip(sensor: u32, boot: u32, lane: u16, seq in 0..=SEQ_MAX) {
            let id = ContactId::new(SensorId(sensor), Boot(boot), Lane(lane), seq);
            prop_assert_eq!(ContactId::from_bytes(id.to_bytes()), id);
            prop_assert_eq!(id.to_string().parse::<ContactId>().unwrap(), id);
        }

        #[test]
        fn contact_id_parsing_never_panics(text in "\\PC{0,60}") {
            let _ = text.parse::<ContactId>();
        }
    }
}
