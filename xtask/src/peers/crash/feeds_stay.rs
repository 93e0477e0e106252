//! Same data, same bytes: feeds exported without a daemon, with one, and after a kill.

use std::fs;

use crate::peers::feeds::FORMATS;
use crate::population::Population;
use crate::program::{Program, exercise};
use crate::tally::{Tally, holds};
use crate::{Done, Trouble};

/// The demo's population.
const SCALE: u32 = 100;

pub(super) fn run(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    program.start()?;
    Population::call(&program, SCALE)?.comes_home()?;
    // A question that takes part in what is exported would change it: wait until all is learned, then ask nothing.
    let recorded = program.recorded_at_rest()?;
    program.count_reaches("select count(*) from verdicts", recorded)?;
    let first = feeds(&program)?;
    program.kill()?;
    program.start()?;
    let after_kill = feeds(&program)?;
    program.stop()?;
    let without = feeds(&program)?;
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
