//! Four cores, one ledger, ten thousand facts each; one core killed, the server frozen and crashed in the middle of it.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;

use super::server::Server;
use crate::clock::{Watch, now, pause, wait_for};
use crate::generate::rows::Dice;
use crate::program::binary;
use crate::shell::{self, Kept};
use crate::tally::{Tally, holds};
use crate::{Done, Trouble, target};

const CORES: usize = 4;
const FACTS: u64 = 10_000;
/// For all to be acknowledged, on a machine that does other things too.
const ALL: Duration = Duration::from_secs(600);
const SOON: Duration = Duration::from_secs(180);
/// The server's sleep: shorter than anybody's patience, so that nothing is refused for it.
const FROZEN: Duration = Duration::from_secs(3);
const DATABASE: &str = "storm";

/// An appender and its folder.
struct Core {
    home: PathBuf,
    url: String,
    running: Kept,
}

impl Core {
    fn start(home: PathBuf, url: &str) -> Result<Self, Trouble> {
        fs::create_dir_all(&home)?;
        let running = Self::spawn(&home, url)?;
        Ok(Self { home, url: url.to_owned(), running })
    }

    fn spawn(home: &Path, url: &str) -> Result<Kept, Trouble> {
        let mut command = Command::new(target().join("debug/examples/appender"));
        command.arg(url).arg(home).arg(FACTS.to_string()).stdin(Stdio::null());
        let log = fs::File::options().create(true).append(true).open(home.join("log"))?;
        command.stdout(fs::File::create(home.join("seen"))?).stderr(log);
        Ok(Kept(command.spawn().map_err(|error| format!("starting an appender: {error}"))?))
    }

    fn kill_and_restart(&mut self) -> Done {
        shell::end(&mut self.running.0);
        self.running = Self::spawn(&self.home, &self.url)?;
        Ok(())
    }

    fn acknowledged(&self) -> Vec<String> {
        let text = fs::read_to_string(self.home.join("acknowledged")).unwrap_or_default();
        // Whoever was killed may have left half a line: nobody was told of it.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(str::to_owned).collect()
    }

    fn log(&self) -> String {
        let log = fs::read_to_string(self.home.join("log")).unwrap_or_default();
        log.lines().rev().take(5).collect::<Vec<_>>().join("\n")
    }
}

pub(super) fn run(tally: &mut Tally, server: &Server) -> Done {
    let asked = std::env::var("BAILIWICK_POSTGRES_SEED").ok().and_then(|text| text.parse().ok());
    let seed = asked.unwrap_or_else(|| now().as_second().unsigned_abs());
    println!("  {CORES} cores of {FACTS} facts each, BAILIWICK_POSTGRES_SEED={seed}");
    let home = TempDir::with_prefix("bailiwick-storm-")?;
    server.create(DATABASE)?;
    let url = server.url(DATABASE);
    let mut cores: Vec<Core> = Vec::new();
    // The first makes the schema and the first checkpoint; the others join.
    for n in 0..CORES {
        cores.push(Core::start(home.path().join(format!("core-{n}")), &url)?);
        wait_for("a core to begin", SOON, || (!cores[n].acknowledged().is_empty()).then_some(()))
            .map_err(|trouble| format!("{trouble}\n{}", cores[n].log()))?;
    }
    let (before, watch) = (total(&cores), Watch::start());
    trouble(server, &mut cores, &mut Dice::new(seed, 0))?;
    wait_for("all facts to be acknowledged", ALL, || {
        cores.iter().all(|core| core.home.join("done").exists()).then_some(())
    })
    .map_err(|trouble| format!("{trouble}\n{}", cores.iter().map(Core::log).collect::<Vec<_>>().join("\n")))?;
    let (facts, secs) = (total(&cores) - before, watch.secs());
    println!("        {:.0} facts/s acknowledged to {CORES} processes, with all that befell them", facts as f64 / secs);
    judge(tally, server, &cores)
}

fn total(cores: &[Core]) -> usize {
    cores.iter().map(|core| core.acknowledged().len()).sum()
}

