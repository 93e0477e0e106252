//! Stories: what a person expects of the program, in text, in `scenarios/*.story`.
//!
//! ```text
//! # Mail to a seized name is other people's mail: the zone refuses it.
//!
//! given  outlook-verify.test is seized
//! when   127.0.7.1 asks MX outlook-verify.test
//! then   the answer is NOERROR
//! and    the answer holds MX 0 .
//! ```
//!
//! A story begins with its title, a comment, and has steps: `given` says what is so, `when` what happens, `then` what
//! must be seen; `and` is another step of the same kind. The same file is told twice: its DNS steps to the pure core
//! (a plain `cargo test`), all of it to the running program (`cargo xtask test`). [`step`] lists every sentence.

pub mod dns;
mod live;
mod paper;
mod parse;
pub mod step;

pub use live::{FORMATS, tell};
pub use paper::{case_file, zone_files};
pub use parse::{Fault, parse};
pub use step::{Ask, Given, Step, Then, When};

use std::fs;
use std::path::PathBuf;

use crate::{Trouble, root};

/// One file, read.
#[derive(Clone, Debug)]
pub struct Story {
    pub title: String,
    /// Each step with the line that it stands on.
    pub steps: Vec<(usize, Step)>,
}

impl Story {
    /// What is so from the beginning; a story's `given` all come first.
    pub fn givens(&self) -> impl Iterator<Item = &Given> + Clone {
        self.steps.iter().filter_map(|(_, step)| if let Step::Given(given) = step { Some(given) } else { None })
    }
}

/// Every story of the repository, in order of file name.
pub fn all() -> Result<Vec<(PathBuf, Story)>, Trouble> {
    let folder = root().join("scenarios");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)?.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "story"));
    files.sort();
    files.into_iter().map(read).collect()
}

fn read(path: PathBuf) -> Result<(PathBuf, Story), Trouble> {
    let text = fs::read_to_string(&path).map_err(|error| format!("reading {}: {error}", path.display()))?;
    let story = parse(&text).map_err(|fault| format!("{}:{}: {}", path.display(), fault.line, fault.what))?;
    Ok((path, story))
}
