//! Days counted by rule. What comes out is a proposal: which rule applies is counsel's to say.
//!
//! Fed. R. Civ. P. 6(a)(1): the day of the event is not counted, every day after it is, and a period whose last day is a
//! Saturday, a Sunday or a legal holiday ends with the next day that is none. Holidays are those of 5 U.S.C. 6103 and the
//! days on which they are observed; a state's own are not known here.

use jiff::civil::{Weekday, date};
use model::due::Rule;
use model::time::Date;

/// 65(b)(2): "not to exceed 14 days"; "for a like period".
const TRO_DAYS: u16 = 14;
const TRO_EXTENDED_DAYS: u16 = 28;

/// What the rule comes to; `issued` is the day of the entry, for the rules that count from there.
pub fn date_by(rule: Rule, issued: Option<Date>) -> Option<Date> {
    match rule {
        Rule::Frcp65b2 => rolled(after(issued?, TRO_DAYS)?),
        Rule::Frcp65b2Extended => rolled(after(issued?, TRO_EXTENDED_DAYS)?),
        Rule::Days { from, days } => after(from, days),
        Rule::BusinessDays { from, days } => business_days_after(from, days),
    }
}

fn after(day: Date, days: u16) -> Option<Date> {
    day.checked_add(jiff::Span::new().days(days)).ok()
}

/// The day, or the next one on which courts sit.
fn rolled(mut day: Date) -> Option<Date> {
    while !is_business_day(day) {
        day = day.tomorrow().ok()?;
    }
    Some(day)
}

fn business_days_after(mut day: Date, days: u16) -> Option<Date> {
    let mut left = days;
    while left > 0 {
        day = day.tomorrow().ok()?;
        left -= u16::from(is_business_day(day));
    }
    Some(day)
}

fn is_business_day(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !is_holiday(day)
}

/// A legal holiday of the United States, or the weekday on which one that falls on a weekend is observed.
fn is_holiday(day: Date) -> bool {
    let observed = match day.weekday() {
        Weekday::Friday => day.tomorrow().is_ok_and(is_set_aside),
        Weekday::Monday => day.yesterday().is_ok_and(is_set_aside),
        _ => false,
    };
    is_set_aside(day) || observed
}

/// 5 U.S.C. 6103(a). Juneteenth is one since 2021.
fn is_set_aside(day: Date) -> bool {
    let nth = |n: i8, weekday| day.nth_weekday_of_month(n, weekday).is_ok_and(|found| found == day);
    match (day.month(), day.day()) {
        (1, 1) | (7, 4) | (11, 11) | (12, 25) => true,
        (6, 19) => day >= date(2021, 6, 17),
        (1, _) => nth(3, Weekday::Monday),
        (2, _) => nth(3, Weekday::Monday),
        (5, _) => nth(-1, Weekday::Monday),
        (9, _) => nth(1, Weekday::Monday),
        (10, _) => nth(2, Weekday::Monday),
        (11, _) => nth(4, Weekday::Thursday),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn a_restraining_order_is_counted_as_the_rules_say() {
        for (issued, ends, extended) in [
            // The order of the case that ships: a Friday's.
            ("2019-03-15", "2019-03-29", "2019-04-12"),
            // A Saturday's fourteenth day is a Saturday: it ends with Monday.
            ("2026-03-14", "2026-03-30", "2026-04-13"),
            // The fourteenth day is Christmas, a Friday: over to Monday. The extension ends on a plain Friday.
            ("2026-12-11", "2026-12-28", "2027-01-08"),
            // 4 July 2026 is a Saturday and observed on Friday.
            ("2026-06-19", "2026-07-06", "2026-07-17"),
        ] {
            assert_eq!(date_by(Rule::Frcp65b2, Some(day(issued))), Some(day(ends)), "{issued}");
            assert_eq!(date_by(Rule::Frcp65b2Extended, Some(day(issued))), Some(day(extended)), "{issued}");
        }
        assert_eq!(date_by(Rule::Frcp65b2, None), None, "without the day of the entry there is nothing to count from");
    }

    #[test]
    fn business_days_leave_out_weekends_and_holidays() {
        for (from, days, to) in [
            ("2026-11-25", 1, "2026-11-27"),
            ("2026-11-25", 2, "2026-11-30"),
            ("2026-11-27", 0, "2026-11-27"),
            ("2021-06-17", 1, "2021-06-21"),
            ("2020-06-18", 1, "2020-06-19"),
            ("2026-12-31", 1, "2027-01-04"),
        ] {
            let rule = Rule::BusinessDays { from: day(from), days };
            assert_eq!(date_by(rule, None), Some(day(to)), "{days} after {from}");
        }
        let plain = Rule::Days { from: day("2026-11-25"), days: 3 };
        assert_eq!(date_by(plain, None), Some(day("2026-11-28")), "plain days are not rolled on");
        assert_eq!(date_by(Rule::Days { from: Date::MAX, days: 1 }, None), None);
    }
}
