//! `cargo xtask bench sni`: what server names cost that nobody has asked for before.
//!
//! Each hello names another: most below seized names, the rest a stranger's; one in five looks at the certificate. What
//! must not grow with them is memory, the certificates that are made, the keys on disk and the log; what may is the
//! journal, by a contact and an outcome each. Nobody is compared with: a server that makes a certificate for each name would
//! be measured by its key generation alone.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use callers::knocks::{Knocks, KnocksReport, knocks};
use model::DomainName;

use super::{http, load, meter};
use crate::clock::Watch;
use crate::program::Program;
use crate::tally::holds;
use crate::{Done, Trouble};

/// Where it is looked how much memory there is: after each of so many parts.
const PARTS: u64 = 10;
/// What the last nine parts may add to the first one's memory: the allocator's play, and nothing by name.
const GROWTH_MAX_MB: f64 = 24.0;
/// Lines of log are said of events of ours, not of hellos.
const LOG_OCTETS_MAX: u64 = 64 * 1024;
const CLIENTS: u8 = 32;
const FROM: Ipv4Addr = Ipv4Addr::new(127, 56, 0, 1);

/// What was seen, once the program has gone.
struct Costs {
    said: u64,
    heard: KnocksReport,
    /// Before the first hello, and after each part.
    resident_mb: Vec<f64>,
    cpu_secs: f64,
    secs: f64,
    hellos: u64,
    journal_octets: u64,
    keys_octets: u64,
    log_octets: u64,
}

pub(super) fn measure(names: u64, binary: &Path) -> Done {
    let apexes = load::exercise_names()?;
    let costs = observe(names / PARTS, &apexes, binary)?;
    costs.say(&apexes);
    costs.judge(&apexes)
}

fn observe(part: u64, apexes: &[DomainName], binary: &Path) -> Result<Costs, Trouble> {
    let mut program = http::alone(binary)?;
    program.start()?;
    let (server, watch) = (program.pid()?, Watch::start());
    let (keys, log) = (octets_below(&program.path("keys"))?, program.log().len());
    let before = meter::cpu_secs(&[server])?;
    let mut heard = KnocksReport::default();
    let mut resident_mb = vec![meter::resident_mb(&[server])?];
    for at in 0..PARTS {
        heard.add(say_hello(&program, apexes, at * part, part)?);
        resident_mb.push(meter::resident_mb(&[server])?);
    }
    let (cpu_secs, secs) = (meter::cpu_secs(&[server])? - before, watch.secs());
    let (keys, log) = (octets_below(&program.path("keys"))? - keys, (program.log().len() - log) as u64);
    program.stop()?;
    Ok(Costs {
        said: part * PARTS,
        heard,
        resident_mb,
        cpu_secs,
        secs,
        hellos: program.on_disk()?["by_kind"]["hello"].as_u64().unwrap_or_default(),
        journal_octets: octets_below(&program.data().join("journal"))?,
        keys_octets: keys,
        log_octets: log,
    })
}

fn say_hello(program: &Program, apexes: &[DomainName], first: u64, count: u64) -> Result<KnocksReport, Trouble> {
    let target = (Ipv4Addr::LOCALHOST, program.ports.https).into();
    let load = Knocks { target, from: FROM, clients: CLIENTS, apexes: apexes.to_vec(), first, count };
    Ok(load::runtime()?.block_on(knocks(&load))?)
}

impl Costs {
    fn say(&self, apexes: &[DomainName]) {
        let said = self.said;
        println!("{said} hellos, no two of the same name, in {:.0} s", self.secs);
        println!("  {} answered, {} not, {} on disk", self.heard.answered, self.heard.failed, self.hellos);
        println!("  {} different certificates for {} apexes", self.heard.certificates.len(), apexes.len());
        println!("  processor {:.1} µs each", self.cpu_secs * 1e6 / said as f64);
        println!("  journal {} octets each", self.journal_octets / said);
        let resident: Vec<String> = self.resident_mb.iter().map(|mb| format!("{mb:.1}")).collect();
        println!("  memory before and after each tenth, MB: {}", resident.join(" "));
        println!("  keys grew by {} octets, the log by {}", self.keys_octets, self.log_octets);
    }

    fn judge(&self, apexes: &[DomainName]) -> Done {
        let Self { said, heard, hellos, keys_octets: keys, log_octets: log, .. } = self;
        let growth = self.resident_mb[self.resident_mb.len() - 1] - self.resident_mb[1];
        let made = heard.certificates.len();
        holds(heard.failed == 0, || format!("{} of {said} hellos were not answered", heard.failed))?;
        holds(hellos == said, || format!("{hellos} of {said} hellos are on disk"))?;
        holds(made > 0 && made <= apexes.len() + 1, || format!("{made} certificates for {} apexes", apexes.len()))?;
        holds(growth < GROWTH_MAX_MB, || format!("memory grew by {growth:.1} MB"))?;
        holds(*keys == 0 && *log < LOG_OCTETS_MAX, || format!("keys grew by {keys} octets, the log by {log}"))
    }
}

fn octets_below(folder: &Path) -> Result<u64, Trouble> {
    let mut octets = 0;
    for entry in fs::read_dir(folder)?.flatten() {
        octets += if entry.path().is_dir() { octets_below(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(octets)
}
