//! `cargo xtask bench gate --names N`: an order of N names, imported and held against the harm gate's tables.
//!
//! Each command is a process of its own; its processor time is what the kernel says of it, its memory the most that it ever had.
//! Reading the case file is compared with a bare parse of the same octets by the same parser (`bare_toml`) and by Python's
//! `tomllib`; the gate's tables with what `grep -Fxf` takes to find the listed names in one of them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use super::targets::{Judged, say};
use crate::clock::pause;
use crate::shell::command;
use crate::{Done, Trouble};

/// What the issue wants: so many times a bare parse, so many megabytes, so many processor seconds.
const IMPORT_RATIO_MAX: f64 = 3.0;
const IMPORT_MB_MAX: f64 = 500.0;
const GATE_CPU_SECS_MAX: f64 = 60.0;
/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// What a process cost.
#[derive(Clone, Copy)]
struct Cost {
    cpu_secs: f64,
    peak_mb: f64,
}

pub(super) fn measure(names: u64, rounds: u32, binary: &Path) -> Done {
    let home = tempfile::tempdir()?;
    let case = home.path().join("case.toml");
    fs::write(&case, case_file(names))?;
    let tables = write_tables(&home.path().join("tables"), names)?;
    println!("{names} names, {:.1} MB of case file", fs::metadata(&case)?.len() as f64 / 1e6);
    let mut ratios = Vec::new();
    let mut worst = (Cost { cpu_secs: 0.0, peak_mb: 0.0 }, Cost { cpu_secs: 0.0, peak_mb: 0.0 });
    for round in 0..rounds {
        let bare = of("bare parse, toml crate", Command::new(example(binary)?).arg(&case))?;
        of(
            "bare parse, Python's tomllib",
            command("python3", ["-c", "import sys,tomllib; tomllib.load(open(sys.argv[1],'rb'))"]).arg(&case),
        )?;
        let ours = |words: &[&str]| {
            let mut one = Command::new(binary);
            one.current_dir(home.path()).arg("--data").arg(format!("data-{round}")).args(words);
            one
        };
        let import = of("case import", ours(&["case", "import"]).arg(&case))?;
        let gate = of_any("case gate", ours(&["case", "gate", "bench", "--tables"]).arg(&tables))?;
        of_any("grep -Fxf, names in the top list", &mut grep(home.path(), &tables))?;
        ratios.push(import.cpu_secs / bare.cpu_secs);
        worst = (worse(worst.0, import), worse(worst.1, gate));
    }
    ratios.sort_by(f64::total_cmp);
    let times = |most: f64| if names > 1_000_000 { most * names as f64 / 1e6 } else { most };
    say(&[
        Judged::at_most(
            "import against a bare parse of its file, processor time".into(),
            IMPORT_RATIO_MAX,
            ratios[ratios.len() / 2],
        ),
        Judged::at_most("MB that an import has at most".into(), times(IMPORT_MB_MAX), worst.0.peak_mb),
        Judged::at_most("processor seconds of the gate".into(), times(GATE_CPU_SECS_MAX), worst.1.cpu_secs),
    ]);
    Ok(())
}

fn worse(one: Cost, two: Cost) -> Cost {
    Cost { cpu_secs: one.cpu_secs.max(two.cpu_secs), peak_mb: one.peak_mb.max(two.peak_mb) }
}

/// `bare_toml` as the same build made it.
fn example(binary: &Path) -> Result<PathBuf, Trouble> {
    let path = binary.parent().ok_or("the program lies in no folder")?.join("examples/bare_toml");
    if path.exists() {
        return Ok(path);
    }
    Err(format!(
        "{} is not there; build it with the program's profile: cargo build -p bailiwick-docket --example bare_toml",
        path.display()
    )
    .into())
}

fn grep(home: &Path, tables: &Path) -> Command {
    let mut grep = command("grep", ["-Fxf"]);
    grep.arg(home.join("tables/names.txt")).arg(tables.join("popular.txt"));
    grep
}

//----------- Processes --------------------------------------------------------------------------------------------

fn of(what: &str, command: &mut Command) -> Result<Cost, Trouble> {
    let (cost, code) = run(command)?;
    if code != Some(0) {
        return Err(format!("{what} ended with {code:?}").into());
    }
    Ok(told(what, cost))
}

/// The gate exits with 3 where something is in the way, and `grep` with 1 where it finds nothing.
fn of_any(what: &str, command: &mut Command) -> Result<Cost, Trouble> {
    let (cost, code) = run(command)?;
    match code {
        Some(0 | 1 | 3) => Ok(told(what, cost)),
        code => Err(format!("{what} ended with {code:?}").into()),
    }
}

