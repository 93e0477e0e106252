//! The ledger before strangers: Go's tools for transparency logs believe it, and whatever is changed in it is found.
//!
//! The judge is `xtask/peers/ledger/judge.go`, which leaves hashing, proofs and signatures to `golang.org/x/mod/sumdb`.
//! What is spoilt is spoilt in copies, by Python's own SQLite.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::feeds::take_over;
use crate::program::{Program, binary, exercise};
use crate::shell::{self, Said, command, run_for};
use crate::tally::{Tally, all, contains, holds, lacks};
use crate::{Done, Trouble, root, target};

/// Cases that are made: two facts each, so that a tile of 256 is filled and another begun.
const CASES: usize = 140;
/// What a case needs to know besides its name.
const QUICK: &[&str] = &[
    "--authority",
    "own-registration",
    "--issuer",
    "us",
    "--contact",
    "abuse@sinkhole.example",
    "--purpose",
    "a test",
    "--name-server",
    "ns1.sinkhole.example",
];
/// Where Debian keeps the sources of Go's packages.
const GO_PATH: &str = "/usr/share/gocode";
/// Building the judge takes most of it.
const JUDGE: Duration = Duration::from_secs(600);
/// Something was checked and does not hold.
const NOT_VERIFIED: i32 = 3;

pub fn run(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    program.start()?;
    let key = program.ask(&["audit", "key"])?.good()?.trim().to_owned();
    let anchor = program.path("anchor");
    tally.check("a checkpoint is given to a witness", write(&program, &["audit", "anchor", "--to"], &anchor));
    for n in 0..CASES {
        let name = format!("n{n}.example");
        program.ask(&[&["case", "quick", name.as_str()], QUICK].concat())?.good()?;
    }
    tally.check("beside the running program the ledger verifies, with the anchor", verifies(&program, &anchor));
    let tiles = program.path("tiles");
    tally.check("the tree is written as tiles", write(&program, &["audit", "tiles"], &tiles));
    let proof = program.path("7.tlog-proof");
    fs::write(&proof, program.ask(&["audit", "prove", "7"])?.good()?)?;
    let court = program.path("court");
    let of_case = ["export", "--profile", "court", "--case", &program.case.clone()];
    tally.check("a case is exported for a court", write(&program, &of_case, &court));
    take_over(tally, "Go", judge([Path::new(&key), &tiles, &anchor, &proof, &court]));
    exports(tally, &program, &key, &anchor)?;
    program.stop()?;
    spoilt(tally, &program)
}

fn write(program: &Program, words: &[&str], to: &Path) -> Done {
    let to = to.to_string_lossy();
    program.ask(&[words, &[&to]].concat())?.good().map(|_| ())
}

fn verifies(program: &Program, anchor: &Path) -> Done {
    let said = program.ask(&["audit", "verify", "--json", "--anchor", &anchor.to_string_lossy()])?.good()?;
    let told: serde_json::Value = serde_json::from_str(&said)?;
    let size = told["size"].as_u64().unwrap_or_default();
    holds(told["whole"] == true && told["anchors"] == 1 && size > 2 * CASES as u64, || said)
}

fn judge(arguments: [&Path; 5]) -> Result<Said, Trouble> {
    let page = root().join("xtask/peers/ledger/judge.go");
    let mut go = command("go", ["run"]);
    go.arg(page).args(arguments);
    go.env("GO111MODULE", "off").env("GOPATH", GO_PATH).env("GOCACHE", target().join("peers/go"));
    run_for(&mut go, JUDGE)
}

//----------- Exports ----------------------------------------------------------------------------------------------

/// A stranger has a folder and a key: no configuration, no data folder.
fn stranger(folder: &Path, key: &str, more: &[&str]) -> Result<Said, Trouble> {
    let mut command = Command::new(binary());
    command.args(["audit", "verify", "--key", key, "--export"]).arg(folder).args(more);
    shell::run(command.current_dir("/"))
}

