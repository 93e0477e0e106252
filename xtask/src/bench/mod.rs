//! Our cost per operation against a peer's, in the same run, on the same machine.
//!
//! Absolute times of a shared machine say little; ratios within one run say much. So everybody is measured in turn,
//! round by round: the server pinned to core 0, the load to core 1, every operation checked by the load, and the cost
//! is the processor time of *all* the server's processes, writing the log included, by answered operation.

mod archive;
mod dns;
mod echo;
mod gate;
mod held;
mod http;
mod journal;
mod load;
mod meter;
mod name_servers;
pub(crate) mod servers;
mod slow;
mod sni;
mod taking;
mod targets;
mod transfer;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use callers::latency::Percentiles;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::shell::{command, run_for};
use crate::{Done, Trouble, root, target};

pub use echo::echo;
pub use load::{HoldOrders, Orders, hold, load};

/// What can be compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum What {
    /// Against NSD and Knot without a log, NSD with dnstap, and an echo of datagrams.
    Dns,
    /// A policy zone of so many names, taken over from us and from Knot.
    Transfer,
    /// Three ways to write a segment of the journal; none of them is ours or a peer's.
    Journal,
    /// Facts into the ledger and through its audit, beside nobody.
    Ledger,
    /// Against nginx with a JSON access log.
    Http,
    /// Journal → Parquet against the Parquet writer alone, and questions against DuckDB over the same files.
    Archive,
    /// Hellos of ever new server names, against nobody: what must not grow does not.
    Sni,
    /// An order of so many names: its import against a bare parse of the file, and the harm gate over it.
    Gate,
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub secs: u32,
    pub rounds: u32,
    /// Names that a name server answers for.
    pub zones: usize,
    /// Compare so many threads of ours with one.
    pub threads: u32,
    /// Start the other name servers too, however many zones.
    pub all_peers: bool,
    /// Contacts of an archive.
    pub rows: u64,
    /// Hold so many half-open connections, and nothing else.
    pub slow: Option<usize>,
    /// Server names that are asked for.
    pub names: u64,
}

/// What the load saw in one measurement.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Seen {
    pub answered: u64,
    /// Lost, or the answer to nothing that was asked.
    pub wrong: u64,
    /// Answers that say an error, or that they were cut.
    pub errors: u64,
    /// Questions that carried a cookie of the server.
    pub with_cookie: u64,
    pub secs: f64,
    pub latency: Percentiles,
    /// Processor seconds of the load itself.
    pub load_cpu_secs: f64,
}

/// One measurement: what the load saw, and the processor seconds of the server's processes meanwhile.
#[derive(Clone, Debug)]
pub struct Measured {
    seen: Seen,
    cpu_secs: f64,
    resident_mb: f64,
}

impl Measured {
    fn micros_each(&self) -> f64 {
        self.cpu_secs * 1e6 / (self.seen.answered.max(1) as f64)
    }

    fn rate(&self) -> f64 {
        self.seen.answered as f64 / self.seen.secs
    }

    /// What a core of its own would answer in a second, had the load been faster than the server.
    fn per_cpu_sec(&self) -> f64 {
        1e6 / self.micros_each()
    }
}

/// Runs the comparison and prints its table.
pub fn run(what: What, plan: Plan, binary: impl FnOnce() -> Result<PathBuf, Trouble>) -> Done {
    match what {
        What::Journal => return journal::compare(plan),
        What::Ledger => return ledger(),
        _ => {}
    }
    let binary = std::path::absolute(binary()?)?;
    match what {
        What::Journal | What::Ledger => Ok(()),
        What::Dns if plan.threads > 1 => dns::compare_threads(plan, &binary),
        What::Dns => dns::compare(plan, &binary),
        What::Transfer => transfer::compare(plan, &binary),
        What::Http => match plan.slow {
            Some(count) => slow::hold_many(plan, &binary, count),
            None => http::compare(plan, &binary),
        },
        What::Archive => archive::compare(plan.rows, plan.rounds, &binary),
        What::Sni => sni::measure(plan.names, &binary),
        What::Gate => gate::measure(plan.names, plan.rounds, &binary),
    }
}

