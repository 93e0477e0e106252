//! Killed at random moments under load, and started again: what was answered is on disk, once.
//!
//! Ten kills make a round, on a new installation: DNS and HTTP callers who never stop, somebody who enrols people, and
//! an archive that begins to compact with every start. One kill in four comes while the program starts. After each kill the
//! ledger as it lies there is verified; after each round what clients saw, the journal and the archive are compared
//! call by call, by DuckDB. `BAILIWICK_CRASHES=200` asks for more rounds, `BAILIWICK_CRASH_SEED` for the same moments.
//!
//! Absent: loss of power (what the kernel holds outlives every process here), and proof that a kill struck a compaction: most
//! lives are too short for one to end.

mod enrolling;
mod feeds_stay;
pub(in crate::peers) mod load;

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use self::enrolling::{Enrolling, all_are_enrolled};
use self::load::Load;
use super::feeds::take_over;
use crate::clock::{now, pause, wait_for};
use crate::generate::rows::Dice;
use crate::population::sum;
use crate::program::{Program, exercise};
use crate::shell::{Said, command, run_for};
use crate::tally::{Tally, holds};
use crate::{Done, Trouble, tools};

/// Kills in CI, and kills of one installation.
const KILLS: u64 = 10;
const KILLS_OF_ROUND: usize = 10;
/// From its first answer, and from its launch, until a program is killed at the latest.
const LIFE_MILLIS_MAX: u64 = 500;
const BIRTH_MILLIS_MAX: u64 = 500;
/// One kill in so many comes while the program starts.
const ONE_IN_BIRTH: u64 = 4;
/// What a round may take beyond the first, which the suite's budget covers.
const ROUND_SECS: u64 = 60;
/// For the archive to have everything, and for DuckDB to compare it.
const LEARNED: Duration = Duration::from_secs(300);
const COMPARED: Duration = Duration::from_secs(300);
/// Each call is a record of its own, and every start finds files to compact.
const TABLES: &str = "[dns.rate]\nanswers_per_sec = 0\nsource_records_per_sec = 0\nname_records_per_sec = 0\n\
    listener_records_per_sec = 0\n\n[archive]\nfiles_at_once = 2\nsettle_secs = 0\ncompact_core_percent = 100\n";

pub fn run(tally: &mut Tally) -> Done {
    let seed = asked_for("BAILIWICK_CRASH_SEED").unwrap_or_else(|| now().as_second().unsigned_abs());
    let kills = asked_for("BAILIWICK_CRASHES").unwrap_or(KILLS);
    println!("  {kills} kills, BAILIWICK_CRASH_SEED={seed}");
    tally.allow_more(kills.div_ceil(KILLS_OF_ROUND as u64).saturating_sub(1) * ROUND_SECS);
    for first in (0..kills).step_by(KILLS_OF_ROUND) {
        round(tally, (kills - first).min(KILLS_OF_ROUND as u64), &mut Dice::new(seed, first))?;
    }
    feeds_stay::run(tally)
}

