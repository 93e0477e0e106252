//! The statements that make what rows go into: pure, so that an administrator may read and run them.
//!
//! Every statement says IF NOT EXISTS: run again it changes nothing. Contacts, raw bytes, outcomes and verdicts are sorted
//! as their Parquet files are. A partition is a month: a day each would be more than ClickHouse likes after two years.
//! Replicas and servers remember the tokens of so many blocks ([`BLOCKS_REMEMBERED`]); what is sent again is always the
//! last block, or what came after it.

use arrow_schema::Field;
use model::id::CaseId;

use super::columns::column;
use super::views::{self, COUNTS};
use super::{Profile, Target};
use crate::archive::tables::Shape;

/// The tables that are shipped; the roll-ups are counted there.
pub(crate) const SHIPPED: [&str; 4] = ["contacts", "raw", "outcomes", "verdicts"];

/// How many blocks of a table are known again. One block comes every second at most.
const BLOCKS_REMEMBERED: u32 = 10_000;
/// And for how long, where replicas share what they remember: thirty days.
const REMEMBERED_SECS: u32 = 30 * 24 * 60 * 60;

/// How long rows are kept; 0 days is for ever.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Keep {
    pub days: u32,
    /// Of the bytes themselves.
    pub raw_days: u32,
}

/// A user of ClickHouse who may read the contacts of these cases and nothing else.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reader {
    pub user: String,
    pub cases: Vec<CaseId>,
}

/// Everything, in the order in which it can be made.
pub fn statements(target: &Target, keep: Keep, readers: &[Reader]) -> Vec<String> {
    let mut all = vec![format!("CREATE DATABASE IF NOT EXISTS {}{}", target.database, on_cluster(target))];
    for table in SHIPPED {
        let shape = Shape::named(table).expect("what is shipped is a table of the archive");
        all.extend(stored(target, table, &stored_columns(&shape, target.profile), &storage(target, &shape, keep)));
    }
    if target.profile.answers() {
        let counted = counted_storage(target, keep);
        all.extend(stored(target, COUNTS, &views::counted_columns(), &counted));
        all.extend(views::all(target).into_iter().map(|view| view.replace("{on}", &on_cluster(target))));
    }
    all.extend(readers.iter().flat_map(|reader| policies(target, reader)));
    all
}

pub(super) fn on_cluster(target: &Target) -> String {
    if target.profile.is_distributed() { format!(" ON CLUSTER {}", target.cluster) } else { String::new() }
}

//----------- Tables -----------------------------------------------------------------------------------------------

/// A table, or one on each server and one over all of them.
fn stored(target: &Target, table: &str, columns: &str, storage: &str) -> Vec<String> {
    let (local, whole, on) = (target.local(table), target.whole(table), on_cluster(target));
    let mut all = vec![format!("CREATE TABLE IF NOT EXISTS {local}{on}\n(\n{columns}\n)\n{storage}")];
    if target.profile.is_distributed() {
        let (cluster, database) = (&target.cluster, &target.database);
        all.push(format!(
            "CREATE TABLE IF NOT EXISTS {whole}{on} AS {local}\nENGINE = Distributed({cluster}, {database}, {table}_local)"
        ));
    }
    all
}

fn stored_columns(shape: &Shape, profile: Profile) -> String {
    let mut lines: Vec<String> = shape.schema.fields().iter().map(|field| column(field, profile)).collect();
    let filed = shape.filed;
    lines.push(match profile {
        Profile::Old => {
            format!("day Date MATERIALIZED toDate(toDateTime(intDiv({filed}, 1000000000), 'UTC'), 'UTC')")
        }
        _ => format!("day Date ALIAS toDate({filed}, 'UTC')"),
    });
    let has = |name: &str| shape.schema.index_of(name).is_ok();
    if profile != Profile::Old && has("source") {
        // One address's history skips what cannot have it.
        lines.push("INDEX by_source source TYPE bloom_filter(0.02) GRANULARITY 4".into());
    }
    let id = if has("contact_id") { "contact_id" } else { "id" };
    if profile != Profile::Old {
        lines.push(format!("INDEX by_contact {id} TYPE bloom_filter(0.02) GRANULARITY 4"));
    }
    indented(&lines)
}

