//! SQL over the archive, for people: one SELECT at a time, bounded in memory, time, rows and octets, and read-only.
//!
//! The views, narrowed to what the asker may see ([`Sight`]), are `contacts`, `raw`, `outcomes`, `verdicts`, `sightings`,
//! `daily_names` and `daily_sources`; each has a column `day` where it has a time. DataFusion is most of a cold build, so it stands behind the feature `query`; without it a question is
//! refused, in words.

use std::collections::BTreeSet;
use std::time::Duration;

use model::id::CaseId;
use serde::{Deserialize, Serialize};

#[cfg(feature = "query")]
mod engine;
#[cfg(feature = "query")]
mod json;
#[cfg(all(test, feature = "query"))]
mod tests;

#[cfg(feature = "query")]
pub(super) use engine::answer;

/// What a query may hold in memory; there is no spilling to disk.
pub const QUERY_MEMORY_MAX: usize = 512 << 20;

/// How long a query may take.
pub const QUERY_TIME_MAX: Duration = Duration::from_secs(60);

/// How many rows an answer has at most.
pub const QUERY_ROWS_MAX: usize = 10_000;

/// How many octets of text an answer has at most.
pub const QUERY_OCTETS_MAX: usize = 32 << 20;

/// How many questions are answered at once. One that cannot be interrupted at its time's end still counts until it
/// does end, so that slow questions cost so many threads and never the sinkhole's.
pub const QUERIES_MAX: usize = 2;

/// The answer to a query.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QueryAnswer {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<serde_json::Value>>,
    /// There was more than [`QUERY_ROWS_MAX`] or [`QUERY_OCTETS_MAX`].
    pub cut: bool,
}

/// What an asker may see: everything but these cases, whose contacts are in no view then, with all that followed them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Sight {
    pub hidden: BTreeSet<CaseId>,
}

/// One question.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "query"), expect(dead_code, reason = "without the engine nothing is asked"))]
pub(super) struct Question<'a> {
    pub(super) sql: &'a str,
    pub(super) sight: &'a Sight,
    pub(super) limits: QueryLimits,
}

/// The limits of one query.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "query"), expect(dead_code, reason = "without the engine nothing is asked"))]
pub(super) struct QueryLimits {
    memory_bytes: usize,
    time: Duration,
    rows: usize,
    octets: usize,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self { memory_bytes: QUERY_MEMORY_MAX, time: QUERY_TIME_MAX, rows: QUERY_ROWS_MAX, octets: QUERY_OCTETS_MAX }
    }
}

impl QueryLimits {
    /// A report is asked for one row more than it may have.
    pub(super) fn for_reports() -> Self {
        Self { rows: crate::report::REPORT_ROWS_MAX as usize + 1, ..Self::default() }
    }
}

#[cfg(not(feature = "query"))]
pub(super) async fn answer(
    _root: &std::path::Path,
    _files: &[super::file::Written],
    _question: Question<'_>,
    _turn: tokio::sync::OwnedSemaphorePermit,
) -> Result<QueryAnswer, crate::Error> {
    Err(crate::Error::Query("this program was built without the feature `query`".into()))
}
