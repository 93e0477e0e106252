//! Floods: more than we can answer, from hundreds of places, onto a usual disk, a slow one, a full one and a failing one.
//!
//! The client counts what it sent. Afterwards the journal's own books must come to the same number: offered = recorded
//! + collapsed + shed + lost in the kernel. What was answered must lie on the disk.

mod books;
mod disk;
mod flood;
mod trouble;

use std::path::Path;
use std::time::Duration;

use self::books::Books;
use self::disk::Disk;
use self::flood::{Flood, asked_once};
use crate::program::{Program, exercise};
use crate::tally::{Tally, holds};
use crate::{Done, Trouble};

/// How long each flood lasts.
const FLOOD: Duration = Duration::from_secs(3);
/// Every query is recorded, whoever asks how often: the disk gets all of it.
const NO_RATES: &str = "[dns.rate]\nanswers_per_sec = 0\nsource_records_per_sec = 0\nname_records_per_sec = 0\nlistener_records_per_sec = 0";
/// A fiftieth of the usual, with a burst of 200 records.
const FEW_RECORDS: &str = "[dns.rate]\nsource_records_per_sec = 1";
/// How long the slow disk takes for each sync, and how long nobody may go without an answer meanwhile.
const SYNC_MICROS: u32 = 1_500_000;
const SILENCE_MAX: Duration = Duration::from_millis(750);
/// What the full disk holds.
const FULL_OCTETS: &str = "8m";
const ROOMY_OCTETS: &str = "256m";

pub fn run(tally: &mut Tally) -> Done {
    overload(tally)?;
    slow_disk(tally)?;
    full_disk(tally)?;
    trouble::filled_disk(tally)?;
    trouble::failed_syncs(tally)?;
    trouble::stopped_process(tally)
}

/// The usual limits of answers; records collapse soon, so that three seconds show what else takes an hour.
fn overload(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    program.configure_also(FEW_RECORDS)?;
    program.start()?;
    let flood = Flood::run(program.dns(), FLOOD)?;
    let books = close(&mut program, 1)?;
    let told = format!("{flood}; {books}");
    println!("  overload: {told}");
    tally.check("overload from 256 prefixes: sent = recorded + collapsed + shed + lost", books.balance(&flood));
    let limited = books.of("answers", "rate_dropped") + books.of("answers", "rate_slipped");
    tally.check("and answers were limited", holds(limited > 0, || told.clone()));
    tally.check("and records collapsed: a flood does not fill the disk", holds(books.of_all("collapsed") > 0, || told));
    Ok(())
}

/// Every sync takes a second and a half: nobody waits for it.
fn slow_disk(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    program.configure_also(NO_RATES)?;
    let (slow, told) = (format!("inject=fdatasync:delay_enter={SYNC_MICROS}"), program.path("syncs"));
    program.pinned = strace(&told, &slow);
    program.start()?;
    let flood = Flood::run(program.dns(), FLOOD)?;
    let books = close(&mut program, 1)?;
    println!("  slow disk: {flood}; {books}");
    let delayed = std::fs::read_to_string(&told)?.matches("DELAYED").count();
    tally.check("each sync was slow", holds(delayed > 0, || format!("{delayed} were")));
    tally.check("a slow disk: sent = recorded + collapsed + shed + lost", books.balance(&flood));
    tally.check("what was answered is on the disk", books.has_all_answers(&flood));
    let silence = flood.silence;
    tally.check("answers go on while it syncs", holds(silence < SILENCE_MAX, || format!("none for {silence:?}")));
    Ok(())
}

/// What to run the program under, so that its syncs are slow or fail: as a detached grandchild, so that the process that
/// we start and stop is the program itself.
fn strace(told: &Path, inject: &str) -> Vec<String> {
    let told = told.to_string_lossy();
    let words = ["strace", "-D", "-f", "--seccomp-bpf", "-qq", "-o", &told, "-e", "trace=fdatasync", "-e", inject];
    words.map(str::to_owned).to_vec()
}

/// The journal's budget ends in the middle of a flood, and grows with its disk.
fn full_disk(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    program.configure_also(NO_RATES)?;
    let disk = Disk::mount(program.data().join("journal"), FULL_OCTETS)?;
    program.start()?;
    let first = Flood::run(program.dns(), FLOOD)?;
    tally.check("a full disk: names are still answered, a kill switch must never be silent", is_answered(&program));
    disk.resize(ROOMY_OCTETS)?;
    let flood = first.and(&Flood::run(program.dns(), FLOOD / 4)?);
    tally.check("with room again it goes on", is_answered(&program));
    let books = close(&mut program, 3)?;
    println!("  full disk: {flood}; {books}");
    tally.check("a full disk: sent = recorded + collapsed + shed + lost", books.balance(&flood));
    tally.check("what was shed was counted", holds(books.of("shed", "room") > 0, || books.to_string()));
    tally.check("each answer is on the disk or counted as shed", books.has_or_counts_all_answers(&flood));
    let is_told = program.log().contains("the journal's room is");
    tally.check("the operator was told", holds(is_told, || program.log()));
    Ok(())
}

/// One question more has the kernel say what it lost; then the books are closed. `beside`: questions beside the flood.
fn close(program: &mut Program, beside: u64) -> Result<Books, Trouble> {
    asked_once(program.dns())?;
    program.stop()?;
    Ok(Books::of_journal(&program.on_disk()?, beside))
}

fn is_answered(program: &Program) -> Done {
    let answered = asked_once(program.dns())?;
    holds(answered, || "a question was not answered".to_owned())
}
