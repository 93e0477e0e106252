//! The archive against what it is made of: journal → Parquet against the Parquet writer alone, and questions against
//! DuckDB over the same files, in one run.
//!
//! The writer alone is the archive's own, fed with the same rows from memory: what the journal adds (reading, checksums,
//! decoding, making rows) is the ratio. Octets a row are those of compacted files of DNS contacts and their verdicts.
//! Questions are asked of the program on its own data folder, starting included, and of DuckDB in a process that counts
//! only its query. Each with two threads; each answers before the next one is asked.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use model::Timestamp;
use model::contact::{Contact, What};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde::Deserialize;
use store::archive::{Archive, ArchiveBatch, Compacted, ContactRow};
use store::folder::DataFolder;
use store::journal::{Cursor, Frame, Journal, JournalLimits, LaneWriter};
use store::ledger::Ledger;

use super::median_by;
use crate::clock::Watch;
use crate::generate::{self, rows::Rows};
use crate::{Done, Trouble, shell, target};

/// How much of the journal a follower reads at once, as insight does.
const BATCH_OCTETS: usize = 2 << 20;
/// Contacts between two commits of the journal.
const JOURNAL_BATCH: u64 = 64;
/// Days over which contacts are spread.
const DAYS: u32 = 7;
const SEED: u64 = 1;
const LIMIT: Duration = Duration::from_secs(3600);

pub(super) fn compare(rows: u64, rounds: u32, binary: &Path) -> Done {
    let folder = tempfile::TempDir::new_in(target())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(writing(&folder.path().join("writing"), rows))?;
    let asked = folder.path().join("asked");
    let watch = Watch::start();
    runtime.block_on(generate::fill(&asked, Rows::new(rows, DAYS, SEED)))?;
    println!("\n{rows} sightings of every kind made in {:.0} s", watch.secs());
    let compacted = program(binary, &asked, &["archive", "compact", "--json"])?;
    println!("compacted with {:.1} CPU s, {:.0} MB at most", compacted.cpu_secs, compacted.resident_mb);
    asking(binary, &asked, rounds)
}

//----------- Writing ----------------------------------------------------------------------------------------------

/// Processor seconds of each way to fill an archive, and what a row takes in the end.
async fn writing(place: &Path, rows: u64) -> Done {
    let made = Rows::new(rows * 10 / 7, DAYS, SEED);
    let mut house = House::open(&place.join("journal")).await?;
    let count = house.fill_journal(&made)?;
    let (from_journal, reading) = house.follow().await?;
    let memory = House::open(&place.join("memory")).await?;
    let from_memory = memory.fill(&made).await?;
    let ratio = from_journal / from_memory;
    let each = |secs: f64| secs * 1e6 / count as f64;
    println!("{count} DNS contacts; processor time of a contact, every thread of the process");
    println!("  journal → rows               {:>7.2} µs", each(reading));
    println!("  journal → rows → Parquet     {:>7.2} µs", each(from_journal));
    println!("  rows in memory → Parquet     {:>7.2} µs", each(from_memory));
    println!("  ratio                        {ratio:>7.2}    (goal: at most 1.8)");
    house.judge(&made).await?;
    house.print_octets("as a follower wrote them").await?;
    let done = house.compact().await?;
    let merged: u64 = done.iter().map(|done| done.rows).sum();
    println!("compacted {merged} rows with {:.2} CPU µs a row", house.compacting_secs * 1e6 / merged as f64);
    house.print_octets("compacted; contacts + verdicts: goal at most 40").await
}

struct House {
    _folder: DataFolder,
    archive: Archive,
    journal: std::sync::Arc<Journal>,
    compacting_secs: f64,
}

impl House {
    async fn open(place: &Path) -> Result<Self, Trouble> {
        std::fs::create_dir_all(place)?;
        let folder = DataFolder::open(place, "bench", generate::rows::START)?;
        let ledger = Ledger::open(&folder).await?;
        let archive = Archive::open(&folder, &ledger).await?;
        let journal = Journal::open(&folder, JournalLimits::default())?;
        Ok(Self { _folder: folder, archive, journal, compacting_secs: 0.0 })
    }

    /// Only queries; returns how many.
    fn fill_journal(&self, rows: &Rows) -> Result<u64, Trouble> {
        let syncing = self.journal.start_syncing();
        let mut lane: LaneWriter = self.journal.lane(generate::rows::START)?;
        let mut count = 0;
        for contact in queries(rows) {
            let id = lane.next_id();
            let contact = Contact { id, ..contact };
            let received = contact.received;
            lane.stage(&Frame::Contact(contact));
            count += 1;
            if count % JOURNAL_BATCH == 0 {
                lane.commit(received)?;
            }
        }
        lane.commit(generate::rows::START)?;
        drop(lane);
        syncing.stop();
        Ok(count)
    }

