//! Retention on the running program: what is due goes from every place, what is held stays, and what is restored is purged again.
//!
//! An archive of last winter's sightings, of two real cases; a backup of before; a hold on one case. DuckDB, which reads the
//! folders without a word of ours, says what is left.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::generate::{self, rows::Rows};
use crate::program::{Program, exercise};
use crate::shell::{command, run_for};
use crate::tally::{Tally, all, contains, holds};
use crate::{Done, Trouble, tools};

const SIGHTINGS: u64 = 20_000;
const DAYS: u32 = 3;
const CASES: [&str; 2] = ["gen-1", "gen-2"];
const PEOPLE: [(&str, &str); 2] = [("rhea", "investigator"), ("luis", "legal")];
const LIMIT: Duration = Duration::from_secs(400);
/// By hand alone, so that each step can be looked at.
const TABLES: &str = "[retention]\ndaily = false\n";
/// Rows of a case whose address is whole, by table.
const WHOLE: &str = "(source LIKE '%.%' AND source NOT LIKE '%.0') OR (source LIKE '%:%' AND source NOT LIKE '%::')";

pub fn run(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    program.configure_also(TABLES)?;
    CASES.iter().try_for_each(|case| open_case(&program, case))?;
    generate::make(&program.data(), Rows::new(SIGHTINGS, DAYS, 11))?;
    program.start()?;
    enrol(&program)?;
    let backup = program.path("backup").to_string_lossy().into_owned();
    program.ask(&["backup", &backup])?.good()?;
    let names = counted(&program)?;
    held(tally, &program)?;
    released(tally, &program)?;
    let stays = holds(counted(&program)? == names, || "daily_names changed".to_owned());
    tally.check("how many addresses each name had by day stays known", stays);
    let traces = program.ask(&["audit", "purge"])?;
    let told = [
        contains(&traces.out, "nothing is left"),
        contains(&traces.out, "backups that still hold it"),
        holds(traces.ok, || traces.all()),
    ];
    tally.check("`audit purge` finds nothing left, and names the backup of before", all(told));
    tally.check("the ledger verifies", program.ask(&["audit", "verify"])?.good().map(|_| ()));
    program.stop()?;
    restored(tally, &program, &backup)
}

/// The first admin by the one-time token that the start printed, and by that admin the others: what is real takes people who
/// descend from it.
fn enrol(program: &Program) -> Done {
    let (root, first, log) = (program.token("root"), program.token("first"), program.log());
    let token = log.split_whitespace().find(|word| word.starts_with("bw_")).ok_or("no one-time token was printed")?;
    std::fs::write(&first, token)?;
    program.ask(&["person", "add", "root", "--role", "admin", "--token-file", &root, "--first", &first])?.good()?;
    for (person, role) in PEOPLE {
        let token = program.token(person);
        let words = ["person", "add", person, "--role", role, "--token-file", &token];
        program.ask(&[&words[..], &["--as", "root", "--admin-token-file", &root]].concat())?.good()?;
    }
    Ok(())
}

fn open_case(program: &Program, id: &str) -> Done {
    let words = ["case", "quick", "seized-00.example", "--authority", "own-registration", "--id", id];
    let more = ["--contact", "desk@example.net", "--purpose", "compare", "--issuer", "Example Registrar"];
    let servers = ["--name-server", "ns1.example.net"];
    program.ask(&[&words[..], &more, &servers].concat())?.good().map(|_| ())
}

/// One answer of DuckDB over the folders of a data folder.
fn duck(program: &Program, data: &Path, sql: &str) -> Result<String, Trouble> {
    let script = program.path("ask.py");
    std::fs::write(
        &script,
        "import duckdb, sys\ndb = duckdb.connect()\nfor table in ['contacts', 'daily_names', 'daily_sources']:\n    \
         db.execute(f\"CREATE VIEW {table} AS SELECT * FROM read_parquet('{sys.argv[1]}/archive/{table}/*/*.parquet')\")\n\
         print(db.execute(sys.argv[2]).fetchall())\n",
    )?;
    let mut python = command(&tools::python().to_string_lossy(), [script.as_path(), data, Path::new(sql)]);
    Ok(run_for(&mut python, LIMIT)?.good()?.trim().to_owned())
}

fn counted(program: &Program) -> Result<String, Trouble> {
    program.ask(&["archive", "compact"])?.good()?;
    duck(program, &program.data(), "SELECT case_id, apex, kind, contacts, sources FROM daily_names ORDER BY ALL")
}

/// Whole addresses of the case in contacts and in the day's counts, and how many contacts it has.
fn whole(program: &Program, data: &Path, case: &str) -> Result<String, Trouble> {
    let count = |table: &str| format!("SELECT count(*) FROM {table} WHERE case_id = '{case}' AND ({WHOLE})");
    let sql = format!("SELECT ({}), ({})", count("contacts"), count("daily_sources"));
    duck(program, data, &sql)
}

