//! What the doctor says of folders, their room, and the journal in them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use store::journal::room_of;

use super::Finding;
use crate::config::Config;
use crate::on_disk::OnDisk;

/// Below this the journal is soon at its end.
const FREE_OCTETS_MIN: u64 = 1 << 30;
/// What a folder's mode gives to its group and to everybody.
const OTHERS: u32 = 0o077;

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    if !config.data.exists() {
        let found = format!("{} does not exist yet", config.data.display());
        return vec![Finding::weak("data folder", found, "`bailiwick case import` or `serve` makes it")];
    }
    let mut findings = vec![closed("data folder", &config.data)];
    if config.keys.exists() {
        findings.push(closed("key folder", &config.keys));
    }
    findings.push(room(&config.data));
    findings.push(journal(&config.data));
    findings.push(budget(config));
    findings.push(quarantine(&config.data));
    findings
}

fn closed(about: &'static str, folder: &Path) -> Finding {
    let shown = folder.display();
    match std::fs::metadata(folder) {
        Ok(found) if found.permissions().mode() & OTHERS == 0 => {
            Finding::holds(about, format!("{shown}, closed to others"))
        }
        Ok(_) => Finding::wrong(about, format!("others can look into {shown}"), format!("chmod 700 {shown}")),
        Err(error) => Finding::wrong(about, format!("looking at {shown}: {error}"), "run as the user that owns it"),
    }
}

fn room(data: &Path) -> Finding {
    let about = "room on the disk";
    match nix::sys::statvfs::statvfs(data) {
        Err(error) => Finding::weak(about, format!("cannot be asked for: {error}"), "look with `df`"),
        Ok(disk) => {
            let free = disk.blocks_available().saturating_mul(disk.fragment_size());
            let found = format!("{} MiB free", free >> 20);
            match free < FREE_OCTETS_MIN {
                true => Finding::wrong(about, found, "without room contacts are shed; make some, or move `data`"),
                false => Finding::holds(about, found),
            }
        }
    }
}

fn journal(data: &Path) -> Finding {
    let about = "journal";
    let Ok(counted) = OnDisk::count(data) else {
        return Finding::weak(about, "there is none yet", "`bailiwick serve` begins one");
    };
    let report = &counted.report;
    let found = format!(
        "{} frames, {} numbers missing, {} doubles, {} damaged places, {} torn ends, {} failed syncs written again",
        report.frames,
        report.missing,
        report.doubles,
        report.damaged.len(),
        report.torn,
        report.written_again.len()
    );
    if !report.written_again.is_empty() && report.missing + report.doubles == 0 && report.damaged.is_empty() {
        let hint = format!("nothing is missing; look at the disk. First in {}", report.written_again[0]);
        return Finding::weak(about, found, hint);
    }
    match report.missing + report.doubles + report.damaged.len() as u64 {
        0 => Finding::holds(about, found),
        _ => Finding::wrong(about, found, "`bailiwick journal count` names the places; evidence is incomplete there"),
    }
}

fn budget(config: &Config) -> Finding {
    let about = "journal's disk budget";
    let folder = config.data.join(crate::on_disk::JOURNAL);
    let Ok(room) = room_of(&folder, config.journal.disk_budget()) else {
        return Finding::weak(about, "there is no journal yet", "`bailiwick serve` begins one");
    };
    let [used, budget, left] = [room.used_octets, room.budget_octets, room.left_octets].map(|octets| octets >> 20);
    let state = room.room.word();
    let found = format!("{state}: {used} of {budget} MiB used, {left} MiB left");
    match state {
        "ok" => Finding::holds(about, found),
        _ => {
            Finding::wrong(about, found, "records are shed and counted; make room, or raise `journal.disk_budget_mib`")
        }
    }
}

fn quarantine(data: &Path) -> Finding {
    let folder = data.join("quarantine");
    let count = std::fs::read_dir(&folder).map_or(0, Iterator::count);
    match count {
        0 => Finding::holds("quarantine", "empty"),
        _ => {
            let found = format!("{count} files in {}", folder.display());
            Finding::weak("quarantine", found, "look at each: it is kept until a person has")
        }
    }
}
