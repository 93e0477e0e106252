//! A backup taken under traffic, the disaster, and the way back: nothing that was answered before is missing.
//!
//! Callers who never call twice for the same go on while the backup is taken. Whatever was answered before it began must be in
//! it; then the program is killed, its data and keys are gone, and both come back from their backups. After that, in peace: a
//! backup without a daemon, restored beside, answers every report alike.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::crash::load::Load;
use crate::clock::{pause, wait_for};
use crate::population::sum;
use crate::program::{Program, exercise};
use crate::tally::{Tally, all, contains, holds};
use crate::{Done, Trouble};

/// Traffic before the backup; and after the last call of before, until it was answered or forgotten: a caller waits half a
/// second for a connection, and as long again for the first octet.
const TRAFFIC: Duration = Duration::from_secs(2);
const ANSWERED: Duration = Duration::from_secs(4);
const LEARNED: Duration = Duration::from_secs(180);
/// Each call is a record of its own, and files are compacted as they come.
const TABLES: &str = "[dns.rate]\nanswers_per_sec = 0\nsource_records_per_sec = 0\nname_records_per_sec = 0\n\
    listener_records_per_sec = 0\n\n[archive]\nfiles_at_once = 2\nsettle_secs = 0\ncompact_core_percent = 100\n";
/// What was asked before the backup began.
const BEFORE: &str = "t0-";
/// Something was checked and does not hold.
const NOT_VERIFIED: i32 = 3;

pub fn run(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    program.configure_also(TABLES)?;
    program.start()?;
    let answered = under_traffic(tally, &mut program)?;
    disaster(tally, &program)?;
    spoilt(tally, &program)?;
    come_back(tally, &mut program, &answered)?;
    in_peace(tally, &program)
}

/// Calls that were answered before the backup began.
fn under_traffic(tally: &mut Tally, program: &mut Program) -> Result<HashSet<String>, Trouble> {
    let load = Load::begin(program);
    pause(TRAFFIC);
    load.next_life();
    pause(ANSWERED);
    let [data, keys] = ["backup", "backup-keys"].map(|name| program.path(name).to_string_lossy().into_owned());
    let taken = program.ask(&["backup", &data, "--json"])?;
    println!("        {} so far; {}", load.answered(), taken.out.trim());
    tally.check("a backup is taken under traffic", taken.good().map(|_| ()));
    tally.check("and one of the keys, elsewhere", program.ask(&["backup", "--keys", &keys])?.good().map(|_| ()));
    let again = program.ask(&["backup", &data])?;
    tally.check(
        "none is written over another",
        all([holds(!again.ok, || again.all()), contains(&again.err, "not empty")]),
    );
    program.kill()?;
    let answered: HashSet<String> = load.end()?.into_iter().filter(|call| call.starts_with(BEFORE)).collect();
    tally.check("there was traffic", holds(answered.len() > 500, || format!("{} answers", answered.len())));
    Ok(answered)
}

/// Data and keys are gone. Keys come back first.
fn disaster(tally: &mut Tally, program: &Program) -> Done {
    for lost in ["data", "keys"] {
        fs::rename(program.path(lost), program.path(&format!("lost-{lost}")))?;
    }
    tally.check("no key lies in the backup of the data", no_key(&program.path("backup"), &program.path("lost-keys")));
    let without = restore(program, "backup")?;
    let told = [holds(!without.ok, || without.all()), contains(&without.err, "put the keys back first")];
    tally.check("without keys nothing is restored, and it says so", all(told));
    tally.check("the keys come back", restore(program, "backup-keys")?.good().map(|_| ()));
    Ok(())
}

fn restore(program: &Program, name: &str) -> Result<crate::shell::Said, Trouble> {
    program.ask(&["restore", &program.path(name).to_string_lossy(), "--no-later-ledger"])
}

