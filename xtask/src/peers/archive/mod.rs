//! The archive as other people's tools read it, and the reports against questions that somebody else answers.
//!
//! DuckDB and pandas read the folders as they are (`day=…` a column), without a word of ours. Each named report, asked
//! of the program, has exactly the rows of a question written by hand for DuckDB, on generated sightings with nulls,
//! both families, day borders, second verdicts and withheld callers.

use std::path::Path;

use serde_json::Value;

use crate::generate::{self, rows::Rows};
use crate::program::{Program, exercise};
use crate::shell::{command, run_for};
use crate::tally::{Tally, all, contains, holds, lacks};
use crate::tools;
use crate::{Done, Trouble};

/// The engine is not optimised in the one build profile: more of them take minutes. `BAILIWICK_ARCHIVE_SIGHTINGS`
/// asks for more.
const SIGHTINGS: u64 = 60_000;
const DAYS: u32 = 5;
/// Rank 0 and rank 3 of the generated callers: the one that calls most, and one by IPv6.
const SOURCES: [&str; 2] = ["127.0.0.1", "2001:db8:0:3::1"];
const LIMIT: std::time::Duration = std::time::Duration::from_secs(600);
const WINDOW: [&str; 4] = ["--since", "2026-01-02", "--until", "2026-01-04"];
const CASES: [&str; 2] = ["gen-1", "gen-2"];

pub fn run(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    // The sightings are old, and the first pass of retention would take them.
    program.configure_also("[retention]\ndaily = false\n")?;
    CASES.iter().try_for_each(|case| open_case(&program, case))?;
    let sightings = std::env::var("BAILIWICK_ARCHIVE_SIGHTINGS").ok().and_then(|text| text.parse().ok());
    generate::make(&program.data(), Rows::new(sightings.unwrap_or(SIGHTINGS), DAYS, 7))?;
    compare(tally, &program)?;
    forms(tally, &program)?;
    program.start()?;
    tally.check("a running daemon answers the same by its socket", same_by_socket(&program));
    program.stop()
}

fn open_case(program: &Program, id: &str) -> Done {
    let words = ["case", "quick", "seized-00.example", "--authority", "own-registration", "--id", id];
    let more = ["--contact", "desk@example.net", "--purpose", "compare", "--issuer", "Example Registrar"];
    let servers = ["--name-server", "ns1.example.net"];
    program.ask(&[&words[..], &more, &servers].concat())?.good().map(|_| ())
}

//----------- Compared ---------------------------------------------------------------------------------------------

/// Asks for every report in several windows, and lets DuckDB and pandas say what they find.
fn compare(tally: &mut Tally, program: &Program) -> Done {
    let mut answers = Vec::new();
    for name in ["top-names", "unique-sources", "timeline", "by-network", "victims"] {
        answers.push(report(program, &[name])?);
        answers.push(report(program, &[&[name], &WINDOW[..], &["--case", "gen-2"]].concat())?);
    }
    answers.push(report(program, &[&["timeline", "--by", "hour"], &WINDOW[..]].concat())?);
    answers.push(report(program, &["top-names", "--since", "2031-01-01"])?);
    for source in SOURCES {
        answers.push(report(program, &["source-history", "--source", source])?);
        answers.push(report(program, &[&["source-history", "--source", source], &WINDOW[..]].concat())?);
    }
    let file = program.path("answers.json");
    std::fs::write(&file, serde_json::to_vec(&answers)?)?;
    let said = judge(&program.data().join("archive"), &file, program)?;
    let lines: Vec<&str> = said.lines().collect();
    for line in &lines {
        let (verdict, what) = line.split_once(' ').unwrap_or((line, ""));
        tally.check(what, holds(verdict == "ok", || (*line).to_owned()));
    }
    let expected = answers.len() + 2;
    tally.check("everything was compared", holds(lines.len() == expected, || format!("{} of {expected}", lines.len())));
    Ok(())
}

fn judge(archive: &Path, answers: &Path, program: &Program) -> Result<String, Trouble> {
    let script = program.path("compare.py");
    std::fs::write(&script, include_str!("compare.py"))?;
    let mut python = command(&tools::python().to_string_lossy(), [script.as_path(), archive, answers]);
    run_for(&mut python, LIMIT)?.good()
}

/// A report with all its rows.
fn report(program: &Program, words: &[&str]) -> Result<Value, Trouble> {
    let all = [&["report"], words, &["--limit", "10000", "--format", "json"]].concat();
    Ok(serde_json::from_str(&program.ask(&all)?.good()?)?)
}

//----------- As people and scripts see it -------------------------------------------------------------------------

fn forms(tally: &mut Tally, program: &Program) -> Done {
    let table = program.ask(&["report", "top-names", "--since", "2026-01-01", "--limit", "3"])?;
    let shown = [contains(&table.out, "seized-00[.]example"), contains(&table.out, "never a number of machines")];
    tally.check("a table has defanged names and says what addresses are not", all(shown));
    tally.check("and that there are more", contains(&table.err, "more rows"));
    let csv = program.ask(&["report", "timeline", "--format", "csv"])?.good()?;
    let lines = holds(csv.lines().count() == DAYS as usize + 1, || csv.clone());
    tally.check("CSV has a header and a line a row", all([contains(&csv, "day,contacts,addresses\n"), lines]));
    let list = program.ask(&["report"])?.good()?;
    let unknown = program.ask(&["report", "top-secrets"])?;
    let told = [
        contains(&list, "victims"),
        contains(&unknown.err, "unique-sources"),
        holds(unknown.code == Some(2), || unknown.all()),
    ];
    tally.check("an unknown report is answered with the list", all(told));
    let victims = program.ask(&["report", "victims", "--limit", "10000", "--format", "csv"])?.good()?;
    tally.check("nobody of a withheld country is a victim in the report", lacks(&victims, ",ZZ,"));
    let narrowed = program.ask(&["report", "timeline", "--case", "nobody-knows"])?;
    tally.check("a case that is not there is said so", contains(&narrowed.err, "there is no case nobody-knows"));
    Ok(())
}

fn same_by_socket(program: &Program) -> Done {
    let ours = report(program, &["timeline"])?;
    let rows = ours.get("rows").and_then(Value::as_array).map_or(0, Vec::len);
    holds(rows == DAYS as usize, || ours.to_string())
}
