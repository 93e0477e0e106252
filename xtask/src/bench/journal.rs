//! Three ways to write a journal's segment, in one run: appended to a growing file, written over zeros that lie there
//! already, and copied into a mapping.
//!
//! A writer hands over batches at a fixed rate, as a DNS thread does; another thread syncs every 50 ms. What counts is the
//! writer's processor time, which answers wait for, and how long its slowest writes take. A mapping needs `unsafe`, which
//! this house has not: Python's `mmap` does it, in a process of its own, and its interpreter's loop is in its figure.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde::Deserialize;

use super::{Plan, median_by};
use crate::clock::{Watch, pause};
use crate::{Done, Trouble, shell, target};

/// A batch: 64 contacts of 140 octets, and how many of them a second: 256,000 contacts.
const BATCH_OCTETS: usize = 64 * 140;
const BATCHES_PER_SEC: u32 = 4_000;
/// How often the other thread syncs.
const SYNC_EVERY: Duration = Duration::from_millis(50);
/// What a segment holds before the next one begins.
const SEGMENT_OCTETS: usize = 64 << 20;

/// Of one way in one round.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Seen {
    /// Of making the segments, before anybody waits.
    prepare_cpu_secs: f64,
    cpu_secs: f64,
    sync_cpu_secs: f64,
    p50_micros: f64,
    p999_micros: f64,
    max_micros: f64,
}

#[derive(Clone, Copy)]
enum Way {
    Append,
    Prewritten,
}

pub(super) fn compare(plan: Plan) -> Done {
    let folder = tempfile::TempDir::new_in(target())?;
    let batches = BATCHES_PER_SEC * plan.secs;
    let mut all = [("appended", Vec::new()), ("written over zeros", Vec::new()), ("mapped (Python)", Vec::new())];
    for round in 1..=plan.rounds {
        println!("round {round} of {}, {batches} batches of {BATCH_OCTETS} octets", plan.rounds);
        all[0].1.push(write(folder.path(), Way::Append, batches)?);
        all[1].1.push(write(folder.path(), Way::Prewritten, batches)?);
        all[2].1.push(mapped(folder.path(), batches)?);
    }
    println!(
        "\n{:<20} {:>10} {:>9} {:>9} {:>8} {:>8} {:>9}",
        "way", "µs prepare", "µs/batch", "µs sync", "p50 µs", "p99.9", "max µs"
    );
    for (name, rounds) in &all {
        let of = |value: fn(&Seen) -> f64| median_by(rounds, value);
        let each = |secs: f64| secs * 1e6 / f64::from(batches);
        println!(
            "{name:<20} {:>10.2} {:>9.2} {:>9.2} {:>8.1} {:>8.0} {:>9.0}",
            each(of(|seen| seen.prepare_cpu_secs)),
            each(of(|seen| seen.cpu_secs)),
            each(of(|seen| seen.sync_cpu_secs)),
            of(|seen| seen.p50_micros),
            of(|seen| seen.p999_micros),
            of(|seen| seen.max_micros),
        );
    }
    println!(
        "\nprocessor time by batch: of making segments, of the writer, of the thread that syncs; the rest: of one write"
    );
    Ok(())
}

//----------- Ours -------------------------------------------------------------------------------------------------

/// One open segment, and how far it is written.
struct Segment {
    file: File,
    way: Way,
    written: usize,
}

impl Segment {
    /// Zeros are written and synced before anybody waits for them, as a journal would do it ahead of time.
    fn open(folder: &Path, way: Way, number: usize) -> Result<Self, Trouble> {
        let path = folder.join(format!("segment-{number}"));
        let file = match way {
            Way::Append => OpenOptions::new().append(true).create_new(true).open(path)?,
            Way::Prewritten => {
                let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
                file.write_all(&vec![0; SEGMENT_OCTETS])?;
                file.sync_all()?;
                file
            }
        };
        Ok(Self { file, way, written: 0 })
    }

    fn write(&mut self, batch: &[u8]) -> Done {
        match self.way {
            Way::Append => self.file.write_all(batch)?,
            Way::Prewritten => self.file.write_all_at(batch, self.written as u64)?,
        }
        self.written += batch.len();
        Ok(())
    }
}

