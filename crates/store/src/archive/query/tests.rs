//! What may be asked, and what may not.

use serde_json::json;

use super::super::tests::{house, two_days};
use super::*;
use crate::Error;

mod reports;
mod schema;

async fn ask(sql: &str, limits: QueryLimits) -> Result<QueryAnswer, Error> {
    let house = house().await;
    house.archive.commit("insight", two_days(), "2019-03-28T00:01:00Z".parse().unwrap()).await.unwrap();
    asked(&house.archive, sql, limits).await
}

async fn asked(archive: &super::super::Archive, sql: &str, limits: QueryLimits) -> Result<QueryAnswer, Error> {
    archive.ask(&archive.files().await?, sql, &Sight::default(), limits).await
}

#[tokio::test]
async fn the_five_views_answer() {
    let empty = house().await;
    for view in ["contacts", "raw", "outcomes", "verdicts", "sightings"] {
        let answer = empty.archive.query(&format!("SELECT count(*) AS n FROM {view}")).await.unwrap();
        assert_eq!((answer.columns, answer.rows), (vec!["n".into()], vec![vec![json!(0)]]), "{view}");
    }
    for (sql, rows) in [
        (
            "SELECT kind, qname, status, label, withheld, day FROM sightings ORDER BY received",
            json!([
                ["query", "Www.seized.test", null, null, true, "2019-03-27"],
                ["request", null, 404, "victim", false, "2019-03-28"]
            ]),
        ),
        (
            "SELECT received, oddities FROM contacts WHERE case_id = 'c-1' AND day = '2019-03-28'",
            json!([["2019-03-28T00:00:00.123456789Z", ["http.bare-lf"]]]),
        ),
        ("SELECT part, bytes FROM raw WHERE bytes = CAST('x' AS BYTEA) OR part = 'none'", json!([])),
        (
            "SELECT contact_id, max(status), count(*) FROM outcomes GROUP BY 1",
            json!([["00000001-00000001-0000-000000000002", 404, 2]]),
        ),
        ("SELECT asn, count(DISTINCT contact_id) FROM verdicts GROUP BY asn", json!([[64496, 1]])),
        ("WITH a AS (SELECT 1 AS n) SELECT n + 0.5 FROM a", json!([[1.5]])),
    ] {
        let answer = ask(sql, QueryLimits::default()).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(json!(answer.rows), rows, "{sql}");
        assert!(!answer.cut);
    }
}

#[tokio::test]
async fn nothing_is_changed_copied_set_or_read_from_elsewhere() {
    for sql in [
        "",
        "SELECT 1; SELECT 2",
        "SELEC 1",
        "SELECT * FROM nowhere",
        "CREATE TABLE t AS SELECT 1",
        "CREATE VIEW v AS SELECT 1",
        "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '/etc/'",
        "DROP VIEW contacts",
        "INSERT INTO stored_contacts SELECT * FROM stored_contacts",
        "DELETE FROM contacts",
        "UPDATE contacts SET host = 'x'",
        "COPY (SELECT 1) TO '/tmp/bailiwick-copied.parquet'",
        "EXPLAIN COPY (SELECT 1) TO '/tmp/bailiwick-copied.parquet'",
        "SET datafusion.execution.batch_size = 1",
        "BEGIN",
        "PREPARE p AS SELECT 1",
        "SHOW TABLES",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM \"/etc/passwd\"",
        "SELECT * FROM 'file:///etc/passwd'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM parquet_metadata('/etc/passwd')",
        "SELECT * FROM read_parquet('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT * FROM stored_contacts",
        "SELECT * FROM contacts, '/etc/hostname'",
        "LOAD 'x'",
        "EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1",
    ] {
        let answer = ask(sql, QueryLimits::default()).await;
        assert!(matches!(answer, Err(Error::Query(_))), "{sql}: {answer:?}");
    }
    assert!(!std::path::Path::new("/tmp/bailiwick-copied.parquet").exists());
}