fn told(what: &str, cost: Cost) -> Cost {
    println!("  {what:<36} {:>7.2} CPU s {:>8.1} MB at most", cost.cpu_secs, cost.peak_mb);
    cost
}

fn run(command: &mut Command) -> Result<(Cost, Option<i32>), Trouble> {
    let before = children_secs()?;
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let mut peak_mb: f64 = 0.0;
    let status = loop {
        peak_mb = peak_mb.max(high_water_mb(child.id()));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        pause(LOOK);
    };
    Ok((Cost { cpu_secs: children_secs()? - before, peak_mb }, status.code()))
}

/// Of all children that have ended.
fn children_secs() -> Result<f64, Trouble> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(micros as f64 / 1e6)
}

/// The most that it has had until now; the kernel keeps it.
fn high_water_mb(pid: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() / 1024.0
}

//----------- What is measured with --------------------------------------------------------------------------------

/// Names as a generator of malware makes them: twelve letters, four registries.
fn name(at: u64) -> String {
    let mut state = at.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d;
    let mut label = String::with_capacity(20);
    for _ in 0..12 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        label.push(char::from(b'a' + (state >> 33) as u8 % 26));
    }
    let tld = ["com", "info", "net", "org"][(at % 4) as usize];
    format!("{label}-{at}.{tld}")
}

fn case_file(names: u64) -> String {
    let mut text = String::from(
        "[case]\nid = \"bench\"\ntitle = \"Bench\"\ncontact = \"desk@sinkhole.example\"\npurpose = { value = \"measure\", source = \"unverified\" }\n\
         [group]\nid = \"bench\"\nname = \"Bench\"\n[[order]]\nid = \"o-bench\"\nname_servers = [\"ns1.sinkhole.example\"]\n\
         [order.authority]\ninstrument = \"exercise\"\nissuer = { value = \"nobody\", source = \"unverified\" }\n\
         [[list]]\norder = \"o-bench\"\nsource = \"made up\"\nnames = [\n",
    );
    for at in 0..names {
        let _ = writeln!(text, "\"{}\",", name(at));
    }
    text.push_str("]\n");
    text
}

/// Tables of the size that the public ones have, a millionth or so of them about listed names.
fn write_tables(folder: &Path, names: u64) -> Result<PathBuf, Trouble> {
    fs::create_dir_all(folder)?;
    let lines = |count: u64, one: &dyn Fn(u64) -> String| (0..count).map(|at| one(at) + "\n").collect::<String>();
    let listed = |at: u64| name(at % names.max(1));
    fs::write(folder.join("sinkholes.txt"), lines(1_500, &|at| format!("198.51.{}.{}", at / 250, at % 250)))?;
    fs::write(folder.join("shared.txt"), lines(35_000, &|at| format!("dyn-{at}.net")))?;
    fs::write(
        folder.join("popular.txt"),
        lines(1_000_000, &|at| if at % 1_000 == 0 { listed(at) } else { format!("read-{at}.com") }),
    )?;
    fs::write(folder.join("brands.txt"), lines(3_000, &|at| format!("brand-{at}.com")))?;
    fs::write(folder.join("names.txt"), lines(names, &name))?;
    let row = |at: u64| {
        format!(
            "{{\"rrname\":\"{}\",\"rrtype\":\"A\",\"rdata\":\"198.51.{}.9\",\"time_first\":1700000000,\"time_last\":1760000000}}",
            listed(at),
            at % 250
        )
    };
    fs::write(folder.join("seen.cof"), lines(500_000, &row))?;
    let table = |is: &str, file: &str| format!("[[table]]\nis = \"{is}\"\nfile = \"{file}\"\ndate = \"2026-11-28\"\n");
    let all = [
        ("sinkholes", "sinkholes.txt"),
        ("shared", "shared.txt"),
        ("popular", "popular.txt"),
        ("brand-owned", "brands.txt"),
        ("passive-dns", "seen.cof"),
    ];
    fs::write(folder.join("gate.toml"), all.map(|(is, file)| table(is, file)).concat())?;
    Ok(folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_another_and_the_case_file_lists_all() {
        let all: std::collections::BTreeSet<String> = (0..10_000).map(name).collect();
        assert_eq!(all.len(), 10_000);
        let file = docket_reads(&case_file(100));
        assert_eq!(file, 100);
    }

    fn docket_reads(text: &str) -> usize {
        text.lines().filter(|line| line.starts_with('"') && line.ends_with("\",")).count()
    }
}
