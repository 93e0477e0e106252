//! A policy zone taken over from us and from Knot: whole, and one step.
//!
//! Both serve the same names, each as itself and as `*.`. The taker keeps nothing and counts what comes; servers are on
//! core 0, the taker on core 1. Nothing is signed: HMAC would be most of the cost, and the same for both.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use model::DomainName;
use tempfile::TempDir;

use super::dns::case_file;
use super::load::generated_names;
use super::servers::{Peer, answers_dns, begin, free_udp, program};
use super::taking::{Taken, Wanted, take};
use super::{Plan, median_by, meter, on_core_zero};
use crate::clock::{Watch, wait_for};
use crate::program::{LEARN, Ports, Program};
use crate::{Done, Trouble, shell};

const ZONE: &str = "rpz.invalid";
/// How often the one step is taken.
const STEPS: usize = 100;

/// One server's figures.
struct Figures {
    name: &'static str,
    whole: Vec<(Taken, f64)>,
    step: Vec<Taken>,
}

pub(super) fn compare(plan: Plan, binary: &Path) -> Done {
    let names = generated_names(plan.zones)?;
    let ours = Ours::start(&names, binary)?;
    let knot = Knot::start(&names)?;
    let (our_pid, knot_pid) = (ours.program.pid()?, knot.peer.running.0.id());
    let mut figures = [Figures::of("bailiwick"), Figures::of("Knot")];
    for _ in 0..plan.rounds {
        figures[0].take_whole(ours.at, our_pid)?;
        figures[1].take_whole(knot.at, knot_pid)?;
    }
    let [our_serial, knot_serial] = [0, 1].map(|at: usize| figures[at].whole[0].0.serial);
    ours.change(&names[0], our_serial)?;
    knot.change(&names[0])?;
    for _ in 0..STEPS {
        figures[0].step.push(take(ours.at, ZONE, Wanted::Step(our_serial))?);
        figures[1].step.push(take(knot.at, ZONE, Wanted::Step(knot_serial))?);
    }
    print(&figures);
    Ok(())
}

impl Figures {
    fn of(name: &'static str) -> Self {
        Self { name, whole: Vec::new(), step: Vec::new() }
    }

    fn take_whole(&mut self, server: SocketAddr, pid: u32) -> Done {
        let before = meter::cpu_secs(&[pid])?;
        let taken = take(server, ZONE, Wanted::Whole)?;
        let cpu_secs = meter::cpu_secs(&[pid])? - before;
        println!("  {}: {} records in {:.2} s, {cpu_secs:.2} s of its core", self.name, taken.records, taken.secs);
        self.whole.push((taken, cpu_secs));
        Ok(())
    }
}

fn print(figures: &[Figures; 2]) {
    println!(
        "\n{:<10} {:>9} {:>9} {:>8} {:>8} {:>10} {:>12} {:>9}",
        "server", "records", "MB", "whole s", "core s", "records/s", "one step µs", "records"
    );
    for one in figures {
        let whole = median_by(&one.whole, |(taken, _)| taken.secs);
        let core = median_by(&one.whole, |(_, cpu_secs)| *cpu_secs);
        let step = median_by(&one.step, |taken| taken.secs * 1e6);
        let (first, records) = (one.whole[0].0, one.step[0].records);
        println!(
            "{:<10} {:>9} {:>9.1} {whole:>8.2} {core:>8.2} {:>10.0} {step:>12.0} {records:>9}",
            one.name,
            first.records,
            first.octets as f64 / 1e6,
            first.records as f64 / whole,
        );
    }
    let rate =
        |at: usize| figures[at].whole[0].0.records as f64 / median_by(&figures[at].whole, |(taken, _)| taken.secs);
    let step = |at: usize| median_by(&figures[at].step, |taken| taken.secs);
    let (whole, step) = (rate(0) / rate(1), step(1) / step(0));
    let met = |ratio: f64| if ratio >= 1.0 { "met" } else { "not met" };
    println!(
        "\nwhole: {whole:.2} times Knot's rate (goal 1.0: {}); one step: {step:.2} (goal 1.0: {})",
        met(whole),
        met(step)
    );
}

