//! What was checked, line by line, and the last line that says how it ended.
//!
//! Every check has a name that states a promise. Lines go out as they are known, so that a hanging suite shows where.

use crate::clock::Watch;
use crate::{Done, Trouble};

/// Checks that passed and failed so far.
#[derive(Debug, Default)]
pub struct Tally {
    passed: usize,
    failed: Vec<String>,
    suite: String,
    /// Seconds beyond the suite's budget.
    more_secs: u64,
}

impl Tally {
    /// One check. What it says when it fails stands below its name.
    pub fn check(&mut self, promise: &str, kept: Done) {
        match kept {
            Ok(()) => {
                self.passed += 1;
                println!("  ok    {promise}");
            }
            Err(why) => {
                println!("  FAIL  {promise}\n        {}", why.to_string().replace('\n', "\n        "));
                self.failed.push(format!("{}: {promise}", self.suite));
            }
        }
    }

    /// One line of a tally that is kept in another process, passed on. Whether it was a check.
    pub fn take_over(&mut self, line: &str) -> bool {
        println!("{line}");
        if let Some(promise) = line.strip_prefix("  FAIL  ") {
            self.failed.push(format!("{}: {promise}", self.suite));
        }
        let passed = line.starts_with("  ok    ");
        self.passed += usize::from(passed);
        passed || line.starts_with("  FAIL  ")
    }

    /// Checks that somebody else counted: `cargo test`.
    pub fn add(&mut self, passed: usize, failed: Vec<String>) {
        self.passed += passed;
        self.failed.extend(failed);
    }

    /// More than usual was asked of the suite that runs: so many seconds more it may take.
    pub fn allow_more(&mut self, secs: u64) {
        self.more_secs += secs;
    }

    /// Runs one suite, prints its seconds, and fails it if it took longer than its budget.
    pub fn suite(&mut self, name: &str, budget_secs: u32, run: impl FnOnce(&mut Self) -> Done) {
        println!("\n== {name}");
        name.clone_into(&mut self.suite);
        self.more_secs = 0;
        let watch = Watch::start();
        if let Err(trouble) = run(self) {
            self.check("the suite ran to its end", Err(trouble));
        }
        let (secs, budget_secs) = (watch.secs(), u64::from(budget_secs) + self.more_secs);
        println!("-- {name}: {secs:.1} s of {budget_secs} s");
        if secs > budget_secs as f64 {
            self.check("the suite keeps its budget", Err(format!("{secs:.1} s, budget {budget_secs} s").into()));
        }
    }

    /// The closing line, and whether all is well.
    pub fn close(&self) -> Done {
        if !self.failed.is_empty() {
            println!("\nfailed:\n  {}", self.failed.join("\n  "));
        }
        println!("\n{} passed, {} failed", self.passed, self.failed.len());
        if self.failed.is_empty() { Ok(()) } else { Err("not all checks passed".into()) }
    }
}

/// `Ok` if it holds; otherwise what was seen instead.
pub fn holds(condition: bool, seen: impl FnOnce() -> String) -> Done {
    if condition { Ok(()) } else { Err(seen().into()) }
}

/// Checks that a text has a part.
pub fn contains(text: &str, part: &str) -> Done {
    holds(text.contains(part), || format!("expected `{part}` in:\n{}", head(text)))
}

/// Checks that a text lacks a part.
pub fn lacks(text: &str, part: &str) -> Done {
    holds(!text.contains(part), || format!("did not expect `{part}` in:\n{}", head(text)))
}

/// As much of a text as helps.
pub fn head(text: &str) -> String {
    const SHOWN_LINES: usize = 30;
    text.lines().take(SHOWN_LINES).collect::<Vec<_>>().join("\n")
}

/// All of them, or the first trouble.
pub fn all(checks: impl IntoIterator<Item = Result<(), Trouble>>) -> Done {
    checks.into_iter().collect()
}
