//! DataFusion over exactly the files of the manifest.
//!
//! A session is made for each question, knows the seven views, narrowed to the asker's sight, and nothing else, and may
//! neither define, change, copy nor set anything; there are no functions that read files, no tables by path or URL, and
//! no information schema.

use std::path::{Path, PathBuf};
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
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::super::file::Written;
use super::super::tables::Shape;
use super::json::to_json;
use super::{QueryAnswer, QueryLimits, Sight};
use crate::Error;
use crate::report::text_literal;

/// The views in the order in which they build on each other, each with how its rows are told from those of hidden
/// cases. `stored_…` are the files as they are; once the views stand nobody can name them any more.
const VIEWS: [(&str, &str, About); 7] = [
    ("contacts", "SELECT *, CAST(received AS DATE) AS day FROM stored_contacts", About::Contact("id")),
    ("raw", "SELECT *, CAST(received AS DATE) AS day FROM stored_raw", About::Contact("id")),
    ("outcomes", "SELECT *, CAST(ended AS DATE) AS day FROM stored_outcomes", About::Contact("contact_id")),
    ("verdicts", "SELECT *, CAST(received AS DATE) AS day FROM stored_verdicts", About::Contact("contact_id")),
    ("sightings", include_str!("sightings.sql"), About::Contact("id")),
    // They hold whole days only: a day that is in `daily_names` need not be counted again.
    ("daily_names", "SELECT *, CAST(first_received AS DATE) AS day FROM stored_daily_names", About::Case),
    ("daily_sources", "SELECT *, CAST(first_received AS DATE) AS day FROM stored_daily_sources", About::Case),
];

/// What a row of a view is about.
#[derive(Clone, Copy)]
enum About {
    /// The contact whose id stands in this column.
    Contact(&'static str),
    /// The case in `case_id`, if any.
    Case,
}

/// Functions that make much text of little: what they make is on no account of memory before it is there.
const SWELLING: [&str; 3] = ["repeat", "lpad", "rpad"];

/// Answers one question, on a thread of its own: a join over millions of rows does not yield for minutes, and would
/// hold up whatever shares its thread. At its time's end nobody waits for it any more; it ends where it next yields.
pub(in super::super) async fn answer(
    root: &Path,
    files: &[Written],
    asked: super::Question<'_>,
    turn: OwnedSemaphorePermit,
) -> Result<QueryAnswer, Error> {
    let super::Question { sql, sight, limits } = asked;
    one_statement(sql)?;
    let (told, answer) = oneshot::channel();
    let (root, files, sql, sight) = (root.to_owned(), files.to_vec(), sql.to_owned(), sight.clone());
    let question = Question { root, files, sql, sight, limits };
    let thread = std::thread::Builder::new().name("query".into());
    let spawned = thread.spawn(move || {
        question.run(told);
        drop(turn);
    });
    spawned.map_err(Error::archive("starting a thread for a query"))?;
    let late = || Error::Query(format!("it took longer than {} seconds", limits.time.as_secs()));
    let ended = tokio::time::timeout(limits.time, answer).await.map_err(|_| late())?;
    ended.unwrap_or_else(|_| Err(Error::Query("it ended in a fault of the engine".into())))
}

struct Question {
    root: PathBuf,
    files: Vec<Written>,
    sql: String,
    sight: Sight,
    limits: QueryLimits,
}

impl Question {
    /// Runs until there is an answer, or until nobody waits for one.
    fn run(&self, mut told: oneshot::Sender<Result<QueryAnswer, Error>>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let answer = match runtime.map_err(Error::archive("starting a runtime for a query")) {
            Ok(runtime) => runtime.block_on(async {
                tokio::select! {
                    answer = self.answer() => Some(answer),
                    () = told.closed() => None,
                }
            }),
            Err(error) => Some(Err(error)),
        };
        // Whoever asked may be gone by now.
        answer.map(|answer| told.send(answer));
    }

