//! Reports: questions that are asked again and again, as values of one closed type.
//!
//! A [`Report`] says what to count, over which contacts, in which groups and in which order; [`ReportName`] gives the
//! six that people know by name. It is rendered to the SQL of each engine ([`Dialect`]), and every engine gives the
//! same rows in the same order: groups are sorted to the last column, nulls stand last, times are UTC, days end at
//! midnight UTC. Free SQL never agrees between engines; this does, and is compared row by row.
//!
//! Contacts are counted with those that a record stands for (`repeats`). Addresses are an upper bound and never a
//! number of machines: see `insight::count`.
//!
//! What is deliberately absent: estimates of machines, charts, and who may ask (the desk decides).

use std::net::IpAddr;

use model::id::CaseId;
use model::time::{Date, utc_day};
use model::verdict::Label;
use model::{DomainName, Timestamp};
use serde_json::Value;

use crate::Error;
use crate::archive::QueryAnswer;

mod answer;
mod literal;
mod named;
mod sql;
#[cfg(test)]
mod tests;

pub use answer::{Cell, ReportAnswer, ReportColumn, Unit};
pub use named::{Interval, NoSuchReport, ReportName, Wish};
pub use sql::Dialect;

/// A text as a literal of the archive's own engine.
#[cfg(feature = "query")]
pub(crate) fn text_literal(text: &str) -> String {
    literal::text(text, Dialect::DataFusion)
}

/// The same of ClickHouse.
pub(crate) fn clickhouse_literal(text: &str) -> String {
    literal::text(text, Dialect::ClickHouse)
}

/// How many rows a report has at most.
pub const REPORT_ROWS_MAX: u32 = 10_000;

/// How many rows a report has if nobody says.
pub const REPORT_ROWS: u32 = 50;

//----------- Report -----------------------------------------------------------------------------------------------

/// One question. Only [`ReportName::of`] makes one, so that no engine is asked what another cannot answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    filter: Filter,
    window: Window,
    /// The columns by which contacts are put together; without one there is one row.
    groups: Vec<Group>,
    measures: Vec<Measure>,
    /// What the rows are sorted by before the groups, which come after in their own order.
    order: Order,
    /// How many rows are kept.
    rows: Keep,
}

/// Which contacts.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Filter {
    case: Option<CaseId>,
    name: Option<DomainName>,
    source: Option<IpAddr>,
    label: Option<Label>,
    /// Only contacts that concern a seized name.
    is_named: bool,
    withheld: Withheld,
}

/// What is done with callers about whom nothing may leave the house.
///
/// A contact that nobody has judged yet counts as withheld. A caller who was found withheld by its own address, and
/// not by what it claimed of others, is withheld with all its contacts of the window.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Withheld {
    #[default]
    Told,
    Absent,
    /// Only these: to say how many are absent.
    Only,
}

/// From an instant to before another; open where there is none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Window {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// By what contacts are put together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Group {
    Day,
    Hour,
    Case,
    Name,
    Source,
    Kind,
    Label,
    Asn,
    AsName,
    Country,
}

/// What is counted of each group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Measure {
    /// Contacts, with those that one record stands for.
    Contacts,
    /// Distinct addresses.
    Addresses,
    /// Per address the User-Agents or the JA4s, whichever are more, and one at least; summed.
    AddressesWithFingerprint,
    /// Distinct seized names.
    Names,
    FirstSeen,
    LastSeen,
}

/// What the rows are sorted by first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Order {
    /// By the groups alone, the smallest first.
    Groups,
    /// The largest first, or the latest.
    Falling(Measure),
    /// The first group's latest first, and within it the largest.
    LatestThenFalling(Measure),
}

/// Which rows are kept of many.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Keep {
    First(u32),
    /// The last ones in the report's order, in that order.
    Last(u32),
}

impl Report {
    /// The question in the engine's own words.
    pub fn to_sql(&self, dialect: Dialect) -> String {
        sql::render(self, dialect)
    }

