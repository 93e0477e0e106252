//! The same odd requests to us, to nginx with a JSON access log, and to INetSim: whose files hold what came?
//!
//! A recorder is judged by what it wrote: for each request, whether its token stands in any of its files. Of us more is
//! asked: that all of a head stands there octet by octet, outside the spans that may be a secret's.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::trap::corpus::{self, Odd};
use super::trap::recorded;
use crate::bench::servers;
use crate::clock::wait_for;
use crate::program::{Program, exercise, free_port};
use crate::shell::{Kept, command};
use crate::tally::{Tally, holds};
use crate::tools::find;
use crate::{Done, Trouble};

/// INetSim forks a process for each service and takes its time.
const START: Duration = Duration::from_secs(60);
/// From the word to the end.
const END: Duration = Duration::from_secs(60);
/// What nginx answers with.
const PAGE: &str = "<!DOCTYPE html><title>odd</title>";

pub fn run(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    program.start()?;
    recorded::run(tally, &program);
    tally.check("SIGTERM ends it cleanly", program.stop());
    tally.check("ours, nginx's and INetSim's records are compared", compare());
    Ok(())
}

/// Theirs are figures, not promises: only that they answered at all is checked.
fn compare() -> Done {
    let odds = corpus::all();
    let nginx = in_nginx(&odds)?;
    print_row("nginx, JSON access log", &odds, &nginx);
    if find("inetsim").is_none() {
        println!("        INetSim is not here: not compared");
        return some(&nginx);
    }
    let inetsim = in_inetsim(&odds)?;
    print_row("INetSim, its log and files", &odds, &inetsim);
    some(&nginx).and_then(|()| some(&inetsim))
}

fn some(found: &[bool]) -> Done {
    holds(found.contains(&true), || "nothing at all was recorded".to_owned())
}

fn print_row(who: &str, odds: &[Odd], found: &[bool]) {
    let count = found.iter().filter(|found| **found).count();
    println!("        {who}: {count} of {} tokens", odds.len());
    let missed = odds.iter().zip(found).filter(|(_, found)| !**found).map(|(odd, _)| odd.what);
    println!("          without: {}", missed.collect::<Vec<_>>().join("; "));
}

/// Says each, ends the recorder, and looks for each token in all that it left.
fn found(odds: &[Odd], port: u16, folder: &Path, end: impl FnOnce() -> Done) -> Result<Vec<bool>, Trouble> {
    for odd in odds {
        odd.say(port)?;
    }
    end()?;
    let octets = files(folder)?.concat();
    let has = |odd: &Odd| octets.windows(odd.token().len()).any(|window| window == odd.token().as_bytes());
    Ok(odds.iter().map(has).collect())
}

fn files(folder: &Path) -> Result<Vec<Vec<u8>>, Trouble> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)?.flatten() {
        match entry.file_type()?.is_dir() {
            true => found.extend(files(&entry.path())?),
            false => found.push(fs::read(entry.path())?),
        }
    }
    Ok(found)
}

//----------- Recorders --------------------------------------------------------------------------------------------

fn in_nginx(odds: &[Odd]) -> Result<Vec<bool>, Trouble> {
    let nginx = servers::nginx(PAGE)?;
    let (port, folder) = (nginx.peer.port, nginx.peer.folder.path().to_owned());
    found(odds, port, &folder, || Ok(()))
}

/// Its HTTP service alone; its default serves a dozen protocols, echo among them.
fn in_inetsim(odds: &[Odd]) -> Result<Vec<bool>, Trouble> {
    let folder = TempDir::with_prefix("odd-inetsim-")?;
    let port = free_port()?;
    // Its services run as a user of its own.
    for name in ["", "log", "report"] {
        fs::create_dir_all(folder.path().join(name))?;
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o777))?;
    }
    let config = folder.path().join("inetsim.conf");
    let lines = ["service_bind_address 127.0.0.1", "start_service http", "http_default_fakefile sample.html text/html"];
    fs::write(&config, format!("{}\nhttp_bind_port {port}\n", lines.join("\n")))?;
    let place = |option: &str, name: &str| format!("--{option}={}", folder.path().join(name).display());
    let words = [
        place("config", "inetsim.conf"),
        place("log-dir", "log"),
        place("report-dir", "report"),
        place("pidfile", "pid"),
    ];
    let mut inetsim = command("inetsim", words);
    inetsim.arg("--data-dir=/var/lib/inetsim").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let running = Inetsim(Kept(inetsim.spawn()?));
    let log = folder.path().join("log");
    let is_up = || fs::read_to_string(log.join("main.log")).is_ok_and(|said| said.contains("Simulation running"));
    wait_for("INetSim to run", START, || is_up().then_some(()))?;
    found(odds, port, &log, || {
        drop(running);
        Ok(())
    })
}

/// Asked, it takes its services along; killed, it leaves them behind.
struct Inetsim(Kept);

impl Drop for Inetsim {
    fn drop(&mut self) {
        let child = &mut self.0.0;
        if let Ok(pid) = i32::try_from(child.id()) {
            // It may have ended by itself.
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        let _ = wait_for("the end of INetSim", END, || child.try_wait().ok().flatten());
    }
}
