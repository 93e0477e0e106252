//! Everything about the repository that is not the product: its suites, its benches, its peers.
//!
//! `cargo xtask test` installs the programs of other people that must accept what we do, runs `cargo test`, and then
//! lets each of them try the running program. `cargo xtask bench` compares with a peer in the same run. Nothing here
//! imports a room that it judges: suites know the program by its command line, its sockets and its files alone. Only
//! `cargo xtask gen`, which makes archives to measure and compare with, writes them through the store's own door.

pub mod bench;
pub mod clock;
pub mod generate;
pub mod journey;
pub mod peers;
pub mod population;
pub mod program;
pub mod shell;
pub mod story;
pub mod tally;
pub mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What went wrong, in words for whoever reads the log.
pub type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// Nothing to tell, or trouble.
pub type Done = Result<(), Trouble>;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The commands of the repository")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// `cargo test`, then the running program before other people's clients.
    Test {
        /// Only these suites: dns, floods, dnstap, conformance, zonemaster, fleet, resolvers, internet, web, trap, odd, http2, accounts, acme, sealed, refusals, lock, crash, archive, clickhouse, ledger, postgres, sensors, evidence, stranger, together, feeds, stories; nothing else then, not even `cargo test`. And clickhouse-cluster, which runs only if it is named.
        suites: Vec<String>,
    },
    /// Install the peers and say how long each took.
    Peers,
    /// Our cost per operation against a peer's, in the same run.
    Bench {
        what: bench::What,
        /// Seconds of load for each measurement.
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
        secs: u32,
        /// How often everybody is measured in turn.
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=20))]
        rounds: u32,
        /// For dns: names that everybody answers for.
        #[arg(long, default_value_t = 99, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        zones: u32,
        /// For dns: so many threads of ours against one, and nobody else.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
        threads: u32,
        /// For dns: start the other name servers also with more than 100,000 names, which takes minutes.
        #[arg(long)]
        all_peers: bool,
        /// For archive: contacts to write, and to ask about.
        #[arg(long, default_value_t = 5_000_000, value_parser = clap::value_parser!(u64).range(1_000..=1_000_000_000))]
        rows: u64,
        /// For http: hold so many half-open connections at once, and measure nothing else.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        slow: Option<u32>,
        /// For sni: hellos, each of another server name. For gate: names of the order.
        #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(10..=10_000_000))]
        names: u64,
        /// Which build of ours: `dist` is what packages carry.
        #[arg(long, default_value = "dist")]
        profile: String,
        /// A build of ours that is there already, such as a package's.
        #[arg(long)]
        binary: Option<PathBuf>,
    },
    /// The trap's suite, in a network namespace of its own.
    #[command(hide = true)]
    TrapWithin,
    /// Make an archive of many sightings, the same for the same seed.
    Gen(generate::Orders),
    /// The bench's load, in a process of its own.
    #[command(hide = true)]
    Load(bench::Orders),
    /// Connections that the bench has held open, in a process of their own.
    #[command(hide = true)]
    Hold(bench::HoldOrders),
    /// The bench's floor: send every datagram back.
    #[command(hide = true)]
    Echo {
        port: u16,
        /// Ask the kernel for what our server asks it for.
        #[arg(long)]
        told: bool,
    },
}

/// Runs the command line.
pub fn run() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Test { suites } => journey::test(&suites),
        Task::Peers => tools::install_all().map(|_| ()),
        Task::Bench { what, secs, rounds, zones, threads, all_peers, slow, rows, names, profile, binary } => {
            let slow = slow.map(|count| count as usize);
            let plan = bench::Plan { secs, rounds, zones: zones as usize, threads, all_peers, slow, rows, names };
            bench::run(what, plan, || binary.map_or_else(|| bench::build(what, &profile), Ok))
        }
        Task::TrapWithin => peers::trap::within(),
        Task::Gen(orders) => generate::run(&orders),
        Task::Load(orders) => bench::load(orders),
        Task::Hold(orders) => bench::hold(orders),
        Task::Echo { port, told } => bench::echo(port, told),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("error: {trouble}");
            ExitCode::FAILURE
        }
    }
}

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository's root")
}

/// Where the build puts things.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
