//! What the machine may do to the journal: a disk that another program fills, syncs that fail, a process that is stopped
//! for a while. Names are answered wherever somebody runs who can; everything offered is accounted for; it recovers by
//! itself; and what the archive has is what the journal has.

use std::fs;
use std::io::Write as _;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::disk::Disk;
use super::flood::Flood;
use super::{FLOOD, NO_RATES, books::Books, close, is_answered, strace};
use crate::clock::{pause, wait_for};
use crate::peers::SEIZED;
use crate::population::sum;
use crate::program::{Program, exercise};
use crate::shell::{self, command};
use crate::tally::{Tally, holds};
use crate::{Done, Trouble};

/// What the disk holds that the journal shares with another program.
const SHARED_OCTETS: &str = "96m";
/// The journal looks at its disk many times a second.
const NOTICED: Duration = Duration::from_secs(60);
/// Stopped so long in the middle of a flood that lasts longer.
const STOPPED: Duration = Duration::from_secs(2);
/// Asked over HTTP in each state of the disk; each is a connection and a request.
const REQUESTS: u64 = 20;
/// The syncs that fail, counted in each thread from its start.
const FAILING: &str = "inject=fdatasync:error=EIO:when=5..40+5";

/// Another program fills the disk, and makes room again.
pub(super) fn filled_disk(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    program.configure_also(NO_RATES)?;
    let _disk = Disk::mount(program.data().join("journal"), SHARED_OCTETS)?;
    program.start()?;
    let mut flood = Flood::run(program.dns(), FLOOD / 6)?;
    requests(&program)?;
    tally.check("while there is room the journal says so", state_becomes(&program, "ok"));
    let ballast = program.data().join("journal/ballast");
    fill(&ballast)?;
    flood = flood.and(&Flood::run(program.dns(), FLOOD / 6)?);
    tally.check("another program fills the disk: the journal says so", state_becomes(&program, "full"));
    tally.check("and DNS answers", is_answered(&program));
    tally.check("and HTTP answers", requests(&program));
    fs::remove_file(&ballast)?;
    tally.check("room was made: it recovers by itself", state_becomes(&program, "ok"));
    flood = flood.and(&Flood::run(program.dns(), FLOOD / 6)?);
    tally.check("and records again", requests(&program));
    let books = close(&mut program, 2)?;
    println!("  filled disk: {flood}; {books}");
    tally.check("a filled disk: sent = recorded + collapsed + shed + lost", books.balance(&flood));
    tally.check("what there was no room for was counted as such", holds(books.shed() > 0, || books.to_string()));
    let counted = program.on_disk()?;
    tally.check("of HTTP too", web_balances(&counted, 3 * 2 * REQUESTS));
    tally.check("the journal is whole", whole(&counted));
    tally.check("the archive has what the journal has", archived(&mut program, &counted));
    Ok(())
}

/// Some of the syncs fail, as those of a dying disk do.
pub(super) fn failed_syncs(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    program.configure_also(NO_RATES)?;
    let told = program.path("syncs");
    program.pinned = strace(&told, FAILING);
    program.start()?;
    let flood = Flood::run(program.dns(), FLOOD)?;
    let books = close(&mut program, 1)?;
    println!("  failed syncs: {flood}; {books}");
    let failed = fs::read_to_string(&told)?.matches("INJECTED").count();
    tally.check("some syncs failed", holds(failed > 0, || "none did".to_owned()));
    tally.check("failed syncs: sent = recorded + collapsed + shed + lost", books.balance(&flood));
    tally.check("what was answered is on the disk", books.has_all_answers(&flood));
    let counted = program.on_disk()?;
    tally.check("nothing is missing, doubled or damaged", whole(&counted));
    let again = counted["report"]["written_again"].as_array().map_or(0, Vec::len);
    tally.check("what was in doubt was written again", holds(again > 0, || counted["report"].to_string()));
    tally.check("the operator was told", holds(program.log().contains("a sync failed"), || program.log()));
    program.pinned.clear();
    tally.check("the archive has each contact once", archived(&mut program, &counted));
    let doctor = program.ask(&["doctor"])?;
    let is_named = doctor.out.contains("failed syncs written again");
    tally.check("the doctor names it", holds(is_named, || doctor.out.clone()));
    Ok(())
}

