//! Killed in the middle of load, and started again: what was answered is on disk, once.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::feeds::FORMATS;
use crate::population::{Population, sum};
use crate::program::{Program, exercise};
use crate::tally::{Tally, holds};
use crate::{Done, Trouble};

/// How often it is killed under one population.
const KILLS: u64 = 3;
/// The demo's population.
const SCALE: u32 = 100;
/// Between two kills at least this much was answered.
const ANSWERS_BETWEEN: u64 = 300;

pub fn run(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    program.start()?;
    let mut population = Population::call(&program, SCALE)?;
    for kill in 1..=KILLS {
        let answered = population.answered_at_least(kill * ANSWERS_BETWEEN)?;
        program.kill()?;
        tally.check(&format!("killed after {answered} answers, it starts again"), program.start());
    }
    population.comes_home()?;
    tally.check("it still ends cleanly", program.stop());
    let counted = program.on_disk()?;
    tally.check("whatever was answered was recorded, kind by kind", answered_within(&population.tally()?, &counted));
    tally.check("no contact has the id of another", ids_are_single(&program));
    tally.check("nothing on disk is damaged", undamaged(&counted));
    feeds_stay(tally, &mut program)
}

//----------- What is on disk --------------------------------------------------------------------------------------

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
    let damaged = &counted["report"]["damaged"];
    holds(damaged.as_array().is_some_and(Vec::is_empty), || format!("the journal's report: {}", counted["report"]))
}

//----------- Feeds ------------------------------------------------------------------------------------------------

/// Same data, same bytes: exported without a daemon, with one, and after another kill.
fn feeds_stay(tally: &mut Tally, program: &mut Program) -> Done {
    program.start()?;
    // A question that takes part in what is exported would change it: wait until all is learned, then ask nothing.
    let recorded = sum(&program.on_disk()?["by_kind"]);
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
