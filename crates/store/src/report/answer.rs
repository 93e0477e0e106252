//! What a report answers: columns with their units, and cells of those units, whichever engine they came from.
//!
//! Engines print the same instant in different ways; a cell is read into the value that its column holds, so that two
//! answers can be compared and a fault of an engine is seen and not shown.

use std::net::IpAddr;

use model::Timestamp;
use model::time::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The rows of a report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReportAnswer {
    pub columns: Vec<ReportColumn>,
    pub rows: Vec<Vec<Cell>>,
    /// There are more rows than these.
    pub cut: bool,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ReportColumn {
    pub name: String,
    pub unit: Unit,
}

/// What the numbers and texts of a column are.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    Text,
    /// A seized name, as machines read it: whoever shows it defangs it.
    Name,
    Address,
    /// The number of an autonomous system.
    Asn,
    /// A day in UTC.
    Day,
    /// An instant in UTC.
    Time,
    /// How many contacts, with those that one record stands for.
    Contacts,
    /// How many addresses: an upper bound, never a number of machines.
    Addresses,
    /// How many names.
    Names,
}

/// One value. In JSON a number or a text; the column's unit says which of the texts it is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    Null,
    Count(u64),
    Time(Timestamp),
    Day(Date),
    Address(IpAddr),
    Text(String),
}

impl Unit {
    /// The cell that an engine's JSON means; `None` if it can mean none of this unit.
    pub fn read(self, value: &Value) -> Option<Cell> {
        if value.is_null() {
            return Some(Cell::Null);
        }
        match self {
            Self::Text | Self::Name => value.as_str().map(|text| Cell::Text(text.to_owned())),
            Self::Address => Some(Cell::Address(value.as_str()?.parse::<IpAddr>().ok()?.to_canonical())),
            Self::Day => value.as_str()?.parse().ok().map(Cell::Day),
            Self::Time => instant(value.as_str()?).map(Cell::Time),
            Self::Asn | Self::Contacts | Self::Addresses | Self::Names => count(value).map(Cell::Count),
        }
    }
}

/// ClickHouse writes 64 bits as text, so that JavaScript does not round them.
fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// `2019-03-28T00:00:00.5Z`, or ClickHouse's `2019-03-28 00:00:00.500000000` of a column in UTC.
fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| format!("{}Z", text.replace(' ', "T")).parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_two_engines_print_is_the_same_cell() {
        let half = Some(Cell::Time("2019-03-28T00:00:00.5Z".parse().unwrap()));
        for (unit, value, cell) in [
            (Unit::Time, json!("2019-03-28T00:00:00.500Z"), half.clone()),
            (Unit::Time, json!("2019-03-28 00:00:00.500000000"), half),
            (Unit::Contacts, json!(7), Some(Cell::Count(7))),
            (Unit::Contacts, json!("7"), Some(Cell::Count(7))),
            (Unit::Contacts, json!(-7), None),
            (Unit::Day, json!("2019-03-28"), Some(Cell::Day("2019-03-28".parse().unwrap()))),
            (Unit::Address, json!("::ffff:192.0.2.1"), Some(Cell::Address("192.0.2.1".parse().unwrap()))),
            (Unit::Address, json!("192.0.2"), None),
            (Unit::Name, json!(null), Some(Cell::Null)),
        ] {
            assert_eq!(unit.read(&value), cell, "{unit:?} {value}");
        }
    }

    #[test]
    fn an_answer_is_the_same_after_its_json() {
        let rows = vec![vec![
            Cell::Null,
            Cell::Count(3),
            Cell::Time(Timestamp::UNIX_EPOCH),
            Cell::Day("2019-03-28".parse().unwrap()),
            Cell::Address("2001:db8::1".parse().unwrap()),
            Cell::Text("seized.test".into()),
        ]];
        let answer = ReportAnswer { columns: Vec::new(), rows, cut: false };
        let text = serde_json::to_string(&answer).unwrap();
        assert_eq!(serde_json::from_str::<ReportAnswer>(&text).unwrap(), answer);
    }
}
