//! `cargo xtask bench dns`: every query recorded, against name servers that record nothing, and against the floor.

use std::fs;
use std::path::Path;

use model::DomainName;
use tempfile::TempDir;

use super::load::{Orders, generated_names};
use super::servers::Peer;
use super::{Measured, Plan, What, measure, measure_from, name_servers, print, servers, targets};
use crate::clock::Watch;
use crate::program::{Program, exercise};
use crate::{Done, Trouble};

pub(super) const TOLD: &str = "echo with our socket options";
pub(super) const BARE: &str = "bare echo (recvmmsg, sendmmsg)";
pub(super) const NSD: &str = "NSD, no log";
pub(super) const NSD_DNSTAP: &str = "NSD, dnstap to fstrm_capture";
pub(super) const KNOT: &str = "Knot, no log";
pub(super) const OURS: &str = "bailiwick, every query on disk";

/// With more zones, a peer takes minutes to load and gigabytes: only where that is wanted.
const PEER_ZONES_MAX: usize = 100_000;
/// Questions a second where threads are compared: what two cores carry with the load beside the server.
const THREADS_PER_SEC: u32 = 60_000;

type Start = fn(&[DomainName]) -> Result<Peer, Trouble>;

pub(super) fn compare(plan: Plan, binary: &Path) -> Done {
    let names = generated_names(plan.zones)?;
    let mut peers: Vec<(&str, Start)> = vec![(TOLD, |_| servers::echo(true)), (BARE, |_| servers::echo(false))];
    if plan.all_peers || plan.zones <= PEER_ZONES_MAX {
        let all: [(&str, Start); 3] =
            [(NSD, name_servers::nsd), (NSD_DNSTAP, name_servers::nsd_with_dnstap), (KNOT, name_servers::knot)];
        peers.extend(all);
    }
    let mut everybody: Vec<(&'static str, Vec<Measured>)> =
        peers.iter().map(|(name, _)| *name).chain([OURS]).map(|name| (name, Vec::new())).collect();
    let mut ours = Ours::install(&names, binary, 1)?;
    for round in 1..=plan.rounds {
        println!("round {round} of {}, {} zones", plan.rounds, plan.zones);
        for ((name, start), (_, rounds)) in peers.iter().zip(&mut everybody) {
            rounds.push(of_peer(name, start(&names)?, plan)?);
        }
        if let Some((_, rounds)) = everybody.last_mut() {
            rounds.push(ours.measure(plan)?);
        }
    }
    print("query", &everybody);
    targets::print(plan.zones, &everybody);
    Ok(())
}

fn of_peer(name: &str, peer: Peer, plan: Plan) -> Result<Measured, Trouble> {
    let measured = measure(&peer.pids(), Orders::new(What::Dns, peer.port, plan.secs).zones(plan.zones))?;
    say(name, peer.load_secs, &measured);
    if name == NSD_DNSTAP {
        let (kept, answered) = (name_servers::records(peer)?, measured.seen.answered);
        let lost = answered.saturating_sub(kept) as f64 * 100.0 / answered.max(1) as f64;
        println!("    {kept} of {answered} in its file: {lost:.1} % lost");
    }
    Ok(measured)
}

fn say(name: &str, load_secs: f64, measured: &Measured) {
    let (each, rate) = (measured.micros_each(), measured.rate());
    println!("  {name}: {each:.2} µs, {rate:.0}/s; ready after {load_secs:.2} s, {:.0} MB", measured.resident_mb);
}

//----------- Ours -------------------------------------------------------------------------------------------------

/// Server and log alone, as the peers are, with insight left to a later start (the configuration ends in its table);
/// and rates that the load does not reach, which are looked up for every query all the same.
const ALONE: &str = "follow = false\n\n[dns.rate]\nanswers_per_sec = 10000000\nsource_records_per_sec = 10000000\nname_records_per_sec = 10000000\nlistener_records_per_sec = 10000000\n";

struct Ours {
    program: Program,
    /// On disk from earlier rounds.
    before: u64,
}

impl Ours {
    fn install(names: &[DomainName], binary: &Path, threads: u32) -> Result<Self, Trouble> {
        let folder = TempDir::with_prefix("bench-case-")?;
        let file = folder.path().join("case.toml");
        fs::write(&file, case_file(names)?)?;
        let started = Watch::start();
        let mut program = Program::install_build(&file, binary.to_owned())?;
        println!("{} names imported, asked for and approved in {:.1} s", names.len(), started.secs());
        program.configure_also(ALONE)?;
        program.set_dns_threads(threads)?;
        program.pinned = ["taskset", "-c", "0"].map(str::to_owned).to_vec();
        Ok(Self { program, before: 0 })
    }

    fn measure(&mut self, plan: Plan) -> Result<Measured, Trouble> {
        self.run(|pid, port| measure(&[pid], Orders::new(What::Dns, port, plan.secs).zones(plan.zones)))
    }

    /// One start, with what it wrote counted: a server that answers and forgets would win every comparison.
    fn run(&mut self, load: impl FnOnce(u32, u16) -> Result<Measured, Trouble>) -> Result<Measured, Trouble> {
        let started = Watch::start();
        self.program.start()?;
        let load_secs = started.secs();
        let measured = load(self.program.pid()?, self.program.ports.dns)?;
        self.program.stop()?;
        say(OURS, load_secs, &measured);
        let all = self.program.on_disk()?["by_kind"]["query"].as_u64().unwrap_or_default();
        let (kept, answered) = (all - self.before, measured.seen.answered);
        println!("    {kept} on disk, {answered} answered; {} asked with our cookie", measured.seen.with_cookie);
        self.before = all;
        if kept < answered { Err(format!("{answered} answered, and only {kept} on disk").into()) } else { Ok(measured) }
    }
}

/// The exercise, with one list of these names in the place of its own.
pub(super) fn case_file(names: &[DomainName]) -> Result<String, Trouble> {
    let text = fs::read_to_string(exercise())?;
    let (head, _) = text.split_once("[[list]]").ok_or("the exercise has no list")?;
    let listed: Vec<String> = names.iter().map(|name| format!("  \"{}\",\n", name.as_str())).collect();
    Ok(format!(
        "{head}[[list]]\norder = \"dcd-1-19-cv-00716\"\nregistry = {{ tld = \"example\" }}\nsource = \"generated for the bench\"\noutcome = \"redirect\"\nacts = [\"delegate\", \"answer\", \"record-metadata\"]\nnames = [\n{}]\n",
        listed.concat()
    ))
}

//----------- Threads ----------------------------------------------------------------------------------------------

/// Several threads against one, both on all cores with the load beside them, at a rate that leaves room: what a query
/// costs when the kernel spreads sources over sockets.
pub(super) fn compare_threads(plan: Plan, binary: &Path) -> Done {
    const EVERYWHERE: &str = "0,1";
    let names = generated_names(plan.zones)?;
    let several = format!("bailiwick, {} threads", plan.threads);
    let mut everybody = [("bailiwick, one thread", Vec::new()), (several.as_str(), Vec::new())];
    let mut ours = [Ours::install(&names, binary, 1)?, Ours::install(&names, binary, plan.threads)?];
    for round in 1..=plan.rounds {
        println!("round {round} of {}, {THREADS_PER_SEC} questions a second", plan.rounds);
        for (ours, (_, rounds)) in ours.iter_mut().zip(&mut everybody) {
            ours.program.pinned = ["taskset", "-c", EVERYWHERE].map(str::to_owned).to_vec();
            let orders = |port| Orders::new(What::Dns, port, plan.secs).zones(plan.zones).per_sec(THREADS_PER_SEC);
            rounds.push(ours.run(|pid, port| measure_from(EVERYWHERE, &[pid], orders(port)))?);
        }
    }
    print("query", &everybody);
    Ok(())
}
