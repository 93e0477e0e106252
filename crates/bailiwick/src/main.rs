//! Bailiwick: from an order to protection.
//!
//! The roof: it reads the command line, opens the doors, and hands each command to its role. What the program does
//! lives in the rooms below; ARCHITECTURE.md is the map.

mod cli;
mod config;
mod demo;
mod door;
mod failure;
mod listen;
mod on_disk;
mod roles;
mod supervise;
mod terminal;

use clap::Parser;
use mimalloc::MiMalloc;

use crate::cli::{Cli, Command};

/// The system's keeps fifty megabytes of holes after a million names were loaded.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    let place = cli.place;
    let done = match cli.command {
        Command::Serve(args) => roles::serve::run(&place, &args),
        Command::Demo(args) => demo::run(&args),
        Command::Status(args) => roles::status::run(&place, &args),
        Command::Dns(command) => roles::dns::run(&place, command),
        Command::Doctor(args) => roles::doctor::run(&place, &args),
        Command::Case(command) => roles::case::run(&place, command),
        Command::Authority(command) => roles::authority::run(&place, command),
        Command::Verify(args) => roles::verify::run(&place, args),
        Command::Alarm(command) => roles::watch::alarm(&place, command),
        Command::Custody(command) => roles::custody::run(&place, command),
        Command::Evidence(command) => roles::evidence::run(&place, command),
        Command::Person(command) => roles::person::run(&place, command),
        Command::Sensor(command) => roles::sensor::run(&place, command),
        Command::Approval(command) => roles::approval::run(&place, command),
        Command::Group(command) => roles::group::run(&place, command),
        Command::Feed(command) => roles::feed::run(&place, command),
        Command::Query(args) => roles::query::run(&place, &args),
        Command::Archive(command) => roles::archive::run(&place, command),
        Command::Replay(args) => roles::replay::run(&place, &args),
        Command::ClickHouse(command) => roles::clickhouse::run(&place, command),
        Command::Backup(args) => roles::backup::run(&place, &args),
        Command::Restore(args) => roles::restore::run(&place, &args),
        Command::Retention(command) => roles::retention::run(&place, command),
        Command::Report(args) => roles::report::run(&place, &args),
        Command::Hunt(command) => roles::score::run(&place, command),
        Command::Journal(command) => roles::journal::run(&place, command),
        Command::Audit(command) => roles::audit::run(&place, command),
        Command::Export(args) => roles::export::run(&place, &args),
        Command::Accounts(command) => roles::accounts::run(&place, command),
        Command::Config(command) => roles::config::run(&place, command),
        Command::Callers(args) => roles::population::run(&args),
    };
    failure::exit(done)
}
