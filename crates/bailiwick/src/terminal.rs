//! What people read: results to stdout, talk to stderr, tables that line up, numbers that group.

use std::io::Write;

use serde::Serialize;

use crate::failure::{Failure, Tried};

/// Prints a result as pretty JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).tried("writing the result as JSON")?;
    line(&text)
}

/// Prints one line of a result. A reader that went away (`| head`) is no failure.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    match writeln!(anstream::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).tried("writing to stdout"),
        _ => Ok(()),
    }
}

/// Says something to the person: what was done, what to do next.
pub(crate) fn say(text: &str) {
    anstream::eprintln!("{text}");
}

/// Rows in columns, the first row as head. Columns of numbers are right-aligned.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let numeric = |column: usize| rows.iter().skip(1).filter_map(|row| row.get(column)).all(|cell| is_number(cell));
    let right: Vec<bool> = (0..columns).map(|column| rows.len() > 1 && numeric(column)).collect();
    let one = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let gap = " ".repeat(widths[column] - cell.chars().count());
            if right[column] { format!("{gap}{cell}") } else { format!("{cell}{gap}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn is_number(cell: &str) -> bool {
    cell.chars().all(|c| c.is_ascii_digit() || c == ',' || c == '-')
}

/// Text from outside, as it may stand on a terminal: nothing in it moves the cursor or changes a colour.
pub(crate) fn inert(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// A count as people read it: `12,345`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at != 0 && at % 3 == first {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_moves_the_cursor() {
        assert_eq!(inert("curl\x1b[2J\r\n"), "curl\\u{1b}[2J\\r\\n");
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn columns_line_up_and_numbers_stand_right() {
        let rows = [["name", "contacts"], ["a", "7"], ["long-name", "12,000"]];
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect();
        assert_eq!(table(&rows), "name       contacts\na                 7\nlong-name    12,000");
    }
}
