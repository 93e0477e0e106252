//! Questions: the same reports, rendered in ClickHouse's dialect, within the same limits.
//!
//! A question is read-only by setting, and has an end in time, memory, rows and octets on the server and here. A report
//! reads two views; where the asker may not see every case, names of their own stand before them in the question itself.
//! Free SQL could go round that (by another database's name, by `merge`, by a setting of its own), so it is answered
//! only to whoever may see everything.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::ClickHouse;
use super::client::Sent;
use crate::Error;
use crate::archive::{QUERY_MEMORY_MAX, QUERY_OCTETS_MAX, QUERY_ROWS_MAX, QUERY_TIME_MAX, QueryAnswer, Sight};
use crate::report::{Dialect, REPORT_ROWS_MAX, Report, ReportAnswer, clickhouse_literal};

/// What the answer may have beside its cells: names of columns, brackets.
const ANSWER_OCTETS_MAX: usize = QUERY_OCTETS_MAX + (8 << 20);
/// What a question may take beyond the time that the server gives it.
const GRACE: Duration = Duration::from_secs(10);

impl ClickHouse {
    /// The rows of a report.
    pub async fn report(&self, report: &Report, sight: &Sight) -> Result<ReportAnswer, Error> {
        let narrowed = self.narrowed(sight);
        let sql = format!("{narrowed}{}", report.with_one_more().to_sql(Dialect::ClickHouse));
        report.read(&self.ask(sql, REPORT_ROWS_MAX as usize + 1).await?)
    }

    /// One SELECT in ClickHouse's own dialect, by somebody who may see all cases.
    pub async fn query(&self, sql: &str, sight: &Sight) -> Result<QueryAnswer, Error> {
        if !sight.hidden.is_empty() {
            let why = "there are sealed cases that you are not on, and ClickHouse cannot hide them from free SQL";
            return Err(Error::Query(format!("{why}; ask with `--engine parquet`, or for a report")));
        }
        self.ask(sql.to_owned(), QUERY_ROWS_MAX).await
    }

    /// Names that stand before the views', without rows of hidden cases.
    fn narrowed(&self, sight: &Sight) -> String {
        if sight.hidden.is_empty() {
            return String::new();
        }
        let hidden = sight.hidden.iter().map(|case| clickhouse_literal(case.as_str())).collect::<Vec<_>>().join(", ");
        let seen = ["contacts", "sightings"].map(|view| {
            let whole = self.target().whole(view);
            format!("{view} AS (SELECT * FROM {whole} WHERE case_id IS NULL OR case_id NOT IN ({hidden}))")
        });
        format!("WITH {}\n", seen.join(", "))
    }

    async fn ask(&self, sql: String, rows_max: usize) -> Result<QueryAnswer, Error> {
        if !self.target().profile.answers() {
            let why = "the profile `old` keeps rows and answers no questions";
            return Err(Error::Query(format!("{why}; ask with `--engine parquet`")));
        }
        let (settings, patience) = (self.limits(rows_max), QUERY_TIME_MAX + GRACE);
        let sent = Sent { settings, answer_octets_max: ANSWER_OCTETS_MAX, patience, ..Sent::statement(sql) };
        let answer = self.first_of_all(&sent).await.map_err(refused)?;
        read(&answer, rows_max)
    }

    /// `readonly` stands last: after it nothing can be set, by the question's own words either.
    fn limits(&self, rows_max: usize) -> Vec<(&'static str, String)> {
        let own = |text: &str| text.to_owned();
        vec![
            ("database", self.target().database.clone()),
            ("default_format", own("JSONCompact")),
            ("max_execution_time", QUERY_TIME_MAX.as_secs().to_string()),
            ("max_memory_usage", QUERY_MEMORY_MAX.to_string()),
            // One more than may be shown tells that there are more; the server stops at a block's end.
            ("max_result_rows", (rows_max + 1).to_string()),
            ("max_result_bytes", QUERY_OCTETS_MAX.to_string()),
            ("result_overflow_mode", own("break")),
            ("count_distinct_implementation", own("uniqExact")),
            ("join_use_nulls", own("0")),
            ("output_format_json_quote_64bit_integers", own("0")),
            ("output_format_json_named_tuples_as_objects", own("1")),
            ("date_time_output_format", own("simple")),
            ("session_timezone", own("UTC")),
            ("wait_end_of_query", own("1")),
            ("readonly", own("1")),
        ]
    }
}

/// A server that answers with an error understood the question and would not. One that does not answer, or that does not
/// know us, is our trouble.
fn refused(error: Error) -> Error {
    let of_ours = ["401", "403", "503"];
    match error {
        Error::ClickHouse { what, .. }
            if what.contains("Code: ") && !of_ours.iter().any(|code| what.starts_with(code)) =>
        {
            Error::Query(what)
        }
        other => other,
    }
}

/// `FORMAT JSONCompact`.
#[derive(Deserialize)]
struct Answered {
    meta: Vec<Column>,
    data: Vec<Vec<Value>>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
}

fn read(answer: &[u8], rows_max: usize) -> Result<QueryAnswer, Error> {
    let odd = |_| Error::Query("the answer is not in the form that was asked for; leave FORMAT to us".into());
    let answered: Answered = serde_json::from_slice(answer).map_err(odd)?;
    let columns = answered.meta.into_iter().map(|column| column.name).collect();
    let mut rows = answered.data;
    let cut = rows.len() > rows_max;
    rows.truncate(rows_max);
    Ok(QueryAnswer { columns, rows, cut })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_is_refused_is_told_from_a_server_that_does_not_know_us() {
        let error = |what: &str| refused(Error::ClickHouse { server: "http://a:1".into(), what: what.into() });
        assert!(matches!(error("404: Code: 60. DB::Exception: Unknown table"), Error::Query(_)));
        for what in ["connecting: refused", "403: Code: 516. DB::Exception: Authentication failed", "502: bad gateway"]
        {
            assert!(matches!(error(what), Error::ClickHouse { .. }), "{what}");
        }
    }

    #[test]
    fn an_answer_is_columns_and_rows_and_no_more_than_asked_for() {
        let answer = br#"{"meta":[{"name":"n","type":"UInt64"}],"data":[[1],[2]],"rows":2}"#;
        let read_two = read(answer, 2).unwrap();
        assert_eq!((read_two.columns, read_two.rows.len(), read_two.cut), (vec!["n".to_owned()], 2, false));
        assert!(read(answer, 1).unwrap().cut);
        assert!(matches!(read(b"1\n2\n", 2), Err(Error::Query(_))));
    }
}