    /// Reads what an engine answered, which was asked for one row more than is wanted.
    pub(crate) fn read(&self, answer: &QueryAnswer) -> Result<ReportAnswer, Error> {
        let columns = self.columns();
        let expected = columns.iter().map(|column| &column.name);
        let row = |row: &Vec<Value>| row.iter().zip(&columns).map(|(cell, column)| column.unit.read(cell)).collect();
        let rows: Option<Vec<Vec<Cell>>> = answer.rows.iter().map(row).collect();
        let odd = || Error::Query("the engine answered in other columns than it was asked for".into());
        let mut rows = rows.filter(|_| expected.eq(&answer.columns)).ok_or_else(odd)?;
        let cut = answer.cut || rows.len() > self.row_count();
        self.without_surplus(&mut rows);
        Ok(ReportAnswer { columns, rows, cut })
    }

    /// The columns of the answer, groups before measures.
    pub fn columns(&self) -> Vec<ReportColumn> {
        let groups = self.groups.iter().map(|group| group.column());
        groups.chain(self.measures.iter().map(|measure| measure.column())).collect()
    }

    /// Whether it takes verdicts to answer, or contacts are enough.
    pub(crate) fn needs_verdicts(&self) -> bool {
        let of_verdict = |group: &Group| matches!(group, Group::Label | Group::Asn | Group::AsName | Group::Country);
        self.filter.label.is_some() || self.filter.withheld != Withheld::Told || self.groups.iter().any(of_verdict)
    }

    /// Whether a UTC day may hold contacts of the window.
    pub(crate) fn may_have(&self, day: Date) -> bool {
        let Window { from, until } = self.window;
        from.is_none_or(|from| utc_day(from) <= day) && until.is_none_or(|until| day <= utc_day(until))
    }

    /// How many rows are wanted.
    pub(crate) fn row_count(&self) -> usize {
        self.rows.count() as usize
    }

    /// Leaves out what was asked for beyond the rows that are wanted.
    pub(crate) fn without_surplus(&self, rows: &mut Vec<Vec<Cell>>) {
        let surplus = rows.len().saturating_sub(self.row_count());
        match self.rows {
            Keep::First(_) => rows.truncate(rows.len() - surplus),
            Keep::Last(_) => drop(rows.drain(..surplus)),
        }
    }

    /// The same with one row more than is wanted, so that one sees whether there are more.
    pub(crate) fn with_one_more(&self) -> Self {
        let rows = match self.rows {
            Keep::First(rows) => Keep::First(rows.saturating_add(1)),
            Keep::Last(rows) => Keep::Last(rows.saturating_add(1)),
        };
        Self { rows, ..self.clone() }
    }
}

impl Keep {
    fn count(self) -> u32 {
        match self {
            Self::First(rows) | Self::Last(rows) => rows,
        }
    }
}

impl Group {
    fn column(self) -> ReportColumn {
        let (name, unit) = match self {
            Self::Day => ("day", Unit::Day),
            Self::Hour => ("hour", Unit::Time),
            Self::Case => ("case_id", Unit::Text),
            Self::Name => ("name", Unit::Name),
            Self::Source => ("source", Unit::Address),
            Self::Kind => ("kind", Unit::Text),
            Self::Label => ("label", Unit::Text),
            Self::Asn => ("asn", Unit::Asn),
            Self::AsName => ("as_name", Unit::Text),
            Self::Country => ("country", Unit::Text),
        };
        ReportColumn { name: name.into(), unit }
    }
}

impl Measure {
    fn column(self) -> ReportColumn {
        let (name, unit) = match self {
            Self::Contacts => ("contacts", Unit::Contacts),
            Self::Addresses => ("addresses", Unit::Addresses),
            Self::AddressesWithFingerprint => ("addresses_with_fingerprint", Unit::Addresses),
            Self::Names => ("names", Unit::Names),
            Self::FirstSeen => ("first_seen", Unit::Time),
            Self::LastSeen => ("last_seen", Unit::Time),
        };
        ReportColumn { name: name.into(), unit }
    }
}
