//! When: an instant, a day, or so long ago.

use std::time::Duration;

use model::Timestamp;
use model::time::Date;

pub(in super::super) const HINT: &str = "2019-03-27T09:00:00Z, 2019-03-27 (midnight UTC), or ago: 90m, 24h, 7d, 4w";

/// The instant that a person means at `now`.
pub(in super::super) fn instant(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    if let Ok(day) = text.parse::<Date>() {
        return format!("{day}T00:00:00Z").parse().map_err(|_| format!("`{text}` is a day beyond all calendars"));
    }
    let ago = ago(text).ok_or_else(|| format!("`{text}` is no time"))?;
    now.checked_sub(ago).map_err(|_| format!("`{text}` ago is before all calendars"))
}

/// `90m`, `24h`, `7d`, `4w`.
fn ago(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    // A number may have a sign for the parser below, and none for us.
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let secs: u64 = match unit {
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    Some(Duration::from_secs(number.parse::<u32>().ok().map(u64::from)?.checked_mul(secs)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let now: Timestamp = "2019-03-28T12:00:00Z".parse().unwrap();
        for (text, meant) in [
            ("2019-03-27T09:00:00+02:00", Some("2019-03-27T07:00:00Z")),
            ("2019-03-27", Some("2019-03-27T00:00:00Z")),
            ("24h", Some("2019-03-27T12:00:00Z")),
            ("7d", Some("2019-03-21T12:00:00Z")),
            ("90m", Some("2019-03-28T10:30:00Z")),
            ("1w", Some("2019-03-21T12:00:00Z")),
            ("0d", Some("2019-03-28T12:00:00Z")),
            ("", None),
            ("d", None),
            ("7", None),
            ("-7d", None),
            ("7é", None),
            ("4294967295w", None),
            ("99999999999999999999d", None),
            ("2019-02-30", None),
            ("yesterday", None),
        ] {
            let read = instant(text, now).ok().map(|at| at.to_string());
            assert_eq!(read.as_deref(), meant, "{text}");
        }
    }
}
