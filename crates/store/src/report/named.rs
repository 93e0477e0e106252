//! The six reports that people know by name, and what one may wish of them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use model::id::CaseId;
use model::verdict::Label;
use model::{DomainName, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Filter, Group, Keep, Measure, Order, REPORT_ROWS, Report, Window, Withheld};

/// A report by its name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReportName {
    TopNames,
    UniqueSources,
    Timeline,
    ByNetwork,
    SourceHistory,
    Victims,
}

/// Whatever narrows a report. All of it may be left out, but for the source of a history.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wish {
    /// Received at this instant or later.
    pub since: Option<Timestamp>,
    /// Received before this instant.
    pub until: Option<Timestamp>,
    pub case: Option<CaseId>,
    pub name: Option<DomainName>,
    pub source: Option<IpAddr>,
    /// How many rows at most.
    pub limit: Option<u32>,
    /// For the timeline.
    pub by: Interval,
}

/// How fine a timeline is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interval {
    Hour,
    #[default]
    Day,
}

impl ReportName {
    pub const ALL: [Self; 6] =
        [Self::TopNames, Self::UniqueSources, Self::Timeline, Self::ByNetwork, Self::SourceHistory, Self::Victims];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::TopNames => "top-names",
            Self::UniqueSources => "unique-sources",
            Self::Timeline => "timeline",
            Self::ByNetwork => "by-network",
            Self::SourceHistory => "source-history",
            Self::Victims => "victims",
        }
    }

    /// What it tells, in one line.
    pub fn about(self) -> &'static str {
        match self {
            Self::TopNames => "seized names by contacts",
            Self::UniqueSources => "addresses per day and name, with and without fingerprints",
            Self::Timeline => "contacts and addresses by day or hour",
            Self::ByNetwork => "networks by contacts, without those that are withheld",
            Self::SourceHistory => "what one address did, by day, name and kind",
            Self::Victims => "addresses labelled victim, last seen first, without those that are withheld",
        }
    }

    /// Whether it tells of single callers, whom not everybody may see.
    pub fn tells_of_callers(self) -> bool {
        matches!(self, Self::SourceHistory | Self::Victims)
    }

    /// The report that is wished; `None` for the history of no source.
    pub fn of(self, wish: &Wish) -> Option<Report> {
        let rows = wish.limit.unwrap_or(REPORT_ROWS);
        let (groups, measures, order, rows) = match self {
            Self::TopNames => TOP_NAMES.with(Keep::First(rows)),
            Self::UniqueSources => UNIQUE_SOURCES.with(Keep::First(rows)),
            Self::Timeline if wish.by == Interval::Hour => BY_HOUR.with(Keep::Last(rows)),
            Self::Timeline => BY_DAY.with(Keep::Last(rows)),
            Self::ByNetwork => BY_NETWORK.with(Keep::First(rows)),
            Self::SourceHistory => SOURCE_HISTORY.with(Keep::Last(rows)),
            Self::Victims => VICTIMS.with(Keep::First(rows)),
        };
        let window = Window { from: wish.since, until: wish.until };
        let filter = self.filter(wish)?;
        Some(Report { filter, window, groups: groups.into(), measures: measures.into(), order, rows })
    }

    fn filter(self, wish: &Wish) -> Option<Filter> {
        let Wish { case, name, source, .. } = wish.clone();
        if self == Self::SourceHistory && source.is_none() {
            return None;
        }
        let withheld = if matches!(self, Self::ByNetwork | Self::Victims) { Withheld::Absent } else { Withheld::Told };
        let label = (self == Self::Victims).then_some(Label::Victim);
        let is_named = matches!(self, Self::TopNames | Self::UniqueSources);
        Some(Filter { case, name, source, label, is_named, withheld })
    }

    /// How many addresses are absent from it because they are withheld; `None` where none are.
    pub fn withheld(self, wish: &Wish) -> Option<Report> {
        let report = self.of(wish)?;
        if report.filter.withheld == Withheld::Told {
            return None;
        }
        let filter = Filter { withheld: Withheld::Only, ..report.filter };
        let (groups, measures) = (Vec::new(), vec![Measure::Addresses]);
        Some(Report { filter, groups, measures, order: Order::Groups, rows: Keep::First(1), ..report })
    }
}

//----------- Shapes -----------------------------------------------------------------------------------------------

/// Groups, measures and order of a named report.
struct Shape(&'static [Group], &'static [Measure], Order);

impl Shape {
    fn with(&self, rows: Keep) -> (&'static [Group], &'static [Measure], Order, Keep) {
        (self.0, self.1, self.2, rows)
    }
}

const TOP_NAMES: Shape = Shape(
    &[Group::Name],
    &[Measure::Contacts, Measure::Addresses, Measure::FirstSeen, Measure::LastSeen],
    Order::Falling(Measure::Contacts),
);
const UNIQUE_SOURCES: Shape = Shape(
    &[Group::Day, Group::Name],
    &[Measure::Contacts, Measure::Addresses, Measure::AddressesWithFingerprint],
    Order::LatestThenFalling(Measure::Addresses),
);
const BY_DAY: Shape = Shape(&[Group::Day], &[Measure::Contacts, Measure::Addresses], Order::Groups);
const BY_HOUR: Shape = Shape(&[Group::Hour], &[Measure::Contacts, Measure::Addresses], Order::Groups);
const BY_NETWORK: Shape = Shape(
    &[Group::Asn, Group::AsName, Group::Country],
    &[Measure::Contacts, Measure::Addresses, Measure::Names],
    Order::Falling(Measure::Contacts),
);
const SOURCE_HISTORY: Shape = Shape(
    &[Group::Day, Group::Name, Group::Kind, Group::Label],
    &[Measure::Contacts, Measure::FirstSeen, Measure::LastSeen],
    Order::Groups,
);
const VICTIMS: Shape = Shape(
    &[Group::Case, Group::Name, Group::Source, Group::Asn, Group::AsName, Group::Country],
    &[Measure::Contacts, Measure::FirstSeen, Measure::LastSeen],
    Order::Falling(Measure::LastSeen),
);

//----------- Text -------------------------------------------------------------------------------------------------

impl fmt::Display for ReportName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no report; it says which there are.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("there is no report `{0}`")]
pub struct NoSuchReport(pub String);

impl FromStr for ReportName {
    type Err = NoSuchReport;

    fn from_str(text: &str) -> Result<Self, NoSuchReport> {
        Self::ALL.into_iter().find(|name| name.as_str() == text).ok_or_else(|| NoSuchReport(text.to_owned()))
    }
}
