//! `bailiwick query`: SQL over the archive.

use desk::api::{QueryAnswer, QueryRequest};
use serde_json::Value;

use crate::cli::{Place, QueryArgs};
use crate::door::{self, Door};
use crate::failure::Done;
use crate::terminal::{self, table};

pub(crate) fn run(place: &Place, args: &QueryArgs) -> Done {
    let token = args.asker.who().map(|who| door::token(&who)).transpose()?;
    let door = Door::open(place, "query")?;
    let path = door::with_engine("/query", args.engine);
    let answer: QueryAnswer = door.post(&path, &QueryRequest { sql: args.sql.clone() }, token.as_deref())?;
    if args.out.json {
        return terminal::json(&answer);
    }
    let mut rows = vec![answer.columns.clone()];
    rows.extend(answer.rows.iter().map(|row| row.iter().map(cell).collect()));
    terminal::line(&table(&rows))?;
    if answer.cut {
        terminal::say("there are more rows than are shown; add a LIMIT, or ask for less");
    }
    Ok(())
}

/// A cell as text that cannot move the cursor.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => terminal::inert(text),
        other => other.to_string(),
    }
}
