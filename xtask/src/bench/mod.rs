//! Our cost per operation against a peer's, in the same run, on the same machine.
//!
//! Absolute times of a shared machine say little; ratios within one run say much. So everybody is measured in turn,
//! round by round: the server pinned to core 0, the load to core 1, every operation checked by the load, and the cost
//! is the processor time of *all* the server's processes, writing the log included, by answered operation.

mod dns;
mod echo;
mod http;
mod load;
mod meter;
mod servers;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::shell::{command, run_for};
use crate::{Done, Trouble, root, target};

pub use echo::echo;
pub use load::{Orders, load};

/// What can be compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum What {
    /// Against NSD without a log, and a bare echo of datagrams.
    Dns,
    /// Against nginx with a JSON access log.
    Http,
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub secs: u32,
    pub rounds: u32,
}

/// What the load saw in one measurement.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Seen {
    pub answered: u64,
    pub wrong: u64,
    pub secs: f64,
}

/// One measurement: what the load saw, and the processor seconds of the server's processes meanwhile.
#[derive(Clone, Debug)]
pub struct Measured {
    seen: Seen,
    cpu_secs: f64,
}

impl Measured {
    fn micros_each(&self) -> f64 {
        self.cpu_secs * 1e6 / (self.seen.answered.max(1) as f64)
    }
}

/// Runs the comparison and prints its table.
pub fn run(what: What, plan: Plan, profile: &str) -> Done {
    let binary = build(profile)?;
    match what {
        What::Dns => dns::compare(plan, binary),
        What::Http => http::compare(plan, binary),
    }
}

/// The program as it is packaged. The archive's SQL is no part of what is measured and would triple the build.
fn build(profile: &str) -> Result<PathBuf, Trouble> {
    println!("building the program with profile {profile}; the first time takes minutes");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "bailiwick", "--profile", profile]).current_dir(root());
    if profile != "dev" {
        cargo.arg("--no-default-features");
    }
    let status = cargo.stdin(Stdio::null()).status()?;
    let folder = if profile == "dev" { "debug" } else { profile };
    if status.success() {
        Ok(target().join(folder).join("bailiwick"))
    } else {
        Err("the program does not build".into())
    }
}

//----------- Measuring --------------------------------------------------------------------------------------------

/// Puts a server on core 0; the load has core 1 for itself.
fn on_core_zero(program: &str) -> Command {
    command("taskset", ["-c", "0", program])
}

/// Runs the load of this very program in a process of its own on core 1, and meters the server beside it.
fn measure(server: u32, orders: Orders) -> Result<Measured, Trouble> {
    let own = std::env::current_exe()?;
    let mut load = command("taskset", ["-c", "1"]);
    load.arg(own).arg("load").args(orders.words());
    let before = meter::cpu_secs(server)?;
    let said = run_for(&mut load, std::time::Duration::from_secs(900))?.good()?;
    let cpu_secs = meter::cpu_secs(server)? - before;
    Ok(Measured { seen: serde_json::from_str(&said)?, cpu_secs })
}

/// The table: medians over the rounds, and the ratio to the first server named.
fn print(operation: &str, everybody: &[(&str, Vec<Measured>)]) {
    println!("\n{:<44} {:>12} {:>12} {:>10} {:>8}", "server", format!("µs/{operation}"), "answers/s", "wrong", "ratio");
    let base = everybody.first().map_or(1.0, |(_, rounds)| median(rounds, Measured::micros_each));
    for (name, rounds) in everybody {
        let micros = median(rounds, Measured::micros_each);
        let rate = median(rounds, |one| one.seen.answered as f64 / one.seen.secs);
        let wrong: u64 = rounds.iter().map(|one| one.seen.wrong).sum();
        println!("{name:<44} {micros:>12.2} {rate:>12.0} {wrong:>10} {:>8.2}", micros / base);
    }
    println!("\nprocessor time of all processes of a server, by answered {operation}; ratio to the first line");
}

fn median(rounds: &[Measured], of: impl Fn(&Measured) -> f64) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_is_processor_time_by_answer() {
        let seen = Seen { answered: 1_000_000, wrong: 0, secs: 5.0 };
        assert!((Measured { seen, cpu_secs: 3.5 }.micros_each() - 3.5).abs() < 1e-9);
    }
}
