//! ClickHouse of today (chdb, behind an HTTP door of our own): what the running program ships is what it archived, once,
//! whatever dies meanwhile; and every report has the same rows on both engines.
//!
//! The door dies twice before it lives: once with half an INSERT read, once with the block stored and its answer unsaid.
//! Rows are compared column by column by the engine itself. Reports are asked of generated sightings with nulls, both
//! families, day borders, second verdicts and withheld callers, which lie in compacted files: history from before
//! ClickHouse was named.
//!
//! Absent: a cluster of today, which no package brings here; replicas are tried on an older one ([`cluster`]).

pub mod cluster;
mod reports;

use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::clock::wait_for;
use crate::population::Population;
use crate::program::{Program, exercise, free_port};
use crate::shell::{Kept, command, run_for};
use crate::tally::{Tally, all, contains, holds, lacks};
use crate::{Done, Trouble, tools};

/// What the door wants to hear.
const PASSWORD: &str = "a word, with % and & in it";
/// From the last contact until ClickHouse has everything, verdicts a minute later included.
const SHIPPED: Duration = Duration::from_secs(400);
/// Until the engine is loaded and listens.
const OPENED: Duration = Duration::from_secs(180);
const COMPARED: Duration = Duration::from_secs(400);
/// The demo's population, in per cent.
const SCALE: u32 = 100;

pub fn run(tally: &mut Tally) -> Done {
    shipping(tally)?;
    reports::run(tally)
}

//----------- The door ---------------------------------------------------------------------------------------------

/// A folder of the engine, and the port that stays the same over its deaths.
struct Door {
    folder: PathBuf,
    port: u16,
    running: Option<Kept>,
}

impl Door {
    fn beside(program: &Program) -> Result<Self, Trouble> {
        let port = free_port()?;
        std::fs::write(program.path("clickhouse.password"), format!("{PASSWORD}\n"))?;
        std::fs::write(program.path("door.py"), include_str!("door.py"))?;
        program.configure_also(&format!(
            "[clickhouse]\nurls = [\"http://127.0.0.1:{port}\"]\npassword_file = \"clickhouse.password\"\n"
        ))?;
        Ok(Self { folder: program.path("clickhouse"), port, running: None })
    }

    /// Opens it, with or without a death to die.
    fn open(&mut self, program: &Program, death: &[&str]) -> Done {
        let port = self.port.to_string();
        let mut python = command(&tools::python().to_string_lossy(), [program.path("door.py").as_os_str()]);
        python.arg(&self.folder).args([&port, PASSWORD]).args(death);
        let log = std::fs::File::options().create(true).append(true).open(program.path("door.log"))?;
        python.stdin(std::process::Stdio::null()).stderr(log);
        self.running = Some(Kept(python.spawn()?));
        wait_for("the door to ClickHouse", OPENED, || TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok())?;
        Ok(())
    }

    fn has_died(&mut self) -> Done {
        let kept = self.running.as_mut().ok_or("the door is not open")?;
        let status = wait_for("the door to die", OPENED, || kept.0.try_wait().transpose())??;
        self.running = None;
        holds(status.code() == Some(9), || format!("the door ended with {status}"))
    }

    fn shut(&mut self) {
        self.running = None;
    }
}

//----------- Shipping ---------------------------------------------------------------------------------------------

fn shipping(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    let mut door = Door::beside(&program)?;
    program.configure_also("[archive]\nfiles_at_once = 2\nsettle_secs = 0\n")?;
    program.start()?;
    let mut callers = Population::call(&program, SCALE)?;
    tally.check("with ClickHouse away rows wait, and status says why", waits_and_says_so(&program));
    door.open(&program, &["before", "3"])?;
    tally.check("ClickHouse dies with half a segment read", door.has_died());
    door.open(&program, &["after", "5"])?;
    tally.check("ClickHouse dies with a block stored and nobody told", door.has_died());
    door.open(&program, &[])?;
    callers.comes_home()?;
    let recorded = program.recorded_at_rest()?;
    counted(&program, "parquet", "SELECT count(*) FROM verdicts", recorded)?;
    counted(&program, "clickhouse", "SELECT count() FROM verdicts", recorded)?;
    tally.check("nothing waits any more, and what came in went out", all_went_out(&program));
    tally.check("status says so without an error", status(&program).and_then(|said| lacks(&said, "tried again")));
    for table in ["contacts", "raw", "outcomes", "verdicts", "sightings"] {
        let promise = format!("{table}: as many rows by both engines' word, {recorded} contacts in the journal");
        tally.check(&promise, same_count(&program, table));
    }
    tally.check("labels of sightings are the same", same_labels(&program));
    tally.check("ClickHouse is asked without --engine, and in its own dialect", asked_by_itself(&program));
    tally.check("nothing is changed, made or read from elsewhere by a question", nothing_else(&program));
    tally.check("a wrong password is said, and is not shown", wrong_password(&program, door.port));
    program.stop()?;
    compare(tally, &program, &mut door, &["contacts", "raw", "outcomes", "verdicts"])?;
    door.open(&program, &[])?;
    tally.check("a segment sent again with its token is there once, with another token twice", again(&program, &door));
    Ok(())
}