    /// Reads the journal to its end and archives it; processor seconds, and those of them until there were rows.
    async fn follow(&self) -> Result<(f64, f64), Trouble> {
        let (mut cursor, mut reading) = (Cursor::default(), 0.0);
        let began = cpu()?;
        loop {
            let before = cpu()?;
            let mut batch = ArchiveBatch::default();
            let each = &mut |frame: Frame<'_>| {
                if let Frame::Contact(contact) = frame {
                    batch.contacts.push(ContactRow::from(&contact));
                }
            };
            let report = self.journal.read(&mut cursor, BATCH_OCTETS, each)?;
            reading += cpu()? - before;
            if report.frames == 0 {
                return Ok((cpu()? - began, reading));
            }
            batch.cursor = cursor.clone();
            self.archive.commit("bench", batch, generate::rows::START).await?;
        }
    }

    /// The same rows in batches of the same size, made before each look at the clock.
    async fn fill(&self, rows: &Rows) -> Result<f64, Trouble> {
        let (mut batch, mut secs) = (ArchiveBatch::default(), 0.0);
        let mut queries = queries(rows).peekable();
        while let Some(contact) = queries.next() {
            batch.contacts.push(ContactRow::from(&contact));
            if batch.contacts.len() * 140 < BATCH_OCTETS && queries.peek().is_some() {
                continue;
            }
            let full = std::mem::take(&mut batch);
            let before = cpu()?;
            self.archive.commit("bench", full, generate::rows::START).await?;
            secs += cpu()? - before;
        }
        Ok(secs)
    }

    /// A verdict on each, in the order in which they came.
    async fn judge(&self, rows: &Rows) -> Done {
        let mut batch = ArchiveBatch::default();
        for number in 0..rows.len() {
            let row = rows.row(number);
            batch.verdicts.extend(row.verdict.filter(|_| row.contact.kind == model::contact::Kind::Query));
            if batch.verdicts.len() * 140 >= BATCH_OCTETS {
                self.archive.commit("bench", std::mem::take(&mut batch), rows.judged(number)).await?;
            }
        }
        self.archive.commit("bench", batch, rows.judged(rows.len())).await?;
        Ok(())
    }

    async fn compact(&mut self) -> Result<Vec<Compacted>, Trouble> {
        let (before, mut all) = (cpu()?, Vec::new());
        let late: Timestamp = crate::clock::now();
        while let Some(mut work) = self.archive.next_compaction(late, Duration::ZERO).await? {
            while work.step().await? {}
            all.push(work.commit(late).await?);
        }
        self.compacting_secs = cpu()? - before;
        Ok(all)
    }

    async fn print_octets(&self, how: &str) -> Done {
        println!("octets a row, {how}");
        let tallies = self.archive.tallies().await?;
        let mut sum = 0.0;
        for (table, tally) in tallies.iter().filter(|(_, tally)| tally.rows > 0) {
            let each = tally.bytes as f64 / tally.rows as f64;
            sum += if ["contacts", "verdicts"].contains(&table.as_str()) { each } else { 0.0 };
            println!("  {table:<14} {each:>7.1}    {} rows in {} files", tally.rows, tally.files);
        }
        println!("  contacts + verdicts {sum:>4.1}");
        Ok(())
    }
}

fn queries(rows: &Rows) -> impl Iterator<Item = Contact<'static>> {
    let all = (0..rows.len()).map(|number| rows.contact(number));
    all.filter(|contact| matches!(contact.what, What::Query(_)))
}

fn cpu() -> Result<f64, Trouble> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    Ok((usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e6)
}

//----------- Asking -----------------------------------------------------------------------------------------------

/// A question in our words and in DuckDB's.
struct Question {
    name: &'static str,
    ours: &'static str,
    theirs: &'static str,
    goal: &'static str,
}

const QUESTIONS: [Question; 4] = [
    Question {
        name: "unique-sources",
        ours: "SELECT day, apex, count(DISTINCT source) AS n FROM contacts GROUP BY day, apex ORDER BY day, apex",
        theirs: "SELECT day, apex, count(DISTINCT source) AS n FROM contacts GROUP BY day, apex ORDER BY day, apex NULLS LAST",
        goal: "at most 1.2 of DuckDB's CPU",
    },
    Question {
        name: "the same, rolled up",
        ours: "SELECT day, apex, sum(sources) AS n FROM daily_names WHERE kind IS NULL GROUP BY day, apex ORDER BY day, apex",
        theirs: "SELECT day, apex, sum(sources) AS n FROM daily_names WHERE kind IS NULL GROUP BY day, apex ORDER BY day, apex NULLS LAST",
        goal: "under 0.2 s",
    },
    Question {
        name: "source-history",
        ours: "SELECT received, apex, kind, qname FROM contacts WHERE source = '127.0.3.9' ORDER BY received DESC LIMIT 100",
        theirs: "SELECT received, apex, kind, qname FROM contacts WHERE source = '127.0.3.9' ORDER BY received DESC LIMIT 100",
        goal: "under 0.5 s",
    },
    Question {
        name: "timeline",
        ours: "SELECT date_trunc('hour', received) AS hour, count(*) AS n FROM contacts WHERE apex = 'seized-07.example' GROUP BY 1 ORDER BY 1",
        theirs: "SELECT date_trunc('hour', received) AS hour, count(*) AS n FROM contacts WHERE apex = 'seized-07.example' GROUP BY 1 ORDER BY 1",
        goal: "under 0.5 s",
    },
];