fn asked_for(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

//----------- Round ------------------------------------------------------------------------------------------------

/// So many kills, and what is left of it.
fn round(tally: &mut Tally, kills: u64, dice: &mut Dice) -> Done {
    let mut program = Program::install(&exercise())?;
    program.configure_also(TABLES)?;
    program.launch()?;
    let (load, clerk) = (Load::begin(&program), Enrolling::begin(&program));
    for kill in 1..=kills {
        let (when, before) = (let_live(&mut program, &clerk, dice)?, load.answered());
        program.kill()?;
        load.next_life();
        clerk.rest();
        let promise = format!("kill {kill} {when}, {before} so far: the ledger verifies as it lies there");
        tally.check(&promise, program.ask(&["audit", "verify"])?.good().map(|_| ()));
        program.launch()?;
    }
    tally.check("it starts again after the last", program.listens());
    clerk.work();
    let (answered, enrolled) = (load.end()?, clerk.end()?);
    tally.check("who was said to be enrolled is in the ledger, once", all_are_enrolled(&program, &enrolled));
    compare(tally, &mut program, &answered)
}

/// Until the next kill; the clerk works only where a daemon listens.
fn let_live(program: &mut Program, clerk: &Enrolling, dice: &mut Dice) -> Result<String, Trouble> {
    if dice.roll().is_multiple_of(ONE_IN_BIRTH) {
        let millis = dice.roll() % BIRTH_MILLIS_MAX;
        pause(Duration::from_millis(millis));
        return Ok(format!("{millis} ms after its launch"));
    }
    program.listens()?;
    clerk.work();
    let millis = dice.roll() % LIFE_MILLIS_MAX;
    pause(Duration::from_millis(millis));
    Ok(format!("{millis} ms after it listened"))
}

//----------- What is on disk --------------------------------------------------------------------------------------

fn compare(tally: &mut Tally, program: &mut Program, answered: &[String]) -> Done {
    let counted = program.on_disk()?;
    let contacts = sum(&counted["by_kind"]);
    wait_for(&format!("{contacts} contacts in the archive"), LEARNED, || has_contacts(program, contacts))?;
    // Connections that a kill cut have no outcome, and a verdict waits a minute for one; whoever ends judges at once.
    tally.check("it still ends cleanly", program.stop());
    let counted = program.on_disk()?;
    tally.check("nothing in the journal is damaged, missing or doubled", is_sound(&counted["report"]));
    tally.check("in quarantine is nothing but what had not been committed", quarantine(&program.data()));
    take_over(tally, "DuckDB", judge(program, answered, &counted["outcomes"]));
    Ok(())
}

/// By the manifest: asking the archive itself again and again would take the time that learning needs.
fn has_contacts(program: &Program, wanted: u64) -> Option<()> {
    let status: Value = serde_json::from_str(&program.ask(&["status", "--json"]).ok()?.out).ok()?;
    (status["archive"]["contacts"]["rows"].as_u64()? >= wanted).then_some(())
}

/// Torn ends may be: what was being written was answered to nobody.
fn is_sound(report: &Value) -> Done {
    println!("        {} segments end in the middle of a frame", report["torn"]);
    let nothing = ["missing", "doubles", "again"].iter().all(|what| report[what] == 0);
    let damaged = report["damaged"].as_array().is_none_or(|damaged| !damaged.is_empty());
    holds(nothing && !damaged, || format!("the journal's report: {report}"))
}

/// Files of the archive whose transaction never came: the follower read the same stretch again.
fn quarantine(data: &Path) -> Done {
    let names = fs::read_dir(data.join("quarantine"))?.map(|entry| Ok(entry?.file_name().into_string()));
    let names = names.collect::<Result<Result<Vec<_>, _>, std::io::Error>>()?.map_err(|_| "a name that is no text")?;
    println!("        {} files of the archive are in quarantine", names.len());
    let odd: Vec<&String> = names.iter().filter(|name| !name.starts_with("archive-")).collect();
    holds(odd.is_empty(), || format!("in quarantine: {odd:?}"))
}

fn judge(program: &Program, answered: &[String], outcomes: &Value) -> Result<Said, Trouble> {
    let [script, journal, calls] = ["compare.py", "journal.csv", "answered.csv"].map(|name| program.path(name));
    fs::write(&script, include_str!("compare.py"))?;
    fs::write(&journal, program.ask(&["journal", "csv"])?.good()?)?;
    fs::write(&calls, answered.join("\n"))?;
    let (archive, outcomes) = (program.data().join("archive"), outcomes.to_string());
    let arguments = [script.as_path(), &journal, &calls, &archive, Path::new(&outcomes)];
    let said = run_for(&mut command(&tools::python().to_string_lossy(), arguments), COMPARED)?;
    said.out.lines().filter(|line| line.starts_with("told ")).for_each(|line| println!("        {}", &line[5..]));
    Ok(said)
}