fn no_key(backup: &Path, keys: &Path) -> Done {
    let key = fs::read_to_string(keys.join("ledger.key"))?;
    let mut folders = vec![backup.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let octets = fs::read(&path)?;
            let has_it = octets.windows(key.trim().len()).any(|part| part == key.trim().as_bytes());
            holds(!has_it, || format!("{} holds the ledger's key", path.display()))?;
        }
    }
    Ok(())
}

/// One octet of a file changed: it is named, and nothing is written.
fn spoilt(tally: &mut Tally, program: &Program) -> Done {
    let file = program.path("backup").join("data/ledger.sqlite");
    let octets = fs::read(&file)?;
    let mut changed = octets.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(&file, changed)?;
    let said = restore(program, "backup")?;
    fs::write(&file, octets)?;
    let told = [
        holds(said.code == Some(NOT_VERIFIED), || said.all()),
        contains(&said.err, "data/ledger.sqlite was changed"),
        holds(!program.data().exists(), || "something was written".to_owned()),
    ];
    tally.check("a backup with one octet changed is refused, and the file named", all(told));
    Ok(())
}

fn come_back(tally: &mut Tally, program: &mut Program, answered: &HashSet<String>) -> Done {
    tally.check("the data comes back", restore(program, "backup")?.good().map(|_| ()));
    tally.check("its ledger verifies", program.ask(&["audit", "verify"])?.good().map(|_| ()));
    let counted = program.on_disk()?;
    let report = &counted["report"];
    let sound =
        ["missing", "doubles"].iter().all(|what| report[what] == 0) && report["damaged"] == Value::Array(vec![]);
    tally.check("its journal is whole", holds(sound, || report.to_string()));
    let journal = program.ask(&["journal", "csv"])?.good()?;
    let found: HashSet<&str> = journal.split([',', '.', '[', '/', '"', '\n', ' ']).collect();
    let missing: Vec<&String> = answered.iter().filter(|call| !found.contains(call.as_str())).collect();
    println!("        {} calls were answered before the backup began", answered.len());
    tally.check(
        "every call that was answered before the backup began is in it",
        holds(missing.is_empty(), || {
            format!("{} are missing, such as {:?}", missing.len(), missing.iter().take(5).collect::<Vec<_>>())
        }),
    );
    program.start()?;
    let contacts = sum(&counted["by_kind"]);
    let reached = wait_for(&format!("{contacts} contacts in the archive"), LEARNED, || {
        let status: Value = serde_json::from_str(&program.ask(&["status", "--json"]).ok()?.out).ok()?;
        (status["archive"]["contacts"]["rows"].as_u64()? >= contacts).then_some(())
    });
    tally.check("it learns the rest of what the backup holds, and goes on", reached);
    let doubled = "SELECT count(*) FROM (SELECT id FROM contacts GROUP BY id HAVING count(*) > 1)";
    tally.check("nothing is in the archive twice", program.count_reaches(doubled, 0));
    tally.check("it ends cleanly", program.stop());
    Ok(())
}

/// Nobody calls: the restored folder answers every report as the first does.
fn in_peace(tally: &mut Tally, program: &Program) -> Done {
    let [backup, beside] = ["second", "beside"].map(|name| program.path(name).to_string_lossy().into_owned());
    program.ask(&["backup", &backup])?.good()?;
    program.ask(&["restore", &backup, "--data", &beside, "--no-later-ledger"])?.good()?;
    for name in ["top-names", "unique-sources", "timeline", "by-network", "victims"] {
        let words = ["report", name, "--limit", "10000", "--format", "json"];
        let ours = program.ask(&words)?.good()?;
        let theirs = program.ask(&[&words[..], &["--data", &beside]].concat())?.good()?;
        let same = holds(ours == theirs && ours.contains("\"rows\""), || format!("{ours}\n{theirs}"));
        tally.check(&format!("restored beside, the report {name} is the same"), same);
    }
    tally.check("and its ledger verifies", program.ask(&["audit", "verify", "--data", &beside])?.good().map(|_| ()));
    Ok(())
}
