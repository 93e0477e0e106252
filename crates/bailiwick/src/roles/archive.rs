//! `bailiwick archive`: the archive's files.

use desk::api::{CompactAnswer, Compacted, RetireAnswer};

use crate::cli::{ArchiveCommand, Place};
use crate::door::Door;
use crate::failure::Done;
use crate::terminal::{self, count, table};

pub(crate) fn run(place: &Place, command: ArchiveCommand) -> Done {
    match command {
        ArchiveCommand::Compact(out) => {
            let answer: CompactAnswer = Door::open(place, "archive compact")?.post("/archive/compact", &(), None)?;
            if out.json { terminal::json(&answer) } else { terminal::line(&told(&answer)) }
        }
        ArchiveCommand::Retire(out) => {
            let answer: RetireAnswer = Door::open(place, "archive retire")?.post("/archive/retire", &(), None)?;
            if out.json { terminal::json(&answer) } else { terminal::line(&retired(&answer)) }
        }
    }
}

fn retired(answer: &RetireAnswer) -> String {
    let RetireAnswer { days, verdicts, octets, holds } = answer;
    if *days == 0 {
        return "no day with verdicts is compacted for good; `bailiwick archive compact` does that at once".to_owned();
    }
    let gone = format!(
        "{} verdicts went of {days} settled days, on whose contacts a later one counts; {} octets",
        count(*verdicts),
        count(*octets)
    );
    if *holds == 0 {
        gone
    } else {
        format!("{gone}\nthen {holds} legal holds stood: the days after those stay as they are")
    }
}

fn told(answer: &CompactAnswer) -> String {
    if answer.done.is_empty() {
        return "nothing waits for compaction".to_owned();
    }
    let heads = ["table", "day", "files", "became", "octets", "became", "rows", "rolled up"].map(str::to_owned);
    let rows: Vec<Vec<String>> = std::iter::once(heads.to_vec()).chain(answer.done.iter().map(row)).collect();
    table(&rows)
}

fn row(done: &Compacted) -> Vec<String> {
    let numbers = [done.files_before, done.files_after, done.bytes_before, done.bytes_after, done.rows].map(count);
    let rolled_up = if done.is_rolled_up { "yes" } else { "" };
    [vec![done.table.clone(), done.day.clone()], numbers.to_vec(), vec![rolled_up.to_owned()]].concat()
}
