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
        let groups = self.report.groups.iter().map(|group| group.of_contact(self.dialect));
        format!("SELECT {}\nFROM {}{}", columns.join(", "), self.contacts(), grouping(groups))
    }

    /// Three passes: by fingerprint, by source, and then by the groups alone. A distinct count for each source would
    /// do it in two; DataFusion then holds some kilobytes of each.
    fn by_source(&self) -> String {
        let groups: Vec<String> = self.report.groups.iter().map(|group| group.column().name).collect();
        let of_contact = self.report.groups.iter().map(|group| group.of_contact(self.dialect));
        let by_fingerprint = grouping(of_contact.chain(["source", KIND, FINGERPRINT].map(str::to_owned)));
        let by_source = grouping(groups.iter().cloned().chain(["of_source".to_owned()]));
        let measures =
            self.report.measures.iter().map(|measure| self.named(summed(*measure).into(), measure.column().name));
        format!(
            "SELECT {}\nFROM (\nSELECT {}\nFROM (\nSELECT {}\nFROM {}{by_fingerprint}\n) AS per_fingerprint{by_source}\n) AS per_source{}",
            groups.iter().cloned().chain(measures).collect::<Vec<_>>().join(", "),
            groups.iter().map(String::as_str).chain(BY_SOURCE).collect::<Vec<_>>().join(", "),
            self.grouped().into_iter().chain(by_fingerprint_columns()).collect::<Vec<_>>().join(", "),
            self.contacts(),
            grouping(groups.iter().cloned()),
        )
    }

    fn grouped(&self) -> Vec<String> {
        let column = |group: &Group| self.named(group.of_contact(self.dialect), group.column().name);
        self.report.groups.iter().map(column).collect()
    }

    fn named(&self, expression: String, name: String) -> String {
        if expression == name { expression } else { format!("{expression} AS {name}") }
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
            Measure::AddressesWithFingerprint => unreachable!("it takes three passes"),
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

fn grouping(columns: impl Iterator<Item = String>) -> String {
    let columns: Vec<String> = columns.collect();
    if columns.is_empty() { String::new() } else { format!("\nGROUP BY {}", columns.join(", ")) }
}

//----------- Fingerprints -----------------------------------------------------------------------------------------

/// The kinds of contact that show a fingerprint: a request its User-Agent, a hello its JA4. Having none is one too.
const KIND: &str = "CASE WHEN kind = 'request' OR kind = 'hello' THEN kind ELSE '' END";
const FINGERPRINT: &str =
    "CASE WHEN kind = 'request' THEN coalesce(user_agent, '') WHEN kind = 'hello' THEN coalesce(ja4, '') ELSE '' END";

fn by_fingerprint_columns() -> [String; 4] {
    let (kind, fingerprint) = (format!("{KIND} AS of_kind"), format!("{FINGERPRINT} AS of_fingerprint"));
    ["source AS of_source".into(), kind, fingerprint, "sum(1 + coalesce(repeats, 0)) AS some_contacts".into()]
}

/// Of each source.
const BY_SOURCE: [&str; 4] = [
    "of_source",
    "sum(some_contacts) AS of_contacts",
    "sum(CASE WHEN of_kind = 'request' THEN 1 ELSE 0 END) AS of_agents",
    "sum(CASE WHEN of_kind = 'hello' THEN 1 ELSE 0 END) AS of_hellos",
];

fn summed(measure: Measure) -> &'static str {
    match measure {
        Measure::Contacts => "sum(of_contacts)",
        Measure::Addresses => "count(*)",
        Measure::AddressesWithFingerprint => "sum(greatest(of_agents, of_hellos, 1))",
        Measure::Names | Measure::FirstSeen | Measure::LastSeen => {
            unreachable!("no report counts these beside fingerprints")
        }
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