fn status(program: &Program) -> Result<String, Trouble> {
    program.ask(&["status"])?.good()
}

fn outbox(program: &Program) -> Result<Value, Trouble> {
    let said: Value = serde_json::from_str(&program.ask(&["status", "--json"])?.good()?)?;
    Ok(said["clickhouse"].clone())
}

fn waits_and_says_so(program: &Program) -> Done {
    wait_for("rows in the outbox", SHIPPED, || {
        let outbox = outbox(program).ok()?;
        (outbox["rows_waiting"].as_u64()? > 0 && outbox["last_error"].is_string()).then_some(())
    })?;
    let said = status(program)?;
    all([contains(&said, "0 went out"), contains(&said, "tried again at"), contains(&said, "connecting")])
}

/// Waits until a count is reached at an engine, and no more than that.
fn counted(program: &Program, engine: &str, sql: &str, wanted: u64) -> Done {
    let mut seen = String::new();
    let reached =
        wait_for(&format!("{wanted} from {sql} by {engine}"), SHIPPED, || match count(program, engine, sql) {
            Ok(count) if count >= wanted => Some(count),
            other => {
                seen = format!("{other:?}");
                crate::clock::pause(Duration::from_millis(500));
                None
            }
        });
    let count = reached.map_err(|trouble| format!("{trouble}; the last answer was {seen}"))?;
    holds(count == wanted, || format!("{count} instead of {wanted} from {sql}"))
}

fn rows(program: &Program, engine: &str, sql: &str) -> Result<Value, Trouble> {
    let said = program.ask(&["query", sql, "--engine", engine, "--json"])?.good()?;
    Ok(serde_json::from_str::<Value>(&said)?["rows"].clone())
}

fn count(program: &Program, engine: &str, sql: &str) -> Result<u64, Trouble> {
    let rows = rows(program, engine, sql)?;
    rows[0][0].as_u64().ok_or_else(|| format!("{rows} is no count").into())
}

fn all_went_out(program: &Program) -> Done {
    let outbox = wait_for("an empty outbox", SHIPPED, || {
        let outbox = outbox(program).ok()?;
        (outbox["rows_waiting"] == 0).then_some(outbox)
    })?;
    println!("        {} segments, {} rows", outbox["segments_in"], outbox["rows_in"]);
    let whole = outbox["rows_in"] == outbox["rows_out"] && outbox["segments_in"] == outbox["segments_out"];
    holds(whole && outbox["rows_in"] != 0, || outbox.to_string())
}

fn same_count(program: &Program, table: &str) -> Done {
    let sql = format!("SELECT count(*) FROM {table}");
    let (ours, theirs) = (count(program, "parquet", &sql)?, count(program, "clickhouse", &sql)?);
    holds(ours == theirs && ours > 0, || format!("{ours} in the files, {theirs} in ClickHouse"))
}

fn same_labels(program: &Program) -> Done {
    let sql = "SELECT label, withheld, count(*) AS n, count(status) AS answered FROM sightings GROUP BY label, withheld ORDER BY label NULLS LAST, withheld";
    let (ours, theirs) = (rows(program, "parquet", sql)?, rows(program, "clickhouse", sql)?);
    holds(ours == theirs, || format!("{ours}\n{theirs}"))
}

fn asked_by_itself(program: &Program) -> Done {
    let said = program.ask(&["query", "SELECT uniqExact(id) AS n, version() != '' AS v FROM contacts"])?.good()?;
    contains(&said, "n")
}

