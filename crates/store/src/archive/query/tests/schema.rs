//! docs/reference/schema.md tells the truth: every column of every view, its type and its nulls, and its examples run.

use arrow_schema::DataType;

use super::super::super::tables::{ContactRow, DailyNameRow, DailySourceRow, OutcomeRow, RawRow, Row, VerdictRow};
use super::super::super::tests::house;

const PAGE: &str = include_str!("../../../../../../docs/reference/schema.md");

/// Name, type, and whether it may be null.
type Column = (String, String, bool);

/// What stands below `## view`.
fn section(view: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(&format!("\n## {view}\n")).unwrap_or_else(|| panic!("the page has no `{view}`"));
    rest.split("\n## ").next().unwrap()
}

fn documented(view: &str) -> Vec<Column> {
    let rows = section(view).lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 6, "{row}");
        (cells[1].trim_matches('`').into(), cells[2].into(), cells[3] == "yes")
    })
    .collect()
}

fn stored<R: Row>() -> Vec<Column> {
    let schema = R::schema();
    let columns =
        schema.fields().iter().map(|field| (field.name().clone(), word(field.data_type()), field.is_nullable()));
    columns.chain([("day".into(), "date".into(), false)]).collect()
}

fn word(of: &DataType) -> String {
    match of {
        DataType::Utf8 => "text",
        DataType::Boolean => "bool",
        DataType::UInt8 => "u8",
        DataType::UInt16 => "u16",
        DataType::UInt32 => "u32",
        DataType::UInt64 => "u64",
        DataType::Binary => "bytes",
        DataType::Timestamp(..) => "time",
        DataType::List(_) => "list of text",
        other => panic!("the page has no word for {other}"),
    }
    .into()
}

#[tokio::test]
async fn the_page_has_every_column_as_it_is() {
    assert_eq!(documented("contacts"), stored::<ContactRow>());
    assert_eq!(documented("raw"), stored::<RawRow>());
    assert_eq!(documented("outcomes"), stored::<OutcomeRow>());
    assert_eq!(documented("verdicts"), stored::<VerdictRow>());
    assert_eq!(documented("daily_names"), stored::<DailyNameRow>());
    assert_eq!(documented("daily_sources"), stored::<DailySourceRow>());
    let sightings = house().await.archive.query("SELECT * FROM sightings").await.unwrap().columns;
    let named = [documented("contacts"), documented("sightings")].concat().into_iter().map(|(name, ..)| name);
    assert_eq!(sightings, named.collect::<Vec<_>>());
}

#[tokio::test]
async fn the_page_s_examples_run() {
    let house = house().await;
    for view in ["contacts", "raw", "outcomes", "verdicts", "sightings", "daily_names", "daily_sources"] {
        let sql = section(view).split("```sql\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        assert!(sql.contains(&format!("FROM {view}")), "{sql}");
        house.archive.query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

#[test]
fn the_page_names_every_report() {
    for name in crate::report::ReportName::ALL {
        assert!(section("Reports").contains(&format!("| `{name}` |")), "{name}");
    }
}
