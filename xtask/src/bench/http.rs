//! `cargo xtask bench http`: the trap against nginx, which writes a JSON line for every request.

use std::path::{Path, PathBuf};

use super::load::Orders;
use super::{Measured, Plan, What, measure, print, servers};
use crate::program::{Program, exercise};
use crate::{Done, Trouble};

/// As long as our notice, so that nobody sends less.
const PAGE_OCTETS: usize = 2_000;

pub(super) fn compare(plan: Plan, binary: PathBuf) -> Done {
    let page = format!("<!doctype html><title>Notice</title><p>{}</p>", "notice ".repeat(PAGE_OCTETS / 7));
    for keep_alive in [false, true] {
        let mut rounds: [Vec<Measured>; 2] = Default::default();
        for round in 1..=plan.rounds {
            println!("round {round} of {}, {}", plan.rounds, spoken(keep_alive));
            let peer = servers::nginx(&page)?;
            rounds[0].push(measure(&peer.pids(), orders(peer.port, plan, keep_alive))?);
            rounds[1].push(ours(&binary, plan, keep_alive)?);
        }
        let [nginx, ours] = rounds;
        println!("\n{}", spoken(keep_alive));
        print("request", &[("nginx, JSON access log", nginx), ("bailiwick, every request on disk", ours)]);
    }
    Ok(())
}

fn spoken(keep_alive: bool) -> &'static str {
    if keep_alive { "requests one after the other on kept connections" } else { "one request per connection" }
}

fn orders(port: u16, plan: Plan, keep_alive: bool) -> Orders {
    let orders = Orders::new(What::Http, port, plan.secs);
    if keep_alive { orders.keep_alive() } else { orders }
}

fn ours(binary: &Path, plan: Plan, keep_alive: bool) -> Result<Measured, Trouble> {
    let mut program = Program::install_build(&exercise(), binary.to_owned())?;
    program.pinned = ["taskset", "-c", "0"].map(str::to_owned).to_vec();
    program.start()?;
    let measured = measure(&[program.pid()?], orders(program.ports.http, plan, keep_alive))?;
    program.stop()?;
    println!("  {} answered, on disk: {}", measured.seen.answered, program.on_disk()?["by_kind"]["request"]);
    Ok(measured)
}
