//! Processor time of a process and all its descendants, from `/proc`.
//!
//! User and system time together, in the kernel's ticks: over seconds of load that is exact enough, and it counts
//! what a server's helpers use too, such as a thread that writes the log. A child that was reaped is counted in its
//! parent.

use std::fs;

use crate::Trouble;

/// `USER_HZ` is 100 on every Linux that we run on (see proc(5)).
const TICKS_PER_SEC: f64 = 100.0;

/// Seconds used so far by these processes and whoever descends from them.
pub(super) fn cpu_secs(pids: &[u32]) -> Result<f64, Trouble> {
    let ticks: u64 = family(pids)?.iter().map(|one| one.ticks).sum();
    Ok(ticks as f64 / TICKS_PER_SEC)
}

/// Megabytes that they hold in memory, what they share counted once (PSS).
pub(super) fn resident_mb(pids: &[u32]) -> Result<f64, Trouble> {
    let pss = |one: &Stat| {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", one.pid)).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default()
    };
    Ok(family(pids)?.iter().map(pss).sum::<f64>() / 1024.0)
}

fn family(pids: &[u32]) -> Result<Vec<Stat>, Trouble> {
    let everyone: Vec<Stat> = fs::read_dir("/proc")?.flatten().filter_map(|entry| stat(&entry.file_name())).collect();
    if let Some(pid) = pids.iter().find(|pid| !everyone.iter().any(|one| one.pid == **pid)) {
        return Err(format!("the server, process {pid}, is gone").into());
    }
    let mut members = pids.to_vec();
    let mut at = 0;
    while let Some(&parent) = members.get(at) {
        members.extend(everyone.iter().filter(|one| one.parent == parent).map(|one| one.pid));
        at += 1;
    }
    Ok(everyone.into_iter().filter(|one| members.contains(&one.pid)).collect())
}

#[derive(Debug, Eq, PartialEq)]
struct Stat {
    pid: u32,
    parent: u32,
    ticks: u64,
}

fn stat(folder: &std::ffi::OsStr) -> Option<Stat> {
    let pid = folder.to_str()?.parse().ok()?;
    read(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// `pid (name, which may hold anything) state ppid …`: field 4 is the parent, 14 to 17 are the ticks, the last two of
/// them those of reaped children.
fn read(pid: u32, text: &str) -> Option<Stat> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11..15)?.iter().map(|ticks| ticks.parse::<u64>().ok()).sum::<Option<u64>>()?;
    Some(Stat { pid, parent: fields.get(1)?.parse().ok()?, ticks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_and_brackets_does_not_confuse() {
        let text = "42 (a) b (c) S 7 42 42 0 -1 4194304 100 0 0 0 11 22 3 4 20 0 1 0 100 0 0";
        assert_eq!(read(42, text), Some(Stat { pid: 42, parent: 7, ticks: 40 }));
    }
}