/// The program as it is packaged. Unless the archive's SQL is part of what is measured it stays out: it would triple
/// the build.
pub fn build(what: What, profile: &str) -> Result<PathBuf, Trouble> {
    println!("building the program with profile {profile}; the first time takes minutes");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "bailiwick", "--profile", profile]).current_dir(root());
    if what == What::Gate {
        cargo.args(["--package", "bailiwick-docket", "--bin", "bailiwick", "--example", "bare_toml"]);
    }
    if profile != "dev" && what != What::Archive {
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

/// Its figures depend on the disk's syncs, so they are absolute, and told as they are.
fn ledger() -> Done {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["run", "--quiet", "--release", "--package", "bailiwick-store", "--example", "ledger"]);
    let status = cargo.current_dir(root()).stdin(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err("the bench of the ledger failed".into()) }
}

//----------- Measuring --------------------------------------------------------------------------------------------

/// Puts a server on core 0; the load has core 1 for itself.
fn on_core_zero(program: &str) -> Command {
    command("taskset", ["-c", "0", program])
}

/// Runs the load of this very program in a process of its own on core 1, and meters the server's processes beside it.
fn measure(server: &[u32], orders: Orders) -> Result<Measured, Trouble> {
    measure_from("1", server, orders)
}

/// The same with the load on other cores.
fn measure_from(cores: &str, server: &[u32], orders: Orders) -> Result<Measured, Trouble> {
    let own = std::env::current_exe()?;
    let mut load = command("taskset", ["-c", cores]);
    load.arg(own).arg("load").args(orders.words());
    let before = meter::cpu_secs(server)?;
    let said = run_for(&mut load, std::time::Duration::from_secs(900))?.good()?;
    let cpu_secs = meter::cpu_secs(server)? - before;
    let resident_mb = meter::resident_mb(server)?;
    Ok(Measured { seen: serde_json::from_str(&said)?, cpu_secs, resident_mb })
}

/// The table: medians over the rounds, and the ratio to the first server named.
fn print(operation: &str, everybody: &[(&str, Vec<Measured>)]) {
    println!(
        "\n{:<40} {:>9} {:>10} {:>6} {:>6} {:>6} {:>7} {:>7} {:>7} {:>8} {:>7} {:>6}",
        "server",
        format!("µs/{operation}"),
        "answers/s",
        "ratio",
        "wrong",
        "errors",
        "p50",
        "p99",
        "p99.9",
        "max",
        "MB",
        "load"
    );
    let base = everybody.first().map_or(1.0, |(_, rounds)| median(rounds, Measured::micros_each));
    for (name, rounds) in everybody {
        let of = |value: fn(&Measured) -> f64| median(rounds, value);
        let sum = |value: fn(&Seen) -> u64| rounds.iter().map(|one| value(&one.seen)).sum::<u64>();
        println!(
            "{name:<40} {:>9.2} {:>10.0} {:>6.2} {:>6} {:>6} {:>7.0} {:>7.0} {:>7.0} {:>8.0} {:>7.0} {:>5.0}%",
            of(Measured::micros_each),
            of(Measured::rate),
            of(Measured::micros_each) / base,
            sum(|seen| seen.wrong),
            sum(|seen| seen.errors),
            of(|one| one.seen.latency.p50_micros),
            of(|one| one.seen.latency.p99_micros),
            of(|one| one.seen.latency.p999_micros),
            of(|one| one.seen.latency.max_micros),
            of(|one| one.resident_mb),
            of(|one| one.seen.load_cpu_secs * 100.0 / one.seen.secs),
        );
    }
    println!(
        "\nµs: processor time of all processes of a server, by answered {operation}; ratio: to the first line; latency in µs; MB: resident after the load; load: how busy the load's own core was"
    );
}

fn median(rounds: &[Measured], of: impl Fn(&Measured) -> f64) -> f64 {
    median_by(rounds, of)
}

/// Of an even number the middle of the two in the middle: neither side's better round.
fn median_by<T>(rounds: &[T], of: impl Fn(&T) -> f64) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    let middle = |at: usize| values.get(at).copied().unwrap_or(f64::NAN);
    middle(values.len() / 2).midpoint(middle(values.len().saturating_sub(1) / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_favours_nobody() {
        for (rounds, median) in [(&[3.0][..], 3.0), (&[4.0, 1.0], 2.5), (&[9.0, 1.0, 2.0], 2.0)] {
            assert!((median_by(rounds, |value| *value) - median).abs() < 1e-9);
        }
        assert!(median_by(&[], |value: &f64| *value).is_nan());
    }

    #[test]
    fn cost_is_processor_time_by_answer() {
        let seen = Seen { answered: 1_000_000, secs: 5.0, ..Seen::default() };
        assert!((Measured { seen, cpu_secs: 3.5, resident_mb: 1.0 }.micros_each() - 3.5).abs() < 1e-9);
    }
}
