//! Two processes act at once on one case: each outcome is one that happened once, or a clear refusal that names what happened;
//! never both, never half.
//!
//! Here a daemon on SQLite, and commands that are started together against it; the suite `postgres` has the same races between
//! two cores on one database. What happened is judged by the facts of the ledger, as an export shows them.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::program::{PEOPLE, Program, binary, exercise};
use crate::shell::{self, Said};
use crate::tally::{Tally, all, contains, holds, lacks};
use crate::{Done, Trouble};

/// Of each race.
const ROUNDS: usize = 8;

pub fn run(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    program.start()?;
    let config = program.config();
    races(tally, &program, [&config, &config], "two commands at one daemon")?;
    tally.check("the ledger verifies beside the daemon", verifies(&program));
    tally.check("the program ends cleanly", program.stop());
    let config = program.config();
    alone(tally, &program, &config)?;
    tally.check("and the ledger verifies", verifies(&program));
    Ok(())
}

fn verifies(program: &Program) -> Done {
    program.ask(&["audit", "verify"])?.good().and_then(|text| contains(&text, "whole"))
}

/// Every race, each command through one of two doors.
pub(super) fn races(tally: &mut Tally, program: &Program, doors: [&Path; 2], what: &str) -> Done {
    println!("  {what}, {ROUNDS} rounds of each race");
    let race = Race { program, doors };
    let names = race.names()?;
    let mut names = names.iter().map(String::as_str).rev();
    let mut next = || names.next().ok_or_else(|| Trouble::from("the case has too few names"));
    let mut failures: [Vec<String>; 4] = Default::default();
    for round in 0..ROUNDS {
        let done = [
            race.approvals(round),
            race.one_hold(next()?),
            race.hold_or_hand_back(next()?),
            race.one_exhibit(round, next()?),
        ];
        for (failures, done) in failures.iter_mut().zip(done) {
            failures.extend(done.err().map(|trouble| format!("round {round}: {trouble}")));
        }
    }
    let promises = [
        "four yeses at once from two people: each counts once, and what they end happens once",
        "two people put one name on hold: one did, and the other is told that it is on hold",
        "hold against handback: in whichever order they came, the name is handed back",
        "one file kept twice at once is one exhibit",
    ];
    for (promise, failures) in promises.into_iter().zip(failures) {
        tally.check(&format!("{what}: {promise}"), holds(failures.is_empty(), || failures.join("\n")));
    }
    Ok(())
}

struct Race<'a> {
    program: &'a Program,
    doors: [&'a Path; 2],
}

