//! Killed in the middle of load, and started again: what was answered is on disk, once.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::SEIZED;
use crate::clock::wait_for;
use crate::program::{Program, binary, exercise};
use crate::shell::Kept;
use crate::tally::{Tally, holds};
use crate::{Done, Trouble};

/// How often it is killed under one population.
const KILLS: u64 = 3;
/// Between two kills at least this much was answered.
const ANSWERS_BETWEEN: u64 = 300;
/// For the population to come home.
const HOME: Duration = Duration::from_secs(90);

pub fn run(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    program.start()?;
    let mut population = Population::call(&program)?;
    for kill in 1..=KILLS {
        let answered = population.answered_at_least(kill * ANSWERS_BETWEEN)?;
        program.kill()?;
        tally.check(&format!("killed after {answered} answers, it starts again"), program.start());
    }
    population.comes_home()?;
    tally.check("it still ends cleanly", program.stop());
    let counted = on_disk(&program)?;
    tally.check("whatever was answered was recorded, kind by kind", answered_within(&population.tally()?, &counted));
    tally.check("no contact has the id of another", ids_are_single(&program));
    tally.check("nothing on disk is damaged", undamaged(&counted));
    feeds_stay(tally, &mut program)
}

//----------- The population ---------------------------------------------------------------------------------------

/// The callers, a process of their own with books of their own.
struct Population {
    running: Kept,
    books: PathBuf,
}

impl Population {
    fn call(program: &Program) -> Result<Self, Trouble> {
        let (plan, books) = (program.path("plan.json"), program.path("tally.json"));
        let at = |port: u16| format!("127.0.0.1:{port}");
        let (dns, http, https) = (at(program.ports.dns), at(program.ports.http), at(program.ports.https));
        let text = json!({
            "seed": 7, "names": [SEIZED], "dns": dns, "http": http, "https": https,
            "scale": 100, "duration_max_secs": 45, "report_answered": true, "tally": books,
        });
        fs::write(&plan, text.to_string())?;
        let mut command = Command::new(binary());
        command.arg("callers").arg("--plan").arg(&plan).arg("--tally").arg(&books);
        let log = fs::File::create(program.path("callers.log"))?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?;
        Ok(Self { running: Kept(child), books })
    }

    fn tally(&self) -> Result<Value, Trouble> {
        read(&self.books)
    }

    /// Waits until that many answers arrived, or everybody is at home.
    fn answered_at_least(&self, wanted: u64) -> Result<u64, Trouble> {
        wait_for(&format!("{wanted} answers"), HOME, || {
            let books = self.tally().ok()?;
            let answered = sum(&books["answered"]);
            (answered >= wanted || books["finished"] == true).then_some(answered)
        })
    }

    fn comes_home(&mut self) -> Done {
        let status = wait_for("the callers to come home", HOME, || self.running.0.try_wait().transpose())??;
        holds(status.success(), || format!("the callers ended with {status}"))
    }
}

fn read(file: &Path) -> Result<Value, Trouble> {
    let text = fs::read_to_string(file).map_err(|error| format!("reading {}: {error}", file.display()))?;
    Ok(serde_json::from_str(&text)?)
}

fn sum(by_kind: &Value) -> u64 {
    by_kind.as_object().map_or(0, |kinds| kinds.values().filter_map(Value::as_u64).sum())
}

//----------- What is on disk --------------------------------------------------------------------------------------

fn on_disk(program: &Program) -> Result<Value, Trouble> {
    Ok(serde_json::from_str(&program.ask(&["journal", "count", "--json"])?.good()?)?)
}

fn answered_within(books: &Value, counted: &Value) -> Done {
    let kinds = books["answered"].as_object().ok_or("books without answers")?;
    holds(sum(&books["answered"]) > KILLS * ANSWERS_BETWEEN, || format!("too little was answered: {books}"))?;
    for (kind, answered) in kinds {
        let recorded = counted["by_kind"][kind].as_u64().unwrap_or_default();
        let answered = answered.as_u64().unwrap_or_default();
        holds(answered <= recorded, || format!("{kind}: {answered} answered, {recorded} recorded"))?;
    }
    println!("        answered {}, recorded {}", books["answered"], counted["by_kind"]);
    Ok(())
}

fn ids_are_single(program: &Program) -> Done {
    let csv = program.ask(&["journal", "csv"])?.good()?;
    let mut lines = csv.lines();
    let at = lines.next().and_then(|head| head.split(',').position(|column| column == "id")).ok_or("no column id")?;
    let ids: Vec<&str> = lines.filter_map(|line| line.split(',').nth(at)).filter(|id| id.len() == 35).collect();
    let single: BTreeSet<&&str> = ids.iter().collect();
    holds(!ids.is_empty() && single.len() == ids.len(), || format!("{} lines, {} ids", ids.len(), single.len()))
}

fn undamaged(counted: &Value) -> Done {
    let damaged = counted["report"]["damaged"].as_u64().or_else(|| counted["report"]["damaged_frames"].as_u64());
    holds(damaged == Some(0), || format!("the journal's report: {}", counted["report"]))
}

//----------- Feeds ------------------------------------------------------------------------------------------------

const FORMATS: [(&str, &str); 7] = [
    ("stix", "partners"),
    ("rpz", "partners"),
    ("suricata", "partners"),
    ("hosts", "partners"),
    ("csv", "partners"),
    ("json", "partners"),
    ("shadowserver", "network-owners"),
];

/// Same data, same bytes: exported without a daemon, with one, and after another kill.
fn feeds_stay(tally: &mut Tally, program: &mut Program) -> Done {
    program.start()?;
    // A question that takes part in what is exported would change it: wait until all is learned, then ask nothing.
    let recorded = sum(&on_disk(program)?["by_kind"]);
    program.count_reaches("select count(*) from verdicts", recorded)?;
    let first = feeds(program)?;
    program.kill()?;
    program.start()?;
    let after_kill = feeds(program)?;
    program.stop()?;
    let without = feeds(program)?;
    for (at, (format, _)) in FORMATS.iter().enumerate() {
        let same = first[at] == after_kill[at] && first[at] == without[at];
        let promise = format!("the feed {format} is the same bytes after a kill, and without a daemon");
        tally.check(
            &promise,
            holds(same && !first[at].is_empty(), || lengths(&[&first[at], &after_kill[at], &without[at]])),
        );
    }
    Ok(())
}

fn feeds(program: &Program) -> Result<Vec<Vec<u8>>, Trouble> {
    FORMATS.iter().map(|(format, audience)| Ok(fs::read(program.feed(format, audience)?)?)).collect()
}

fn lengths(feeds: &[&Vec<u8>]) -> String {
    let lengths: Vec<String> = feeds.iter().map(|feed| format!("{} octets", feed.len())).collect();
    format!("they differ: {}", lengths.join(", "))
}
