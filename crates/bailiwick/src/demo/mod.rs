//! The loop, seen: from an order to protection on one machine, as an exercise on loopback.
//!
//! Nothing here is another path. The demo writes a configuration, runs `bailiwick serve` as the process that it is,
//! speaks to its control socket as every command does, has two people approve by their tokens, and lets the callers
//! call in from a process of their own. Then it reads from disk what was recorded, compares it with what the callers
//! say that they sent, and looks for every password that was typed.

mod act;
mod ask;
#[cfg(test)]
mod channels;
mod needle;
mod picture;
mod plant;
mod report;
mod scan;
mod stage;

use std::io::IsTerminal;

use crate::cli::DemoArgs;
use crate::failure::{Done, Failure, code};
use crate::terminal;

pub(crate) use act::CASE_FILE;

pub(crate) fn run(args: &DemoArgs) -> Done {
    let quiet = args.json || !std::io::stderr().is_terminal();
    let stage = stage::Stage::set(args.keep.as_deref())?;
    let mut play = act::Play::open(stage, quiet)?;
    play.import_and_approve()?;
    play.let_them_call(args.scale)?;
    play.wait_for_insight()?;
    let feeds = play.export_feeds()?;
    if !args.json {
        terminal::line(&picture::draw(&play, &feeds)?)?;
    }
    if !args.headless {
        terminal::line(&picture::next_steps(&play))?;
        play.wait_for_interrupt()?;
    }
    let report = play.close(&feeds)?;
    if args.json {
        terminal::json(&report)?;
    } else {
        terminal::line(&picture::proof(&report))?;
    }
    match report.faults() {
        faults if faults.is_empty() => Ok(()),
        faults => Err(Failure::new(format!("the demo does not hold: {}", faults.join("; "))).code(code::NOT_VERIFIED)),
    }
}
