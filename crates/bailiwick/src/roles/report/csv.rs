//! A report as CSV (RFC 4180), with a header line, for machines and for tables of people.
//!
//! A name of a network comes from outside: a cell that a spreadsheet would take for a formula begins with an
//! apostrophe here, which spreadsheets show as text.

use store::report::{Cell, ReportAnswer};

use crate::failure::Done;
use crate::terminal;

pub(super) fn print(answer: &ReportAnswer) -> Done {
    terminal::line(&text(answer))
}

fn text(answer: &ReportAnswer) -> String {
    let head = answer.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>().join(",");
    let row = |row: &Vec<Cell>| row.iter().map(cell).collect::<Vec<_>>().join(",");
    std::iter::once(head).chain(answer.rows.iter().map(row)).collect::<Vec<_>>().join("\n")
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Count(number) => number.to_string(),
        Cell::Time(at) => at.to_string(),
        Cell::Day(day) => day.to_string(),
        Cell::Address(address) => address.to_string(),
        Cell::Text(text) => quoted(text),
    }
}

fn quoted(text: &str) -> String {
    let text = terminal::inert(text);
    let tame = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text };
    if tame.contains([',', '"']) { format!("\"{}\"", tame.replace('"', "\"\"")) } else { tame }
}

#[cfg(test)]
mod tests {
    use store::report::{ReportColumn, Unit};

    use super::*;

    #[test]
    fn cells_are_quoted_and_no_formula() {
        let columns = ["as_name", "contacts"].map(|name| ReportColumn { name: name.into(), unit: Unit::Text }).to_vec();
        let rows =
            ["Example, \"AS\"", "=cmd()", "a\nb", "plain"].map(|name| vec![Cell::Text(name.into()), Cell::Count(7)]);
        let answer = ReportAnswer {
            columns,
            rows: rows.into_iter().chain([vec![Cell::Null, Cell::Null]]).collect(),
            cut: false,
        };
        let expected = "as_name,contacts\n\"Example, \"\"AS\"\"\",7\n'=cmd(),7\na\\nb,7\nplain,7\n,";
        assert_eq!(text(&answer), expected);
    }
}
