//! A report in the words of an engine: the only place that writes SQL for reports, and pure.
//!
//! Both dialects read the views `contacts` and `sightings` with the columns of docs/reference/schema.md; a report that
//! needs no verdict reads `contacts`, which costs no join. Sorting says where nulls stand, since engines differ.

use super::literal::{NANOSECONDS, text, time};
use super::{Filter, Group, Keep, Measure, Order, Report, Window, Withheld};

/// Whose SQL.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dialect {
    /// On the archive's Parquet files.
    DataFusion,
    /// Where the archive lies on many machines.
    ClickHouse,
}

const NANOS_PER_HOUR: i64 = 3_600_000_000_000;

pub(super) fn render(report: &Report, dialect: Dialect) -> String {
    let one = Rendering { report, dialect };
    let counted =
        if report.measures.contains(&Measure::AddressesWithFingerprint) { one.by_source() } else { one.at_once() };
    one.sorted(&counted)
}

struct Rendering<'a> {
    report: &'a Report,
    dialect: Dialect,
}

impl Rendering<'_> {
    /// One pass: groups and measures.
    fn at_once(&self) -> String {
        let measures =
            self.report.measures.iter().map(|measure| self.named(self.measured(*measure), measure.column().name));
        let columns: Vec<String> = self.grouped().into_iter().chain(measures).collect();
        format!("SELECT {}\nFROM {}{}", columns.join(", "), self.contacts(), self.group_by(Group::of_contact))
    }

    /// Two passes: first by source too, which is where fingerprints are counted.
    fn by_source(&self) -> String {
        let mut inner = self.grouped();
        inner.push("source AS from_source".into());
        inner.extend(BY_SOURCE.map(str::to_owned));
        let group_by = self.group_by(Group::of_contact);
        let group_by = if group_by.is_empty() { "\nGROUP BY source".to_owned() } else { format!("{group_by}, source") };
        let outer = self.report.groups.iter().map(|group| group.column().name);
        let measures =
            self.report.measures.iter().map(|measure| self.named(summed(*measure).into(), measure.column().name));
        let columns: Vec<String> = outer.chain(measures).collect();
        format!(
            "SELECT {}\nFROM (\nSELECT {}\nFROM {}{group_by}\n) AS per_source{}",
            columns.join(", "),
            inner.join(", "),
            self.contacts(),
            self.group_by(|group, _| group.column().name)
        )
    }

    fn grouped(&self) -> Vec<String> {
        let column = |group: &Group| self.named(group.of_contact(self.dialect), group.column().name);
        self.report.groups.iter().map(column).collect()
    }

    fn named(&self, expression: String, name: String) -> String {
        if expression == name { expression } else { format!("{expression} AS {name}") }
    }

    fn group_by(&self, expression: fn(Group, Dialect) -> String) -> String {
        let groups: Vec<String> = self.report.groups.iter().map(|group| expression(*group, self.dialect)).collect();
        if groups.is_empty() { String::new() } else { format!("\nGROUP BY {}", groups.join(", ")) }
    }

    /// The view and which of its rows.
    fn contacts(&self) -> String {
        let view = if self.report.needs_verdicts() { "sightings" } else { "contacts" };
        let conditions = self.conditions();
        if conditions.is_empty() { view.to_owned() } else { format!("{view}\nWHERE {}", conditions.join("\n  AND ")) }
    }

    fn conditions(&self) -> Vec<String> {
        let Filter { case, name, source, label, is_named, withheld } = &self.report.filter;
        let equals = |column: &str, value: &str| format!("{column} = {}", text(value, self.dialect));
        let mut all = self.within();
        all.extend(case.as_ref().map(|case| equals("case_id", case.as_str())));
        all.extend(name.as_ref().map(|name| equals("apex", name.as_str())));
        all.extend(source.map(|source| equals("source", &source.to_canonical().to_string())));
        all.extend(label.map(|label| equals("label", label.as_str())));
        all.extend(is_named.then(|| "apex IS NOT NULL".to_owned()));
        all.extend(self.withheld(*withheld));
        all
    }

    fn within(&self) -> Vec<String> {
        let Window { from, until } = self.report.window;
        let from = from.map(|from| format!("received >= {}", time(from, self.dialect)));
        let until = until.map(|until| format!("received < {}", time(until, self.dialect)));
        from.into_iter().chain(until).collect()
    }

    fn withheld(&self, withheld: Withheld) -> Option<String> {
        let mut of_the_source = self.within();
        // Somebody else's address in a claim (RFC 7871, X-Forwarded-For) withholds that contact, not who made it.
        let by_itself = ["label IS NOT NULL", "withheld", "client_subnet IS NULL", "forwarded IS NULL"];
        of_the_source.extend(by_itself.map(str::to_owned));
        let sources = format!("(SELECT source FROM sightings WHERE {})", of_the_source.join(" AND "));
        match withheld {
            Withheld::Told => None,
            Withheld::Absent => Some(format!("NOT withheld\n  AND source NOT IN {sources}")),
            Withheld::Only => Some(format!("(withheld OR source IN {sources})")),
        }
    }

    fn measured(&self, measure: Measure) -> String {
        match measure {
            Measure::Contacts => "sum(1 + coalesce(repeats, 0))",
            Measure::Addresses => "count(DISTINCT source)",
            Measure::AddressesWithFingerprint => unreachable!("it takes two passes"),
            Measure::Names => "count(DISTINCT apex)",
            Measure::FirstSeen => "min(received)",
            Measure::LastSeen => "max(received)",
        }
        .to_owned()
    }

    //------- Order ------------------------------------------------------------------------------------------------

    fn sorted(&self, counted: &str) -> String {
        let keys = self.keys();
        match self.report.rows {
            Keep::First(rows) => format!("{counted}{}\nLIMIT {rows}", order_by(&keys, false)),
            Keep::Last(rows) => {
                let kept = format!("{counted}{}\nLIMIT {rows}", order_by(&keys, true));
                format!("SELECT * FROM (\n{kept}\n) AS kept{}", order_by(&keys, false))
            }
        }
    }

    /// What is sorted by, and whether falling: always to the last group, so that no two rows are alike.
    fn keys(&self) -> Vec<(String, bool)> {
        let groups = || self.report.groups.iter().map(|group| (group.column().name, false));
        match self.report.order {
            Order::Groups => groups().collect(),
            Order::Falling(measure) => [(measure.column().name, true)].into_iter().chain(groups()).collect(),
            Order::LatestThenFalling(measure) => {
                let first = groups().take(1).map(|(name, _)| (name, true));
                first.chain([(measure.column().name, true)]).chain(groups().skip(1)).collect()
            }
        }
    }
}

