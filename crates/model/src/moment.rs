//! Days and hours as a signed paper states them: copied with their zone, never computed.
//!
//! A [`Moment`] is an instant that remembers the zone it was written in, so that it is shown as it stands on the paper. A
//! [`PaperTime`] may be a day without an hour; such a day begins first in the east and ends last in the west, and nothing
//! here guesses which zone was meant.

use std::fmt;
use std::str::FromStr;

use jiff::fmt::temporal::Pieces;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::{Date, Timestamp};

/// The zone in which a day begins first, UTC+14.
const FIRST_ZONE_SECS: i64 = 14 * 3_600;
/// The zone in which a day ends last, UTC−12.
const LAST_ZONE_SECS: i64 = 12 * 3_600;
const DAY_SECS: i64 = 86_400;
/// `2019-03-15`
const DAY_LEN: usize = 10;

/// Why a text is no time of a paper.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an hour needs its zone: 2019-03-29T17:00:00-04:00")]
pub struct PaperTimeError;

//----------- Moment -----------------------------------------------------------------------------------------------

/// An instant, with the offset from UTC that it was written with.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Moment {
    pub at: Timestamp,
    offset: Offset,
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self { at, offset: Offset::UTC }
    }
}

impl FromStr for Moment {
    type Err = PaperTimeError;

    fn from_str(text: &str) -> Result<Self, PaperTimeError> {
        let at = text.parse().map_err(|_| PaperTimeError)?;
        let pieces = Pieces::parse(text).map_err(|_| PaperTimeError)?;
        Ok(Self { at, offset: pieces.to_numeric_offset().unwrap_or(Offset::UTC) })
    }
}

/// As written; what was written in UTC ends in `Z`.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset == Offset::UTC {
            true => write!(f, "{}", self.at),
            false => write!(f, "{}", self.at.display_with_offset(self.offset)),
        }
    }
}

impl Moment {
    /// The day, in the zone that it was written in.
    pub fn date(&self) -> Date {
        TimeZone::fixed(self.offset).to_datetime(self.at).date()
    }
}

//----------- PaperTime --------------------------------------------------------------------------------------------

/// A day, or an hour of one with its zone.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum PaperTime {
    Day(Date),
    Hour(Moment),
}

impl PaperTime {
    pub fn date(&self) -> Date {
        match self {
            Self::Day(day) => *day,
            Self::Hour(moment) => moment.date(),
        }
    }

    /// Before this instant it has come nowhere.
    pub fn earliest(&self) -> Timestamp {
        match self {
            Self::Day(day) => shifted(*day, -FIRST_ZONE_SECS),
            Self::Hour(moment) => moment.at,
        }
    }

    /// From this instant on it is over everywhere.
    pub fn over(&self) -> Timestamp {
        match self {
            Self::Day(day) => shifted(*day, DAY_SECS + LAST_ZONE_SECS),
            Self::Hour(moment) => moment.at,
        }
    }
}

/// So long after the day's midnight in UTC; the edge of time where there is no such instant.
fn shifted(day: Date, secs: i64) -> Timestamp {
    let midnight = TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).map_or(i64::MAX, Timestamp::as_second);
    let second = midnight.saturating_add(secs);
    Timestamp::from_second(second).unwrap_or(if second < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

impl FromStr for PaperTime {
    type Err = PaperTimeError;

    fn from_str(text: &str) -> Result<Self, PaperTimeError> {
        if text.len() == DAY_LEN {
            return text.parse().map(Self::Day).map_err(|_| PaperTimeError);
        }
        text.parse().map(Self::Hour)
    }
}

impl From<Date> for PaperTime {
    fn from(day: Date) -> Self {
        Self::Day(day)
    }
}

impl fmt::Display for PaperTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => write!(f, "{day}"),
            Self::Hour(moment) => write!(f, "{moment}"),
        }
    }
}

macro_rules! as_text {
    ($($of:ty)*) => {$(
        impl Serialize for $of {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $of {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(|error| serde::de::Error::custom(format!("`{text}`: {error}")))
            }
        }
    )*};
}

as_text! { Moment PaperTime }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_on_the_paper_is_shown_as_it_stands() {
        for text in ["2019-03-29", "2019-03-29T17:00:00-04:00", "2019-03-29T21:00:00Z", "2019-03-29T09:30:00+05:30"] {
            let read: PaperTime = text.parse().unwrap();
            assert_eq!(read.to_string(), text);
            assert_eq!(serde_json::to_string(&read).unwrap(), format!("\"{text}\""));
            assert_eq!(read.date().to_string(), "2019-03-29");
        }
        for text in ["", "2019-03-29T17:00:00", "17:00", "2019-02-30", "tomorrow"] {
            assert_eq!(text.parse::<PaperTime>(), Err(PaperTimeError), "{text}");
        }
    }

    #[test]
    fn a_day_without_an_hour_begins_in_the_east_and_ends_in_the_west() {
        let day: PaperTime = "2019-03-29".parse().unwrap();
        assert_eq!(day.earliest().to_string(), "2019-03-28T10:00:00Z");
        assert_eq!(day.over().to_string(), "2019-03-30T12:00:00Z");
        let hour: PaperTime = "2019-03-29T23:30:00-04:00".parse().unwrap();
        assert_eq!((hour.earliest(), hour.earliest().to_string()), (hour.over(), "2019-03-30T03:30:00Z".into()));
        assert_eq!(hour.date().to_string(), "2019-03-29", "the day of the paper's own zone");
    }
}