fn contacts(program: &Program, data: &Path) -> Result<String, Trouble> {
    duck(program, data, "SELECT case_id, count(*) FROM contacts GROUP BY ALL ORDER BY ALL")
}

//----------- Steps ------------------------------------------------------------------------------------------------

fn held(tally: &mut Tally, program: &Program) -> Done {
    let shown: Value = serde_json::from_str(&program.ask(&["retention", "show", "--json"])?.good()?)?;
    let days = shown["waiting"].as_array().map_or(0, Vec::len);
    // What followed a contact may have ended on the day after the last.
    let told = holds((DAYS as usize..=DAYS as usize + 1).contains(&days), || format!("{days} days wait: {shown}"));
    tally.check("`retention show` tells what is due", told);
    let without = program.ask(&[
        "retention",
        "hold",
        "gen-1",
        "--reason",
        "a letter",
        "--as",
        "rhea",
        "--token-file",
        "/dev/null",
    ])?;
    tally.check("nobody places a hold without a token", holds(!without.ok, || without.all()));
    let hold = ["retention", "hold", "gen-1", "--reason", "a letter of counsel", "--as", "rhea", "--token-file"];
    let placed = program.ask(&[&hold[..], &[&program.token("rhea")]].concat())?;
    tally.check("one person places a hold", placed.good().map(|_| ()));
    let (data, all_contacts) = (program.data(), contacts(program, &program.data())?);
    let before = whole(program, &data, "gen-1")?;
    tally.check("retention is carried out", program.ask(&["retention", "run"])?.good().map(|_| ()));
    let after = whole(program, &data, "gen-1")?;
    tally.check(
        "the case that is held keeps its addresses",
        holds(before == after && before != "[(0, 0)]", || after.clone()),
    );
    let other = whole(program, &data, "gen-2")?;
    tally.check("the other has none that is whole, by DuckDB", holds(other == "[(0, 0)]", || other.clone()));
    let left = contacts(program, &data)?;
    tally.check("no contact is missing", holds(left == all_contacts, || format!("{all_contacts}\n{left}")));
    Ok(())
}

fn released(tally: &mut Tally, program: &Program) -> Done {
    let shown: Value = serde_json::from_str(&program.ask(&["retention", "show", "--json"])?.good()?)?;
    let hold = shown["holds"][0]["hold"].as_str().ok_or("no hold is shown")?.to_owned();
    let (rhea, luis) = (program.token("rhea"), program.token("luis"));
    program.ask(&["retention", "release", "gen-1", &hold, "--as", "rhea", "--token-file", &rhea])?.good()?;
    let yes = |person: &str, role: &str, token: &str| {
        program.ask(&["approval", "give", "gen-1", "--as", person, "--role", role, "--token-file", token])
    };
    yes("rhea", "investigator", &rhea)?.good()?;
    program.ask(&["retention", "run"])?.good()?;
    let one = whole(program, &program.data(), "gen-1")?;
    tally.check("one person alone ends no hold", holds(one != "[(0, 0)]", || one.clone()));
    yes("luis", "legal", &luis)?.good()?;
    program.ask(&["retention", "run"])?.good()?;
    let both = whole(program, &program.data(), "gen-1")?;
    tally.check("two do, and what was held goes", holds(both == "[(0, 0)]", || both.clone()));
    let again = program.ask(&["retention", "run"])?.good()?;
    tally.check("a second pass finds nothing to do", contains(&again, "nothing was due"));
    Ok(())
}

/// The backup of before holds whole addresses; what comes of it does not.
fn restored(tally: &mut Tally, program: &Program, backup: &str) -> Done {
    let beside = program.path("beside");
    let (shown, lost) = (beside.to_string_lossy().into_owned(), program.data().to_string_lossy().into_owned());
    let silent = program.ask(&["restore", backup, "--data", &shown])?;
    let told = [holds(!silent.ok && !beside.exists(), || silent.all()), contains(&silent.err, "--purges-from")];
    tally.check("a restore asks what was purged since", all(told));
    let done = program.ask(&["restore", backup, "--data", &shown, "--purges-from", &lost])?;
    tally.check("with the later ledger it restores", done.good().map(|_| ()));
    for case in CASES {
        let left = whole(program, &beside, case)?;
        tally.check(&format!("{case} has no whole address there either"), holds(left == "[(0, 0)]", || left.clone()));
    }
    let traces = program.ask(&["audit", "purge", "--data", &shown])?;
    tally.check("and `audit purge` finds nothing left", holds(traces.ok, || traces.all()));
    Ok(())
}
