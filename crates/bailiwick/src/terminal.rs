//! What people read: results to stdout, talk to stderr, tables that line up, numbers that group.
//!
//! Titles, aliases, User-Agents and errors come from files and callers that we do not trust. So everything goes
//! through [`line`], [`say`] or [`json`], which let nothing through that a terminal would obey: what two people are
//! shown before they approve has to be what stands there.

use std::io::Write;

use serde::Serialize;

use crate::failure::{Failure, Tried};

/// Prints a result as pretty JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).tried("writing the result as JSON")?;
    line(&inert_json(&text))
}

/// Prints one line of a result. A reader that went away (`| head`) is no failure.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    match writeln!(anstream::stdout(), "{}", inert_lines(text)) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).tried("writing to stdout"),
        _ => Ok(()),
    }
}

/// Says something to the person: what was done, what to do next.
pub(crate) fn say(text: &str) {
    anstream::eprintln!("{}", inert_lines(text));
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
    text.chars().map(|c| if is_obeyed(c) { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// The same for a text of several lines.
fn inert_lines(text: &str) -> String {
    text.split('\n').map(inert).collect::<Vec<_>>().join("\n")
}

/// The same for JSON, which stays the same value: outside of strings it has no such character but the line's end.
fn inert_json(text: &str) -> String {
    let one = |c: char| if is_obeyed(c) && c != '\n' { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    text.chars().map(one).collect()
}

/// Controls, of 7 and 8 bits, and what turns the direction of writing round.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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
        for (text, shown) in [
            ("curl\x1b[2J\r\n", "curl\\u{1b}[2J\\r\\n"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("moc.elpmaxe\u{202e}", "moc.elpmaxe\\u{202e}"),
            ("Zürich 東京", "Zürich 東京"),
        ] {
            assert_eq!(inert(text), shown);
        }
        assert_eq!(inert_lines("a\x1b\nb"), "a\\u{1b}\nb");
    }

    #[test]
    fn json_for_a_terminal_is_the_same_json() {
        let value = serde_json::json!({ "title": "\x1b[2J \u{9b}31m \u{202e} \n Zürich", "n": [1, 2] });
        let shown = inert_json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!shown.chars().any(|c| is_obeyed(c) && c != '\n'), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
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
