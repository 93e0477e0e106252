//! A statement with its values, the same for both databases.

use sqlx::postgres::PgArguments;
use sqlx::query::Query as Prepared;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Encode, Postgres, SqlSafeStr as _, SqlStr, Sqlite, Type};

//----------- Query ------------------------------------------------------------------------------------------------

/// A statement of ours, whose `$1`, `$2`, … are bound in order.
#[derive(Debug)]
pub(crate) struct Query {
    text: SqlStr,
    values: Vec<Value>,
}

/// What a cell can hold.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Number(Option<i64>),
    Octets(Vec<u8>),
    Text(Option<String>),
}

pub(crate) fn query(text: &'static str) -> Query {
    Query { text: text.into_sql_str(), values: Vec::new() }
}

/// A statement that is put together from constants of this room and from nothing else.
pub(crate) fn query_of(text: String) -> Query {
    Query { text: AssertSqlSafe(text).into_sql_str(), values: Vec::new() }
}

/// One statement that writes many rows. `into` names table and columns.
pub(crate) fn insert<const N: usize>(into: &'static str, rows: impl Iterator<Item = [Value; N]>) -> Query {
    let values: Vec<Value> = rows.flatten().collect();
    let row = |row: usize| {
        let places = (1..=N).map(|column| format!("${}", row * N + column)).collect::<Vec<_>>().join(", ");
        format!("({places})")
    };
    let rows = (0..values.len() / N).map(row).collect::<Vec<_>>().join(", ");
    Query { values, ..query_of(format!("{into} VALUES {rows}")) }
}

impl Query {
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// The places of so many further values, `$3, $4, $5`.
    pub(crate) fn places(from: usize, count: usize) -> String {
        (from..from + count).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn for_sqlite(self) -> Prepared<'static, Sqlite, SqliteArguments> {
        sqlx::query_with(self.text, arguments(self.values))
    }

    pub(super) fn for_postgres(self) -> Prepared<'static, Postgres, PgArguments> {
        sqlx::query_with(self.text, arguments(self.values))
    }
}

/// # Panics
/// Never: no value here has an encoding that can fail.
fn arguments<A: Arguments>(values: Vec<Value>) -> A
where
    for<'t> Option<i64>: Encode<'t, A::Database> + Type<A::Database>,
    for<'t> Vec<u8>: Encode<'t, A::Database> + Type<A::Database>,
    for<'t> Option<String>: Encode<'t, A::Database> + Type<A::Database>,
{
    let mut arguments = A::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        let added = match value {
            Value::Number(number) => arguments.add(number),
            Value::Octets(octets) => arguments.add(octets),
            Value::Text(text) => arguments.add(text),
        };
        added.expect("numbers, octets and text can be written down");
    }
    arguments
}

//----------- Value ------------------------------------------------------------------------------------------------

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

impl From<Vec<u8>> for Value {
    fn from(octets: Vec<u8>) -> Self {
        Self::Octets(octets)
    }
}

impl From<&[u8]> for Value {
    fn from(octets: &[u8]) -> Self {
        Self::Octets(octets.to_vec())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_statement_count_their_places_on() {
        let rows = [[Value::from(1), "a".into()], [2.into(), "b".into()]];
        let query = insert("INSERT INTO t (n, s)", rows.into_iter());
        assert_eq!(query.text.as_str(), "INSERT INTO t (n, s) VALUES ($1, $2), ($3, $4)");
        assert_eq!((query.values.len(), Query::places(2, 3)), (4, "$2, $3, $4".to_owned()));
    }
}
