//! `cargo xtask bench http --slow N`: what so many half-open connections cost at once, however many the machine lets a
//! process have.
//!
//! A process may have so many files and no more, and root may not always raise that. So there are as many of our
//! programs as it takes, each filled to where its own limit stands, and as many processes that hold, from sixteen
//! networks each. All of them are open at the same time; then somebody new calls, again and again. What the kernel's
//! slab grows by is for both ends of each connection, and for whatever else the machine did meanwhile.

use std::fs;
use std::path::Path;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::held::Holder;
use super::http::alone;
use super::load::{HoldOrders, How, Orders};
use super::targets::{Judged, say};
use super::{Plan, What, measure, meter};
use crate::clock::pause;
use crate::program::Program;
use crate::{Done, Trouble};

/// Held by one process: what `callers` allows is more than some machines do.
const HELD_EACH: usize = 5_000;
/// Files of a program that are not for connections of the trap, and what stays free for who calls meanwhile: see
/// `sinkhole::FILES_KEPT`; a quarter of the rest is for DNS.
const FILES_KEPT: u64 = 512;
const SPARE: u64 = 200;
/// Held first, so that what is made once is there before anything is measured.
const WARM_UP: usize = 100;
/// From the last connect to what is left of it in memory: the servers have read what was sent by then.
const SETTLED: std::time::Duration = std::time::Duration::from_secs(2);

pub(super) fn hold_many(plan: Plan, binary: &Path, count: usize) -> Done {
    let each = places(files_for(count as u64)?);
    let mut programs = Vec::new();
    for first in (0..count).step_by(each) {
        programs.push(Filled::start(binary, each.min(count - first))?);
    }
    println!("{count} connections at {} programs, {each} at each at most", programs.len());
    let pids: Vec<u32> = programs.iter().map(|one| one.program.pid()).collect::<Result<_, _>>()?;
    let before = measure(&pids[..1], programs[0].alone(plan))?;
    let (owned, slab) = (meter::resident_mb(&pids)?, slab_mb()?);
    for one in &mut programs {
        one.fill()?;
    }
    pause(SETTLED);
    let octets = |megabytes: f64| megabytes * 1024.0 * 1024.0 / count as f64;
    let (user, kernel) = (octets(meter::resident_mb(&pids)? - owned), octets(slab_mb()? - slab));
    let during = measure(&pids[..1], programs[0].alone(plan))?;
    for one in programs {
        one.end()?;
    }
    println!("kernel's slab: {kernel:.0} octets by connection, both ends");
    for (when, latency) in [("before", &before.seen.latency), ("while all are held", &during.seen.latency)] {
        let (p50, p99, max) = (latency.p50_micros, latency.p99_micros, latency.max_micros);
        println!("a new request {when}: p50 {p50:.0} µs, p99 {p99:.0} µs, max {max:.0} µs");
    }
    say(&[
        Judged::at_most(format!("octets of memory by connection, {count} half open"), 2048.0, user),
        Judged::at_most(
            format!("ms of a new request while {count} are half open, p99"),
            50.0,
            during.seen.latency.p99_micros / 1000.0,
        ),
    ]);
    Ok(())
}

/// One program and those who hold it.
struct Filled {
    program: Program,
    count: usize,
    holders: Vec<(Holder, usize)>,
}

impl Filled {
    fn start(binary: &Path, count: usize) -> Result<Self, Trouble> {
        let mut program = alone(binary)?;
        let most = count as u64 + SPARE;
        program.configure_also(&format!(
            "[web.limits]\nconnections_max = {most}\nconnections_per_prefix_max = {most}\nidle_secs = 600\nlifetime_secs = 3600\n"
        ))?;
        program.start()?;
        Holder::start(HoldOrders::new(How::HalfHead, program.ports.http, WARM_UP))?.end(WARM_UP)?;
        Ok(Self { program, count, holders: Vec::new() })
    }

    fn fill(&mut self) -> Done {
        for first in (0..self.count).step_by(HELD_EACH) {
            let part = HELD_EACH.min(self.count - first);
            let orders = HoldOrders::new(How::HalfHead, self.program.ports.http, part);
            self.holders.push((Holder::start(orders)?, part));
        }
        Ok(())
    }

    /// A new connection for each request, one after the other.
    fn alone(&self, plan: Plan) -> Orders {
        Orders::new(What::Http, self.program.ports.http, plan.secs).alone()
    }

    fn end(mut self) -> Done {
        for (holder, count) in self.holders {
            holder.end(count)?;
        }
        self.program.kill()
    }
}

/// How many files a process may have here: as many as are wanted, where this process may raise that.
fn files_for(count: u64) -> Result<u64, Trouble> {
    let wanted = (count + SPARE) * 4 / 3 + FILES_KEPT + 4;
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let granted = if setrlimit(Resource::RLIMIT_NOFILE, wanted, wanted.max(hard)).is_ok() { wanted } else { hard };
    setrlimit(Resource::RLIMIT_NOFILE, granted, granted.max(hard))?;
    println!("a process may have {granted} files");
    Ok(granted)
}

/// Connections that a program with so many files holds.
fn places(files: u64) -> usize {
    let of_trap = files.saturating_sub(FILES_KEPT) * 3 / 4;
    usize::try_from(of_trap.saturating_sub(SPARE)).unwrap_or(usize::MAX).max(1)
}

/// What the kernel's slab has, of the whole machine.
fn slab_mb() -> Result<f64, Trouble> {
    let text = fs::read_to_string("/proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix("Slab:")).ok_or("no slab in /proc/meminfo")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_filled_below_its_own_limit() {
        assert_eq!(places(20_000), 14_416);
        assert!(places((100_000 + SPARE) * 4 / 3 + FILES_KEPT + 4) >= 100_000);
    }
}
