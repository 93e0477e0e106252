//! `cargo xtask test`: from the tests that need nobody to other people's programs.
//!
//! The order is that of the costs: `cargo test` first, which also builds the program; then the peers, installed if
//! need be; then one suite after the other, each with a program of its own. Every suite declares a budget.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::clock::Watch;
use crate::peers;
use crate::tally::Tally;
use crate::tools;
use crate::{Done, root};

/// A suite by name, with its budget in seconds: three times what two cores that do other things too have needed.
type Suite = (&'static str, u32, fn(&mut Tally) -> Done);

const SUITES: [Suite; 32] = [
    ("dns", 60, peers::dns::run),
    ("floods", 300, peers::floods::run),
    ("dnstap", 60, peers::dnstap::run),
    ("conformance", 60, peers::conformance::run),
    ("zonemaster", 30, peers::zonemaster::run),
    ("fleet", 60, peers::fleet::run),
    ("resolvers", 60, peers::resolvers::run),
    ("internet", 360, peers::internet::run),
    ("web", 120, peers::web::run),
    ("trap", 480, peers::trap::run),
    ("tls", 240, peers::tls::run),
    ("odd", 120, peers::odd::run),
    ("http2", 240, peers::http2::run),
    ("accounts", 60, peers::accounts::run),
    ("acme", 120, peers::acme::run),
    ("sealed", 240, peers::sealed::run),
    ("refusals", 60, peers::refusals::run),
    ("lock", 30, peers::lock::run),
    ("crash", 180, peers::crash::run),
    ("archive", 180, peers::archive::run),
    ("clickhouse", 600, peers::clickhouse::run),
    ("backup", 300, peers::backup::run),
    ("retention", 240, peers::retention::run),
    ("epp", 60, peers::epp::run),
    ("ledger", 120, peers::ledger::run),
    ("postgres", 420, peers::postgres::run),
    ("sensors", 480, peers::sensors::run),
    ("evidence", 240, peers::evidence::run),
    ("stranger", 120, peers::stranger::run),
    ("together", 240, peers::together::run),
    ("feeds", 480, peers::feeds::run),
    ("stories", 240, peers::stories::run),
];

/// Suites of the long tier: run only where they are named.
const LONG: [Suite; 1] = [("clickhouse-cluster", 900, peers::clickhouse::cluster::run)];

/// Seconds that a cold build and all tests may take on two cores that do other things too; idle ones need 800.
const CARGO_TEST_BUDGET_SECS: u32 = 2400;

/// All of it, or the named suites.
pub fn test(only: &[String]) -> Done {
    let all = || SUITES.iter().chain(&LONG);
    if let Some(unknown) = only.iter().find(|name| !all().any(|(known, ..)| known == name)) {
        let known: Vec<&str> = all().map(|(name, ..)| *name).collect();
        return Err(format!("there is no suite `{unknown}`; there are {}", known.join(", ")).into());
    }
    let mut tally = Tally::default();
    if only.is_empty() {
        tally.suite("cargo test", CARGO_TEST_BUDGET_SECS, cargo_test);
    }
    tally.suite("the build that the suites run", 600, |_| build());
    tally.suite("peers", 600, |tally| {
        tally.check("every peer is installed", tools::install_all().map(|absent| println!("  absent: {absent:?}")));
        Ok(())
    });
    let is_wanted = |name: &str, is_long: bool| if only.is_empty() { !is_long } else { only.iter().any(|n| n == name) };
    let usual = SUITES.iter().filter(|(name, ..)| is_wanted(name, false));
    for (name, budget, run) in usual.chain(LONG.iter().filter(|(name, ..)| is_wanted(name, true))) {
        tally.suite(name, *budget, *run);
    }
    tally.close()
}

/// The program in the one profile that everything else uses.
fn build() -> Done {
    let watch = Watch::start();
    let status = cargo().args(["build", "--quiet", "--package", "bailiwick"]).stdin(Stdio::null()).status()?;
    println!("  built in {:.1} s", watch.secs());
    if status.success() { Ok(()) } else { Err("the program does not build".into()) }
}

fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

//----------- cargo test -------------------------------------------------------------------------------------------

/// Runs `cargo test` over the whole workspace, passes on what it says, and takes over its counts.
fn cargo_test(tally: &mut Tally) -> Done {
    let mut command = cargo();
    command.args(["test", "--workspace", "--no-fail-fast"]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("starting cargo test: {error}"))?;
    let mut counts = Counts::default();
    for line in BufReader::new(child.stdout.take().ok_or("cargo test has no stdout")?).lines() {
        let line = line?;
        if counts.read(&line) {
            println!("{line}");
        }
    }
    let status = child.wait()?;
    let failed_silently = !status.success() && counts.failed.is_empty();
    tally.add(counts.passed, counts.failed);
    if failed_silently { Err("cargo test failed before or beside its tests: see above".into()) } else { Ok(()) }
}

/// What the lines of libtest add up to.
#[derive(Debug, Default)]
struct Counts {
    passed: usize,
    failed: Vec<String>,
}

impl Counts {
    /// Takes one line in; whether a person wants to see it.
    fn read(&mut self, line: &str) -> bool {
        if let Some(name) = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")) {
            self.failed.push(format!("cargo test: {name}"));
        }
        if let Some(rest) = line.strip_prefix("test result: ") {
            self.passed += count(rest, " passed").unwrap_or_default();
        }
        !(line.ends_with(" ... ok") || line.is_empty() || line.starts_with("running ") || is_empty_result(line))
    }
}

/// The number before a word: `12 passed`.
fn count(line: &str, word: &str) -> Option<usize> {
    line.split(word).next()?.rsplit(' ').next()?.parse().ok()
}

fn is_empty_result(line: &str) -> bool {
    line.starts_with("test result: ok. 0 passed;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_cargo_test_are_taken_over() {
        let mut counts = Counts::default();
        for line in [
            "running 3 tests",
            "test a ... ok",
            "test b::c ... FAILED",
            "test result: FAILED. 12 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s",
            "test result: ok. 30 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s",
        ] {
            counts.read(line);
        }
        assert_eq!((counts.passed, counts.failed), (42, vec!["cargo test: b::c".to_owned()]));
    }
}
