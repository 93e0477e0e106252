//! A report as people read it: what it is about, columns that line up with their units, and what the numbers are not.

use desk::api::ReportTold;
use model::Timestamp;
use model::name::defang;
use store::report::{Cell, ReportColumn, ReportName, Unit};

use crate::terminal::{count, inert, table};

/// The longest bar of a timeline, in characters.
const BAR: u64 = 40;

pub(super) fn text(told: &ReportTold) -> String {
    let columns = &told.answer.columns;
    let mut rows = vec![columns.iter().map(heading).collect::<Vec<_>>()];
    let shown = |row: &Vec<Cell>| row.iter().zip(columns).map(|(cell, column)| shown(cell, column.unit)).collect();
    rows.extend(told.answer.rows.iter().map(shown));
    if told.report == ReportName::Timeline {
        add_bars(&mut rows, &told.answer.rows);
    }
    let mut parts = vec![about(told), String::new()];
    parts.push(if told.answer.rows.is_empty() { "nobody called".into() } else { table(&rows) });
    parts.push(String::new());
    parts.extend(told.withheld.map(withheld));
    parts.extend(columns.iter().any(|column| column.unit == Unit::Addresses).then(|| told.note.clone()));
    parts.join("\n").trim_end().to_owned()
}

/// `timeline: contacts and addresses by day or hour · case c-1 · from … to before …`
fn about(told: &ReportTold) -> String {
    let wish = &told.wish;
    let mut parts = vec![format!("{}: {}", told.report, told.report.about())];
    parts.extend(wish.case.as_ref().map(|case| format!("case {case}")));
    parts.extend(wish.name.as_ref().map(|name| name.defanged().to_string()));
    parts.extend(wish.source.map(|source| format!("from {source}")));
    parts.extend(wish.since.map(|since| format!("since {}", seconds(since))));
    parts.extend(wish.until.map(|until| format!("until {}", seconds(until))));
    parts.join(" · ")
}

fn heading(column: &ReportColumn) -> String {
    let name = column.name.replace('_', " ");
    match column.unit {
        Unit::Day | Unit::Time => format!("{name} (UTC)"),
        _ => name,
    }
}

fn shown(cell: &Cell, unit: Unit) -> String {
    match (cell, unit) {
        (Cell::Null, _) => "–".into(),
        (Cell::Count(number), Unit::Asn) => format!("AS{number}"),
        (Cell::Count(number), _) => count(*number),
        (Cell::Time(at), _) => seconds(*at),
        (Cell::Day(day), _) => day.to_string(),
        (Cell::Address(address), _) => address.to_string(),
        (Cell::Text(text), Unit::Name) => defang(&inert(text)).to_string(),
        (Cell::Text(text), _) => inert(text),
    }
}

/// People compare days and minutes; a machine takes the JSON.
fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn withheld(addresses: u64) -> String {
    let them = if addresses == 1 { "1 address is".to_owned() } else { format!("{} addresses are", count(addresses)) };
    format!("{them} in no row: not judged yet, or a report could endanger somebody there")
}

//----------- Bars -------------------------------------------------------------------------------------------------

/// A bar of each row's contacts, the first of its numbers.
fn add_bars(rows: &mut [Vec<String>], cells: &[Vec<Cell>]) {
    let contacts =
        |row: &Vec<Cell>| row.iter().find_map(|cell| if let Cell::Count(n) = cell { Some(*n) } else { None });
    let counts: Vec<u64> = cells.iter().map(|row| contacts(row).unwrap_or(0)).collect();
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    for (row, contacts) in rows.iter_mut().skip(1).zip(counts) {
        let length = (u128::from(contacts) * u128::from(BAR)).div_ceil(u128::from(most));
        row.push("█".repeat(usize::try_from(length).unwrap_or(0)));
    }
}

#[cfg(test)]
mod tests {
    use store::report::{Interval, ReportAnswer, Wish};

    use super::*;

    fn column(name: &str, unit: Unit) -> ReportColumn {
        ReportColumn { name: name.into(), unit }
    }

    fn told(report: ReportName, columns: Vec<ReportColumn>, rows: Vec<Vec<Cell>>) -> ReportTold {
        let wish =
            Wish { case: "c-1".parse().ok(), since: Some("2019-03-27T00:00:00Z".parse().unwrap()), ..Wish::default() };
        let answer = ReportAnswer { columns, rows, cut: false };
        ReportTold { report, wish, answer, withheld: None, note: "addresses: an upper bound".into() }
    }

    #[test]
    fn a_timeline_has_bars() {
        assert_eq!(Interval::default(), Interval::Day);
        let columns =
            vec![column("day", Unit::Day), column("contacts", Unit::Contacts), column("addresses", Unit::Addresses)];
        let day = |day: &str, contacts| vec![Cell::Day(day.parse().unwrap()), Cell::Count(contacts), Cell::Count(2)];
        let text = text(&told(ReportName::Timeline, columns, vec![day("2019-03-27", 4_000), day("2019-03-28", 10)]));
        let expected = format!(
            "timeline: contacts and addresses by day or hour · case c-1 · since 2019-03-27 00:00:00\n\n\
             \x20day (UTC)  contacts  addresses\n\
             2019-03-27     4,000          2  {}\n\
             2019-03-28        10          2  █\n\n\
             addresses: an upper bound",
            "█".repeat(40)
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn names_are_defanged_and_nothing_moves_the_cursor() {
        let columns = vec![column("name", Unit::Name), column("as_name", Unit::Text), column("asn", Unit::Asn)];
        let cells = vec![Cell::Text("seized.test".into()), Cell::Text("\x1b[2JExample".into()), Cell::Count(64_496)];
        let mut told = told(ReportName::Victims, columns, vec![cells, vec![Cell::Null, Cell::Null, Cell::Null]]);
        told.withheld = Some(3);
        let text = text(&told);
        assert!(text.contains("seized[.]test  \\u{1b}[2JExample  AS64496\n–"), "{text}");
        assert!(text.ends_with("3 addresses are in no row: not judged yet, or a report could endanger somebody there"));
        told.answer.rows.clear();
        assert!(super::text(&told).contains("nobody called"));
    }
}
