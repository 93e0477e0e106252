//! Somebody at the command line who has facts appended, one after the other, whoever is killed meanwhile.
//!
//! Each command enrols a person: one fact. What it says was done must be in the ledger for ever. One that was cut off
//! may be in it or not, and is never asked for again.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::clock::{pause, wait_for};
use crate::program::{Program, binary};
use crate::shell::{self, Said};
use crate::tally::holds;
use crate::{Done, Trouble};

/// Between two commands.
const BREAK: Duration = Duration::from_millis(5);
/// For one command to be carried out, on a busy machine.
const ENROLLED: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Enrolling {
    shared: Arc<Shared>,
    clerk: JoinHandle<Result<BTreeSet<String>, Trouble>>,
}

#[derive(Debug, Default)]
struct Shared {
    is_over: AtomicBool,
    enrolled: AtomicU64,
    /// Whether commands may be given. Locked while one runs: it would take the lock of a data folder without a daemon,
    /// and be in the way of the next.
    may_work: Mutex<bool>,
}

impl Enrolling {
    /// Begins at rest.
    pub(super) fn begin(program: &Program) -> Self {
        let (config, folder, shared) = (program.config(), program.path("enrolled"), Arc::<Shared>::default());
        let at_work = Arc::clone(&shared);
        let clerk = std::thread::spawn(move || {
            std::fs::create_dir(&folder)?;
            let mut done = BTreeSet::new();
            let persons = (0..).map(|n| format!("clerk-{n}"));
            for person in persons.take_while(|_| !at_work.is_over.load(Ordering::Relaxed)) {
                if at_work.while_allowed(|| shell::run(&mut enrol(&config, &folder, &person)))? {
                    done.insert(person);
                    at_work.enrolled.fetch_add(1, Ordering::Relaxed);
                }
            }
            Ok(done)
        });
        Self { shared, clerk }
    }

    pub(super) fn work(&self) {
        *held(&self.shared.may_work) = true;
    }

    /// Comes back when no command runs any more.
    pub(super) fn rest(&self) {
        *held(&self.shared.may_work) = false;
    }

    /// Ends, and says who was enrolled. Where every life was too short for a command, the last one is long enough.
    pub(super) fn end(self) -> Result<BTreeSet<String>, Trouble> {
        let has_enrolled = || self.shared.enrolled.load(Ordering::Relaxed) > 0 || self.clerk.is_finished();
        wait_for("somebody to be enrolled", ENROLLED, || has_enrolled().then_some(()))?;
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.clerk.join().map_err(|_| "the clerk fell over")?
    }
}

impl Shared {
    /// Whether a command was given and says that it was done.
    fn while_allowed(&self, run: impl FnOnce() -> Result<Said, Trouble>) -> Result<bool, Trouble> {
        let may_work = held(&self.may_work);
        let is_done = *may_work && run()?.ok;
        drop(may_work);
        // Also a turn for whoever wants the clerk to rest.
        pause(BREAK);
        Ok(is_done)
    }
}

fn enrol(config: &Path, folder: &Path, person: &str) -> Command {
    let mut command = Command::new(binary());
    command.args(["person", "add", person, "--role", "auditor", "--fixture", "--token-file"]);
    command.arg(folder.join(person));
    command.arg("--config").arg(config);
    command
}

fn held(mutex: &Mutex<bool>) -> MutexGuard<'_, bool> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Everybody of whom it was said is in the ledger, once.
pub(super) fn all_are_enrolled(program: &Program, said: &BTreeSet<String>) -> Done {
    let people: Vec<serde_json::Value> = serde_json::from_str(&program.ask(&["person", "list", "--json"])?.good()?)?;
    let listed: Vec<&str> = people.iter().filter_map(|person| person["id"].as_str()).collect();
    let once: BTreeSet<&str> = listed.iter().copied().collect();
    let missing: Vec<&String> = said.iter().filter(|person| !once.contains(person.as_str())).collect();
    println!("        {} enrolled as was said, {} in the ledger", said.len(), listed.len());
    holds(!said.is_empty() && missing.is_empty() && once.len() == listed.len(), || {
        format!("{} were said to be enrolled, {} are listed, missing: {missing:?}", said.len(), listed.len())
    })
}