/// The whole process is stopped in the middle of a flood, and goes on.
pub(super) fn stopped_process(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    program.configure_also(NO_RATES)?;
    program.start()?;
    let (server, pid) = (program.dns(), Pid::from_raw(i32::try_from(program.pid()?)?));
    let flood = std::thread::scope(|scope| {
        let flood = scope.spawn(move || Flood::run(server, FLOOD));
        pause(FLOOD / 10);
        kill(pid, Signal::SIGSTOP)?;
        pause(STOPPED);
        kill(pid, Signal::SIGCONT)?;
        flood.join().map_err(|_| "the flood panicked")?
    })?;
    let books = close(&mut program, 1)?;
    println!("  stopped process: {flood}; {books}");
    let lost = books.of_all("lost_in_kernel");
    tally.check("stopped for two seconds under load: the kernel dropped", holds(lost > 0, || books.to_string()));
    tally.check("and it is read and counted: sent = recorded + collapsed + shed + lost", books.balance(&flood));
    tally.check("what was answered is on the disk", books.has_all_answers(&flood));
    let counted = program.on_disk()?;
    tally.check("the archive has what the journal has", archived(&mut program, &counted));
    Ok(())
}

//----------- Parts ------------------------------------------------------------------------------------------------

/// Writes until the disk takes no more.
fn fill(file: &std::path::Path) -> Done {
    let mut ballast = fs::File::create(file)?;
    while ballast.write_all(&[0; 4096]).is_ok() {}
    Ok(())
}

fn state_becomes(program: &Program, wanted: &str) -> Done {
    let state = || -> Result<Value, Trouble> {
        let status: Value = serde_json::from_str(&program.ask(&["status", "--json"])?.good()?)?;
        Ok(status["journal"]["state"].clone())
    };
    wait_for(&format!("a journal that is {wanted}"), NOTICED, || state().ok().filter(|state| state == wanted))
        .map(|_| ())
}

/// One connection for each request.
fn requests(program: &Program) -> Done {
    let port = program.ports.http;
    for _ in 0..REQUESTS {
        let mut curl = command("curl", ["--silent", "--show-error", "--noproxy", "*", "--max-time", "10"]);
        curl.args(["--resolve", &format!("{SEIZED}:{port}:127.0.0.1"), &format!("http://{SEIZED}:{port}/trouble")]);
        let page = shell::run(&mut curl)?.good()?;
        holds(!page.is_empty(), || "an empty page".to_owned())?;
    }
    Ok(())
}

fn web_balances(counted: &Value, sent: u64) -> Done {
    let listeners = counted["listeners"].as_object().ok_or("a count without listeners")?;
    let http = listeners.iter().find(|(name, _)| name.starts_with("http ")).ok_or("no listener for HTTP")?.1;
    let offered = Books::offered_of(http);
    holds(offered == sent, || format!("{sent} sent, {offered} offered: {http}"))
}

fn whole(counted: &Value) -> Done {
    let report = &counted["report"];
    let none = |field: &str| report[field].as_u64() == Some(0);
    let is_whole = none("missing") && none("doubles") && report["damaged"].as_array().is_some_and(Vec::is_empty);
    holds(is_whole, || format!("the journal's report: {report}"))
}

/// After a start that follows the journal to its end there are as many contacts in the archive, each once.
fn archived(program: &mut Program, counted: &Value) -> Done {
    let recorded = sum(&counted["by_kind"]);
    program.start()?;
    program.count_reaches("select count(*) from contacts", recorded)?;
    let (rows, ids) =
        (program.count("select count(*) from contacts")?, program.count("select count(distinct id) from contacts")?);
    program.stop()?;
    holds((rows, ids) == (recorded, recorded), || format!("{recorded} in the journal, {rows} rows, {ids} ids"))
}
