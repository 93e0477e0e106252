//! SQL over the archive, for people: one SELECT at a time, bounded in memory, time and rows, and read-only.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::file::Written;
use crate::Error;

/// What a query may hold in memory.
pub const QUERY_MEMORY_MAX: usize = 512 << 20;
/// How long a query may take.
pub const QUERY_TIME_MAX: Duration = Duration::from_secs(60);
/// How many rows an answer has at most.
pub const QUERY_ROWS_MAX: usize = 100_000;

/// The answer to a query.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QueryAnswer {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<serde_json::Value>>,
    /// There were more rows than the limit lets through.
    pub cut: bool,
}

#[cfg(not(feature = "query"))]
pub(super) async fn answer(_root: &Path, _files: Vec<Written>, _sql: &str) -> Result<QueryAnswer, Error> {
    Err(Error::Query("this program was built without the feature `query`".into()))
}