pub(super) fn indented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("    {line}")).collect::<Vec<_>>().join(",\n")
}

fn storage(target: &Target, shape: &Shape, keep: Keep) -> String {
    let (profile, filed) = (target.profile, shape.filed);
    let engine = engine(target, "MergeTree", shape.table);
    let month = if profile == Profile::Old { "day".to_owned() } else { filed.to_owned() };
    let sorted = sorted(shape, profile).join(", ");
    let days = if shape.table == "raw" { keep.raw_days } else { keep.days };
    let ttl = ttl(profile, &format!("toDateTime({filed})"), days);
    let settings = settings(profile);
    format!("ENGINE = {engine}\nPARTITION BY toYYYYMM({month})\nORDER BY ({sorted}){ttl}\nSETTINGS {settings}")
}

/// 18.16 takes no column with nulls into its order.
fn sorted(shape: &Shape, profile: Profile) -> Vec<&'static str> {
    let has_nulls = |name: &str| shape.schema.field_with_name(name).is_ok_and(Field::is_nullable);
    let keys = shape.sorted.iter().copied();
    keys.filter(|key| profile != Profile::Old || !has_nulls(key)).collect()
}

fn counted_storage(target: &Target, keep: Keep) -> String {
    let (engine, settings) = (engine(target, "AggregatingMergeTree", COUNTS), settings(target.profile));
    let ttl = ttl(target.profile, "day", keep.days);
    let sorted = views::COUNTED_BY.join(", ");
    format!("ENGINE = {engine}\nPARTITION BY toYYYYMM(day)\nORDER BY ({sorted}){ttl}\nSETTINGS {settings}")
}

fn engine(target: &Target, kind: &str, table: &str) -> String {
    if !target.profile.is_distributed() {
        return kind.to_owned();
    }
    format!("Replicated{kind}('/clickhouse/tables/{{shard}}/{}/{table}', '{{replica}}')", target.database)
}

fn ttl(profile: Profile, since: &str, days: u32) -> String {
    if profile == Profile::Old || days == 0 { String::new() } else { format!("\nTTL {since} + toIntervalDay({days})") }
}

fn settings(profile: Profile) -> String {
    let remembered = format!(
        "replicated_deduplication_window = {BLOCKS_REMEMBERED}, replicated_deduplication_window_seconds = {REMEMBERED_SECS}"
    );
    match profile {
        Profile::Single => {
            format!("allow_nullable_key = 1, non_replicated_deduplication_window = {BLOCKS_REMEMBERED}")
        }
        Profile::Cluster => format!("allow_nullable_key = 1, {remembered}"),
        Profile::Old => remembered,
    }
}

//----------- Row policies -----------------------------------------------------------------------------------------

/// What is about single contacts without naming their case is closed to a reader of some cases: it may lie on another
/// server than the contact, where nothing says whose it is.
fn policies(target: &Target, reader: &Reader) -> Vec<String> {
    let cases = reader.cases.iter().map(|case| format!("'{case}'")).collect::<Vec<_>>().join(", ");
    let of_cases = if cases.is_empty() { "0".to_owned() } else { format!("case_id IN ({cases})") };
    let tables =
        [("contacts", of_cases.as_str()), (COUNTS, &of_cases), ("raw", "0"), ("outcomes", "0"), ("verdicts", "0")];
    let (user, ours, on) = (&reader.user, &target.user, on_cluster(target));
    let policy = |(table, using): (&str, &str)| {
        let table_of = target.local(table);
        // A table with a policy for somebody is closed to everybody without one, on some servers.
        [
            format!("CREATE ROW POLICY IF NOT EXISTS bailiwick_{user}{on} ON {table_of} USING {using} TO {user}"),
            format!("CREATE ROW POLICY IF NOT EXISTS bailiwick_ours{on} ON {table_of} USING 1 TO {ours}"),
        ]
    };
    tables.into_iter().flat_map(policy).collect()
}
