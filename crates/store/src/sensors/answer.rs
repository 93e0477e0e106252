//! What a core says about a segment, and which sensors it listens to.

use serde::{Deserialize, Serialize};

/// The protocol that this program speaks.
pub const PROTOCOL: u32 = 1;

/// Whether a core that speaks `ours` takes what a sensor sends that speaks `theirs`: the same, or one before. So a core
/// is upgraded first, and its sensors in any order after it.
pub fn accepts(ours: u32, theirs: u32) -> bool {
    theirs > 0 && (ours.saturating_sub(1)..=ours).contains(&theirs)
}

/// What a core says about a segment.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// It is on disk, synced, and will be in the archive.
    Stored,
    /// It was already, with the same digest.
    Had,
    /// Another one is kept under this name.
    Contradicted,
    /// Another start of the program sends under this boot: two folders have one identity.
    OtherStart,
    /// The lane goes on with another number.
    Expected {
        number: u32,
    },
    /// What came is not what was announced.
    Broken,
    TooLarge,
    /// The sensor has more lanes than one sensor can have.
    Crowded,
    /// Not now: the disk is full, or the lane is being written.
    Busy,
}

impl Answer {
    /// Whether the sensor may let its copy go.
    pub fn is_receipt(self) -> bool {
        matches!(self, Self::Stored | Self::Had)
    }

    /// As HTTP says it.
    pub fn status(self) -> u16 {
        match self {
            Self::Stored => 201,
            Self::Had => 200,
            Self::Contradicted | Self::OtherStart | Self::Expected { .. } => 409,
            Self::Broken => 422,
            Self::TooLarge => 413,
            Self::Crowded => 429,
            Self::Busy => 503,
        }
    }

    /// What it means, for the sensor's operator.
    pub fn text(self) -> &'static str {
        match self {
            Self::Stored | Self::Had => "the core has it",
            Self::Contradicted => {
                "the core holds another segment under this name: is this folder a copy of a sensor's?"
            }
            Self::OtherStart => "the core knows this boot from another folder: this one is a copy; join it anew",
            Self::Expected { .. } => "the core waits for another segment of this lane first",
            Self::Broken => "the core received something else than was sent",
            Self::TooLarge => "the segment is larger than a core takes",
            Self::Crowded => "the core takes no more lanes of this sensor",
            Self::Busy => "the core cannot take it now",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_takes_its_own_version_and_the_one_before() {
        for (ours, theirs, taken) in
            [(1, 1, true), (1, 0, false), (1, 2, false), (2, 1, true), (3, 1, false), (3, 2, true), (3, 4, false)]
        {
            assert_eq!(accepts(ours, theirs), taken, "{ours} {theirs}");
        }
    }

    #[test]
    fn an_answer_is_the_same_for_ever() {
        let written = serde_json::to_string(&Answer::Expected { number: 7 }).unwrap();
        assert_eq!(written, r#"{"answer":"expected","number":7}"#);
        assert_eq!(serde_json::from_str::<Answer>(&written).unwrap(), Answer::Expected { number: 7 });
        assert_eq!(serde_json::to_string(&Answer::Had).unwrap(), r#"{"answer":"had"}"#);
    }
}
