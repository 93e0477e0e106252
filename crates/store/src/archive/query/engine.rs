//! DataFusion over exactly the files of the manifest.
//!
//! A session is made for each question, knows the five views and nothing else, and may neither define, change, copy
//! nor set anything; there are no functions that read files, no tables by path or URL, and no information schema.

use std::path::Path;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use datafusion::datasource::MemTable;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::DFParser;

use super::super::file::Written;
use super::super::tables::{ContactRow, OutcomeRow, RawRow, Row, VerdictRow};
use super::json::to_json;
use super::{QueryAnswer, QueryLimits};
use crate::Error;

/// The views, in the order in which they build on each other. `stored_…` are the files as they are.
const VIEWS: [(&str, &str); 5] = [
    ("contacts", "SELECT *, CAST(received AS DATE) AS day FROM stored_contacts"),
    ("raw", "SELECT *, CAST(received AS DATE) AS day FROM stored_raw"),
    ("outcomes", "SELECT *, CAST(ended AS DATE) AS day FROM stored_outcomes"),
    ("verdicts", "SELECT *, CAST(received AS DATE) AS day FROM stored_verdicts"),
    ("sightings", include_str!("sightings.sql")),
];

/// Answers one question.
pub(in super::super) async fn answer(
    root: &Path,
    files: &[Written],
    sql: &str,
    limits: QueryLimits,
) -> Result<QueryAnswer, Error> {
    one_statement(sql)?;
    let context = context(root, files, limits).await?;
    let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    let run = async {
        let frame = context.sql_with_options(sql, options).await.map_err(refused)?;
        let columns = frame.schema().fields().iter().map(|field| field.name().clone()).collect();
        let rows = frame.execute_stream().await.map_err(refused)?;
        collect(columns, rows, limits.rows).await
    };
    let late = || Error::Query(format!("it took longer than {} seconds", limits.time.as_secs()));
    tokio::time::timeout(limits.time, run).await.map_err(|_| late())?
}

fn refused(error: DataFusionError) -> Error {
    Error::Query(error.strip_backtrace())
}

fn one_statement(sql: &str) -> Result<(), Error> {
    let statements = DFParser::parse_sql(sql).map_err(refused)?;
    match statements.len() {
        1 => Ok(()),
        0 => Err(Error::Query("there is no statement in it".into())),
        many => Err(Error::Query(format!("one statement at a time; these are {many}"))),
    }
}

async fn collect(
    columns: Vec<String>,
    mut batches: SendableRecordBatchStream,
    rows_max: usize,
) -> Result<QueryAnswer, Error> {
    let mut answer = QueryAnswer { columns, ..QueryAnswer::default() };
    while let Some(batch) = std::future::poll_fn(|task| batches.as_mut().poll_next(task)).await {
        let batch = batch.map_err(refused)?;
        for row in 0..batch.num_rows() {
            if answer.rows.len() == rows_max {
                answer.cut = true;
                return Ok(answer);
            }
            answer.rows.push(batch.columns().iter().map(|column| to_json(column, row)).collect());
        }
    }
    Ok(answer)
}

//----------- The session ------------------------------------------------------------------------------------------

async fn context(root: &Path, files: &[Written], limits: QueryLimits) -> Result<SessionContext, Error> {
    let no_disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    let runtime = RuntimeEnvBuilder::new().with_memory_limit(limits.memory_bytes, 1.0);
    let runtime =
        runtime.with_disk_manager_builder(no_disk).build_arc().map_err(Error::archive("preparing a query"))?;
    let config = SessionConfig::new().with_information_schema(false);
    let context = SessionContext::new_with_config_rt(config, runtime);
    for (table, schema) in [
        (ContactRow::TABLE, ContactRow::schema()),
        (RawRow::TABLE, RawRow::schema()),
        (OutcomeRow::TABLE, OutcomeRow::schema()),
        (VerdictRow::TABLE, VerdictRow::schema()),
    ] {
        let own = files.iter().filter(|file| file.table == table).map(|file| root.join(&file.path));
        let paths: Vec<_> = own.map(|path| path.to_string_lossy().into_owned()).collect();
        register(&context, &format!("stored_{table}"), &paths, schema)
            .map_err(Error::archive(format!("preparing the table {table}")))?;
    }
    for (view, sql) in VIEWS {
        let failed = || format!("preparing the view {view}");
        let frame = context.sql(sql).await.map_err(Error::archive(failed()))?;
        context.register_table(view, frame.into_view()).map_err(Error::archive(failed()))?;
    }
    Ok(context)
}

fn register(context: &SessionContext, name: &str, paths: &[String], schema: SchemaRef) -> Result<(), DataFusionError> {
    if paths.is_empty() {
        context.register_table(name, Arc::new(MemTable::try_new(schema, vec![vec![]])?))?;
        return Ok(());
    }
    let urls: Result<Vec<_>, _> = paths.iter().map(ListingTableUrl::parse).collect();
    let options = ListingOptions::new(Arc::new(ParquetFormat::default()));
    let config = ListingTableConfig::new_with_multi_paths(urls?).with_listing_options(options).with_schema(schema);
    context.register_table(name, Arc::new(ListingTable::try_new(config)?))?;
    Ok(())
}