/// One after the other, each at a moment of the dice's: a core is killed, the server freezes, the server crashes.
fn trouble(server: &Server, cores: &mut [Core], dice: &mut Dice) -> Done {
    let all = CORES * FACTS as usize;
    let moment = |from: usize, dice: &mut Dice| all * from / 100 + (dice.roll() % (all as u64 / 10)) as usize;
    let moments = [moment(10, dice), moment(30, dice), moment(50, dice)];
    let victim = (dice.roll() % CORES as u64) as usize;
    let reached = |cores: &[Core], moment| wait_for("the moment", ALL, || (total(cores) >= moment).then_some(()));
    let (before, watch) = (total(cores), Watch::start());
    reached(cores, moments[0])?;
    let rate = (total(cores) - before) as f64 / watch.secs();
    println!("        {rate:.0} facts/s acknowledged to {CORES} processes before anything befell them");
    println!("        core {victim} is killed after {} facts", total(cores));
    cores[victim].kill_and_restart()?;
    reached(cores, moments[1])?;
    println!("        the server is frozen for {} s after {} facts", FROZEN.as_secs(), total(cores));
    server.signal(Signal::SIGSTOP)?;
    pause(FROZEN);
    server.signal(Signal::SIGCONT)?;
    reached(cores, moments[2])?;
    println!("        the server crashes and starts again after {} facts", total(cores));
    server.ctl("restart")
}

//----------- Judging ----------------------------------------------------------------------------------------------

fn judge(tally: &mut Tally, server: &Server, cores: &[Core]) -> Done {
    let size: u64 = server.sql(DATABASE, "SELECT next FROM bailiwick.ledger_head")?.parse()?;
    for core in cores {
        fs::write(core.home.join("end.new"), size.to_string())?;
        fs::rename(core.home.join("end.new"), core.home.join("end"))?;
    }
    tally.check("positions are dense, from 0 to the head", dense(server, size));
    let acknowledged: Vec<String> = cores.iter().flat_map(Core::acknowledged).collect();
    tally.check("each core had its facts acknowledged", each_has_its_facts(cores));
    let stored =
        server.sql(DATABASE, "SELECT convert_from(body, 'UTF8')::json->'body'->>'tried' FROM bailiwick.facts")?;
    tally.check("no acknowledged fact is missing, and none is there twice", once(&acknowledged, &stored));
    let unasked = size - acknowledged.len() as u64;
    println!("        {size} facts; {unasked} of them were taken and not acknowledged to anybody who lived to hear it");
    tally.check("every follower saw every fact in its place, the killed one too", followers(cores, size));
    tally.check("the ledger verifies: every fact, the tree, and its signature", verifies(server, &cores[0], size));
    Ok(())
}

fn dense(server: &Server, size: u64) -> Done {
    let said = server.sql(DATABASE, "SELECT count(*), min(position), max(position) FROM bailiwick.facts")?;
    holds(said == format!("{size}|0|{}", size - 1), || format!("{said} where {size} facts were counted"))
}

fn each_has_its_facts(cores: &[Core]) -> Done {
    let counts: Vec<usize> = cores.iter().map(|core| core.acknowledged().len()).collect();
    holds(counts.iter().all(|count| *count as u64 >= FACTS), || format!("{counts:?}"))
}

fn once(acknowledged: &[String], stored: &str) -> Done {
    let mut found = HashMap::<&str, usize>::new();
    stored.lines().for_each(|words| *found.entry(words).or_default() += 1);
    let missing = acknowledged.iter().filter(|words| !found.contains_key(words.as_str())).count();
    let doubled: Vec<_> = found.iter().filter(|(_, count)| **count > 1).take(3).collect();
    holds(missing == 0 && doubled.is_empty(), || format!("{missing} are missing; doubled are {doubled:?}"))
}

fn followers(cores: &[Core], size: u64) -> Done {
    let seen = |core: &Core| {
        wait_for("a follower to come to the end", SOON, || {
            fs::read_to_string(core.home.join("seen")).ok().filter(|text| text.ends_with('\n'))
        })
        .map_err(|trouble| Trouble::from(format!("{trouble}\n{}", core.log())))
    };
    let seen = cores.iter().map(seen).collect::<Result<HashSet<String>, Trouble>>()?;
    let all_of_them = seen.iter().all(|text| text.starts_with(&format!("{size} ")));
    holds(seen.len() == 1 && all_of_them, || format!("they saw {seen:?}"))
}

fn verifies(server: &Server, core: &Core, size: u64) -> Done {
    let config = core.home.join("bailiwick.toml");
    fs::write(&config, format!("[ledger]\ndatabase = \"{}\"\n", server.url(DATABASE)))?;
    let key = fs::read_to_string(core.home.join("key"))?;
    let mut verify = Command::new(binary());
    verify.args(["audit", "verify", "--json", "--key", key.trim(), "--config"]).arg(config);
    let said = shell::run(verify.current_dir(&core.home))?.good()?;
    let told: Value = serde_json::from_str(&said)?;
    holds(told["whole"] == true && told["size"] == size, || said)
}
