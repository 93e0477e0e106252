//! Roll-ups and views: what the archive counts by day and joins by contact, said in ClickHouse's words.
//!
//! One table counts contacts by day, case, name, address and kind as they come in (a materialized view); both roll-ups
//! of the archive are sums over it, exact, since it holds the addresses themselves. A block that is known again is not
//! counted again. Views are written so that no setting of a session changes their rows: what a left join does not find
//! is null by its type. On a cluster the right side is fetched from all servers (GLOBAL): a contact and the verdict on it
//! came in different segments and lie on different shards.

use arrow_schema::{DataType, SchemaRef};

use super::ddl::indented;
use super::{Profile, Target};
use crate::archive::tables::Shape;

/// The table of counts.
pub(super) const COUNTS: &str = "daily_counts";

/// What one row of it is about, in the order in which it is sorted.
pub(super) const COUNTED_BY: [&str; 5] = ["case_id", "apex", "day", "source", "of_kind"];

/// What a sighting has of its last outcome and its last verdict, as `archive/query/sightings.sql` says it.
const OF_OUTCOME: [&str; 10] = [
    "ended",
    "ended_by",
    "status",
    "octets_in",
    "octets_out",
    "duration_nanos",
    "tls_completed",
    "body_len",
    "body_fields",
    "accounts_sealed",
];
const OF_VERDICT: [&str; 7] = ["label", "score", "reasons", "asn", "as_name", "country", "withheld"];

pub(super) fn counted_columns() -> String {
    let lines = [
        "day Date",
        "case_id LowCardinality(Nullable(String))",
        "apex LowCardinality(Nullable(String))",
        "of_kind LowCardinality(String)",
        "source String CODEC(ZSTD(1))",
        "contacts_sum SimpleAggregateFunction(sum, UInt64)",
        "repeats_sum SimpleAggregateFunction(sum, UInt64)",
        "first_min SimpleAggregateFunction(min, DateTime64(9, 'UTC'))",
        "last_max SimpleAggregateFunction(max, DateTime64(9, 'UTC'))",
    ];
    indented(&lines.map(str::to_owned))
}

/// `{on}` stands where ON CLUSTER does.
pub(super) fn all(target: &Target) -> Vec<String> {
    vec![counting(target), daily_names(target), daily_sources(target), sightings(target)]
}

fn counting(target: &Target) -> String {
    let (view, counts, contacts) = (target.local("daily_counting"), target.local(COUNTS), target.local("contacts"));
    format!(
        "CREATE MATERIALIZED VIEW IF NOT EXISTS {view}{{on}} TO {counts} AS\n\
         SELECT toDate(received, 'UTC') AS day, case_id, apex, kind AS of_kind, source,\n    \
         count() AS contacts_sum, sum(toUInt64(ifNull(repeats, 0))) AS repeats_sum,\n    \
         min(received) AS first_min, max(received) AS last_max\n\
         FROM {contacts}\nGROUP BY toDate(received, 'UTC'), case_id, apex, kind, source"
    )
}

const SUMS: &str = "sum(contacts_sum) AS contacts, {sources}sum(repeats_sum) AS repeats,\n    \
    min(first_min) AS first_received, max(last_max) AS last_received, day";

fn daily_names(target: &Target) -> String {
    let (view, counts) = (target.whole("daily_names"), target.whole(COUNTS));
    let sums = SUMS.replace("{sources}", "uniqExact(source) AS sources, ");
    format!(
        "CREATE VIEW IF NOT EXISTS {view}{{on}} AS\n\
         SELECT case_id, apex, CAST(NULL AS Nullable(String)) AS kind, {sums}\n\
         FROM {counts} GROUP BY case_id, apex, day\nUNION ALL\n\
         SELECT case_id, apex, CAST(of_kind AS Nullable(String)) AS kind, {sums}\n\
         FROM {counts} GROUP BY case_id, apex, of_kind, day"
    )
}

fn daily_sources(target: &Target) -> String {
    let (view, counts) = (target.whole("daily_sources"), target.whole(COUNTS));
    let sums = SUMS.replace("{sources}", "");
    format!(
        "CREATE VIEW IF NOT EXISTS {view}{{on}} AS\n\
         SELECT case_id, apex, source, {sums}\nFROM {counts} GROUP BY case_id, apex, source, day"
    )
}

//----------- Sightings --------------------------------------------------------------------------------------------

fn sightings(target: &Target) -> String {
    let view = target.whole("sightings");
    let (contacts, outcomes, verdicts) = (target.whole("contacts"), target.whole("outcomes"), target.whole("verdicts"));
    let join = if target.profile == Profile::Cluster { "GLOBAL LEFT JOIN" } else { "LEFT JOIN" };
    let own = schema("contacts").fields().iter().map(|field| format!("c.{0} AS {0}", field.name())).collect::<Vec<_>>();
    let of_outcome = OF_OUTCOME.map(|name| format!("o.last_{name} AS {name}"));
    let of_verdict = OF_VERDICT.map(|name| match name {
        "withheld" => "coalesce(v.last_withheld, true) AS withheld".to_owned(),
        name => format!("v.last_{name} AS {name}"),
    });
    let columns = [own, vec!["c.day AS day".into()], of_outcome.to_vec(), of_verdict.to_vec()].concat();
    format!(
        "CREATE VIEW IF NOT EXISTS {view}{{on}} AS\nSELECT\n{}\nFROM (SELECT *, day FROM {contacts}) AS c\n\
         {join} (\n    SELECT {}\n    FROM {outcomes} ORDER BY ended DESC, id DESC LIMIT 1 BY contact_id\n) AS o ON o.last_of = c.id\n\
         {join} (\n    SELECT {}\n    FROM {verdicts} ORDER BY judged DESC LIMIT 1 BY contact_id\n) AS v ON v.last_of = c.id",
        indented(&columns),
        lasts("outcomes", &OF_OUTCOME),
        lasts("verdicts", &OF_VERDICT),
    )
}

fn lasts(table: &str, names: &[&str]) -> String {
    let schema = schema(table);
    let last = |name: &&str| match schema.field_with_name(name).map(|field| field.data_type().clone()) {
        Ok(DataType::List(_)) => format!("{name} AS last_{name}"),
        _ => format!("toNullable({name}) AS last_{name}"),
    };
    let own = names.iter().map(last);
    std::iter::once("contact_id AS last_of".to_owned()).chain(own).collect::<Vec<_>>().join(", ")
}

fn schema(table: &str) -> SchemaRef {
    Shape::named(table).expect("the archive has this table").schema
}
