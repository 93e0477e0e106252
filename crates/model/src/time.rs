//! Time as values: instants are UTC, dates are civil and copied from paper.
//!
//! Nothing here asks a clock; whoever needs the present takes it as `now`. Wall time on the wire and on disk is
//! nanoseconds since the Unix epoch, which an `i64` holds until the year 2262.

use std::time::Duration;

pub use jiff::Timestamp;
/// A date as a paper states it, without an hour.
pub use jiff::civil::Date;

/// Nanoseconds since the Unix epoch, as frames carry them. Instants outside 1677..2262 are pinned to that range.
pub fn to_nanos(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(if at < Timestamp::UNIX_EPOCH { i64::MIN } else { i64::MAX })
}

/// The instant that [`to_nanos`] wrote.
pub fn from_nanos(nanos: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanos)).expect("every i64 of nanoseconds is within jiff's range")
}

/// So long after an instant that [`to_nanos`] wrote.
pub fn after(nanos: i64, since: Duration) -> Timestamp {
    let since = i64::try_from(since.as_nanos()).unwrap_or(i64::MAX);
    from_nanos(nanos.saturating_add(since))
}

/// The UTC day of an instant: segments, folders and reports are cut there.
pub fn utc_day(at: Timestamp) -> Date {
    jiff::tz::TimeZone::UTC.to_datetime(at).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_round_trip_over_their_whole_range() {
        for nanos in [i64::MIN, -1, 0, 1, 1_553_472_000_123_456_789, i64::MAX] {
            assert_eq!(to_nanos(from_nanos(nanos)), nanos);
        }
    }

    #[test]
    fn a_day_ends_at_utc_midnight() {
        assert_eq!(utc_day("2019-03-27T23:59:59.999Z".parse().unwrap()).to_string(), "2019-03-27");
        assert_eq!(utc_day("2019-03-28T00:00:00+00:00".parse().unwrap()).to_string(), "2019-03-28");
    }
}