fn write(folder: &Path, way: Way, batches: u32) -> Result<Seen, Trouble> {
    let folder = tempfile::TempDir::new_in(folder)?;
    let count = (batches as usize * BATCH_OCTETS).div_ceil(SEGMENT_OCTETS) + 1;
    let before = thread_cpu()?;
    let segments = (0..count).map(|number| Segment::open(folder.path(), way, number));
    let mut segments = segments.collect::<Result<Vec<_>, _>>()?;
    let prepare_cpu_secs = thread_cpu()? - before;
    let files = segments.iter().map(|segment| segment.file.try_clone()).collect::<Result<Vec<_>, _>>()?;
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let syncing = scope.spawn(|| sync(&files, &over));
        let written = write_paced(&mut segments, batches);
        over.store(true, Ordering::Relaxed);
        let sync_cpu_secs = syncing.join().map_err(|_| "the syncing thread panicked")??;
        let (cpu_secs, mut micros) = written?;
        micros.sort_by(f64::total_cmp);
        let at = |part: f64| micros[((micros.len() - 1) as f64 * part) as usize];
        Ok(Seen {
            prepare_cpu_secs,
            cpu_secs,
            sync_cpu_secs,
            p50_micros: at(0.5),
            p999_micros: at(0.999),
            max_micros: at(1.0),
        })
    })
}

/// Processor seconds of this thread, and the length of each write.
fn write_paced(segments: &mut [Segment], batches: u32) -> Result<(f64, Vec<f64>), Trouble> {
    let (batch, before, started) = ([7; BATCH_OCTETS], thread_cpu()?, Watch::start());
    let mut micros = Vec::with_capacity(batches as usize);
    for number in 0..batches {
        let due = Duration::from_secs(1) * number / BATCHES_PER_SEC;
        pause(due.saturating_sub(started.elapsed()));
        let at = number as usize * BATCH_OCTETS / SEGMENT_OCTETS;
        let watch = Watch::start();
        segments[at].write(&batch)?;
        micros.push(watch.secs() * 1e6);
    }
    Ok((thread_cpu()? - before, micros))
}

/// Syncs whatever is there until it is over; its processor seconds.
fn sync(files: &[File], over: &AtomicBool) -> Result<f64, Trouble> {
    let before = thread_cpu()?;
    while !over.load(Ordering::Relaxed) {
        files.iter().try_for_each(File::sync_data)?;
        pause(SYNC_EVERY);
    }
    Ok(thread_cpu()? - before)
}

fn thread_cpu() -> Result<f64, Trouble> {
    let usage: Usage = getrusage(UsageWho::RUSAGE_THREAD)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(micros as f64 / 1e6)
}

//----------- Mapped -----------------------------------------------------------------------------------------------

/// The same batches at the same rate, copied into a mapping of zeros that were written before.
const MAPPED: &str = r#"
import json, mmap, os, resource, sys, threading, time
folder, batches, octets, rate, segment, every = sys.argv[1], *map(int, sys.argv[2:7])
files, maps = [], []
def cpu():
    usage = resource.getrusage(resource.RUSAGE_THREAD)
    return usage.ru_utime + usage.ru_stime
began = cpu()
for number in range(batches * octets // segment + 2):
    file = open(os.path.join(folder, f"mapped-{number}"), "w+b")
    file.write(bytes(segment)); file.flush(); os.fsync(file.fileno())
    files.append(file); maps.append(mmap.mmap(file.fileno(), segment))
prepared = cpu() - began
over, sync_cpu = threading.Event(), [0.0]
def sync():
    before = cpu()
    while not over.wait(every / 1000):
        for mapping in maps: mapping.flush()
    sync_cpu[0] = cpu() - before
syncing = threading.Thread(target=sync); syncing.start()
batch, micros, before, started = bytes([7]) * octets, [], cpu(), time.perf_counter()
for number in range(batches):
    wait = number / rate - (time.perf_counter() - started)
    if wait > 0: time.sleep(wait)
    at, place = divmod(number * octets, segment)
    first = min(octets, segment - place)
    began = time.perf_counter()
    maps[at][place:place + first] = batch[:first]
    if first < octets: maps[at + 1][0:octets - first] = batch[first:]
    micros.append((time.perf_counter() - began) * 1e6)
used = cpu() - before
over.set(); syncing.join(); micros.sort()
print(json.dumps({"prepare_cpu_secs": prepared, "cpu_secs": used, "sync_cpu_secs": sync_cpu[0], "p50_micros": micros[len(micros) // 2],
    "p999_micros": micros[int((len(micros) - 1) * 0.999)], "max_micros": micros[-1]}))
"#;

fn mapped(folder: &Path, batches: u32) -> Result<Seen, Trouble> {
    let folder = tempfile::TempDir::new_in(folder)?;
    let numbers = [batches as usize, BATCH_OCTETS, BATCHES_PER_SEC as usize, SEGMENT_OCTETS, 50];
    let mut python = Command::new("python3");
    python.arg("-c").arg(MAPPED).arg(folder.path()).args(numbers.map(|number| number.to_string()));
    let said = shell::run_for(&mut python, Duration::from_secs(600))?.good()?;
    Ok(serde_json::from_str(&said)?)
}
