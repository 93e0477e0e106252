//! The trap before everything that calls a sinkhole: clients, scanners, mailers, slow attackers and odd bytes.
//!
//! All of it runs in a network namespace without a route, while `strace` watches every system call on a socket: whatever
//! comes in, nothing may go out to anybody who did not speak first. At the end the books must balance, and no password
//! that was sent lies on the disk.

mod closed;
pub(crate) mod corpus;
mod mail;
mod odd;
pub(crate) mod recorded;
mod scanners;
mod watch;
mod web;

use std::time::Duration;

use crate::clock::wait_for;
use crate::program::Program;
use crate::tally::{Tally, holds};
use crate::{Done, Trouble};

use super::SEIZED;
use watch::Watched;

/// What every client sends where a password goes. Nobody finds it afterwards.
const PASSWORD: &str = "hunter2-Kj8x";
/// What a process of ours may hold at the end, in MB: much more would be a leak.
const RESIDENT_MAX_MB: u64 = 400;
/// How long what was recorded may take to be learned, on a busy machine.
const LEARN: Duration = Duration::from_secs(90);

/// The task of `cargo xtask` that [`run`] starts in the namespace.
const WITHIN: &str = "trap-within";

pub fn run(tally: &mut Tally) -> Done {
    closed::again(tally, WITHIN)
}

/// The suite itself.
pub fn within() -> Done {
    let mut tally = Tally::default();
    if let Err(trouble) = closed::furnish(&mut tally).and_then(|()| attack(&mut tally)) {
        tally.check("the suite ran to its end", Err(trouble));
    }
    tally.close()
}

fn attack(tally: &mut Tally) -> Done {
    let mut program = Program::install(&mail::taking_mail()?)?;
    program.start()?;
    let watched = Watched::start(&program)?;
    web::run(tally, &program);
    mail::run(tally, &program);
    odd::run(tally, &program);
    recorded::run(tally, &program);
    scanners::run(tally, &program);
    tally.check("it is there after all that, and answers", web::is_served(&program));
    tally.check("its memory stays within bounds", is_small(&program));
    tally.check("no system call connected or spoke to a stranger", watched.only_answers());
    tally.check("its memory leaves no image behind if it crashes", leaves_no_core(&program));
    tally.check("nothing was to leave the network, by the kernel's count", closed::stays_closed());
    tally.check("SIGTERM ends it cleanly", program.stop());
    tally.check("offered is what was recorded, collapsed, shed and lost", balances(&program));
    tally.check("no password that was sent is in the journal", lacks_password(&program));
    Ok(())
}

/// Waits until so many are learned: what was answered is in the journal at once, and in a query a moment later.
fn at_least_so_many(program: &Program, sql: &str, wanted: u64) -> Result<u64, Trouble> {
    wait_for(&format!("{wanted} from {sql}"), LEARN, || program.count(sql).ok().filter(|count| *count >= wanted))
}

fn at_least(program: &Program, sql: &str, wanted: u64) -> Done {
    at_least_so_many(program, sql, wanted).map(|_| ())
}

fn is_small(program: &Program) -> Done {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.pid()?))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kib: u64 = line.split_whitespace().next().ok_or("no number")?.parse()?;
    holds(kib / 1024 < RESIDENT_MAX_MB, || format!("{} MB are resident", kib / 1024))
}

/// A core would hold what callers sent, secrets among it.
fn leaves_no_core(program: &Program) -> Done {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", program.pid()?))?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).ok_or("no such limit")?;
    let words: Vec<&str> = line.split_whitespace().collect();
    holds(words.starts_with(&["0", "0"]), || format!("Max core file size is {}", line.trim()))
}

/// Each listener's last line in the log has its sums; contacts on disk are what all of them recorded.
pub(crate) fn balances(program: &Program) -> Done {
    let log = program.log();
    let number = |line: &str, key: &str| -> u64 {
        let text = line.split(&format!("{key}=")).nth(1).unwrap_or("0");
        text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0)
    };
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("offered=") && line.contains("stopped")).collect();
    let recorded: u64 = lines.iter().map(|line| number(line, "recorded")).sum();
    for line in &lines {
        let parts = ["recorded", "collapsed", "shed", "lost_in_kernel"].map(|key| number(line, key));
        holds(number(line, "offered") == parts.iter().sum::<u64>(), || (*line).to_owned())?;
    }
    let by_kind = program.on_disk()?["by_kind"].as_object().cloned().unwrap_or_default();
    let on_disk: u64 = by_kind.values().filter_map(serde_json::Value::as_u64).sum();
    println!("        {recorded} contacts recorded over {} listeners, {on_disk} on disk", lines.len());
    holds(!lines.is_empty() && recorded == on_disk, || format!("{recorded} recorded, {on_disk} on disk"))
}

fn lacks_password(program: &Program) -> Done {
    let mut folders = vec![program.data().join("journal")];
    let forms = [PASSWORD.to_owned(), base64(PASSWORD), base64(&format!("\0alice\0{PASSWORD}"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)?.flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let octets = std::fs::read(entry.path())?;
            for form in &forms {
                let found = octets.windows(form.len()).any(|window| window == form.as_bytes());
                holds(!found, || format!("{form} is in {}", entry.path().display()))?;
            }
        }
    }
    Ok(())
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD_NO_PAD.encode(text)
}
