//! `cargo xtask bench dns`: every query recorded, against a name server that records nothing, and against the floor.

use std::path::PathBuf;

use super::load::{Orders, names};
use super::{Measured, Plan, What, measure, print, servers};
use crate::program::{Program, exercise};
use crate::{Done, Trouble};

pub(super) fn compare(plan: Plan, binary: PathBuf) -> Done {
    let names = names()?;
    let mut rounds: [Vec<Measured>; 4] = Default::default();
    for round in 1..=plan.rounds {
        println!("round {round} of {}", plan.rounds);
        rounds[0].push(of_peer(&servers::echo(true)?, plan)?);
        rounds[1].push(of_peer(&servers::echo(false)?, plan)?);
        rounds[2].push(of_peer(&servers::nsd(&names)?, plan)?);
        rounds[3].push(ours(&binary, plan)?);
    }
    let [told, bare, nsd, ours] = rounds;
    let everybody = [
        ("echo with our socket options", told),
        ("bare echo (recvmmsg, sendmmsg)", bare),
        ("NSD, no log", nsd),
        ("bailiwick, every query on disk", ours),
    ];
    print("query", &everybody);
    Ok(())
}

fn of_peer(peer: &servers::Peer, plan: Plan) -> Result<Measured, Trouble> {
    measure(peer.pid(), Orders::new(What::Dns, peer.port, plan.secs))
}

/// Server and log alone, as the peers are, with insight left to a later start (the configuration ends in its table);
/// and rates that the load does not reach, which are looked up for every query all the same.
const ALONE: &str = "follow = false\n\n[dns.rate]\nanswers_per_sec = 10000000\nsource_records_per_sec = 10000000\nname_records_per_sec = 10000000\nlistener_records_per_sec = 10000000\n";

/// Ours, with what it wrote counted: a server that answers and forgets would win every comparison.
fn ours(binary: &std::path::Path, plan: Plan) -> Result<Measured, Trouble> {
    let mut program = Program::install_build(&exercise(), binary.to_owned())?;
    program.configure_also(ALONE)?;
    program.pinned = ["taskset", "-c", "0"].map(str::to_owned).to_vec();
    program.start()?;
    let measured = measure(program.pid()?, Orders::new(What::Dns, program.ports.dns, plan.secs))?;
    program.stop()?;
    println!("  {} answered, on disk: {}", measured.seen.answered, program.on_disk()?["by_kind"]["query"]);
    Ok(measured)
}