impl Race<'_> {
    /// Runs a command through a door.
    fn ask(&self, door: usize, words: &[String]) -> Result<Said, Trouble> {
        shell::run(Command::new(binary()).args(words).arg("--config").arg(self.doors[door % 2]))
    }

    /// Starts all of them together, one door after the other, and waits for all.
    fn at_once(&self, all: &[Vec<String>]) -> Result<Vec<Said>, Trouble> {
        std::thread::scope(|scope| {
            let begun: Vec<_> =
                all.iter().enumerate().map(|(door, words)| scope.spawn(move || self.ask(door, words))).collect();
            let ended = begun.into_iter().map(|one| one.join().map_err(|_| Trouble::from("a command's thread broke")));
            ended.collect::<Result<Result<Vec<_>, _>, _>>()?
        })
    }

    fn act(&self, (person, _): (&str, &str), words: &[&str]) -> Vec<String> {
        let token = self.program.token(person);
        words.iter().copied().chain(["--as", person, "--token-file", &token]).map(str::to_owned).collect()
    }

    fn names(&self) -> Result<Vec<String>, Trouble> {
        let shown: Value =
            serde_json::from_str(&self.program.ask(&["case", "show", &self.program.case, "--json"])?.good()?)?;
        let states = shown["name_states"].as_array().cloned().unwrap_or_default();
        Ok(states.iter().filter_map(|state| state["name"].as_str().map(str::to_owned)).collect())
    }

    /// What the ledger says: bodies of the case's facts, in order.
    fn facts(&self) -> Result<Vec<Value>, Trouble> {
        let folder = tempfile::tempdir()?;
        let to = folder.path().join("export");
        let words = ["export", "--profile", "court", "--case", &self.program.case, &to.to_string_lossy()];
        self.program.ask(&words)?.good()?;
        let text = std::fs::read_to_string(to.join("facts.jsonl"))?;
        let body = |line: &str| Ok(serde_json::from_str::<Value>(line)?["fact"]["body"].clone());
        text.lines().map(body).collect()
    }

    //------- The races --------------------------------------------------------------------------------------------

    fn approvals(&self, round: usize) -> Done {
        let case = &self.program.case;
        let reason = format!("round {round}");
        let placed =
            self.ask(round, &self.act(PEOPLE[0], &["retention", "hold", case, "--reason", &reason, "--json"]))?;
        let placed: Value = serde_json::from_str(&placed.good()?)?;
        let hold = placed["hold"].as_str().unwrap_or_default();
        let asked = self.ask(round + 1, &self.act(PEOPLE[0], &["retention", "release", case, hold, "--json"]))?;
        let asked: Value = serde_json::from_str(&asked.good()?)?;
        let request = asked["requests"][0].as_str().unwrap_or_default();
        let yes = |person: (&str, &str)| {
            self.act(person, &["approval", "give", case, "--request", request, "--role", person.1])
        };
        let said = self.at_once(&[yes(PEOPLE[0]), yes(PEOPLE[0]), yes(PEOPLE[1]), yes(PEOPLE[1])])?;
        let told = said.iter().map(Said::all).collect::<Vec<_>>().join("");
        holds(said.iter().filter(|said| said.ok).count() == 2, || format!("not two of four were taken:\n{told}"))?;
        said.iter().filter(|said| !said.ok).try_for_each(|said| refused(said, &["approved", "closed", "waits"]))?;
        let facts = self.facts()?;
        let of =
            |kind: &str, field: &dyn Fn(&Value) -> bool| facts.iter().filter(|f| f["fact"] == kind && field(f)).count();
        let yeses = of("approval-given", &|fact| fact["approval"]["request"].to_string().trim_matches('"') == request);
        let ended = of("hold-released", &|fact| fact["hold"].to_string().trim_matches('"') == hold);
        holds((yeses, ended) == (2, 1), || format!("{yeses} yeses and {ended} ends in the ledger:\n{told}"))
    }

    /// The modes to which a name was narrowed, in order.
    fn modes(&self, name: &str) -> Result<Vec<String>, Trouble> {
        let is_of = |fact: &Value| {
            let mut names = fact["names"].as_array().into_iter().flatten();
            fact["fact"] == "service-narrowed" && names.any(|one| one == name)
        };
        let facts = self.facts()?.into_iter().filter(is_of);
        Ok(facts.filter_map(|fact| fact["mode"].as_str().map(str::to_owned)).collect())
    }

    fn narrow(&self, person: (&str, &str), name: &str, mode: &str) -> Vec<String> {
        self.act(person, &["case", "narrow", &self.program.case, name, "--mode", mode, "--reason", "at once"])
    }

    fn one_hold(&self, name: &str) -> Done {
        let said = self.at_once(&[self.narrow(PEOPLE[0], name, "hold"), self.narrow(PEOPLE[1], name, "hold")])?;
        let told = || said.iter().map(Said::all).collect::<Vec<_>>().join("");
        holds(said.iter().filter(|said| said.ok).count() == 1, || format!("not one of two was taken:\n{}", told()))?;
        said.iter().filter(|said| !said.ok).try_for_each(|said| refused(said, &["is in hold"]))?;
        let modes = self.modes(name)?;
        holds(modes == ["hold"], || format!("the ledger has {modes:?}:\n{}", told()))
    }

    fn hold_or_hand_back(&self, name: &str) -> Done {
        let said = self.at_once(&[self.narrow(PEOPLE[0], name, "hold"), self.narrow(PEOPLE[1], name, "handback")])?;
        let [hold, handback] = &said[..] else { return Err("two commands have two ends".into()) };
        holds(handback.ok, || format!("the handback was refused:\n{}", handback.all()))?;
        let modes = self.modes(name)?;
        match hold.ok {
            true => holds(modes == ["hold", "handback"], || format!("both were taken, and the ledger has {modes:?}")),
            false => all([
                refused(hold, &["is in handback"]),
                holds(modes == ["handback"], || format!("one was taken, and the ledger has {modes:?}")),
            ]),
        }
    }

    fn one_exhibit(&self, round: usize, name: &str) -> Done {
        let file: PathBuf = self.program.path(&format!("exhibit-{round}.txt"));
        let (note, shown) = (format!("round {round} {}", self.doors[1].display()), file.to_string_lossy().into_owned());
        std::fs::write(&file, format!("{note}\n"))?;
        let case = &self.program.case;
        let words = ["evidence", "add", case, name, &shown, "--kind", "declaration", "--note", &note];
        let said = self.at_once(&[self.act(PEOPLE[0], &words), self.act(PEOPLE[1], &words)])?;
        let told = said.iter().map(Said::all).collect::<Vec<_>>().join("");
        let before = told.matches("was kept before").count();
        holds(said.iter().all(|said| said.ok) && before == 1, || told.clone())?;
        let kept = self.facts()?.into_iter().filter(|fact| fact["exhibit"]["note"] == note.as_str()).count();
        holds(kept == 1, || format!("the ledger has it {kept} times:\n{told}"))
    }
}

/// Says what happened, and what to do; nothing broke.
fn refused(said: &Said, any_of: &[&str]) -> Done {
    let names_it = any_of.iter().any(|part| said.err.contains(part));
    all([
        holds(names_it, || format!("expected one of {any_of:?} in:\n{}", said.all())),
        contains(&said.err, "hint:"),
        lacks(&said.err, "panicked"),
    ])
}

/// Without a daemon each command takes the folder for itself: it acts, or it says who has it.
fn alone(tally: &mut Tally, program: &Program, config: &Path) -> Done {
    let race = Race { program, doors: [config, config] };
    let names = race.names()?;
    let mut failures = Vec::new();
    for name in names.iter().take(ROUNDS) {
        let said = race.at_once(&[race.narrow(PEOPLE[0], name, "hold"), race.narrow(PEOPLE[1], name, "hold")])?;
        let told = || said.iter().map(Said::all).collect::<Vec<_>>().join("");
        let taken = said.iter().filter(|said| said.ok).count();
        let modes = race.modes(name)?;
        let once = holds(taken == 1 && modes == ["hold"], || format!("{taken} taken, {modes:?}:\n{}", told()));
        let clear =
            said.iter().filter(|said| !said.ok).try_for_each(|said| refused(said, &["in use by", "is in hold"]));
        failures.extend(once.and(clear).err().map(|trouble| trouble.to_string()));
    }
    let promise = "two commands at a folder without a daemon: one acts, and the other says who has it or what was done";
    tally.check(promise, holds(failures.is_empty(), || failures.join("\n")));
    Ok(())
}
