//! What the program asks of the kernel's network, seen by `strace`.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::clock::wait_for;
use crate::program::Program;
use crate::shell::Kept;
use crate::tally::holds;
use crate::{Done, Trouble};

const ATTACH: Duration = Duration::from_secs(60);

pub(super) struct Watched {
    trace: PathBuf,
    _strace: Kept,
}

impl Watched {
    /// Watches every thread that there is, and each that comes.
    pub(super) fn start(program: &Program) -> Result<Self, Trouble> {
        let trace = program.path("strace");
        let pid = program.pid()?.to_string();
        let mut strace = Command::new("strace");
        strace
            .args(["-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg,bind,socket", "-p", &pid, "-o"])
            .arg(&trace);
        let strace = Kept(strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
        let status = format!("/proc/{pid}/status");
        wait_for("strace to attach", ATTACH, || {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            text.lines().any(|line| line.starts_with("TracerPid:") && !line.ends_with("\t0")).then_some(())
        })?;
        Ok(Self { trace, _strace: strace })
    }

    /// A call that names an address is one to somebody. Only DNS over UDP may do that, towards whoever asked, and
    /// nobody asks here.
    pub(super) fn only_answers(&self) -> Done {
        let text = std::fs::read_to_string(&self.trace)?;
        let spoken = text.lines().filter(|line| {
            line.contains(" connect(")
                || line.contains(" bind(")
                || line.contains("sin_addr")
                || line.contains("sin6_addr")
        });
        let spoken: Vec<&str> = spoken.take(5).collect();
        holds(text.contains("sendto("), || "strace saw no answer at all: it watched nothing".to_owned())?;
        println!("        {} calls seen", text.lines().count());
        holds(spoken.is_empty(), || spoken.join("\n"))
    }
}
