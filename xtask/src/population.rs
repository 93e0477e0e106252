//! The simulated callers, as a process of their own with books of their own: what was sent and answered is counted
//! there, what was recorded is counted by the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::wait_for;
use crate::program::{Program, binary};
use crate::shell::Kept;
use crate::tally::holds;
use crate::{Done, Trouble};

/// For everybody to come home, retries and all.
const HOME: Duration = Duration::from_secs(300);
/// After this nobody starts any more.
const STARTS_SECS: u32 = 45;

/// The callers of one suite.
#[derive(Debug)]
pub struct Population {
    running: Kept,
    books: PathBuf,
}

impl Population {
    /// Lets them call `program`; `scale` is in per cent of the demo's population.
    pub fn call(program: &Program, scale: u32) -> Result<Self, Trouble> {
        let (plan, books) = (program.path("plan.json"), program.path("tally.json"));
        let at = |port: u16| format!("127.0.0.1:{port}");
        let (dns, http, https) = (at(program.ports.dns), at(program.ports.http), at(program.ports.https));
        let text = json!({
            "seed": 7, "names": ["outlook-verify.net", "yahoo-verify.net"], "dns": dns, "http": http, "https": https,
            "scale": scale, "duration_max_secs": STARTS_SECS, "report_answered": true, "tally": books,
        });
        fs::write(&plan, text.to_string())?;
        let mut command = Command::new(binary());
        command.arg("callers").arg("--plan").arg(&plan);
        let log = fs::File::create(program.path("callers.log"))?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?;
        Ok(Self { running: Kept(child), books })
    }

    /// Their books as they stand.
    pub fn tally(&self) -> Result<Value, Trouble> {
        read(&self.books)
    }

    /// Waits until that many answers arrived, or everybody is at home.
    pub fn answered_at_least(&self, wanted: u64) -> Result<u64, Trouble> {
        wait_for(&format!("{wanted} answers"), HOME, || {
            let books = self.tally().ok()?;
            let answered = sum(&books["answered"]);
            (answered >= wanted || books["finished"] == true).then_some(answered)
        })
    }

    /// Waits for the last of them. Calls may have been given up: whoever kills the program must expect that.
    pub fn comes_home(&mut self) -> Done {
        let status = wait_for("the callers to come home", HOME, || self.running.0.try_wait().transpose())??;
        let finished = self.tally().is_ok_and(|books| books["finished"] == true);
        holds(finished, || format!("the callers ended with {status} and left their books open"))
    }
}

fn read(file: &Path) -> Result<Value, Trouble> {
    let text = fs::read_to_string(file).map_err(|error| format!("reading {}: {error}", file.display()))?;
    Ok(serde_json::from_str(&text)?)
}

/// The total of counts by kind.
pub fn sum(by_kind: &Value) -> u64 {
    by_kind.as_object().map_or(0, |kinds| kinds.values().filter_map(Value::as_u64).sum())
}
