//! What we share, before those who take it: each judge is a script under `xtask/peers/share`, run as anybody can.
//!
//! A judge prints one line per promise, `ok …` or `FAIL …`; those lines become ours. A judge that says nothing has not
//! judged. The feeds are those of the running program after a small population called; and, because all names of the
//! exercise are ours and so only detected, also those of a case that blocks (`share`'s example `golden`).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::SEIZED;
use crate::population::{Population, sum};
use crate::program::{Program, exercise};
use crate::shell::{Said, command, run_for};
use crate::tally::{Tally, contains, holds};
use crate::tools::python;
use crate::{Done, Trouble, root};

/// A fifth of the demo's callers: victims, crawlers and nonsense enough.
const SCALE: u32 = 20;
/// Suricata and the validator are slow to start.
const JUDGE: Duration = Duration::from_secs(600);

pub fn run(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    program.start()?;
    let folder = program.path("feeds");
    tally.check("after callers came, every feed can be exported", exported(&program, &folder));
    tally.check("the victim report has victims", has_victims(&folder));
    judged(tally, "exercise", &folder, Some(SEIZED));
    let golden = program.path("golden");
    tally.check("the golden cases are written", write_golden(&golden));
    judged(tally, "order", &golden.join("order"), None);
    program.stop()
}

/// Every form, and an audience that takes it.
pub(super) const FORMATS: [(&str, &str); 7] = [
    ("stix", "partners"),
    ("rpz", "partners"),
    ("suricata", "partners"),
    ("hosts", "partners"),
    ("csv", "partners"),
    ("json", "partners"),
    ("shadowserver", "network-owners"),
];

fn exported(program: &Program, folder: &Path) -> Done {
    let mut population = Population::call(program, SCALE)?;
    population.comes_home()?;
    let answered = sum(&population.tally()?["answered"]);
    let recorded = program.recorded_at_rest()?;
    holds(answered > 0 && recorded >= answered, || format!("{answered} answered, {recorded} recorded"))?;
    program.count_reaches("select count(*) from verdicts", recorded)?;
    let out = folder.to_string_lossy();
    for (format, audience) in FORMATS {
        let words =
            ["feed", "export", "--format", format, "--case", &program.case, "--audience", audience, "--out", &out];
        program.ask(&words)?.good()?;
    }
    Ok(())
}

fn has_victims(folder: &Path) -> Done {
    let report = only(folder, |name| name.contains("event4_sinkhole_http"))?;
    let text = std::fs::read_to_string(report)?;
    holds(text.lines().count() > 1, || format!("the report is\n{text}"))?;
    contains(&text, "src_ip")
}

/// Cases whose names are not ours, so that they are blocked.
fn write_golden(folder: &Path) -> Done {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["run", "--quiet", "--package", "bailiwick-share", "--example", "golden", "--"]).arg(folder);
    run_for(cargo.current_dir(root()), Duration::from_secs(600))?.good().map(|_| ())
}

//----------- Judges -----------------------------------------------------------------------------------------------

fn judged(tally: &mut Tally, case: &str, folder: &Path, name: Option<&str>) {
    let judge = |script: &str, is: fn(&str) -> bool| {
        let file = only(folder, is)?;
        let script = root().join("xtask/peers/share").join(script);
        let mut python = command(&python().to_string_lossy(), [script, file]);
        run_for(python.args(name.filter(|_| takes_a_name(&python))), JUDGE)
    };
    take_over(tally, &format!("{case}, STIX"), judge("stix.py", |name| name.ends_with(".stix.json")));
    take_over(tally, &format!("{case}, Unbound"), judge("rpz.py", |name| name.ends_with(".rpz.zone")));
    take_over(tally, &format!("{case}, Suricata"), judge("suricata.py", |name| name.ends_with(".rules")));
    take_over(
        tally,
        &format!("{case}, IntelMQ"),
        judge("shadowserver.py", |name| name.contains("event4_sinkhole_http")),
    );
}

/// Only Suricata's judge can be told which name to replay.
fn takes_a_name(python: &Command) -> bool {
    python.get_args().any(|word| word.to_string_lossy().ends_with("suricata.py"))
}

/// The judge's lines become ours.
pub(super) fn take_over(tally: &mut Tally, judge: &str, said: Result<Said, Trouble>) {
    let said = match said {
        Ok(said) => said,
        Err(trouble) => return tally.check(&format!("{judge}: the judge came"), Err(trouble)),
    };
    let (mut lines, mut failed) = (0, 0);
    for line in said.out.lines() {
        if let Some(promise) = line.strip_prefix("ok ") {
            tally.check(&format!("{judge}: {}", short(promise)), Ok(()));
            lines += 1;
        } else if let Some(promise) = line.strip_prefix("FAIL ") {
            tally.check(&format!("{judge}: {}", short(promise)), Err(promise.trim().into()));
            (lines, failed) = (lines + 1, failed + 1);
        }
    }
    if lines == 0 || (!said.ok && failed == 0) {
        tally.check(&format!("{judge}: the judge ended its work"), Err(said.all().into()));
    }
}

/// Without the folder that a path lies in: it is another in every run.
fn short(promise: &str) -> String {
    let words = promise.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    words.collect::<Vec<_>>().join(" ")
}

fn only(folder: &Path, is: impl Fn(&str) -> bool) -> Result<PathBuf, Trouble> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("listing {}: {error}", folder.display()))?;
    let mut files = entries.flatten().map(|entry| entry.path());
    let found = files.find(|path| path.file_name().is_some_and(|name| is(&name.to_string_lossy())));
    found.ok_or_else(|| format!("{} lacks the file", folder.display()).into())
}