fn exports(tally: &mut Tally, program: &Program, key: &str, anchor: &Path) -> Done {
    let anchor = anchor.to_string_lossy();
    let folders: Vec<(&str, PathBuf)> =
        ["public", "partner"].map(|profile| (profile, program.path(profile))).into_iter().collect();
    for (profile, folder) in &folders {
        let written = write(program, &["export", "--profile", profile], folder);
        let verified = written.and_then(|()| stranger(folder, key, &["--anchor", &anchor])?.good().map(|_| ()));
        tally.check(&format!("a stranger verifies an export for {profile} with the key alone"), verified);
    }
    let court = program.path("court");
    tally.check("and one for a court", stranger(&court, key, &[])?.good().map(|_| ()));
    let public = fs::read_to_string(folders[0].1.join("facts.jsonl"))?;
    let without = [lacks(&public, "\"salt\""), lacks(&public, &program.case), contains(&public, "case-opened")];
    tally.check("the public sees kinds and no fact", all(without));
    for file in ["facts.jsonl", "tile/0/000", "tile/entries/000", "checkpoint", "manifest", "README.md"] {
        tally.check(
            &format!("an export with one octet of {file} changed is refused"),
            refused(&court.join(file), &court, key),
        );
    }
    Ok(())
}

fn refused(file: &Path, folder: &Path, key: &str) -> Done {
    let octets = fs::read(file)?;
    let mut spoilt = octets.clone();
    let middle = spoilt.len() / 2;
    spoilt[middle] ^= 1;
    fs::write(file, spoilt)?;
    let said = stranger(folder, key, &[])?;
    fs::write(file, octets)?;
    holds(said.code == Some(NOT_VERIFIED) && said.err.contains("hint:"), || said.all())
}

//----------- Spoilt copies ----------------------------------------------------------------------------------------

fn spoilt(tally: &mut Tally, program: &Program) -> Done {
    let flip = "UPDATE facts SET body = CAST(replace(CAST(body AS TEXT), 'n3.example', 'm3.example') AS BLOB) \
                WHERE position = (SELECT min(position) FROM facts WHERE instr(CAST(body AS TEXT), 'n3.example') > 0)";
    let at = "SELECT min(position) FROM facts WHERE instr(CAST(body AS TEXT), 'n3.example') > 0";
    let position = sqlite(&program.data().join("ledger.sqlite"), at)?;
    let swap = "UPDATE facts SET position = -1 WHERE position = 9; UPDATE facts SET position = 9 WHERE position = 20; \
                UPDATE facts SET position = 20 WHERE position = -1";
    for (what, sql, told) in [
        ("one octet of a fact changed", flip, format!("fact {position}:")),
        ("a fact removed", "DELETE FROM facts WHERE position = 12", "fact 12: it is missing".to_owned()),
        ("two facts in each other's places", swap, "fact 9: its body says another position".to_owned()),
        ("the end cut off", "DELETE FROM facts WHERE position > 30", "positions 31 to".to_owned()),
    ] {
        tally.check(&format!("a ledger with {what} is found out"), found_out(program, sql, &told));
    }
    let cut = "DELETE FROM facts WHERE position > 30; UPDATE ledger_head SET checkpoint = NULL";
    tally.check("a start on a ledger that was cut is refused", not_opened(program, cut));
    Ok(())
}

/// A copy of the data without its journal, spoilt; and the program's word on it.
fn copy(program: &Program, sql: &str) -> Result<tempfile::TempDir, Trouble> {
    let copy = tempfile::tempdir()?;
    for file in ["ledger.sqlite", "format"] {
        fs::copy(program.data().join(file), copy.path().join(file))?;
    }
    sqlite(&copy.path().join("ledger.sqlite"), sql)?;
    Ok(copy)
}

fn found_out(program: &Program, sql: &str, told: &str) -> Done {
    let copy = copy(program, sql)?;
    let said = program.ask(&["audit", "verify", "--data", &copy.path().to_string_lossy()])?;
    all([contains(&said.out, told), holds(said.code == Some(NOT_VERIFIED), || said.all())])
}

fn not_opened(program: &Program, sql: &str) -> Done {
    let copy = copy(program, sql)?;
    let said = program.ask(&["case", "list", "--data", &copy.path().to_string_lossy()])?;
    all([holds(!said.ok, || said.all()), contains(&said.err, "hint:")])
}

/// Runs statements; what the last one selects comes back.
fn sqlite(file: &Path, sql: &str) -> Result<String, Trouble> {
    let script = "import sqlite3, sys\n\
                  database = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
                  rows = [database.execute(sql).fetchall() for sql in sys.argv[2].split(';')][-1]\n\
                  print(rows[0][0] if rows else '')";
    let said = shell::run(command("python3", ["-c", script]).arg(file).arg(sql))?;
    Ok(said.good()?.trim().to_owned())
}