/// What a process used, by the kernel's account of it.
#[derive(Clone, Debug, Default, Deserialize)]
struct Used {
    cpu_secs: f64,
    secs: f64,
    resident_mb: f64,
    rows: u64,
    #[serde(default)]
    said: String,
}

fn asking(binary: &Path, data: &Path, rounds: u32) -> Done {
    println!(
        "\n{:<22} {:>9} {:>8} {:>8} {:>7} {:>11} {:>8} {:>7}  goal",
        "question", "CPU s", "s", "MB", "rows", "DuckDB CPU", "s", "ratio"
    );
    for question in QUESTIONS {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            ours.push(program(binary, data, &["query", "--json", question.ours])?);
            theirs.push(duckdb(data, question.theirs)?);
        }
        let of = |all: &[Used], value: fn(&Used) -> f64| median_by(all, value);
        let (cpu, their_cpu) = (of(&ours, |used| used.cpu_secs), of(&theirs, |used| used.cpu_secs));
        println!(
            "{:<22} {:>9.2} {:>8.2} {:>8.0} {:>7} {:>11.2} {:>8.2} {:>7.2}  {}",
            question.name,
            cpu,
            of(&ours, |used| used.secs),
            of(&ours, |used| used.resident_mb),
            ours.first().map_or(0, |used| used.rows),
            their_cpu,
            of(&theirs, |used| used.secs),
            cpu / their_cpu,
            question.goal
        );
        agree(question.name, &ours, &theirs);
    }
    println!("\nours: the whole process, start and data folder included; DuckDB: its query alone");
    Ok(())
}

fn agree(name: &str, ours: &[Used], theirs: &[Used]) {
    let rows = |all: &[Used]| all.iter().map(|used| used.rows).collect::<BTreeSet<_>>();
    // An answer of ours is cut at its limit of rows.
    if rows(ours) != rows(theirs) {
        println!("  {name}: ours has {:?} rows, DuckDB's {:?}", rows(ours), rows(theirs));
    }
    let said: BTreeSet<&str> = ours.iter().map(|used| used.said.as_str()).filter(|said| !said.is_empty()).collect();
    said.iter().for_each(|said| println!("  {name}: {said}"));
}

/// Starts a program, waits for it, and says what the kernel says of it.
const WAITED: &str = r#"
import json, os, subprocess, sys, tempfile, time
with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
    began = time.perf_counter()
    child = subprocess.Popen(sys.argv[1:], stdout=out, stderr=err)
    _, status, usage = os.wait4(child.pid, 0)
    secs = time.perf_counter() - began
    out.seek(0); err.seek(0)
    text, said = out.read(), err.read().decode(errors="replace").strip()
    rows = len(json.loads(text).get("rows", [])) if status == 0 and text.startswith(b"{") else 0
print(json.dumps({"cpu_secs": usage.ru_utime + usage.ru_stime, "secs": secs, "resident_mb": usage.ru_maxrss / 1024, "rows": rows, "said": said}))
"#;

fn program(binary: &Path, data: &Path, words: &[&str]) -> Result<Used, Trouble> {
    let mut python = Command::new("python3");
    python.args(["-c", WAITED]).arg(binary).arg("--data").arg(data).args(words);
    used(&mut python)
}

/// Views over the folders as they are, two threads, the query alone counted.
const DUCKDB: &str = r#"
import duckdb, json, os, resource, sys, time
archive, question = sys.argv[1:3]
engine = duckdb.connect()
engine.execute("SET threads = 2; SET TimeZone = 'UTC'")
for table in ["contacts", "daily_names"]:
    files = os.path.join(archive, table, "*", "*.parquet")
    engine.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{files}', hive_partitioning = true)")
def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
before, began = cpu(), time.perf_counter()
rows = engine.execute(question).fetchall()
print(json.dumps({"cpu_secs": cpu() - before, "secs": time.perf_counter() - began, "resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "rows": len(rows)}))
"#;

fn duckdb(data: &Path, question: &str) -> Result<Used, Trouble> {
    let mut python = Command::new(crate::tools::python());
    python.args(["-c", DUCKDB]).arg(data.join("archive")).arg(question);
    used(&mut python)
}

fn used(command: &mut Command) -> Result<Used, Trouble> {
    Ok(serde_json::from_str(&shell::run_for(command, LIMIT)?.good()?)?)
}