    async fn answer(&self) -> Result<QueryAnswer, Error> {
        let context = self.context().await?;
        let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        let frame = context.sql_with_options(&self.sql, options).await.map_err(refused)?;
        let columns = frame.schema().fields().iter().map(|field| field.name().clone()).collect();
        let rows = frame.execute_stream().await.map_err(refused)?;
        collect(columns, rows, self.limits).await
    }
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
    limits: QueryLimits,
) -> Result<QueryAnswer, Error> {
    let mut answer = QueryAnswer { columns, ..QueryAnswer::default() };
    let mut octets = 0;
    while let Some(batch) = std::future::poll_fn(|task| batches.as_mut().poll_next(task)).await {
        let batch = batch.map_err(refused)?;
        for row in 0..batch.num_rows() {
            let cells: Vec<Value> = batch.columns().iter().map(|column| to_json(column, row)).collect();
            octets += cells.iter().map(octets_of).sum::<usize>();
            if answer.rows.len() == limits.rows || octets > limits.octets {
                answer.cut = true;
                return Ok(answer);
            }
            answer.rows.push(cells);
        }
    }
    Ok(answer)
}

/// About what a cell takes in the answer.
fn octets_of(cell: &Value) -> usize {
    match cell {
        Value::String(text) => text.len(),
        Value::Array(cells) => cells.iter().map(octets_of).sum(),
        Value::Object(cells) => cells.values().map(octets_of).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => size_of::<Value>(),
    }
}

//----------- The session ------------------------------------------------------------------------------------------

impl Question {
    /// The session: tables, then views, and then the views alone.
    async fn context(&self) -> Result<SessionContext, Error> {
        let context = session(self.limits)?;
        for Shape { table, schema, .. } in Shape::all() {
            let own = self.files.iter().filter(|file| file.table == table).map(|file| self.root.join(&file.path));
            let paths: Vec<_> = own.map(|path| path.to_string_lossy().into_owned()).collect();
            register(&context, &stored(table), &paths, schema)
                .map_err(Error::archive(format!("preparing the table {table}")))?;
        }
        for (view, sql, about) in VIEWS {
            let failed = || format!("preparing the view {view}");
            let sql = self.narrowed(sql, about);
            let frame = context.sql(&sql).await.map_err(Error::archive(failed()))?;
            context.register_table(view, frame.into_view()).map_err(Error::archive(failed()))?;
        }
        for Shape { table, .. } in Shape::all() {
            context.deregister_table(stored(table)).map_err(Error::archive("closing the tables"))?;
        }
        Ok(context)
    }

    /// The view without rows about hidden cases and their contacts.
    fn narrowed(&self, view: &str, about: About) -> String {
        if self.sight.hidden.is_empty() {
            return view.to_owned();
        }
        let hidden = self.sight.hidden.iter().map(|case| text_literal(case.as_str())).collect::<Vec<_>>().join(", ");
        let seen = match about {
            About::Contact(id) => format!("{id} NOT IN (SELECT id FROM stored_contacts WHERE case_id IN ({hidden}))"),
            About::Case => format!("case_id IS NULL OR case_id NOT IN ({hidden})"),
        };
        format!("SELECT * FROM ({view}) AS whole WHERE {seen}")
    }
}

fn stored(table: &str) -> String {
    format!("stored_{table}")
}

fn session(limits: QueryLimits) -> Result<SessionContext, Error> {
    let no_disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    let runtime = RuntimeEnvBuilder::new().with_memory_limit(limits.memory_bytes, 1.0);
    let runtime =
        runtime.with_disk_manager_builder(no_disk).build_arc().map_err(Error::archive("preparing a query"))?;
    let config = SessionConfig::new().with_information_schema(false);
    let context = SessionContext::new_with_config_rt(config, runtime);
    SWELLING.iter().for_each(|function| context.deregister_udf(function));
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