fn nothing_else(program: &Program) -> Done {
    let refused = [
        "INSERT INTO contacts (id) VALUES ('x')",
        "DROP TABLE contacts",
        "CREATE TABLE t (a UInt8) ENGINE = Memory",
        "SELECT * FROM file('/etc/passwd', LineAsString)",
        "SELECT * FROM url('http://127.0.0.1:1/', CSV, 'a String')",
        "SELECT 1; SELECT 2",
    ];
    all(refused.into_iter().map(|sql| {
        let said = program.ask(&["query", sql, "--engine", "clickhouse"])?;
        holds(!said.ok && !said.err.contains("panicked"), || format!("{sql}: {}", said.all()))
    }))
}

fn wrong_password(program: &Program, port: u16) -> Done {
    std::fs::write(program.path("wrong.password"), "a wrong word\n")?;
    let text = std::fs::read_to_string(program.config())?.replace("clickhouse.password", "wrong.password");
    let text = text.replace("keys = \"keys\"", "keys = \"keys-elsewhere\"");
    let (config, data) = (program.path("wrong.toml"), program.path("elsewhere"));
    std::fs::write(&config, text.replace("data = \"data\"", "data = \"elsewhere\""))?;
    let mut asked = command(&crate::program::binary().to_string_lossy(), ["query", "SELECT 1", "--config"]);
    let said = crate::shell::run(asked.arg(&config).arg("--data").arg(data))?;
    let told = [contains(&said.err, "516"), contains(&said.err, &port.to_string()), lacks(&said.all(), "wrong word")];
    all(told.into_iter().chain([holds(!said.ok, || said.all())]))
}

//----------- Row by row -------------------------------------------------------------------------------------------

/// Shuts the door and has the engine compare.
fn compare(tally: &mut Tally, program: &Program, door: &mut Door, tables: &[&str]) -> Done {
    door.shut();
    let script = program.path("compare.py");
    std::fs::write(&script, include_str!("compare.py"))?;
    let archive = program.data().join("archive");
    let mut python = command(&tools::python().to_string_lossy(), [script.as_path(), &door.folder, &archive]);
    let said = run_for(python.args(tables), COMPARED)?;
    let lines: Vec<&str> = said.out.lines().collect();
    for line in &lines {
        let (verdict, what) = line.split_once(' ').unwrap_or((line, ""));
        tally.check(what, holds(verdict == "ok", || (*line).to_owned()));
    }
    let expected = tables.len() + usize::from(tables.contains(&"contacts"));
    tally.check("every table was compared", holds(lines.len() == expected, || said.all()));
    Ok(())
}

/// By hand, as the program sends it, so that one sees what the token does.
fn again(program: &Program, door: &Door) -> Done {
    let folder = program.data().join("archive/outcomes");
    let file = first_file(&folder)?;
    let digest = run_for(&mut command("sha256sum", [&file]), COMPARED)?.good()?;
    let digest = digest.split_whitespace().next().ok_or("sha256sum says nothing")?.to_owned();
    let mut counts = vec![sent(door, &file, None)?];
    for token in [format!("outcomes:{digest}:0"), format!("outcomes:{digest}:0"), "another".into(), "another".into()] {
        counts.push(sent(door, &file, Some(&token))?);
    }
    let rows = counts[3] - counts[2];
    // The file may have been compacted meanwhile: then its first sending is a new block, and the second is not.
    let once = counts[1] == counts[2] && rows > 0 && counts[3] == counts[4];
    holds(once, || format!("rows after each: {counts:?}"))
}

fn first_file(folder: &Path) -> Result<PathBuf, Trouble> {
    let days = std::fs::read_dir(folder)?.flatten().map(|day| day.path());
    let mut files = days.filter_map(|day| Some(std::fs::read_dir(day).ok()?.flatten().next()?.path()));
    files.next().ok_or_else(|| format!("{} is empty", folder.display()).into())
}

/// How many outcomes there are, after the file was sent if there is a token.
fn sent(door: &Door, file: &Path, token: Option<&str>) -> Result<u64, Trouble> {
    let address = format!("http://127.0.0.1:{}/", door.port);
    let curl = |url: &str, body: &str| {
        let key = format!("X-ClickHouse-Key: {PASSWORD}");
        let words = ["--silent", "--show-error", "--fail-with-body", "--header", &key, "--data-binary", body, url];
        run_for(&mut command("curl", words), COMPARED)?.good()
    };
    if let Some(token) = token {
        let sql = "INSERT+INTO+bailiwick.outcomes+FORMAT+Parquet";
        curl(&format!("{address}?query={sql}&insert_deduplication_token={token}"), &format!("@{}", file.display()))?;
    }
    Ok(curl(&address, "SELECT count() FROM bailiwick.outcomes")?.trim().parse()?)
}