/// Nulls stand last, and first if the order is turned round.
fn order_by(keys: &[(String, bool)], turned: bool) -> String {
    let key = |(name, falls): &(String, bool)| {
        let (way, nulls) = (if *falls == turned { "ASC" } else { "DESC" }, if turned { "FIRST" } else { "LAST" });
        format!("{name} {way} NULLS {nulls}")
    };
    let keys: Vec<String> = keys.iter().map(key).collect();
    if keys.is_empty() { String::new() } else { format!("\nORDER BY {}", keys.join(", ")) }
}

//----------- Two passes -------------------------------------------------------------------------------------------

/// Of each source: an absent User-Agent is one too, as an absent JA4 is.
const BY_SOURCE: [&str; 5] = [
    "sum(1 + coalesce(repeats, 0)) AS of_contacts",
    "count(DISTINCT CASE WHEN kind = 'request' THEN coalesce(user_agent, '') END) AS of_agents",
    "count(DISTINCT CASE WHEN kind = 'hello' THEN coalesce(ja4, '') END) AS of_hellos",
    "min(received) AS of_first",
    "max(received) AS of_last",
];

fn summed(measure: Measure) -> &'static str {
    match measure {
        Measure::Contacts => "sum(of_contacts)",
        Measure::Addresses => "count(*)",
        Measure::AddressesWithFingerprint => "sum(greatest(of_agents, of_hellos, 1))",
        Measure::Names => unreachable!("no report counts names beside fingerprints"),
        Measure::FirstSeen => "min(of_first)",
        Measure::LastSeen => "max(of_last)",
    }
}

impl Group {
    fn of_contact(self, dialect: Dialect) -> String {
        let hour =
            format!("arrow_cast(CAST(received AS BIGINT) / {NANOS_PER_HOUR} * {NANOS_PER_HOUR}, '{NANOSECONDS}')");
        match (self, dialect) {
            (Self::Day, Dialect::DataFusion) => "CAST(received AS DATE)".into(),
            (Self::Day, Dialect::ClickHouse) => "toDate(received, 'UTC')".into(),
            (Self::Hour, Dialect::DataFusion) => hour,
            (Self::Hour, Dialect::ClickHouse) => "toStartOfHour(received, 'UTC')".into(),
            (Self::Name, _) => "apex".into(),
            (other, _) => other.column().name,
        }
    }
}
