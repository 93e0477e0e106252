//! Every report on both engines, row by row, over history that lay in compacted files before ClickHouse was named.

use serde_json::Value;

use super::{Door, all_went_out, compare};
use crate::generate::{self, rows::Rows};
use crate::program::{Program, exercise};
use crate::tally::{Tally, all, contains, holds};
use crate::{Done, Trouble};

/// So many over two days that a day's file is more than one block.
const SIGHTINGS: u64 = 140_000;
const DAYS: u32 = 2;
/// Rank 0 and rank 3 of the generated callers: the one that calls most, and one by IPv6.
const SOURCES: [&str; 2] = ["127.0.0.1", "2001:db8:0:3::1"];
/// To the nanosecond before midnight, and an hour that holds nothing of the first day.
const WINDOW: [&str; 4] = ["--since", "2026-01-01T23:59:59.999999999Z", "--until", "2026-01-02T13:00:00Z"];

/// A sealed case, of which some of the generated contacts are.
const SEALED: &str = r#"[case]
id = "gen-2"
title = "Sealed"
contact = "desk@example.net"
purpose = { value = "to compare", source = "the suite" }
answer = "notice"
[group]
id = "sealed-group"
name = "Sealed Group"
[[order]]
id = "sealed-order"
name_servers = ["ns1.example.net"]
[order.authority]
instrument = "exercise"
issuer = { value = "Utopian District Court", source = "the suite" }
docket_number = { value = "1:26-cv-1", source = "the suite" }
judge = { value = "A. Judge", source = "the suite" }
sealed_until = { value = 2099-01-01, source = "the suite" }
[[list]]
order = "sealed-order"
source = "the suite"
acts = ["delegate", "answer", "record-metadata"]
names = ["sealed-of-the-suite.test"]
"#;

pub(super) fn run(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    // The sightings are old, and the first pass of retention would take them where a machine needs ten minutes for all this.
    program.configure_also("[retention]\ndaily = false\n")?;
    open_cases(&program)?;
    generate::make(&program.data(), Rows::new(SIGHTINGS, DAYS, 7))?;
    program.ask(&["archive", "compact"])?.good()?;
    let mut door = Door::beside(&program)?;
    door.open(&program, &[])?;
    program.start()?;
    tally.check("history that was there before goes out first", all_went_out(&program));
    each(tally, &program)?;
    tally.check("a person who is on no sealed case has the same rows, and fewer of them", narrowed(&program));
    tally.check("and is answered no free SQL by ClickHouse", no_free_sql(&program));
    program.stop()?;
    compare(tally, &program, &mut door, &["contacts", "outcomes", "verdicts", "daily_names", "daily_sources"])
}

fn open_cases(program: &Program) -> Done {
    let words = ["case", "quick", "seized-00.example", "--authority", "own-registration", "--id", "gen-1"];
    let more = ["--contact", "desk@example.net", "--purpose", "compare", "--issuer", "Example Registrar"];
    program.ask(&[&words[..], &more, &["--name-server", "ns1.example.net"]].concat())?.good()?;
    let file = program.path("sealed.toml");
    std::fs::write(&file, SEALED)?;
    program.ask(&["case", "import", &file.to_string_lossy()])?.good()?;
    let token = program.token("vera");
    program.ask(&["person", "add", "vera", "--role", "analyst", "--token-file", &token, "--fixture"])?.good()?;
    Ok(())
}

/// Every report in several windows, and one in which there is nothing.
fn each(tally: &mut Tally, program: &Program) -> Done {
    for name in ["top-names", "unique-sources", "timeline", "by-network", "victims"] {
        tally.check(&format!("{name}: the same rows"), same(program, &[name]));
        let narrow = [&[name], &WINDOW[..], &["--case", "gen-1"]].concat();
        tally.check(&format!("{name} of a case over midnight: the same rows"), same(program, &narrow));
    }
    let hours = [&["timeline", "--by", "hour"], &WINDOW[..]].concat();
    tally.check("timeline by hour: the same rows", same(program, &hours));
    tally.check("top-names of one name: the same rows", same(program, &["top-names", "--name", "seized-01.example"]));
    tally.check("timeline, the last row: the same, and more are told", same(program, &["timeline", "--limit", "1"]));
    for source in SOURCES {
        let promise = format!("source-history of {source}: the same rows");
        tally.check(&promise, same(program, &["source-history", "--source", source]));
    }
    for name in ["top-names", "victims"] {
        let empty = answer(program, &[name, "--since", "2031-01-01"], "clickhouse")?;
        let ours = answer(program, &[name, "--since", "2031-01-01"], "parquet")?;
        let promise = format!("{name} where there is nothing: no row by either");
        tally.check(&promise, holds(empty == ours && empty["rows"] == Value::Array(Vec::new()), || empty.to_string()));
    }
    Ok(())
}

fn answer(program: &Program, words: &[&str], engine: &str) -> Result<Value, Trouble> {
    let limit: &[&str] = if words.contains(&"--limit") { &[] } else { &["--limit", "10000"] };
    let all = [&["report"], words, limit, &["--format", "json", "--engine", engine]].concat();
    Ok(serde_json::from_str(&program.ask(&all)?.good()?)?)
}

/// Columns, rows in their order, what is withheld, and whether there are more.
fn same(program: &Program, words: &[&str]) -> Done {
    let (ours, theirs) = (answer(program, words, "parquet")?, answer(program, words, "clickhouse")?);
    let rows = |answer: &Value| answer["rows"].as_array().cloned().unwrap_or_default();
    let (own, other) = (rows(&ours), rows(&theirs));
    let differs = own.iter().zip(&other).position(|(own, other)| own != other).unwrap_or(own.len().min(other.len()));
    let seen = || {
        let (own_row, other_row) = (own.get(differs), other.get(differs));
        let (own, other) = (own.len(), other.len());
        format!("{own} and {other} rows, the first that differs is {differs}: {own_row:?} and {other_row:?}")
    };
    holds(ours == theirs && !own.is_empty(), seen)
}

fn narrowed(program: &Program) -> Done {
    let token = program.token("vera");
    let asker = ["--as", "vera", "--token-file", &token];
    all(["top-names", "unique-sources", "victims", "by-network"].into_iter().map(|name| {
        same(program, &[&[name], &asker[..]].concat())?;
        let (some, whole) =
            (answer(program, &[&[name], &asker[..]].concat(), "clickhouse")?, answer(program, &[name], "clickhouse")?);
        let names_sealed = some.to_string().contains("gen-2");
        holds(some["rows"] != whole["rows"] && !names_sealed, || format!("{name}: nothing is hidden"))
    }))
}

fn no_free_sql(program: &Program) -> Done {
    let token = program.token("vera");
    let asker = ["--as", "vera", "--token-file", &token];
    let asked = |engine| {
        let words = ["query", "SELECT count(*) FROM contacts", "--engine", engine];
        program.ask(&[&words[..], &asker].concat())
    };
    let (refused, answered) = (asked("clickhouse")?, asked("parquet")?);
    all([contains(&refused.err, "--engine parquet"), holds(!refused.ok && answered.ok, || answered.all())])
}