//----------- Ours -------------------------------------------------------------------------------------------------

struct Ours {
    program: Program,
    at: SocketAddr,
}

impl Ours {
    fn start(names: &[DomainName], binary: &Path) -> Result<Self, Trouble> {
        let folder = TempDir::with_prefix("bench-case-")?;
        let file = folder.path().join("case.toml");
        fs::write(&file, case_file(names)?)?;
        let mut program = Program::install_build(&file, binary.to_owned())?;
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, Ports::free()?.dns));
        program.configure_also(&format!(
            "[[policy_zone]]\nzone = \"{ZONE}\"\naudience = \"partners\"\n[transfer]\nlisten = [\"{at}\"]\n\
             [[transfer.peer]]\nnetwork = \"127.0.0.0/16\"\nzones = [\"{ZONE}\"]\n"
        ))?;
        program.pinned = ["taskset", "-c", "0"].map(str::to_owned).to_vec();
        let watch = Watch::start();
        program.start()?;
        println!("{} names: ours serves and has published after {:.1} s", names.len(), watch.secs());
        Ok(Self { program, at })
    }

    /// One name is held, so that two records change; waits until that is told.
    fn change(&self, name: &DomainName, serial: u32) -> Done {
        let watch = Watch::start();
        self.program.narrow(name.as_str(), "hold")?;
        let said = watch.secs();
        wait_for("the step to be told", LEARN, || take(self.at, ZONE, Wanted::Step(serial)).ok())?;
        println!("  ours: the command took {said:.2} s, the step was told after {:.2} s", watch.secs());
        Ok(())
    }
}

//----------- Knot -------------------------------------------------------------------------------------------------

struct Knot {
    peer: Peer,
    at: SocketAddr,
}

impl Knot {
    fn start(names: &[DomainName]) -> Result<Self, Trouble> {
        let (folder, port) = (TempDir::with_prefix("bench-knot-")?, free_udp()?);
        let place = folder.path().display();
        let mut zone =
            "@ 300 IN SOA localhost. hostmaster.localhost. 1 300 60 1209600 60\n@ 300 IN NS localhost.\n".to_owned();
        for name in names {
            let name = name.as_str();
            zone.push_str(&format!("{name} 300 CNAME rpz-passthru.\n*.{name} 300 CNAME rpz-passthru.\n"));
        }
        fs::write(folder.path().join("zone"), zone)?;
        let text = format!(
            "server:\n  listen: 127.0.0.1@{port}\n  rundir: \"{place}\"\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\ncontrol:\n  listen: \"{place}/control\"\ndatabase:\n  storage: \"{place}\"\nacl:\n  - id: all\n    address: 127.0.0.0/8\n    action: transfer\ntemplate:\n  - id: default\n    storage: \"{place}\"\n    acl: all\n    journal-content: changes\n    zonefile-sync: -1\n    semantic-checks: off\nzone:\n  - domain: {ZONE}\n    file: zone\n"
        );
        let config = folder.path().join("knot.conf");
        fs::write(&config, text)?;
        let mut command = on_core_zero(&program("knotd")?);
        command.arg("-c").arg(config);
        let peer = begin(command, folder, port, answers_dns)?;
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        // It answers before it has the zone.
        wait_for("Knot to have the zone", super::servers::START, || take(at, ZONE, Wanted::Whole).ok())?;
        Ok(Self { peer, at })
    }

    /// The same name, the same two records.
    fn change(&self, name: &DomainName) -> Done {
        let (name, socket) = (name.as_str(), self.peer.folder.path().join("control"));
        let knotc = |words: &[&str]| {
            let mut command = Command::new(program("knotc")?);
            shell::run(command.arg("-s").arg(&socket).args(words))?.good()
        };
        knotc(&["zone-begin", ZONE])?;
        for owner in [name.to_owned(), format!("*.{name}")] {
            knotc(&["zone-unset", ZONE, &owner, "CNAME"])?;
            knotc(&["zone-set", ZONE, &owner, "300", "CNAME", "."])?;
        }
        knotc(&["zone-commit", ZONE]).map(|_| ())
    }
}
