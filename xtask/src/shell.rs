//! Running other people's programs: what they said, whether they went well, and never for ever.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Trouble;
use crate::clock::wait_for;

/// No client of ours needs longer for one question, also on a busy machine.
const LIMIT: Duration = Duration::from_secs(180);

/// What a program left behind.
#[derive(Clone, Debug, Default)]
pub struct Said {
    pub ok: bool,
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    /// Output and talk together, for people.
    pub fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    /// What it printed, if it went well.
    pub fn good(self) -> Result<String, Trouble> {
        if self.ok { Ok(self.out) } else { Err(format!("exit {:?}\n{}", self.code, self.all()).into()) }
    }
}

/// Runs a program to its end, with nothing on its stdin.
pub fn run(command: &mut Command) -> Result<Said, Trouble> {
    run_for(command, LIMIT)
}

/// The same with a limit of its own; a program that does not end by then is killed, and that is trouble.
pub fn run_for(command: &mut Command, limit: Duration) -> Result<Said, Trouble> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("starting {name}: {error}"))?;
    let out = listen(child.stdout.take());
    let err = listen(child.stderr.take());
    let ended = wait_for(&format!("the end of {name}"), limit, || child.try_wait().transpose());
    let status = match ended {
        Ok(status) => status?,
        Err(trouble) => {
            end(&mut child);
            return Err(trouble);
        }
    };
    let text = |ear: Ear| ear.join().map_err(|_| Trouble::from(format!("reading what {name} said")));
    Ok(Said { ok: status.success(), code: status.code(), out: text(out)?, err: text(err)? })
}

type Ear = std::thread::JoinHandle<String>;

/// Reads a pipe beside the program, so that neither waits for the other.
fn listen(pipe: Option<impl Read + Send + 'static>) -> Ear {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // A pipe that breaks ends what was said; the exit status tells the rest.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Kills what we started and waits for it.
pub fn end(child: &mut Child) {
    // It may have ended by itself between the look and the kill.
    let _ = child.kill();
    let _ = child.wait();
}

/// A child that does not outlive its owner.
#[derive(Debug)]
pub struct Kept(pub Child);

impl Drop for Kept {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}

/// A command and its arguments in one breath.
pub fn command<S: AsRef<std::ffi::OsStr>>(program: &str, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}