#[tokio::test]
async fn rows_time_and_memory_have_an_end() {
    let all = QueryLimits::default();
    let answer = ask("SELECT * FROM contacts", QueryLimits { rows: 1, ..all }).await.unwrap();
    assert_eq!((answer.rows.len(), answer.cut), (1, true));
    let answer = ask("SELECT * FROM contacts", QueryLimits { rows: 2, ..all }).await.unwrap();
    assert_eq!((answer.rows.len(), answer.cut), (2, false));
    let endless = "SELECT count(*) FROM generate_series(1, 100000000) AS a, generate_series(1, 100000000) AS b";
    let late = ask(endless, QueryLimits { time: Duration::from_millis(200), ..all }).await.unwrap_err();
    assert!(late.to_string().contains("longer than"), "{late}");
    let large = "SELECT array_agg(a.value), array_agg(b.value) FROM generate_series(1, 3000) AS a, generate_series(1, 3000) AS b";
    let large = ask(large, QueryLimits { memory_bytes: 4 << 20, ..all }).await.unwrap_err();
    assert!(large.to_string().to_lowercase().contains("memory"), "{large}");
}

/// A join that does not yield for a long time: each row of one side against every row of the other.
const DEAF: &str = "SELECT count(*) FROM generate_series(1, 30000) AS a CROSS JOIN generate_series(1, 300000) AS b
                    WHERE a.value * b.value % 1000003 = 7";

#[tokio::test]
async fn a_question_that_hears_nothing_holds_up_nobody() {
    let limits = QueryLimits { time: Duration::from_millis(200), ..QueryLimits::default() };
    let house = house().await;
    for _ in 0..QUERIES_MAX {
        // On this one thread nothing else would go on if the question ran here.
        let late = asked(&house.archive, DEAF, limits).await.unwrap_err();
        assert!(late.to_string().contains("longer than"), "{late}");
    }
    let busy = asked(&house.archive, DEAF, limits).await.unwrap_err();
    assert!(busy.to_string().contains("ask again in a minute") || busy.to_string().contains("longer than"), "{busy}");
}

#[tokio::test]
async fn text_has_an_end() {
    let limits = QueryLimits { octets: 100, ..QueryLimits::default() };
    let sql = "SELECT concat('0123456789', CAST(a.value AS VARCHAR)) FROM generate_series(1, 50) AS a";
    let answer = ask(sql, limits).await.unwrap();
    assert_eq!((answer.rows.len(), answer.cut), (9, true));
    for swelling in ["repeat('x', 2000000000)", "lpad('x', 2000000000)", "rpad('x', 2000000000)"] {
        let refused = ask(&format!("SELECT {swelling}"), QueryLimits::default()).await.unwrap_err();
        assert!(matches!(refused, Error::Query(_)), "{refused}");
    }
}

#[tokio::test]
async fn a_hidden_case_is_in_no_view() {
    let house = house().await;
    house.archive.commit("insight", two_days(), "2019-03-28T00:01:00Z".parse().unwrap()).await.unwrap();
    let sight = |case: &str| Sight { hidden: [CaseId::parse(case).unwrap()].into() };
    for view in ["contacts", "raw", "outcomes", "verdicts", "sightings"] {
        let sql = format!("SELECT count(*) FROM {view}");
        let counted = async |sight| house.archive.query_within(&sql, &sight).await.unwrap().rows[0][0].clone();
        assert_ne!(counted(Sight::default()).await, json!(0), "{view}");
        assert_ne!(counted(sight("c-2")).await, json!(0), "{view}: another case hides nothing");
        assert_eq!(counted(sight("c-1")).await, json!(0), "{view}");
    }
    let around = "SELECT * FROM stored_contacts";
    assert!(matches!(house.archive.query_within(around, &sight("c-1")).await, Err(Error::Query(_))));
}
